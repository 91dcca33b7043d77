#pragma once

// Accumulator -> element of C, one element at a time: the definition that faster code repeats.

#include <cstdint>

#include "core/activation.h"
#include "core/bf16.h"
#include "core/problem.h"
#include "core/requantise.h"

namespace tilewave::core {

/// f32 and bf16 outputs before narrowing. Each step rounds to f32; the operation order is the
/// contract: scale_a * scale_b first, then the accumulator, then the bias, then the activation.
inline float FinishF32(const Problem& p, const Operands& o, int64_t batch, int64_t i, int64_t j,
                       int32_t acc) {
  float value = static_cast<float>(acc);
  const bool scaled_a = o.scale_a.present;
  const bool scaled_b = o.scale_b.present;
  if (scaled_a && scaled_b) {
    value = value * (o.scale_a.At(batch, i) * o.scale_b.At(batch, j));
  } else if (scaled_a) {
    value = value * o.scale_a.At(batch, i);
  } else if (scaled_b) {
    value = value * o.scale_b.At(batch, j);
  }
  if (o.bias_f32.present) value = value + o.bias_f32.At(batch, j);
  switch (p.activation) {
    case Activation::kNone:
      return value;
    case Activation::kRelu:
      return Relu(value);
    case Activation::kGelu:
      return Gelu(value);
    case Activation::kSilu:
      return Silu(value);
  }
  return value;
}

/// Writes element (batch, i, j) of C, whose address is o.c plus the strides of the problem.
/// `acc` is the exact sum of products; the integer bias is added here.
/// REQUIRES: the problem and the operands have passed validation, so acc + bias fits 32 bits.
inline void StoreElement(const Problem& p, const Operands& o, int64_t batch, int64_t i, int64_t j,
                         int32_t acc) {
  const int64_t index = (batch * p.c.batch) + (i * p.c.row) + (j * p.c.col);
  if (o.bias_s32.present) acc += o.bias_s32.At(batch, j);
  if (p.c_type == ElementType::kF32) {
    static_cast<float*>(o.c)[index] = FinishF32(p, o, batch, i, j, acc);
    return;
  }
  if (p.c_type == ElementType::kBF16) {
    static_cast<BFloat16*>(o.c)[index] = ToBFloat16(FinishF32(p, o, batch, i, j, acc));
    return;
  }
  if (p.activation == Activation::kRelu && acc < 0) acc = 0;
  if (p.c_type == ElementType::kS32) {
    static_cast<int32_t*>(o.c)[index] = acc;
    return;
  }
  const int32_t q =
      p.requant == RequantKind::kShift
          ? RequantiseShift(acc, p.shift, p.c_type)
          : RequantiseScale(acc, o.requant_scale.At(batch, j), p.requant_zero, p.c_type);
  static_cast<uint8_t*>(o.c)[index] = static_cast<uint8_t>(q & 0xFF);
}

}  // namespace tilewave::core
