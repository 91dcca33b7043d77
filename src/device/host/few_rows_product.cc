#include "device/host/few_rows_product.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/checked_math.h"

namespace tilewave::device::host {
namespace {

using kernels::cpu::EpilogueTile;
using kernels::cpu::FewRowsArgs;
using kernels::cpu::kFewRows;
using kernels::cpu::kFewRowsColumns;

// A task's columns: long runs of B's rows, and sums that stay in the L2 cache.
constexpr int64_t kMostColumns = 4096;
// Rows of A and of sums are that far from a power of two apart, or they would evict each other.
constexpr int64_t kApartBytes = 64;
static_assert(kApartBytes % kernels::cpu::kFewRowsPad == 0);
constexpr int64_t kTasksPerThread = 2;

int64_t StrideOfA(int64_t k) { return base::RoundUp(k, kApartBytes) + kApartBytes; }

int64_t StrideOfSums(int64_t columns) {
  return base::RoundUp(columns, kFewRowsColumns) +
         (kApartBytes / static_cast<int64_t>(sizeof(int32_t)));
}

bool AnyNotZero(const Parameter<int32_t>& zero) {
  return zero.present && (core::FormOf(zero) == core::ParameterForm::kVector || zero.At(0, 0) != 0);
}

/// The rows of A of all matrices, padded, and what zero points need of them.
class LeftRowsCopy {
 public:
  LeftRowsCopy(const HostProduct& p, const core::Operands& o, base::AlignedBuffer* memory)
      : m_(p.problem->m),
        a_stride_(StrideOfA(p.problem->k)),
        any_zero_a_(AnyNotZero(o.zero_a)),
        any_zero_b_(AnyNotZero(o.zero_b)),
        // What all matrices share is there once.
        matrices_(p.a.bytes.batch_stride == 0 && o.zero_a.batch_stride == 0 ? 1
                                                                            : p.problem->batch) {
    memory->Reserve(static_cast<size_t>(matrices_ * matrix_bytes()));
    memory_ = memory->data();
    for (int64_t matrix = 0; matrix < matrices_; ++matrix) Fill(p, o, matrix);
  }

  int64_t a_stride() const { return a_stride_; }
  /// With a row of ones, for the sums of B's columns, if zero points want them.
  int64_t rows() const { return m_ + (any_zero_a_ ? 1 : 0); }
  const uint8_t* a(int64_t matrix) const { return MutableA(matrix); }
  /// -zero_a of each row; null if all are 0.
  const int32_t* terms(int64_t matrix) const { return any_zero_a_ ? Terms(matrix) : nullptr; }
  /// K * zero_a - the row's sum; null if all zero points of B are 0.
  const int32_t* zero_b_terms(int64_t matrix) const {
    return any_zero_b_ ? Terms(matrix) + m_ : nullptr;
  }

 private:
  int64_t matrix_bytes() const {
    return base::RoundUp(((m_ + 1) * a_stride_) + (2 * m_ * int64_t{sizeof(int32_t)}), kApartBytes);
  }
  int64_t At(int64_t matrix) const { return matrices_ == 1 ? 0 : matrix * matrix_bytes(); }
  uint8_t* MutableA(int64_t matrix) const {
    return reinterpret_cast<uint8_t*>(memory_ + At(matrix));
  }
  int32_t* Terms(int64_t matrix) const {
    return reinterpret_cast<int32_t*>(memory_ + At(matrix) + ((m_ + 1) * a_stride_));
  }

  void Fill(const HostProduct& p, const core::Operands& o, int64_t matrix) {
    const ByteOperand& from = p.a.bytes;
    const int64_t k = p.problem->k;
    const auto padding = static_cast<size_t>(a_stride_ - k);
    const auto sum = p.a.type == ElementType::kS8 ? p.kernel->rows->sum_s8 : p.kernel->rows->sum_u8;
    int32_t* terms = Terms(matrix);
    for (int64_t r = 0; r < m_; ++r) {
      uint8_t* to = MutableA(matrix) + (r * a_stride_);
      const uint8_t* row = from.data + (matrix * from.batch_stride) + (r * from.vector_stride);
      if (from.k_stride == 1) {
        std::memcpy(to, row, static_cast<size_t>(k));
      } else {
        for (int64_t i = 0; i < k; ++i) to[i] = row[i * from.k_stride];
      }
      std::memset(to + k, 0, padding);
      const int32_t zero_a = o.zero_a.present ? o.zero_a.At(matrix, r) : 0;
      terms[r] = -zero_a;
      if (any_zero_b_) {
        const uint32_t k_zero = static_cast<uint32_t>(k) * static_cast<uint32_t>(zero_a);
        terms[m_ + r] = static_cast<int32_t>(k_zero - static_cast<uint32_t>(sum(to, k)));
      }
    }
    uint8_t* ones = MutableA(matrix) + (m_ * a_stride_);
    if (!any_zero_a_) return;
    std::memset(ones, 1, static_cast<size_t>(k));
    std::memset(ones + k, 0, padding);
  }

  int64_t m_;
  int64_t a_stride_;
  bool any_zero_a_;
  bool any_zero_b_;
  int64_t matrices_;
  std::byte* memory_ = nullptr;
};

/// Parameters of columns as dense vectors.
struct Columns {
  DenseParameter<int32_t> zero_b;
  DenseParameter<int32_t> bias;
};

void ComputeColumns(const HostProduct& p, const RightSource& right, const LeftRowsCopy& rows,
                    const Columns& columns, const Rectangle& at, int32_t* sums) {
  const core::Problem& problem = *p.problem;
  FewRowsArgs args{};
  args.a = rows.a(at.batch);
  args.a_stride = rows.a_stride();
  args.rows = rows.rows();
  args.a_signed = p.a.type == ElementType::kS8;
  args.b = right.data + (at.batch * right.batch_stride) + (at.first_column * right.column_stride);
  args.b_along_k = right.column_stride != 1;
  args.b_stride = args.b_along_k ? right.column_stride : right.k_stride;
  args.b_signed = right.type == ElementType::kS8;
  args.k = problem.k;
  args.columns = at.columns;
  args.sums = sums;
  args.sums_stride = StrideOfSums(at.columns);
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
  e.row_zero_term = rows.zero_b_terms(at.batch);
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
  const LeftRowsCopy rows(p, o, &workspace->few_rows);
  const Columns columns{Dense(o.zero_b, problem.batch, problem.n, &workspace->init),
                        Dense(o.bias_s32, problem.batch, problem.n, &workspace->row_terms)};
  const int64_t threads = crew.threads();
  const int64_t parts = threads == 1 ? 1 : base::CeilDiv(threads * kTasksPerThread, problem.batch);
  const int64_t each =
      std::min(kMostColumns, base::RoundUp(base::CeilDiv(problem.n, parts), kFewRowsColumns));
  const int64_t tasks = base::CeilDiv(problem.n, each);
  for (TaskMemory& member : workspace->members) {
    member.sums.Reserve(static_cast<size_t>(rows.rows() * StrideOfSums(std::min(each, problem.n))) *
                        sizeof(int32_t));
  }
  base::ShareTasks(crew, problem.batch * tasks, [&](base::TaskSource& source, int member) {
    auto* sums = workspace->members[static_cast<size_t>(member)].sums.data<int32_t>();
    for (int64_t t = source.Next(); t >= 0; t = source.Next()) {
      const int64_t first = t % tasks * each;
      const Rectangle at{t / tasks, 0, problem.m, first, std::min(each, problem.n - first)};
      ComputeColumns(p, right, rows, columns, at, sums);
    }
  });
}

}  // namespace tilewave::device::host
