#include "plan/plan.h"

#include <fmt/format.h>

#include <utility>

#include "core/validate.h"
#include "plan/whole_array_plan.h"

namespace tilewave::plan {
namespace {

/// The whole product in one launch, unless the caller wants another design, or what only the
/// others have, or the images are too large.
Result<ArrayPlan> ChooseArrayPlan(const core::Problem& problem, const profile::Profile& profile,
                                  const ArrayChoices& choices) {
  using program::DesignFamily;
  const bool fixed = choices.family.has_value() || choices.FixWholeArray();
  const bool of_launches = choices.mode || choices.buffers || choices.pool != 0 ||
                           choices.kernel == program::TileKernel::kScalar;
  const DesignFamily family = choices.family.value_or(DesignFamily::kWholeArray);
  if (fixed ? family == DesignFamily::kWholeArray : !of_launches) {
    Result<ArrayPlan> whole = MakeWholeArrayPlan(problem, profile, choices);
    if (fixed || whole.ok() || whole.status().code() != StatusCode::kOutOfRange) return whole;
  }
  return MakeArrayPlan(problem, profile.arch, choices);
}

}  // namespace

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
  Result<ArrayPlan> array = ChooseArrayPlan(problem, *target.profile, target.choices);
  if (!array.ok()) return array.status();
  array->configuration = program::ConfigurationHash(array->spec);
  Result<Cost> cost = PredictCost(problem, *array, *target.profile);
  if (!cost.ok()) return cost.status();
  const int64_t launches = array->launches;
  return Plan{problem, Strategy::kTiles, launches, *std::move(array), *std::move(cost)};
}

}  // namespace tilewave::plan
