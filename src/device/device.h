#pragma once

// The seam between the runtime and whatever computes: host, virtual NPU, real NPU.
// Interfaces have no data members. A backend implements these and checks nothing that
// validating_device.h checks for all of them.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "core/problem.h"
#include "device/clock.h"
#include "tilewave/device_info.h"
#include "tilewave/status.h"

namespace tilewave::device {

enum class SyncDirection : uint8_t { kToDevice, kFromDevice };

/// Windows start at multiples of this: syncs move whole lines of the host's cache, and two windows
/// must not share one.
inline constexpr size_t kWindowAlignment = 64;

/// Memory that a device can reach. Owned by whoever holds it; must not outlive its Device, and
/// must outlive every launch that names it, but for those that the Device's destruction ends.
class Buffer {
 public:
  virtual ~Buffer() = default;
  virtual size_t bytes() const = 0;

  /// The host's view of the memory; stays the same for the life of the buffer. Null on a device
  /// that only times: there is nothing to write to or to read.
  virtual std::byte* host() = 0;

  /// Makes [offset, offset + bytes) written on one side visible to the other. May be a no-op.
  [[nodiscard]] virtual Status Sync(SyncDirection direction, size_t offset, size_t bytes) = 0;

  /// A window into this buffer that shares its memory and must not outlive it.
  /// REQUIRES: `offset` is a multiple of kWindowAlignment.
  [[nodiscard]] virtual Result<std::unique_ptr<Buffer>> Slice(size_t offset, size_t bytes) = 0;
};

/// A right operand in a device's own layout. Immutable, shared between threads. Weights own their
/// payloads and may outlive the device: whatever device memory a payload needs for its destruction
/// it shares the ownership of.
class WeightsPayload {
 public:
  virtual ~WeightsPayload() = default;
  virtual size_t bytes() const = 0;
};

/// What an array device loads: the array as data for a virtual NPU, a binary for a real one. Made
/// by a provider that knows the device's kind; opaque to all between the two.
class ArrayImage {
 public:
  virtual ~ArrayImage() = default;
};

/// Code ready to run on one device: for devices that take whole products, one problem resolved
/// (kernel, blocking, epilogue); for arrays, one configuration, whatever the extents. Any number
/// of launches may use it at once.
class Executable {
 public:
  virtual ~Executable() = default;
  virtual std::string_view kernel_name() const = 0;
  /// Which configuration an array has with it, program::ConfigurationHash; 0: it is for no array.
  virtual uint64_t configuration_hash() const { return 0; }
};

/// A stretch of a buffer as an argument of a launch.
struct BufferRange {
  Buffer* buffer = nullptr;
  size_t offset = 0;
  size_t bytes = 0;
};

/// Most arguments of one launch: an array binary's kernel takes up to six data buffers.
inline constexpr size_t kMaxLaunchArguments = 6;

/// Most launches of one chain, as the runtime below a real NPU splits them.
inline constexpr size_t kMaxChainLaunches = 24;

/// One submitted run. Borrowed, with all that it points to, until the fence is done.
struct Launch {
  const Executable* executable = nullptr;

  // For devices that take whole products.
  const core::Operands* operands = nullptr;  ///< Host memory.
  const WeightsPayload* weights = nullptr;   ///< If the problem is prepacked, B's payload.
  std::atomic<int64_t>* progress = nullptr;  ///< Finished elements of C; may be null.

  // For arrays.
  std::span<const uint32_t> stream = {};        ///< Instructions for the array's controller.
  std::span<const BufferRange> arguments = {};  ///< The buffers that the stream names by index.
  uint64_t stream_configuration = 0;            ///< That it was made for; 0: nobody says.

  bool timed = false;  ///< Whether Fence::pack_ns is wanted; clocks are not read for nothing.
};

/// kInvalidArgument: a stream that was made for another configuration than the launch's. For
/// backends of arrays: words alone do not tell.
[[nodiscard]] Status CheckStream(const Launch& launch);

/// Expected outcomes of the hot path; a plain enum since "full" is no error.
enum class SubmitCode : uint8_t {
  kAccepted,
  kQueueFull,  ///< Nothing was submitted; wait for an earlier launch, then try again.
  kRejected,   ///< Nothing was submitted; the fence's status says why.
};

enum class WaitCode : uint8_t { kDone, kTimeout };

/// Follows one submission. Filled by TrySubmit, completed by Poll or Wait; `status` then says how
/// it went. Reusable for another submission once done.
struct Fence {
  uint64_t ticket = 0;
  bool done = false;
  Status status;
  int64_t kernel_ns = 0;     ///< Time of cores inside kernels, from devices that can tell.
  int64_t private_ns = 0;    ///< The device's own.
  int64_t pack_ns = 0;       ///< What quantising and packing operands took, if the launch is timed.
  size_t good_launches = 0;  ///< Of a chain that ended badly: those before the first bad one.
  /// Once done: submissions of one order ran one after another, as they were accepted. Devices
  /// whose contexts come and go have many.
  uint64_t order = 0;

  /// Of a submission that was refused or ended at once.
  static Fence Ended(Status status) {
    Fence fence;
    fence.done = true;
    fence.status = std::move(status);
    return fence;
  }
};

/// Submissions in order. Thread-safe.
class Queue {
 public:
  virtual ~Queue() = default;

  /// Submits the launches as one chain, or none of them. Never blocks on the device; a device
  /// that computes in the calling thread (host) is done when this returns. An array rejects a
  /// chain of different configurations, and a stream for another generation.
  /// REQUIRES: fence != nullptr, 1 to kMaxChainLaunches launches.
  virtual SubmitCode TrySubmit(std::span<const Launch> launches, Fence* fence) = 0;

  /// Whether an accepted submission has always ended when TrySubmit returns.
  virtual bool done_when_submitted() const { return false; }

  /// Whether the submission has ended; completes the fence if so. Never blocks.
  virtual bool Poll(Fence* fence) = 0;

  /// Blocks until the submission has ended, at most `limit` of device time.
  virtual WaitCode Wait(Fence* fence, std::chrono::nanoseconds limit) = 0;

  /// Blocks until a submission has a chance of being accepted, at most `limit` of device time.
  /// kDone is no promise: another thread may be faster.
  virtual WaitCode WaitForRoom(std::chrono::nanoseconds limit) = 0;
};

/// The domain of payloads that are plain host memory and depend on nothing but their layout.
inline constexpr uint64_t kHostPayloadDomain = 0;

/// A domain that no other device of this process has or will have.
uint64_t NewPayloadDomain();

/// One device. Thread-safe. Its destruction ends whatever still runs on it.
class Device {
 public:
  virtual ~Device() = default;

  /// Devices of one domain understand each other's weights payloads of equal layout. A device
  /// whose payloads hold anything of its own takes a fresh domain; none is ever used again.
  virtual uint64_t payload_domain() const = 0;

  virtual const DeviceInfo& info() const = 0;
  virtual Clock& clock() = 0;

  /// The queue that all calls share; lives as long as the device.
  virtual Queue& queue() = 0;

  [[nodiscard]] virtual Result<std::unique_ptr<Buffer>> Allocate(size_t bytes) = 0;

  /// Resolves a validated problem. kUnimplemented if this device takes no whole products.
  [[nodiscard]] virtual Result<std::unique_ptr<Executable>> Load(const core::Problem& problem) = 0;

  /// Loads a configuration. kUnimplemented if this device is no array; kInvalidArgument if the
  /// image is not for it. The image may go once this returns.
  [[nodiscard]] virtual Result<std::unique_ptr<Executable>> LoadImage(const ArrayImage& image) = 0;

  /// Names the layout of the payload that PackWeights makes for this problem; payloads are
  /// cached by (payload domain, this). Lives as long as the device.
  virtual std::string_view WeightsLayout(const core::Problem& problem) const = 0;

  /// Packs B (in `operands`, integers only, with zero_b) for problems with this B.
  /// Reads k, n, batch, b_type, b, zero_b of the problem and b, zero_b of the operands.
  [[nodiscard]] virtual Result<std::unique_ptr<WeightsPayload>> PackWeights(
      const core::Problem& problem, const core::Operands& operands) = 0;
};

}  // namespace tilewave::device
