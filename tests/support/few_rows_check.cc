#include "tests/support/few_rows_check.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/checked_math.h"
#include "base/random.h"

namespace tilewave::testing {
namespace {

using base::Random;
using kernels::cpu::kFewRows;
using kernels::cpu::kFewRowsColumns;
using kernels::cpu::kFewRowsPad;

constexpr int32_t kPoisonSum = 0x5A5A5A5A;

int32_t Value(uint8_t byte, bool is_signed) {
  return is_signed ? int32_t{static_cast<int8_t>(byte)} : int32_t{byte};
}

/// "" or the first wrong sum of a random call with at most `most_k` elements of K.
std::string FirstWrong(kernels::cpu::FewRowsFunction run, Random* random, bool extremes,
                       int64_t most_k) {
  kernels::cpu::FewRowsArgs t{};
  t.rows = random->Between(1, kFewRows);
  t.k = random->Between(1, most_k);
  t.columns = random->Between(1, 400);
  t.a_signed = random->Between(0, 1) == 1;
  t.b_signed = random->Between(0, 1) == 1;
  t.a_stride = base::RoundUp(t.k, kFewRowsPad) + random->Between(0, 3);
  t.b_along_k = random->Between(0, 1) == 1;
  t.b_stride = (t.b_along_k ? t.k : t.columns) + random->Between(0, 70);
  t.sums_stride = base::RoundUp(t.columns, kFewRowsColumns) + (16 * random->Between(0, 2));
  t.near_bytes = random->Between(1, 30000);
  std::vector<uint8_t> a(static_cast<size_t>(t.rows * t.a_stride), 0);
  // As long as it has to be and no longer: the sanitizer sees a read beyond.
  std::vector<uint8_t> b(static_cast<size_t>(t.b_along_k ? ((t.columns - 1) * t.b_stride) + t.k
                                                         : ((t.k - 1) * t.b_stride) + t.columns));
  const auto byte = [&] {
    return static_cast<uint8_t>(extremes ? 128 - random->Between(0, 1) : random->Between(0, 255));
  };
  for (int64_t r = 0; r < t.rows; ++r) {
    for (int64_t k = 0; k < t.k; ++k) a[static_cast<size_t>((r * t.a_stride) + k)] = byte();
  }
  for (uint8_t& each : b) each = byte();
  base::AlignedBuffer sums(static_cast<size_t>(t.rows * t.sums_stride) * sizeof(int32_t));
  std::fill_n(sums.data<int32_t>(), t.rows * t.sums_stride, kPoisonSum);
  t.a = a.data();
  t.b = b.data();
  t.sums = sums.data<int32_t>();
  run(t);
  for (int64_t r = 0; r < t.rows; ++r) {
    for (int64_t j = 0; j < t.columns; ++j) {
      int32_t sum = 0;
      for (int64_t k = 0; k < t.k; ++k) {
        sum +=
            Value(a[static_cast<size_t>((r * t.a_stride) + k)], t.a_signed) *
            Value(b[static_cast<size_t>(t.b_along_k ? (j * t.b_stride) + k : (k * t.b_stride) + j)],
                  t.b_signed);
      }
      const int32_t got = t.sums[(r * t.sums_stride) + j];
      if (got != sum) {
        return std::to_string(t.rows) + "x" + std::to_string(t.k) + "x" +
               std::to_string(t.columns) + " at " + std::to_string(r) + ", " + std::to_string(j) +
               ": " + std::to_string(got) + ", not " + std::to_string(sum);
      }
    }
  }
  return "";
}

}  // namespace

std::string FirstFewRowsMismatch(kernels::cpu::FewRowsFunction run) {
  constexpr int kCalls = 300;
  Random random(5);
  for (int i = 0; i < kCalls; ++i) {
    // Some so long that A is taken in pieces.
    const int64_t most_k = i % 8 == 7 ? 1300 : 90;
    std::string wrong = FirstWrong(run, &random, i % 4 == 0, most_k);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace tilewave::testing
