// Apart from the tests that use it, so that no compiler sees new and delete of one object together.

#include "tests/support/counting_allocator.h"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

std::atomic<int64_t> allocations{0};

thread_local int64_t successes_left = -1;

void* Count(size_t bytes, size_t alignment) {
  if (successes_left == 0) throw std::bad_alloc();
  if (successes_left > 0) --successes_left;
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* memory = nullptr;
  if (posix_memalign(&memory, alignment, bytes == 0 ? 1 : bytes) != 0) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t bytes) { return Count(bytes, alignof(std::max_align_t)); }
void* operator new[](size_t bytes) { return Count(bytes, alignof(std::max_align_t)); }
void* operator new(size_t bytes, std::align_val_t alignment) {
  return Count(bytes, static_cast<size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace tilewave::testing {

int64_t AllocationCount() { return allocations.load(); }

void FailAllocationsAfter(int64_t successes) { successes_left = successes; }

}  // namespace tilewave::testing
