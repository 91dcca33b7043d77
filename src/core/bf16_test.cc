#include "core/bf16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "base/random.h"
#include "tests/support/numbers.h"

namespace tilewave::core {
namespace {

using testing::FromBits;
using testing::kInf;

static_assert(ToBFloat16(1.0F).bits == 0x3F80);
static_assert(ToFloat(BFloat16{0xC000}) == -2.0F);

// The value of a finite or infinite bf16 magnitude as nearest-even sees it: infinity stands where
// the next larger number would be.
double MagnitudeOf(uint32_t magnitude_bits) {
  if (magnitude_bits == 0x7F80) return std::ldexp(1.0, 128);
  return static_cast<double>(FromBits(magnitude_bits << 16));
}

// Nearest even from the distances to both neighbours.
uint16_t NearestEven(float value) {
  const uint32_t sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::fabs(static_cast<double>(value));
  if (std::isinf(value)) return static_cast<uint16_t>(sign | 0x7F80);
  const uint32_t below = (std::bit_cast<uint32_t>(value) & 0x7FFFFFFFu) >> 16;
  const double down = magnitude - MagnitudeOf(below);
  const double up = MagnitudeOf(below + 1) - magnitude;
  const bool take_upper = up < down || (up == down && (below & 1) != 0);
  return static_cast<uint16_t>(sign | (take_upper ? below + 1 : below));
}

TEST(BFloat16Test, EveryPatternRoundTrips) {
  int nans = 0;
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const float value = ToFloat(BFloat16{static_cast<uint16_t>(bits)});
    ASSERT_EQ(std::bit_cast<uint32_t>(value), bits << 16);
    const uint16_t back = ToBFloat16(value).bits;
    if (std::isnan(value)) {
      ++nans;
      ASSERT_EQ(back, bits | 0x0040u);
    } else {
      ASSERT_EQ(back, bits);
    }
  }
  EXPECT_EQ(nans, 2 * 127);
}

TEST(BFloat16Test, NearestEvenAroundEveryNumberAndTie) {
  for (uint32_t upper = 0; upper <= 0xFFFF; ++upper) {
    if ((upper & 0x7FFF) >= 0x7F80) continue;
    for (uint32_t lower : {0x0000u, 0x0001u, 0x7FFFu, 0x8000u, 0x8001u, 0xFFFFu}) {
      const float value = FromBits((upper << 16) | lower);
      ASSERT_EQ(ToBFloat16(value).bits, NearestEven(value)) << std::hex << upper << " " << lower;
    }
  }
}

TEST(BFloat16Test, NearestEvenOnRandomPatterns) {
  base::Random random(16);
  for (int i = 0; i < 300000; ++i) {
    const float value = FromBits(static_cast<uint32_t>(random.Next() >> 32));
    if (std::isnan(value)) continue;
    ASSERT_EQ(ToBFloat16(value).bits, NearestEven(value)) << value;
  }
}

TEST(BFloat16Test, KnownValues) {
  EXPECT_EQ(ToBFloat16(0.0F).bits, 0x0000);
  EXPECT_EQ(ToBFloat16(-0.0F).bits, 0x8000);
  EXPECT_EQ(ToBFloat16(257.0F).bits, ToBFloat16(256.0F).bits);  // Tie, to even.
  EXPECT_EQ(ToBFloat16(259.0F).bits, ToBFloat16(260.0F).bits);
  EXPECT_EQ(ToBFloat16(3.14159265F).bits, 0x4049);
}

TEST(BFloat16Test, OverflowAndInfinity) {
  EXPECT_EQ(ToBFloat16(kInf).bits, 0x7F80);
  EXPECT_EQ(ToBFloat16(-kInf).bits, 0xFF80);
  EXPECT_EQ(ToBFloat16(std::numeric_limits<float>::max()).bits, 0x7F80);
  EXPECT_EQ(ToBFloat16(std::numeric_limits<float>::lowest()).bits, 0xFF80);
  // Half way from the largest bf16 to the next power of two goes up; just below it stays.
  EXPECT_EQ(ToBFloat16(FromBits(0x7F7F8000)).bits, 0x7F80);
  EXPECT_EQ(ToBFloat16(FromBits(0x7F7F7FFF)).bits, 0x7F7F);
}

TEST(BFloat16Test, Denormals) {
  EXPECT_EQ(ToBFloat16(std::numeric_limits<float>::denorm_min()).bits, 0x0000);
  EXPECT_EQ(ToBFloat16(-std::numeric_limits<float>::denorm_min()).bits, 0x8000);
  EXPECT_EQ(ToBFloat16(FromBits(0x00008000)).bits, 0x0000);  // Tie between 0 and the smallest.
  EXPECT_EQ(ToBFloat16(FromBits(0x00008001)).bits, 0x0001);
  EXPECT_EQ(ToBFloat16(FromBits(0x007FFFFF)).bits, 0x0080);  // Into the normal range.
  EXPECT_EQ(ToFloat(BFloat16{0x0001}), FromBits(0x00010000));
}

TEST(BFloat16Test, NaNStaysAQuietNaNWithItsSign) {
  base::Random random(17);
  for (uint32_t sign : {0x00000000u, 0x80000000u}) {
    for (int i = 0; i < 2000; ++i) {
      // The first rounds have payloads in the low half only, which truncation would turn to inf.
      const uint32_t range = i < 1000 ? 0xFFFFu : 0x7FFFFFu;
      const uint32_t payload = static_cast<uint32_t>(random.Between(1, range));
      const uint32_t bits = sign | 0x7F800000u | payload;
      const uint16_t narrow = ToBFloat16(FromBits(bits)).bits;
      ASSERT_EQ(narrow, static_cast<uint16_t>((bits >> 16) | 0x0040u)) << std::hex << bits;
      ASSERT_TRUE(std::isnan(ToFloat(BFloat16{narrow}))) << std::hex << bits;
    }
  }
}

}  // namespace
}  // namespace tilewave::core
