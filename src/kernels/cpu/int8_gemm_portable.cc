#include "kernels/cpu/int8_gemm_portable.h"

#include <cstddef>

namespace tilewave::kernels::cpu {
namespace {

// Every (r, c) pair is a dot product of two contiguous s16 vectors, the form that compilers turn
// into multiply-add-pairs (pmaddwd, smlal) without help. All pairs advance together in one loop
// over K so that each load is used mr or nr times.
template <size_t kMr, size_t kNr>
void Block(const int16_t* a, const int16_t* b, int64_t k_padded, int32_t* acc) {
  int32_t sum[kMr][kNr] = {};
  for (int64_t k = 0; k < k_padded; ++k) {
    for (size_t r = 0; r < kMr; ++r) {
      for (size_t c = 0; c < kNr; ++c) {
        sum[r][c] += int32_t{a[(static_cast<int64_t>(r) * k_padded) + k]} *
                     int32_t{b[(static_cast<int64_t>(c) * k_padded) + k]};
      }
    }
  }
  for (size_t r = 0; r < kMr; ++r) {
    for (size_t c = 0; c < kNr; ++c) acc[(r * kNr) + c] = sum[r][c];
  }
}

}  // namespace

void Int8Gemm_portable_2x4x16(const int16_t* a, const int16_t* b, int64_t k_padded, int32_t* acc) {
  Block<2, 4>(a, b, k_padded, acc);
}

void Int8Gemm_portable_1x1x1(const int16_t* a, const int16_t* b, int64_t k_padded, int32_t* acc) {
  Block<1, 1>(a, b, k_padded, acc);
}

void Int8Gemm_portable_3x5x2(const int16_t* a, const int16_t* b, int64_t k_padded, int32_t* acc) {
  Block<3, 5>(a, b, k_padded, acc);
}

}  // namespace tilewave::kernels::cpu
