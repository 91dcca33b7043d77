#pragma once

// The whole_array design: A broadcast along the rows of cores, B down the columns, C joined in the
// memory tiles. docs/designs.md draws it.
//
//   shim c   MM2S 0 -> memory c S2MM 0: A of the core rows that column c feeds
//            MM2S 1 -> memory c S2MM 1: B of column c
//   memory   MM2S 0..3 -> core row, all columns, S2MM 0: A tiles in blocks
//            MM2S 4 -> core column, all rows, S2MM 1: B tiles in blocks
//   core     MM2S 0 -> memory S2MM 2 + row: C tiles in blocks
//   memory   MM2S 5 -> shim S2MM 0: C row-major

#include <cstdint>

#include "program/array_program.h"
#include "tilewave/status.h"

namespace tilewave::program {

/// Buffers of A and of B in every tile: one fills, one is read.
inline constexpr int kInputDepth = 2;

/// Rows of cores, all of which a whole_array design uses.
int CoreRows(const DesignSpec& spec);

/// The column whose shim and memory tile feed A to a row of cores (0 is the lowest).
int FeedingColumn(const DesignSpec& spec, int core_row);

/// The rows of cores that a column feeds: `count` from `first` on; count 0: none.
struct FedRows {
  int first = 0;
  int count = 0;
};
FedRows FedRowsOf(const DesignSpec& spec, int column);

/// Builds the configuration. kInvalidArgument, naming the parameter, its value and the nearest
/// that can be built. What does not fit the array is Validate's to refuse.
[[nodiscard]] Result<ArrayProgram> LowerWholeArray(const DesignSpec& spec);

}  // namespace tilewave::program
