#pragma once

#include "base/thread_pool.h"

namespace tilewave::base {

/// What the tests of threads try all of.
inline constexpr int kThreads[] = {1, 2, 3, 8};
inline constexpr Wake kWakes[] = {Wake::kNever, Wake::kIfBusy, Wake::kAlways};

}  // namespace tilewave::base
