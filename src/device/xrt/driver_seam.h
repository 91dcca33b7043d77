#pragma once

// The last thing that is ours above XRT: its calls as far as they are used, typed. Implemented by
// seam_xrt.cc on a real machine and by xrt_fake/ in tests; all that stands above runs the same on
// both. Nothing throws across it, and nothing is checked here that XRT does not check.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "arch/npu.h"
#include "device/device.h"
#include "tilewave/status.h"

namespace tilewave::device::xrt {

/// Of a run or a list, as the driver counts them (ert.h).
enum class RunState : uint8_t {
  kNew = 1,
  kQueued = 2,
  kRunning = 3,
  kCompleted = 4,
  kError = 5,
  kAbort = 6,
  kSubmitted = 7,
  kTimeout = 8,
  kNoResponse = 9,
  kSkError = 10,
  kSkCrashed = 11,
};

/// "completed", "timeout", ...
std::string_view Name(RunState state);

/// Whether the device is done with a run in this state, well or not.
bool HasEnded(RunState state);

/// What a wait or a poll found.
struct Outcome {
  bool ended = false;  ///< If not, the time was up; what was waited for goes on.
  RunState state = RunState::kNew;
  size_t run = 0;      ///< Of a list that ended badly: the first bad run.
  std::string detail;  ///< What the driver says of a bad end.
};

/// Memory of a device. Host and device each see their own copy until a sync.
class DriverBuffer {
 public:
  virtual ~DriverBuffer() = default;
  /// As asked for; what was allocated ends with a page.
  virtual size_t bytes() const = 0;
  /// The host's mapping, which starts with a page (a slice: `offset` further on).
  virtual std::byte* host() = 0;
  /// Flushes or invalidates whole cache lines: all that a byte of the range lies in.
  [[nodiscard]] virtual Status Sync(SyncDirection direction, size_t offset, size_t bytes) = 0;
  /// A sub-buffer; the driver does not ask for alignment.
  [[nodiscard]] virtual Result<std::unique_ptr<DriverBuffer>> Slice(size_t offset,
                                                                    size_t bytes) = 0;
};

/// One execution of a kernel, again and again. A run that ended other than well may have lost its
/// arguments: it is not to be started again.
class DriverRun {
 public:
  virtual ~DriverRun() = default;
  [[nodiscard]] virtual Status SetInstructions(DriverBuffer* instructions, uint32_t words) = 0;
  /// The buffer that the stream names by this index. Its address is kept, not the buffer.
  [[nodiscard]] virtual Status SetBuffer(int index, DriverBuffer* buffer) = 0;
  /// Blocks while the context has all the submissions that it may have.
  [[nodiscard]] virtual Status Start() = 0;
  /// Never blocks.
  [[nodiscard]] virtual Result<Outcome> Poll() = 0;
  /// Blocks at most so long. REQUIRES: limit > 0.
  [[nodiscard]] virtual Result<Outcome> Wait(std::chrono::milliseconds limit) = 0;
};

/// Runs of one context, executed in order as one submission (a longer list than
/// arch::kMaxChainRuns as several). After a bad end the runs before the bad one are done, what the
/// others were to write is undefined.
class DriverRunList {
 public:
  virtual ~DriverRunList() = default;
  /// The run is then started by the list only. It must outlive the list, or a Reset.
  [[nodiscard]] virtual Status Add(DriverRun* run) = 0;
  /// After an error part of the list may be running: it must be waited for.
  [[nodiscard]] virtual Status Execute() = 0;
  /// Never blocks.
  [[nodiscard]] virtual Result<Outcome> Poll() = 0;
  /// Blocks at most so long. REQUIRES: limit > 0.
  [[nodiscard]] virtual Result<Outcome> Wait(std::chrono::milliseconds limit) = 0;
  [[nodiscard]] virtual Status Reset() = 0;
};

/// The array's entry point in a context.
class DriverKernel {
 public:
  virtual ~DriverKernel() = default;
  virtual std::string_view name() const = 0;
  /// Memory for a stream, from the device's heap for instructions.
  [[nodiscard]] virtual Result<std::unique_ptr<DriverBuffer>> NewInstructions(size_t bytes) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<DriverRun>> NewRun() = 0;
};

/// A hardware context: one array binary, loaded when the driver sees fit.
class DriverContext {
 public:
  virtual ~DriverContext() = default;
  [[nodiscard]] virtual Result<std::unique_ptr<DriverKernel>> OpenKernel() = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<DriverRunList>> NewRunList() = 0;
};

/// What RegisterBinary has made known to the device.
enum class BinaryId : uint32_t {};

class DriverDevice {
 public:
  virtual ~DriverDevice() = default;
  virtual std::string_view name() const = 0;
  virtual arch::NpuArch arch() const = 0;
  /// kInvalidArgument: not a binary for this device.
  [[nodiscard]] virtual Result<BinaryId> RegisterBinary(std::span<const std::byte> binary) = 0;
  /// kResourceExhausted: the device has as many contexts as it can, some perhaps of other
  /// processes.
  [[nodiscard]] virtual Result<std::unique_ptr<DriverContext>> NewContext(BinaryId binary) = 0;
  /// kResourceExhausted: no memory, or none that may be locked.
  [[nodiscard]] virtual Result<std::unique_ptr<DriverBuffer>> NewData(size_t bytes) = 0;
};

/// Everything made from a device goes before it, and everything made from a context before that.
class Driver {
 public:
  virtual ~Driver() = default;
  /// The version of what stands below, or its name.
  virtual std::string_view version() const = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<DriverDevice>> Open(int index) = 0;
};

}  // namespace tilewave::device::xrt
