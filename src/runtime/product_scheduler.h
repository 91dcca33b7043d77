#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "base/slot_pool.h"
#include "core/problem.h"
#include "device/device.h"
#include "runtime/plan_cache.h"
#include "runtime/time_limit.h"
#include "runtime/weights.h"
#include "tilewave/device_info.h"
#include "tilewave/status.h"

namespace tilewave::runtime {

/// One call of a device that takes whole products, from submission to its end. The caller fills
/// the first part; the scheduler fills the second. Everything that a device may read while it runs
/// is in here or kept alive from here, except the user's own memory.
struct CallState {
  core::Problem problem;
  core::Operands operands;
  const Weights* weights = nullptr;  ///< Not null exactly if the problem is prepacked.
  Weights kept;  ///< A call that outlives its submission keeps its weights alive with this.
  std::atomic<int64_t>* progress = nullptr;
  CallStats* stats = nullptr;
  /// Of any single wait. Without it, kDefaultTimeLimit.
  std::optional<std::chrono::nanoseconds> time_limit;

  PlanCache::Found plan;
  device::Launch launch;
  device::Fence fence;
  bool submitted = false;           ///< The device has accepted it; it runs until fence.done.
  int64_t start_ns = 0;             ///< Wall clock; only taken for stats.
  int64_t launched_ns = 0;          ///< Device clock before the submission; likewise.
  int64_t accepted_ns = 0;          ///< Device clock after it; likewise.
  std::unique_ptr<CallState> next;  ///< In quarantine: linked, so that entering it cannot fail.
};

/// Runs calls on a device that takes whole products: finds the plan, gets the weights' payload,
/// submits, waits. Thread-safe; a call with a known problem allocates nothing here.
class ProductScheduler {
 public:
  /// `reason` says in the stats why calls run on this device; it outlives the scheduler.
  ProductScheduler(PlanTarget target, std::string_view reason)
      : device_(target.device), reason_(reason), plans_(std::move(target)) {}
  ProductScheduler(const ProductScheduler&) = delete;
  ProductScheduler& operator=(const ProductScheduler&) = delete;

  /// Gives calls that have run out of time a last while; memory that a device still uses after
  /// that is leaked rather than freed under it.
  ~ProductScheduler();

  /// An empty state to fill and submit, from a pool.
  std::unique_ptr<CallState> NewCall();

  /// Checks the problem (by planning it) and the operands, then submits the call. While the
  /// device's queue is full it waits, at most the call's time limit.
  /// Errors: those of MakePlan and ValidateOperands, of packing weights, kDeadlineExceeded, and
  /// what the device found before it began; nothing is pending then.
  [[nodiscard]] Status Submit(CallState* call);

  /// Blocks until a submitted call has ended, fills its stats and says how it went. Calling it
  /// again gives the same answer. kDeadlineExceeded: the device may still be running.
  [[nodiscard]] Status Wait(CallState* call);

  /// Whether a submitted call has ended; never blocks.
  bool Done(CallState* call);

  /// Takes a state back. One whose device is still running goes into quarantine until it is done.
  void Release(std::unique_ptr<CallState> call);

 private:
  [[nodiscard]] Status TrySubmitUntilAccepted(CallState* call);
  std::chrono::nanoseconds LimitOf(const CallState& call) const;
  void FillStats(const CallState& call) const;
  void SweepQuarantine();

  device::Device* device_;
  std::string_view reason_;
  PlanCache plans_;
  base::SlotPool<CallState> idle_;
  std::atomic<int> quarantined_count_{0};
  std::mutex quarantine_mutex_;
  std::unique_ptr<CallState> quarantine_;  ///< Linked by CallState::next; guarded by the mutex.
};

}  // namespace tilewave::runtime
