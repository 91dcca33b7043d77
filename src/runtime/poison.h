#pragma once

#include <cstddef>

#include "device/device.h"
#include "tilewave/status.h"

namespace tilewave::runtime {

/// Fills memory with a pattern that results do not have: 64 random bytes in each cache line, other
/// ones in each.
void FillPoison(std::byte* memory, size_t bytes);

/// The same for a stretch of a device buffer, on both sides. Errors: the device's.
[[nodiscard]] Status PoisonRange(const device::BufferRange& range);

/// kDataLoss if a cache line still has its poison, or part of one if that is at least 16 bytes.
[[nodiscard]] Status CheckWritten(const std::byte* memory, size_t bytes);

}  // namespace tilewave::runtime
