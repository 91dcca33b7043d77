#pragma once

#include <cstdint>

#include "base/aligned_buffer.h"
#include "base/parallel_for.h"
#include "core/dynamic_scan.h"
#include "kernels/cpu/row_functions.h"
#include "tilewave/status.h"

namespace tilewave::device::host {

/// An operand as bytes: element k of vector v (row of A, column of B) of matrix b at
/// data[b * batch_stride + v * vector_stride + k * k_stride]. Borrowed.
struct ByteOperand {
  const uint8_t* data = nullptr;
  int64_t vector_stride = 0;
  int64_t k_stride = 0;
  int64_t batch_stride = 0;
};

/// How bytes are to be left.
struct ByteForm {
  uint8_t flip = 0;
  int64_t vector_stride = 0;  ///< If the elements of vectors stand side by side; 0: K.
};

/// Arrays for the scales of an operand, in `memory`.
core::DynamicScales ScalesIn(const core::FloatOperand& x, base::AlignedBuffer* memory);

/// Quantises one contiguous vector: finds its scale and writes k bytes XOR flip to `to`. False if
/// it is not finite; nothing is written then. `ahead`: as RowFunctions::quantise_symmetric.
/// REQUIRES: one scale per vector, k_stride of 1.
[[nodiscard]] bool QuantiseVector(const core::FloatOperand& x, int64_t b, int64_t vector,
                                  uint8_t flip, const kernels::cpu::RowFunctions& rows,
                                  const core::DynamicScales& scales, uint8_t* to, int64_t ahead);

/// What to say of an operand that is not finite. `scales` are then unspecified.
Status NotFinite(const core::FloatOperand& x, const core::DynamicScales& scales);

/// Quantises an f32 operand: finds the scales and writes all elements as bytes XOR flip, each value
/// read from memory once if scales are per vector. Bit-identical to core::ScanDynamicScales and
/// core::QuantiseElement. `scales` and `bytes` are the memory that results are left in.
/// Error: kInvalidArgument naming the first row (column) that is not finite.
[[nodiscard]] Status QuantiseOperand(const core::FloatOperand& x, const ByteForm& form,
                                     const kernels::cpu::RowFunctions& rows, const base::Crew& crew,
                                     base::AlignedBuffer* scales, base::AlignedBuffer* bytes,
                                     core::DynamicScales* out_scales, ByteOperand* out);

}  // namespace tilewave::device::host
