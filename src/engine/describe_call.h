#pragma once

#include "core/problem.h"
#include "tilewave/problem.h"
#include "tilewave/status.h"

namespace tilewave::engine {

/// Crosses the watershed: turns the user's call into plain values and checks that the shapes of
/// A, B and C belong together. `weights` is pointed at the call's B
/// if that is prepacked.
/// Errors: kInvalidArgument, kFailedPrecondition (weights of another shape, or given zero points
/// or scales a second time), kUnimplemented (device tensors).
[[nodiscard]] Status DescribeCall(const Matmul& call, core::Problem* problem,
                                  core::Operands* operands, const Weights** weights);

/// The same for Engine::Prepare: a problem with M = 1 whose A and C are placeholders.
[[nodiscard]] Status DescribeWeights(const ConstMatrix& b, const Parameter<int32_t>& zero,
                                     DynamicQuantisation quantise, core::Problem* problem,
                                     core::Operands* operands);

}  // namespace tilewave::engine
