#pragma once

#include "kernels/cpu/kernel.h"

namespace tilewave::kernels::cpu {

/// Form kS16xS8, 1 to 6 rows by 16 columns. Needs AVX2.
extern const TileFunction kAvx2Tiles6x16[6];

}  // namespace tilewave::kernels::cpu
