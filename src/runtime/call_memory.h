#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/aligned_buffer.h"
#include "device/device.h"
#include "runtime/buffer_sets.h"
#include "runtime/device_tensor.h"
#include "runtime/launch_chain.h"
#include "runtime/operand_image.h"
#include "runtime/plan_cache.h"
#include "runtime/wave_runner.h"
#include "tilewave/tensors.h"

namespace tilewave::runtime {

/// What one call on an array needs beside the caller's memory, kept from call to call; and what
/// launches of it may still read or write after the call has given up on them.
struct CallMemory {
  ImageMemory images;
  base::AlignedBuffer sums;
  /// Null until the first call. A design of many launches has them in its runner.
  std::unique_ptr<BufferSets> sets;
  std::unique_ptr<WaveRunner> runner;
  std::array<device::BufferRange, 3> arguments = {};  ///< Of a launch of a whole product.
  std::shared_ptr<LaunchChain> own_chain;             ///< For a submission that begins with it.
  std::shared_ptr<LaunchChain> chain;                 ///< That a launch of this memory is in.

  // Held for launches.
  std::shared_ptr<const PreparedPlan> plan;  ///< If the plan cache has it not.
  Weights weights;                           ///< If B stays on the device.
  std::shared_ptr<TensorHome> a;             ///< If A is read where it lies.
  std::shared_ptr<TensorHome> c;             ///< If C stays on the device.

  std::unique_ptr<CallMemory> next;  ///< In quarantine: linked, so that entering cannot fail.

  const BufferSets* buffers() const { return runner != nullptr ? &runner->sets() : sets.get(); }
  /// Whether the device has let go of all memory here; never blocks.
  bool Idle(device::Queue* queue);
  /// Blocks until Idle, at most `limit`, for whatever is in flight; whether it is.
  bool WaitIdle(device::Queue* queue, std::chrono::nanoseconds limit);
};

/// Memory of calls on one device, from call to call. Memory that the device has not let go of when
/// its call gives it back is in quarantine until it has. Thread-safe.
class CallMemoryPool {
 public:
  explicit CallMemoryPool(device::Device* device);
  CallMemoryPool(const CallMemoryPool&) = delete;
  CallMemoryPool& operator=(const CallMemoryPool&) = delete;
  /// Waits for the device to let go of memory; what it does not is leaked rather than freed.
  ~CallMemoryPool();

  /// Memory that goes back when its lease is over, however that ends.
  class Lease {
   public:
    Lease() = default;
    Lease(CallMemoryPool* pool, std::unique_ptr<CallMemory> memory)
        : pool_(pool), memory_(std::move(memory)) {}
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&& other) noexcept {
      End();
      pool_ = other.pool_;
      memory_ = std::move(other.memory_);
      return *this;
    }
    ~Lease() { End(); }

    CallMemory* get() const { return memory_.get(); }
    void End() noexcept {
      if (memory_ != nullptr) pool_->GiveBack(std::move(memory_));
    }

   private:
    CallMemoryPool* pool_ = nullptr;
    std::unique_ptr<CallMemory> memory_;
  };

  /// Which memory a call takes of several: one call after another uses what is still in the caches;
  /// several at once come in the order of the last ones and find the buffers that those had, as a
  /// device knows launches by their buffers.
  enum class Choice : uint8_t { kLatest, kOldest };

  /// Memory with buffers for this plan, or without any.
  Lease Take(const plan::ArrayPlan& plan, Choice choice);

 private:
  void GiveBack(std::unique_ptr<CallMemory> memory) noexcept;
  /// Keeps memory for the next call, or frees it. REQUIRES: the mutex held.
  void Keep(std::unique_ptr<CallMemory> memory) noexcept;
  /// Takes memory that the device has let go of out of quarantine. REQUIRES: the mutex held.
  void Sweep() noexcept;

  device::Device* device_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<CallMemory>> idle_;  ///< Guarded. The latest used last.
  std::unique_ptr<CallMemory> quarantine_;         ///< Guarded, linked. A device may write late.
};

}  // namespace tilewave::runtime
