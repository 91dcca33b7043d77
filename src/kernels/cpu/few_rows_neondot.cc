#include "kernels/cpu/few_rows_neondot.h"

#if defined(__aarch64__)

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "kernels/cpu/few_rows_parts.h"
#include "kernels/cpu/neon_dot.h"
#include "kernels/cpu/rows_portable.h"

namespace tilewave::kernels::cpu {
namespace {

constexpr int64_t kStep = 16;  // Elements of K at a time,
constexpr int kQuads = 4;      // in quads.
constexpr int64_t kColumns = kFewRowsColumns;
constexpr int64_t kLanes = 4;           // s32 per register.
constexpr int kVectors = 4;             // Registers of sums at a time,
constexpr int64_t kColumnsAtOnce = 16;  // for these columns.
constexpr int64_t kBytes = 16;          // Per register.

/// A step of K and a line's columns of B, in quads along K. In memory, for lines to be read once:
/// rows of B that are a power of two apart evict each other from the L1 cache.
struct Block {
  alignas(16) uint8_t quads[kQuads][kColumns][4];
};

/// Row i of the block stands at b + i * stride.
template <bool kFlip>
TILEWAVE_NEONDOT void LoadBlock(const uint8_t* b, int64_t stride, Block* block) {
  const uint8x16_t flip = vdupq_n_u8(0x80);
  for (int64_t q = 0; q < kQuads; ++q) {
    for (int64_t j = 0; j < kColumns; j += kBytes) {
      uint8x16_t row[4];
#pragma GCC unroll 4
      for (int64_t i = 0; i < 4; ++i) {
        row[i] = vld1q_u8(b + (((4 * q) + i) * stride) + j);
        if constexpr (kFlip) row[i] = veorq_u8(row[i], flip);
      }
      const uint8x16x4_t rows = {{row[0], row[1], row[2], row[3]}};
      vst4q_u8(block->quads[q][j], rows);
    }
  }
}

/// A step of a row times four registers of quads for each of its own.
template <bool kSigned>
TILEWAVE_NEONDOT inline void MultiplyStep(uint8x16_t row,
                                          const uint8x16_t (&quads)[kQuads][kVectors],
                                          int32x4_t (&sum)[kVectors]) {
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    sum[v] = DotAddLane<kSigned, 0>(sum[v], quads[0][v], row);
    sum[v] = DotAddLane<kSigned, 1>(sum[v], quads[1][v], row);
    sum[v] = DotAddLane<kSigned, 2>(sum[v], quads[2][v], row);
    sum[v] = DotAddLane<kSigned, 3>(sum[v], quads[3][v], row);
  }
}

/// sums += the products of all rows' step at `a` with a block.
template <bool kSigned>
TILEWAVE_NEONDOT void MultiplyBlock(const FewRowsArgs& t, const uint8_t* a, const Block& block,
                                    int32_t* sums) {
  for (int64_t j = 0; j < kColumns; j += kColumnsAtOnce) {
    uint8x16_t quads[kQuads][kVectors];
#pragma GCC unroll 4
    for (int q = 0; q < kQuads; ++q) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) quads[q][v] = vld1q_u8(block.quads[q][j + (v * kLanes)]);
    }
    for (int64_t r = 0; r < t.rows; ++r) {
      int32_t* const at = sums + (r * t.sums_stride) + j;
      int32x4_t sum[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[v] = vld1q_s32(at + (v * kLanes));
      MultiplyStep<kSigned>(vld1q_u8(a + (r * t.a_stride)), quads, sum);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) vst1q_s32(at + (v * kLanes), sum[v]);
    }
  }
}

/// A step of K by columns [first, end), which may be fewer than the step has or B's last.
template <bool kSigned, bool kFlip>
TILEWAVE_NEONDOT void MultiplyColumns(const FewRowsArgs& t, int64_t k, int64_t first, int64_t end) {
  const uint8_t* b = t.b + (k * t.b_stride);
  const int64_t rows = std::min(kStep, t.k - k);
  for (int64_t j = first; j < end; j += kColumns) {
    Block block;
    if (rows == kStep && j + kColumns <= end) {
      LoadBlock<kFlip>(b + j, t.b_stride, &block);
    } else {
      const PartOfBlock<kStep, kColumns> part(b + j, t.b_stride, rows, std::min(kColumns, end - j));
      LoadBlock<kFlip>(part.bytes[0], kColumns, &block);
    }
    MultiplyBlock<kSigned>(t, t.a + k, block, t.sums + j);
  }
}

/// What a row's sums begin with: the instructions want both operands signed or both unsigned, or B
/// is flipped.
int32_t StartOf(const FewRowsArgs& t, int64_t r) {
  return t.a_signed == t.b_signed ? 0 : StartOfFlipped(t, r, kRowsPortable);
}

template <bool kSigned, bool kFlip>
TILEWAVE_NEONDOT void RunAcross(const FewRowsArgs& t) {
  const int64_t block_columns = ColumnsNearby(t);
  int32_t starts[kFewRows];
  for (int64_t r = 0; r < t.rows; ++r) starts[r] = StartOf(t, r);
  for (int64_t first = 0; first < t.columns; first += block_columns) {
    const int64_t end = std::min(t.columns, first + block_columns);
    for (int64_t r = 0; r < t.rows; ++r) BeginSums(t, r, first, end, kColumns, starts[r]);
    for (int64_t k = 0; k < t.k; k += kStep) MultiplyColumns<kSigned, kFlip>(t, k, first, end);
  }
}

constexpr int64_t kTogether = 4;  // Columns that run along K.

/// kRows rows of A from row `r` on times `columns` <= 4 columns from j on, along K. The loops must
/// be unrolled early, or the sums live in memory.
template <bool kSigned, bool kFlip, int kRows>
TILEWAVE_NEONDOT void MultiplyAlong(const FewRowsArgs& t, int64_t r, int64_t j, int64_t columns,
                                    const int32_t* starts) {
  const int64_t whole = t.k / kBytes * kBytes;
  const uint8_t* b[kTogether];
  // The ends of columns stand here, so that nothing behind them is read. A is zero there.
  uint8_t ends[kTogether][kBytes] = {};
#pragma GCC unroll 4
  for (int64_t c = 0; c < kTogether; ++c) {
    // Columns that are not there repeat the last one.
    b[c] = t.b + ((j + (c < columns ? c : columns - 1)) * t.b_stride);
    if (whole < t.k) std::memcpy(ends[c], b[c] + whole, static_cast<size_t>(t.k - whole));
  }
  const uint8_t* a = t.a + (r * t.a_stride);
  const int64_t a_stride = t.a_stride;
  int32x4_t sum[size_t{kRows}][kTogether];
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int64_t c = 0; c < kTogether; ++c) sum[i][c] = vdupq_n_s32(0);
  }
  for (int64_t k = 0; k < t.k; k += kBytes) {
    uint8x16_t column[kTogether];
#pragma GCC unroll 4
    for (int64_t c = 0; c < kTogether; ++c) {
      column[c] = vld1q_u8(k < whole ? b[c] + k : ends[c]);
      if constexpr (kFlip) column[c] = veorq_u8(column[c], vdupq_n_u8(0x80));
    }
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
      const uint8x16_t row = vld1q_u8(a + (i * a_stride) + k);
#pragma GCC unroll 4
      for (int64_t c = 0; c < kTogether; ++c) {
        sum[i][c] = DotAdd<kSigned>(sum[i][c], column[c], row);
      }
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
    const int32x4_t all =
        vaddq_s32(vdupq_n_s32(starts[r + i]),
                  vpaddq_s32(vpaddq_s32(sum[i][0], sum[i][1]), vpaddq_s32(sum[i][2], sum[i][3])));
    int32_t lanes[kTogether];
    vst1q_s32(lanes, all);
    std::memcpy(t.sums + ((r + i) * t.sums_stride) + j, lanes,
                static_cast<size_t>(columns) * sizeof(int32_t));
  }
}

template <bool kSigned, bool kFlip>
TILEWAVE_NEONDOT void RunAlong(const FewRowsArgs& t) {
  int32_t starts[kFewRows];
  for (int64_t r = 0; r < t.rows; ++r) starts[r] = StartOf(t, r);
  // Columns come from afar once, and stay near for all rows.
  for (int64_t j = 0; j < t.columns; j += kTogether) {
    const int64_t columns = std::min(kTogether, t.columns - j);
    int64_t r = 0;
    for (; r + 4 <= t.rows; r += 4) MultiplyAlong<kSigned, kFlip, 4>(t, r, j, columns, starts);
    for (; r < t.rows; ++r) MultiplyAlong<kSigned, kFlip, 1>(t, r, j, columns, starts);
  }
}

template <bool kSigned, bool kFlip>
void RunEither(const FewRowsArgs& t) {
  t.b_along_k ? RunAlong<kSigned, kFlip>(t) : RunAcross<kSigned, kFlip>(t);
}

}  // namespace

void FewRows_neondot(const FewRowsArgs& t) {
  if (t.a_signed) {
    t.b_signed ? RunEither<true, false>(t) : RunEither<true, true>(t);
  } else {
    t.b_signed ? RunEither<false, true>(t) : RunEither<false, false>(t);
  }
}

}  // namespace tilewave::kernels::cpu

#endif
