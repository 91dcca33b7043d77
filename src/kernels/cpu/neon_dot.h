#pragma once

// What the files for Arm's dot product share. All is in an unnamed namespace: each such file gets a
// copy of its own, which the linker cannot hand to code for other CPUs.

#if defined(__aarch64__)

#include <arm_neon.h>

#if defined(__clang__)
#define TILEWAVE_NEONDOT [[gnu::target("dotprod")]]
#else
#define TILEWAVE_NEONDOT [[gnu::target("arch=armv8.2-a+dotprod")]]
#endif

namespace tilewave::kernels::cpu {
namespace {

// As instructions because the header of clang before 16 has the intrinsics only if the whole file
// is compiled for such CPUs. Sums go by value: g++ 12 would keep those of an array in memory whose
// addresses are taken.

/// sum + the products of each lane's four bytes of `column` and the four of lane kLane of `row`, a
/// register of any type. Both are s8, or both are u8.
template <bool kSigned, int kLane, typename Row>
[[nodiscard]] TILEWAVE_NEONDOT inline int32x4_t DotAddLane(int32x4_t sum, uint8x16_t column,
                                                           Row row) {
  if constexpr (kSigned) {
    asm("sdot %[sum].4s, %[column].16b, %[row].4b[%c[lane]]"
        : [sum] "+w"(sum)
        : [column] "w"(column), [row] "w"(row), [lane] "n"(kLane));
  } else {
    asm("udot %[sum].4s, %[column].16b, %[row].4b[%c[lane]]"
        : [sum] "+w"(sum)
        : [column] "w"(column), [row] "w"(row), [lane] "n"(kLane));
  }
  return sum;
}

/// sum + the products of each lane's four bytes of the two.
template <bool kSigned>
[[nodiscard]] TILEWAVE_NEONDOT inline int32x4_t DotAdd(int32x4_t sum, uint8x16_t column,
                                                       uint8x16_t row) {
  if constexpr (kSigned) {
    asm("sdot %[sum].4s, %[column].16b, %[row].16b"
        : [sum] "+w"(sum)
        : [column] "w"(column), [row] "w"(row));
  } else {
    asm("udot %[sum].4s, %[column].16b, %[row].16b"
        : [sum] "+w"(sum)
        : [column] "w"(column), [row] "w"(row));
  }
  return sum;
}

}  // namespace
}  // namespace tilewave::kernels::cpu

#endif
