#pragma once

// The virtual NPU: executes array programs on real bytes and tells what time it would be.
// Everything about its time is simulated, from the constants of a profile.

#include <memory>
#include <string>

#include "device/device.h"
#include "device/vnpu/kernel_table.h"
#include "device/vnpu/virtual_clock.h"
#include "profile/profile.h"
#include "program/array_program.h"
#include "tilewave/status.h"

namespace tilewave::device::vnpu {

/// The image that this device loads: the program itself.
class ProgramImage final : public ArrayImage {
 public:
  explicit ProgramImage(std::shared_ptr<const program::ArrayProgram> program)
      : program_(std::move(program)) {}
  const std::shared_ptr<const program::ArrayProgram>& program() const { return program_; }

 private:
  std::shared_ptr<const program::ArrayProgram> program_;
};

struct VnpuOptions {
  profile::Profile profile;
  HostTime host_time = HostTime::kCharged;
  KernelTable kernels = PlainKernels();
  /// No bytes are kept or moved and no kernel runs: only times are told, and what can be refused
  /// without bytes. Buffers have no host memory, so nothing may be written into them.
  bool timing_only = false;
};

/// Opens a virtual NPU. As a real one, it holds at most arch::kMaxInFlight submissions, its
/// memory is not coherent with the host's (an unsynchronised byte is poison or stale), and after
/// an error its array starts anew. Launches execute when they are submitted; when they end is a
/// matter of the clock. Thread-safe.
std::unique_ptr<Device> OpenVnpu(VnpuOptions options);

/// As OpenVnpu's info() would be. `host_time` and `timing_only` are part of the name.
DeviceInfo VnpuDeviceInfo(const profile::Profile& profile, HostTime host_time,
                          bool timing_only = false);

}  // namespace tilewave::device::vnpu
