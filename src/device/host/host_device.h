#pragma once

#include <memory>
#include <string>

#include "device/device.h"
#include "tilewave/status.h"

namespace tilewave::device::host {

/// The CPU backend. Takes whole products and computes them in the thread that submits.
/// `kernel` forces a CPU kernel by name, "" takes the best one.
/// Errors: kNotFound, kUnavailable (about the kernel).
[[nodiscard]] Result<std::unique_ptr<Device>> OpenHostDevice(const std::string& kernel);

/// Its line in a list of devices.
DeviceInfo HostDeviceInfo();

}  // namespace tilewave::device::host
