#pragma once

#include <memory>

#include "device/xrt/driver_seam.h"
#include "tilewave/status.h"

namespace tilewave::device::xrt {

/// The driver of this machine. kUnimplemented, with the reason, in a build without XRT.
[[nodiscard]] Result<std::unique_ptr<Driver>> OpenXrtDriver();

}  // namespace tilewave::device::xrt
