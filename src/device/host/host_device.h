#pragma once

#include <memory>
#include <optional>
#include <string>

#include "arch/cpu.h"
#include "device/device.h"
#include "tilewave/executor.h"
#include "tilewave/status.h"

namespace tilewave::device::host {

// More than any machine that a product would run on has; a larger number is a mistake.
inline constexpr int kMostThreads = 1024;

struct HostOptions {
  std::string kernel = {};  ///< Forces a CPU kernel by name; "" takes the best one.
  int threads = 0;          ///< The most that one call uses; 0: as many as this process has CPUs.
  std::shared_ptr<Executor> executor = {};  ///< Null: threads of the device's own.
  std::optional<arch::Cpu> cpu = {};  ///< Empty: this one. Tests name one with smaller caches.
};

/// The CPU backend. Takes whole products and computes them in the thread that submits and in
/// others. Errors: kNotFound, kUnavailable (about the kernel), kInvalidArgument (an executor
/// whose number of threads makes no sense).
[[nodiscard]] Result<std::unique_ptr<Device>> OpenHostDevice(const HostOptions& options);

/// Its line in a list of devices.
DeviceInfo HostDeviceInfo();

}  // namespace tilewave::device::host
