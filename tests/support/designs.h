#pragma once

#include <vector>

#include "program/design_spec.h"

namespace tilewave::testing {

/// Designs of every family, output, layout and array, among them all numbers of columns; each
/// lowers to a legal program.
std::vector<program::DesignSpec> EveryDesign();

}  // namespace tilewave::testing
