#pragma once

// Plans of the whole_array family: the design out of a short table, so that few configurations
// serve all shapes, and one launch for the product.

#include "plan/array_plan.h"
#include "profile/profile.h"

namespace tilewave::plan {

/// The design that the choices describe, for an output type and products of this K. Fields that
/// they leave open: tile 64x64x64, all columns, packed B, one buffer of C, 1 KiB of stack (what the
/// published designs with full memories need), and for k_mt the largest multiple of tile_k up to
/// 512 that fits and pads K by at most 1/32, or else the largest that fits.
/// kInvalidArgument and kOutOfRange: what Lower and Validate say.
[[nodiscard]] Result<program::DesignSpec> WholeArraySpec(arch::NpuArch arch,
                                                         const ArrayChoices& choices,
                                                         program::TileOutput output, int64_t k);

/// Plans one launch. If the choices fix no tile, the design of the table with the lowest predicted
/// cost. kOutOfRange: images beyond what a device is asked for; kInvalidArgument: choices that
/// contradict each other; what Lower and Validate refuse.
[[nodiscard]] Result<ArrayPlan> MakeWholeArrayPlan(const core::Problem& problem,
                                                   const profile::Profile& profile,
                                                   const ArrayChoices& choices);

}  // namespace tilewave::plan
