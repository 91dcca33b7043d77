#pragma once

#include "kernels/cpu/kernel.h"

namespace tilewave::kernels::cpu {

/// Form kU8xS8, 1 to 6 rows by 16 columns. Needs AVX2 and AVX-VNNI (the VEX form). Flips.
extern const TileFunction kAvxVnniTiles6x16[6];

}  // namespace tilewave::kernels::cpu
