#pragma once

// Judges the tile functions of a CPU kernel against the definition. Needs no test framework, so
// that it also runs where there is none.

#include <string>

#include "kernels/cpu/kernel.h"

namespace tilewave::testing {

/// Runs every tile function of `kernel`, which this CPU must support, on all row and column counts
/// and data of the whole range. The first deviation in words, or "": a wrong sum, or a write to
/// what is not part of the tile.
std::string FirstTileMismatch(const kernels::cpu::Int8Kernel& kernel);

}  // namespace tilewave::testing
