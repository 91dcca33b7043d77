#pragma once

// Ends of the number types.

#include <bit>
#include <cstdint>
#include <limits>

namespace tilewave::testing {

inline constexpr float kInf = std::numeric_limits<float>::infinity();
inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kMaxFloat = std::numeric_limits<float>::max();
inline constexpr int32_t kMinS32 = std::numeric_limits<int32_t>::min();
inline constexpr int32_t kMaxS32 = std::numeric_limits<int32_t>::max();

inline float FromBits(uint32_t bits) { return std::bit_cast<float>(bits); }

/// How this thread rounds f32; the C library would say what the x87 unit does.
inline bool RoundsToNearest() {
  volatile float one = 1;
  volatile float little = 0x1p-30F;
  return one + little == one && -one - little == -one;
}

}  // namespace tilewave::testing
