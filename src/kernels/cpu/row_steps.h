#pragma once

// What the vector sets of row functions prepare for a tile in plain integers.

#include <cstdint>

#include "kernels/cpu/row_functions.h"

namespace tilewave::kernels::cpu {

/// core::RequantiseShift without branches, the same steps for all modes. In 32 bits, modulo 2^32:
///   decider = all ones if bit 31 of (acc << decider_shift) is set, else 0
///   offset  = base + (decider AND delta)
///   up      = ((acc AND below) + offset) >> shift, logical; 0 or 1
///   rounded = (acc >> shift, arithmetic) + up
/// then clamped to [low, high]; the low 8 bits are the result. The decider is the sign of acc or
/// the lowest bit that the shift keeps; delta is 0 where the mode looks at neither.
struct ShiftSteps {
  int32_t shift = 0;
  int32_t decider_shift = 0;
  uint32_t below = 0;  ///< The bits shifted out.
  uint32_t base = 0;
  uint32_t delta = 0;
  int32_t low = 0;
  int32_t high = 0;
};

ShiftSteps StepsOf(const RequantShift& mode, ElementType type);

/// Between what core::RequantiseScale clamps float(acc) * scale.
float LowestStep(const EpilogueMode& mode);
float HighestStep(const EpilogueMode& mode);

/// The columns of a tile from `first` on.
EpilogueTile ColumnsFrom(const EpilogueTile& tile, ElementType c_type, int64_t first);

}  // namespace tilewave::kernels::cpu
