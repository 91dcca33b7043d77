#pragma once

#include "core/problem.h"
#include "tilewave/tensors.h"

namespace tilewave::core {

/// The strides of a view, kDenseStride worked out; the largest int64_t for what does not fit. The
/// batch's is 0 for one matrix. Other negative strides stay, to be refused.
Strides StridesOf(const ConstMatrix& view);

}  // namespace tilewave::core
