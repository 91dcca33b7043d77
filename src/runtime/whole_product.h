#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "core/problem.h"
#include "device/device.h"
#include "plan/array_plan.h"
#include "runtime/buffer_sets.h"
#include "runtime/operand_image.h"
#include "tilewave/status.h"

namespace tilewave::runtime {

/// A product in one launch of a whole_array design: both operands as images of padded extents, C
/// back from one.
class WholeProduct {
 public:
  /// All borrowed. `progress` may be null.
  WholeProduct(const core::Problem& problem, const plan::ArrayPlan& plan, const Images& images,
               std::atomic<int64_t>* progress)
      : problem_(problem), plan_(plan), images_(images), progress_(progress) {}

  /// Fills the inputs of a set, those that do not lie elsewhere.
  void Write(const BufferSets& sets, int64_t set) const;

  /// Writes C from its image.
  void Finish(const core::Operands& operands, const std::byte* output) const;

 private:
  const core::Problem& problem_;
  const plan::ArrayPlan& plan_;
  const Images& images_;
  std::atomic<int64_t>* progress_;
};

/// Prepacked weights as an image of B in device memory, where it stays for all calls.
class ResidentWeights final : public device::WeightsPayload {
 public:
  /// Packs B of `operands` for the plan and hands it to the device. Errors: the device's.
  [[nodiscard]] static Result<std::unique_ptr<device::WeightsPayload>> Make(
      device::Device* device, const core::Problem& problem, const core::Operands& operands,
      const plan::ArrayPlan& plan);

  explicit ResidentWeights(std::unique_ptr<device::Buffer> buffer) : buffer_(std::move(buffer)) {}

  size_t bytes() const override { return buffer_->bytes(); }
  device::BufferRange range() const { return {buffer_.get(), 0, buffer_->bytes()}; }

 private:
  std::unique_ptr<device::Buffer> buffer_;
};

/// All elements of C are finished. `progress` may be null.
void CountElements(const core::Problem& problem, std::atomic<int64_t>* progress);

/// Names the image of B that a plan wants: equal names, equal bytes.
std::string WeightsLayoutOf(const plan::ArrayPlan& plan);

}  // namespace tilewave::runtime
