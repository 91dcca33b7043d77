#include "cli/reference_check.h"

#include <fmt/format.h>

#include <cstring>
#include <variant>

#include "base/aligned_buffer.h"
#include "core/reference_gemm.h"
#include "engine/describe_call.h"

namespace tilewave::cli {

Result<CheckResult> CheckAgainstReference(const Matmul& call) {
  const auto& c = std::get<Matrix>(call.c);
  const size_t element = ElementBytes(c.type);
  base::AlignedBuffer expected(static_cast<size_t>(c.batch * c.rows * c.cols) * element);
  Matmul twin = call;
  twin.c = Matrix{expected.data(), c.type, c.rows, c.cols, c.batch, c.cols, 1, c.rows * c.cols};

  core::Problem problem;
  core::Operands operands;
  Weights weights;
  if (Status s = engine::DescribeCall(twin, &problem, &operands, &weights); !s.ok()) return s;
  if (Status s = core::ReferenceGemm(problem, operands); !s.ok()) return s;

  CheckResult result;
  const auto* got = static_cast<const std::byte*>(c.data);
  const std::byte* want = expected.data();
  for (int64_t b = 0; b < c.batch; ++b) {
    for (int64_t i = 0; i < c.rows; ++i) {
      for (int64_t j = 0; j < c.cols; ++j, want += element) {
        const int64_t index = (b * c.batch_stride) + (i * c.row_stride) + (j * c.col_stride);
        ++result.elements;
        if (std::memcmp(got + static_cast<size_t>(index) * element, want, element) == 0) continue;
        if (result.wrong++ == 0) result.first_wrong = fmt::format("C[{}, {}, {}]", b, i, j);
      }
    }
  }
  return result;
}

}  // namespace tilewave::cli
