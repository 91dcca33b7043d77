#pragma once

// One call: C = epilogue((A - zero_a) * (B - zero_b)).

#include <cstdint>

#include "tilewave/quantisation.h"
#include "tilewave/tensors.h"

namespace tilewave {

/// A matmul, or a strided batch of them.
///
/// Shapes: A is (batch x) M x K, B is (batch x) K x N, C is (batch x) M x N; all extents at least
/// 1. The batch of A and of B is C's, or 1, which repeats that matrix.
/// Types: A s8, u8 or f32; B s8, u8 or f32; C s32, f32, bf16, s8 or u8. An f32 operand is
/// quantised inside the call, and C must then be f32 or bf16.
/// The largest K depends on the types, see MaxK.
/// C must not share an element with any input, nor with itself through its strides. Nothing is
/// written to C unless the call gets past all checks.
struct Matmul {
  LeftOperand a = {};
  RightOperand b = {};
  Output c = {};
  Parameter<int32_t> zero_a = {};  ///< One, or one per row of A; within A's type.
  Parameter<int32_t> zero_b = {};  ///< One, or one per column of B; within B's type.
  DynamicQuantisation quantise_a = DynamicQuantisation::kPerVector;  ///< Read if A is f32.
  DynamicQuantisation quantise_b = DynamicQuantisation::kPerVector;  ///< Read if B is f32.
  Epilogue epilogue = {};
};

/// The largest K whose product is exact in 32 bits whatever the data: 131,071 if both operands are
/// s8 without zero points, 65,793 if one is, 33,025 if both are u8 or have zero points. Beyond it a
/// call is refused. REQUIRES: types s8 or u8.
int64_t MaxK(ElementType a, ElementType b, bool zero_a, bool zero_b);

}  // namespace tilewave
