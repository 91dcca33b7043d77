#pragma once

#include "kernels/cpu/row_functions.h"

namespace tilewave::kernels::cpu {

/// Plain C++, any CPU: the definition of what the other sets compute.
extern const RowFunctions kRowsPortable;

}  // namespace tilewave::kernels::cpu
