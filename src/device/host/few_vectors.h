#pragma once

#include <cstdint>

#include "base/aligned_buffer.h"
#include "base/checked_math.h"
#include "device/host/float_operand.h"
#include "kernels/cpu/few_rows.h"
#include "kernels/cpu/row_functions.h"
#include "tilewave/tensors.h"

namespace tilewave::device::host {

/// The operand that has few vectors (rows of A, or columns of B) and how it is zero-pointed.
struct FewVectorsSource {
  ByteOperand bytes;
  ElementType type = ElementType::kS8;
  int64_t batch = 1;
  int64_t count = 1;  ///< Vectors of a matrix, at most 16.
  int64_t k = 1;
  Parameter<int32_t> zero = {};
  bool other_has_zero = false;  ///< Whether the other operand has zero points that are not 0.
};

/// The vectors of all matrices, padded as FewRowsArgs::a wants them, and what zero points need of
/// them.
class FewVectors {
 public:
  /// `memory` holds the copies and outlives this.
  FewVectors(const FewVectorsSource& source, const kernels::cpu::RowFunctions& rows,
             base::AlignedBuffer* memory);

  int64_t stride() const { return stride_; }
  /// With a vector of ones, for the sums of the other operand's, if zero points want them.
  int64_t vectors() const { return count_ + (has_zero_ ? 1 : 0); }
  const uint8_t* data(int64_t matrix) const { return Vectors(matrix); }
  /// -zero of each vector; null if all are 0.
  const int32_t* terms(int64_t matrix) const { return has_zero_ ? Terms(matrix) : nullptr; }
  /// K * zero - the vector's sum; null if the other operand has no zero points.
  const int32_t* sum_terms(int64_t matrix) const {
    return other_has_zero_ ? Terms(matrix) + count_ : nullptr;
  }

 private:
  int64_t matrix_bytes() const;
  int64_t At(int64_t matrix) const { return matrices_ == 1 ? 0 : matrix * matrix_bytes(); }
  uint8_t* Vectors(int64_t matrix) const {
    return reinterpret_cast<uint8_t*>(memory_ + At(matrix));
  }
  int32_t* Terms(int64_t matrix) const {
    return reinterpret_cast<int32_t*>(memory_ + At(matrix) + ((count_ + 1) * stride_));
  }
  void Fill(const FewVectorsSource& source, const kernels::cpu::RowFunctions& rows, int64_t matrix);

  int64_t count_;
  int64_t stride_;
  bool has_zero_;
  bool other_has_zero_;
  int64_t matrices_;
  std::byte* memory_ = nullptr;
};

/// Whether any zero point is not 0.
bool AnyNotZero(const Parameter<int32_t>& zero);

/// Numbers from one row of FewRowsArgs::sums to the next.
int64_t StrideOfFewSums(int64_t columns);

}  // namespace tilewave::device::host
