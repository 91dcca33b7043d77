#include "runtime/wave_scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <thread>
#include <utility>

#include "base/check.h"
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

WaveScheduler::~WaveScheduler() {
  while (quarantine_ != nullptr) {
    std::unique_ptr<CallState> call = std::move(quarantine_);
    quarantine_ = std::move(call->next);
    if (device_->queue().Wait(&call->fence, kDefaultTimeLimit) == device::WaitCode::kTimeout) {
      static_cast<void>(call.release());
    }
  }
}

std::unique_ptr<CallState> WaveScheduler::NewCall() {
  if (quarantined_count_.load(std::memory_order_relaxed) > 0) SweepQuarantine();
  return idle_.Take();
}

Status WaveScheduler::Submit(CallState* call) {
  if (call->stats != nullptr) call->start_ns = base::WallNowNs();
  Result<PlanCache::Found> plan = plans_.PlanFor(call->problem);
  if (!plan.ok()) return plan.status();
  call->plan = *std::move(plan);
  if (Status s = core::ValidateOperands(call->problem, call->operands); !s.ok()) return s;

  call->launch = {call->plan.plan->executable.get(), &call->operands, nullptr, call->progress, {}};
  if (!call->weights.empty()) {
    const Result<const device::WeightsPayload*> payload = call->weights.impl()->PayloadFor(device_);
    if (!payload.ok()) return payload.status();
    call->launch.weights = *payload;
  }

  call->time_limit = std::min(call->time_limit, kLongestTimeLimit);
  if (call->stats != nullptr) call->launched_ns = device_->clock().NowNs();
  if (Status s = TrySubmitUntilAccepted(call); !s.ok()) return s;
  if (call->stats != nullptr) call->accepted_ns = device_->clock().NowNs();
  return call->fence.done ? call->fence.status : Status();
}

Status WaveScheduler::TrySubmitUntilAccepted(CallState* call) {
  const std::span<const device::Launch> chain(&call->launch, 1);
  int64_t give_up_ns = 0;
  for (;;) {
    switch (device_->queue().TrySubmit(chain, &call->fence)) {
      case device::SubmitCode::kAccepted:
        call->submitted = true;
        return {};
      case device::SubmitCode::kRejected:
        return call->fence.status;
      case device::SubmitCode::kQueueFull:
        break;
    }
    const int64_t now_ns = base::WallNowNs();
    if (give_up_ns == 0) give_up_ns = now_ns + call->time_limit.count();
    if (now_ns > give_up_ns) return TooLate("accepted", call->time_limit);
    std::this_thread::yield();
  }
}

Status WaveScheduler::Wait(CallState* call) {
  TW_CHECK(call->submitted);
  if (!call->fence.done) {
    if (device_->queue().Wait(&call->fence, call->time_limit) == device::WaitCode::kTimeout) {
      return TooLate("finished", call->time_limit);
    }
    call->fence.done = true;
  }
  if (call->stats != nullptr && call->fence.status.ok()) FillStats(*call);
  return call->fence.status;
}

bool WaveScheduler::Done(CallState* call) {
  return call->fence.done || device_->queue().Poll(&call->fence);
}

void WaveScheduler::Release(std::unique_ptr<CallState> call) {
  if (call->submitted && !Done(call.get())) {
    const std::lock_guard<std::mutex> lock(quarantine_mutex_);
    call->next = std::move(quarantine_);
    quarantine_ = std::move(call);
    quarantined_count_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  *call = CallState();
  idle_.GiveBack(std::move(call));
}

void WaveScheduler::SweepQuarantine() {
  const std::lock_guard<std::mutex> lock(quarantine_mutex_);
  std::unique_ptr<CallState>* link = &quarantine_;
  while (*link != nullptr) {
    if (!Done(link->get())) {
      link = &(*link)->next;
      continue;
    }
    *link = std::move((*link)->next);
    quarantined_count_.fetch_sub(1, std::memory_order_relaxed);
  }
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
