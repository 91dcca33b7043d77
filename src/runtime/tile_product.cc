#include "runtime/tile_product.h"

#include <algorithm>

namespace tilewave::runtime {

TileProduct::TileProduct(const core::Problem& problem, const plan::ArrayPlan& plan,
                         const Images& images, base::AlignedBuffer* sums,
                         std::atomic<int64_t>* progress)
    : problem_(problem), plan_(plan), images_(images), progress_(progress) {
  const program::DesignSpec& spec = plan.spec;
  const program::BlockShape block = program::BlockShapeOf(spec);
  a_layout_ = {spec.tile_m, spec.tile_k, block.rows, block.depth};
  b_layout_ = {spec.tile_k, spec.tile_n, block.depth, block.columns};
  c_layout_ = {spec.tile_m, spec.tile_n, block.rows, block.columns};
  sums->Reserve(static_cast<size_t>(problem.batch * problem.m * problem.n) * sizeof(int32_t));
  sums_ = sums->data<int32_t>();
}

TileProduct::Position TileProduct::PositionOf(int64_t launch) const {
  Position at{};
  at.k = launch % plan_.tiles_k;
  launch /= plan_.tiles_k;
  at.j = launch % plan_.tiles_n;
  launch /= plan_.tiles_n;
  at.i = launch % plan_.tiles_m;
  at.batch = launch / plan_.tiles_m;
  return at;
}

void TileProduct::PackA(const Position& at, int64_t k_tile, int8_t* out) const {
  const OperandImage& a = images_.a;
  const int64_t row = at.i * a_layout_.rows;
  const int64_t col = k_tile * a_layout_.cols;
  const int8_t* start =
      a.data + (at.batch * a.batch_stride) + (row * a.row_stride) + (col * a.col_stride);
  pack::PackTile({start, a.row_stride, a.col_stride, std::min(a_layout_.rows, problem_.m - row),
                  std::min(a_layout_.cols, problem_.k - col), a.flip},
                 a_layout_, out);
}

void TileProduct::PackB(const Position& at, int64_t k_tile, int8_t* out) const {
  const OperandImage& b = images_.b;
  const int64_t row = k_tile * b_layout_.rows;
  const int64_t col = at.j * b_layout_.cols;
  const int8_t* start =
      b.data + (at.batch * b.batch_stride) + (row * b.row_stride) + (col * b.col_stride);
  pack::PackTile({start, b.row_stride, b.col_stride, std::min(b_layout_.rows, problem_.k - row),
                  std::min(b_layout_.cols, problem_.n - col), b.flip},
                 b_layout_, out);
}

void TileProduct::Write(int64_t launch, const BufferSets& sets, int64_t set) {
  const Position at = PositionOf(launch);
  auto* a = reinterpret_cast<int8_t*>(sets.input(set, 0));
  if (sets.inputs() == 1) {
    PackA(at, at.k, a);
    PackB(at, at.k, a + a_layout_.elements());
    return;
  }
  auto* b = reinterpret_cast<int8_t*>(sets.input(set, 1));
  for (int64_t step = 0; step < plan_.k_steps; ++step) {
    PackA(at, step, a + (step * a_layout_.elements()));
    PackB(at, step, b + (step * b_layout_.elements()));
  }
}

void TileProduct::Read(int64_t launch, const std::byte* output) {
  const Position at = PositionOf(launch);
  const int64_t row = at.i * c_layout_.rows;
  const int64_t col = at.j * c_layout_.cols;
  const int64_t rows = std::min(c_layout_.rows, problem_.m - row);
  const int64_t cols = std::min(c_layout_.cols, problem_.n - col);
  int32_t* sums = sums_ + (((at.batch * problem_.m) + row) * problem_.n) + col;
  const bool first = at.k == 0;
  if (plan_.spec.output == program::TileOutput::kS32) {
    pack::AddTileS32(reinterpret_cast<const int32_t*>(output), c_layout_, rows, cols, first, sums,
                     problem_.n);
  } else {
    pack::AddTileS8(reinterpret_cast<const int8_t*>(output), c_layout_, rows, cols, first, sums,
                    problem_.n);
  }
  if (progress_ != nullptr && at.k + 1 == plan_.tiles_k) {
    progress_->fetch_add(rows * cols, std::memory_order_relaxed);
  }
}

}  // namespace tilewave::runtime
