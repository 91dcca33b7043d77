#include "kernels/cpu/few_rows_avx512.h"

#if defined(__x86_64__)

#include <algorithm>

#include "kernels/cpu/avx512_vnni.h"
#include "kernels/cpu/few_rows_parts.h"
#include "kernels/cpu/rows_avx512.h"

namespace tilewave::kernels::cpu {
namespace {

constexpr int64_t kStep = 16;  // Elements of K at a time.
constexpr int64_t kColumns = kFewRowsColumns;
constexpr int kVectors = 4;        // Registers of sums for these columns.
constexpr int kQuads = kStep / 4;  // Quads along K of a step.
constexpr int64_t kLanes = 16;     // s32 per register.
constexpr int64_t kBytes = 64;     // Per register.
static_assert(kBytes == kFewRowsPad);

/// A step of K and 64 columns of B as quads. Interleaving leaves columns in an order of its own:
/// lane 4 * i + l of vector v is column 16 * i + 4 * v + l. Sums stay in that order to the end.
struct Block {
  __m512i quads[kQuads][kVectors];
};

/// What B has of a step: some of its rows, and columns by mask.
struct Extent {
  int64_t rows;
  __mmask64 columns;
};

/// kWhole: all rows are there.
template <bool kFlip, bool kWhole>
TILEWAVE_AVX512VNNI [[gnu::always_inline]] inline Block LoadBlock(const uint8_t* b, int64_t stride,
                                                                  const Extent& extent) {
  const __m512i flip = _mm512_maskz_set1_epi8(extent.columns, static_cast<char>(0x80));
  Block block;
#pragma GCC unroll 4
  for (int q = 0; q < kQuads; ++q) {
    __m512i row[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      row[i] = _mm512_setzero_si512();
      if (kWhole || (q * 4) + i < extent.rows) {
        row[i] = _mm512_maskz_loadu_epi8(extent.columns, b + (((q * 4) + i) * stride));
        if constexpr (kFlip) row[i] = _mm512_xor_si512(row[i], flip);
      }
    }
    const __m512i low01 = _mm512_unpacklo_epi8(row[0], row[1]);
    const __m512i high01 = _mm512_unpackhi_epi8(row[0], row[1]);
    const __m512i low23 = _mm512_unpacklo_epi8(row[2], row[3]);
    const __m512i high23 = _mm512_unpackhi_epi8(row[2], row[3]);
    block.quads[q][0] = _mm512_unpacklo_epi16(low01, low23);
    block.quads[q][1] = _mm512_unpackhi_epi16(low01, low23);
    block.quads[q][2] = _mm512_unpacklo_epi16(high01, high23);
    block.quads[q][3] = _mm512_unpackhi_epi16(high01, high23);
  }
  return block;
}

/// sums += the products of a row's step with a block. One of the two operands is unsigned.
template <bool kSignedA>
TILEWAVE_AVX512VNNI [[gnu::always_inline]] inline void MultiplyStep(const uint8_t* a,
                                                                    const Block& block,
                                                                    int32_t* sums) {
  __m512i sum[kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) sum[v] = _mm512_load_si512(sums + (v * kLanes));
#pragma GCC unroll 4
  for (int q = 0; q < kQuads; ++q) {
    const __m512i row = BroadcastQuad(a + (int64_t{q} * 4));
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      if constexpr (kSignedA) {
        DotAdd(&sum[v], block.quads[q][v], row);
      } else {
        DotAdd(&sum[v], row, block.quads[q][v]);
      }
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) _mm512_store_si512(sums + (v * kLanes), sum[v]);
}

/// Sums of 64 columns from the order of Block to that of columns: 4 x 4 pieces of 16 bytes change
/// places.
TILEWAVE_AVX512VNNI inline void Restore(int32_t* sums) {
  __m512i in[kVectors];
  for (int v = 0; v < kVectors; ++v) in[v] = _mm512_load_si512(sums + (v * kLanes));
  const __m512i a = _mm512_shuffle_i32x4(in[0], in[1], 0x44);
  const __m512i b = _mm512_shuffle_i32x4(in[0], in[1], 0xEE);
  const __m512i c = _mm512_shuffle_i32x4(in[2], in[3], 0x44);
  const __m512i d = _mm512_shuffle_i32x4(in[2], in[3], 0xEE);
  _mm512_store_si512(sums, _mm512_shuffle_i32x4(a, c, 0x88));
  _mm512_store_si512(sums + kLanes, _mm512_shuffle_i32x4(a, c, 0xDD));
  _mm512_store_si512(sums + (2 * kLanes), _mm512_shuffle_i32x4(b, d, 0x88));
  _mm512_store_si512(sums + (3 * kLanes), _mm512_shuffle_i32x4(b, d, 0xDD));
}

/// What a row's sums begin with: the instruction wants one operand unsigned and one signed, or B is
/// flipped.
int32_t StartOf(const FewRowsArgs& t, int64_t r) {
  return t.a_signed != t.b_signed ? 0 : StartOfFlipped(t, r, kRowsAvx512);
}

/// Where a step of K meets 64 columns.
struct StepAt {
  int64_t k;
  int64_t column;
};

/// All rows of A times a block of B, which is in registers meanwhile.
template <bool kSignedA, bool kFlip, bool kWhole>
TILEWAVE_AVX512VNNI inline void MultiplyBlock(const FewRowsArgs& t, const StepAt& at,
                                              const Extent& extent) {
  const uint8_t* b = t.b + (at.k * t.b_stride) + at.column;
  const Block block = LoadBlock<kFlip, kWhole>(b, t.b_stride, extent);
  // Every row is a page of its own when B is wide, where CPUs do not look ahead; and rows a power
  // of two apart would evict each other from the L1 cache before they are read. Not behind B, where
  // looking for pages that are not there can take longer than all the rest.
  if (at.k + (2 * kStep) <= t.k) {
#pragma GCC unroll 16
    for (int64_t i = kStep; i < 2 * kStep; ++i) {
      _mm_prefetch(reinterpret_cast<const char*>(b + (i * t.b_stride)), _MM_HINT_T1);
    }
  }
  const uint8_t* a = t.a + at.k;
  int32_t* sums = t.sums + at.column;
  for (int64_t r = 0; r < t.rows; ++r) {
    MultiplyStep<kSignedA>(a, block, sums);
    a += t.a_stride;
    sums += t.sums_stride;
  }
}

template <bool kSignedA, bool kFlip>
TILEWAVE_AVX512VNNI void MultiplySteps(const FewRowsArgs& t, int64_t first, int64_t end) {
  const int64_t whole_k = t.k / kStep * kStep;
  const int64_t whole_end = first + ((end - first) / kColumns * kColumns);
  const __mmask64 all = ~uint64_t{0};
  const __mmask64 rest = (uint64_t{1} << ((end - first) % kColumns)) - 1;
  for (int64_t k = 0; k < whole_k; k += kStep) {
    for (int64_t j = first; j < whole_end; j += kColumns) {
      MultiplyBlock<kSignedA, kFlip, true>(t, {k, j}, {kStep, all});
    }
    if (rest != 0) MultiplyBlock<kSignedA, kFlip, true>(t, {k, whole_end}, {kStep, rest});
  }
  if (whole_k == t.k) return;
  for (int64_t j = first; j < end; j += kColumns) {
    MultiplyBlock<kSignedA, kFlip, false>(t, {whole_k, j},
                                          {t.k - whole_k, j < whole_end ? all : rest});
  }
}

template <bool kSignedA, bool kFlip>
TILEWAVE_AVX512VNNI void RunAcross(const FewRowsArgs& t) {
  const int64_t block_columns = ColumnsNearby(t);
  int32_t starts[kFewRows];
  for (int64_t r = 0; r < t.rows; ++r) starts[r] = StartOf(t, r);
  for (int64_t first = 0; first < t.columns; first += block_columns) {
    const int64_t end = std::min(t.columns, first + block_columns);
    for (int64_t r = 0; r < t.rows; ++r) {
      const __m512i start = _mm512_set1_epi32(starts[r]);
      int32_t* sums = t.sums + (r * t.sums_stride);
      // To the end of the last 64 columns, all of which are computed.
      for (int64_t j = first; j < end || j % kColumns != 0; j += kLanes) {
        _mm512_store_si512(sums + j, start);
      }
    }
    MultiplySteps<kSignedA, kFlip>(t, first, end);
    for (int64_t r = 0; r < t.rows; ++r) {
      for (int64_t j = first; j < end; j += kColumns) Restore(t.sums + (r * t.sums_stride) + j);
    }
  }
}

constexpr int kMostColumnsAlong = 8;  // Of a column-major B, at a time.

/// The sums of the lanes of each of four registers.
TILEWAVE_AVX512VNNI inline __m128i AddLanes(__m512i s0, __m512i s1, __m512i s2, __m512i s3) {
  const __m512i low =
      _mm512_add_epi32(_mm512_unpacklo_epi32(s0, s1), _mm512_unpackhi_epi32(s0, s1));
  const __m512i high =
      _mm512_add_epi32(_mm512_unpacklo_epi32(s2, s3), _mm512_unpackhi_epi32(s2, s3));
  const __m512i all =
      _mm512_add_epi32(_mm512_unpacklo_epi64(low, high), _mm512_unpackhi_epi64(low, high));
  const __m256i half =
      _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
  return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

/// The first `count` of four sums, each from its own register, and `start` to `to`.
TILEWAVE_AVX512VNNI [[gnu::always_inline]] inline void StoreFour(const __m512i (&sum)[4],
                                                                 int32_t start, int64_t count,
                                                                 int32_t* to) {
  const auto some = static_cast<unsigned>(std::clamp<int64_t>(count, 0, 4));
  const __m128i all =
      _mm_add_epi32(AddLanes(sum[0], sum[1], sum[2], sum[3]), _mm_set1_epi32(start));
  _mm_mask_storeu_epi32(to, static_cast<__mmask8>((1u << some) - 1), all);
}

/// kRows rows of A from row `r` on times `columns` <= 4 * kFours columns from j on, along K. The
/// loops must be unrolled early, or the sums live in memory.
template <bool kSignedA, bool kFlip, int kRows, int kFours>
TILEWAVE_AVX512VNNI void MultiplyAlong(const FewRowsArgs& t, int64_t r, int64_t j, int64_t columns,
                                       const int32_t* starts) {
  constexpr int kAtOnce = 4 * kFours;
  const int64_t whole = t.k / kBytes * kBytes;
  const uint8_t* b[size_t{kAtOnce}];
  // The ends of columns stand here, so that nothing behind them is read. A is zero there.
  alignas(kBytes) uint8_t ends[size_t{kAtOnce}][kBytes] = {};
#pragma GCC unroll 8
  for (int c = 0; c < kAtOnce; ++c) {
    // Columns that are not there repeat the last one.
    b[c] = t.b + ((j + std::min<int64_t>(c, columns - 1)) * t.b_stride);
    if (whole < t.k) std::memcpy(ends[c], b[c] + whole, static_cast<size_t>(t.k - whole));
  }
  const uint8_t* a = t.a + (r * t.a_stride);
  const int64_t a_stride = t.a_stride;
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(0x80));
  __m512i sum[size_t{kRows}][size_t{kFours}][4];
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
    for (int c = 0; c < kAtOnce; ++c) sum[i][c / 4][c % 4] = _mm512_setzero_si512();
  }
  for (int64_t k = 0; k < t.k; k += kBytes) {
    __m512i column[size_t{kAtOnce}];
#pragma GCC unroll 8
    for (int c = 0; c < kAtOnce; ++c) {
      column[c] = _mm512_loadu_si512(k < whole ? b[c] + k : ends[c]);
      if constexpr (kFlip) column[c] = _mm512_xor_si512(column[c], flip);
    }
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
      const __m512i row = _mm512_loadu_si512(a + (i * a_stride) + k);
#pragma GCC unroll 8
      for (int c = 0; c < kAtOnce; ++c) {
        if constexpr (kSignedA) {
          DotAdd(&sum[i][c / 4][c % 4], column[c], row);
        } else {
          DotAdd(&sum[i][c / 4][c % 4], row, column[c]);
        }
      }
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
    int32_t* const to = t.sums + ((r + i) * t.sums_stride) + j;
    StoreFour(sum[i][0], starts[r + i], columns, to);
    if constexpr (kFours > 1) StoreFour(sum[i][1], starts[r + i], columns - 4, to + 4);
  }
}

/// Some rows times columns [first, end).
template <bool kSignedA, bool kFlip, int kRows, int kFours>
TILEWAVE_AVX512VNNI void MultiplyAllAlong(const FewRowsArgs& t, int64_t r, int64_t first,
                                          int64_t end, const int32_t* starts) {
  constexpr int64_t kAtOnce = int64_t{4} * kFours;
  for (int64_t j = first; j < end; j += kAtOnce) {
    MultiplyAlong<kSignedA, kFlip, kRows, kFours>(t, r, j, std::min(kAtOnce, end - j), starts);
  }
}

template <bool kSignedA, bool kFlip>
TILEWAVE_AVX512VNNI void RunAlong(const FewRowsArgs& t) {
  int32_t starts[kFewRows];
  for (int64_t r = 0; r < t.rows; ++r) starts[r] = StartOf(t, r);
  // Columns come from afar once, and stay near for all rows.
  for (int64_t j = 0; j < t.columns; j += kMostColumnsAlong) {
    const int64_t end = std::min(t.columns, j + kMostColumnsAlong);
    int64_t r = 0;
    for (; r + 4 <= t.rows; r += 4) MultiplyAllAlong<kSignedA, kFlip, 4, 1>(t, r, j, end, starts);
    for (; r + 2 <= t.rows; r += 2) MultiplyAllAlong<kSignedA, kFlip, 2, 2>(t, r, j, end, starts);
    if (r < t.rows) MultiplyAllAlong<kSignedA, kFlip, 1, 2>(t, r, j, end, starts);
  }
}

template <bool kSignedA, bool kFlip>
void RunEither(const FewRowsArgs& t) {
  t.b_along_k ? RunAlong<kSignedA, kFlip>(t) : RunAcross<kSignedA, kFlip>(t);
}

}  // namespace

void FewRows_avx512(const FewRowsArgs& t) {
  if (t.a_signed) {
    t.b_signed ? RunEither<true, true>(t) : RunEither<true, false>(t);
  } else {
    t.b_signed ? RunEither<false, false>(t) : RunEither<false, true>(t);
  }
}

}  // namespace tilewave::kernels::cpu

#endif
