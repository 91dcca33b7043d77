#pragma once

// What devices there are and what a call did.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "tilewave/status.h"

namespace tilewave {

enum class DeviceKind : uint8_t {
  kHost,  ///< The CPU backend; always there.
  kVnpu,  ///< The virtual NPU: exact results, simulated time.
  kXrt,   ///< A real NPU through XRT.
};

/// "host", "vnpu", "xrt".
std::string_view Name(DeviceKind kind);

/// Where a time comes from. Never mixed in one unlabelled column.
enum class TimeKind : uint8_t { kMeasured, kSimulated, kPredicted };

/// "measured", "simulated", "predicted".
std::string_view Name(TimeKind kind);

/// One line of `tilewave devices`.
struct DeviceInfo {
  std::string name;  ///< As the `device` option takes it: "host", "vnpu:phoenix", "xrt:0".
  DeviceKind kind = DeviceKind::kHost;
  bool usable = false;
  std::string description;  ///< Model and features, or why it is not usable.
};

/// Where the time of a call went, in microseconds. A phase that a device does not have stays 0.
struct PhaseTimes {
  double call_us = 0;        ///< Host: what a call costs before it does anything.
  double allocate_us = 0;    ///< Getting buffers.
  double pack_us = 0;        ///< Host: operands into the device's layout, quantising on the way.
  double write_us = 0;       ///< Copies into device-visible buffers.
  double sync_in_us = 0;     ///< Making host writes visible to the device.
  double launch_us = 0;      ///< Time inside submit calls (host device: the product itself).
  double wait_us = 0;        ///< Blocked on completion.
  double sync_out_us = 0;    ///< Making device writes visible to the host.
  double read_us = 0;        ///< Copies out of device-visible buffers.
  double accumulate_us = 0;  ///< Host adds of partial sums over K.
  double finish_us = 0;      ///< Host epilogue.
};

/// How often a call did what its phases took their time for. What a device does not need stays 0.
struct PhaseCounts {
  int64_t buffers = 0;  ///< Device buffers and windows made.
  int64_t writes = 0;   ///< Launches whose tiles were copied in.
  int64_t syncs_in = 0;
  int64_t submissions = 0;  ///< Chains count once.
  int64_t syncs_out = 0;
  int64_t reads = 0;  ///< Launches whose tiles were copied out.
  int64_t bytes_in = 0;
  int64_t bytes_out = 0;
};

/// Filled by a call when RunOptions::stats points here; costs nothing otherwise. Of a submitted
/// call that a device runs meanwhile, times reach until somebody has waited for it. The string
/// views live as long as the Engine.
struct CallStats {
  /// One stretch of the call on one device.
  struct Part {
    std::string_view device;  ///< "host", ...
    std::string_view kernel;  ///< Name of the kernel that ran.
    std::string_view reason;  ///< Why here: "requested", ...
    int64_t launches = 0;
    double us = 0;
    TimeKind time_kind = TimeKind::kMeasured;
  };
  static constexpr int kMaxParts = 4;

  std::array<Part, kMaxParts> parts = {};
  int part_count = 0;
  PhaseTimes phases = {};
  PhaseCounts counts = {};
  /// Cores of an array inside kernels, summed, if the device can tell; part of launch and wait. Of
  /// a run list, an equal share.
  double kernel_us = 0;
  double total_us = 0;  ///< Wall clock of the whole call, measured.
  int64_t macs = 0;     ///< batch * M * K * N.
  bool plan_cached = false;
  /// How often the device failed before this answer was there. The parts say who computed it.
  int failed_attempts = 0;
  Status failure;  ///< The first of these failures.
};

}  // namespace tilewave
