#pragma once

// What the files for AVX2 that are no tiles or row functions share. All is in an unnamed namespace:
// each such file gets a copy of its own, which the linker cannot hand to code for other CPUs.

#if defined(__x86_64__)

#include "kernels/cpu/x86_intrinsics.h"

#include <cstdint>

#define TILEWAVE_AVX2 [[gnu::target("avx2")]]

namespace tilewave::kernels::cpu {
namespace {

/// 16 bytes, at any address.
TILEWAVE_AVX2 inline __m128i Load16(const uint8_t* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

}  // namespace
}  // namespace tilewave::kernels::cpu

#endif
