#include <gtest/gtest.h>

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

template <Fault kFault>
void RunFaultySecondRow(const TileArgs& t) {
  RunFaulty<kFault>(t);
  TileArgs second = t;
  second.a += t.a_stride;
  second.c += t.c_stride;
  if (kFault != Fault::kIgnoresInitStride) second.init += t.init_stride;
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

}  // namespace
}  // namespace tilewave::kernels::cpu
