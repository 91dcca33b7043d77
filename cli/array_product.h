#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plan/array_plan.h"
#include "tilewave/device_info.h"
#include "tilewave/problem.h"
#include "tilewave/status.h"

namespace tilewave::cli {

/// A random s8 product with its exact answer, to be run in any way that an array knows, the lossy
/// one included.
class ArrayProduct {
 public:
  /// Full-range operands, and the reference's product of them (about a nanosecond per MAC).
  ArrayProduct(int64_t m, int64_t k, int64_t n);

  struct Outcome {
    CallStats stats;  ///< Without the names, which die with the engine.
    int64_t elements = 0;
    int64_t wrong = 0;
    int64_t max_abs_error = 0;
  };

  /// Runs the product on a fresh engine and compares every element: exact outputs with the exact
  /// product, lossy ones with the exact product shifted once, as their tiles are each.
  [[nodiscard]] Result<Outcome> Run(const std::string& device,
                                    const plan::ArrayChoices& choices) const;

 private:
  Matmul Call(int32_t* c) const;

  int64_t m_;
  int64_t k_;
  int64_t n_;
  std::vector<int8_t> a_;
  std::vector<int8_t> b_;
  std::vector<int32_t> exact_;
};

}  // namespace tilewave::cli
