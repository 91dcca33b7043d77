#include "kernels/cpu/int8_gemm_avx512vnni.h"

#if defined(__x86_64__)

// g++ 12 warns of its own header (GCC bug 105593: deliberately undefined operands).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop

#include <cstddef>

namespace tilewave::kernels::cpu {

namespace {

constexpr int64_t kWidth = 32;  // s16 per register.

// Four sums of sixteen lanes each -> their four totals.
[[gnu::target("avx512f,avx512bw,avx512vnni")]] inline __m128i Totals(__m512i s0, __m512i s1,
                                                                     __m512i s2, __m512i s3) {
  const __m512i s01 =
      _mm512_add_epi32(_mm512_unpacklo_epi32(s0, s1), _mm512_unpackhi_epi32(s0, s1));
  const __m512i s23 =
      _mm512_add_epi32(_mm512_unpacklo_epi32(s2, s3), _mm512_unpackhi_epi32(s2, s3));
  const __m512i lanes =
      _mm512_add_epi32(_mm512_unpacklo_epi64(s01, s23), _mm512_unpackhi_epi64(s01, s23));
  const __m256i halves =
      _mm256_add_epi32(_mm512_castsi512_si256(lanes), _mm512_extracti64x4_epi64(lanes, 1));
  return _mm_add_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
}

}  // namespace

// Sixteen dot products at once: four loads of A and four of B feed sixteen multiply-adds, so that
// the loads (one per cycle) stay behind the arithmetic (one per cycle).
[[gnu::target("avx512f,avx512bw,avx512vnni")]] void Int8Gemm_avx512vnni_4x4x32(const int16_t* a,
                                                                               const int16_t* b,
                                                                               int64_t k_padded,
                                                                               int32_t* acc) {
  __m512i sum[4][4];
  for (auto& row : sum) {
    for (__m512i& each : row) each = _mm512_setzero_si512();
  }
  for (int64_t k = 0; k < k_padded; k += kWidth) {
    __m512i columns[4];
    for (int64_t c = 0; c < 4; ++c) columns[c] = _mm512_loadu_si512(b + (c * k_padded) + k);
    for (int64_t r = 0; r < 4; ++r) {
      const __m512i row = _mm512_loadu_si512(a + (r * k_padded) + k);
      for (int64_t c = 0; c < 4; ++c) {
        sum[r][c] = _mm512_dpwssd_epi32(sum[r][c], row, columns[c]);
      }
    }
  }
  for (int64_t r = 0; r < 4; ++r) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(acc + (r * 4)),
                     Totals(sum[r][0], sum[r][1], sum[r][2], sum[r][3]));
  }
}

}  // namespace tilewave::kernels::cpu

#endif
