#pragma once

// What a plan is expected to take, as named terms. The planner's own formula: it never asks the
// virtual NPU, so that the two can check each other.

#include <cstdint>
#include <string_view>
#include <vector>

#include "plan/array_plan.h"
#include "profile/profile.h"

namespace tilewave::plan {

enum class Term : uint8_t {
  kCall,        ///< Host, per matmul.
  kAllocate,    ///< Host: buffers.
  kPack,        ///< Host: operands into signed bytes.
  kWrite,       ///< Host: tiles into buffers.
  kSync,        ///< Host: cache maintenance, both ways.
  kRead,        ///< Host: tiles out of buffers.
  kAccumulate,  ///< Host: sums over K.
  kFinish,      ///< Host: epilogue.
  kSubmit,      ///< Launch: time inside submitting calls.
  kLatency,     ///< Launch: from submission to the start, when the device has nothing else.
  kSerial,      ///< Launch: from one's end to the next one's start.
  kDma,         ///< Array: controller and transfers that no kernel hides.
  kKernel,      ///< Array: kernels.
};
inline constexpr int kTermCount = 13;

/// "kernel", "serial", ...
std::string_view Name(Term term);

/// What would make a term smaller, in a few words.
std::string_view Remedy(Term term);

struct CostTerm {
  Term term = Term::kCall;
  double us = 0;         ///< Its share of the total: the shares add up.
  double hidden_us = 0;  ///< Work of this kind that runs while something else is waited for.
};

/// A prediction.
struct Cost {
  std::vector<CostTerm> terms;  ///< One for each Term, in order.
  double total_us = 0;          ///< The sum of the shares.

  const CostTerm& of(Term term) const { return terms[static_cast<size_t>(term)]; }
  /// The largest share.
  const CostTerm& wall() const;
};

/// Predicts the first call of a plan: device and configuration are set up, buffers are not.
/// kNotFound if the profile has no model for the plan's kernel.
[[nodiscard]] Result<Cost> PredictCost(const core::Problem& problem, const ArrayPlan& plan,
                                       const profile::Profile& profile);

}  // namespace tilewave::plan
