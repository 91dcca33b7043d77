#pragma once

#include "kernels/cpu/kernel.h"

namespace tilewave::kernels::cpu {

/// Form kU8xS8, 1 to 6 rows by 16 columns, in 256-bit registers: for CPUs that slow down or halve
/// their rate with 512-bit ones. Needs AVX512 VL and VNNI. Flips.
extern const TileFunction kAvx512VlTiles6x16[6];

}  // namespace tilewave::kernels::cpu
