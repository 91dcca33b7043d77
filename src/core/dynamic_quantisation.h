#pragma once

// f32 -> s8 or u8 with a scale found from the data: the formulas, one value at a time.
// docs/numerics.md, section "Dynamic quantisation".

#include <cmath>
#include <cstdint>
#include <limits>

namespace tilewave::core {

/// What one row, column or tensor is quantised with.
struct DynamicScale {
  float scale = 1;    ///< Real value of one step.
  float inverse = 0;  ///< Symmetric mode: what x is multiplied by; 0 makes every q 0.
  int32_t zero = 0;   ///< Asymmetric mode.
};

/// Symmetric s8: scale = amax / 127, inverse = 127 / amax. An amax of 0, or one so small
/// (below 127 / FLT_MAX, about 3.7e-37) that its inverse overflows, counts as zero: scale 1, all
/// q = 0. REQUIRES: amax finite and >= 0.
inline DynamicScale SymmetricScale(float amax) {
  const float inverse = 127.0F / amax;
  if (!std::isfinite(inverse)) return {};  // Also for an amax of -0, whose inverse is -infinity.
  return {amax / 127.0F, inverse, 0};
}

inline int32_t QuantiseSymmetric(float x, const DynamicScale& s) {
  const float rounded = std::nearbyint(x * s.inverse);
  return static_cast<int32_t>(rounded < -127.0F ? -127.0F : (rounded > 127.0F ? 127.0F : rounded));
}

/// ONNX DynamicQuantizeLinear: the range is widened to hold 0, scale = (max - min) / 255,
/// zero = clamp(nearest_even(-min / scale)). A range of width 0, or so small that the
/// scale is not a normal number, counts as zero: scale 1, zero 0. In a range wider than FLT_MAX
/// both ends are divided first, so that their difference does not overflow.
/// REQUIRES: low <= high, both finite.
inline DynamicScale AsymmetricScale(float low, float high) {
  const float min = low < 0 ? low : 0;
  const float max = high > 0 ? high : 0;
  float scale = (max - min) / 255.0F;
  if (!std::isfinite(scale)) scale = (max / 255.0F) - (min / 255.0F);
  if (scale < std::numeric_limits<float>::min()) return {1, 0, 0};
  const float zero = std::nearbyint(-min / scale);
  return {scale, 0, static_cast<int32_t>(zero < 0 ? 0 : (zero > 255.0F ? 255.0F : zero))};
}

/// Divides by the scale, as ONNX writes it (x / scale and x * (1 / scale) differ in the last bit).
inline int32_t QuantiseAsymmetric(float x, const DynamicScale& s) {
  const float rounded = std::nearbyint(x / s.scale) + static_cast<float>(s.zero);
  return static_cast<int32_t>(rounded < 0 ? 0 : (rounded > 255.0F ? 255.0F : rounded));
}

}  // namespace tilewave::core
