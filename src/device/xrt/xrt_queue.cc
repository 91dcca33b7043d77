#include "device/xrt/xrt_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/clock.h"

namespace tilewave::device::xrt {
namespace {

/// The driver's own recovery takes 2 to 4 s; what has not ended by then goes with its context.
constexpr std::chrono::seconds kLastWhile{10};

/// Longest wait handed to the driver, so that no sum of times overflows.
constexpr std::chrono::nanoseconds kLongestWait = std::chrono::hours(1);

Status Bug(std::string what) { return {StatusCode::kInternal, std::move(what)}; }

/// For the driver, which counts in milliseconds and takes 0 for no limit.
std::chrono::milliseconds DriverLimit(std::chrono::nanoseconds limit) {
  const auto whole = std::chrono::ceil<std::chrono::milliseconds>(std::min(limit, kLongestWait));
  return std::max(whole, std::chrono::milliseconds(1));
}

Status StatusOf(const Outcome& outcome, size_t runs) {
  if (outcome.state == RunState::kCompleted) return {};
  const bool late = outcome.state == RunState::kTimeout || outcome.state == RunState::kNoResponse;
  return {late ? StatusCode::kDeadlineExceeded : StatusCode::kUnavailable,
          fmt::format("the NPU ended launch {} of {} with '{}'{}{}; its context is built anew",
                      outcome.run + 1, runs, Name(outcome.state),
                      outcome.detail.empty() ? "" : ": ", outcome.detail)};
}

}  // namespace

XrtQueue::~XrtQueue() {
  Lock lock(mutex_);
  for (InFlight& each : in_flight_) static_cast<void>(each.submission->Wait(kLastWhile));
}

SubmitCode XrtQueue::TrySubmit(std::span<const Launch> launches, Fence* fence) {
  Lock lock(mutex_);
  for (size_t i = 0; i < in_flight_.size() && in_flight_.size() >= arch::kMaxInFlight;) {
    if (!PollEntry(&in_flight_[i])) ++i;
  }
  if (in_flight_.size() >= arch::kMaxInFlight) return SubmitCode::kQueueFull;
  InFlight entry;
  const Result<Room> room = Prepare(launches, &entry);
  if (!room.ok()) {
    *fence = Fence::Ended(room.status());
    return SubmitCode::kRejected;
  }
  if (*room == Room::kNo) {
    wants_context_ = true;
    return SubmitCode::kQueueFull;
  }
  entry.error = entry.submission->Start();
  if (!entry.error.ok()) {
    ContextPool::Retire(entry.configuration.get(), entry.context);
    if (launches.size() == 1) {
      *fence = Fence::Ended(entry.error);
      return SubmitCode::kRejected;
    }
  }
  entry.ticket = ++last_ticket_;
  *fence = {};
  fence->ticket = entry.ticket;
  fence->order = entry.context->number();
  in_flight_.push_back(std::move(entry));
  return SubmitCode::kAccepted;
}

bool XrtQueue::Poll(Fence* fence) {
  if (fence->done) return true;
  Lock lock(mutex_);
  InFlight* entry = Find(fence->ticket);
  if (entry != nullptr && !PollEntry(entry)) return false;
  Complete(fence);
  return true;
}

WaitCode XrtQueue::Wait(Fence* fence, std::chrono::nanoseconds limit) {
  if (fence->done) return WaitCode::kDone;
  Lock lock(mutex_);
  const int64_t end_ns = base::WallNowNs() + std::min(limit, kLongestWait).count();
  for (InFlight* entry = Find(fence->ticket); entry != nullptr; entry = Find(fence->ticket)) {
    const std::chrono::nanoseconds left(end_ns - base::WallNowNs());
    InFlight* awaited = Awaited(entry);
    const bool news = awaited->waited ? ended_.wait_for(lock, left) == std::cv_status::no_timeout
                                      : WaitEntry(awaited, left, &lock);
    if (news) continue;
    const InFlight* late = Find(fence->ticket);
    if (late == nullptr) break;  // Ended by another thread at the last moment.
    // Nobody knows whether this context will ever be well again.
    ContextPool::Retire(late->configuration.get(), late->context);
    return WaitCode::kTimeout;
  }
  Complete(fence);
  return WaitCode::kDone;
}

WaitCode XrtQueue::WaitForRoom(std::chrono::nanoseconds limit) {
  Lock lock(mutex_);
  const int64_t end_ns = base::WallNowNs() + std::min(limit, kLongestWait).count();
  while (!HasRoom() && !in_flight_.empty()) {
    const std::chrono::nanoseconds left(end_ns - base::WallNowNs());
    if (InFlight* next = LikelyNextToEnd(); next != nullptr) {
      if (!WaitEntry(next, left, &lock)) return WaitCode::kTimeout;
    } else if (ended_.wait_for(lock, left) == std::cv_status::timeout) {
      return WaitCode::kTimeout;
    }
  }
  wants_context_ = false;
  return WaitCode::kDone;
}

Status XrtQueue::Preload(const std::shared_ptr<Configuration>& configuration) {
  const Lock lock(mutex_);
  return pool_.Acquire(configuration).status();
}

Result<const XrtExecutable*> XrtQueue::Check(std::span<const Launch> launches) const {
  const XrtExecutable* first = nullptr;
  for (const Launch& launch : launches) {
    const auto* executable = dynamic_cast<const XrtExecutable*>(launch.executable);
    if (executable == nullptr || !executable->BelongsTo(device_)) {
      return Bug("a launch without a configuration of this device");
    }
    if (first == nullptr) first = executable;
    if (executable->configuration() != first->configuration()) {
      return Bug("a chain of launches of different configurations; a run list has one context");
    }
    if (Status s = CheckStream(launch); !s.ok()) return s;
    if (launch.arguments.size() > kMaxLaunchArguments) {
      return Bug(fmt::format("a launch with {} buffers; at most {}", launch.arguments.size(),
                             kMaxLaunchArguments));
    }
    for (const BufferRange& range : launch.arguments) {
      const auto* buffer = dynamic_cast<const XrtBuffer*>(range.buffer);
      if (buffer == nullptr || !buffer->BelongsTo(device_)) {
        return Bug("a launch with a buffer of no or another device");
      }
      if (range.offset > buffer->bytes() || range.bytes > buffer->bytes() - range.offset) {
        return Bug(fmt::format("out of bounds: a launch with [{}, +{}) of a buffer of {} bytes",
                               range.offset, range.bytes, buffer->bytes()));
      }
    }
  }
  return first;
}

Result<XrtQueue::Room> XrtQueue::Prepare(std::span<const Launch> launches, InFlight* entry) {
  const Result<const XrtExecutable*> executable = Check(launches);
  if (!executable.ok()) return executable.status();
  entry->configuration = (*executable)->configuration();
  Result<std::shared_ptr<LoadedContext>> context = pool_.Acquire(entry->configuration);
  if (!context.ok()) return context.status();
  if (*context == nullptr) return Room::kNo;
  entry->context = *std::move(context);
  std::array<RunArguments, kMaxChainLaunches> arguments;
  const std::span<RunArguments> used(arguments.data(), launches.size());
  Result<Room> room = GatherArguments(launches, *entry, used);
  if (!room.ok() || *room == Room::kNo) return room;
  Result<std::unique_ptr<Submission>> submission = entry->context->Take(used);
  if (!submission.ok()) {
    ContextPool::Retire(entry->configuration.get(), entry->context);
    return submission.status();
  }
  entry->submission = *std::move(submission);
  return Room::kYes;
}

Result<XrtQueue::Room> XrtQueue::GatherArguments(std::span<const Launch> launches,
                                                 const InFlight& entry,
                                                 std::span<RunArguments> arguments) {
  for (size_t i = 0; i < launches.size(); ++i) {
    const Launch& launch = launches[i];
    const bool again = i > 0 && launch.stream.data() == launches[i - 1].stream.data() &&
                       launch.stream.size() == launches[i - 1].stream.size();
    if (again) {
      arguments[i].instructions = arguments[i - 1].instructions;
    } else {
      Result<std::shared_ptr<Instructions>> found = FindInstructions(launch.stream, entry);
      if (!found.ok() && found.status().code() == StatusCode::kResourceExhausted &&
          !in_flight_.empty()) {
        return Room::kNo;
      }
      if (!found.ok()) return found.status();
      arguments[i].instructions = *std::move(found);
    }
    for (const BufferRange& range : launch.arguments) {
      const Result<XrtBuffer::Argument> argument =
          static_cast<XrtBuffer*>(range.buffer)->ArgumentAt(range.offset, range.bytes);
      if (!argument.ok()) return argument.status();
      arguments[i].buffers[arguments[i].buffer_count++] = *argument;
    }
  }
  return Room::kYes;
}

/// All contexts share one heap: idle ones go until the stream fits.
Result<std::shared_ptr<Instructions>> XrtQueue::FindInstructions(std::span<const uint32_t> stream,
                                                                 const InFlight& entry) {
  for (;;) {
    Result<std::shared_ptr<Instructions>> found =
        entry.context->FindInstructions(stream, entry.configuration->arch);
    if (found.ok() || found.status().code() != StatusCode::kResourceExhausted) return found;
    if (!pool_.EvictIdle(entry.configuration.get())) return found;
  }
}

XrtQueue::InFlight* XrtQueue::Find(uint64_t ticket) {
  const auto found = std::find_if(in_flight_.begin(), in_flight_.end(),
                                  [&](const InFlight& each) { return each.ticket == ticket; });
  return found == in_flight_.end() ? nullptr : &*found;
}

bool XrtQueue::PollEntry(InFlight* entry) {
  if (entry->waited || entry->unknown) return false;
  const uint64_t ticket = entry->ticket;
  return Learn(entry, entry->submission->Poll()) && Find(ticket) == nullptr;
}

bool XrtQueue::WaitEntry(InFlight* entry, std::chrono::nanoseconds limit, Lock* lock) {
  entry->waited = true;
  const uint64_t ticket = entry->ticket;
  Submission* submission = entry->submission.get();
  lock->unlock();
  const Result<Outcome> outcome = submission->Wait(DriverLimit(limit));
  lock->lock();
  entry = Find(ticket);  // Others came and went.
  entry->waited = false;
  ended_.notify_all();  // Another thread may go on waiting.
  return Learn(entry, outcome);
}

XrtQueue::InFlight* XrtQueue::LikelyNextToEnd() {
  InFlight* next = nullptr;
  for (InFlight& each : in_flight_) {
    if (each.waited || each.unknown) continue;
    if (each.context == each.configuration->context) return &each;
    if (next == nullptr) next = &each;
  }
  return next;
}

XrtQueue::InFlight* XrtQueue::Awaited(InFlight* entry) {
  if (!entry->unknown) return entry;
  return &*std::find_if(in_flight_.begin(), in_flight_.end(), [&](const InFlight& each) {
    return each.context == entry->context && !each.unknown;
  });
}

bool XrtQueue::Learn(InFlight* entry, const Result<Outcome>& outcome) {
  if (outcome.ok() && !outcome->ended) return false;
  const LoadedContext* context = entry->context.get();
  if (outcome.ok()) {
    End(entry, *outcome);
  } else {
    entry->unknown = true;
    if (entry->error.ok()) entry->error = outcome.status();
    ContextPool::Retire(entry->configuration.get(), entry->context);
  }
  DropIfUnknown(context);
  return true;
}

void XrtQueue::End(InFlight* entry, const Outcome& outcome) {
  const bool started = entry->error.ok();
  Status status = started ? StatusOf(outcome, entry->submission->size()) : entry->error;
  if (status.ok()) {
    entry->context->GiveBack(std::move(entry->submission));
  } else {
    failed_.emplace(entry->ticket, Failure{std::move(status), started ? outcome.run : 0});
    entry->submission = nullptr;  // Before the context, which may go with it.
    ContextPool::Retire(entry->configuration.get(), entry->context);
  }
  in_flight_.erase(in_flight_.begin() + (entry - in_flight_.data()));
  wants_context_ = false;
  ended_.notify_all();
}

void XrtQueue::DropIfUnknown(const LoadedContext* context) {
  bool any = false;
  for (const InFlight& each : in_flight_) {
    if (each.context.get() != context) continue;
    if (!each.unknown) return;
    any = true;
  }
  if (!any) return;
  std::erase_if(in_flight_, [&](InFlight& each) {
    if (each.context.get() != context) return false;
    failed_.emplace(each.ticket, Failure{each.error, 0});
    each.submission = nullptr;  // Before the context, which goes with the last of them.
    return true;
  });
  wants_context_ = false;
  ended_.notify_all();
}

void XrtQueue::Complete(Fence* fence) {
  fence->done = true;
  const auto failed = failed_.find(fence->ticket);
  if (failed == failed_.end()) return;
  fence->status = std::move(failed->second.status);
  fence->good_launches = failed->second.good_launches;
  failed_.erase(failed);
}

}  // namespace tilewave::device::xrt
