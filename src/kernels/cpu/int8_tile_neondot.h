#pragma once

#include "kernels/cpu/kernel.h"

namespace tilewave::kernels::cpu {

/// Form kS8xS8, 1 to 6 rows by 16 columns. Needs the Arm dot product (FEAT_DotProd).
extern const TileFunction kNeonDotTiles6x16[6];

}  // namespace tilewave::kernels::cpu
