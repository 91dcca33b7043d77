#pragma once

#include "kernels/cpu/kernel.h"

namespace tilewave::kernels::cpu {

/// Form kS16xS8, 1 to 8 rows by 16 columns, by sums of elements. Needs AVX2.
extern const TileFunction kAvx2Tiles8x16[8];
extern const SelfProducts kAvx2SelfProducts;

}  // namespace tilewave::kernels::cpu
