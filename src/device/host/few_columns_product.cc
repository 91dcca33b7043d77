#include "device/host/few_columns_product.h"

#include <algorithm>

#include "device/host/few_vectors.h"

namespace tilewave::device::host {
namespace {

using kernels::cpu::EpilogueTile;
using kernels::cpu::kFewRows;

// Rows of C in a task: their sums stay in a near cache while they are turned around.
constexpr int64_t kMostRows = 512;
constexpr int64_t kMostColumns = kFewRows - 1;
// Rows along K are summed across a vector at their end: tiles are faster from so many columns on,
// and with a K shorter than so many times their number (measured with AVX2).
constexpr int64_t kMostColumnsAlongK = 12;
constexpr int64_t kLeastKPerColumn = 8;
// Columns that do not run along K are copied byte by byte, in the time that tiles take for some
// rows.
constexpr int64_t kLeastRowsPerColumn = 16;

/// The terms of zero points and the bias, as dense vectors.
struct Terms {
  DenseParameter<int32_t> zero_a;
  DenseParameter<int32_t> bias;
};

void ComputeRows(const HostProduct& p, const ManyVectors& left, const FewVectors& columns,
                 const Terms& terms, const FewPart& part) {
  const core::Problem& problem = *p.problem;
  SumPart(p, columns, left, part);
  const int64_t stride = StrideOfFewSums(part.count);
  int32_t* turned = part.sums + (columns.vectors() * stride);
  for (int64_t i = 0; i < part.count; ++i) {
    for (int64_t j = 0; j < problem.n; ++j) {
      turned[(i * problem.n) + j] = part.sums[(j * stride) + i];
    }
  }
  EpilogueTile e;
  e.sums = turned;
  e.sums_stride = problem.n;
  e.rows = part.count;
  e.columns = problem.n;
  e.c = static_cast<std::byte*>(p.c) +
        ((part.matrix * problem.c.batch) + (part.first * problem.c.row)) * p.element_bytes();
  e.c_stride = problem.c.row;
  // With a row's sum s and a column's t: zero_a * (K * zero_b - t) - zero_b * s.
  e.column_sums = columns.terms(part.matrix);
  if (e.column_sums != nullptr) e.row_term = part.sums + (problem.n * stride);
  e.zero_b = columns.sum_terms(part.matrix);
  if (e.zero_b != nullptr) e.row_zero_term = terms.zero_a.From(part.matrix, part.first);
  e.bias_s32 = terms.bias.From(part.matrix, 0);
  e.scale_a = p.scale_a.From(part.matrix, part.first);
  e.scale_b = p.scale_b.From(part.matrix, 0);
  e.bias_f32 = p.bias_f32.From(part.matrix, 0);
  e.requant_scale = p.requant_scale.From(part.matrix, 0);
  p.kernel->rows->store(p.mode, e);
  if (p.progress != nullptr) {
    p.progress->fetch_add(part.count * problem.n, std::memory_order_relaxed);
  }
}

}  // namespace

bool TakesFewColumns(const core::Problem& p, const kernels::cpu::Int8Kernel& kernel) {
  if (kernel.few_rows == nullptr || p.m <= kMostColumns || p.c.col != 1) return false;
  if (p.b.row != 1 && p.n > 1 && p.m < p.n * kLeastRowsPerColumn) return false;
  const int64_t most =
      p.a.col == 1 ? std::min(kMostColumnsAlongK, p.k / kLeastKPerColumn) : kMostColumns;
  return p.n * kernel.speed <= most && (p.a.col == 1 || p.a.row == 1);
}

void ComputeFewColumns(const HostProduct& p, const core::Operands& o, const RightSource& right,
                       const base::Crew& crew, Workspace* workspace) {
  const core::Problem& problem = *p.problem;
  const FewVectors columns({BytesOf(right), right.type, problem.batch, problem.n, problem.k,
                            right.zero, AnyNotZero(o.zero_a)},
                           *p.kernel->rows, &workspace->few_vectors);
  const Terms terms{Dense(o.zero_a, problem.batch, problem.m, &workspace->row_terms),
                    Dense(o.bias_s32, problem.batch, problem.n, &workspace->init)};
  const ManyVectors many{p.a.bytes, p.a.type, problem.m};
  ShareParts(columns, many, problem.batch, kMostRows, problem.n, crew, workspace,
             [&](const FewPart& part) { ComputeRows(p, many, columns, terms, part); });
}

}  // namespace tilewave::device::host
