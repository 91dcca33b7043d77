#include "kernels/cpu/few_rows_portable.h"

#include <algorithm>
#include <cstddef>

#include "kernels/cpu/few_rows_parts.h"
#include "kernels/cpu/portable_vectors.h"
#include "kernels/cpu/wide_rows.h"

namespace tilewave::kernels::cpu {
namespace {

constexpr int64_t kStep = 8;           // Elements of K at a time,
constexpr int64_t kPairs = kStep / 2;  // in pairs.
constexpr int64_t kColumns = 64;       // Of a block of B: a line.
static_assert(kColumns == kFewRowsColumns);

template <bool kSigned>
int16_t Wide(uint8_t byte) {
  return kSigned ? int16_t{static_cast<int8_t>(byte)} : int16_t{byte};
}

template <bool kSigned>
void Widen(const uint8_t* from, int64_t count, int16_t* to) {
  for (int64_t i = 0; i < count; ++i) to[i] = Wide<kSigned>(from[i]);
}

int64_t Padded(int64_t count) { return (count + kFewRowsPad - 1) / kFewRowsPad * kFewRowsPad; }

/// The chunk of all rows that begins with element k, as far as there is one.
void WidenChunk(const FewRowsArgs& t, int64_t k, WideRows* rows) {
  const int64_t count = std::min(rows->chunk, t.k - k);
  const int64_t padded = Padded(count);
  for (int64_t r = 0; r < t.rows; ++r) {
    const uint8_t* from = t.a + (r * t.a_stride) + k;
    int16_t* to = rows->elements + (r * rows->chunk);
    t.a_signed ? Widen<true>(from, padded, to) : Widen<false>(from, padded, to);
  }
}

/// A step of K and a line's columns of B, widened, in pairs along K.
struct Block {
  alignas(16) int16_t pairs[kPairs][kColumns][2];
};

/// Row i of the block stands at b + i * stride.
template <bool kSigned>
void LoadBlock(const uint8_t* b, int64_t stride, Block* block) {
#pragma GCC unroll 4
  for (int64_t q = 0; q < kPairs; ++q) {
    const uint8_t* even = b + (2 * q * stride);
    const uint8_t* odd = even + stride;
    for (int64_t j = 0; j < kColumns; ++j) {
      block->pairs[q][j][0] = Wide<kSigned>(even[j]);
      block->pairs[q][j][1] = Wide<kSigned>(odd[j]);
    }
  }
}

/// sums += the products of all rows' step, from element `in_chunk` on, with a block.
void MultiplyBlock(const FewRowsArgs& t, const WideRows& a, int64_t in_chunk, const Block& block,
                   int32_t* sums) {
  for (int64_t r = 0; r < t.rows; ++r) {
    const int16_t* row = a.at(r) + in_chunk;
    Pairs pair[kPairs];
#pragma GCC unroll 4
    for (int64_t q = 0; q < kPairs; ++q) pair[q] = LoadPair(row + (2 * q));
#pragma GCC unroll 4
    for (int64_t j = 0; j < kColumns; j += kLanes) {
      Sums sum = LoadSums(sums + j);
#pragma GCC unroll 4
      for (int64_t q = 0; q < kPairs; ++q) {
        sum = MultiplyAdd(sum, pair[q], LoadPairs(block.pairs[q][j]));
      }
      StoreSums(sum, sums + j);
    }
    sums += t.sums_stride;
  }
}

/// Every row of a step is a page of its own when B is wide, where CPUs do not look ahead: this
/// fetches the line at `b` of the next step's. Not behind B: looking for pages that are not there
/// can take longer than all the rest.
void FetchNextStep(const uint8_t* b, int64_t stride) {
#pragma GCC unroll 8
  for (int64_t i = kStep; i < 2 * kStep; ++i) __builtin_prefetch(b + (i * stride));
}

/// A step of K by columns [first, end), which may be fewer than the step has or B's last.
template <bool kSignedB>
void MultiplyStep(const FewRowsArgs& t, const WideRows& a, int64_t k, int64_t first, int64_t end) {
  const uint8_t* b = t.b + (k * t.b_stride);
  const int64_t rows = std::min(kStep, t.k - k);
  const bool fetches = k + (2 * kStep) <= t.k;
  for (int64_t j = first; j < end; j += kColumns) {
    Block block;
    if (rows == kStep && j + kColumns <= end) {
      if (fetches) FetchNextStep(b + j, t.b_stride);
      LoadBlock<kSignedB>(b + j, t.b_stride, &block);
    } else {
      const PartOfBlock<kStep, kColumns> part(b + j, t.b_stride, rows, std::min(kColumns, end - j));
      LoadBlock<kSignedB>(part.bytes[0], kColumns, &block);
    }
    MultiplyBlock(t, a, k % a.chunk, block, t.sums + j);
  }
}

template <bool kSignedB>
void RunAcross(const FewRowsArgs& t) {
  const int64_t block_columns = ColumnsNearby(t);
  WideRows a(t.rows);
  for (int64_t first = 0; first < t.columns; first += block_columns) {
    const int64_t end = std::min(t.columns, first + block_columns);
    for (int64_t r = 0; r < t.rows; ++r) BeginSums(t, r, first, end, kColumns, 0);
    for (int64_t k = 0; k < t.k; k += kStep) {
      if (k % a.chunk == 0) WidenChunk(t, k, &a);
      MultiplyStep<kSignedB>(t, a, k, first, end);
    }
  }
}

constexpr int64_t kPiece = 512;   // Elements of K of columns that run along K, widened at a time.
constexpr int64_t kTogether = 2;  // Of these columns, and of rows.

/// A piece of two columns of B, widened. What stands behind it meets zeros of A.
struct WideColumns {
  alignas(16) int16_t elements[kTogether][kPiece] = {};
};

/// The lanes of a register.
uint32_t AddLanes(Sums sums) {
  int32_t lanes[kLanes];
  StoreSums(sums, lanes);
  uint32_t sum = 0;
  for (const int32_t lane : lanes) sum += static_cast<uint32_t>(lane);
  return sum;
}

/// Adds the products of kRows rows from row `r` on, `count` elements from `in_chunk` on, a multiple
/// of kFewRowsPad, with the columns to those of t.sums from j on.
template <int kRows>
void MultiplyAlong(const FewRowsArgs& t, const WideRows& a, int64_t in_chunk, int64_t r,
                   const WideColumns& b, int64_t count, int64_t j) {
  Sums sum[size_t{kRows}][kTogether] = {};
  for (int64_t k = 0; k < count; k += 2 * kLanes) {
#pragma GCC unroll 2
    for (int i = 0; i < kRows; ++i) {
      const auto row = LoadPairs(a.at(r + i) + in_chunk + k);
#pragma GCC unroll 2
      for (int c = 0; c < kTogether; ++c) {
        sum[i][c] = MultiplyAdd(sum[i][c], row, LoadPairs(b.elements[c] + k));
      }
    }
  }
#pragma GCC unroll 2
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int64_t c = 0; c < kTogether; ++c) {
      int32_t* const to = t.sums + ((r + i) * t.sums_stride) + j + c;
      *to = static_cast<int32_t>(static_cast<uint32_t>(*to) + AddLanes(sum[i][c]));
    }
  }
}

template <bool kSignedB>
void RunAlong(const FewRowsArgs& t) {
  WideRows a(t.rows);
  WideColumns b;
  for (int64_t r = 0; r < t.rows; ++r) BeginSums(t, r, 0, t.columns, kTogether, 0);
  int64_t count = 0;
  for (int64_t k = 0; k < t.k; k += count) {
    const int64_t in_chunk = k % a.chunk;
    if (in_chunk == 0) WidenChunk(t, k, &a);
    count = std::min({kPiece, a.chunk - in_chunk, t.k - k});
    const int64_t padded = Padded(count);
    for (int64_t j = 0; j < t.columns; j += kTogether) {
      for (int64_t c = 0; c < std::min(kTogether, t.columns - j); ++c) {
        Widen<kSignedB>(t.b + ((j + c) * t.b_stride) + k, count, b.elements[c]);
      }
      int64_t r = 0;
      for (; r + 2 <= t.rows; r += 2) MultiplyAlong<2>(t, a, in_chunk, r, b, padded, j);
      if (r < t.rows) MultiplyAlong<1>(t, a, in_chunk, r, b, padded, j);
    }
  }
}

template <bool kSignedB>
void RunEither(const FewRowsArgs& t) {
  t.b_along_k ? RunAlong<kSignedB>(t) : RunAcross<kSignedB>(t);
}

}  // namespace

void FewRows_portable(const FewRowsArgs& t) {
  t.b_signed ? RunEither<true>(t) : RunEither<false>(t);
}

}  // namespace tilewave::kernels::cpu
