#include "core/requantise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/random.h"
#include "tests/support/numbers.h"

namespace tilewave::core {
namespace {

using testing::kMaxS32;
using testing::kMinS32;

constexpr Rounding kAllRoundings[] = {Rounding::kFloor,          Rounding::kCeil,
                                      Rounding::kSymmetricFloor, Rounding::kSymmetricCeil,
                                      Rounding::kNegativeInf,    Rounding::kPositiveInf,
                                      Rounding::kSymmetricZero,  Rounding::kSymmetricInf,
                                      Rounding::kConvEven,       Rounding::kConvOdd};

// v / 2^shift by the definition of each mode, from quotient and remainder.
int64_t RoundByDefinition(int64_t v, int shift, Rounding rounding) {
  const int64_t divisor = int64_t{1} << shift;
  int64_t floor = v / divisor;
  if (v % divisor < 0) --floor;
  const int64_t rest = v - (floor * divisor);
  const int64_t ceil = rest == 0 ? floor : floor + 1;
  const int64_t toward_zero = v < 0 ? ceil : floor;
  const int64_t away_from_zero = v < 0 ? floor : ceil;
  const int64_t even = floor % 2 == 0 ? floor : ceil;
  const int64_t odd = floor % 2 == 0 ? ceil : floor;
  const auto nearest = [&](int64_t tie) {
    if (2 * rest == divisor) return tie;
    return 2 * rest < divisor ? floor : ceil;
  };
  switch (rounding) {
    case Rounding::kFloor:
      return floor;
    case Rounding::kCeil:
      return ceil;
    case Rounding::kSymmetricFloor:
      return toward_zero;
    case Rounding::kSymmetricCeil:
      return away_from_zero;
    case Rounding::kNegativeInf:
      return nearest(floor);
    case Rounding::kPositiveInf:
      return nearest(ceil);
    case Rounding::kSymmetricZero:
      return nearest(toward_zero);
    case Rounding::kSymmetricInf:
      return nearest(away_from_zero);
    case Rounding::kConvEven:
      return nearest(even);
    case Rounding::kConvOdd:
      return nearest(odd);
  }
  return 0;
}

// The vector unit's own terms: guard, sticky, determinant, increment.
int64_t RoundByBits(int64_t v, int sh, Rounding rounding) {
  const int64_t a = v >> sh;
  const auto bits = static_cast<uint64_t>(v);
  const bool grd = sh > 0 && ((bits >> (sh - 1)) & 1) != 0;
  bool stk = false;
  for (int bit = 0; bit < sh - 1; ++bit) stk = stk || ((bits >> bit) & 1) != 0;
  const bool lsb = (a & 1) != 0;
  const bool sgn = v < 0;
  const auto mode = static_cast<int>(rounding);
  bool det = false;
  if (mode == 12 || mode == 13) det = lsb;
  if (mode == 2 || mode == 3 || mode == 10 || mode == 11) det = sgn;
  if (mode == 1 || mode == 3 || mode == 9 || mode == 11 || mode == 13) det = !det;
  const bool inc = mode >= 8 ? grd && (det || stk) : det && (grd || stk);
  return a + (inc ? 1 : 0);
}

std::vector<int32_t> InterestingValues() {
  std::vector<int32_t> values;
  for (int32_t v = -3000; v <= 3000; ++v) values.push_back(v);
  for (int32_t d = 0; d < 5; ++d) {
    values.push_back(kMinS32 + d);
    values.push_back(kMaxS32 - d);
  }
  // Ties of every shift, and their neighbours.
  for (int bit = 0; bit < 31; ++bit) {
    for (int32_t odd : {1, 3, 5, 7}) {
      const int64_t tie = int64_t{odd} << bit;
      if (tie >= kMaxS32) continue;
      for (int64_t delta = -1; delta <= 1; ++delta) {
        values.push_back(static_cast<int32_t>(tie + delta));
        values.push_back(static_cast<int32_t>(-tie + delta));
      }
    }
  }
  base::Random random(7);
  for (int i = 0; i < 2000; ++i) {
    values.push_back(static_cast<int32_t>(random.Between(kMinS32, kMaxS32)));
  }
  return values;
}

TEST(ShiftRoundTest, AgreesWithTheDefinitionsOfAllModes) {
  for (Rounding rounding : kAllRoundings) {
    for (int shift = 0; shift <= 31; ++shift) {
      for (int32_t v : InterestingValues()) {
        ASSERT_EQ(ShiftRound(v, shift, rounding), RoundByDefinition(v, shift, rounding))
            << Name(rounding) << " of " << v << " >> " << shift;
      }
    }
  }
}

TEST(ShiftRoundTest, AgreesWithTheBitLevelModel) {
  for (Rounding rounding : kAllRoundings) {
    for (int shift = 0; shift <= 31; ++shift) {
      for (int32_t v : InterestingValues()) {
        ASSERT_EQ(ShiftRound(v, shift, rounding), RoundByBits(v, shift, rounding))
            << Name(rounding) << " of " << v << " >> " << shift;
      }
    }
  }
}

TEST(ShiftRoundTest, HandComputedTies) {
  const struct {
    Rounding rounding;
    int64_t of_minus_6, of_minus_2, of_2, of_6;  // -1.5, -0.5, 0.5, 1.5
  } rows[] = {
      {Rounding::kFloor, -2, -1, 0, 1},         {Rounding::kCeil, -1, 0, 1, 2},
      {Rounding::kSymmetricFloor, -1, 0, 0, 1}, {Rounding::kSymmetricCeil, -2, -1, 1, 2},
      {Rounding::kNegativeInf, -2, -1, 0, 1},   {Rounding::kPositiveInf, -1, 0, 1, 2},
      {Rounding::kSymmetricZero, -1, 0, 0, 1},  {Rounding::kSymmetricInf, -2, -1, 1, 2},
      {Rounding::kConvEven, -2, 0, 0, 2},       {Rounding::kConvOdd, -1, -1, 1, 1},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(ShiftRound(-6, 2, row.rounding), row.of_minus_6) << Name(row.rounding);
    EXPECT_EQ(ShiftRound(-2, 2, row.rounding), row.of_minus_2) << Name(row.rounding);
    EXPECT_EQ(ShiftRound(2, 2, row.rounding), row.of_2) << Name(row.rounding);
    EXPECT_EQ(ShiftRound(6, 2, row.rounding), row.of_6) << Name(row.rounding);
  }
}

// The unique number congruent to v modulo 256 in the type's range.
int64_t WrapByDefinition(int64_t v, ElementType type) {
  const int64_t low = type == ElementType::kU8 ? 0 : -128;
  int64_t offset = (v - low) % 256;
  if (offset < 0) offset += 256;
  return low + offset;
}

int64_t SaturateByDefinition(int64_t v, Saturation saturation, ElementType type) {
  if (saturation == Saturation::kNone) return WrapByDefinition(v, type);
  int64_t low = 0;
  int64_t high = 255;
  if (type == ElementType::kS8) {
    low = saturation == Saturation::kSymmetric ? -127 : -128;
    high = 127;
  }
  if (v < low) return low;
  return v > high ? high : v;
}

constexpr Saturation kAllSaturations[] = {Saturation::kNone, Saturation::kSaturate,
                                          Saturation::kSymmetric};

TEST(RequantiseShiftTest, SaturationOfBothTypes) {
  for (ElementType type : {ElementType::kS8, ElementType::kU8}) {
    for (Saturation saturation : kAllSaturations) {
      for (int32_t v = -1000; v <= 1000; ++v) {
        const RequantShift mode{0, Rounding::kConvEven, saturation};
        ASSERT_EQ(RequantiseShift(v, mode, type), SaturateByDefinition(v, saturation, type))
            << Name(type) << " " << Name(saturation) << " " << v;
      }
    }
  }
}

TEST(RequantiseShiftTest, RoundsBeforeItSaturates) {
  base::Random random(8);
  for (int i = 0; i < 100000; ++i) {
    const auto v = static_cast<int32_t>(random.Between(kMinS32, kMaxS32) >> random.Between(0, 31));
    RequantShift mode;
    mode.shift = static_cast<int>(random.Between(0, 31));
    mode.rounding = kAllRoundings[random.Between(0, 9)];
    mode.saturation = kAllSaturations[random.Between(0, 2)];
    const ElementType type = random.Between(0, 1) == 0 ? ElementType::kS8 : ElementType::kU8;
    const int64_t rounded = RoundByDefinition(v, mode.shift, mode.rounding);
    ASSERT_EQ(RequantiseShift(v, mode, type), SaturateByDefinition(rounded, mode.saturation, type))
        << v << " >> " << mode.shift << " " << Name(mode.rounding) << " " << Name(mode.saturation)
        << " " << Name(type);
  }
}

TEST(RequantiseShiftTest, HandComputedEdges) {
  const RequantShift wrap{0, Rounding::kFloor, Saturation::kNone};
  EXPECT_EQ(RequantiseShift(128, wrap, ElementType::kS8), -128);
  EXPECT_EQ(RequantiseShift(-129, wrap, ElementType::kS8), 127);
  EXPECT_EQ(RequantiseShift(-1, wrap, ElementType::kU8), 255);
  EXPECT_EQ(RequantiseShift(kMinS32, wrap, ElementType::kS8), 0);
  const RequantShift symmetric{0, Rounding::kFloor, Saturation::kSymmetric};
  EXPECT_EQ(RequantiseShift(-128, symmetric, ElementType::kS8), -127);
  EXPECT_EQ(RequantiseShift(-128, symmetric, ElementType::kU8), 0);
  EXPECT_EQ(RequantiseShift(255, symmetric, ElementType::kU8), 255);
  // 127.5 rounds to 128, which only saturation brings back.
  const RequantShift even{1, Rounding::kConvEven, Saturation::kSaturate};
  EXPECT_EQ(RequantiseShift(255, even, ElementType::kS8), 127);
  EXPECT_EQ(RequantiseShift(255, {1, Rounding::kConvEven, Saturation::kNone}, ElementType::kS8),
            -128);
}

// One rounding to float per step, each from an exact double; then nearest even by hand.
int64_t ScaleByDefinition(int32_t acc, float scale, int32_t zero, ElementType type) {
  const auto acc_f32 = static_cast<float>(static_cast<double>(acc));
  const double exact = static_cast<double>(acc_f32) * static_cast<double>(scale);
  const auto product = static_cast<long double>(static_cast<float>(exact));
  const long double floor = std::floor(product);
  const long double rest = product - floor;
  const bool floor_is_odd = std::fmod(floor, 2.0L) != 0.0L;
  const bool up = rest > 0.5L || (rest == 0.5L && floor_is_odd);
  const long double shifted = floor + (up ? 1.0L : 0.0L) + static_cast<long double>(zero);
  const long double low = type == ElementType::kU8 ? 0.0L : -128.0L;
  const long double high = type == ElementType::kU8 ? 255.0L : 127.0L;
  return static_cast<int64_t>(shifted < low ? low : (shifted > high ? high : shifted));
}

void ExpectScaled(int32_t acc, float scale, int32_t zero, ElementType type) {
  ASSERT_EQ(RequantiseScale(acc, scale, zero, type), ScaleByDefinition(acc, scale, zero, type))
      << acc << " * " << scale << " + " << zero << " as " << Name(type);
}

TEST(RequantiseScaleTest, TiesGoToEvenBeforeTheZeroPointIsAdded) {
  EXPECT_EQ(RequantiseScale(1, 0.5F, 0, ElementType::kS8), 0);
  EXPECT_EQ(RequantiseScale(3, 0.5F, 0, ElementType::kS8), 2);
  EXPECT_EQ(RequantiseScale(5, 0.5F, 0, ElementType::kS8), 2);
  EXPECT_EQ(RequantiseScale(-1, 0.5F, 0, ElementType::kS8), 0);
  EXPECT_EQ(RequantiseScale(-3, 0.5F, 0, ElementType::kS8), -2);
  EXPECT_EQ(RequantiseScale(1, 0.5F, 1, ElementType::kS8), 1);
  EXPECT_EQ(RequantiseScale(3, 0.5F, 1, ElementType::kS8), 3);
  EXPECT_EQ(RequantiseScale(-3, 0.5F, 128, ElementType::kU8), 126);
}

TEST(RequantiseScaleTest, AgreesWithTheDefinitionOnSmallGrids) {
  for (int32_t zero : {-128, -127, -1, 0, 3, 126, 127}) {
    for (float scale : {0.5F, 0.25F, 1.0F, 1.5F, 0.1F, -0.5F, -1.0F}) {
      for (int32_t acc = -700; acc <= 700; ++acc) {
        ExpectScaled(acc, scale, zero, ElementType::kS8);
        ExpectScaled(acc, scale, zero + 128, ElementType::kU8);
      }
    }
  }
}

TEST(RequantiseScaleTest, ExtremeScalesAndAccumulators) {
  constexpr float kHuge = std::numeric_limits<float>::max();
  constexpr float kTiny = std::numeric_limits<float>::denorm_min();
  for (float scale : {kHuge, 1e30F, kTiny, std::numeric_limits<float>::min(), 0.0F, -0.0F}) {
    for (int32_t acc :
         {kMinS32, kMinS32 + 1, -16777217, -1, 0, 1, 16777217, kMaxS32 - 64, kMaxS32}) {
      for (int32_t zero : {-128, 0, 127}) {
        ExpectScaled(acc, scale, zero, ElementType::kS8);
        ExpectScaled(acc, -scale, zero, ElementType::kS8);
        ExpectScaled(acc, scale, zero + 128, ElementType::kU8);
      }
    }
  }
  EXPECT_EQ(RequantiseScale(kMaxS32, kHuge, 0, ElementType::kS8), 127);
  EXPECT_EQ(RequantiseScale(kMinS32, kHuge, 0, ElementType::kU8), 0);
  EXPECT_EQ(RequantiseScale(kMaxS32, 0.0F, -5, ElementType::kS8), -5);
}

TEST(RequantiseScaleTest, AgreesWithTheDefinitionOnRandomValues) {
  base::Random random(9);
  for (int i = 0; i < 200000; ++i) {
    const auto acc =
        static_cast<int32_t>(random.Between(kMinS32, kMaxS32) >> random.Between(0, 31));
    // Mostly scales that bring the accumulator near the output range.
    const double wanted = (random.Unit() - 0.5) * 600.0;
    const auto scale = static_cast<float>(acc == 0 ? wanted : wanted / static_cast<double>(acc));
    const auto zero = static_cast<int32_t>(random.Between(-128, 127));
    ExpectScaled(acc, scale, zero, ElementType::kS8);
    ExpectScaled(acc, scale, zero + 128, ElementType::kU8);
  }
}

}  // namespace
}  // namespace tilewave::core
