#pragma once

#include "program/array_program.h"
#include "tilewave/status.h"

namespace tilewave::program {

/// Builds the configuration of a design. Pure: equal specs give equal programs.
/// kInvalidArgument, naming the parameter and what is built: another tile shape, a lossy output
/// with a kernel that has none.
/// A design that is built but does not fit an array (its stack, for one) is Validate's to refuse.
[[nodiscard]] Result<ArrayProgram> Lower(const DesignSpec& spec);

}  // namespace tilewave::program
