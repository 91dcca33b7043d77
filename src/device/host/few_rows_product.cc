#include "device/host/few_rows_product.h"

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

// A task's columns: long runs of B's rows, and sums that stay in the L2 cache.
constexpr int64_t kMostColumns = 4096;
constexpr int64_t kTasksPerThread = 2;

/// Parameters of columns as dense vectors.
struct Columns {
  DenseParameter<int32_t> zero_b;
  DenseParameter<int32_t> bias;
};

void ComputeColumns(const HostProduct& p, const RightSource& right, const FewVectors& rows,
                    const Columns& columns, const Rectangle& at, int32_t* sums) {
  const core::Problem& problem = *p.problem;
  FewRowsArgs args{};
  args.a = rows.data(at.batch);
  args.a_stride = rows.stride();
  args.rows = rows.vectors();
  args.a_signed = p.a.type == ElementType::kS8;
  args.b = right.data + (at.batch * right.batch_stride) + (at.first_column * right.column_stride);
  args.b_along_k = right.column_stride != 1;
  args.b_stride = args.b_along_k ? right.column_stride : right.k_stride;
  args.b_signed = right.type == ElementType::kS8;
  args.k = problem.k;
  args.columns = at.columns;
  args.sums = sums;
  args.sums_stride = StrideOfFewSums(at.columns);
  p.kernel->few_rows(args);
  EpilogueTile e;
  e.sums = sums;
  e.sums_stride = args.sums_stride;
  e.rows = problem.m;
  e.columns = at.columns;
  e.c = static_cast<std::byte*>(p.c) +
        ((at.batch * problem.c.batch) + at.first_column) * p.element_bytes();
  e.c_stride = problem.c.row;
  e.row_term = rows.terms(at.batch);
  if (e.row_term != nullptr) e.column_sums = sums + (problem.m * args.sums_stride);
  e.row_zero_term = rows.sum_terms(at.batch);
  if (e.row_zero_term != nullptr) {
    e.zero_b = columns.zero_b.From(at.batch, at.first_column);
  }
  e.bias_s32 = columns.bias.From(at.batch, at.first_column);
  e.scale_a = p.scale_a.From(at.batch, 0);
  e.scale_b = p.scale_b.From(at.batch, at.first_column);
  e.bias_f32 = p.bias_f32.From(at.batch, at.first_column);
  e.requant_scale = p.requant_scale.From(at.batch, at.first_column);
  p.kernel->rows->store(p.mode, e);
  if (p.progress != nullptr) {
    p.progress->fetch_add(problem.m * at.columns, std::memory_order_relaxed);
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
  TW_CHECK(right.column_stride == 1 || right.k_stride == 1);
  const FewVectors rows(
      {p.a.bytes, p.a.type, problem.batch, problem.m, problem.k, o.zero_a, AnyNotZero(o.zero_b)},
      *p.kernel->rows, &workspace->few_vectors);
  const Columns columns{Dense(o.zero_b, problem.batch, problem.n, &workspace->init),
                        Dense(o.bias_s32, problem.batch, problem.n, &workspace->row_terms)};
  const int64_t threads = crew.threads();
  const int64_t parts = threads == 1 ? 1 : base::CeilDiv(threads * kTasksPerThread, problem.batch);
  const int64_t each =
      std::min(kMostColumns, base::RoundUp(base::CeilDiv(problem.n, parts), kFewRowsColumns));
  const int64_t tasks = base::CeilDiv(problem.n, each);
  const std::span<TaskMemory> members = workspace->MembersFor(crew.threads());
  for (TaskMemory& member : members) {
    member.sums.Reserve(
        static_cast<size_t>(rows.vectors() * StrideOfFewSums(std::min(each, problem.n))) *
        sizeof(int32_t));
  }
  base::ShareTasks(crew, problem.batch * tasks, [&](base::TaskSource& source, int member) {
    auto* sums = members[static_cast<size_t>(member)].sums.data<int32_t>();
    for (int64_t t = source.Next(); t >= 0; t = source.Next()) {
      const int64_t first = t % tasks * each;
      const Rectangle at{t / tasks, 0, problem.m, first, std::min(each, problem.n - first)};
      ComputeColumns(p, right, rows, columns, at, sums);
    }
  });
}

}  // namespace tilewave::device::host
