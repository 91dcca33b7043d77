#include "runtime/wave_scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/checked_math.h"
#include "base/clock.h"
#include "base/out_of_memory.h"
#include "core/validate.h"
#include "runtime/call_stats.h"
#include "runtime/device_status.h"
#include "runtime/tensor_binding.h"
#include "runtime/time_limit.h"

namespace tilewave::runtime {
namespace {

/// Without a limit of the caller's, a wait may take so many times what the whole call should: a
/// device shared with other calls is slow, and one that hangs has been given up long before.
constexpr double kPredictionMargin = 10;

constexpr std::string_view kHostReason = "the device failed, so the host took over";

/// Whether another try, or another device, may do better.
bool IsTrouble(const Status& status) {
  switch (status.code()) {
    case StatusCode::kUnavailable:
    case StatusCode::kResourceExhausted:
    case StatusCode::kDeadlineExceeded:
    case StatusCode::kDataLoss:
      return true;
    default:
      return false;
  }
}

bool IsWhole(const ArrayCall& call) {
  return call.attempt.plan.plan->plan.array.spec.family == program::DesignFamily::kWholeArray;
}

bool IsOutOfTime(const ArrayCall& call) {
  return call.time_limit && call.waited_ns >= call.time_limit->count();
}

}  // namespace

WaveScheduler::WaveScheduler(PlanTarget target, const WaveOptions& options, std::string_view reason,
                             ProductScheduler* fallback)
    : device_(target.device),
      options_(options),
      reason_(reason),
      fallback_(fallback),
      plans_(std::move(target)),
      pool_(device_),
      tiles_(device_, &pool_, options.poison_outputs),
      whole_(device_, &pool_, options.poison_outputs) {}

Status WaveScheduler::Run(ArrayCall* call) {
  if (Status s = Begin(call, nullptr); !s.ok()) {
    End(call, s);
    return s;
  }
  return Wait(call);
}

Status WaveScheduler::SubmitAll(std::span<const std::shared_ptr<ArrayCall>> calls, size_t* index) {
  CallGroup group(calls);
  Status status;
  for (*index = 0; *index < calls.size(); ++*index) {
    const std::shared_ptr<ArrayCall>& call = calls[*index];
    // Nothing may leave this before the calls that have begun are waited for.
    status = base::WithoutExceptions<Status>([&]() -> Status {
      MakeRoom(&group);
      if (Status s = Begin(call.get(), &group); !s.ok()) return s;
      if (call->tensors.c != nullptr) call->tensors.c->MadeBy(call);
      return {};
    });
    if (!status.ok()) break;
    group.Begun();
  }
  Flush(&group);
  if (status.ok()) return {};
  End(calls[*index].get(), status);
  for (size_t i = 0; i < *index; ++i) {
    static_cast<void>(base::WithoutExceptions<Status>([&] { return Wait(calls[i].get()); }));
  }
  return status;
}

void WaveScheduler::MakeRoom(CallGroup* group) {
  for (;;) {
    std::shared_ptr<ArrayCall> oldest;
    {
      const std::lock_guard<std::mutex> lock(pending_mutex_);
      if (pending_.size() + group->unknown() < options_.pending_calls) return;
      std::erase_if(pending_, [](const auto& each) { return each->ended.load(); });
      if (pending_.size() + group->unknown() < options_.pending_calls) return;
    }
    Flush(group);
    {
      const std::lock_guard<std::mutex> lock(pending_mutex_);
      if (pending_.empty()) return;
      oldest = std::move(pending_.front());
      pending_.pop_front();
    }
    static_cast<void>(Wait(oldest.get()));
  }
}

Status WaveScheduler::Begin(ArrayCall* call, CallGroup* group) {
  if (call->stats != nullptr && call->start_ns == 0) {
    call->start_ns = base::WallNowNs();
    call->launched_ns = device_->clock().NowNs();
  }
  if (call->time_limit) call->time_limit = std::min(*call->time_limit, kLongestTimeLimit);
  call->timer = PhaseTimer(&device_->clock(), call->stats);
  Status s = Prepare(call, group);
  if (s.ok()) {
    s = OfDevice(IsWhole(*call) ? whole_.Fill(call, group == nullptr)
                                : tiles_.Run(call, LimitsOf(*call)));
  }
  if (!s.ok() && !IsTrouble(s)) return s;
  call->attempt.status = s;
  if (!s.ok()) return {};
  if (!IsWhole(*call)) {
    FillStats(*call);
    if (call->stats != nullptr) call->ended_ns = base::WallNowNs();
    return {};
  }
  if (group == nullptr) {
    ArrayCall* const alone[] = {call};
    Launch(alone);
    return {};
  }
  const auto belongs_to = [call](const ArrayCall& first) {
    return first.attempt.plan.plan->executable == call->attempt.plan.plan->executable &&
           first.time_limit == call->time_limit;
  };
  const bool fits = group->empty() || (!group->full() && belongs_to(*group->to_launch().front()));
  if (!fits) Flush(group);
  group->Add(call);
  return {};
}

void WaveScheduler::Flush(CallGroup* group) {
  if (group == nullptr) return;
  if (!group->empty()) {
    Launch(group->to_launch());
    group->Clear();
  }
  // One that there is no memory for is not waited for by others, but by its handle.
  static_cast<void>(base::WithoutExceptions<Status>([&]() -> Status {
    const std::lock_guard<std::mutex> lock(pending_mutex_);
    while (group->unknown() > 0) pending_.push_back(group->TakeUnknown());
    return {};
  }));
}

void WaveScheduler::Launch(std::span<ArrayCall* const> calls) {
  const Status s = OfDevice(base::WithoutExceptions<Status>(
      [&] { return whole_.Launch(calls, LimitsOf(*calls.front())); }));
  for (ArrayCall* call : calls) call->attempt.status = s;
}

/// The plan of an attempt, and its operands where they are.
Status WaveScheduler::Prepare(ArrayCall* call, CallGroup* group) {
  ArrayCall::Attempt& attempt = call->attempt;
  attempt.problem = call->problem;
  attempt.operands = call->operands;
  if (Status s = BindTensors(call, group); !s.ok()) return s;
  if (Status s = PlanWithA(call, group); !s.ok()) return s;
  if (Status s = MakeResult(call); !s.ok()) return s;
  return core::ValidateOperands(attempt.problem, attempt.operands);
}

Status WaveScheduler::BindTensors(ArrayCall* call, CallGroup* group) {
  const CallTensors& tensors = call->tensors;
  ArrayCall::Attempt& attempt = call->attempt;
  if (Status s = CheckDomain(tensors, device_->payload_domain()); !s.ok()) return s;
  if (tensors.b.empty()) return {};
  const Result<std::shared_ptr<TensorHome>> b = HomeOnHost(tensors.b, call, group);
  if (!b.ok()) return b.status();
  BindB(tensors.b, b->get(), &attempt.problem, &attempt.operands);
  return {};
}

/// An A in device memory is part of the plan, and the plan says whether it can stay there, and so
/// whether the call that makes it has to be waited for.
Status WaveScheduler::PlanWithA(ArrayCall* call, CallGroup* group) {
  const DeviceTensor& a = call->tensors.a;
  ArrayCall::Attempt& attempt = call->attempt;
  for (;;) {
    if (!a.empty()) {
      attempt.a = a.impl()->home();
      if (attempt.a == nullptr) {
        // The device failed the call that makes it before there was a place for it.
        if (Status s = Settle(a, group); !s.ok()) return s;
        attempt.a = a.impl()->home();
      }
      BindA(a, attempt.a.get(), &attempt.problem, &attempt.operands);
    }
    Result<PlanCache::Found> plan = plans_.PlanFor(attempt.problem);
    if (!plan.ok()) return plan.status();
    attempt.plan = *std::move(plan);
    if (a.empty()) return {};
    const bool stays = attempt.plan.plan->plan.array.resident_a;
    attempt.follows = stays && MayFollow(a, *call);
    if (attempt.follows) return {};
    if (Status s = Settle(a, group); !s.ok()) return s;
    if (a.impl()->home() != attempt.a) continue;  // It was computed again.
    return stays ? Status() : OfDevice(Show(attempt.a.get(), call));
  }
}

Status WaveScheduler::MakeResult(ArrayCall* call) {
  if (call->tensors.c == nullptr) return {};
  ArrayCall::Attempt& attempt = call->attempt;
  DeviceTensor::Impl& c = *call->tensors.c;
  const plan::ArrayPlan& plan = attempt.plan.plan->plan.array;
  if (plan.device_c) {
    const int64_t element = program::OutputBytes(plan.spec.output);
    const int64_t image = plan.images.c_bytes * plan.images.c_matrices;
    Result<std::shared_ptr<TensorHome>> home = MakeDeviceHome(
        device_, image, {plan.images.n_padded, 1, plan.images.c_bytes / element}, element);
    if (!home.ok()) return OfDevice(home.status());
    attempt.c = *std::move(home);
  } else {
    attempt.c = std::make_shared<TensorHome>(c.shape().bytes(), c.shape().Dense());
  }
  c.Move(attempt.c);
  attempt.operands.c = attempt.c->host();
  return {};
}

bool WaveScheduler::MayFollow(const DeviceTensor& tensor, const ArrayCall& call) const {
  // Looking for poison takes the elements to the host before anything else reads them.
  if (options_.poison_outputs) return false;
  const std::shared_ptr<ArrayCall> producer = tensor.impl()->producer();
  if (producer == nullptr) return false;
  const std::lock_guard<std::mutex> lock(producer->mutex);
  // Launches of one executable run in order, as long as nothing fails: Finish looks.
  return !producer->ended && producer->attempt.status.ok() &&
         producer->attempt.plan.plan != nullptr &&
         producer->attempt.plan.plan->executable == call.attempt.plan.plan->executable;
}

Status WaveScheduler::Settle(const DeviceTensor& tensor, CallGroup* group) {
  if (const std::shared_ptr<ArrayCall> producer = tensor.impl()->producer(); producer != nullptr) {
    Flush(group);
    static_cast<void>(Wait(producer.get()));
  }
  const Status status = tensor.impl()->status();
  if (status.ok()) return {};
  return {StatusCode::kFailedPrecondition,
          fmt::format("an operand is the result of a call that failed: {}", status.message())};
}

Result<std::shared_ptr<TensorHome>> WaveScheduler::HomeOnHost(const DeviceTensor& tensor,
                                                              ArrayCall* call, CallGroup* group) {
  if (Status s = Settle(tensor, group); !s.ok()) return s;
  std::shared_ptr<TensorHome> home = tensor.impl()->home();
  if (Status s = OfDevice(Show(home.get(), call)); !s.ok()) return s;
  return home;
}

Status WaveScheduler::Show(TensorHome* home, ArrayCall* call) const {
  const int64_t since_ns = device_->clock().NowNs();
  Status s = home->ShowHost(&device_->queue(), LimitsOf(*call).Left(call->waited_ns));
  call->waited_ns += device_->clock().NowNs() - since_ns;
  return s;
}

WaitLimits WaveScheduler::LimitsOf(const ArrayCall& call) const {
  if (call.time_limit) return {*call.time_limit, *call.time_limit};
  const PlanCache::Found& plan = call.attempt.plan;
  const double predicted_us = plan.plan == nullptr ? 0 : plan.plan->plan.cost.total_us;
  const double generous_ns = std::min(predicted_us * kPredictionMargin * 1e3,
                                      static_cast<double>(kLongestTimeLimit.count()));
  return {kDefaultTimeLimit + std::chrono::nanoseconds(std::llround(generous_ns)),
          std::chrono::nanoseconds::max()};
}

bool WaveScheduler::Done(ArrayCall* call) {
  const std::unique_lock<std::mutex> lock(call->mutex, std::try_to_lock);
  if (!lock.owns_lock()) return false;
  return call->ended || !call->attempt.status.ok() || whole_.Done(*call);
}

Status WaveScheduler::Wait(ArrayCall* call) {
  const std::lock_guard<std::mutex> lock(call->mutex);
  if (call->ended) return call->result;
  Status s = Collect(call);
  if (IsTrouble(s)) s = Recover(call, std::move(s));
  End(call, s);
  return s;
}

/// What has become of the attempt: waits for a launch and writes C.
Status WaveScheduler::Collect(ArrayCall* call) {
  ArrayCall::Attempt& attempt = call->attempt;
  if (!attempt.status.ok()) return attempt.status;
  if (attempt.a != nullptr) {
    // The launch may have been submitted before A was there.
    if (Status s = Settle(call->tensors.a, nullptr); !s.ok()) return s;
    if (call->tensors.a.impl()->home() != attempt.a) {
      return {StatusCode::kUnavailable, "A was computed again after the launch that reads it"};
    }
  }
  if (!IsWhole(*call)) return {};
  if (Status s = OfDevice(whole_.Finish(call, LimitsOf(*call))); !s.ok()) return s;
  FillStats(*call);
  return {};
}

Status WaveScheduler::Recover(ArrayCall* call, Status failure) {
  call->failure = failure;
  while (IsTrouble(failure)) {
    ++call->failed_attempts;
    // Memory that a launch may still write goes into quarantine with this.
    call->attempt = ArrayCall::Attempt();
    call->attempt.status = failure;  // Should memory run out before there is another one.
    if (IsOutOfTime(*call)) return failure;
    if (call->progress != nullptr) call->progress->store(0, std::memory_order_relaxed);
    if (call->failed_attempts > options_.retries) break;
    failure = Begin(call, nullptr);
    if (failure.ok()) failure = Collect(call);
  }
  if (!IsTrouble(failure)) return failure;
  if (fallback_ != nullptr) {
    if (Status s = RunOnHost(call); !IsTrouble(s)) return s;
  }
  if (call->failed_attempts == 1) return call->failure;
  return {call->failure.code(),
          fmt::format("{}; it failed {} times", call->failure.message(), call->failed_attempts)};
}

/// The host's answer goes to the caller's memory, or to a tensor in host memory: what the device
/// may still write to is another place.
Status WaveScheduler::RunOnHost(ArrayCall* call) {
  CallState host;
  host.problem = call->problem;
  host.problem.c_on_device = false;
  host.operands = call->operands;
  const CallTensors& tensors = call->tensors;
  // The tensors, which have ended, keep these.
  if (!tensors.a.empty()) {
    const Result<std::shared_ptr<TensorHome>> a = HomeOnHost(tensors.a, call, nullptr);
    if (!a.ok()) return a.status();
    BindA(tensors.a, a->get(), &host.problem, &host.operands);
    host.problem.a_device_bytes = 0;
  }
  if (!tensors.b.empty()) {
    const Result<std::shared_ptr<TensorHome>> b = HomeOnHost(tensors.b, call, nullptr);
    if (!b.ok()) return b.status();
    BindB(tensors.b, b->get(), &host.problem, &host.operands);
  }
  if (tensors.c != nullptr) {
    auto c = std::make_shared<TensorHome>(tensors.c->shape().bytes(), tensors.c->shape().Dense());
    host.operands.c = c->host();
    tensors.c->Move(std::move(c));
  }
  if (!call->weights.empty()) host.weights = &call->weights;
  host.progress = call->progress;
  CallStats stats;
  if (call->stats != nullptr) host.stats = &stats;
  if (Status s = fallback_->Submit(&host); !s.ok()) return s;
  Status s = fallback_->Wait(&host);
  if (s.ok() && call->stats != nullptr) {
    call->stats->part_count = 1;
    call->stats->parts[0] = stats.parts[0];
    call->stats->parts[0].reason = kHostReason;
    call->stats->phases.launch_us += stats.phases.launch_us;
    call->stats->phases.pack_us += stats.phases.pack_us;
    call->stats->macs = stats.macs;
  }
  return s;
}

void WaveScheduler::Abandon(ArrayCall* call) {
  const std::lock_guard<std::mutex> lock(call->mutex);
  if (!call->ended) End(call, base::OutOfMemoryStatus());
}

void WaveScheduler::End(ArrayCall* call, const Status& result) {
  call->result = result;
  if (call->stats != nullptr && result.ok()) {
    call->stats->failed_attempts = call->failed_attempts;
    call->stats->failure = call->failure;
    call->stats->total_us =
        base::NsToUs((call->ended_ns > 0 ? call->ended_ns : base::WallNowNs()) - call->start_ns);
  }
  call->attempt = ArrayCall::Attempt();
  call->weights = Weights();
  const CallTensors tensors = std::exchange(call->tensors, CallTensors());
  if (tensors.c != nullptr) tensors.c->End(result);
  call->ended = true;
}

void WaveScheduler::FillStats(const ArrayCall& call) const {
  if (call.stats == nullptr) return;
  FillPart(device_, call.attempt.plan, reason_, device_->clock().NowNs() - call.launched_ns,
           call.stats);
}

}  // namespace tilewave::runtime
