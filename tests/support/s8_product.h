#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "tilewave/engine.h"

namespace tilewave::testing {

/// Dense s8 products whose C says whether it was touched.
struct S8Product {
  S8Product(int64_t batches, int64_t rows, int64_t depth, int64_t columns, uint64_t seed = 11)
      : batch(batches),
        m(rows),
        k(depth),
        n(columns),
        a(static_cast<size_t>(batch * m * k)),
        b(static_cast<size_t>(batch * k * n)),
        c(static_cast<size_t>(batch * m * n), -1) {
    base::Random random(seed);
    for (int8_t& byte : a) byte = static_cast<int8_t>(random.Between(-128, 127));
    for (int8_t& byte : b) byte = static_cast<int8_t>(random.Between(-128, 127));
  }
  ConstMatrix B() const { return RowMajor(b.data(), k, n, batch); }
  Matmul Call(int32_t* out) const {
    return {.a = RowMajor(a.data(), m, k, batch), .b = B(), .c = RowMajor(out, m, n, batch)};
  }
  Matmul Call() { return Call(c.data()); }
  /// What the host computes, which other tests hold to the reference.
  std::vector<int32_t> Expected() const {
    std::vector<int32_t> expected(c.size());
    Result<Engine> host = Engine::Create({.device = "host"});
    EXPECT_TRUE(host->Run(Call(expected.data())).ok());
    return expected;
  }

  int64_t batch;
  int64_t m;
  int64_t k;
  int64_t n;
  std::vector<int8_t> a;
  std::vector<int8_t> b;
  std::vector<int32_t> c;
};

}  // namespace tilewave::testing
