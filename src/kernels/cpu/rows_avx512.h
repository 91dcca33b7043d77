#pragma once

#include "kernels/cpu/row_functions.h"

namespace tilewave::kernels::cpu {

/// Needs AVX512 F, BW and VL.
extern const RowFunctions kRowsAvx512;

}  // namespace tilewave::kernels::cpu
