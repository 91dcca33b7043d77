#include "device/host/few_rows_product.h"

#include "device/host/few_vectors.h"

namespace tilewave::device::host {
namespace {

using kernels::cpu::EpilogueTile;
using kernels::cpu::kFewRows;

// A task's columns: long runs of B's rows, and sums that stay in the L2 cache.
constexpr int64_t kMostColumns = 4096;

/// Parameters of columns as dense vectors.
struct Columns {
  DenseParameter<int32_t> zero_b;
  DenseParameter<int32_t> bias;
};

void ComputeColumns(const HostProduct& p, const ManyVectors& right, const FewVectors& rows,
                    const Columns& columns, const FewPart& part) {
  const core::Problem& problem = *p.problem;
  SumPart(p, rows, right, part);
  EpilogueTile e;
  e.sums = part.sums;
  e.sums_stride = StrideOfFewSums(part.count);
  e.rows = problem.m;
  e.columns = part.count;
  e.c = static_cast<std::byte*>(p.c) +
        ((part.matrix * problem.c.batch) + part.first) * p.element_bytes();
  e.c_stride = problem.c.row;
  e.row_term = rows.terms(part.matrix);
  if (e.row_term != nullptr) e.column_sums = part.sums + (problem.m * e.sums_stride);
  e.row_zero_term = rows.sum_terms(part.matrix);
  if (e.row_zero_term != nullptr) e.zero_b = columns.zero_b.From(part.matrix, part.first);
  e.bias_s32 = columns.bias.From(part.matrix, part.first);
  e.scale_a = p.scale_a.From(part.matrix, 0);
  e.scale_b = p.scale_b.From(part.matrix, part.first);
  e.bias_f32 = p.bias_f32.From(part.matrix, part.first);
  e.requant_scale = p.requant_scale.From(part.matrix, part.first);
  p.kernel->rows->store(p.mode, e);
  if (p.progress != nullptr) {
    p.progress->fetch_add(problem.m * part.count, std::memory_order_relaxed);
  }
}

}  // namespace

bool TakesFewRows(const core::Problem& p, const kernels::cpu::Int8Kernel& kernel) {
  return kernel.few_rows != nullptr && !p.b_prepacked && p.m < kFewRows &&
         (p.b.col == 1 || p.b.row == 1) && p.c.col == 1;
}

void ComputeFewRows(const HostProduct& p, const core::Operands& o, const RightSource& right,
                    const base::Crew& crew, Workspace* workspace) {
  const core::Problem& problem = *p.problem;
  const FewVectors rows(
      {p.a.bytes, p.a.type, problem.batch, problem.m, problem.k, o.zero_a, AnyNotZero(o.zero_b)},
      *p.kernel->rows, &workspace->few_vectors);
  const Columns columns{Dense(o.zero_b, problem.batch, problem.n, &workspace->init),
                        Dense(o.bias_s32, problem.batch, problem.n, &workspace->row_terms)};
  const ManyVectors many{BytesOf(right), right.type, problem.n};
  ShareParts(rows, many, problem.batch, kMostColumns, 0, crew, workspace,
             [&](const FewPart& part) { ComputeColumns(p, many, rows, columns, part); });
}

}  // namespace tilewave::device::host
