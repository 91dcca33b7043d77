#include "device/faulty_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace tilewave::device {
namespace {

/// Submissions that may be held up behind a late one: a real NPU has no more in flight.
constexpr size_t kMaxHeld = 4;

/// A late submission is found running by so many looks, drawn.
constexpr int64_t kMostLooks = 3;

/// No wait is longer, so that no sum of times overflows.
constexpr std::chrono::nanoseconds kLongestWait = std::chrono::hours(1);

Status Lost() { return {StatusCode::kUnavailable, "the device is lost"}; }

/// How a call that does not get past the wrapper ends.
Status StatusOf(Fault fault) {
  switch (fault) {
    case Fault::kAllocation:
      return {StatusCode::kResourceExhausted, "no memory on the device"};
    case Fault::kLoad:
      return {StatusCode::kUnavailable, "a hardware context was refused"};
    case Fault::kSubmission:
      return {StatusCode::kUnavailable, "the submission was refused"};
    case Fault::kStale:
      return {StatusCode::kUnavailable, "the context is stale"};
    case Fault::kSync:
      return {StatusCode::kOutOfRange, "sync out of range"};
    case Fault::kLost:
      return Lost();
    case Fault::kTimeout:
    case Fault::kAbort:
    case Fault::kError:
    case Fault::kLate:
    case Fault::kLie:
    case Fault::kCount:
      break;
  }
  return {};
}

/// How a chain ends of which `good` launches ran.
Status StatusOfChain(Fault fault, size_t good, size_t launches) {
  const std::string which = fmt::format("launch {} of {}", good + 1, launches);
  switch (fault) {
    case Fault::kTimeout:
      return {StatusCode::kDeadlineExceeded, which + " made no progress"};
    case Fault::kAbort:
      return {StatusCode::kUnavailable, which + " was aborted"};
    default:
      return {StatusCode::kUnavailable, which + " ended with an error"};
  }
}

/// The fault of a call that either fails as a whole or is what it would be without the wrapper.
Status Refusal(FaultInjector* injector, DeviceCall call) {
  const std::optional<DrawnFault> drawn = injector->Draw(call);
  return drawn ? StatusOf(drawn->fault) : Status();
}

class FaultyBuffer final : public Buffer {
 public:
  FaultyBuffer(std::unique_ptr<Buffer> inner, FaultInjector* injector)
      : inner_(std::move(inner)), injector_(injector) {}

  size_t bytes() const override { return inner_->bytes(); }
  std::byte* host() override { return inner_->host(); }
  Buffer* inner() { return inner_.get(); }

  Status Sync(SyncDirection direction, size_t offset, size_t bytes) override {
    if (Status s = Refusal(injector_, DeviceCall::kSync); !s.ok()) return s;
    return inner_->Sync(direction, offset, bytes);
  }

  Result<std::unique_ptr<Buffer>> Slice(size_t offset, size_t bytes) override {
    if (Status s = Refusal(injector_, DeviceCall::kAllocate); !s.ok()) return s;
    Result<std::unique_ptr<Buffer>> slice = inner_->Slice(offset, bytes);
    if (!slice.ok()) return slice;
    return std::unique_ptr<Buffer>(std::make_unique<FaultyBuffer>(*std::move(slice), injector_));
  }

 private:
  std::unique_ptr<Buffer> inner_;
  FaultInjector* injector_;
};

/// Launches as the inner device knows them, with the memory behind their arguments: that device
/// may read both until its fence is done.
class InnerChain {
 public:
  explicit InnerChain(std::span<const Launch> launches)
      : launches_(launches.begin(), launches.end()) {
    for (Launch& launch : launches_) {
      std::vector<BufferRange>& ranges =
          arguments_.emplace_back(launch.arguments.begin(), launch.arguments.end());
      for (BufferRange& range : ranges) {
        auto* buffer = dynamic_cast<FaultyBuffer*>(range.buffer);
        range.buffer = buffer == nullptr ? nullptr : buffer->inner();
      }
      launch.arguments = ranges;
    }
  }

  std::span<const Launch> launches() const { return launches_; }
  bool empty() const { return launches_.empty(); }

 private:
  std::vector<Launch> launches_;
  std::vector<std::vector<BufferRange>> arguments_;  ///< Grows, but its vectors' memory stays.
};

/// One accepted submission, until its fence is done.
struct Submission {
  explicit Submission(std::span<const Launch> runs) : chain(runs) {}

  InnerChain chain;          ///< What of it really runs, perhaps nothing.
  Status end;                ///< If what runs ends well.
  size_t good_launches = 0;  ///< With that end, if it is an error.
  Fence inner;               ///< Of what was handed to the inner device.
  uint64_t ticket = 0;
  uint64_t lane = 0;       ///< Those of one lane keep their order.
  int64_t looks_left = 0;  ///< That find it running before it runs.
  int64_t losses = 0;      ///< Of the device, before this.
  bool held = false;       ///< Not yet handed to the inner device.
  bool waited = false;     ///< A thread is in the inner queue's Wait, which writes to `inner`.
};

class FaultyQueue final : public Queue {
 public:
  FaultyQueue(Device* inner, FaultInjector* injector)
      : inner_(&inner->queue()), clock_(&inner->clock()), injector_(injector) {}

  SubmitCode TrySubmit(std::span<const Launch> launches, Fence* fence) override {
    const std::optional<DrawnFault> drawn = injector_->Draw(DeviceCall::kSubmit);
    if (drawn) {
      if (Status s = StatusOf(drawn->fault); !s.ok()) {
        *fence = Fence::Ended(std::move(s));
        return SubmitCode::kRejected;
      }
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    const SubmitCode code = Accept(Prepare(launches, drawn), fence);
    if (drawn && code != SubmitCode::kAccepted) injector_->PutBack(*drawn);
    return code;
  }

  /// A late submission has not ended, whatever the inner device does.
  bool done_when_submitted() const override { return false; }

  bool Poll(Fence* fence) override {
    if (fence->done) return true;
    const std::lock_guard<std::mutex> lock(mutex_);
    Submission* submission = Find(fence->ticket);
    if (IsLateAtLook(*submission)) return false;
    HandOver();
    if (submission->held) return false;
    while (Submission* awaited = Awaited(submission)) {
      if (awaited->waited || !inner_->Poll(&awaited->inner)) return false;
    }
    Complete(submission, fence);
    return true;
  }

  WaitCode Wait(Fence* fence, std::chrono::nanoseconds limit) override {
    if (fence->done) return WaitCode::kDone;
    Lock lock(mutex_);
    Submission* submission = Find(fence->ticket);
    const int64_t end_ns = EndNs(limit);
    bool in_vain = IsLateAtLook(*submission);
    while (!in_vain) {
      HandOver();
      Submission* awaited = submission->held ? nullptr : Awaited(submission);
      if (awaited == nullptr && !submission->held) {
        Complete(submission, fence);
        return WaitCode::kDone;
      }
      in_vain = awaited == nullptr ? !WaitForInnerRoom(end_ns, &lock)
                                   : !WaitForEnd(awaited, end_ns, &lock);
    }
    // What comes now does not stand behind this one any more.
    if (submission->lane == lane_) ++lane_;
    return WaitCode::kTimeout;
  }

  WaitCode WaitForRoom(std::chrono::nanoseconds limit) override {
    {
      // Whoever waits lets time pass, also for what is late.
      const std::lock_guard<std::mutex> lock(mutex_);
      for (const auto& each : submissions_) each->looks_left = 0;
      HandOver();
    }
    return inner_->WaitForRoom(limit);
  }

 private:
  using Lock = std::unique_lock<std::mutex>;

  // All REQUIRE: mutex held.

  std::unique_ptr<Submission> Prepare(std::span<const Launch> launches,
                                      const std::optional<DrawnFault>& drawn) {
    const auto plain = [&] { return std::make_unique<Submission>(launches); };
    if (!drawn) return plain();
    if (drawn->fault == Fault::kLate) {
      std::unique_ptr<Submission> late = plain();
      late->looks_left = injector_->Between(1, kMostLooks);
      return late;
    }
    if (drawn->fault == Fault::kLie) return std::make_unique<Submission>(launches.first(0));
    const auto good =
        static_cast<size_t>(injector_->Between(0, static_cast<int64_t>(launches.size()) - 1));
    auto bad = std::make_unique<Submission>(launches.first(good));
    bad->end = StatusOfChain(drawn->fault, good, launches.size());
    bad->good_launches = good;
    return bad;
  }

  SubmitCode Accept(std::unique_ptr<Submission> submission, Fence* fence) {
    HandOver();
    const auto held = [](const auto& each) { return each->held; };
    const bool behind =
        std::any_of(submissions_.begin(), submissions_.end(),
                    [this](const auto& each) { return each->held && each->lane == lane_; });
    submission->lane = lane_;
    submission->losses = injector_->losses();
    submission->held = behind || submission->looks_left > 0;
    if (submission->held) {
      const auto count = std::count_if(submissions_.begin(), submissions_.end(), held);
      if (static_cast<size_t>(count) >= kMaxHeld) return SubmitCode::kQueueFull;
    } else {
      const SubmitCode code = HandOverOne(submission.get());
      if (code == SubmitCode::kRejected) *fence = submission->inner;
      if (code != SubmitCode::kAccepted) return code;
    }
    submission->ticket = ++last_ticket_;
    *fence = {};
    fence->ticket = submission->ticket;
    submissions_.push_back(std::move(submission));
    return SubmitCode::kAccepted;
  }

  SubmitCode HandOverOne(Submission* submission) {
    if (submission->chain.empty()) {
      submission->inner = Fence::Ended({});
      return SubmitCode::kAccepted;
    }
    return inner_->TrySubmit(submission->chain.launches(), &submission->inner);
  }

  /// Hands what is held up, and need not be any longer, to the inner device, as far as that has
  /// room. On a lost device it ends instead.
  void HandOver() {
    const int64_t losses = injector_->losses();
    std::optional<uint64_t> late_lane;
    for (const auto& each : submissions_) {
      if (!each->held) continue;
      if (each->losses != losses) {
        each->inner = Fence::Ended({});
      } else if (each->looks_left > 0 || each->lane == late_lane) {
        late_lane = each->lane;
        continue;
      } else if (HandOverOne(each.get()) == SubmitCode::kQueueFull) {
        return;
      }
      each->held = false;
    }
  }

  Submission* Find(uint64_t ticket) {
    return std::find_if(submissions_.begin(), submissions_.end(),
                        [&](const auto& each) { return each->ticket == ticket; })
        ->get();
  }

  /// Whether this look at the submission finds it late, or what it stands behind; one look less
  /// does so afterwards.
  bool IsLateAtLook(const Submission& submission) {
    if (submission.losses != injector_->losses()) return false;
    for (const auto& each : submissions_) {
      if (each->lane == submission.lane && each->held && each->looks_left > 0) {
        --each->looks_left;
        return true;
      }
      if (each->ticket == submission.ticket) break;
    }
    return false;
  }

  /// What has to end next in the inner device before the submission has: itself, or, if nothing of
  /// it runs, what stands before it. Null: nothing.
  Submission* Awaited(Submission* submission) {
    const auto ended = [](const Submission& each) { return !each.waited && each.inner.done; };
    if (!submission->chain.empty()) return ended(*submission) ? nullptr : submission;
    for (const auto& each : submissions_) {
      if (each.get() == submission) break;
      if (each->lane == submission->lane && !ended(*each)) return each.get();
    }
    return nullptr;
  }

  int64_t EndNs(std::chrono::nanoseconds limit) {
    return clock_->NowNs() + std::min(limit, kLongestWait).count();
  }

  std::chrono::nanoseconds Left(int64_t end_ns) {
    return std::chrono::nanoseconds(std::max<int64_t>(end_ns - clock_->NowNs(), 0));
  }

  /// Whether there was room in time. Lets go of the lock.
  bool WaitForInnerRoom(int64_t end_ns, Lock* lock) {
    lock->unlock();
    const WaitCode code = inner_->WaitForRoom(Left(end_ns));
    lock->lock();
    return code == WaitCode::kDone;
  }

  /// Whether it has ended, or another thread has waited for it, in time. Lets go of the lock.
  bool WaitForEnd(Submission* submission, int64_t end_ns, Lock* lock) {
    if (submission->waited) {
      return waited_.wait_for(*lock, Left(end_ns)) == std::cv_status::no_timeout;
    }
    submission->waited = true;
    lock->unlock();
    const WaitCode code = inner_->Wait(&submission->inner, Left(end_ns));
    lock->lock();
    submission->waited = false;
    waited_.notify_all();
    return code == WaitCode::kDone;
  }

  void Complete(Submission* submission, Fence* fence) {
    const bool lost = submission->losses != injector_->losses();
    const uint64_t ticket = submission->ticket;
    *fence = std::move(submission->inner);
    fence->ticket = ticket;
    // What is late keeps no place before those of other lanes, whatever the inner device does.
    fence->order += submission->lane << 40U;
    if (lost) {
      fence->status = Lost();
      fence->good_launches = 0;
    } else if (fence->status.ok() && !submission->end.ok()) {
      fence->status = submission->end;
      fence->good_launches = submission->good_launches;
    }
    std::erase_if(submissions_, [&](const auto& each) { return each->ticket == ticket; });
  }

  Queue* inner_;
  Clock* clock_;
  FaultInjector* injector_;
  std::mutex mutex_;  // Guards all below.
  std::condition_variable waited_;
  std::vector<std::unique_ptr<Submission>> submissions_;  ///< In order.
  uint64_t last_ticket_ = 0;
  uint64_t lane_ = 0;  ///< Of what is submitted now.
};

class FaultyDevice final : public Device {
 public:
  FaultyDevice(std::unique_ptr<Device> inner, std::shared_ptr<FaultInjector> injector)
      : injector_(std::move(injector)),
        queue_(inner.get(), injector_.get()),
        inner_(std::move(inner)) {}

  uint64_t payload_domain() const override { return payload_domain_; }
  const DeviceInfo& info() const override { return inner_->info(); }
  Clock& clock() override { return inner_->clock(); }
  Queue& queue() override { return queue_; }

  Result<std::unique_ptr<Buffer>> Allocate(size_t bytes) override {
    if (Status s = Refusal(injector_.get(), DeviceCall::kAllocate); !s.ok()) return s;
    Result<std::unique_ptr<Buffer>> buffer = inner_->Allocate(bytes);
    if (!buffer.ok()) return buffer;
    return std::unique_ptr<Buffer>(
        std::make_unique<FaultyBuffer>(*std::move(buffer), injector_.get()));
  }

  Result<std::unique_ptr<Executable>> Load(const core::Problem& problem) override {
    if (Status s = Refusal(injector_.get(), DeviceCall::kLoad); !s.ok()) return s;
    return inner_->Load(problem);
  }

  Result<std::unique_ptr<Executable>> LoadImage(const ArrayImage& image) override {
    if (Status s = Refusal(injector_.get(), DeviceCall::kLoad); !s.ok()) return s;
    return inner_->LoadImage(image);
  }

  std::string_view WeightsLayout(const core::Problem& problem) const override {
    return inner_->WeightsLayout(problem);
  }

  Result<std::unique_ptr<WeightsPayload>> PackWeights(const core::Problem& problem,
                                                      const core::Operands& operands) override {
    return inner_->PackWeights(problem, operands);
  }

 private:
  // Of its own, so that what this device is given was packed through it.
  const uint64_t payload_domain_ = NewPayloadDomain();
  std::shared_ptr<FaultInjector> injector_;
  FaultyQueue queue_;  ///< Goes after the inner device, which may still read what it holds.
  std::unique_ptr<Device> inner_;
};

}  // namespace

std::unique_ptr<Device> MakeFaultyDevice(std::unique_ptr<Device> inner,
                                         std::shared_ptr<FaultInjector> injector) {
  return std::make_unique<FaultyDevice>(std::move(inner), std::move(injector));
}

}  // namespace tilewave::device
