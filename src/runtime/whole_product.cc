#include "runtime/whole_product.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "pack/tiles.h"

namespace tilewave::runtime {
namespace {

/// Columns of B that are packed as one piece: tile_n of them are a column of tiles.
void PackMatrixB(const int8_t* data, const OperandImage& b, const core::Problem& p,
                 const plan::ArrayPlan& plan, int8_t* out) {
  const program::DesignSpec& spec = plan.spec;
  const program::ImageLayout& images = plan.images;
  const program::BlockShape block = program::BlockShapeOf(spec);
  switch (spec.b_layout) {
    case program::BLayout::kRowMajor:
      pack::PackTile({data, b.row_stride, b.col_stride, p.k, p.n, b.flip},
                     {images.k_padded, images.n_padded, 1, 1}, out);
      return;
    case program::BLayout::kColumnMajor:
      pack::PackTile({data, b.col_stride, b.row_stride, p.n, p.k, b.flip},
                     {images.n_padded, images.k_padded, 1, 1}, out);
      return;
    case program::BLayout::kPacked:
      break;
  }
  const pack::TileLayout layout{images.k_padded, spec.tile_n, block.depth, block.columns};
  for (int64_t first = 0; first < images.n_padded; first += spec.tile_n) {
    const int64_t columns = std::max<int64_t>(0, std::min(spec.tile_n, p.n - first));
    pack::PackTile({data + (columns > 0 ? first * b.col_stride : 0), b.row_stride, b.col_stride,
                    columns > 0 ? p.k : 0, columns, b.flip},
                   layout, out + (first * images.k_padded));
  }
}

void PackA(const OperandImage& a, const core::Problem& p, const plan::ArrayPlan& plan,
           int8_t* out) {
  const program::ImageLayout& images = plan.images;
  for (int64_t matrix = 0; matrix < images.a_matrices; ++matrix) {
    pack::PackTile(
        {a.data + (matrix * a.batch_stride), a.row_stride, a.col_stride, p.m, p.k, a.flip},
        {images.m_padded, images.k_padded, 1, 1}, out + (matrix * images.a_bytes));
  }
}

void PackB(const OperandImage& b, const core::Problem& p, const plan::ArrayPlan& plan,
           int8_t* out) {
  for (int64_t matrix = 0; matrix < plan.images.b_matrices; ++matrix) {
    PackMatrixB(b.data + (matrix * b.batch_stride), b, p, plan,
                out + (matrix * plan.images.b_bytes));
  }
}

}  // namespace

void WholeProduct::Write(const BufferSets& sets, int64_t set) const {
  if (!plan_.resident_a) {
    PackA(images_.a, problem_, plan_, reinterpret_cast<int8_t*>(sets.input(set, 0)));
  }
  if (!plan_.resident_b) {
    PackB(images_.b, problem_, plan_, reinterpret_cast<int8_t*>(sets.input(set, 1)));
  }
}

void WholeProduct::Finish(const core::Operands& operands, const std::byte* output) const {
  const program::ImageLayout& images = plan_.images;
  const int64_t element = program::OutputBytes(plan_.spec.output);
  if (plan_.spec.output == program::TileOutput::kS32) {
    FinishProduct(
        problem_, operands, images_,
        {reinterpret_cast<const int32_t*>(output), images.n_padded, images.c_bytes / element});
  } else {
    StoreRequantised(
        problem_, operands,
        {reinterpret_cast<const int8_t*>(output), images.n_padded, images.c_bytes / element});
  }
  CountElements(problem_, progress_);
}

void CountElements(const core::Problem& problem, std::atomic<int64_t>* progress) {
  if (progress == nullptr) return;
  progress->fetch_add(problem.batch * problem.m * problem.n, std::memory_order_relaxed);
}

Result<std::unique_ptr<device::WeightsPayload>> ResidentWeights::Make(
    device::Device* device, const core::Problem& problem, const core::Operands& operands,
    const plan::ArrayPlan& plan) {
  const int64_t bytes = plan.images.b_bytes * plan.images.b_matrices;
  Result<std::unique_ptr<device::Buffer>> buffer = device->Allocate(static_cast<size_t>(bytes));
  if (!buffer.ok()) return buffer.status();
  device::Clock& clock = device->clock();
  clock.ChargeHost(device::HostWork::kAllocate, bytes, 1);
  PackB(ViewOfB(problem, operands), problem, plan, reinterpret_cast<int8_t*>((*buffer)->host()));
  clock.ChargeHost(device::HostWork::kWrite, bytes, 1);
  clock.ChargeHost(device::HostWork::kSyncIn, bytes, 1);
  if (Status s = (*buffer)->Sync(device::SyncDirection::kToDevice, 0, static_cast<size_t>(bytes));
      !s.ok()) {
    return s;
  }
  return std::unique_ptr<device::WeightsPayload>(
      std::make_unique<ResidentWeights>(*std::move(buffer)));
}

std::string WeightsLayoutOf(const plan::ArrayPlan& plan) {
  const program::DesignSpec& spec = plan.spec;
  const program::BlockShape block = program::BlockShapeOf(spec);
  return fmt::format("{}-{}x{}x{}-{}-{}x{}", program::Name(spec.b_layout), plan.images.b_matrices,
                     plan.images.k_padded, plan.images.n_padded, spec.tile_n, block.depth,
                     block.columns);
}

}  // namespace tilewave::runtime
