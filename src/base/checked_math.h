#pragma once

// Products and sums of extents that say when they overflow.

#include <cstdint>
#include <initializer_list>
#include <optional>

namespace tilewave::base {

/// a * b, or nothing if it does not fit int64_t.
inline std::optional<int64_t> CheckedMul(int64_t a, int64_t b) {
  int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

/// a + b, or nothing if it does not fit int64_t.
inline std::optional<int64_t> CheckedAdd(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

/// The product of all factors, or nothing if any partial product does not fit int64_t.
inline std::optional<int64_t> CheckedProduct(std::initializer_list<int64_t> factors) {
  std::optional<int64_t> product = 1;
  for (int64_t factor : factors) {
    product = CheckedMul(*product, factor);
    if (!product) return std::nullopt;
  }
  return product;
}

/// How many pieces of `by` make up `value`, the last one perhaps smaller. REQUIRES: value >= 0,
/// by > 0, and value + by fits.
constexpr int64_t CeilDiv(int64_t value, int64_t by) { return (value + by - 1) / by; }

/// Smallest multiple of `granule` that is >= value. REQUIRES: value >= 0, granule > 0, and
/// value + granule fits (validated extents leave room for every granule).
constexpr int64_t RoundUp(int64_t value, int64_t granule) {
  return (value + granule - 1) / granule * granule;
}

}  // namespace tilewave::base
