#pragma once

#include <algorithm>
#include <limits>

#include "base/checked_math.h"
#include "core/problem.h"
#include "tilewave/tensors.h"

namespace tilewave::core {

/// a * b; the largest int64_t for what does not fit.
inline int64_t ProductOrMost(int64_t a, int64_t b) {
  return base::CheckedMul(a, b).value_or(std::numeric_limits<int64_t>::max());
}

/// The strides of a view, kDenseStride worked out; the largest int64_t for what does not fit. The
/// batch's is 0 for one matrix. Other negative strides stay, to be refused. Inline, for views of
/// either kind, and written where they stay: this is part of every call, where copies of what has
/// just been written would be waited for.
template <typename Pointer>
void SetStrides(const BasicMatrix<Pointer>& view, Strides* strides) {
  int64_t row = view.row_stride;
  int64_t col = view.col_stride;
  int64_t batch = view.batch_stride;
  // A transposed view has the one in the other's place; of two, rows are one after another.
  if (row == kDenseStride && col == kDenseStride) col = 1;
  if (row == kDenseStride) row = ProductOrMost(view.cols, col);
  if (col == kDenseStride) col = ProductOrMost(view.rows, row);
  if (view.batch == 1) {
    batch = 0;
  } else if (batch == kDenseStride) {
    batch = std::max(ProductOrMost(view.rows, row), ProductOrMost(view.cols, col));
  }
  strides->row = row;
  strides->col = col;
  strides->batch = batch;
}

template <typename Pointer>
Strides StridesOf(const BasicMatrix<Pointer>& view) {
  Strides strides;
  SetStrides(view, &strides);
  return strides;
}

}  // namespace tilewave::core
