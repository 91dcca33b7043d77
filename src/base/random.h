#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tilewave::base {

/// SplitMix64 (Steele, Lea, Flood, 2014): small, seedable, the same numbers on every platform.
/// For test data, not for secrets.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  /// Uniform in [low, high]. REQUIRES: low <= high. The modulo bias is below 2^-32 for the small
  /// ranges used here.
  int64_t Between(int64_t low, int64_t high) {
    const uint64_t span = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;
    const uint64_t offset = span == 0 ? Next() : Next() % span;
    return static_cast<int64_t>(static_cast<uint64_t>(low) + offset);
  }

  /// Uniform in [0, 1).
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

 private:
  uint64_t state_;
};

/// Full-range s8; equal seeds, equal bytes.
inline std::vector<int8_t> RandomBytes(int64_t count, uint64_t seed) {
  Random random(seed);
  std::vector<int8_t> bytes(static_cast<size_t>(count));
  for (int8_t& byte : bytes) byte = static_cast<int8_t>(random.Between(-128, 127));
  return bytes;
}

}  // namespace tilewave::base
