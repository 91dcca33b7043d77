#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/aligned_buffer.h"
#include "core/problem.h"
#include "device/device.h"
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

  explicit Impl(Raw raw) : raw_(std::move(raw)) {}
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  const Raw& raw() const { return raw_; }
  Parameter<int32_t> zero() const { return ParameterOf(raw_.zeros); }
  Parameter<float> scale() const { return ParameterOf(raw_.scales); }
  size_t bytes() const;

  /// The payload for this device, packed now if it is the first call that asks for it.
  /// `problem` and `operands` describe these weights as B.
  [[nodiscard]] Result<const device::WeightsPayload*> PayloadFor(
      device::Device* device, const core::Problem& problem, const core::Operands& operands) const;

 private:
  struct Entry {
    std::string device;
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

  const Entry* Find(std::string_view device, std::string_view layout) const;

  Raw raw_;
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
