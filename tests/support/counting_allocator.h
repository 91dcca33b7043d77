#pragma once

#include <cstdint>

namespace tilewave::testing {

/// Calls of every form of operator new since the program began. Linking counting_allocator.cc
/// replaces the operators of the whole program.
int64_t AllocationCount();

}  // namespace tilewave::testing
