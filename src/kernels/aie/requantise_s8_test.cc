#include "kernels/aie/requantise_s8.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/random.h"
#include "core/requantise.h"
#include "kernels/aie/host_kernels.h"
#include "tests/support/numbers.h"

namespace tilewave::kernels::aie {
namespace {

using ::aie::host_model::Core;
using ::aie::host_model::ThisCore;
using testing::kMaxS32;
using testing::kMinS32;

constexpr Rounding kRoundings[] = {Rounding::kFloor,          Rounding::kCeil,
                                   Rounding::kSymmetricFloor, Rounding::kSymmetricCeil,
                                   Rounding::kNegativeInf,    Rounding::kPositiveInf,
                                   Rounding::kSymmetricZero,  Rounding::kSymmetricInf,
                                   Rounding::kConvEven,       Rounding::kConvOdd};
constexpr Saturation kSaturations[] = {Saturation::kNone, Saturation::kSaturate,
                                       Saturation::kSymmetric};
constexpr int kShifts[] = {0, 1, 7, 8, 15, 31};

/// Sums around every tie and every bound of s8 under that shift, then the whole range at random.
std::vector<int32_t> SumsFor(int shift, size_t count) {
  std::vector<int32_t> sums = {0,       1,           -1,          kMinS32,    kMinS32 + 1,
                               kMaxS32, kMaxS32 - 1, kMinS32 / 2, kMaxS32 / 2};
  const int64_t unit = int64_t{1} << shift;
  for (int64_t whole = -130; whole <= 130; ++whole) {
    for (const int64_t part : {int64_t{0}, unit / 2, unit / 4}) {
      for (const int64_t off : {-1, 0, 1}) {
        const int64_t sum = (whole * unit) + part + off;
        if (sum >= kMinS32 && sum <= kMaxS32) sums.push_back(static_cast<int32_t>(sum));
      }
    }
  }
  base::Random random(static_cast<uint64_t>(shift));
  while (sums.size() < count) sums.push_back(static_cast<int32_t>(random.Next() >> 32));
  EXPECT_EQ(sums.size(), count);
  return sums;
}

// What a kernel makes of sums, guards checked.
std::vector<int32_t> Requantised(const HostKernels& kernels, const std::vector<int32_t>& sums,
                                 const RequantShift& mode) {
  constexpr size_t kGuards = 64;
  constexpr int8_t kGuard = 0x5A;
  base::AlignedBuffer c(sums.size() * sizeof(int32_t));
  base::AlignedBuffer out(sums.size() + kGuards);
  std::copy(sums.begin(), sums.end(), c.data<int32_t>());
  std::fill_n(out.data<int8_t>(), out.bytes(), kGuard);
  kernels.requantise(c.data<int32_t>(), out.data<int8_t>(), mode.shift,
                     static_cast<int32_t>(mode.rounding), static_cast<int32_t>(mode.saturation));
  EXPECT_TRUE(std::equal(sums.begin(), sums.end(), c.data<int32_t>()));
  const int8_t* end = out.data<int8_t>() + sums.size();
  EXPECT_EQ(std::count(end, end + kGuards, kGuard), static_cast<ptrdiff_t>(kGuards));
  return {std::as_const(out).data<int8_t>(), end};
}

// The same with one buffer for both, and nothing behind the last sum touched.
std::vector<int32_t> RequantisedInPlace(const HostKernels& kernels,
                                        const std::vector<int32_t>& sums,
                                        const RequantShift& mode) {
  constexpr size_t kGuards = 16;
  constexpr int32_t kGuard = 0x5A5A5A5A;
  base::AlignedBuffer c((sums.size() + kGuards) * sizeof(int32_t));
  std::fill_n(std::copy(sums.begin(), sums.end(), c.data<int32_t>()), kGuards, kGuard);
  kernels.requantise(c.data<int32_t>(), c.data<int8_t>(), mode.shift,
                     static_cast<int32_t>(mode.rounding), static_cast<int32_t>(mode.saturation));
  // Where no result was written, the sums are still there.
  const size_t in_results = sums.size() / sizeof(int32_t);
  EXPECT_TRUE(std::equal(sums.begin() + static_cast<ptrdiff_t>(in_results), sums.end(),
                         std::as_const(c).data<int32_t>() + in_results));
  const int32_t* end = c.data<int32_t>() + sums.size();
  EXPECT_EQ(std::count(end, end + kGuards, kGuard), static_cast<ptrdiff_t>(kGuards));
  const int8_t* out = std::as_const(c).data<int8_t>();
  return {out, out + sums.size()};
}

std::vector<int32_t> Expected(const std::vector<int32_t>& sums, const RequantShift& mode) {
  std::vector<int32_t> expected;
  for (const int32_t sum : sums) {
    expected.push_back(core::RequantiseShift(sum, mode, ElementType::kS8));
  }
  return expected;
}

TEST(AieRequantiseS8Test, EveryModeAndShiftIsThatOfTheReference) {
  for (const int64_t block_rows : {4, 8}) {
    const HostKernels* kernels = FindHostKernelsForTest(block_rows, 64, 64, 64);
    ASSERT_NE(kernels, nullptr);
    for (const int shift : kShifts) {
      const std::vector<int32_t> sums = SumsFor(shift, 64 * 64);
      for (const Rounding rounding : kRoundings) {
        for (const Saturation saturation : kSaturations) {
          const RequantShift mode{shift, rounding, saturation};
          const std::vector<int32_t> expected = Expected(sums, mode);
          EXPECT_EQ(Requantised(*kernels, sums, mode), expected)
              << Name(rounding) << " " << Name(saturation) << " " << shift;
          EXPECT_EQ(RequantisedInPlace(*kernels, sums, mode), expected)
              << Name(rounding) << " " << Name(saturation) << " " << shift << " in place";
        }
      }
    }
  }
}

TEST(AieRequantiseS8Test, EverySizeKeepsTheOrder) {
  const RequantShift mode{3, Rounding::kConvEven, Saturation::kNone};
  for (const HostKernels& kernels : HostKernelsForTest()) {
    std::vector<int32_t> sums;
    for (int32_t i = 0; i < kernels.m * kernels.n; ++i) sums.push_back(i * 5);
    EXPECT_EQ(Requantised(kernels, sums, mode), Expected(sums, mode));
    EXPECT_EQ(RequantisedInPlace(kernels, sums, mode), Expected(sums, mode));
  }
}

TEST(AieRequantiseS8Test, ModesThatAnotherKernelLeftHaveNoSay) {
  const HostKernels* kernels = FindHostKernelsForTest(4, 16, 16, 16);
  ASSERT_NE(kernels, nullptr);
  std::vector<int32_t> sums;
  for (int32_t i = 0; i < 256; ++i) sums.push_back((i - 128) * 5);
  const RequantShift mode{2, Rounding::kConvEven, Saturation::kSaturate};
  for (const Rounding other : kRoundings) {
    for (const Saturation other_saturation : kSaturations) {
      ::aie::set_rounding(static_cast<::aie::rounding_mode>(other));
      ::aie::set_saturation(static_cast<::aie::saturation_mode>(other_saturation));
      EXPECT_EQ(Requantised(*kernels, sums, mode), Expected(sums, mode));
    }
  }
  ThisCore() = Core{};
}

TEST(AieRequantiseS8Test, TheModelBeginsAsACoreAfterReset) {
  EXPECT_EQ(Core{}.rounding, ::aie::rounding_mode::floor);
  EXPECT_EQ(Core{}.saturation, ::aie::saturation_mode::none);
}

TEST(AieRequantiseS8DeathTest, WhatTheArrayDoesNotDefineIsRefused) {
  const HostKernels* kernels = FindHostKernelsForTest(8, 16, 16, 16);
  ASSERT_NE(kernels, nullptr);
  base::AlignedBuffer c(256 * sizeof(int32_t));
  base::AlignedBuffer out(256);
  std::fill_n(c.data<int32_t>(), 256, 0);
  const auto run = [&](int32_t shift, int32_t rounding, int32_t saturation) {
    kernels->requantise(c.data<int32_t>(), out.data<int8_t>(), shift, rounding, saturation);
  };
  EXPECT_DEATH(run(-1, 0, 0), "shift >= 0");
  EXPECT_DEATH(run(32, 0, 0), "shift <= 31");
  EXPECT_DEATH(run(0, 4, 0), "number <= 3");
  EXPECT_DEATH(run(0, 14, 0), "number <= 3");
  EXPECT_DEATH(run(0, 0, 2), "number <= 1");
}

}  // namespace
}  // namespace tilewave::kernels::aie
