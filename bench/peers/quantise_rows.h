#pragma once

// What a program that calls an integer library for f32 data has to write itself: symmetric
// quantisation per vector, in the same formula as tilewave's (docs/numerics.md), plain loops that
// the compiler vectorises.

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace peers {

#if defined(__x86_64__)
#define TW_FOR_THIS_CPU \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define TW_FOR_THIS_CPU
#endif

/// Rows [begin, end) of a row-major matrix: one scale per row.
TW_FOR_THIS_CPU inline void QuantiseRows(const float* data, int64_t begin, int64_t end, int64_t k,
                                         int8_t* values, float* scales) {
  for (int64_t i = begin; i < end; ++i) {
    const float* x = data + i * k;
    int8_t* q = values + i * k;
    // As bits: the order of non-negative floats, and a reduction that may be vectorised.
    uint32_t most = 0;
    for (int64_t p = 0; p < k; ++p) {
      uint32_t bits;
      __builtin_memcpy(&bits, x + p, sizeof(bits));
      most = std::max(most, bits & 0x7fffffffu);
    }
    float amax;
    __builtin_memcpy(&amax, &most, sizeof(amax));
    scales[i] = amax > 0 ? amax / 127.0f : 1.0f;
    const float inverse = amax > 0 ? 127.0f / amax : 0.0f;
    for (int64_t p = 0; p < k; ++p) {
      // Adding and taking away 1.5 * 2^23 rounds to nearest even.
      const float rounded = (x[p] * inverse + 12582912.0f) - 12582912.0f;
      q[p] = static_cast<int8_t>(static_cast<int32_t>(rounded));
    }
  }
}

/// Columns of a row-major k x n matrix: one scale per column.
TW_FOR_THIS_CPU inline void QuantiseColumns(const float* data, int64_t k, int64_t n, int8_t* values,
                                            float* scales, float* inverses) {
  for (int64_t j = 0; j < n; ++j) scales[j] = 0;
  for (int64_t p = 0; p < k; ++p) {
    for (int64_t j = 0; j < n; ++j) scales[j] = std::max(scales[j], std::fabs(data[p * n + j]));
  }
  for (int64_t j = 0; j < n; ++j) {
    const float amax = scales[j];
    inverses[j] = amax > 0 ? 127.0f / amax : 0.0f;
    scales[j] = amax > 0 ? amax / 127.0f : 1.0f;
  }
  for (int64_t p = 0; p < k; ++p) {
    for (int64_t j = 0; j < n; ++j) {
      const float rounded = (data[p * n + j] * inverses[j] + 12582912.0f) - 12582912.0f;
      values[p * n + j] = static_cast<int8_t>(static_cast<int32_t>(rounded));
    }
  }
}

}  // namespace peers
