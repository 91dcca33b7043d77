#pragma once

#include <cstdint>
#include <string_view>

#include "core/problem.h"
#include "tilewave/device_info.h"
#include "tilewave/status.h"

namespace tilewave::plan {

/// How a product reaches a device.
enum class Strategy : uint8_t {
  kWholeProduct,  ///< One launch on a device that takes operands where they lie.
};

/// How one problem is computed: the watershed between user types above and plain data below.
/// A pure value; equal inputs give equal plans.
struct Plan {
  core::Problem problem;
  Strategy strategy = Strategy::kWholeProduct;
  int64_t launches = 1;
};

/// Decides how `problem` runs on a device of this kind. Refuses by name what tilewave does not
/// define (ValidateProblem) and what the device has no design for yet (kUnimplemented).
[[nodiscard]] Result<Plan> MakePlan(const core::Problem& problem, DeviceKind kind);

}  // namespace tilewave::plan
