#pragma once

// What one launch of a whole_array design should take: the slowest of compute, streams and DDR,
// the drain of C that nothing hides, and a start. The planner's own formula, see cost.h.

#include "plan/cost.h"

namespace tilewave::plan {

/// Time on the array, from the first instruction to the last token.
struct WholeArrayTime {
  double kernel_us = 0;   ///< Of the busiest core, in kernels.
  double compute_us = 0;  ///< Of the busiest core: kernels, its waits for streams, drains.
  double read_us = 0;     ///< DDR.
  double write_us = 0;    ///< DDR.
  double start_us = 0;    ///< Until the first tiles have arrived, and from the last one out.

  double total_us() const;
};

/// kNotFound if the profile has no model for the plan's kernel. REQUIRES: a whole_array plan.
[[nodiscard]] Result<WholeArrayTime> PredictWholeArrayLaunch(const ArrayPlan& plan,
                                                             const profile::Profile& profile);

/// PredictCost for whole_array plans.
[[nodiscard]] Result<Cost> PredictWholeArray(const core::Problem& problem, const ArrayPlan& plan,
                                             const profile::Profile& profile);

/// The name under which a profile has the model of the plan's matmul kernel: its C between steps.
const char* ModelOutput(program::TileOutput output);

}  // namespace tilewave::plan
