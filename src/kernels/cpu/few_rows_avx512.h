#pragma once

#include "kernels/cpu/few_rows.h"

namespace tilewave::kernels::cpu {

/// Needs AVX512 F, BW, VL and VNNI.
void FewRows_avx512(const FewRowsArgs& t);

}  // namespace tilewave::kernels::cpu
