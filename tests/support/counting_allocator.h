#pragma once

#include <cstdint>

namespace tilewave::testing {

/// Calls of every form of operator new since the program began. Linking counting_allocator.cc
/// replaces the operators of the whole program.
int64_t AllocationCount();

/// Lets `successes` more allocations of the calling thread succeed, and then all fail with
/// std::bad_alloc until it is called again; a negative number ends that.
void FailAllocationsAfter(int64_t successes);

}  // namespace tilewave::testing
