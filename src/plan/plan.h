#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/problem.h"
#include "plan/array_plan.h"
#include "plan/cost.h"
#include "profile/profile.h"
#include "tilewave/device_info.h"
#include "tilewave/status.h"

namespace tilewave::plan {

/// How a product reaches a device.
enum class Strategy : uint8_t {
  kWholeProduct,  ///< One launch on a device that takes operands where they lie.
  kTiles,         ///< Launches of tiles on an array; `array` says how.
};

/// How one problem is computed: the watershed between user types above and plain data below.
/// A pure value; equal inputs give equal plans.
struct Plan {
  core::Problem problem;
  Strategy strategy = Strategy::kWholeProduct;
  int64_t launches = 1;
  ArrayPlan array;  ///< If kTiles.
  Cost cost;        ///< Predicted; empty if nothing is known of the device.
};

/// What a plan is made for.
struct Target {
  DeviceKind kind = DeviceKind::kHost;
  std::optional<profile::Profile> profile;  ///< Of an array; without one there is no plan for it.
  ArrayChoices choices;                     ///< For arrays.
};

/// Decides how `problem` runs on the target. Refuses by name what tilewave does not define
/// (ValidateProblem), what MakeArrayPlan refuses, and what the device has no design for
/// (kUnimplemented).
[[nodiscard]] Result<Plan> MakePlan(const core::Problem& problem, const Target& target);

}  // namespace tilewave::plan
