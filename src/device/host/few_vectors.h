#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "base/aligned_buffer.h"
#include "base/checked_math.h"
#include "base/parallel_for.h"
#include "device/host/float_operand.h"
#include "device/host/host_product.h"
#include "device/host/right_operand.h"
#include "device/host/workspace.h"
#include "kernels/cpu/few_rows.h"
#include "kernels/cpu/kernel.h"
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

  ElementType type() const { return type_; }
  int64_t k() const { return k_; }
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

  ElementType type_;
  int64_t count_;
  int64_t k_;
  int64_t stride_;
  bool has_zero_;
  bool other_has_zero_;
  int64_t matrices_;
  std::byte* memory_ = nullptr;
};

/// Numbers from one row of FewRowsArgs::sums to the next.
int64_t StrideOfFewSums(int64_t columns);

/// The operand whose vectors are many, and are read where they stand. Borrowed.
struct ManyVectors {
  ByteOperand bytes;  ///< One of the strides is 1.
  ElementType type = ElementType::kS8;
  int64_t count = 1;  ///< Of a matrix.
};

/// Some of these vectors and the memory for their sums: row v, of few vectors, from
/// sums + v * StrideOfFewSums(count) on.
struct FewPart {
  int64_t matrix = 0;
  int64_t first = 0;
  int64_t count = 0;
  int32_t* sums = nullptr;
};

/// Columns as vectors.
inline ByteOperand BytesOf(const RightSource& right) {
  return {right.data, right.column_stride, right.k_stride, right.batch_stride};
}

/// Multiplies all few vectors of a matrix with those of a part.
void SumPart(const HostProduct& product, const FewVectors& few, const ManyVectors& many,
             const FewPart& part);

/// Cuts the vectors of all matrices into parts of at most `most`, and calls compute(part) for each
/// here and on the threads of the crew. A part has `numbers_per_vector` more numbers behind its
/// sums for each vector.
template <typename Compute>
void ShareParts(const FewVectors& few, const ManyVectors& many, int64_t batch, int64_t most,
                int64_t numbers_per_vector, const base::Crew& crew, Workspace* workspace,
                Compute compute) {
  // Pieces of rows should be long.
  const int64_t tasks_per_thread = many.bytes.vector_stride == 1 ? 1 : 2;
  const int64_t threads = crew.threads();
  const int64_t wanted = threads == 1 ? 1 : base::CeilDiv(threads * tasks_per_thread, batch);
  // As many for each thread, if all take as long.
  const int64_t all = batch * std::max(wanted, base::CeilDiv(many.count, most));
  const int64_t parts = base::CeilDiv(base::RoundUp(all, threads), batch);
  const int64_t each = std::min(
      most, base::RoundUp(base::CeilDiv(many.count, parts), kernels::cpu::kFewRowsColumns));
  const int64_t tasks = base::CeilDiv(many.count, each);
  const int64_t largest = std::min(each, many.count);
  const auto numbers = static_cast<size_t>((few.vectors() * StrideOfFewSums(largest)) +
                                           (numbers_per_vector * largest));
  const std::span<TaskMemory> members = workspace->MembersFor(crew.threads());
  for (TaskMemory& member : members) member.sums.Reserve(numbers * sizeof(int32_t));
  base::ShareTasks(crew, batch * tasks, [&](base::TaskSource& source, int member) {
    auto* sums = members[static_cast<size_t>(member)].sums.template data<int32_t>();
    for (int64_t t = source.Next(); t >= 0; t = source.Next()) {
      const int64_t first = t % tasks * each;
      compute(FewPart{t / tasks, first, std::min(each, many.count - first), sums});
    }
  });
}

/// Whether any zero point is not 0.
bool AnyNotZero(const Parameter<int32_t>& zero);

}  // namespace tilewave::device::host
