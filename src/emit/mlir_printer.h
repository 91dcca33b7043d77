#pragma once

// An ArrayProgram as MLIR text for mlir-aie 1.4.2 (commit 7e00b57955e1): tiles, buffers, locks,
// flows, descriptors and cores one by one. docs/emit.md says why at this level. Nothing here
// chooses; equal programs give equal text.

#include <string>

#include "program/array_program.h"
#include "tilewave/status.h"

namespace tilewave::emit {

/// Why Validate refuses the program, or kUnimplemented, kInvalidArgument for what this text cannot
/// say though an array could do it (no design does): two buffers of one name, a buffer in two
/// rings, channels of one tile apart from each other, padding of dimensions that are not there.
[[nodiscard]] Result<std::string> MlirText(const program::ArrayProgram& program);

}  // namespace tilewave::emit
