#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "tilewave/problem.h"
#include "tilewave/status.h"

namespace tilewave::cli {

/// How C compares with core::ReferenceGemm on all elements, bit for bit.
struct CheckResult {
  int64_t elements = 0;
  int64_t wrong = 0;
  std::string first_wrong;   ///< "C[0, 3, 7]", empty if none.
  double max_abs_error = 0;  ///< Over the wrong elements that are numbers.
};

/// Computes the reference for a call that has run, and compares. Needs memory for a second C and
/// takes about a nanosecond per multiply-add: the reference is written to be right, not fast.
/// `progress`, if not null, counts the finished elements of the reference.
/// REQUIRES: the call's B is a host view.
[[nodiscard]] Result<CheckResult> CheckAgainstReference(const Matmul& call,
                                                        std::atomic<int64_t>* progress = nullptr);

}  // namespace tilewave::cli
