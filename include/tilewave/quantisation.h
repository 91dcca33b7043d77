#pragma once

// Zero points, scales, requantisation, activations and dynamic quantisation.
// docs/numerics.md defines every formula to the bit.

#include <cstdint>
#include <string_view>
#include <variant>

namespace tilewave {

/// One number for a whole tensor, or one per row (of A and C) or per column (of B and C).
/// Element (b, i) stands at data[b*batch_stride + i*stride]; with data == nullptr it is `value`.
/// A default Parameter is absent: zero points read as 0, scales as 1. One that holds anything and
/// is not `present` is refused, so that a forgotten flag is never a silent change of result.
/// The memory behind `data` must outlive the call.
template <typename T>
struct Parameter {
  bool present = false;
  T value{};
  const T* data = nullptr;
  int64_t stride = 0;
  int64_t batch_stride = 0;

  static Parameter Of(T value) { return {true, value, nullptr, 0, 0}; }

  /// One per row or column; `batch_stride` 0 uses the same vector for every matrix of a batch.
  /// A null pointer is refused by the call.
  static Parameter PerElement(const T* data, int64_t batch_stride = 0) {
    return {true, T{}, data, 1, batch_stride};
  }

  T At(int64_t batch, int64_t i) const {
    return data == nullptr ? value : data[batch * batch_stride + i * stride];
  }
};

/// How the shift of RequantShift rounds. Names and values are the AIE vector unit's.
/// The first four are directed, the others round to nearest and differ in what they do with ties.
enum class Rounding : uint8_t {
  kFloor = 0,           ///< Toward negative infinity.
  kCeil = 1,            ///< Toward positive infinity.
  kSymmetricFloor = 2,  ///< Toward zero.
  kSymmetricCeil = 3,   ///< Away from zero.
  kNegativeInf = 8,     ///< Nearest, ties toward negative infinity.
  kPositiveInf = 9,     ///< Nearest, ties toward positive infinity.
  kSymmetricZero = 10,  ///< Nearest, ties toward zero.
  kSymmetricInf = 11,   ///< Nearest, ties away from zero.
  kConvEven = 12,       ///< Nearest, ties to even.
  kConvOdd = 13,        ///< Nearest, ties to odd.
};

/// What the shift of RequantShift does with values that do not fit. Values are the AIE's.
enum class Saturation : uint8_t {
  kNone = 0,       ///< Keep the low 8 bits (wrap).
  kSaturate = 1,   ///< Clamp to the type: [-128, 127] or [0, 255].
  kSymmetric = 3,  ///< Clamp to [-127, 127]; for u8 the same as kSaturate.
};

/// "floor" .. "conv_odd" and "none", "saturate", "symmetric"; empty for no such value.
std::string_view Name(Rounding rounding);
std::string_view Name(Saturation saturation);

/// s8/u8 = saturate(round(acc / 2^shift)), to the bit as the AIE vector unit does it, on every
/// backend. shift in [0, 31].
struct RequantShift {
  int shift = 0;
  Rounding rounding = Rounding::kConvEven;
  Saturation saturation = Saturation::kSaturate;
};

/// s8/u8 = clamp(nearest_even(float(acc) * scale[j]) + zero_point): ONNX QLinear semantics.
/// `scale` is one finite number, or one per column of C.
struct RequantScale {
  Parameter<float> scale = {};
  int32_t zero_point = 0;
};

/// none, or one of the two ways to s8/u8. Required exactly when C is s8 or u8.
using Requantisation = std::variant<std::monostate, RequantShift, RequantScale>;

/// Applied last to f32 and bf16 outputs; ReLU also to the integer accumulator of s32, s8 and u8
/// outputs, before requantisation. GELU (erf form) and SiLU need an f32 or bf16 output; asking
/// for them with an integer one gives kUnimplemented.
enum class Activation : uint8_t { kNone, kRelu, kGelu, kSilu };

/// "none", "relu", "gelu", "silu".
std::string_view Name(Activation activation);

/// What happens to the 32-bit accumulator on its way to C.
struct Epilogue {
  Parameter<float> scale_a = {};     ///< f32/bf16 outputs: one, or one per row of C.
  Parameter<float> scale_b = {};     ///< f32/bf16 outputs: one, or one per column of C.
  Parameter<int32_t> bias_s32 = {};  ///< Added to the accumulator; one, or one per column.
  Parameter<float> bias_f32 = {};    ///< f32/bf16 outputs: added after scaling; likewise.
  Activation activation = Activation::kNone;
  Requantisation requantisation = {};  ///< s8/u8 outputs.
  bool accumulate = false;             ///< Reserved: C += product. Gives kUnimplemented.
};

/// How an f32 operand becomes integers inside the call.
enum class DynamicQuantisation : uint8_t {
  kPerVector,            ///< Symmetric s8: A per row, B per column.
  kPerTensor,            ///< Symmetric s8, one scale for the whole operand, batch included.
  kAsymmetricPerTensor,  ///< u8 with a zero point, as ONNX DynamicQuantizeLinear; A only.
};

}  // namespace tilewave
