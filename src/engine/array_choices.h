#pragma once

#include "plan/array_plan.h"
#include "tilewave/engine.h"
#include "tilewave/status.h"

namespace tilewave::engine {

/// Options by name as the planner takes them. kInvalidArgument: an unknown name; the message lists
/// the known ones.
[[nodiscard]] Result<plan::ArrayChoices> ArrayChoicesOf(const ArrayOptions& options);

}  // namespace tilewave::engine
