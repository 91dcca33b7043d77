#pragma once

// Judges a function for few rows against the definition. Needs no test framework, so that it also
// runs where there is none.

#include <string>

#include "kernels/cpu/few_rows.h"

namespace tilewave::testing {

/// Runs random calls with all signs, both ways for B to stand, and data of the whole range. The
/// first wrong sum in words, or "".
std::string FirstFewRowsMismatch(kernels::cpu::FewRowsFunction run);

}  // namespace tilewave::testing
