#pragma once

// Whether the array can do what the sequence of one launch asks of it.

#include <cstdint>
#include <span>
#include <vector>

#include "arch/npu.h"
#include "program/array_program.h"
#include "program/sequence.h"
#include "program/validate.h"

namespace tilewave::program {

/// Keeps the books that the hardware does not keep: which descriptors are in use, how many tasks
/// may wait, which tokens will come. Time in proportion to the operations.
std::vector<Violation> CheckSequence(const ArrayProgram& program, const Sequence& sequence,
                                     std::span<const int64_t> argument_bytes, const arch::Npu& npu);

}  // namespace tilewave::program
