#pragma once

#include <atomic>
#include <cstdint>

#include "core/problem.h"
#include "tilewave/status.h"

namespace tilewave::core {

/// The definition of correct: every backend gives the same bits on all elements of C.
/// Written to be read, never to be fast (it sums in 64 bits, one element at a time). Covers
/// everything in docs/numerics.md. Slow twin of device/host.
/// Error: kInvalidArgument if a dynamically quantised operand is not finite; C is then untouched.
/// REQUIRES: ValidateProblem and ValidateOperands have passed.
/// `progress`, if not null, counts the finished elements of C.
[[nodiscard]] Status ReferenceGemm(const Problem& problem, const Operands& operands,
                                   std::atomic<int64_t>* progress = nullptr);

}  // namespace tilewave::core
