#pragma once

// The operands of a call as signed bytes, the only ones that the array multiplies, and what turns
// the products of those bytes into the C that was asked for.

#include <cstdint>

#include "base/aligned_buffer.h"
#include "core/problem.h"
#include "tilewave/status.h"

namespace tilewave::runtime {

/// A (M x K) or B (K x N) as signed bytes: a view of the caller's memory, or a converted copy in
/// an ImageMemory. Borrowed.
struct OperandImage {
  const int8_t* data = nullptr;
  int64_t row_stride = 0;  ///< In elements, as all strides.
  int64_t col_stride = 0;
  int64_t batch_stride = 0;  ///< 0 if the batch repeats one matrix.
  uint8_t flip = 0;          ///< To be XORed to every byte: 0x80 in a view of u8, else 0.
  bool copied = false;
};

/// One number per row of A or column of B, for every matrix of the batch. Borrowed.
struct BatchVector {
  const int32_t* data = nullptr;  ///< Null if there are none.
  int64_t batch_stride = 0;       ///< 0 if all matrices share them.

  bool present() const { return data != nullptr; }
  /// REQUIRES: present().
  int32_t At(int64_t batch, int64_t i) const { return data[(batch * batch_stride) + i]; }
};

/// What zero points add to a product of signed bytes. Bytes that came from u8 are 128 lower than
/// the numbers they stand for, and so are their zero points here.
struct ZeroCorrection {
  int64_t k = 0;
  BatchVector zero_a;         ///< Absent if all are 0.
  BatchVector zero_b;         ///< Likewise.
  BatchVector row_sums_a;     ///< Of the bytes; present if zero_b is.
  BatchVector column_sums_b;  ///< Of the bytes; present if zero_a is.

  bool needed() const { return zero_a.present() || zero_b.present(); }
};

/// The sum over k of (a - zero_a) * (b - zero_b), from that of a * b. Terms on the way may wrap;
/// the result does not, see docs/numerics.md.
inline int32_t Correct(const ZeroCorrection& c, int64_t batch, int64_t i, int64_t j,
                       int32_t product) {
  auto sum = static_cast<uint32_t>(product);
  uint32_t zero_a = 0;
  if (c.zero_a.present()) {
    zero_a = static_cast<uint32_t>(c.zero_a.At(batch, i));
    sum -= zero_a * static_cast<uint32_t>(c.column_sums_b.At(batch, j));
  }
  if (c.zero_b.present()) {
    const auto zero_b = static_cast<uint32_t>(c.zero_b.At(batch, j));
    const auto row_sum = static_cast<uint32_t>(c.row_sums_a.At(batch, i));
    sum -= zero_b * (row_sum - (static_cast<uint32_t>(c.k) * zero_a));
  }
  return static_cast<int32_t>(sum);
}

struct Images {
  OperandImage a;
  OperandImage b;
  ZeroCorrection correction;
};

/// Scratch memory behind Images. Keeps what it has, so that the next call of the same problem
/// allocates nothing.
struct ImageMemory {
  struct Side {
    base::AlignedBuffer scales;
    base::AlignedBuffer bytes;
    base::AlignedBuffer zeros;
    base::AlignedBuffer sums;
  };
  Side a;
  Side b;
};

/// Describes both operands, quantising those that are f32; `operands` then has the scales and zero
/// points that were found. What `out` points to lives as long as the caller's operands, and until
/// `memory` is used again. C is not touched.
/// Error: kInvalidArgument if an f32 operand is not finite; `operands` is then as it was.
/// REQUIRES: ValidateProblem and ValidateOperands have passed.
[[nodiscard]] Status MakeImages(const core::Problem& problem, core::Operands* operands,
                                ImageMemory* memory, Images* out);

/// B of a problem whose operand is bytes already: a view of the caller's memory.
OperandImage ViewOfB(const core::Problem& problem, const core::Operands& operands);

/// Results of an array, batch x M x N with strides between rows and matrices, in elements.
template <typename T>
struct ArrayResults {
  const T* data = nullptr;
  int64_t row_stride = 0;
  int64_t batch_stride = 0;

  const T* Row(int64_t batch, int64_t i) const {
    return data + (batch * batch_stride) + (i * row_stride);
  }
};

/// Writes C from the products of the images' bytes: zero points, then the epilogue.
/// REQUIRES: `operands` and `images` as MakeImages left them.
void FinishProduct(const core::Problem& problem, const core::Operands& operands,
                   const Images& images, const ArrayResults<int32_t>& products);

/// Writes an s8 C that the array has requantised.
void StoreRequantised(const core::Problem& problem, const core::Operands& operands,
                      const ArrayResults<int8_t>& results);

}  // namespace tilewave::runtime
