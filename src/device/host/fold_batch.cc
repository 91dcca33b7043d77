#include "device/host/fold_batch.h"

#include "base/checked_math.h"

namespace tilewave::device::host {
namespace {

/// Whether the rows of all matrices are one row's stride apart; that stride then.
std::optional<int64_t> RowStrideOfAll(const core::Strides& s, int64_t m) {
  if (m == 1) return s.batch;
  if (base::CheckedMul(m, s.row) != s.batch) return std::nullopt;
  return s.row;
}

/// One parameter for each row of all matrices.
template <typename T>
bool FoldRows(int64_t m, Parameter<T>* p) {
  if (core::FormOf(*p) != core::ParameterForm::kVector) return true;
  const std::optional<int64_t> stride = RowStrideOfAll({p->stride, 0, p->batch_stride}, m);
  if (!stride) return false;
  p->stride = *stride;
  p->batch_stride = 0;
  return true;
}

template <typename T>
bool SameForAll(const Parameter<T>& p) {
  return core::FormOf(p) != core::ParameterForm::kVector || p.batch_stride == 0;
}

}  // namespace

std::optional<core::Problem> FoldedBatch(const core::Problem& problem) {
  if (problem.batch == 1 || problem.b.batch != 0) return std::nullopt;
  const std::optional<int64_t> a_row = RowStrideOfAll(problem.a, problem.m);
  const std::optional<int64_t> c_row = RowStrideOfAll(problem.c, problem.m);
  // Rows of A that are all the same stay a batch: so small a product gains nothing.
  if (!a_row || !c_row || *a_row == 0) return std::nullopt;
  core::Problem folded = problem;
  folded.batch = 1;
  folded.m = problem.batch * problem.m;
  folded.a = {*a_row, problem.a.col, 0};
  folded.c = {*c_row, problem.c.col, 0};
  return folded;
}

std::optional<core::Operands> FoldedOperands(const core::Problem& problem,
                                             const core::Operands& operands) {
  core::Operands o = operands;
  const bool rows = FoldRows(problem.m, &o.zero_a) && FoldRows(problem.m, &o.scale_a);
  const bool columns = SameForAll(o.zero_b) && SameForAll(o.scale_b) && SameForAll(o.bias_s32) &&
                       SameForAll(o.bias_f32) && SameForAll(o.requant_scale);
  if (!rows || !columns) return std::nullopt;
  return o;
}

}  // namespace tilewave::device::host
