#pragma once

#include "kernels/cpu/kernel.h"

namespace tilewave::kernels::cpu {

/// Form kAnyxS8, 1 to 32 rows by 32 columns: two by two tile registers of sums. Needs AMX-TILE and
/// AMX-INT8, with the system's leave (arch::AllowAmx), AVX512 F and BW, and BeginAmx before.
extern const TileFunction kAmxTiles32x32[32];

/// The same for two panels of 32 columns at a time: one by four registers with at most 16 rows,
/// else two by one four times, if K has 16 groups, and two by two twice, if not.
extern const TileFunction kAmxTiles32x64[32];

/// Gives the calling thread's tile registers their shape, and takes it away: while they have one,
/// the system saves them whenever it changes threads.
void BeginAmx();
void EndAmx();

}  // namespace tilewave::kernels::cpu
