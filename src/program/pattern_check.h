#pragma once

// Whether a tile has a descriptor that says a pattern of accesses.

#include <cstdint>
#include <limits>
#include <vector>

#include "arch/npu.h"
#include "base/checked_math.h"
#include "program/array_program.h"
#include "program/validate.h"

namespace tilewave::program {

// Programs may hold any number: sums and products that overflow stay at the largest one, which is
// beyond every limit.
inline int64_t CappedSum(int64_t a, int64_t b) {
  return base::CheckedAdd(a, b).value_or(std::numeric_limits<int64_t>::max());
}
inline int64_t CappedProduct(int64_t a, int64_t b) {
  return base::CheckedMul(a, b).value_or(std::numeric_limits<int64_t>::max());
}

/// Length, dimensions and iteration of a descriptor. One contiguous run needs no wraps and so has
/// no limits on them, unless `keeps_dims`. Nothing found says where it is.
std::vector<Violation> PatternViolations(int64_t length_words, const DimList& dims,
                                         const Dim& iteration, bool keeps_dims,
                                         const arch::TileLimits& limits);

/// The same of a static descriptor on a channel, with its padding.
std::vector<Violation> DescriptorViolations(const Descriptor& descriptor, Direction direction,
                                            const arch::TileLimits& limits);

}  // namespace tilewave::program
