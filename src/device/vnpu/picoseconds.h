#pragma once

// The unit of the virtual NPU's time line: fine enough for a fraction of an array cycle.

#include <cmath>
#include <cstdint>

namespace tilewave::device::vnpu {

inline constexpr int64_t kPsPerNs = 1000;
inline constexpr double kPsPerUs = 1e6;

/// The nearest whole picosecond.
inline int64_t PsOfUs(double us) { return std::llround(us * kPsPerUs); }

}  // namespace tilewave::device::vnpu
