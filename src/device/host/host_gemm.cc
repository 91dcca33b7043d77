#include "device/host/host_gemm.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "base/check.h"
#include "base/checked_math.h"
#include "core/dynamic_scan.h"
#include "core/epilogue.h"

namespace tilewave::device::host {
namespace {

/// Carves the three arrays of DynamicScales out of scratch memory.
core::DynamicScales ScalesIn(base::AlignedBuffer* buffer, int64_t count) {
  const auto n = static_cast<size_t>(count);
  buffer->Reserve(n * (2 * sizeof(float) + sizeof(int32_t)));
  auto* scale = buffer->data<float>();
  return {scale, scale + n, reinterpret_cast<int32_t*>(scale + (2 * n))};
}

/// How many vectors of K elements fit in `bytes`, as a multiple of the granule, at least one.
int64_t VectorsFitting(int64_t bytes, int64_t k_padded, int64_t granule, int64_t wanted) {
  const int64_t fitting = bytes / (k_padded * static_cast<int64_t>(sizeof(int16_t)));
  const int64_t whole = std::max(granule, fitting / granule * granule);
  return std::min(whole, base::RoundUp(wanted, granule));
}

}  // namespace

/// One operand as vectors along K (rows of A, columns of B), in every form it can come in.
struct HostGemm::Side {
  const std::byte* data = nullptr;  ///< 8-bit elements; for f32 see `floats`.
  ElementType type = ElementType::kS8;
  int64_t vector_stride = 0;
  int64_t k_stride = 0;
  int64_t batch_stride = 0;
  const Parameter<int32_t>* zero = nullptr;
  bool quantised = false;  ///< f32: `floats` and `scales` hold.
  core::FloatOperand floats;
  core::DynamicScales scales;
  int granule = 1;                       ///< Vectors that the kernel takes at once.
  base::AlignedBuffer* block = nullptr;  ///< Where packed vectors go.
};

/// What the steps of one Execute share.
struct HostGemm::Call {
  core::Operands operands;  ///< With scales and zero points of dynamic quantisation filled in.
  Side a;
  Side b;
  const HostWeights* weights;
  std::atomic<int64_t>* progress;
  Workspace* workspace;
  bool copies_rows = false;  ///< Sums are elements of C already, side by side.
};

/// A rectangle of one C with its packed operands.
struct HostGemm::Block {
  int64_t batch;
  int64_t first_row;
  int64_t rows;
  int64_t first_column;
  int64_t columns;
  const int16_t* a;
  const int16_t* b;
};

HostGemm::HostGemm(const core::Problem& problem, const kernels::cpu::Int8Kernel& kernel,
                   const arch::Cpu& cpu)
    : problem_(problem),
      kernel_(kernel),
      k_padded_(base::RoundUp(problem.k, kernel.k_granule)),
      // A quarter of the L2 cache for each operand leaves room for C and for the other's stream.
      rows_per_block_(VectorsFitting(cpu.l2_bytes / 4, k_padded_, kernel.mr, problem.m)),
      columns_per_block_(VectorsFitting(cpu.l2_bytes / 4, k_padded_, kernel.nr, problem.n)) {}

Status HostGemm::Execute(const core::Operands& operands, const HostWeights* weights,
                         std::atomic<int64_t>* progress, Workspace* workspace) const {
  TW_CHECK_EQ(weights != nullptr, problem_.b_prepacked);
  Call call{operands, {}, {}, weights, progress, workspace};
  call.copies_rows = problem_.c_type == ElementType::kS32 && problem_.c.col == 1 &&
                     problem_.bias_s32 == core::ParameterForm::kAbsent &&
                     problem_.activation == Activation::kNone;
  DescribeSides(&call);
  // Both scans come before the first element of C is written.
  if (Status s = Scan(&call.a, &workspace->dynamic_a); !s.ok()) return s;
  if (Status s = Scan(&call.b, &workspace->dynamic_b); !s.ok()) return s;
  if (call.a.quantised) core::UseScalesA(call.a.floats, call.a.scales, &call.operands);
  if (call.b.quantised) core::UseScalesB(call.b.floats, call.b.scales, &call.operands);

  const int64_t widest = std::max(rows_per_block_, columns_per_block_);
  const auto vector_bytes = static_cast<size_t>(k_padded_) * sizeof(int16_t);
  workspace->zeros.Reserve(static_cast<size_t>(widest) * sizeof(int32_t));
  workspace->a_block.Reserve(static_cast<size_t>(rows_per_block_) * vector_bytes);
  if (weights == nullptr) {
    workspace->b_block.Reserve(static_cast<size_t>(columns_per_block_) * vector_bytes);
  }
  for (int64_t batch = 0; batch < problem_.batch; ++batch) RunMatrix(call, batch);
  return {};
}

void HostGemm::DescribeSides(Call* call) const {
  const core::Operands& o = call->operands;
  call->a = {static_cast<const std::byte*>(o.a),
             problem_.a_type,
             problem_.a.row,
             problem_.a.col,
             problem_.a.batch,
             &o.zero_a,
             problem_.quantise_a != core::Quantise::kNone,
             {},
             {},
             kernel_.mr,
             &call->workspace->a_block};
  call->b = {static_cast<const std::byte*>(o.b),
             problem_.b_type,
             problem_.b.col,
             problem_.b.row,
             problem_.b.batch,
             &o.zero_b,
             problem_.quantise_b != core::Quantise::kNone,
             {},
             {},
             kernel_.nr,
             &call->workspace->b_block};
  if (call->a.quantised) call->a.floats = core::FloatOperandA(problem_, o);
  if (call->b.quantised) call->b.floats = core::FloatOperandB(problem_, o);
}

Status HostGemm::Scan(Side* side, base::AlignedBuffer* buffer) {
  if (!side->quantised) return {};
  side->scales = ScalesIn(buffer, side->floats.scale_count());
  return core::ScanDynamicScales(side->floats, side->scales);
}

void HostGemm::RunMatrix(const Call& call, int64_t batch) const {
  for (int64_t j = 0; j < problem_.n; j += columns_per_block_) {
    const int64_t columns = std::min(columns_per_block_, problem_.n - j);
    const int16_t* b = call.weights == nullptr ? Pack(call, call.b, batch, j, columns)
                                               : PrepackedColumns(*call.weights, batch, j);
    for (int64_t i = 0; i < problem_.m; i += rows_per_block_) {
      const int64_t rows = std::min(rows_per_block_, problem_.m - i);
      const int16_t* a = Pack(call, call.a, batch, i, rows);
      RunBlock(call, {batch, i, rows, j, columns, a, b});
      if (call.progress != nullptr) {
        call.progress->fetch_add(rows * columns, std::memory_order_relaxed);
      }
    }
  }
}

namespace {

/// Zero points of `count` vectors from `first` on, gathered into scratch memory.
std::span<const int32_t> GatherZeros(const Parameter<int32_t>& zero, int64_t batch, int64_t first,
                                     int64_t count, base::AlignedBuffer* buffer) {
  auto* zeros = buffer->data<int32_t>();
  for (int64_t v = 0; v < count; ++v) {
    zeros[v] = zero.present ? zero.At(batch, first + v) : 0;
  }
  return {zeros, static_cast<size_t>(count)};
}

void PackQuantised(const core::FloatOperand& x, const core::DynamicScales& scales, int64_t batch,
                   int64_t first, std::span<const int32_t> zeros, const pack::VectorLayout& layout,
                   int16_t* out) {
  std::fill(out, out + (layout.vectors_padded * layout.k_padded), int16_t{0});
  for (size_t v = 0; v < zeros.size(); ++v) {
    int16_t* to = out + (static_cast<int64_t>(v) * layout.k_padded);
    for (int64_t k = 0; k < x.k; ++k) {
      const int32_t q = core::QuantiseElement(x, scales, batch, first + static_cast<int64_t>(v), k);
      to[k] = static_cast<int16_t>(q - zeros[v]);
    }
  }
}

}  // namespace

const int16_t* HostGemm::PrepackedColumns(const HostWeights& weights, int64_t batch,
                                          int64_t first) const {
  return weights.matrix(problem_.b.batch == 0 ? 0 : batch) + (first * k_padded_);
}

const int16_t* HostGemm::Pack(const Call& call, const Side& side, int64_t batch, int64_t first,
                              int64_t count) const {
  const pack::VectorLayout layout{base::RoundUp(count, side.granule), k_padded_};
  const std::span<const int32_t> zeros =
      GatherZeros(*side.zero, batch, first, count, &call.workspace->zeros);
  auto* out = side.block->data<int16_t>();
  if (side.quantised) {
    PackQuantised(side.floats, side.scales, batch, first, zeros, layout, out);
    return out;
  }
  const std::byte* start = side.data + (batch * side.batch_stride) + (first * side.vector_stride);
  pack::PackVectors({start, side.type, side.vector_stride, side.k_stride}, problem_.k, zeros,
                    layout, out);
  return out;
}

/// The fast twin of StoreElement where nothing is left to do but to copy.
void HostGemm::CopyRow(const Call& call, const Block& block, int64_t row, int64_t column,
                       int64_t columns, const int32_t* acc) const {
  int32_t* c = static_cast<int32_t*>(call.operands.c) + (block.batch * problem_.c.batch) +
               ((block.first_row + row) * problem_.c.row) + block.first_column + column;
  std::memcpy(c, acc, static_cast<size_t>(columns) * sizeof(int32_t));
}

void HostGemm::RunBlock(const Call& call, const Block& block) const {
  int32_t acc[kernels::cpu::kMaxBlock];
  for (int64_t j = 0; j < block.columns; j += kernel_.nr) {
    const int64_t columns = std::min<int64_t>(kernel_.nr, block.columns - j);
    for (int64_t i = 0; i < block.rows; i += kernel_.mr) {
      const int64_t rows = std::min<int64_t>(kernel_.mr, block.rows - i);
      kernel_.run(block.a + (i * k_padded_), block.b + (j * k_padded_), k_padded_, acc);
      for (int64_t r = 0; r < rows; ++r) {
        if (call.copies_rows) {
          CopyRow(call, block, i + r, j, columns, acc + (r * kernel_.nr));
          continue;
        }
        for (int64_t c = 0; c < columns; ++c) {
          core::StoreElement(problem_, call.operands, block.batch, block.first_row + i + r,
                             block.first_column + j + c, acc[(r * kernel_.nr) + c]);
        }
      }
    }
  }
}

pack::VectorLayout WeightsLayoutFor(const core::Problem& problem,
                                    const kernels::cpu::Int8Kernel& kernel) {
  return pack::LayoutFor(problem.n, problem.k, kernel.nr, kernel.k_granule);
}

}  // namespace tilewave::device::host
