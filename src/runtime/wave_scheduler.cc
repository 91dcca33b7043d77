#include "runtime/wave_scheduler.h"

#include <fmt/format.h>

#include <span>
#include <thread>

#include "base/clock.h"
#include "core/validate.h"

namespace tilewave::runtime {
namespace {

Status TooLate(const char* what, std::chrono::nanoseconds limit) {
  return {StatusCode::kDeadlineExceeded,
          fmt::format("the device has not {} the call within {} ms", what,
                      std::chrono::duration_cast<std::chrono::milliseconds>(limit).count())};
}

}  // namespace

Status WaveScheduler::Submit(CallState* call) {
  if (call->stats != nullptr) call->start_ns = base::WallNowNs();
  Result<PlanCache::Found> plan = plans_.PlanFor(call->problem);
  if (!plan.ok()) return plan.status();
  call->plan = *std::move(plan);
  if (Status s = core::ValidateOperands(call->problem, call->operands); !s.ok()) return s;

  call->launch = {call->plan.plan->executable.get(), &call->operands, nullptr, call->progress};
  if (!call->weights.empty()) {
    const Result<const device::WeightsPayload*> payload =
        call->weights.impl()->PayloadFor(device_, call->problem, call->operands);
    if (!payload.ok()) return payload.status();
    call->launch.weights = *payload;
  }

  if (call->stats != nullptr) call->launched_ns = device_->clock().NowNs();
  const std::span<const device::Launch> chain(&call->launch, 1);
  device::SubmitCode code = device_->queue().TrySubmit(chain, &call->fence);
  if (code == device::SubmitCode::kQueueFull) {
    const int64_t give_up_ns = base::WallNowNs() + call->time_limit.count();
    while (code == device::SubmitCode::kQueueFull) {
      if (base::WallNowNs() > give_up_ns) return TooLate("accepted", call->time_limit);
      std::this_thread::yield();
      code = device_->queue().TrySubmit(chain, &call->fence);
    }
  }
  if (call->stats != nullptr) call->accepted_ns = device_->clock().NowNs();
  return call->fence.done ? call->fence.status : Status();
}

Status WaveScheduler::Wait(CallState* call) {
  if (!call->fence.done) {
    if (device_->queue().Wait(&call->fence, call->time_limit) == device::WaitCode::kTimeout) {
      return TooLate("finished", call->time_limit);
    }
    call->fence.done = true;
  }
  if (call->stats != nullptr && call->fence.status.ok()) FillStats(*call);
  return call->fence.status;
}

void WaveScheduler::FillStats(const CallState& call) const {
  const int64_t ended_ns = device_->clock().NowNs();
  const DeviceInfo& info = device_->info();
  CallStats& stats = *call.stats;
  stats = {};
  stats.part_count = 1;
  stats.parts[0] = {info.name,
                    call.launch.executable->kernel_name(),
                    reason_,
                    call.plan.plan->plan.launches,
                    base::NsToUs(ended_ns - call.launched_ns),
                    device_->clock().kind()};
  stats.phases.launch_us = base::NsToUs(call.accepted_ns - call.launched_ns);
  stats.phases.wait_us = base::NsToUs(ended_ns - call.accepted_ns);
  stats.macs = call.problem.batch * call.problem.m * call.problem.k * call.problem.n;
  stats.plan_cached = call.plan.cached;
  stats.total_us = base::NsToUs(base::WallNowNs() - call.start_ns);
}

}  // namespace tilewave::runtime
