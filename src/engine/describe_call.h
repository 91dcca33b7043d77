#pragma once

#include <cstdint>

#include "core/problem.h"
#include "runtime/array_call.h"
#include "tilewave/problem.h"
#include "tilewave/status.h"

namespace tilewave::engine {

/// Crosses the watershed: turns the user's call into plain values and checks that the shapes of
/// A, B and C belong together. `weights` is pointed at the call's B if that is prepacked. Operands
/// that are tensors go to `tensors`: strides and memory are theirs, as the tensor has them when the
/// call is planned. A C that is one is made, for a device of this payload domain.
/// Errors: kInvalidArgument, kFailedPrecondition (weights of another shape, or given zero points
/// or scales a second time).
[[nodiscard]] Status DescribeCall(const Matmul& call, uint64_t payload_domain,
                                  core::Problem* problem, core::Operands* operands,
                                  const Weights** weights, runtime::CallTensors* tensors);

/// The same for a call whose operands and C are host views or Weights; kInvalidArgument for others.
[[nodiscard]] Status DescribeCall(const Matmul& call, core::Problem* problem,
                                  core::Operands* operands, const Weights** weights);

/// The same for Engine::Prepare: a problem with M = 1 whose A and C are placeholders.
[[nodiscard]] Status DescribeWeights(const ConstMatrix& b, const Parameter<int32_t>& zero,
                                     DynamicQuantisation quantise, core::Problem* problem,
                                     core::Operands* operands);

}  // namespace tilewave::engine
