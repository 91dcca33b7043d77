#pragma once

// An NPU through XRT. Everything here runs the same over the real driver and over xrt_fake.

#include <memory>
#include <string>

#include "device/device.h"
#include "device/xrt/driver_seam.h"
#include "tilewave/device_info.h"
#include "tilewave/status.h"

namespace tilewave::device::xrt {

/// Opens device `index` of the driver, which the device keeps. As the real thing it holds at most
/// arch::kMaxInFlight submissions, its memory is not coherent with the host's, and it has few
/// hardware contexts: configurations share them in turn. Images are ArrayBinary. Errors: the
/// driver's. Thread-safe.
[[nodiscard]] Result<std::unique_ptr<Device>> OpenXrt(std::unique_ptr<Driver> driver, int index);

/// Which generation a device of OpenXrt is.
arch::NpuArch ArchOf(const Device& device);

}  // namespace tilewave::device::xrt
