#pragma once

// What functions for few rows have in common, whatever they multiply with.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/cpu/few_rows.h"
#include "kernels/cpu/row_functions.h"

namespace tilewave::kernels::cpu {

/// Columns of a row-major B whose sums fit near_bytes.
inline int64_t ColumnsNearby(const FewRowsArgs& t) {
  const int64_t fitting = t.near_bytes / (t.rows * static_cast<int64_t>(sizeof(int32_t)));
  return std::max(kFewRowsColumns, fitting / kFewRowsColumns * kFewRowsColumns);
}

/// Sums of row `r` and columns [first, end) begin with `start`, and so do those to the end of the
/// last `block` columns, all of which are computed.
inline void BeginSums(const FewRowsArgs& t, int64_t r, int64_t first, int64_t end, int64_t block,
                      int32_t start) {
  const int64_t computed = (end - first + block - 1) / block * block;
  std::fill_n(t.sums + (r * t.sums_stride) + first, computed, start);
}

/// What the sums of row `r` begin with if B is flipped to the other kind, which moves each of its
/// elements by 128.
inline int32_t StartOfFlipped(const FewRowsArgs& t, int64_t r, const RowFunctions& rows) {
  const auto sum = t.a_signed ? rows.sum_s8 : rows.sum_u8;
  const uint32_t moved = static_cast<uint32_t>(sum(t.a + (r * t.a_stride), t.k)) * 128;
  return static_cast<int32_t>(t.b_signed ? 0 - moved : moved);
}

/// What there is of a block of B, and zeros: nothing beside B is read. Row i stands at
/// b + i * stride.
template <int64_t kRows, int64_t kColumns>
struct PartOfBlock {
  PartOfBlock(const uint8_t* b, int64_t stride, int64_t rows, int64_t columns) {
    for (int64_t i = 0; i < rows; ++i) {
      std::memcpy(bytes[i], b + (i * stride), static_cast<size_t>(columns));
    }
  }

  alignas(16) uint8_t bytes[size_t{kRows}][size_t{kColumns}] = {};
};

}  // namespace tilewave::kernels::cpu
