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

/// A row of a panel's columns: all 32, or those of the mask, which are read alone.
template <bool Whole>
TILEWAVE_AVX512VNNI inline __m256i LoadRow(const uint8_t* from, __mmask32 mask) {
  if constexpr (Whole) return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return _mm256_maskz_loadu_epi8(mask, from);
}

TILEWAVE_AVX512VNNI inline __m512i SideBySide(__m256i low, __m256i high) {
  return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/// Sums of the columns of a panel.
struct ColumnSums {
  __m512i first;
  __m512i second;
};

/// Four rows of 32 columns -> 32 quads. Four columns of four rows come to lie in each lane of 16
/// bytes, where rows and columns are then exchanged.
TILEWAVE_AVX512VNNI inline void PackQuad(__m512i rows01, __m512i rows23, std::byte* panel,
                                         ColumnSums* sums) {
  const __m512i first_lanes =
      _mm512_setr_epi32(0, 8, 16, 24, 1, 9, 17, 25, 2, 10, 18, 26, 3, 11, 19, 27);
  const __m512i second_lanes = _mm512_add_epi32(first_lanes, _mm512_set1_epi32(4));
  const __m512i exchanged =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  const __m512i first =
      _mm512_shuffle_epi8(_mm512_permutex2var_epi32(rows01, first_lanes, rows23), exchanged);
  const __m512i second =
      _mm512_shuffle_epi8(_mm512_permutex2var_epi32(rows01, second_lanes, rows23), exchanged);
  sums->first = AddQuads(sums->first, first);
  sums->second = AddQuads(sums->second, second);
  _mm512_storeu_si512(panel, first);
  _mm512_storeu_si512(panel + (kLanes * kQuad), second);
}

template <bool Whole>
TILEWAVE_AVX512VNNI inline void PackFourRows(const uint8_t* from, int64_t step, __mmask32 mask,
                                             __m512i flips, std::byte* panel, ColumnSums* sums) {
  const __m512i rows01 = SideBySide(LoadRow<Whole>(from, mask), LoadRow<Whole>(from + step, mask));
  const __m512i rows23 =
      SideBySide(LoadRow<Whole>(from + (2 * step), mask), LoadRow<Whole>(from + (3 * step), mask));
  PackQuad(_mm512_xor_si512(rows01, flips), _mm512_xor_si512(rows23, flips), panel, sums);
}

/// Columns stand side by side in the source. `Whole`: all 32 are there.
template <bool Whole>
TILEWAVE_AVX512VNNI void PackAcross(const pack::PanelSource& source, int64_t k, int64_t columns,
                                    uint8_t flip, std::byte* panel, int32_t* all_sums) {
  const auto mask = static_cast<__mmask32>(LowBits(columns));
  const __m256i row_flips = _mm256_maskz_set1_epi8(mask, static_cast<char>(flip));
  const __m512i flips = SideBySide(row_flips, row_flips);
  const __m512i zero = _mm512_setzero_si512();
  // One chain of additions would be what takes longest.
  ColumnSums even{zero, zero};
  ColumnSums odd{zero, zero};
  const int64_t step = source.k_stride;
  const uint8_t* from = source.data;
  int64_t left = k;
  for (; left >= 2 * kQuad; left -= 2 * kQuad) {
    PackFourRows<Whole>(from, step, mask, flips, panel, &even);
    PackFourRows<Whole>(from + (kQuad * step), step, mask, flips, panel + kGroupBytes, &odd);
    from += 2 * kQuad * step;
    panel += 2 * kGroupBytes;
  }
  if (left >= kQuad) {
    PackFourRows<Whole>(from, step, mask, flips, panel, &even);
    from += kQuad * step;
    panel += kGroupBytes;
    left -= kQuad;
  }
  if (left > 0) {
    __m256i row[kQuad];
    for (int64_t r = 0; r < kQuad; ++r) {
      row[r] = r < left ? _mm256_xor_si256(LoadRow<Whole>(from + (r * step), mask), row_flips)
                        : _mm256_setzero_si256();
    }
    PackQuad(SideBySide(row[0], row[1]), SideBySide(row[2], row[3]), panel, &odd);
  }
  _mm512_storeu_si512(all_sums, _mm512_add_epi32(even.first, odd.first));
  _mm512_storeu_si512(all_sums + kLanes, _mm512_add_epi32(even.second, odd.second));
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
    auto* const across = columns >= kColumns ? PackAcross<true> : PackAcross<false>;
    across(source, k, columns, flip, panel, sums);
  } else if (source.k_stride == 1) {
    PackAlong16(source, k, columns, flip, panel, sums);
    const int64_t second_at = columns > kLanes ? kLanes * source.column_stride : 0;
    const pack::PanelSource second{source.data + second_at, 1, source.column_stride};
    PackAlong16(second, k, columns - kLanes, flip, panel + (kLanes * kQuad), sums + kLanes);
  } else {
    pack::PackBytes(source, k, columns, kColumns, kQuad, flip, panel, sums);
  }
}

}  // namespace tilewave::kernels::cpu

#endif
