#pragma once

#include "kernels/cpu/kernel.h"

namespace tilewave::kernels::cpu {

/// Form kS16xS16, 1 to 4 rows by 8 columns. Any CPU.
extern const TileFunction kPortableTiles4x8[4];

/// For tests: odd shapes, and the forms of other CPUs. Plain C++.
extern const TileFunction kPortableTiles3x5[3];  ///< Form kS8xS8.
extern const TileFunction kPortableTiles1x1[1];  ///< Form kU8xS8. Flips.

}  // namespace tilewave::kernels::cpu
