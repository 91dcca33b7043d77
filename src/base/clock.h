#pragma once

#include <chrono>
#include <cstdint>

namespace tilewave::base {

/// Nanoseconds of the monotonic wall clock; only differences mean something.
inline int64_t WallNowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

constexpr double NsToUs(int64_t ns) { return static_cast<double>(ns) * 1e-3; }

}  // namespace tilewave::base
