#pragma once

#include "kernels/cpu/few_rows.h"

namespace tilewave::kernels::cpu {

/// On any CPU.
void FewRows_portable(const FewRowsArgs& t);

}  // namespace tilewave::kernels::cpu
