#pragma once

#include <cstdint>

#include "core/problem.h"
#include "tilewave/status.h"

namespace tilewave::core {

/// An f32 operand seen as vectors along K: the rows of A or the columns of B.
struct FloatOperand {
  const float* data = nullptr;
  int64_t batch = 1;    ///< Matrices to look at; 1 if the batch repeats one matrix.
  int64_t vectors = 0;  ///< M or N.
  int64_t k = 0;
  int64_t vector_stride = 0;
  int64_t k_stride = 0;
  int64_t batch_stride = 0;
  Quantise mode = Quantise::kPerVector;
  bool is_a = true;  ///< For messages: rows of A, or columns of B.

  /// How many scales there are: one per vector (of every matrix), or one.
  int64_t scale_count() const { return mode == Quantise::kPerVector ? batch * vectors : 1; }
  /// Where the scale of a vector stands.
  int64_t scale_index(int64_t b, int64_t vector) const {
    return mode == Quantise::kPerVector ? ((batch == 1 ? 0 : b) * vectors) + vector : 0;
  }
};

/// The f32 operands of a problem. REQUIRES: the operand is f32.
FloatOperand FloatOperandA(const Problem& p, const Operands& o);
FloatOperand FloatOperandB(const Problem& p, const Operands& o);

/// Arrays of scale_count() numbers each, borrowed.
struct DynamicScales {
  float* scale = nullptr;
  float* inverse = nullptr;
  int32_t* zero = nullptr;
};

/// Finds the scales of all vectors. Error: kInvalidArgument naming the first row (column) that
/// holds a NaN or an infinity; the arrays are then unspecified.
[[nodiscard]] Status ScanDynamicScales(const FloatOperand& x, const DynamicScales& out);

/// Element (b, vector, k) as an integer, zero point not subtracted. REQUIRES: scanned scales.
int32_t QuantiseElement(const FloatOperand& x, const DynamicScales& s, int64_t b, int64_t vector,
                        int64_t k);

/// Points scale_a (and zero_a, if the mode has one) of `o` at the scanned scales; likewise B.
void UseScalesA(const FloatOperand& x, const DynamicScales& s, Operands* o);
void UseScalesB(const FloatOperand& x, const DynamicScales& s, Operands* o);

}  // namespace tilewave::core
