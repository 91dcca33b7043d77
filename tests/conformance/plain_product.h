#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "core/problem.h"
#include "core/reference_gemm.h"
#include "tilewave/engine.h"

namespace tilewave::conformance {

/// A dense s8 x s8 -> s32 call with known extents, whose C says whether it was touched.
class PlainProduct {
 public:
  PlainProduct(int64_t rows, int64_t depth, int64_t columns, int64_t count = 1)
      : m_(rows),
        k_(depth),
        n_(columns),
        batch_(count),
        a_(base::RandomBytes(batch_ * m_ * k_, 7)),
        b_(base::RandomBytes(batch_ * k_ * n_, 8)),
        c_(static_cast<size_t>(batch_ * m_ * n_), kUntouched) {}

  ConstMatrix b() const { return RowMajor(b_.data(), k_, n_, batch_); }
  Matmul Call() { return CallWith(b()); }
  Matmul CallWith(RightOperand b) {
    return {.a = RowMajor(const_cast<const int8_t*>(a_.data()), m_, k_, batch_),
            .b = std::move(b),
            .c = RowMajor(c_.data(), m_, n_, batch_)};
  }

  void Poison() { std::fill(c_.begin(), c_.end(), kUntouched); }

  /// Whether C is the product.
  bool IsExact() const {
    std::vector<int32_t> expected(c_.size());
    core::Problem problem;
    problem.batch = batch_;
    problem.m = m_;
    problem.k = k_;
    problem.n = n_;
    problem.a = {k_, 1, m_ * k_};
    problem.b = {n_, 1, k_ * n_};
    problem.c = {n_, 1, m_ * n_};
    core::Operands operands;
    operands.a = a_.data();
    operands.b = b_.data();
    operands.c = expected.data();
    return core::ReferenceGemm(problem, operands).ok() && c_ == expected;
  }

 private:
  static constexpr int32_t kUntouched = -1;

  int64_t m_;
  int64_t k_;
  int64_t n_;
  int64_t batch_;
  std::vector<int8_t> a_;
  std::vector<int8_t> b_;
  std::vector<int32_t> c_;
};

}  // namespace tilewave::conformance
