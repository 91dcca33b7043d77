#include "plan/plan.h"

#include <fmt/format.h>

#include "core/validate.h"

namespace tilewave::plan {

Result<Plan> MakePlan(const core::Problem& problem, DeviceKind kind) {
  if (Status s = core::ValidateProblem(problem); !s.ok()) return s;
  if (kind != DeviceKind::kHost) {
    return Status(StatusCode::kUnimplemented,
                  fmt::format("no design for {} devices yet; use the host device", Name(kind)));
  }
  return Plan{problem, Strategy::kWholeProduct, 1};
}

}  // namespace tilewave::plan
