#pragma once

#include "kernels/cpu/few_rows.h"

namespace tilewave::kernels::cpu {

/// Needs AVX2.
void FewRows_avx2(const FewRowsArgs& t);

}  // namespace tilewave::kernels::cpu
