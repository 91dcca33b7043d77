#include "kernels/cpu/row_steps.h"

#include <limits>

#include "core/requantise.h"

namespace tilewave::kernels::cpu {
namespace {

void SetRounding(const RequantShift& mode, ShiftSteps* s) {
  const uint32_t half = uint32_t{1} << (mode.shift - 1);
  const uint32_t minus_one = ~uint32_t{0};
  const int32_t lowest_kept_bit = 31 - mode.shift;
  switch (mode.rounding) {
    case Rounding::kFloor:
      return;
    case Rounding::kCeil:
      s->base = s->below;
      return;
    case Rounding::kSymmetricFloor:
      s->delta = s->below;
      return;
    case Rounding::kSymmetricCeil:
      s->base = s->below;
      s->delta = 0 - s->below;
      return;
    case Rounding::kNegativeInf:
      s->base = half - 1;
      return;
    case Rounding::kPositiveInf:
      s->base = half;
      return;
    case Rounding::kSymmetricZero:
      s->base = half - 1;
      s->delta = 1;
      return;
    case Rounding::kSymmetricInf:
      s->base = half;
      s->delta = minus_one;
      return;
    case Rounding::kConvEven:
      s->base = half - 1;
      s->delta = 1;
      s->decider_shift = lowest_kept_bit;
      return;
    case Rounding::kConvOdd:
      s->base = half;
      s->delta = minus_one;
      s->decider_shift = lowest_kept_bit;
      return;
  }
}

template <typename T>
const T* Advance(const T* pointer, int64_t count) {
  return pointer == nullptr ? nullptr : pointer + count;
}

}  // namespace

ShiftSteps StepsOf(const RequantShift& mode, ElementType type) {
  ShiftSteps s;
  s.shift = mode.shift;
  s.below = (uint32_t{1} << mode.shift) - 1;
  if (mode.shift > 0) SetRounding(mode, &s);
  if (mode.saturation == Saturation::kNone) {
    s.low = std::numeric_limits<int32_t>::min();
    s.high = std::numeric_limits<int32_t>::max();
    return s;
  }
  const core::Range8 range = core::RangeOf(type);
  const bool symmetric = mode.saturation == Saturation::kSymmetric && type == ElementType::kS8;
  s.low = symmetric ? -range.high : range.low;
  s.high = range.high;
  return s;
}

float LowestStep(const EpilogueMode& mode) {
  return static_cast<float>(core::RangeOf(mode.c_type).low - mode.requant_zero);
}

float HighestStep(const EpilogueMode& mode) {
  return static_cast<float>(core::RangeOf(mode.c_type).high - mode.requant_zero);
}

EpilogueTile ColumnsFrom(const EpilogueTile& tile, ElementType c_type, int64_t first) {
  EpilogueTile rest = tile;
  rest.sums += first;
  rest.columns -= first;
  rest.c = static_cast<char*>(tile.c) + (first * static_cast<int64_t>(ElementBytes(c_type)));
  rest.column_sums = Advance(tile.column_sums, first);
  rest.zero_b = Advance(tile.zero_b, first);
  rest.bias_s32 = Advance(tile.bias_s32, first);
  rest.scale_b = Advance(tile.scale_b, first);
  rest.bias_f32 = Advance(tile.bias_f32, first);
  rest.requant_scale = Advance(tile.requant_scale, first);
  return rest;
}

}  // namespace tilewave::kernels::cpu
