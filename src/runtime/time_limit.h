#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "tilewave/status.h"

namespace tilewave::runtime {

/// The default of RunOptions::time_limit: far above any launch (the longest published one is
/// tens of milliseconds), and above the driver's own recovery, which takes 2 to 4 s.
inline constexpr std::chrono::nanoseconds kDefaultTimeLimit = std::chrono::seconds(30);

/// A longer limit is cut to this, so that no sum of times overflows.
inline constexpr std::chrono::nanoseconds kLongestTimeLimit = std::chrono::hours(1);

/// How long a call may wait.
struct WaitLimits {
  std::chrono::nanoseconds each{0};   ///< For any one submission.
  std::chrono::nanoseconds total{0};  ///< Summed over the call.

  std::chrono::nanoseconds shortest() const { return std::min(each, total); }
  /// For what follows, of a call that has waited so long.
  WaitLimits After(int64_t waited_ns) const {
    return {each, total - std::min(total, std::chrono::nanoseconds(waited_ns))};
  }
  /// What a wait may still take, of a call that has waited so long.
  std::chrono::nanoseconds Left(int64_t waited_ns) const { return After(waited_ns).shortest(); }
};

/// kDeadlineExceeded: what the device has not done, as "finished a launch", and within which limit.
Status TooLate(std::string_view what, std::chrono::nanoseconds limit);

}  // namespace tilewave::runtime
