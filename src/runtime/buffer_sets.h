#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "device/device.h"
#include "plan/array_plan.h"
#include "runtime/phase_timer.h"
#include "tilewave/status.h"

namespace tilewave::runtime {

/// Device buffers for the launches of one plan, set by set: inputs first, then the output. A pool
/// is one slab, all inputs before all outputs, with a window for every buffer; other policies have
/// every buffer on its own. Used by one call at a time.
class BufferSets {
 public:
  /// What buffers depend on.
  struct Shape {
    plan::BufferPolicy policy = plan::BufferPolicy::kPool;
    int64_t sets = 0;
    std::vector<int64_t> input_bytes;  ///< 0: that input is a range that lives elsewhere.
    int64_t output_bytes = 0;          ///< Likewise.

    int64_t bytes() const;
    /// Whether buffers of this shape are what the plan asks for.
    bool Serves(const plan::ArrayPlan& plan) const;
  };
  static Shape ShapeOf(const plan::ArrayPlan& plan);

  /// Allocates. Errors: the device's.
  [[nodiscard]] static Result<std::unique_ptr<BufferSets>> Make(device::Device* device,
                                                                const Shape& shape,
                                                                PhaseTimer* timer);

  /// For Make, which also allocates.
  BufferSets(device::Device* device, Shape shape);

  const Shape& shape() const { return shape_; }

  /// The buffers of a set as arguments of a launch.
  std::span<const device::BufferRange> arguments(int64_t set) const {
    return {ranges_.data() + (set * per_set_), static_cast<size_t>(per_set_)};
  }
  /// Host memory of input `index` of a set.
  std::byte* input(int64_t set, int64_t index) const {
    const device::BufferRange& range = ranges_[static_cast<size_t>((set * per_set_) + index)];
    return range.buffer->host() + range.offset;
  }
  const std::byte* output(int64_t set) const { return input(set, per_set_ - 1); }
  int64_t inputs() const { return per_set_ - 1; }

  /// Makes the inputs of sets [first, first + count) visible to the device: with one sync if they
  /// are a slab's and `batched`, else with one per buffer.
  [[nodiscard]] Status SyncIn(int64_t first, int64_t count, bool batched, PhaseTimer* timer);
  /// Fills their outputs with poison, on the device, too.
  [[nodiscard]] Status Poison(int64_t first, int64_t count);
  /// Makes their outputs visible to the host.
  [[nodiscard]] Status SyncOut(int64_t first, int64_t count, bool batched, PhaseTimer* timer);

 private:
  [[nodiscard]] Status AllocateSlab();
  [[nodiscard]] Status AllocateEach();
  [[nodiscard]] Status SyncBuffer(device::SyncDirection direction, int64_t set, int64_t index);

  device::Device* device_;
  Shape shape_;
  int64_t per_set_;                       ///< Buffers of one set.
  int64_t input_stride_ = 0;              ///< Of the inputs of one set in a slab.
  int64_t output_stride_ = 0;             ///< Of the output of one set in a slab.
  std::unique_ptr<device::Buffer> slab_;  ///< Null if every buffer is its own. Outlives windows.
  std::vector<std::unique_ptr<device::Buffer>> buffers_;
  std::vector<device::BufferRange> ranges_;  ///< per_set_ for each set.
};

}  // namespace tilewave::runtime
