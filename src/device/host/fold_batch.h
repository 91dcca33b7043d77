#pragma once

#include <optional>

#include "core/problem.h"

namespace tilewave::device::host {

/// A batch whose matrices A stand one below the other, and those of C, and that multiplies one B,
/// as one product with the rows of all: B is read once. Nothing if the strides are others.
std::optional<core::Problem> FoldedBatch(const core::Problem& problem);

/// The operands of a call for the folded problem; nothing if its parameters are not one for all
/// rows or one after the other, or not the same for all matrices as far as columns have them.
/// REQUIRES: FoldedBatch(problem).
std::optional<core::Operands> FoldedOperands(const core::Problem& problem,
                                             const core::Operands& operands);

}  // namespace tilewave::device::host
