#pragma once

#include "device/device.h"
#include "runtime/array_call.h"
#include "runtime/call_memory.h"
#include "runtime/wave_runner.h"
#include "tilewave/status.h"

namespace tilewave::runtime {

/// Executes plans of many launches: operands to signed bytes, launches over pooled buffers, sums
/// over K, epilogue. Thread-safe: each call takes memory of its own from a pool; a plan that has
/// run before allocates nothing.
class TileExecutor {
 public:
  /// `poison`: see EngineOptions::poison_outputs.
  TileExecutor(device::Device* device, CallMemoryPool* pool, bool poison)
      : device_(device), pool_(pool), poison_(poison) {}

  /// Runs the call's attempt to its end. C is written only if all went well. Errors: those of
  /// MakeImages, kDeadlineExceeded, kResourceExhausted, and what the device found.
  /// REQUIRES: attempt.problem, operands and plan.
  [[nodiscard]] Status Run(ArrayCall* call, const WaitLimits& limits);

 private:
  device::Device* device_;
  CallMemoryPool* pool_;
  bool poison_;
};

}  // namespace tilewave::runtime
