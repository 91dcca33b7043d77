#pragma once

#include <chrono>

namespace tilewave::runtime {

/// The default of RunOptions::time_limit: far above any launch (the longest published one is
/// tens of milliseconds), and above the driver's own recovery, which takes 2 to 4 s.
inline constexpr std::chrono::nanoseconds kDefaultTimeLimit = std::chrono::seconds(30);

/// A longer limit is cut to this, so that no sum of times overflows.
inline constexpr std::chrono::nanoseconds kLongestTimeLimit = std::chrono::hours(1);

}  // namespace tilewave::runtime
