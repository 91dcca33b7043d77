#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "device/device.h"
#include "plan/array_plan.h"
#include "runtime/buffer_sets.h"
#include "runtime/phase_timer.h"
#include "runtime/time_limit.h"
#include "tilewave/status.h"

namespace tilewave::runtime {

/// What the launches of a call mean to the host: fill one's inputs, take one's output. Called from
/// one thread, each launch once, Read in order.
class TileWork {
 public:
  virtual ~TileWork() = default;
  /// Fills all inputs of `sets`' set `set`.
  virtual void Write(int64_t launch, const BufferSets& sets, int64_t set) = 0;
  /// Adds the output to the sums.
  virtual void Read(int64_t launch, const std::byte* output) = 0;
};

/// How a wave runs: the part of a plan that WaveRunner needs.
struct WaveShape {
  plan::SubmissionMode mode = plan::SubmissionMode::kWave;
  bool batched_syncs = true;
  bool interleave = true;
  int64_t launches = 0;
  int64_t sets = 1;
  int64_t chain = 1;
  bool poison = false;         ///< See EngineOptions::poison_outputs.
  uint64_t configuration = 0;  ///< That the stream was made for.
};
WaveShape WaveShapeOf(const plan::ArrayPlan& plan);

/// Runs the launches of one call over buffer sets: fills sets, submits, waits, reads, in the order
/// that the mode says. Holds what a device borrows (launches, fences), so that after a time-out it
/// can be kept until the device lets go. Reusable; used by one thread at a time.
class WaveRunner {
 public:
  WaveRunner(device::Device* device, std::unique_ptr<BufferSets> sets);

  const BufferSets& sets() const { return *sets_; }

  /// What the last Run waited for the device.
  int64_t waited_ns() const { return waited_ns_; }

  /// Runs all launches; returns when the last output has been read, or at the first error:
  /// kDeadlineExceeded, or what a launch or the device said. In flight is then what Idle() tells.
  /// REQUIRES: Idle(); shape.sets as many as there are.
  [[nodiscard]] Status Run(const WaveShape& shape, const device::Executable& executable,
                           std::span<const uint32_t> stream, const WaitLimits& limits,
                           TileWork* work, PhaseTimer* timer);

  /// Whether the device has let go of all memory here; never blocks.
  bool Idle();

  /// Blocks until Idle, at most `limit`; whether it is.
  bool WaitIdle(std::chrono::nanoseconds limit);

 private:
  struct Submission {
    device::Fence fence;
    bool pending = false;
  };

  [[nodiscard]] Status RunPhased();
  [[nodiscard]] Status RunWave(int64_t first, int64_t count);
  [[nodiscard]] Status RunInterleaved();

  int64_t SetOf(int64_t launch) const { return launch % ring_; }
  int64_t ChainLength(int64_t first) const;
  Submission& SubmissionAt(int64_t first) {
    return submissions_[static_cast<size_t>(SetOf(first) / shape_.chain)];
  }
  void Write(int64_t launch);
  [[nodiscard]] Status Read(int64_t launch);
  /// Syncs launches [first, first + count), whose sets may wrap around the ring.
  [[nodiscard]] Status Sync(device::SyncDirection direction, int64_t first, int64_t count);
  device::SubmitCode TrySubmit(int64_t first);
  [[nodiscard]] Status SubmitWaiting(int64_t first);
  [[nodiscard]] Status Await(int64_t first);
  [[nodiscard]] Status ReadEnded(int64_t* read, int64_t submitted);
  [[nodiscard]] Status Waited(device::WaitCode code, int64_t since_ns, const char* what);

  device::Device* device_;
  std::unique_ptr<BufferSets> sets_;
  std::vector<device::Launch> launches_;  ///< One for each set.
  std::vector<Submission> submissions_;   ///< One for each chain that the ring holds.

  // The call that runs.
  WaveShape shape_;
  WaitLimits limits_;
  TileWork* work_ = nullptr;
  PhaseTimer* timer_ = nullptr;
  int64_t ring_ = 1;  ///< Sets in use: a multiple of the chain.
  int64_t waited_ns_ = 0;
};

}  // namespace tilewave::runtime
