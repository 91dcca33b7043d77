#include "kernels/cpu/pack_quads_avx512.h"

#if defined(__x86_64__)

#include "kernels/cpu/avx512_vnni.h"

namespace tilewave::kernels::cpu {
namespace {

constexpr int64_t kColumns = 32;  // Of a panel.
constexpr int64_t kQuad = 4;
constexpr int64_t kGroupBytes = kColumns * kQuad;
constexpr int64_t kLanes = 16;            // Columns of a register of quads.
constexpr int64_t kElementsPerTurn = 64;  // Of K, in a transposition.

/// The lowest `count` bits, count in 0 .. 64.
uint64_t LowBits(int64_t count) {
  return count >= 64 ? ~uint64_t{0} : (uint64_t{1} << static_cast<unsigned>(count)) - 1;
}

/// sums += the sums of the four s8 of every lane.
TILEWAVE_AVX512VNNI inline __m512i AddQuads(__m512i sums, __m512i quads) {
  return _mm512_dpbusd_epi32(sums, _mm512_set1_epi8(1), quads);
}

/// Four rows of 32 columns -> 32 quads, in two registers of 16.
TILEWAVE_AVX512VNNI inline void Interleave(__m256i r0, __m256i r1, __m256i r2, __m256i r3,
                                           __m512i* first, __m512i* second) {
  const __m256i low01 = _mm256_unpacklo_epi8(r0, r1);
  const __m256i high01 = _mm256_unpackhi_epi8(r0, r1);
  const __m256i low23 = _mm256_unpacklo_epi8(r2, r3);
  const __m256i high23 = _mm256_unpackhi_epi8(r2, r3);
  // Columns 0-3 and 16-19, 4-7 and 20-23, 8-11 and 24-27, 12-15 and 28-31.
  const __m256i q0 = _mm256_unpacklo_epi16(low01, low23);
  const __m256i q1 = _mm256_unpackhi_epi16(low01, low23);
  const __m256i q2 = _mm256_unpacklo_epi16(high01, high23);
  const __m256i q3 = _mm256_unpackhi_epi16(high01, high23);
  *first = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_permute2x128_si256(q0, q1, 0x20)),
                              _mm256_permute2x128_si256(q2, q3, 0x20), 1);
  *second = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_permute2x128_si256(q0, q1, 0x31)),
                               _mm256_permute2x128_si256(q2, q3, 0x31), 1);
}

/// Columns stand side by side in the source.
TILEWAVE_AVX512VNNI void PackAcross(const pack::PanelSource& source, int64_t k, int64_t columns,
                                    uint8_t flip, std::byte* panel, int32_t* sums) {
  const auto mask = static_cast<__mmask32>(LowBits(columns));
  const __m256i flips = _mm256_maskz_set1_epi8(mask, static_cast<char>(flip));
  const __m256i zero = _mm256_setzero_si256();
  __m512i first_sums = _mm512_setzero_si512();
  __m512i second_sums = _mm512_setzero_si512();
  const uint8_t* from = source.data;
  for (int64_t i = 0; i < k; i += kQuad) {
    const int64_t rows = k - i < kQuad ? k - i : kQuad;
    __m256i row[4];
    for (int64_t r = 0; r < kQuad; ++r) {
      row[r] = zero;
      if (r < rows) {
        row[r] =
            _mm256_xor_si256(_mm256_maskz_loadu_epi8(mask, from + (r * source.k_stride)), flips);
      }
    }
    __m512i first;
    __m512i second;
    Interleave(row[0], row[1], row[2], row[3], &first, &second);
    first_sums = AddQuads(first_sums, first);
    second_sums = AddQuads(second_sums, second);
    _mm512_storeu_si512(panel, first);
    _mm512_storeu_si512(panel + (kLanes * kQuad), second);
    from += kQuad * source.k_stride;
    panel += kGroupBytes;
  }
  _mm512_storeu_si512(sums, first_sums);
  _mm512_storeu_si512(sums + kLanes, second_sums);
}

/// 16 rows of 16 quads -> 16 rows of 16 quads, rows and columns exchanged.
TILEWAVE_AVX512VNNI inline void Transpose(__m512i m[16]) {
  __m512i t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(m[i], m[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(m[i], m[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    m[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    m[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    m[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    m[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  // m[4 * r + c]: rows 4r .. 4r + 3 of columns c, c + 4, c + 8, c + 12, one in each lane.
  for (int c = 0; c < 4; ++c) {
    t[c] = _mm512_shuffle_i32x4(m[c], m[c + 4], 0x88);
    t[c + 4] = _mm512_shuffle_i32x4(m[c + 8], m[c + 12], 0x88);
    t[c + 8] = _mm512_shuffle_i32x4(m[c], m[c + 4], 0xDD);
    t[c + 12] = _mm512_shuffle_i32x4(m[c + 8], m[c + 12], 0xDD);
  }
  for (int c = 0; c < 4; ++c) {
    m[c] = _mm512_shuffle_i32x4(t[c], t[c + 4], 0x88);
    m[c + 8] = _mm512_shuffle_i32x4(t[c], t[c + 4], 0xDD);
    m[c + 4] = _mm512_shuffle_i32x4(t[c + 8], t[c + 12], 0x88);
    m[c + 12] = _mm512_shuffle_i32x4(t[c + 8], t[c + 12], 0xDD);
  }
}

/// 16 columns of a panel, `columns` of them there, whose elements of K stand side by side.
TILEWAVE_AVX512VNNI void PackAlong16(const pack::PanelSource& source, int64_t k, int64_t columns,
                                     uint8_t flip, std::byte* panel, int32_t* sums) {
  const __m512i flips = _mm512_set1_epi8(static_cast<char>(flip));
  __m512i total = _mm512_setzero_si512();
  for (int64_t i = 0; i < k; i += kElementsPerTurn) {
    const auto mask = static_cast<__mmask64>(LowBits(k - i));
    __m512i block[16];
    for (int64_t c = 0; c < kLanes; ++c) {
      block[c] = _mm512_setzero_si512();
      if (c < columns) {
        const __m512i bytes =
            _mm512_maskz_loadu_epi8(mask, source.data + (c * source.column_stride) + i);
        block[c] = _mm512_maskz_mov_epi8(mask, _mm512_xor_si512(bytes, flips));
      }
    }
    Transpose(block);
    const int64_t left = (k - i + kQuad - 1) / kQuad;
    for (int64_t g = 0; g < 16 && g < left; ++g) {
      total = AddQuads(total, block[g]);
      _mm512_storeu_si512(panel + (((i / kQuad) + g) * kGroupBytes), block[g]);
    }
  }
  _mm512_storeu_si512(sums, total);
}

}  // namespace

void PackQuads32_avx512(const pack::PanelSource& source, int64_t k, int64_t columns, uint8_t flip,
                        std::byte* panel, int32_t* sums) {
  if (source.column_stride == 1) {
    PackAcross(source, k, columns, flip, panel, sums);
  } else if (source.k_stride == 1) {
    PackAlong16(source, k, columns, flip, panel, sums);
    const int64_t second_at = columns > kLanes ? kLanes * source.column_stride : 0;
    const pack::PanelSource second{source.data + second_at, 1, source.column_stride};
    PackAlong16(second, k, columns - kLanes, flip, panel + (kLanes * kQuad), sums + kLanes);
  } else {
    pack::PackQuads(source, k, columns, kColumns, flip, panel, sums);
  }
}

}  // namespace tilewave::kernels::cpu

#endif
