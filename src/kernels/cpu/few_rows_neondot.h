#pragma once

#include "kernels/cpu/few_rows.h"

namespace tilewave::kernels::cpu {

/// Needs Arm's dot product. Never run on an Arm CPU: checked in an emulator (scripts/test_aarch64).
void FewRows_neondot(const FewRowsArgs& t);

}  // namespace tilewave::kernels::cpu
