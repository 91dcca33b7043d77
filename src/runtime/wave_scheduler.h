#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <utility>

#include "device/device.h"
#include "runtime/array_call.h"
#include "runtime/call_memory.h"
#include "runtime/plan_cache.h"
#include "runtime/product_scheduler.h"
#include "runtime/tile_executor.h"
#include "runtime/whole_executor.h"
#include "tilewave/status.h"

namespace tilewave::runtime {

/// What happens when the device fails, and how much is pending; see EngineOptions.
struct WaveOptions {
  int retries = 2;
  bool poison_outputs = false;
  size_t pending_calls = 64;
};

/// The calls of one SubmitAll, and which of them wait for others to be launched with. Only one
/// thread knows of those: others learn of calls when they are pending.
class CallGroup {
 public:
  using Call = std::shared_ptr<ArrayCall>;

  explicit CallGroup(std::span<const Call> all) : all_(all) {}

  bool empty() const { return size_ == 0; }
  bool full() const { return size_ == to_launch_.size(); }
  void Add(ArrayCall* call) { to_launch_[size_++] = call; }
  void Clear() { size_ = 0; }
  std::span<ArrayCall* const> to_launch() const { return {to_launch_.data(), size_}; }

  /// Says that one more of all calls has begun.
  void Begun() { ++begun_; }
  /// Calls that have begun and are not pending yet.
  size_t unknown() const { return begun_ - known_; }
  /// The next of them.
  const Call& TakeUnknown() { return all_[known_++]; }

 private:
  std::span<const Call> all_;
  size_t begun_ = 0;
  size_t known_ = 0;
  std::array<ArrayCall*, device::kMaxChainLaunches> to_launch_ = {};
  size_t size_ = 0;
};

/// Runs calls on an array: plans them, hands them to the executor of their design, and sees them to
/// their end. A call that the device fails is run again, a few times; then the host computes it.
/// Thread-safe; Run of a known problem without tensors allocates nothing here.
class WaveScheduler {
 public:
  /// `reason` says in the stats why calls run on this device. `fallback` computes what the device
  /// could not; null: such calls fail. Both are borrowed.
  WaveScheduler(PlanTarget target, const WaveOptions& options, std::string_view reason,
                ProductScheduler* fallback);
  WaveScheduler(const WaveScheduler&) = delete;
  WaveScheduler& operator=(const WaveScheduler&) = delete;

  /// Runs a call to its end. Errors: those of MakePlan and ValidateOperands; kDeadlineExceeded;
  /// what the device found if neither it nor the host could compute the product.
  [[nodiscard]] Status Run(ArrayCall* call);

  /// Submits calls in order; those of one executable that follow each other share submissions.
  /// Errors are those of the calls themselves, not of the device, which Wait has; `index` is then
  /// the call's, those before it have ended, and none is pending.
  [[nodiscard]] Status SubmitAll(std::span<const std::shared_ptr<ArrayCall>> calls, size_t* index);

  /// Blocks until a submitted call has ended, and says how. Again, it gives the same answer.
  [[nodiscard]] Status Wait(ArrayCall* call);

  /// Whether what was submitted has ended, well or not; never blocks.
  bool Done(ArrayCall* call);

  /// Ends a call that its owner lets go of, if Wait has not, as when memory ran out on the way.
  void Abandon(ArrayCall* call);

  /// Waits for the call that makes a tensor. kFailedPrecondition if it failed.
  [[nodiscard]] Status WaitFor(const DeviceTensor& tensor) { return Settle(tensor, nullptr); }

 private:
  /// Plans the call and puts its operands into device memory. A failure of the device is left in
  /// call->attempt.status; errors are the call's own. With a group, a whole product is added to it,
  /// to be launched; without, it is launched.
  [[nodiscard]] Status Begin(ArrayCall* call, CallGroup* group);
  [[nodiscard]] Status Prepare(ArrayCall* call, CallGroup* group);
  [[nodiscard]] Status BindTensors(ArrayCall* call, CallGroup* group);
  [[nodiscard]] Status PlanWithA(ArrayCall* call, CallGroup* group);
  [[nodiscard]] Status MakeResult(ArrayCall* call);
  /// Launches what waits in a group, and lets all that has begun be pending. A failure is left with
  /// each of the calls.
  void Flush(CallGroup* group);
  void Launch(std::span<ArrayCall* const> calls);
  /// Waits for the oldest calls until a further one may be pending.
  void MakeRoom(CallGroup* group);
  /// Whether a launch after that of the tensor's call finds its elements in device memory.
  bool MayFollow(const DeviceTensor& tensor, const ArrayCall& call) const;
  /// WaitFor, after launching the group, of which that call may be one.
  [[nodiscard]] Status Settle(const DeviceTensor& tensor, CallGroup* group);
  /// A tensor whose elements the host can read: waited for, and read back.
  [[nodiscard]] Result<std::shared_ptr<TensorHome>> HomeOnHost(const DeviceTensor& tensor,
                                                               ArrayCall* call, CallGroup* group);
  [[nodiscard]] Status Show(TensorHome* home, ArrayCall* call) const;
  [[nodiscard]] Status Collect(ArrayCall* call);
  [[nodiscard]] Status Recover(ArrayCall* call, Status failure);
  [[nodiscard]] Status RunOnHost(ArrayCall* call);
  void End(ArrayCall* call, const Status& result);
  WaitLimits LimitsOf(const ArrayCall& call) const;
  void FillStats(const ArrayCall& call) const;

  device::Device* device_;
  const WaveOptions options_;
  std::string_view reason_;
  ProductScheduler* fallback_;
  PlanCache plans_;  ///< Before the pool: late launches read their plans.
  CallMemoryPool pool_;
  TileExecutor tiles_;
  WholeExecutor whole_;
  std::mutex pending_mutex_;
  std::deque<std::shared_ptr<ArrayCall>> pending_;  ///< Guarded. Oldest first; some may have ended.
};

}  // namespace tilewave::runtime
