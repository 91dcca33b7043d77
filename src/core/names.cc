// The stable names of the public enumerations, and MaxK.

#include <limits>

#include "core/problem.h"
#include "tilewave/device_info.h"
#include "tilewave/problem.h"

namespace tilewave {

std::string_view Name(ElementType type) {
  switch (type) {
    case ElementType::kS8:
      return "s8";
    case ElementType::kU8:
      return "u8";
    case ElementType::kS16:
      return "s16";
    case ElementType::kS32:
      return "s32";
    case ElementType::kF32:
      return "f32";
    case ElementType::kBF16:
      return "bf16";
  }
  return "";
}

std::string_view Name(Rounding rounding) {
  switch (rounding) {
    case Rounding::kFloor:
      return "floor";
    case Rounding::kCeil:
      return "ceil";
    case Rounding::kSymmetricFloor:
      return "symmetric_floor";
    case Rounding::kSymmetricCeil:
      return "symmetric_ceil";
    case Rounding::kNegativeInf:
      return "negative_inf";
    case Rounding::kPositiveInf:
      return "positive_inf";
    case Rounding::kSymmetricZero:
      return "symmetric_zero";
    case Rounding::kSymmetricInf:
      return "symmetric_inf";
    case Rounding::kConvEven:
      return "conv_even";
    case Rounding::kConvOdd:
      return "conv_odd";
  }
  return "";
}

std::string_view Name(Saturation saturation) {
  switch (saturation) {
    case Saturation::kNone:
      return "none";
    case Saturation::kSaturate:
      return "saturate";
    case Saturation::kSymmetric:
      return "symmetric";
  }
  return "";
}

std::string_view Name(Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return "none";
    case Activation::kRelu:
      return "relu";
    case Activation::kGelu:
      return "gelu";
    case Activation::kSilu:
      return "silu";
  }
  return "";
}

std::string_view Name(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::kHost:
      return "host";
    case DeviceKind::kVnpu:
      return "vnpu";
    case DeviceKind::kXrt:
      return "xrt";
  }
  return "";
}

std::string_view Name(TimeKind kind) {
  switch (kind) {
    case TimeKind::kMeasured:
      return "measured";
    case TimeKind::kSimulated:
      return "simulated";
    case TimeKind::kPredicted:
      return "predicted";
  }
  return "";
}

int64_t MaxK(ElementType a, ElementType b, bool zero_a, bool zero_b) {
  return std::numeric_limits<int32_t>::max() / core::LargestProduct(a, b, zero_a, zero_b);
}

}  // namespace tilewave
