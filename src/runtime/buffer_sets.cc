#include "runtime/buffer_sets.h"

#include <utility>

#include "base/checked_math.h"
#include "runtime/poison.h"

namespace tilewave::runtime {
namespace {

using device::HostWork;
using device::SyncDirection;

/// Buffers that host and device both write to share no cache line.
int64_t Padded(int64_t bytes) { return base::RoundUp(bytes, arch::kCacheLineBytes); }

}  // namespace

BufferSets::Shape BufferSets::ShapeOf(const plan::ArrayPlan& plan) {
  return {plan.buffers, plan.sets, plan.input_bytes, plan.output_bytes};
}

int64_t BufferSets::Shape::bytes() const {
  int64_t bytes = Padded(output_bytes);
  for (const int64_t each : input_bytes) bytes += Padded(each);
  return sets * bytes;
}

bool BufferSets::Shape::Serves(const plan::ArrayPlan& plan) const {
  return policy == plan.buffers && sets == plan.sets && input_bytes == plan.input_bytes &&
         output_bytes == plan.output_bytes;
}

BufferSets::BufferSets(device::Device* device, Shape shape)
    : device_(device),
      shape_(std::move(shape)),
      per_set_(static_cast<int64_t>(shape_.input_bytes.size()) + 1) {
  for (const int64_t bytes : shape_.input_bytes) input_stride_ += Padded(bytes);
  output_stride_ = Padded(shape_.output_bytes);
}

Result<std::unique_ptr<BufferSets>> BufferSets::Make(device::Device* device, const Shape& shape,
                                                     PhaseTimer* timer) {
  auto sets = std::make_unique<BufferSets>(device, shape);
  const auto buffers = static_cast<size_t>(shape.sets * sets->per_set_);
  sets->buffers_.reserve(buffers);
  sets->ranges_.reserve(buffers);
  const bool pool = shape.policy == plan::BufferPolicy::kPool;
  if (Status s = pool ? sets->AllocateSlab() : sets->AllocateEach(); !s.ok()) return s;
  timer->Count(&PhaseCounts::buffers,
               static_cast<int64_t>(sets->buffers_.size()) + (sets->slab_ != nullptr ? 1 : 0));
  timer->End(&PhaseTimes::allocate_us);
  return sets;
}

Status BufferSets::AllocateSlab() {
  const int64_t bytes = shape_.sets * (input_stride_ + output_stride_);
  if (bytes == 0) {
    ranges_.resize(static_cast<size_t>(shape_.sets * per_set_));
    return {};
  }
  Result<std::unique_ptr<device::Buffer>> slab = device_->Allocate(static_cast<size_t>(bytes));
  if (!slab.ok()) return slab.status();
  slab_ = *std::move(slab);
  device_->clock().ChargeHost(HostWork::kAllocate, bytes, 1);
  const auto add_window = [this](int64_t offset, int64_t size) -> Status {
    if (size == 0) {
      ranges_.emplace_back();
      return {};
    }
    Result<std::unique_ptr<device::Buffer>> window =
        slab_->Slice(static_cast<size_t>(offset), static_cast<size_t>(size));
    if (!window.ok()) return window.status();
    buffers_.push_back(*std::move(window));
    ranges_.push_back({buffers_.back().get(), 0, static_cast<size_t>(size)});
    return {};
  };
  for (int64_t set = 0; set < shape_.sets; ++set) {
    int64_t offset = set * input_stride_;
    for (const int64_t size : shape_.input_bytes) {
      if (Status s = add_window(offset, size); !s.ok()) return s;
      offset += Padded(size);
    }
    offset = (shape_.sets * input_stride_) + (set * output_stride_);
    if (Status s = add_window(offset, shape_.output_bytes); !s.ok()) return s;
  }
  device_->clock().ChargeHost(HostWork::kSlice, 0, static_cast<int64_t>(buffers_.size()));
  return {};
}

Status BufferSets::AllocateEach() {
  const auto add = [this](int64_t size) -> Status {
    if (size == 0) {
      ranges_.emplace_back();
      return {};
    }
    Result<std::unique_ptr<device::Buffer>> buffer = device_->Allocate(static_cast<size_t>(size));
    if (!buffer.ok()) return buffer.status();
    buffers_.push_back(*std::move(buffer));
    ranges_.push_back({buffers_.back().get(), 0, static_cast<size_t>(size)});
    device_->clock().ChargeHost(HostWork::kAllocate, size, 1);
    return {};
  };
  for (int64_t set = 0; set < shape_.sets; ++set) {
    for (const int64_t size : shape_.input_bytes) {
      if (Status s = add(size); !s.ok()) return s;
    }
    if (Status s = add(shape_.output_bytes); !s.ok()) return s;
  }
  return {};
}

Status BufferSets::SyncBuffer(SyncDirection direction, int64_t set, int64_t index) {
  const device::BufferRange& range = ranges_[static_cast<size_t>((set * per_set_) + index)];
  const bool in = direction == SyncDirection::kToDevice;
  device_->clock().ChargeHost(in ? HostWork::kSyncIn : HostWork::kSyncOut,
                              static_cast<int64_t>(range.bytes), 1);
  return range.buffer->Sync(direction, range.offset, range.bytes);
}

Status BufferSets::SyncIn(int64_t first, int64_t count, bool batched, PhaseTimer* timer) {
  Status status;
  const int64_t bytes = count * input_stride_;
  if (batched && slab_ != nullptr) {
    device_->clock().ChargeHost(HostWork::kSyncIn, bytes, 1);
    status = slab_->Sync(SyncDirection::kToDevice, static_cast<size_t>(first * input_stride_),
                         static_cast<size_t>(bytes));
    timer->Count(&PhaseCounts::syncs_in);
  } else {
    for (int64_t set = first; set < first + count; ++set) {
      for (int64_t i = 0; i < inputs() && status.ok(); ++i) {
        if (shape_.input_bytes[static_cast<size_t>(i)] == 0) continue;
        status = SyncBuffer(SyncDirection::kToDevice, set, i);
      }
    }
    timer->Count(&PhaseCounts::syncs_in, count * inputs());
  }
  timer->Count(&PhaseCounts::bytes_in, bytes);
  timer->End(&PhaseTimes::sync_in_us);
  return status;
}

Status BufferSets::Poison(int64_t first, int64_t count) {
  for (int64_t set = first; set < first + count; ++set) {
    if (Status s = PoisonRange(arguments(set).back()); !s.ok()) return s;
  }
  return {};
}

Status BufferSets::SyncOut(int64_t first, int64_t count, bool batched, PhaseTimer* timer) {
  Status status;
  const int64_t bytes = count * output_stride_;
  if (batched && slab_ != nullptr) {
    device_->clock().ChargeHost(HostWork::kSyncOut, bytes, 1);
    const int64_t offset = (shape_.sets * input_stride_) + (first * output_stride_);
    status = slab_->Sync(SyncDirection::kFromDevice, static_cast<size_t>(offset),
                         static_cast<size_t>(bytes));
    timer->Count(&PhaseCounts::syncs_out);
  } else {
    for (int64_t set = first; set < first + count && status.ok(); ++set) {
      status = SyncBuffer(SyncDirection::kFromDevice, set, per_set_ - 1);
    }
    timer->Count(&PhaseCounts::syncs_out, count);
  }
  timer->Count(&PhaseCounts::bytes_out, bytes);
  timer->End(&PhaseTimes::sync_out_us);
  return status;
}

}  // namespace tilewave::runtime
