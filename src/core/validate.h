#pragma once

#include "core/problem.h"
#include "tilewave/status.h"

namespace tilewave::core {

/// Whether the problem is one that tilewave defines: extents, strides, types, K bound, epilogue.
/// Looks at no data, so the answer holds for every call with an equal problem.
/// The same domain on every backend: what one cannot do is refused for all.
[[nodiscard]] Status ValidateProblem(const Problem& problem);

/// Whether this call's pointers and parameter values are usable: null, alignment, zero points
/// within their types, finite scales, bias that cannot overflow, C apart from every input.
/// REQUIRES: ValidateProblem has passed.
[[nodiscard]] Status ValidateOperands(const Problem& problem, const Operands& operands);

/// The part of ValidateOperands that concerns B alone: pointer, zero points.
[[nodiscard]] Status ValidateWeightOperands(const Problem& problem, const Operands& operands);

}  // namespace tilewave::core
