#pragma once

#include <chrono>
#include <cstdint>
#include <span>

#include "device/device.h"
#include "runtime/array_call.h"
#include "runtime/call_memory.h"
#include "runtime/time_limit.h"
#include "tilewave/status.h"

namespace tilewave::runtime {

/// Executes plans of one launch for the whole product, step by step, so that other calls may come
/// between: operands into device memory, the launch alone or in a chain with others, C back.
/// Thread-safe; a call is used by one thread at a time. A plan that has run before allocates
/// nothing, except for tensors.
class WholeExecutor {
 public:
  /// `poison`: see EngineOptions::poison_outputs.
  WholeExecutor(device::Device* device, CallMemoryPool* pool, bool poison)
      : device_(device), pool_(pool), poison_(poison) {}

  /// Takes memory for the call's attempt, and fills and syncs it. `alone`: no other call is begun
  /// before this one has ended. Errors: those of MakeImages, and
  /// the device's. REQUIRES: attempt.problem, operands, plan, and a and c of tensors that stay on
  /// the device.
  [[nodiscard]] Status Fill(ArrayCall* call, bool alone);

  /// Submits the launches of these calls as one chain, waiting for room in the device's queue.
  /// Errors: the device's; kDeadlineExceeded. Nothing is in flight then. REQUIRES: filled, of one
  /// executable, at most device::kMaxChainLaunches.
  [[nodiscard]] Status Launch(std::span<ArrayCall* const> calls, const WaitLimits& limits);

  /// Whether the call's launch has ended; never blocks on the device.
  bool Done(const ArrayCall& call);

  /// Waits for the launch and writes C. Errors: the device's; kDeadlineExceeded; kDataLoss if the
  /// launch left poison. C is written only if all went well. REQUIRES: launched.
  [[nodiscard]] Status Finish(ArrayCall* call, const WaitLimits& limits);

 private:
  [[nodiscard]] Status TakeArguments(ArrayCall* call);
  [[nodiscard]] Status CheckPoison(ArrayCall* call);

  device::Device* device_;
  CallMemoryPool* pool_;
  bool poison_;
};

}  // namespace tilewave::runtime
