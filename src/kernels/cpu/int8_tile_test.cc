#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "arch/cpu.h"
#include "kernels/cpu/kernel_table.h"
#include "tests/support/int8_tile_check.h"

namespace tilewave::kernels::cpu {
namespace {

TEST(Int8TileTest, EveryKernelOfThisCpuEqualsTheDefinition) {
  const arch::Cpu cpu = arch::DetectCpu();
  int kernels = 0;
  for (const Int8Kernel& kernel : Int8Kernels()) {
    if (!Supported(kernel, cpu)) continue;
    EXPECT_EQ(testing::FirstTileMismatch(kernel), "");
    ++kernels;
  }
  EXPECT_GT(kernels, 0);
}

enum class Fault {
  kNone,
  kIgnoresInit,
  kIgnoresInitStride,
  kIgnoresColumns,
  kIgnoresFlip,
  kDropsLastGroup,
  kSignedA,
  kSaturates,
};

int32_t Add(Fault fault, int32_t sum, int32_t product) {
  const int64_t exact = int64_t{sum} + product;
  const auto wrapped = static_cast<int32_t>(static_cast<uint32_t>(exact));
  if (fault != Fault::kSaturates || exact == wrapped) return wrapped;
  return exact < 0 ? INT32_MIN : INT32_MAX;
}

/// A kernel of one row and three columns in the form kU8xS8 that flips, with one fault.
constexpr int kColumns = 3;

template <Fault kFault>
void RunFaulty(const TileArgs& t) {
  int32_t sums[size_t{kColumns}];
  const int64_t groups = t.groups - (kFault == Fault::kDropsLastGroup && t.groups > 1 ? 1 : 0);
  const uint8_t flip = kFault == Fault::kIgnoresFlip ? uint8_t{0} : t.flip;
  for (int j = 0; j < kColumns; ++j) {
    sums[j] = kFault == Fault::kIgnoresInit ? 0 : t.init[j];
    for (int64_t i = 0; i < groups * kGroupBytes; ++i) {
      const auto a = static_cast<uint8_t>(static_cast<uint8_t>(t.a[i]) ^ flip);
      const int64_t group_of_b = ((i / kGroupBytes * kColumns) + j) * kGroupBytes;
      const auto b = static_cast<int8_t>(t.b[group_of_b + (i % kGroupBytes)]);
      const int32_t left = kFault == Fault::kSignedA ? int32_t{static_cast<int8_t>(a)} : int32_t{a};
      sums[j] = Add(kFault, sums[j], left * b);
    }
  }
  const int columns = kFault == Fault::kIgnoresColumns ? kColumns : t.columns;
  for (int j = 0; j < columns; ++j) t.c[j] = sums[j];
}

/// The same tile from its second row on.
TileArgs SecondRow(TileArgs t) {
  t.a += t.a_stride;
  t.c += t.c_stride;
  t.init += t.init_stride;
  return t;
}

template <Fault kFault>
void RunFaultySecondRow(const TileArgs& t) {
  RunFaulty<kFault>(t);
  TileArgs second = SecondRow(t);
  if (kFault == Fault::kIgnoresInitStride) second.init = t.init;
  RunFaulty<kFault>(second);
}

template <Fault kFault>
std::string FirstMismatchWith() {
  static constexpr TileFunction kFunctions[] = {RunFaulty<kFault>, RunFaultySecondRow<kFault>};
  const Int8Kernel kernel = {.name = "Int8Gemm_faulty_2x3",
                             .isa = Isa::kBaseline,
                             .test_only = true,
                             .form = Form::kU8xS8,
                             .mr = 2,
                             .nr = kColumns,
                             .run = kFunctions,
                             .rows = nullptr,
                             .flips = true};
  return testing::FirstTileMismatch(kernel);
}

TEST(Int8TileTest, TheCheckSeesEveryFault) {
  EXPECT_EQ(FirstMismatchWith<Fault::kNone>(), "");
  EXPECT_NE(FirstMismatchWith<Fault::kIgnoresInit>(), "");
  EXPECT_NE(FirstMismatchWith<Fault::kIgnoresInitStride>(), "");
  EXPECT_NE(FirstMismatchWith<Fault::kIgnoresColumns>(), "");
  EXPECT_NE(FirstMismatchWith<Fault::kIgnoresFlip>(), "");
  EXPECT_NE(FirstMismatchWith<Fault::kDropsLastGroup>(), "");
  EXPECT_NE(FirstMismatchWith<Fault::kSignedA>(), "");
  EXPECT_NE(FirstMismatchWith<Fault::kSaturates>(), "");
}

enum class SelfFault {
  kNone,
  kIgnoresRowStart,
  kMultipliesPlainly,
  kStartsWithSelfProduct,
  kStartsOneRow,
  kForgetsAGroup,
  kBeginsAnew,
};

/// One s16 element of A, or s8 of a column of B. Groups of two.
int32_t WideAt(const std::byte* row, int64_t i) {
  int16_t value;
  std::memcpy(&value, row + (i * 2), sizeof(value));
  return value;
}
int32_t NarrowAt(const std::byte* panel, int64_t i, int j) {
  return static_cast<int8_t>(panel[(((i / 2 * kColumns) + j) * 2) + (i % 2)]);
}

/// Calls visit(i, j) for the two elements of K of each factor of a self product of so many groups.
template <typename Visit>
void ForFactors(int64_t groups, Visit visit) {
  for (int64_t first = 0; first < groups / 2 * 4; first += 4) {
    visit(first, first + 2);
    visit(first + 1, first + 3);
  }
}

/// A kernel of one row and three columns with SelfProducts.
template <SelfFault kFault>
void RunBySums(const TileArgs& t) {
  for (int j = 0; j < t.columns; ++j) {
    auto sum = static_cast<uint32_t>(t.init[j]);
    if (t.row_start != 0 && kFault != SelfFault::kIgnoresRowStart) {
      uint32_t start;
      std::memcpy(&start, t.a + t.row_start, sizeof(start));
      sum += start;
    }
    const int64_t by_sums = kFault == SelfFault::kMultipliesPlainly ? 0 : t.groups / 2 * 2;
    ForFactors(by_sums, [&](int64_t i, int64_t other) {
      sum += static_cast<uint32_t>((WideAt(t.a, i) + NarrowAt(t.b, other, j)) *
                                   (WideAt(t.a, other) + NarrowAt(t.b, i, j)));
    });
    for (int64_t i = by_sums * 2; i < t.groups * 2; ++i) {
      sum += static_cast<uint32_t>(WideAt(t.a, i) * NarrowAt(t.b, i, j));
    }
    t.c[j] = static_cast<int32_t>(sum);
  }
}

template <SelfFault kFault>
void StartRows(std::byte* rows, int64_t stride, int64_t count, int64_t groups) {
  if (kFault == SelfFault::kStartsOneRow) count = 1;
  for (int64_t r = 0; r < count; ++r) {
    std::byte* const row = rows + (r * stride);
    uint32_t sum = 0;
    ForFactors(groups, [&](int64_t i, int64_t other) {
      sum += static_cast<uint32_t>(WideAt(row, i) * WideAt(row, other));
    });
    if (kFault != SelfFault::kStartsWithSelfProduct) sum = 0 - sum;
    std::memcpy(row + (groups * kGroupBytes), &sum, sizeof(sum));
  }
}

template <SelfFault kFault>
void SubtractColumns(const std::byte* panel, int64_t groups, int32_t* init) {
  const int64_t taken = groups - (kFault == SelfFault::kForgetsAGroup ? 1 : 0);
  for (int j = 0; j < kColumns; ++j) {
    uint32_t sum = kFault == SelfFault::kBeginsAnew ? 0 : static_cast<uint32_t>(init[j]);
    ForFactors(taken, [&](int64_t i, int64_t other) {
      sum -= static_cast<uint32_t>(NarrowAt(panel, i, j) * NarrowAt(panel, other, j));
    });
    init[j] = static_cast<int32_t>(sum);
  }
}

template <SelfFault kFault>
void RunTwoBySums(const TileArgs& t) {
  RunBySums<kFault>(t);
  RunBySums<kFault>(SecondRow(t));
}

template <SelfFault kFault>
std::string FirstMismatchBySums() {
  static constexpr TileFunction kFunctions[] = {RunBySums<kFault>, RunTwoBySums<kFault>};
  static constexpr SelfProducts kSelf = {StartRows<kFault>, SubtractColumns<kFault>};
  const Int8Kernel kernel = {.name = "Int8Gemm_faulty_2x3",
                             .isa = Isa::kBaseline,
                             .test_only = true,
                             .form = Form::kS16xS8,
                             .mr = 2,
                             .nr = kColumns,
                             .run = kFunctions,
                             .rows = nullptr,
                             .self = &kSelf};
  return testing::FirstTileMismatch(kernel);
}

TEST(Int8TileTest, TheCheckSeesFaultsOfSelfProducts) {
  EXPECT_EQ(FirstMismatchBySums<SelfFault::kNone>(), "");
  EXPECT_NE(FirstMismatchBySums<SelfFault::kIgnoresRowStart>(), "");
  EXPECT_NE(FirstMismatchBySums<SelfFault::kMultipliesPlainly>(), "");
  EXPECT_NE(FirstMismatchBySums<SelfFault::kStartsWithSelfProduct>(), "");
  EXPECT_NE(FirstMismatchBySums<SelfFault::kStartsOneRow>(), "");
  EXPECT_NE(FirstMismatchBySums<SelfFault::kForgetsAGroup>(), "");
  EXPECT_NE(FirstMismatchBySums<SelfFault::kBeginsAnew>(), "");
}

}  // namespace
}  // namespace tilewave::kernels::cpu
