#pragma once

#include <atomic>
#include <cstdint>

#include "base/aligned_buffer.h"
#include "core/problem.h"
#include "pack/tiles.h"
#include "plan/array_plan.h"
#include "runtime/operand_image.h"
#include "runtime/wave_runner.h"

namespace tilewave::runtime {

/// A product as launches of tiles: launch l is tile (batch, i, j, k) of the plan's grid, k fastest,
/// so that all parts of one output tile follow each other. Sums over K are kept in s32 until all
/// launches have been read; C is not touched before Finish.
class TileProduct final : public TileWork {
 public:
  /// All borrowed. `sums` gets room for batch x M x N. `progress` may be null.
  TileProduct(const core::Problem& problem, const plan::ArrayPlan& plan, const Images& images,
              base::AlignedBuffer* sums, std::atomic<int64_t>* progress);

  void Write(int64_t launch, const BufferSets& sets, int64_t set) override;
  void Read(int64_t launch, const std::byte* output) override;

  const int32_t* sums() const { return sums_; }

 private:
  struct Position {
    int64_t batch;
    int64_t i;
    int64_t j;
    int64_t k;
  };
  Position PositionOf(int64_t launch) const;
  void PackA(const Position& at, int64_t k_tile, int8_t* out) const;
  void PackB(const Position& at, int64_t k_tile, int8_t* out) const;

  const core::Problem& problem_;
  const plan::ArrayPlan& plan_;
  const Images& images_;
  std::atomic<int64_t>* progress_;
  pack::TileLayout a_layout_;
  pack::TileLayout b_layout_;
  pack::TileLayout c_layout_;
  int32_t* sums_;
};

}  // namespace tilewave::runtime
