#include "kernels/cpu/few_rows_avx2.h"

#if defined(__x86_64__)

#include <algorithm>
#include <cstring>

#include "kernels/cpu/avx2.h"
#include "kernels/cpu/few_rows_parts.h"
#include "kernels/cpu/wide_rows.h"

namespace tilewave::kernels::cpu {
namespace {

// Two s16 by two s16 at a time: what AVX2 multiplies without a loss, whatever the signs.
constexpr int64_t kStep = 8;       // Elements of K at a time,
constexpr int kPairs = kStep / 2;  // in pairs.
constexpr int64_t kColumns = 16;   // Of a block of B.
constexpr int kVectors = 2;        // Registers of sums for these columns.
constexpr int64_t kLanes = 8;      // s32 per register.
constexpr int64_t kLineBytes = 64;

template <bool kSigned>
TILEWAVE_AVX2 inline __m256i Widen(__m128i bytes) {
  return kSigned ? _mm256_cvtepi8_epi16(bytes) : _mm256_cvtepu8_epi16(bytes);
}

template <bool kSigned>
TILEWAVE_AVX2 void WidenRows(const FewRowsArgs& t, int64_t k, int64_t count, WideRows* rows) {
  for (int64_t r = 0; r < t.rows; ++r) {
    const uint8_t* a = t.a + (r * t.a_stride) + k;
    for (int64_t i = 0; i < count; i += 16) {
      auto* to = reinterpret_cast<__m256i*>(rows->elements + (r * rows->chunk) + i);
      _mm256_store_si256(to, Widen<kSigned>(Load16(a + i)));
    }
  }
}

/// The chunk of all rows that begins with element k, as far as there is one.
TILEWAVE_AVX2 inline void WidenChunk(const FewRowsArgs& t, int64_t k, WideRows* rows) {
  const int64_t count = std::min(rows->chunk, t.k - k);
  t.a_signed ? WidenRows<true>(t, k, count, rows) : WidenRows<false>(t, k, count, rows);
}

TILEWAVE_AVX2 inline __m256i BroadcastPair(const int16_t* pair) {
  int32_t both;
  std::memcpy(&both, pair, sizeof(both));
  return _mm256_set1_epi32(both);
}

TILEWAVE_AVX2 inline __m256i LoadSums(const int32_t* sums) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(sums));
}

TILEWAVE_AVX2 inline void StoreSums(int32_t* to, __m256i sums) {
  _mm256_store_si256(reinterpret_cast<__m256i*>(to), sums);
}

/// sums += the products of all rows' step, from element `in_chunk` on, with 16 columns of B, row i
/// of which stands at b + i * stride.
template <bool kSignedB>
TILEWAVE_AVX2 inline void MultiplyBlock(const FewRowsArgs& t, const WideRows& a, int64_t in_chunk,
                                        const uint8_t* b, int64_t stride, int32_t* sums) {
  __m256i pairs[kPairs][kVectors];
#pragma GCC unroll 4
  for (int64_t q = 0; q < kPairs; ++q) {
    const uint8_t* rows = b + (2 * q * stride);
    const __m128i even = Load16(rows);
    const __m128i odd = Load16(rows + stride);
    pairs[q][0] = Widen<kSignedB>(_mm_unpacklo_epi8(even, odd));
    pairs[q][1] = Widen<kSignedB>(_mm_unpackhi_epi8(even, odd));
  }
  for (int64_t r = 0; r < t.rows; ++r) {
    const int16_t* row = a.at(r) + in_chunk;
    __m256i sum[kVectors] = {LoadSums(sums), LoadSums(sums + kLanes)};
#pragma GCC unroll 4
    for (int64_t q = 0; q < kPairs; ++q) {
      const __m256i pair = BroadcastPair(row + (2 * q));
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        sum[v] = _mm256_add_epi32(sum[v], _mm256_madd_epi16(pair, pairs[q][v]));
      }
    }
    StoreSums(sums, sum[0]);
    StoreSums(sums + kLanes, sum[1]);
    sums += t.sums_stride;
  }
}

/// The same for the only row, and 64 columns: lines of B are read once, as rows of it that are a
/// power of two apart evict each other from the L1 cache.
template <bool kSignedB>
TILEWAVE_AVX2 inline void MultiplyLine(const int16_t* a, const uint8_t* b, int64_t stride,
                                       int32_t* sums) {
  constexpr int kBlocks = kLineBytes / kColumns;
  __m256i sum[kBlocks][kVectors];
#pragma GCC unroll 4
  for (int64_t i = 0; i < kBlocks; ++i) {
    sum[i][0] = LoadSums(sums + (i * kColumns));
    sum[i][1] = LoadSums(sums + (i * kColumns) + kLanes);
  }
#pragma GCC unroll 4
  for (int64_t q = 0; q < kPairs; ++q) {
    const __m256i pair = BroadcastPair(a + (2 * q));
    const uint8_t* rows = b + (2 * q * stride);
#pragma GCC unroll 4
    for (int64_t i = 0; i < kBlocks; ++i) {
      const __m128i even = Load16(rows + (i * kColumns));
      const __m128i odd = Load16(rows + stride + (i * kColumns));
      const __m256i low = Widen<kSignedB>(_mm_unpacklo_epi8(even, odd));
      const __m256i high = Widen<kSignedB>(_mm_unpackhi_epi8(even, odd));
      sum[i][0] = _mm256_add_epi32(sum[i][0], _mm256_madd_epi16(pair, low));
      sum[i][1] = _mm256_add_epi32(sum[i][1], _mm256_madd_epi16(pair, high));
    }
  }
#pragma GCC unroll 4
  for (int64_t i = 0; i < kBlocks; ++i) {
    StoreSums(sums + (i * kColumns), sum[i][0]);
    StoreSums(sums + (i * kColumns) + kLanes, sum[i][1]);
  }
}

/// Every row of a step is a page of its own when B is wide, where CPUs do not look ahead: this
/// fetches the line at `b` of the next step's. Not behind B: looking for pages that are not there
/// can take longer than all the rest.
TILEWAVE_AVX2 inline void FetchNextStep(const uint8_t* b, int64_t stride) {
#pragma GCC unroll 8
  for (int64_t i = kStep; i < 2 * kStep; ++i) {
    _mm_prefetch(reinterpret_cast<const char*>(b + (i * stride)), _MM_HINT_T1);
  }
}

/// A step of K by columns [first, end), which may be fewer than the step has or B's last.
template <bool kSignedB>
TILEWAVE_AVX2 void MultiplyStep(const FewRowsArgs& t, const WideRows& a, int64_t in_chunk,
                                int64_t k, int64_t first, int64_t end) {
  const uint8_t* b = t.b + (k * t.b_stride);
  const int64_t rows = std::min(kStep, t.k - k);
  const bool fetches = k + (2 * kStep) <= t.k;
  int64_t j = first;
  if (rows == kStep) {
    for (; t.rows == 1 && j + kLineBytes <= end; j += kLineBytes) {
      if (fetches) FetchNextStep(b + j, t.b_stride);
      MultiplyLine<kSignedB>(a.at(0) + in_chunk, b + j, t.b_stride, t.sums + j);
    }
    for (; j + kColumns <= end; j += kColumns) {
      if (fetches && (j - first) % kLineBytes == 0) FetchNextStep(b + j, t.b_stride);
      MultiplyBlock<kSignedB>(t, a, in_chunk, b + j, t.b_stride, t.sums + j);
    }
  }
  for (; j < end; j += kColumns) {
    const PartOfBlock<kStep, kColumns> part(b + j, t.b_stride, rows, std::min(kColumns, end - j));
    MultiplyBlock<kSignedB>(t, a, in_chunk, part.bytes[0], kColumns, t.sums + j);
  }
}

template <bool kSignedB>
TILEWAVE_AVX2 void RunAcross(const FewRowsArgs& t) {
  const int64_t block_columns = ColumnsNearby(t);
  WideRows a(t.rows);
  for (int64_t first = 0; first < t.columns; first += block_columns) {
    const int64_t end = std::min(t.columns, first + block_columns);
    for (int64_t r = 0; r < t.rows; ++r) BeginSums(t, r, first, end, kColumns, 0);
    for (int64_t k = 0; k < t.k; k += kStep) {
      if (k % a.chunk == 0) WidenChunk(t, k, &a);
      MultiplyStep<kSignedB>(t, a, k % a.chunk, k, first, end);
    }
  }
}

/// The sums of the lanes of each of two or four registers, and zeros.
template <int kCount>
TILEWAVE_AVX2 inline __m128i AddLanes(const __m256i* sum) {
  __m256i all = _mm256_setzero_si256();
  if constexpr (kCount == 4) all = _mm256_hadd_epi32(sum[2], sum[3]);
  all = _mm256_hadd_epi32(_mm256_hadd_epi32(sum[0], sum[1]), all);
  return _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
}

constexpr int64_t kBytes = 16;  // Elements of a column-major B at a time.
constexpr int64_t kAhead = 4;   // Columns.

/// Adds kRows rows of a chunk from row `r` on, `count` elements from k on, times kTogether columns
/// from j on, along K. The last chunk's end is not read from B but from `ends`.
template <bool kSignedB, int kRows, int kTogether>
TILEWAVE_AVX2 void MultiplyAlong(const FewRowsArgs& t, const WideRows& a, int64_t r, int64_t j,
                                 int64_t k, int64_t count) {
  const int64_t whole = count / kBytes * kBytes;
  const uint8_t* b[size_t{kTogether}];
  alignas(16) uint8_t ends[size_t{kTogether}][kBytes] = {};
  for (int64_t c = 0; c < kTogether; ++c) {
    // Columns that are not there repeat the last one.
    b[c] = t.b + (std::min(j + c, t.columns - 1) * t.b_stride) + k;
    if (whole < count) std::memcpy(ends[c], b[c] + whole, static_cast<size_t>(count - whole));
  }
  // The columns after the next: CPUs do not look ahead from one to another.
  const int64_t ahead = j + kTogether + kAhead <= t.columns ? kAhead * t.b_stride : 0;
  __m256i sum[size_t{kRows}][size_t{kTogether}];
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int c = 0; c < kTogether; ++c) sum[i][c] = _mm256_setzero_si256();
  }
  for (int64_t at = 0; at < count; at += kBytes) {
    __m256i column[size_t{kTogether}];
#pragma GCC unroll 4
    for (int c = 0; c < kTogether; ++c) {
      const uint8_t* from = at < whole ? b[c] + at : ends[c];
      if (at % kLineBytes == 0 && at < whole) {
        _mm_prefetch(reinterpret_cast<const char*>(from + ahead), _MM_HINT_T0);
      }
      column[c] = Widen<kSignedB>(Load16(from));
    }
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
      const __m256i row = _mm256_load_si256(reinterpret_cast<const __m256i*>(a.at(r + i) + at));
#pragma GCC unroll 4
      for (int c = 0; c < kTogether; ++c) {
        sum[i][c] = _mm256_add_epi32(sum[i][c], _mm256_madd_epi16(row, column[c]));
      }
    }
  }
  for (int i = 0; i < kRows; ++i) {
    int32_t* sums = t.sums + ((r + i) * t.sums_stride) + j;
    alignas(16) int32_t added[4];
    _mm_store_si128(reinterpret_cast<__m128i*>(added), AddLanes<kTogether>(sum[i]));
    for (int c = 0; c < kTogether && j + c < t.columns; ++c) {
      const auto before = static_cast<uint32_t>(k == 0 ? 0 : sums[c]);
      sums[c] = static_cast<int32_t>(before + static_cast<uint32_t>(added[c]));
    }
  }
}

template <bool kSignedB>
TILEWAVE_AVX2 void RunAlong(const FewRowsArgs& t) {
  WideRows a(t.rows);
  for (int64_t k = 0; k < t.k; k += a.chunk) {
    const int64_t count = std::min(a.chunk, t.k - k);
    WidenChunk(t, k, &a);
    for (int64_t j = 0; j < t.columns; j += 4) {
      int64_t r = 0;
      for (; r + 4 <= t.rows; r += 4) {
        MultiplyAlong<kSignedB, 4, 2>(t, a, r, j, k, count);
        if (j + 2 < t.columns) MultiplyAlong<kSignedB, 4, 2>(t, a, r, j + 2, k, count);
      }
      for (; r < t.rows; ++r) MultiplyAlong<kSignedB, 1, 4>(t, a, r, j, k, count);
    }
  }
}

template <bool kSignedB>
void RunEither(const FewRowsArgs& t) {
  t.b_along_k ? RunAlong<kSignedB>(t) : RunAcross<kSignedB>(t);
}

}  // namespace

void FewRows_avx2(const FewRowsArgs& t) { t.b_signed ? RunEither<true>(t) : RunEither<false>(t); }

}  // namespace tilewave::kernels::cpu

#endif
