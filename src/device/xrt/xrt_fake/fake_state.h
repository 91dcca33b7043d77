#pragma once

// What the fake's objects share: memory, runs, commands in flight, and how they execute.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/aligned_buffer.h"
#include "device/xrt/driver_seam.h"
#include "device/xrt/xrt_fake/fake_faults.h"
#include "device/xrt/xrt_fake/fake_xrt.h"
#include "tilewave/status.h"

namespace tilewave::device::xrt {

/// Whole pages of memory, twice: as the host sees it and as the device does.
class FakeMemory {
 public:
  /// Counts itself in `alive` while it lives, with `weight`.
  FakeMemory(size_t bytes, std::atomic<int64_t>* alive, int64_t weight);
  FakeMemory(const FakeMemory&) = delete;
  FakeMemory& operator=(const FakeMemory&) = delete;
  ~FakeMemory() { *alive_ -= weight_; }

  std::byte* host() { return host_; }
  std::byte* device() { return device_; }
  size_t bytes() const { return bytes_; }

  /// Copies the cache lines in which the range lies.
  void Copy(SyncDirection direction, size_t offset, size_t bytes);

 private:
  size_t bytes_;
  std::atomic<int64_t>* alive_;
  int64_t weight_;
  base::AlignedBuffer storage_;
  std::byte* host_;
  std::byte* device_;
};

/// An address that a run was given: the memory behind it may be gone.
struct FakeAddress {
  std::weak_ptr<FakeMemory> memory;
  size_t offset = 0;
  size_t bytes = 0;
};

struct FakeCommand;

/// What a run object and the device know of a run.
struct FakeRunState {
  RunState state = RunState::kNew;
  FakeAddress instructions;
  uint32_t words = 0;
  std::array<FakeAddress, kMaxLaunchArguments> buffers;
  size_t buffer_count = 0;
  bool in_list = false;
  bool overwritten = false;  ///< The driver has written over the command.
  std::shared_ptr<FakeCommand> command;
};

struct FakeContextState {
  std::shared_ptr<FakeArray> array;
  bool stale = false;                                  ///< Nothing ends well on it any more.
  std::deque<std::shared_ptr<FakeCommand>> in_flight;  ///< In order.
};

/// A submission: one run, or a chain of them.
struct FakeCommand {
  std::shared_ptr<FakeContextState> context;
  std::vector<std::shared_ptr<FakeRunState>> runs;
  FakeFate fate;
  int64_t hangs_until = 0;  ///< So many calls of the seam have been made. 0: for ever.
  Outcome outcome;
  int submissions = 1;  ///< A list longer than a chain is several.
};

struct FakeState {
  FakeState(arch::NpuArch which, FakeLoader load) : arch(which), loader(std::move(load)) {}

  const arch::NpuArch arch;
  const FakeLoader loader;
  std::array<std::atomic<int64_t>, static_cast<size_t>(FakeCall::kCount)> calls = {};
  std::atomic<int64_t> heap_bytes{0};
  std::atomic<int64_t> data_buffers{0};

  std::mutex mutex;  // Guards all below, runs, commands and contexts.
  std::vector<std::shared_ptr<FakeArray>> binaries;
  std::deque<FakeFate> planned;
  FakeFaults faults;
  int refused_contexts = 0;
  int refused_data = 0;
  int refused_submissions = 0;
  int refused_looks = 0;
  int taken_contexts = 0;
  int contexts = 0;
  int most_contexts = 0;
  int most_in_flight = 0;
  int blocked_starts = 0;
  bool held = false;
  const FakeContextState* loaded = nullptr;  ///< Whose array has its state.
  std::vector<std::shared_ptr<FakeContextState>> living;

  /// Begins a call of the seam: counts it, and ends what has hung for long enough. An error is the
  /// call's. REQUIRES: mutex not held.
  [[nodiscard]] Status Enter(FakeCall call);
  int64_t AllCalls() const;

  // REQUIRE: mutex held.

  /// Puts a command in flight.
  [[nodiscard]] Status Submit(const std::shared_ptr<FakeCommand>& command);
  /// Executes what is in front of a command, and it, as far as it goes.
  void Advance(const std::shared_ptr<FakeCommand>& command);
  Outcome Poll(const std::shared_ptr<FakeCommand>& command);
  Outcome Wait(const std::shared_ptr<FakeCommand>& command);
  /// Whether something in flight uses a byte of the range.
  bool InUse(const FakeMemory* memory, size_t offset, size_t bytes) const;
  /// Ends all commands of a context with `state`.
  static void EndAll(FakeContextState* context, RunState state, const char* detail);
  /// The driver's time limit runs out for a command that hangs; what stands before the run at which
  /// it does has run.
  void TimeOut(const std::shared_ptr<FakeCommand>& hanging);

 private:
  /// The driver's recovery: the command ends with `state`, all others of the context are aborted.
  static void Recover(const std::shared_ptr<FakeCommand>& command, size_t run, RunState state);
  void Execute(const std::shared_ptr<FakeCommand>& command);
  static Status ExecuteRun(const FakeRunState& run, FakeArray* array);
  /// Sets how a command goes that is about to be put in flight. An error: the device is lost.
  [[nodiscard]] Status SetFate(FakeCommand* command);
  void EndHangs();
  /// All in flight is aborted: a lost device writes nothing.
  void AbortAll();
  static void Fail(const std::shared_ptr<FakeCommand>& command, size_t run, RunState state,
                   std::string detail);
};

}  // namespace tilewave::device::xrt
