#pragma once

#include "kernels/cpu/row_functions.h"

namespace tilewave::kernels::cpu {

/// Needs AVX2.
extern const RowFunctions kRowsAvx2;

}  // namespace tilewave::kernels::cpu
