#include "kernels/cpu/int8_gemm_avx2.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>

namespace tilewave::kernels::cpu {

namespace {

constexpr int64_t kWidth = 16;  // s16 per register.

// Four sums of eight lanes each -> their four totals.
[[gnu::target("avx2")]] inline __m128i Totals(__m256i s0, __m256i s1, __m256i s2, __m256i s3) {
  const __m256i lanes = _mm256_hadd_epi32(_mm256_hadd_epi32(s0, s1), _mm256_hadd_epi32(s2, s3));
  return _mm_add_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
}

}  // namespace

// Twelve sums, three rows and a column take the sixteen registers. A product of two values of 255
// and its neighbour's fit 32 bits, so that vpmaddwd is exact.
[[gnu::target("avx2")]] void Int8Gemm_avx2_3x4x16(const int16_t* a, const int16_t* b,
                                                  int64_t k_padded, int32_t* acc) {
  __m256i sum[3][4];
  for (auto& row : sum) {
    for (__m256i& each : row) each = _mm256_setzero_si256();
  }
  for (int64_t k = 0; k < k_padded; k += kWidth) {
    __m256i rows[3];
    for (int64_t r = 0; r < 3; ++r) {
      rows[r] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + (r * k_padded) + k));
    }
    for (int64_t c = 0; c < 4; ++c) {
      const __m256i column =
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + (c * k_padded) + k));
      for (int64_t r = 0; r < 3; ++r) {
        sum[r][c] = _mm256_add_epi32(sum[r][c], _mm256_madd_epi16(rows[r], column));
      }
    }
  }
  for (int64_t r = 0; r < 3; ++r) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(acc + (r * 4)),
                     Totals(sum[r][0], sum[r][1], sum[r][2], sum[r][3]));
  }
}

}  // namespace tilewave::kernels::cpu

#endif
