#pragma once

// XRT and amdxdna as documented, behind the seam, with no device: limits, states, memory that only
// syncs make equal, failures on demand or at random. What the array computes is injected. Nothing
// happens by itself: a submission executes when somebody polls or waits for it, so that whatever is
// used again or freed too early shows.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "device/xrt/driver_seam.h"
#include "tilewave/status.h"

namespace tilewave::device::xrt {

/// The array with one binary loaded.
class FakeArray {
 public:
  virtual ~FakeArray() = default;
  /// Executes a launch on buffers in device memory.
  [[nodiscard]] virtual Status Run(std::span<const uint32_t> stream,
                                   std::span<const std::span<std::byte>> buffers) = 0;
  /// As after loading.
  virtual void Reset() = 0;
};

/// Makes the array of a binary, or says what is wrong with the binary.
using FakeLoader =
    std::function<Result<std::unique_ptr<FakeArray>>(std::span<const std::byte> binary)>;

/// How a submission goes wrong.
enum class FakeFault : uint8_t {
  kNone,
  kError,       ///< The firmware reports an error.
  kAbort,       ///< It was aborted.
  kTimeout,     ///< No progress: the driver restarts the context, what else is on it is aborted.
  kNoResponse,  ///< The same, without an answer from the firmware.
  kHang,        ///< It runs until FakeXrt::Release or TimeOut.
  kLie,         ///< It completes, but nothing was written.
  kStale,       ///< Its context is stale: it and all else on that ends with error or abort.
  kLost,        ///< The device is lost: all on it is aborted, and the next calls fail.
  kCount,
};

/// The calls of the seam, for counting.
enum class FakeCall : uint8_t {
  kOpen,
  kRegister,
  kContext,
  kKernel,
  kInstructions,
  kData,
  kSlice,
  kSync,
  kRun,
  kArgument,
  kStart,
  kList,
  kAdd,
  kPoll,
  kWait,
  kReset,
  kCount,
};

struct FakeState;

/// A machine with one NPU, as a test sees it. Drivers made from it share it, and may outlive it.
/// Thread-safe.
class FakeXrt {
 public:
  FakeXrt(arch::NpuArch arch, FakeLoader loader);

  std::unique_ptr<Driver> MakeDriver() const;

  /// What happens to the next submission that is not refused, from its run `run` on. Several
  /// calls: to one after another.
  void PlanFault(FakeFault fault, size_t run = 0);
  /// Lets so many of the next ones fail.
  void RefuseContexts(int count);
  void RefuseData(int count);
  void RefuseSubmissions(int count);
  void RefuseLooks(int count);  ///< Polls and waits: what was looked at goes on.
  /// Contexts that other processes have.
  void TakeContexts(int count);
  /// While set, nothing executes.
  void Hold(bool held);
  /// What hangs goes on: it writes late, then has completed.
  void Release();
  /// The driver's time limit runs out for what hangs.
  void TimeOut();

  /// Calls of the seam fail with this chance each, and submissions go wrong. 0 stops it. Without
  /// `lies`, none that has not written says that it has.
  void InjectAtRandom(uint64_t seed, double rate, bool lies = true);
  /// What has gone wrong at random so far: all, submissions, calls that failed.
  int64_t faults() const;
  int64_t faults(FakeFault fault) const;
  int64_t faults(FakeCall call) const;

  int64_t calls() const;
  int64_t calls(FakeCall call) const;
  int contexts() const;
  int most_contexts() const;
  int most_in_flight() const;  ///< Of any one context.
  int blocked_starts() const;  ///< Submissions beyond the limit, which a driver makes wait.
  int64_t heap_bytes() const;
  int64_t data_buffers() const;  ///< That are alive; sub-buffers do not count.

 private:
  std::shared_ptr<FakeState> state_;
};

}  // namespace tilewave::device::xrt
