#pragma once

// What the files for AVX512-VNNI share. All is in an unnamed namespace: each such file gets a copy
// of its own, which the linker cannot hand to code for other CPUs.

#if defined(__x86_64__)

#include "kernels/cpu/x86_intrinsics.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

#define TILEWAVE_AVX512VNNI [[gnu::target("avx512f,avx512bw,avx512vl,avx512vnni")]]

namespace tilewave::kernels::cpu {
namespace {

/// Four bytes in every lane.
TILEWAVE_AVX512VNNI inline __m512i BroadcastQuad(const void* quad) {
  int32_t bytes;
  std::memcpy(&bytes, quad, sizeof(bytes));
  return _mm512_set1_epi32(bytes);
}

/// sum + the products of four u8 and four s8 in every lane. As an instruction rather than the
/// intrinsic because g++ 12 copies each sum before and after that one, two of three instructions
/// of a loop.
TILEWAVE_AVX512VNNI inline void DotAdd(__m512i* sum, __m512i u8, __m512i s8) {
  asm("vpdpbusd %[s8], %[u8], %[sum]" : [sum] "+v"(*sum) : [u8] "v"(u8), [s8] "v"(s8));
}

}  // namespace
}  // namespace tilewave::kernels::cpu

#endif
