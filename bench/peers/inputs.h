#pragma once

#include <cmath>
#include <cstdint>

namespace peers {

/// The splitmix64 sequence: the same numbers on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  /// About normal, deviation 1: a sum of four uniform numbers.
  float Normal() {
    const uint64_t bits = Next();
    float sum = 0;
    for (int i = 0; i < 4; ++i) sum += static_cast<float>((bits >> (16 * i)) & 0xffff) / 65536.0f;
    return (sum - 2.0f) * 1.7320508f;
  }

 private:
  uint64_t state_;
};

}  // namespace peers
