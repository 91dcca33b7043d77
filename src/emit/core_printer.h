#pragma once

// The program of one core as MLIR.

#include <string>

#include "emit/memref_types.h"
#include "program/array_program.h"

namespace tilewave::emit {

/// Appends the core's aie.core. Where a ring stands is a value that loops carry; the buffer there
/// is an scf.index_switch, as in mlir-aie's own lowering of object FIFOs with dynamic positions.
/// Trip counts are loaded where their loop begins.
/// REQUIRES: what MlirText has checked.
void PrintCore(const program::ArrayProgram& program, const program::Core& core,
               const MemrefTypes& types, std::string* text);

}  // namespace tilewave::emit
