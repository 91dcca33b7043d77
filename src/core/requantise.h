#pragma once

// 32-bit accumulator -> 8-bit output: the two named modes of docs/numerics.md.

#include <cmath>
#include <cstdint>

#include "tilewave/quantisation.h"
#include "tilewave/tensors.h"

namespace tilewave::core {

/// The range of an 8-bit output type.
struct Range8 {
  int32_t low;
  int32_t high;
};

constexpr Range8 RangeOf(ElementType type) {
  return type == ElementType::kU8 ? Range8{0, 255} : Range8{-128, 127};
}

/// acc / 2^shift, rounded: the SRS (shift, round, saturate) step of the AIE vector unit before
/// saturation. The guard bit is the highest bit shifted out, the sticky bit the OR of the rest;
/// modes and values as in the AIE API's rounding_mode. shift in [0, 31].
constexpr int64_t ShiftRound(int32_t acc, int shift, Rounding rounding) {
  const int64_t floor = static_cast<int64_t>(acc) >> shift;
  if (shift == 0) return floor;
  const bool guard = ((acc >> (shift - 1)) & 1) != 0;
  const uint32_t below_guard = (uint32_t{1} << (shift - 1)) - 1;
  const bool sticky = (static_cast<uint32_t>(acc) & below_guard) != 0;
  const bool odd = (floor & 1) != 0;
  const bool negative = acc < 0;
  switch (rounding) {
    case Rounding::kFloor:
      return floor;
    case Rounding::kCeil:
      return floor + ((guard || sticky) ? 1 : 0);
    case Rounding::kSymmetricFloor:
      return floor + ((negative && (guard || sticky)) ? 1 : 0);
    case Rounding::kSymmetricCeil:
      return floor + ((!negative && (guard || sticky)) ? 1 : 0);
    case Rounding::kNegativeInf:
      return floor + ((guard && sticky) ? 1 : 0);
    case Rounding::kPositiveInf:
      return floor + (guard ? 1 : 0);
    case Rounding::kSymmetricZero:
      return floor + ((guard && (negative || sticky)) ? 1 : 0);
    case Rounding::kSymmetricInf:
      return floor + ((guard && (!negative || sticky)) ? 1 : 0);
    case Rounding::kConvEven:
      return floor + ((guard && (odd || sticky)) ? 1 : 0);
    case Rounding::kConvOdd:
      return floor + ((guard && (!odd || sticky)) ? 1 : 0);
  }
  return floor;
}

/// RequantShift. The low 8 bits of the result are the output byte, whatever the type.
constexpr int32_t RequantiseShift(int32_t acc, const RequantShift& mode, ElementType type) {
  const int64_t rounded = ShiftRound(acc, mode.shift, mode.rounding);
  const Range8 range = RangeOf(type);
  switch (mode.saturation) {
    case Saturation::kNone: {
      const auto low_bits = static_cast<uint8_t>(rounded & 0xFF);
      return type == ElementType::kU8 ? low_bits : static_cast<int8_t>(low_bits);
    }
    case Saturation::kSaturate:
      break;
    case Saturation::kSymmetric:
      if (type == ElementType::kS8 && rounded < -127) return -127;
      break;
  }
  if (rounded < range.low) return range.low;
  if (rounded > range.high) return range.high;
  return static_cast<int32_t>(rounded);
}

/// RequantScale. Clamps in float before rounding, so that no scale can overflow the conversion.
/// Rounds in the default floating-point environment (nearest even).
inline int32_t RequantiseScale(int32_t acc, float scale, int32_t zero_point, ElementType type) {
  const Range8 range = RangeOf(type);
  const float scaled = static_cast<float>(acc) * scale;
  const auto low = static_cast<float>(range.low - zero_point);
  const auto high = static_cast<float>(range.high - zero_point);
  const float clamped = scaled < low ? low : (scaled > high ? high : scaled);
  return static_cast<int32_t>(std::nearbyint(clamped)) + zero_point;
}

}  // namespace tilewave::core
