#pragma once

#include <cstdint>

#include "device/host/host_product.h"
#include "device/host/left_operand.h"
#include "device/host/workspace.h"

namespace tilewave::device::host {

/// Packed columns of B, and what sums of them begin with.
struct ReadyColumns {
  const PackedRight* packed = nullptr;
  int64_t matrix = 0;  ///< Of those packed.
  int64_t first = 0;   ///< Column of that matrix,
  int64_t at = 0;      ///< which is this one of the rectangle.
  const int32_t* init = nullptr;

  int64_t IndexOf(int64_t column) const { return first + column - at; }
};

/// Memory that will be read soon. Null: none.
struct FarMemory {
  const std::byte* data = nullptr;
  int64_t bytes = 0;
};

/// A rectangle of C with its rows of A ready, and the terms of zero points that belong to them.
struct ReadyRectangle {
  const HostProduct& product;
  const Rectangle& at;
  ReadyColumns b;  ///< Of all columns, or of none if the walk packs them.
  LeftRows rows;
  const LeftSource* rows_source = nullptr;  ///< If the walk packs rows: what `rows` has not.
  FarMemory next = {};                      ///< That tiles may fetch meanwhile.
  const int32_t* row_terms = nullptr;       ///< Null: none. Else one for each row.
  const int32_t* row_zero_terms = nullptr;  ///< Likewise.
};

/// Whether the walk can go by rows with this kernel.
bool CanWalkByRows(const kernels::cpu::Int8Kernel& kernel);

/// Rows that it then takes at a time.
int64_t ChunkRows(const HostProduct& product);

/// Columns that tiles of this kernel take at a time.
int64_t StripColumns(const kernels::cpu::Int8Kernel& kernel);

/// Makes room in `memory` for the walk over a rectangle of at most `rows` rows.
void ReserveForTiles(const HostProduct& product, int64_t rows, TaskMemory* memory);

/// Computes the rectangle tile by tile. Neither allocates nor fails. REQUIRES: ReserveFor.
void ComputeTiles(const ReadyRectangle& rectangle, TaskMemory* memory);

}  // namespace tilewave::device::host
