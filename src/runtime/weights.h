#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/aligned_buffer.h"
#include "core/problem.h"
#include "device/device.h"
#include "plan/array_plan.h"
#include "tilewave/tensors.h"

namespace tilewave {

/// What a Weights handle points to: the raw integer matrix, dense row-major, its quantisation,
/// and payloads in device layouts, made on first use and then kept.
/// Thread-safe: payloads are an append-only list that readers walk without a lock.
class Weights::Impl {
 public:
  /// The raw form of B; made by runtime::MakeWeights.
  struct Raw {
    int64_t k = 0;
    int64_t n = 0;
    int64_t batch = 1;
    ElementType type = ElementType::kS8;
    base::AlignedBuffer data;
    std::vector<int32_t> zeros;  ///< Empty, one, n, or batch * n.
    std::vector<float> scales;   ///< Likewise; not empty if B was f32.
  };

  explicit Impl(Raw raw);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  const Raw& raw() const { return raw_; }
  const Parameter<int32_t>& zero() const { return operands_.zero_b; }
  const Parameter<float>& scale() const { return operands_.scale_b; }
  size_t bytes() const;

  /// These weights as B of a problem: extents, type, strides, pointer and zero points. A and C
  /// are not described.
  const core::Problem& problem() const { return problem_; }
  const core::Operands& operands() const { return operands_; }

  /// The payload for this device, packed now if it is the first call that asks for it.
  [[nodiscard]] Result<const device::WeightsPayload*> PayloadFor(device::Device* device) const;

  /// The payload in a layout that the device does not choose itself; `make` makes it if it is the
  /// first call that asks for it.
  using Maker = Result<std::unique_ptr<device::WeightsPayload>> (*)(device::Device* device,
                                                                    const core::Problem& problem,
                                                                    const core::Operands& operands,
                                                                    const plan::ArrayPlan& plan);
  [[nodiscard]] Result<const device::WeightsPayload*> PayloadFor(device::Device* device,
                                                                 std::string_view layout,
                                                                 const plan::ArrayPlan& plan,
                                                                 Maker make) const;

 private:
  struct Entry {
    uint64_t payload_domain = 0;
    std::string layout;
    std::unique_ptr<device::WeightsPayload> payload;
    Entry* next = nullptr;
  };

  template <typename T>
  Parameter<T> ParameterOf(const std::vector<T>& values) const {
    if (values.empty()) return {};
    if (values.size() == 1) return Parameter<T>::Of(values[0]);
    const bool per_matrix = static_cast<int64_t>(values.size()) > raw_.n;
    return Parameter<T>::PerElement(values.data(), per_matrix ? raw_.n : 0);
  }

  const Entry* Find(uint64_t payload_domain, std::string_view layout) const;
  /// REQUIRES: packing_ held; none of that domain and layout is there.
  const device::WeightsPayload* Keep(uint64_t payload_domain, std::string_view layout,
                                     std::unique_ptr<device::WeightsPayload> payload) const;

  Raw raw_;
  core::Problem problem_;
  core::Operands operands_;
  mutable std::mutex packing_;                 ///< Held while a payload is made.
  mutable std::atomic<Entry*> head_{nullptr};  ///< Owned, newest first.
};

namespace runtime {

/// Copies B (validated; s8, u8, or f32, which is quantised as the problem says) into a Weights.
/// Error: kInvalidArgument naming the column of an f32 B that is not finite.
[[nodiscard]] Result<Weights> MakeWeights(const core::Problem& problem,
                                          const core::Operands& operands);

}  // namespace runtime
}  // namespace tilewave
