#pragma once

// Whether an array can be what a configuration says.

#include <vector>

#include "arch/npu.h"
#include "program/array_program.h"
#include "program/validate.h"

namespace tilewave::program {

/// In this order: the array, memories, buffers, parameters, locks, channels with their descriptors,
/// flows, cores, and whether the streams find their way.
std::vector<Violation> CheckProgram(const ArrayProgram& program, const arch::Npu& npu);

}  // namespace tilewave::program
