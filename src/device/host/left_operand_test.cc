#include "device/host/left_operand.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "arch/cpu.h"
#include "base/checked_math.h"
#include "base/random.h"
#include "kernels/cpu/kernel_table.h"
#include "kernels/cpu/rows_portable.h"
#include "tests/support/host_operands.h"

namespace tilewave::device::host {
namespace {

using kernels::cpu::Form;
using kernels::cpu::Int8Kernel;

constexpr int64_t kGuards = 64;
// Rows that lie a multiple of this apart fall into the same sets of an L1 cache.
constexpr int64_t kAliasBytes = 2048;

Int8Kernel KernelOf(Form form, bool flips) {
  return {.name = "Int8Gemm_none_1x1",
          .isa = kernels::cpu::Isa::kBaseline,
          .test_only = true,
          .form = form,
          .mr = 1,
          .nr = 1,
          .run = nullptr,
          .rows = &kernels::cpu::kRowsPortable,
          .flips = flips};
}

struct LeftStrideCase {
  const char* name;
  int64_t row;
  int64_t k;
};

std::vector<LeftStrideCase> LeftStrideCases(int64_t rows, int64_t k) {
  return {{"row-major", k, 1},
          {"row-major, padded", k + 5, 1},
          {"column-major", 1, rows},
          {"column-major, padded", 1, rows + 3},
          {"gaps", 2 * k + 1, 2},
          {"gaps, column-major", 3, 3 * rows + 2},
          {"one row repeated", 0, 1},
          {"one column repeated", 1, 0},
          {"one element", 0, 0},
          {"overlapping", 1, 1},
          {"as far apart as dense rows, but with gaps", k, 2}};
}

/// A batch of matrices, not a byte more than the strides reach, so that a sanitizer sees reads
/// beyond.
struct Matrix {
  Matrix(base::Random* random, int64_t batch, int64_t rows, int64_t k, const LeftStrideCase& s)
      : strides(s), batch_stride(((rows - 1) * s.row) + ((k - 1) * s.k) + 2) {
    const int64_t reached = (batch * batch_stride) - 1;
    for (int64_t i = 0; i < reached; ++i) {
      bytes.push_back(static_cast<uint8_t>(random->Next() >> 56));
    }
  }

  uint8_t At(int64_t b, int64_t row, int64_t i) const {
    return bytes[static_cast<size_t>((b * batch_stride) + (row * strides.row) + (i * strides.k))];
  }
  ByteOperand operand() const { return {bytes.data(), strides.row, strides.k, batch_stride}; }

  LeftStrideCase strides;
  int64_t batch_stride;
  std::vector<uint8_t> bytes;
};

/// Row `row` as a kernel reads it, by the definition: whole groups, padding 0.
std::vector<std::byte> RowByDefinition(const Matrix& m, const LeftSource& s, Form form, int64_t b,
                                       int64_t row) {
  const int64_t per_group = GroupElements(form);
  const int64_t groups = (s.k + per_group - 1) / per_group;
  std::vector<std::byte> bytes(static_cast<size_t>(groups * kernels::cpu::kGroupBytes));
  for (int64_t i = 0; i < s.k; ++i) {
    const int byte = m.At(b, row, i);
    if (!WidensA(form)) {
      bytes[static_cast<size_t>(i)] = static_cast<std::byte>(byte ^ s.flip);
      continue;
    }
    const int value = s.type == ElementType::kS8 && byte >= 128 ? byte - 256 : byte;
    const auto wide = static_cast<int16_t>(value - (s.zero == nullptr ? 0 : s.zero[row]));
    std::memcpy(bytes.data() + (i * 2), &wide, sizeof(wide));
  }
  return bytes;
}

/// What the sums of a row in groups begin with: -(its self product).
int32_t StartByDefinition(const std::vector<std::byte>& row) {
  std::vector<int16_t> elements(row.size() / sizeof(int16_t));
  std::memcpy(elements.data(), row.data(), row.size());
  int32_t sum = 0;
  for (size_t i = 0; i + 4 <= elements.size(); i += 4) {
    sum += (elements[i] * elements[i + 2]) + (elements[i + 1] * elements[i + 3]);
  }
  return -sum;
}

/// Packs and compares with the definition; neither are bytes beyond the rows touched.
void ExpectPacks(const Matrix& m, const LeftSource& s, const Int8Kernel& kernel, int64_t b,
                 int64_t first, int64_t count) {
  const int64_t stride = PackedRowStride(s, kernel);
  const auto room = static_cast<size_t>(count * stride);
  std::vector<std::byte> memory(room + (2 * kGuards), kPoison);
  const LeftRows rows = PackRows(s, kernel, b, first, count, memory.data() + kGuards);
  ASSERT_EQ(rows.data, memory.data() + kGuards);
  ASSERT_EQ(rows.stride, stride);
  ASSERT_EQ(rows.flip, 0) << "packed rows are flipped already";
  for (int64_t r = 0; r < count; ++r) {
    const std::vector<std::byte> expected = RowByDefinition(m, s, kernel.form, b, first + r);
    ASSERT_LE(static_cast<int64_t>(expected.size()), stride);
    ASSERT_TRUE(std::equal(expected.begin(), expected.end(), rows.data + (r * stride)))
        << "row " << first + r << " of matrix " << b;
    if (kernel.self == nullptr) {
      ASSERT_EQ(rows.start, 0);
      continue;
    }
    ASSERT_EQ(rows.start, static_cast<int64_t>(expected.size()));
    ASSERT_LE(rows.start + static_cast<int64_t>(sizeof(int32_t)), stride);
    int32_t start = 0;
    std::memcpy(&start, rows.data + (r * stride) + rows.start, sizeof(start));
    ASSERT_EQ(start, StartByDefinition(expected)) << "row " << first + r << " of matrix " << b;
  }
  const auto is_poison = [](std::byte byte) { return byte == kPoison; };
  ASSERT_TRUE(std::all_of(memory.begin(), memory.begin() + kGuards, is_poison));
  ASSERT_TRUE(std::all_of(memory.end() - kGuards, memory.end(), is_poison));
}

// Calls visit(matrix, rows, k) with two matrices each, for ragged shapes and all strides.
template <typename Visitor>
void ForEachMatrix(uint64_t seed, Visitor visit) {
  base::Random random(seed);
  std::vector<int64_t> ks = {127, 128, 129, 1020, 1024, 2047, 2048, 4096};
  for (int64_t k = 1; k <= 70; ++k) ks.push_back(k);
  for (const int64_t k : ks) {
    const int64_t rows = random.Between(1, 9);
    for (const LeftStrideCase& strides : LeftStrideCases(rows, k)) {
      SCOPED_TRACE(::testing::Message() << strides.name << ": " << rows << " x " << k);
      visit(Matrix(&random, 2, rows, k, strides), rows, k);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(PackRowsTest, BytesAreTheDefinitionForEveryKernelAndAllStrides) {
  const std::vector<const Int8Kernel*> kernels = Kernels();
  ForEachMatrix(91, [&](const Matrix& m, int64_t rows, int64_t k) {
    for (const Int8Kernel* kernel : kernels) {
      if (WidensA(kernel->form)) continue;
      SCOPED_TRACE(kernel->name);
      for (const uint8_t flip : {uint8_t{0}, uint8_t{0x80}}) {
        const LeftSource s{m.operand(), ElementType::kS8, flip, k, nullptr};
        ExpectPacks(m, s, *kernel, 0, 0, rows);
        ExpectPacks(m, s, *kernel, 1, rows / 2, rows - (rows / 2));
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  });
}

TEST(PackRowsTest, WideRowsAreTheDefinitionForEveryKernelAndAllStrides) {
  const std::vector<const Int8Kernel*> kernels = Kernels();
  ForEachMatrix(92, [&](const Matrix& m, int64_t rows, int64_t k) {
    for (const Int8Kernel* kernel : kernels) {
      if (!WidensA(kernel->form)) continue;
      SCOPED_TRACE(kernel->name);
      for (const ElementType type : {ElementType::kS8, ElementType::kU8}) {
        std::vector<int32_t> zeros;  // Those of all rows, whatever the first row packed.
        const int32_t low = type == ElementType::kS8 ? -128 : 0;
        for (int64_t r = 0; r < rows; ++r) {
          zeros.push_back(low + static_cast<int32_t>((k + (r * 85)) % 256));
        }
        for (const bool with_zeros : {false, true}) {
          const LeftSource s{m.operand(), type, 0, k, with_zeros ? zeros.data() : nullptr};
          ExpectPacks(m, s, *kernel, 0, 0, rows);
          ExpectPacks(m, s, *kernel, 1, rows / 2, rows - (rows / 2));
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    }
  });
}

TEST(PackRowsTest, SmallExamples) {
  constexpr uint8_t kRows[] = {1, 0x80, 255, 4, 5, 6};
  LeftSource s{{kRows, 3, 1, 0}, ElementType::kS8, 0x80, 3, nullptr};
  std::vector<std::byte> to(256, kPoison);
  LeftRows rows = PackRows(s, KernelOf(Form::kU8xS8, false), 0, 0, 2, to.data());
  constexpr uint8_t kFlipped[] = {0x81, 0, 127, 0};
  EXPECT_EQ(std::memcmp(rows.data, kFlipped, 4), 0) << "padding is 0, not flipped";
  constexpr uint8_t kSecond[] = {0x84, 0x85, 0x86, 0};
  EXPECT_EQ(std::memcmp(rows.data + rows.stride, kSecond, 4), 0);

  constexpr int32_t kZeroOfRows[] = {99, -3};
  s = {{kRows, 3, 1, 0}, ElementType::kS8, 0, 3, kZeroOfRows};
  rows = PackRows(s, KernelOf(Form::kS16xS16, false), 0, 1, 1, to.data());
  constexpr int16_t kWide[] = {7, 8, 9, 0};
  EXPECT_EQ(std::memcmp(rows.data, kWide, 8), 0) << "the zero point of row 1";
}

TEST(PackRowsTest, FloatsAreQuantisedOnTheWay) {
  base::Random random(94);
  constexpr int64_t kRows = 9;
  constexpr int64_t kBatch = 2;
  for (const int64_t k : {1, 3, 16, 63, 130}) {
    std::vector<float> values(static_cast<size_t>(kBatch * kRows * k));
    for (float& value : values) value = static_cast<float>((random.Unit() - 0.5) * 40);
    const core::FloatOperand x{.data = values.data(),
                               .batch = kBatch,
                               .vectors = kRows,
                               .k = k,
                               .vector_stride = k,
                               .k_stride = 1,
                               .batch_stride = kRows * k};
    base::AlignedBuffer expected_memory;
    const core::DynamicScales expected = ScalesIn(x, &expected_memory);
    ASSERT_TRUE(core::ScanDynamicScales(x, expected).ok());
    for (const Int8Kernel* kernel : Kernels()) {
      if (WidensA(kernel->form)) continue;
      const uint8_t flip = kernel->flips ? 0x80 : 0;
      base::AlignedBuffer memory;
      FloatRows floats(x, ScalesIn(x, &memory));
      LeftSource s{{}, ElementType::kS8, flip, k, nullptr, &floats};
      EXPECT_FALSE(ReadableInPlace(s, *kernel));
      const int64_t stride = PackedRowStride(s, *kernel);
      std::vector<std::byte> to(static_cast<size_t>(kRows * stride), kPoison);
      const LeftRows rows = PackRows(s, *kernel, 1, 2, kRows - 2, to.data());
      EXPECT_TRUE(floats.finite);
      EXPECT_EQ(rows.flip, 0);
      for (int64_t r = 2; r < kRows; ++r) {
        EXPECT_EQ(floats.scales.scale[kRows + r], expected.scale[kRows + r]);
        for (int64_t i = 0; i < base::RoundUp(k, kernels::cpu::kGroupBytes); ++i) {
          const int byte = i < k ? (core::QuantiseElement(x, expected, 1, r, i) & 0xFF) ^ flip : 0;
          ASSERT_EQ(std::to_integer<int>(rows.data[((r - 2) * rows.stride) + i]), byte)
              << kernel->name << ", row " << r << ", k " << i;
        }
      }
      const float last = std::exchange(values.back(), std::numeric_limits<float>::quiet_NaN());
      PackRows(s, *kernel, 1, kRows - 1, 1, to.data());
      EXPECT_FALSE(floats.finite);
      values.back() = last;
    }
  }
}

TEST(PackedRowStrideTest, HoldsARowAndSpreadsRowsOverTheCache) {
  const kernels::cpu::SelfProducts self{};
  for (const Form form : {Form::kU8xS8, Form::kS8xS8, Form::kS16xS8, Form::kS16xS16}) {
    Int8Kernel kernel = KernelOf(form, false);
    if (form == Form::kS16xS8) kernel.self = &self;
    const int64_t start_bytes = kernel.self == nullptr ? 0 : 4;
    for (int64_t k = 1; k <= 9000; ++k) {
      for (const int64_t row_stride : {k, k + 1}) {
        const LeftSource s{{nullptr, row_stride, 1, 0}, ElementType::kS8, 0, k, nullptr};
        const int64_t stride = PackedRowStride(s, kernel);
        const int64_t groups = (k + GroupElements(form) - 1) / GroupElements(form);
        const int64_t bytes = (groups * kernels::cpu::kGroupBytes) + start_bytes;
        ASSERT_GE(stride, bytes) << k;
        ASSERT_NE(stride % kAliasBytes, 0) << k;
        ASSERT_LE(stride, bytes + 127) << k << ": wasteful";
        if (WidensA(form)) {
          ASSERT_EQ(stride % 2, 0) << k;
        }
      }
    }
  }
}

TEST(PackedRowStrideTest, ForKernelsThatWantLinesIsAnOddNumberOfThem) {
  Int8Kernel kernel = KernelOf(Form::kAnyxS8, false);
  kernel.wants_lines = true;
  for (int64_t k = 1; k <= 3000; ++k) {
    const LeftSource s{{nullptr, k, 1, 0}, ElementType::kS8, 0, k, nullptr};
    const int64_t stride = PackedRowStride(s, kernel);
    ASSERT_EQ(stride % 128, 64) << k;
    ASSERT_GE(stride, k);
    ASSERT_LT(stride, k + 128 + 3) << k << ": wasteful";
  }
}

TEST(BestInPlaceTest, KernelsThatWantLinesHaveRowsCopiedIfItPays) {
  alignas(64) static constexpr uint8_t kBytes[64] = {};
  constexpr int64_t kMany = 4096;
  constexpr int64_t kFew = 64;
  Int8Kernel lines = KernelOf(Form::kAnyxS8, false);
  lines.wants_lines = true;
  const Int8Kernel plain = KernelOf(Form::kU8xS8, false);
  const LeftSource good{{kBytes, 576, 1, 0}, ElementType::kU8, 0, 512, nullptr};
  EXPECT_TRUE(BestInPlace(good, lines, {}, kMany));

  LeftSource off = good;
  off.bytes.data += 4;
  LeftSource ragged = good;
  ragged.bytes.vector_stride = 580;
  LeftSource batch = good;
  batch.bytes.batch_stride = 1001;
  LeftSource crowded = good;
  crowded.bytes.vector_stride = 1024;
  for (const LeftSource& s : {off, ragged, batch, crowded}) {
    EXPECT_FALSE(BestInPlace(s, lines, {}, kMany));
    EXPECT_TRUE(BestInPlace(s, lines, {}, kFew)) << "too few columns to pay for it";
    EXPECT_TRUE(BestInPlace(s, plain, {}, kMany)) << "others do not care";
  }
  // The fewer columns, the larger a part of the time is the copy.
  EXPECT_TRUE(BestInPlace(ragged, lines, {}, 191));
  EXPECT_FALSE(BestInPlace(ragged, lines, {}, 192));
  EXPECT_TRUE(BestInPlace(crowded, lines, {}, 1023));
  EXPECT_FALSE(BestInPlace(crowded, lines, {}, 1024));
  // Rows that all fall into the same two sets pay earlier.
  LeftSource aliased = good;
  aliased.bytes.vector_stride = 2048;
  EXPECT_TRUE(BestInPlace(aliased, lines, {}, 319));
  EXPECT_FALSE(BestInPlace(aliased, lines, {}, 320));
  LeftSource unreadable = good;
  unreadable.bytes.k_stride = 2;
  EXPECT_FALSE(BestInPlace(unreadable, lines, {}, kFew));
  EXPECT_FALSE(BestInPlace(unreadable, plain, {}, kMany));
}

TEST(BestInPlaceTest, WhereFlippingTakesTimeRowsAreCopiedIfItPays) {
  Int8Kernel flips = KernelOf(Form::kU8xS8, true);
  flips.flip_competes = true;
  arch::Cpu few_ports;
  few_ports.few_vector_ports = true;
  const LeftSource s{{nullptr, 512, 1, 0}, ElementType::kS8, 0x80, 512, nullptr};
  EXPECT_TRUE(BestInPlace(s, flips, {}, 4096));
  EXPECT_FALSE(BestInPlace(s, flips, few_ports, 4096));
  EXPECT_TRUE(BestInPlace(s, flips, few_ports, 32));
  EXPECT_TRUE(BestInPlace(s, KernelOf(Form::kU8xS8, true), few_ports, 4096));
  LeftSource unsigned_a = s;
  unsigned_a.flip = 0;
  EXPECT_TRUE(BestInPlace(unsigned_a, flips, few_ports, 4096));
}

TEST(ReadableInPlaceTest, RefusesWhatHasToBePacked) {
  const Int8Kernel plain = KernelOf(Form::kU8xS8, false);
  const Int8Kernel flips = KernelOf(Form::kU8xS8, true);
  const Int8Kernel other = KernelOf(Form::kS8xS8, false);
  const Int8Kernel wide = KernelOf(Form::kS16xS16, false);
  const LeftSource good{{nullptr, 68, 1, 999}, ElementType::kU8, 0, 64, nullptr};
  EXPECT_TRUE(ReadableInPlace(good, plain));
  EXPECT_TRUE(ReadableInPlace(good, flips));
  EXPECT_TRUE(ReadableInPlace(good, other));
  EXPECT_FALSE(ReadableInPlace(good, wide)) << "s16 are wanted";

  LeftSource s = good;
  s.flip = 0x80;
  EXPECT_TRUE(ReadableInPlace(s, flips));
  EXPECT_FALSE(ReadableInPlace(s, plain)) << "nobody would flip";
  EXPECT_FALSE(ReadableInPlace(s, other)) << "nobody would flip";

  for (const int64_t k_stride : {0, 2, 68, -1}) {
    s = good;
    s.bytes.k_stride = k_stride;
    EXPECT_FALSE(ReadableInPlace(s, flips)) << "K stride " << k_stride;
  }
  for (const int64_t k : {1, 2, 3, 61, 62, 63, 65}) {
    s = good;
    s.k = k;
    EXPECT_FALSE(ReadableInPlace(s, flips)) << "a part of a group: K " << k;
  }
  for (const int64_t row_stride : {int64_t{0}, int64_t{1}, int64_t{64}, kAliasBytes}) {
    s = good;
    s.bytes.vector_stride = row_stride;
    EXPECT_TRUE(ReadableInPlace(s, flips)) << "rows " << row_stride << " apart";
  }
}

TEST(RowsInPlaceTest, AreTheRowsThatPackingWouldCopy) {
  const std::vector<const Int8Kernel*> kernels = Kernels();
  int64_t in_place = 0;
  ForEachMatrix(93, [&](const Matrix& m, int64_t rows, int64_t k) {
    for (const Int8Kernel* kernel : kernels) {
      const uint8_t flip = kernel->flips ? 0x80 : 0;
      const LeftSource s{m.operand(), ElementType::kS8, flip, k, nullptr};
      if (!ReadableInPlace(s, *kernel)) continue;
      ++in_place;
      const int64_t first = rows / 2;
      LeftRows here;
      SetRowsInPlace(s, 1, first, &here);
      ASSERT_EQ(here.flip, flip) << "left to the kernel";
      for (int64_t r = first; r < rows; ++r) {
        const std::vector<std::byte> expected = RowByDefinition(m, s, kernel->form, 1, r);
        for (size_t i = 0; i < expected.size(); ++i) {
          const auto* row = here.data + ((r - first) * here.stride);
          ASSERT_EQ(row[i] ^ std::byte{here.flip}, expected[i]) << kernel->name;
        }
      }
    }
  });
  EXPECT_GT(in_place, 0);
}

}  // namespace
}  // namespace tilewave::device::host
