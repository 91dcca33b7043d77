#include "device/host/few_columns_product.h"

#include <algorithm>
#include <span>

#include "base/check.h"
#include "base/checked_math.h"
#include "device/host/few_vectors.h"

namespace tilewave::device::host {
namespace {

using kernels::cpu::EpilogueTile;
using kernels::cpu::FewRowsArgs;
using kernels::cpu::kFewRows;
using kernels::cpu::kFewRowsColumns;

// Rows of C in a task: their sums stay in a near cache while they are turned around.
constexpr int64_t kMostRows = 512;
constexpr int64_t kTasksPerThread = 4;
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

/// Room for sums as few_rows leaves them, a row for each column of C, and then turned around.
int64_t NumbersFor(const FewVectors& columns, int64_t rows) {
  return (columns.vectors() * StrideOfFewSums(rows)) + (rows * kMostColumns);
}

void ComputeRows(const HostProduct& p, const FewVectors& columns, const Terms& terms,
                 const Rectangle& at, bool b_signed, int32_t* sums) {
  const core::Problem& problem = *p.problem;
  const ByteOperand& a = p.a.bytes;
  FewRowsArgs args{};
  args.a = columns.data(at.batch);
  args.a_stride = columns.stride();
  args.rows = columns.vectors();
  args.a_signed = b_signed;
  args.b = a.data + (at.batch * a.batch_stride) + (at.first_row * a.vector_stride);
  args.b_along_k = a.k_stride == 1;
  args.b_stride = args.b_along_k ? a.vector_stride : a.k_stride;
  args.b_signed = p.a.type == ElementType::kS8;
  args.k = problem.k;
  args.columns = at.rows;
  args.sums = sums;
  args.sums_stride = StrideOfFewSums(at.rows);
  p.kernel->few_rows(args);
  int32_t* turned = sums + (columns.vectors() * args.sums_stride);
  for (int64_t i = 0; i < at.rows; ++i) {
    for (int64_t j = 0; j < problem.n; ++j) {
      turned[(i * problem.n) + j] = sums[(j * args.sums_stride) + i];
    }
  }
  EpilogueTile e;
  e.sums = turned;
  e.sums_stride = problem.n;
  e.rows = at.rows;
  e.columns = problem.n;
  e.c = static_cast<std::byte*>(p.c) +
        ((at.batch * problem.c.batch) + (at.first_row * problem.c.row)) * p.element_bytes();
  e.c_stride = problem.c.row;
  // With a row's sum s and a column's t: zero_a * (K * zero_b - t) - zero_b * s.
  e.column_sums = columns.terms(at.batch);
  if (e.column_sums != nullptr) e.row_term = sums + (problem.n * args.sums_stride);
  e.zero_b = columns.sum_terms(at.batch);
  if (e.zero_b != nullptr) e.row_zero_term = terms.zero_a.From(at.batch, at.first_row);
  e.bias_s32 = terms.bias.From(at.batch, 0);
  e.scale_a = p.scale_a.From(at.batch, at.first_row);
  e.scale_b = p.scale_b.From(at.batch, 0);
  e.bias_f32 = p.bias_f32.From(at.batch, 0);
  e.requant_scale = p.requant_scale.From(at.batch, 0);
  p.kernel->rows->store(p.mode, e);
  if (p.progress != nullptr) {
    p.progress->fetch_add(at.rows * problem.n, std::memory_order_relaxed);
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
  TW_CHECK(p.a.bytes.k_stride == 1 || p.a.bytes.vector_stride == 1);
  const FewVectors columns({{right.data, right.column_stride, right.k_stride, right.batch_stride},
                            right.type,
                            problem.batch,
                            problem.n,
                            problem.k,
                            right.zero,
                            AnyNotZero(o.zero_a)},
                           *p.kernel->rows, &workspace->few_vectors);
  const Terms terms{Dense(o.zero_a, problem.batch, problem.m, &workspace->row_terms),
                    Dense(o.bias_s32, problem.batch, problem.n, &workspace->init)};
  const int64_t parts = base::CeilDiv(crew.threads() * kTasksPerThread, problem.batch);
  const int64_t each =
      std::min(kMostRows, base::RoundUp(base::CeilDiv(problem.m, parts), kFewRowsColumns));
  const int64_t tasks = base::CeilDiv(problem.m, each);
  const std::span<TaskMemory> members = workspace->MembersFor(crew.threads());
  const auto numbers = static_cast<size_t>(NumbersFor(columns, std::min(each, problem.m)));
  for (TaskMemory& member : members) member.sums.Reserve(numbers * sizeof(int32_t));
  const bool b_signed = right.type == ElementType::kS8;
  base::ShareTasks(crew, problem.batch * tasks, [&](base::TaskSource& source, int member) {
    auto* sums = members[static_cast<size_t>(member)].sums.data<int32_t>();
    for (int64_t t = source.Next(); t >= 0; t = source.Next()) {
      const int64_t first = t % tasks * each;
      const Rectangle at{t / tasks, first, std::min(each, problem.m - first), 0, problem.n};
      ComputeRows(p, columns, terms, at, b_signed, sums);
    }
  });
}

}  // namespace tilewave::device::host
