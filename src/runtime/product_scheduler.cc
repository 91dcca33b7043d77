#include "runtime/product_scheduler.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "core/validate.h"
#include "runtime/call_stats.h"

namespace tilewave::runtime {

ProductScheduler::~ProductScheduler() {
  while (quarantine_ != nullptr) {
    std::unique_ptr<CallState> call = std::move(quarantine_);
    quarantine_ = std::move(call->next);
    if (device_->queue().Wait(&call->fence, kDefaultTimeLimit) == device::WaitCode::kTimeout) {
      static_cast<void>(call.release());
    }
  }
}

std::unique_ptr<CallState> ProductScheduler::NewCall() {
  if (quarantined_count_.load(std::memory_order_relaxed) > 0) SweepQuarantine();
  return idle_.Take();
}

Status ProductScheduler::Submit(CallState* call) {
  if (call->stats != nullptr) call->start_ns = base::WallNowNs();
  Result<PlanCache::Found> plan = plans_.PlanFor(call->problem);
  if (!plan.ok()) return plan.status();
  call->plan = *std::move(plan);
  if (Status s = core::ValidateOperands(call->problem, call->operands); !s.ok()) return s;
  if (call->time_limit) call->time_limit = std::min(*call->time_limit, kLongestTimeLimit);
  if (call->stats != nullptr) call->launched_ns = device_->clock().NowNs();
  call->launch = {};
  call->launch.executable = call->plan.plan->executable.get();
  call->launch.operands = &call->operands;
  call->launch.progress = call->progress;
  call->launch.timed = call->stats != nullptr;
  if (call->weights != nullptr) {
    const Result<const device::WeightsPayload*> payload =
        call->weights->impl()->PayloadFor(device_);
    if (!payload.ok()) return payload.status();
    call->launch.weights = *payload;
    if (call->stats != nullptr) call->launched_ns = device_->clock().NowNs();
  }
  if (Status s = TrySubmitUntilAccepted(call); !s.ok()) return s;
  if (call->stats != nullptr) call->accepted_ns = device_->clock().NowNs();
  if (!call->fence.done) return {};
  if (call->fence.status.ok()) FillStats(*call);
  return call->fence.status;
}

std::chrono::nanoseconds ProductScheduler::LimitOf(const CallState& call) const {
  return call.time_limit.value_or(kDefaultTimeLimit);
}

Status ProductScheduler::TrySubmitUntilAccepted(CallState* call) {
  const std::span<const device::Launch> chain(&call->launch, 1);
  const std::chrono::nanoseconds limit = LimitOf(*call);
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
    if (device_->queue().WaitForRoom(limit) == device::WaitCode::kTimeout) {
      return TooLate("accepted the call", limit);
    }
  }
}

Status ProductScheduler::Wait(CallState* call) {
  TW_CHECK(call->submitted);
  if (!call->fence.done) {
    const std::chrono::nanoseconds limit = LimitOf(*call);
    if (device_->queue().Wait(&call->fence, limit) == device::WaitCode::kTimeout) {
      return TooLate("finished the call", limit);
    }
    call->fence.done = true;
  }
  if (call->fence.status.ok()) FillStats(*call);
  return call->fence.status;
}

bool ProductScheduler::Done(CallState* call) {
  return call->fence.done || device_->queue().Poll(&call->fence);
}

void ProductScheduler::Release(std::unique_ptr<CallState> call) {
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

void ProductScheduler::SweepQuarantine() {
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

/// Once, when the call is found to have ended.
void ProductScheduler::FillStats(const CallState& call) const {
  if (call.stats == nullptr || call.stats->part_count > 0) return;
  const int64_t ended_ns = device_->clock().NowNs();
  const int64_t pack_ns = call.fence.pack_ns;
  CallStats& stats = *call.stats;
  FillPart(device_, call.plan, reason_, ended_ns - call.launched_ns, &stats);
  stats.phases.pack_us = base::NsToUs(pack_ns);
  stats.phases.launch_us = base::NsToUs(call.accepted_ns - call.launched_ns - pack_ns);
  stats.phases.wait_us = base::NsToUs(ended_ns - call.accepted_ns);
  stats.counts.submissions = 1;
  stats.total_us = base::NsToUs(base::WallNowNs() - call.start_ns);
}

}  // namespace tilewave::runtime
