#pragma once

// Whether a core can do what its program says.

#include <vector>

#include "arch/npu.h"
#include "program/array_program.h"
#include "program/validate.h"

namespace tilewave::program {

/// One step of a lock by something on `tile`. Nothing found says where it is.
std::vector<Violation> LockUseViolations(const ArrayProgram& program, const Tile& tile,
                                         const LockUse& use, const arch::Npu& npu);

/// Stack, code, rings, loops and every operation of a core. REQUIRES: it stands on the array.
std::vector<Violation> CheckCore(const ArrayProgram& program, const Core& core,
                                 const arch::Npu& npu);

}  // namespace tilewave::program
