#pragma once

#include <atomic>
#include <chrono>
#include <string_view>

#include "core/problem.h"
#include "device/device.h"
#include "runtime/plan_cache.h"
#include "runtime/weights.h"
#include "tilewave/device_info.h"
#include "tilewave/status.h"

namespace tilewave::runtime {

/// The default of RunOptions::time_limit: far above any product (the longest published one is
/// tens of milliseconds), and above the driver's own recovery, which takes 2 to 4 s.
inline constexpr std::chrono::nanoseconds kDefaultTimeLimit = std::chrono::seconds(30);

/// One call below the watershed, from submission to its end. The caller fills the first part and
/// keeps the whole in place until Wait has returned; the scheduler fills the second.
struct CallState {
  core::Problem problem;
  core::Operands operands;
  Weights weights;  ///< Kept alive; not empty exactly if the problem is prepacked.
  std::atomic<int64_t>* progress = nullptr;
  CallStats* stats = nullptr;
  std::chrono::nanoseconds time_limit = kDefaultTimeLimit;

  PlanCache::Found plan;
  device::Launch launch;
  device::Fence fence;
  int64_t start_ns = 0;     ///< Wall clock; only taken for stats.
  int64_t launched_ns = 0;  ///< Device clock before the submission; likewise.
  int64_t accepted_ns = 0;  ///< Device clock after it; likewise.
};

/// Executes plans on one device: finds the plan, gets the weights' payload, submits, waits.
/// Thread-safe; a call with a known problem allocates nothing here.
class WaveScheduler {
 public:
  /// `reason` says in the stats why calls run on this device; it outlives the scheduler.
  WaveScheduler(device::Device* device, std::string_view reason)
      : device_(device), reason_(reason), plans_(device) {}

  /// Checks the problem (by planning it) and the operands, then submits the call. While the
  /// device's queue is full it waits, at most the call's time limit.
  /// Errors: those of MakePlan and ValidateOperands, of packing weights, kDeadlineExceeded, and
  /// what the device found before it began; nothing is pending then.
  [[nodiscard]] Status Submit(CallState* call);

  /// Blocks until a submitted call has ended, fills its stats and says how it went. Calling it
  /// again gives the same answer. kDeadlineExceeded: the device may still be running.
  [[nodiscard]] Status Wait(CallState* call);

 private:
  void FillStats(const CallState& call) const;

  device::Device* device_;
  std::string_view reason_;
  PlanCache plans_;
};

}  // namespace tilewave::runtime
