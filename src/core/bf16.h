#pragma once

#include <bit>
#include <cstdint>

#include "tilewave/tensors.h"

namespace tilewave::core {

/// Nearest even; overflow gives infinity; a NaN stays a NaN (quiet, sign and top bits kept).
constexpr BFloat16 ToBFloat16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) {
    return {static_cast<uint16_t>((bits >> 16) | 0x0040u)};
  }
  const uint32_t half_minus_one_or_half = 0x7FFFu + ((bits >> 16) & 1u);
  return {static_cast<uint16_t>((bits + half_minus_one_or_half) >> 16)};
}

/// Exact.
constexpr float ToFloat(BFloat16 value) {
  return std::bit_cast<float>(static_cast<uint32_t>(value.bits) << 16);
}

}  // namespace tilewave::core
