#include "plan/plan.h"

#include <fmt/format.h>

#include <utility>

#include "core/validate.h"

namespace tilewave::plan {

Result<Plan> MakePlan(const core::Problem& problem, const Target& target) {
  if (Status s = core::ValidateProblem(problem); !s.ok()) return s;
  if (target.kind == DeviceKind::kHost) {
    return Plan{problem, Strategy::kWholeProduct, 1, {}, {}};
  }
  if (!target.profile) {
    return Status(
        StatusCode::kUnimplemented,
        fmt::format("no design for {} devices yet; use the host device", Name(target.kind)));
  }
  Result<ArrayPlan> array = MakeArrayPlan(problem, target.profile->arch, target.choices);
  if (!array.ok()) return array.status();
  Result<Cost> cost = PredictCost(problem, *array, *target.profile);
  if (!cost.ok()) return cost.status();
  const int64_t launches = array->launches;
  return Plan{problem, Strategy::kTiles, launches, *std::move(array), *std::move(cost)};
}

}  // namespace tilewave::plan
