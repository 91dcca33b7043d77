#include "runtime/wave_runner.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "runtime/poison.h"

namespace tilewave::runtime {

using device::HostWork;
using device::SubmitCode;
using device::SyncDirection;
using device::WaitCode;

WaveShape WaveShapeOf(const plan::ArrayPlan& plan) {
  return {plan.mode, plan.batched_syncs, plan.interleave,  plan.launches,
          plan.sets, plan.chain,         /*poison=*/false, plan.configuration};
}

WaveRunner::WaveRunner(device::Device* device, std::unique_ptr<BufferSets> sets)
    : device_(device), sets_(std::move(sets)) {
  const auto count = static_cast<size_t>(sets_->shape().sets);
  launches_.resize(count);
  submissions_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    launches_[i].arguments = sets_->arguments(static_cast<int64_t>(i));
  }
}

Status WaveRunner::Run(const WaveShape& shape, const device::Executable& executable,
                       std::span<const uint32_t> stream, const WaitLimits& limits, TileWork* work,
                       PhaseTimer* timer) {
  TW_CHECK(Idle());
  TW_CHECK_EQ(shape.sets, sets_->shape().sets);
  shape_ = shape;
  shape_.chain = std::clamp(shape.chain, int64_t{1}, shape.sets);
  // Chains do not wrap around the ring; with a set for every launch there is nothing to wrap.
  ring_ = shape_.sets >= shape_.launches ? shape_.sets : shape_.sets / shape_.chain * shape_.chain;
  limits_ = limits;
  work_ = work;
  timer_ = timer;
  waited_ns_ = 0;
  for (device::Launch& launch : launches_) {
    launch.executable = &executable;
    launch.stream = stream;
    launch.stream_configuration = shape_.configuration;
  }
  const bool overlaps = shape_.interleave && shape_.mode != plan::SubmissionMode::kSequential;
  return overlaps ? RunInterleaved() : RunPhased();
}

/// The plain order: wave after wave, each phase for all of a wave. RunInterleaved gives the same
/// result sooner.
Status WaveRunner::RunPhased() {
  const int64_t wave = shape_.mode == plan::SubmissionMode::kSequential ? 1 : ring_;
  for (int64_t first = 0; first < shape_.launches; first += wave) {
    Status s = RunWave(first, std::min(wave, shape_.launches - first));
    if (!s.ok()) return s;
  }
  return {};
}

Status WaveRunner::RunWave(int64_t first, int64_t count) {
  for (int64_t i = first; i < first + count; ++i) Write(i);
  Status s = Sync(SyncDirection::kToDevice, first, count);
  for (int64_t i = first; i < first + count && s.ok(); i += shape_.chain) s = SubmitWaiting(i);
  timer_->End(&PhaseTimes::launch_us);
  for (int64_t i = first; i < first + count && s.ok(); i += shape_.chain) s = Await(i);
  if (s.ok()) s = Sync(SyncDirection::kFromDevice, first, count);
  if (!s.ok()) return s;
  for (int64_t i = first; i < first + count && s.ok(); ++i) s = Read(i);
  return s;
}

/// One ring of sets, each moving on by itself: submitting comes first, as an idle device is what
/// costs most; then reading, which frees sets; then filling them; and waiting if nothing is left.
Status WaveRunner::RunInterleaved() {
  int64_t written = 0;
  int64_t synced = 0;
  int64_t submitted = 0;
  int64_t read = 0;
  while (read < shape_.launches) {
    const bool chain_ready =
        written - submitted >= shape_.chain || (written == shape_.launches && submitted < written);
    if (chain_ready) {
      if (synced < written) {
        if (Status s = Sync(SyncDirection::kToDevice, synced, written - synced); !s.ok()) return s;
        synced = written;
      }
      const SubmitCode code = TrySubmit(submitted);
      timer_->End(&PhaseTimes::launch_us);
      if (code == SubmitCode::kRejected) return SubmissionAt(submitted).fence.status;
      if (code == SubmitCode::kAccepted) {
        submitted += ChainLength(submitted);
        continue;
      }
    }
    if (submitted > read && device_->queue().Poll(&SubmissionAt(read).fence)) {
      if (Status s = ReadEnded(&read, submitted); !s.ok()) return s;
    } else if (written < shape_.launches && written - read < ring_) {
      Write(written++);
    } else if (submitted > read) {
      if (Status s = Await(read); !s.ok()) return s;
    } else if (Status s = SubmitWaiting(submitted); !s.ok()) {
      return s;  // The queue is full of other threads' launches.
    } else {
      submitted += ChainLength(submitted);
    }
  }
  return {};
}

int64_t WaveRunner::ChainLength(int64_t first) const {
  return std::min(shape_.chain, shape_.launches - first);
}

void WaveRunner::Write(int64_t launch) {
  work_->Write(launch, *sets_, SetOf(launch));
  int64_t bytes = 0;
  for (const int64_t each : sets_->shape().input_bytes) bytes += each;
  device_->clock().ChargeHost(HostWork::kWrite, bytes, 1);
  timer_->Count(&PhaseCounts::writes);
  timer_->End(&PhaseTimes::write_us);
}

Status WaveRunner::Read(int64_t launch) {
  const int64_t bytes = sets_->shape().output_bytes;
  const std::byte* output = sets_->output(SetOf(launch));
  if (shape_.poison) {
    if (Status s = CheckWritten(output, static_cast<size_t>(bytes)); !s.ok()) return s;
  }
  work_->Read(launch, output);
  device_->clock().ChargeHost(HostWork::kRead, bytes, 1);
  timer_->Count(&PhaseCounts::reads);
  timer_->End(&PhaseTimes::read_us);
  device_->clock().ChargeHost(HostWork::kAccumulate, bytes, 1);
  timer_->End(&PhaseTimes::accumulate_us);
  return {};
}

Status WaveRunner::Sync(SyncDirection direction, int64_t first, int64_t count) {
  while (count > 0) {
    const int64_t set = SetOf(first);
    const int64_t here = std::min(count, ring_ - set);
    if (shape_.poison && direction == SyncDirection::kToDevice) {
      if (Status s = sets_->Poison(set, here); !s.ok()) return s;
    }
    Status s = direction == SyncDirection::kToDevice
                   ? sets_->SyncIn(set, here, shape_.batched_syncs, timer_)
                   : sets_->SyncOut(set, here, shape_.batched_syncs, timer_);
    if (!s.ok()) return s;
    first += here;
    count -= here;
  }
  return {};
}

SubmitCode WaveRunner::TrySubmit(int64_t first) {
  Submission& submission = SubmissionAt(first);
  const std::span<const device::Launch> chain(launches_.data() + SetOf(first),
                                              static_cast<size_t>(ChainLength(first)));
  const SubmitCode code = device_->queue().TrySubmit(chain, &submission.fence);
  if (code == SubmitCode::kAccepted) {
    submission.pending = true;
    timer_->Count(&PhaseCounts::submissions);
  }
  return code;
}

Status WaveRunner::SubmitWaiting(int64_t first) {
  for (;;) {
    switch (TrySubmit(first)) {
      case SubmitCode::kAccepted:
        return {};
      case SubmitCode::kRejected:
        return SubmissionAt(first).fence.status;
      case SubmitCode::kQueueFull:
        break;
    }
    const int64_t since_ns = device_->clock().NowNs();
    const WaitCode code = device_->queue().WaitForRoom(limits_.Left(waited_ns_));
    if (Status s = Waited(code, since_ns, "accepted a launch"); !s.ok()) return s;
  }
}

Status WaveRunner::Await(int64_t first) {
  Submission& submission = SubmissionAt(first);
  if (!submission.fence.done) {
    const int64_t since_ns = device_->clock().NowNs();
    const WaitCode code = device_->queue().Wait(&submission.fence, limits_.Left(waited_ns_));
    if (Status s = Waited(code, since_ns, "finished a launch"); !s.ok()) return s;
    submission.fence.done = true;
  }
  timer_->End(&PhaseTimes::wait_us);
  if (submission.pending) timer_->AddKernel(submission.fence.kernel_ns);
  submission.pending = false;
  return submission.fence.status;
}

/// Reads the oldest chain, which has ended, and those after it that have.
Status WaveRunner::ReadEnded(int64_t* read, int64_t submitted) {
  int64_t ended = *read;
  while (ended < submitted && device_->queue().Poll(&SubmissionAt(ended).fence)) {
    if (Status s = Await(ended); !s.ok()) return s;
    ended += ChainLength(ended);
  }
  if (Status s = Sync(SyncDirection::kFromDevice, *read, ended - *read); !s.ok()) return s;
  for (; *read < ended; ++*read) {
    if (Status s = Read(*read); !s.ok()) return s;
  }
  return {};
}

Status WaveRunner::Waited(WaitCode code, int64_t since_ns, const char* what) {
  waited_ns_ += device_->clock().NowNs() - since_ns;
  if (code == WaitCode::kDone) return {};
  return TooLate(what, limits_.shortest());
}

bool WaveRunner::Idle() {
  for (Submission& submission : submissions_) {
    if (!submission.pending) continue;
    if (!submission.fence.done && !device_->queue().Poll(&submission.fence)) return false;
    submission.pending = false;
  }
  return true;
}

bool WaveRunner::WaitIdle(std::chrono::nanoseconds limit) {
  for (Submission& submission : submissions_) {
    if (!submission.pending) continue;
    if (!submission.fence.done &&
        device_->queue().Wait(&submission.fence, limit) == WaitCode::kTimeout) {
      return false;
    }
    submission.pending = false;
  }
  return true;
}

}  // namespace tilewave::runtime
