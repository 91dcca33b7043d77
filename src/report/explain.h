#pragma once

// Where the time of a product goes, strategy by strategy, and what removes each wall. All of it
// predicted by the planner's formula from the constants of a profile.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/problem.h"
#include "plan/plan.h"
#include "profile/profile.h"
#include "tilewave/status.h"

namespace tilewave::report {

/// One way to run the product.
struct StrategyCost {
  std::string name;
  plan::ArrayPlan plan;
  plan::Cost cost;
};

/// What shifting and clamping every 16x16 tile before the sum over K does to a product.
struct LossyResult {
  int64_t m = 0;
  int64_t k = 0;
  int64_t n = 0;

  int64_t elements = 0;
  int64_t wrong = 0;
  int64_t max_abs_error = 0;
};

struct Explanation {
  core::Problem problem;
  profile::Profile profile;
  std::vector<StrategyCost> strategies;  ///< From a launch per 16x16x16 tile to few launches.
  double batched_sync_us = 0;            ///< Of the waves, with one sync for each wave.
  std::optional<LossyResult> lossy;      ///< If it was tried.
};

/// Predicts every strategy. Errors: those of MakePlan.
[[nodiscard]] Result<Explanation> Explain(const core::Problem& problem,
                                          const profile::Profile& profile);

/// In plain words, terms that add up to each total, and the four slips of reasoning that made
/// launches of 16x16 tiles look like the wall.
std::string ExplanationText(const Explanation& explanation);

nlohmann::json ExplanationJson(const Explanation& explanation);

}  // namespace tilewave::report
