#pragma once

#include <memory>

#include "device/device.h"

namespace tilewave::device {

/// Fresh buffers hold this byte, so that reading what was never written shows.
inline constexpr unsigned char kPoisonByte = 0xA5;

/// Wraps any device and checks, once for all backends, what the runtime hands to it: launches
/// name an executable and a payload of this very device, operands are there, ranges lie inside
/// their buffers, fences are not reused while pending. Fresh buffers are poisoned and guarded;
/// a write past the end of one is reported by its next Sync as kInternal.
/// A refusal means a bug in tilewave above the seam, and is kInternal.
std::unique_ptr<Device> MakeValidatingDevice(std::unique_ptr<Device> inner);

}  // namespace tilewave::device
