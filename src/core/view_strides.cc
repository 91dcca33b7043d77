#include "core/view_strides.h"

#include <algorithm>
#include <limits>

#include "base/checked_math.h"

namespace tilewave::core {
namespace {

int64_t Product(int64_t a, int64_t b) {
  return base::CheckedMul(a, b).value_or(std::numeric_limits<int64_t>::max());
}

}  // namespace

Strides StridesOf(const ConstMatrix& view) {
  Strides s{view.row_stride, view.col_stride, view.batch_stride};
  // A transposed view has the one in the other's place; of two, rows are one after another.
  if (s.row == kDenseStride && s.col == kDenseStride) s.col = 1;
  if (s.row == kDenseStride) s.row = Product(view.cols, s.col);
  if (s.col == kDenseStride) s.col = Product(view.rows, s.row);
  if (s.batch == kDenseStride) {
    s.batch = std::max(Product(view.rows, s.row), Product(view.cols, s.col));
  }
  if (view.batch == 1) s.batch = 0;
  return s;
}

}  // namespace tilewave::core
