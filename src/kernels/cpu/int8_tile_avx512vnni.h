#pragma once

#include "kernels/cpu/kernel.h"

namespace tilewave::kernels::cpu {

/// Form kU8xS8, 1 to 8 rows by 32 columns. Needs AVX512 F, BW, VL and VNNI.
extern const TileFunction kAvx512VnniTiles8x32[8];

/// The same for two panels of 32 columns at a time, 1 to 6 rows.
extern const TileFunction kAvx512VnniTiles6x64[6];

/// Form kU8xS8, one row by four panels of 32: CPUs read more streams faster than fewer. Flips.
void Row_avx512vnni_1x128(const TileArgs& t);

}  // namespace tilewave::kernels::cpu
