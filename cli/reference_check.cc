#include "cli/reference_check.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <new>
#include <variant>

#include "base/aligned_buffer.h"
#include "cli/memory.h"
#include "core/bf16.h"
#include "core/reference_gemm.h"
#include "engine/describe_call.h"

namespace tilewave::cli {
namespace {

double ValueOf(const std::byte* element, ElementType type) {
  const auto read = [element](auto value) {
    std::memcpy(&value, element, sizeof(value));
    return value;
  };
  switch (type) {
    case ElementType::kS8:
      return read(int8_t{});
    case ElementType::kU8:
      return read(uint8_t{});
    case ElementType::kS16:
      return read(int16_t{});
    case ElementType::kS32:
      return read(int32_t{});
    case ElementType::kF32:
      return static_cast<double>(read(float{}));
    case ElementType::kBF16:
      return static_cast<double>(core::ToFloat(read(BFloat16{})));
  }
  return 0;
}

}  // namespace

Result<CheckResult> CheckAgainstReference(const Matmul& call, std::atomic<int64_t>* progress) {
  const auto& c = std::get<Matrix>(call.c);
  const size_t element_bytes = ElementBytes(c.type);
  Result<base::AlignedBuffer> expected =
      Allocate("the check of C", static_cast<size_t>(c.batch * c.rows * c.cols) * element_bytes);
  if (!expected.ok()) return expected.status();
  Matmul twin = call;
  twin.c = Matrix{expected->data(), c.type, c.rows, c.cols, c.batch, c.cols, 1, c.rows * c.cols};

  core::Problem problem;
  core::Operands operands;
  const Weights* weights = nullptr;
  if (Status s = engine::DescribeCall(twin, &problem, &operands, &weights); !s.ok()) return s;
  try {
    if (Status s = core::ReferenceGemm(problem, operands, progress); !s.ok()) return s;
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kResourceExhausted,
                  "the check of C needs more memory than can be had: 4 bytes for each element of A "
                  "and B");
  }

  CheckResult result;
  const auto* got = static_cast<const std::byte*>(c.data);
  const std::byte* want = expected->data();
  for (int64_t b = 0; b < c.batch; ++b) {
    for (int64_t i = 0; i < c.rows; ++i) {
      for (int64_t j = 0; j < c.cols; ++j, want += element_bytes) {
        const int64_t index = (b * c.batch_stride) + (i * c.row_stride) + (j * c.col_stride);
        ++result.elements;
        const std::byte* element = got + (static_cast<size_t>(index) * element_bytes);
        if (std::memcmp(element, want, element_bytes) == 0) continue;
        const double error = std::abs(ValueOf(element, c.type) - ValueOf(want, c.type));
        result.max_abs_error = std::fmax(result.max_abs_error, error);
        if (result.wrong++ == 0) result.first_wrong = fmt::format("C[{}, {}, {}]", b, i, j);
      }
    }
  }
  return result;
}

}  // namespace tilewave::cli
