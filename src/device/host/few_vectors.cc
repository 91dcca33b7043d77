#include "device/host/few_vectors.h"

#include <cstring>

#include "base/check.h"
#include "core/problem.h"

namespace tilewave::device::host {
namespace {

using kernels::cpu::kFewRowsColumns;

// Vectors and rows of sums are that far from a power of two apart, or they would evict each other.
constexpr int64_t kApartBytes = 64;
static_assert(kApartBytes % kernels::cpu::kFewRowsPad == 0);

}  // namespace

bool AnyNotZero(const Parameter<int32_t>& zero) {
  return zero.present && (core::FormOf(zero) == core::ParameterForm::kVector || zero.At(0, 0) != 0);
}

int64_t StrideOfFewSums(int64_t columns) {
  return base::RoundUp(columns, kFewRowsColumns) +
         (kApartBytes / static_cast<int64_t>(sizeof(int32_t)));
}

void SumPart(const HostProduct& p, const FewVectors& few, const ManyVectors& many,
             const FewPart& part) {
  const ByteOperand& bytes = many.bytes;
  kernels::cpu::FewRowsArgs args{};
  args.a = few.data(part.matrix);
  args.a_stride = few.stride();
  args.rows = few.vectors();
  args.a_signed = few.type() == ElementType::kS8;
  args.b = bytes.data + (part.matrix * bytes.batch_stride) + (part.first * bytes.vector_stride);
  args.b_along_k = bytes.vector_stride != 1;
  TW_CHECK(!args.b_along_k || bytes.k_stride == 1);
  args.b_stride = args.b_along_k ? bytes.vector_stride : bytes.k_stride;
  args.b_signed = many.type == ElementType::kS8;
  args.k = few.k();
  args.columns = part.count;
  args.sums = part.sums;
  args.sums_stride = StrideOfFewSums(part.count);
  args.near_bytes = p.few_sums_bytes;
  p.kernel->few_rows(args);
}

FewVectors::FewVectors(const FewVectorsSource& s, const kernels::cpu::RowFunctions& rows,
                       base::AlignedBuffer* memory)
    : type_(s.type),
      count_(s.count),
      k_(s.k),
      stride_(base::RoundUp(s.k, kApartBytes) + kApartBytes),
      has_zero_(AnyNotZero(s.zero)),
      other_has_zero_(s.other_has_zero),
      // What all matrices share is there once.
      matrices_(s.bytes.batch_stride == 0 && s.zero.batch_stride == 0 ? 1 : s.batch) {
  memory->Reserve(static_cast<size_t>(matrices_ * matrix_bytes()));
  memory_ = memory->data();
  for (int64_t matrix = 0; matrix < matrices_; ++matrix) Fill(s, rows, matrix);
}

int64_t FewVectors::matrix_bytes() const {
  return base::RoundUp(((count_ + 1) * stride_) + (2 * count_ * int64_t{sizeof(int32_t)}),
                       kApartBytes);
}

void FewVectors::Fill(const FewVectorsSource& s, const kernels::cpu::RowFunctions& rows,
                      int64_t matrix) {
  const auto padding = static_cast<size_t>(stride_ - s.k);
  const auto sum = s.type == ElementType::kS8 ? rows.sum_s8 : rows.sum_u8;
  int32_t* terms = Terms(matrix);
  for (int64_t v = 0; v < count_; ++v) {
    uint8_t* to = Vectors(matrix) + (v * stride_);
    const uint8_t* from =
        s.bytes.data + (matrix * s.bytes.batch_stride) + (v * s.bytes.vector_stride);
    if (s.bytes.k_stride == 1) {
      std::memcpy(to, from, static_cast<size_t>(s.k));
    } else {
      for (int64_t i = 0; i < s.k; ++i) to[i] = from[i * s.bytes.k_stride];
    }
    std::memset(to + s.k, 0, padding);
    const int32_t zero = s.zero.present ? s.zero.At(matrix, v) : 0;
    terms[v] = -zero;
    if (other_has_zero_) {
      const uint32_t k_zero = static_cast<uint32_t>(s.k) * static_cast<uint32_t>(zero);
      terms[count_ + v] = static_cast<int32_t>(k_zero - static_cast<uint32_t>(sum(to, s.k)));
    }
  }
  if (!has_zero_) return;
  uint8_t* ones = Vectors(matrix) + (count_ * stride_);
  std::memset(ones, 1, static_cast<size_t>(s.k));
  std::memset(ones + s.k, 0, padding);
}

}  // namespace tilewave::device::host
