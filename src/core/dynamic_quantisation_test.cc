#include "core/dynamic_quantisation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "tests/support/numbers.h"

namespace tilewave::core {
namespace {

using testing::kMaxFloat;

constexpr float kMinNormal = std::numeric_limits<float>::min();

std::vector<int32_t> Symmetric(const std::vector<float>& row) {
  float amax = 0;
  for (float x : row) amax = std::max(amax, std::fabs(x));
  const DynamicScale s = SymmetricScale(amax);
  std::vector<int32_t> q;
  for (float x : row) q.push_back(QuantiseSymmetric(x, s));
  return q;
}

DynamicScale AsymmetricScaleOf(const std::vector<float>& x) {
  return AsymmetricScale(*std::min_element(x.begin(), x.end()),
                         *std::max_element(x.begin(), x.end()));
}

std::vector<int32_t> Asymmetric(const std::vector<float>& x) {
  const DynamicScale s = AsymmetricScaleOf(x);
  std::vector<int32_t> q;
  for (float value : x) q.push_back(QuantiseAsymmetric(value, s));
  return q;
}

// A finite positive float with any exponent from `low` up.
float RandomMagnitude(base::Random* random, float low) {
  const auto first = static_cast<int64_t>(std::bit_cast<uint32_t>(low));
  const auto last = static_cast<int64_t>(std::bit_cast<uint32_t>(kMaxFloat));
  return std::bit_cast<float>(static_cast<uint32_t>(random->Between(first, last)));
}

TEST(SymmetricTest, HandComputedRows) {
  // 127 / 127 = 1: ties go to even.
  EXPECT_EQ(Symmetric({127, 0.5F, 1.5F, 2.5F, -0.5F, -1.5F, -2.5F, 3.25F}),
            (std::vector<int32_t>{127, 0, 2, 2, 0, -2, -2, 3}));
  // 127 / 2 = 63.5.
  EXPECT_EQ(Symmetric({1, -2, 0.5F, 2, 0}), (std::vector<int32_t>{64, -127, 32, 127, 0}));
  EXPECT_EQ(SymmetricScale(2).scale, 2.0F / 127.0F);
  EXPECT_EQ(SymmetricScale(2).inverse, 63.5F);
  EXPECT_EQ(SymmetricScale(2).zero, 0);
}

TEST(SymmetricTest, ZeroRowHasScaleOne) {
  for (float zero : {0.0F, -0.0F}) {
    const DynamicScale s = SymmetricScale(zero);
    ASSERT_EQ(s.scale, 1.0F);
    EXPECT_EQ(QuantiseSymmetric(0.0F, s), 0);
    EXPECT_EQ(QuantiseSymmetric(-0.0F, s), 0);
  }
}

TEST(SymmetricTest, LargestMagnitudeMapsTo127Exactly) {
  base::Random random(21);
  std::vector<float> magnitudes = {1, 3, 0.1F, kMaxFloat, 1e-36F, 4e-37F};
  for (int i = 0; i < 100000; ++i) magnitudes.push_back(RandomMagnitude(&random, 4e-37F));
  for (float amax : magnitudes) {
    const DynamicScale s = SymmetricScale(amax);
    ASSERT_EQ(QuantiseSymmetric(amax, s), 127) << amax;
    ASSERT_EQ(QuantiseSymmetric(-amax, s), -127) << amax;
    ASSERT_GT(s.scale, 0.0F) << amax;
  }
}

TEST(SymmetricTest, TinyMagnitudesCountAsZero) {
  const float border = 127.0F / kMaxFloat;  // About 3.7e-37.
  for (float amax : {1e-45F, 1e-42F, 1e-38F, kMinNormal, border * 0.99F}) {
    const DynamicScale s = SymmetricScale(amax);
    EXPECT_EQ(s.scale, 1.0F) << amax;
    EXPECT_EQ(QuantiseSymmetric(amax, s), 0) << amax;
    EXPECT_EQ(QuantiseSymmetric(-amax / 2, s), 0) << amax;
    EXPECT_EQ(QuantiseSymmetric(0, s), 0) << amax;
  }
  const DynamicScale above = SymmetricScale(border * 1.01F);
  EXPECT_GT(above.scale, 0.0F);
  EXPECT_LT(above.scale, 1e-38F);
  EXPECT_TRUE(std::isfinite(above.inverse));
  EXPECT_EQ(QuantiseSymmetric(border * 1.01F, above), 127);
}

// The float formula may differ from the real one only next to a tie.
TEST(SymmetricTest, AgreesWithDoubleAwayFromTies) {
  base::Random random(22);
  int near_ties = 0;
  constexpr int kCount = 200000;
  for (int i = 0; i < kCount; ++i) {
    const float amax = RandomMagnitude(&random, 4e-37F);
    const auto x = static_cast<float>((2 * random.Unit() - 1) * static_cast<double>(amax));
    const DynamicScale s = SymmetricScale(amax);
    const double exact = static_cast<double>(x) * 127.0 / static_cast<double>(amax);
    const double from_tie = std::fabs(std::fabs(exact - std::floor(exact)) - 0.5);
    const int32_t q = QuantiseSymmetric(x, s);
    if (from_tie < 1e-4) {
      ++near_ties;
      ASSERT_LE(std::fabs(q - exact), 0.5 + 1e-4) << x << " of " << amax;
    } else {
      ASSERT_EQ(q, std::lround(exact)) << x << " of " << amax;
    }
  }
  EXPECT_LT(near_ties, kCount / 500);
}

TEST(SymmetricTest, DequantisedErrorIsAtMostHalfAStep) {
  base::Random random(23);
  for (int i = 0; i < 100000; ++i) {
    const float amax = RandomMagnitude(&random, 4e-37F);
    const auto x = static_cast<float>((2 * random.Unit() - 1) * static_cast<double>(amax));
    const DynamicScale s = SymmetricScale(amax);
    const auto scale = static_cast<double>(s.scale);
    const double error = std::fabs((QuantiseSymmetric(x, s) * scale) - static_cast<double>(x));
    ASSERT_LE(error, scale * (0.5 + 1e-4)) << x << " of " << amax;
  }
}

// The three examples of the ONNX operator DynamicQuantizeLinear.
TEST(AsymmetricTest, OnnxExampleMixedSigns) {
  const std::vector<float> x = {0, 2, -3, -2.5F, 1.34F, 0.5F};
  EXPECT_FLOAT_EQ(AsymmetricScaleOf(x).scale, 0.0196078438F);
  EXPECT_EQ(AsymmetricScaleOf(x).zero, 153);
  EXPECT_EQ(Asymmetric(x), (std::vector<int32_t>{153, 255, 0, 26, 221, 179}));
}

TEST(AsymmetricTest, OnnxExampleMaximumAdjusted) {
  const std::vector<float> x = {-1.0F, -2.1F, -1.3F, -2.5F, -3.34F, -4.0F};
  EXPECT_FLOAT_EQ(AsymmetricScaleOf(x).scale, 0.0156862754F);
  EXPECT_EQ(AsymmetricScaleOf(x).zero, 255);
  EXPECT_EQ(Asymmetric(x), (std::vector<int32_t>{191, 121, 172, 96, 42, 0}));
}

TEST(AsymmetricTest, OnnxExampleMinimumAdjusted) {
  const std::vector<float> x = {1, 2.1F, 1.3F, 2.5F, 3.34F, 4, 1.5F, 2.6F, 3.9F, 4, 3, 2.345F};
  EXPECT_FLOAT_EQ(AsymmetricScaleOf(x).scale, 0.0156862754F);
  EXPECT_EQ(AsymmetricScaleOf(x).zero, 0);
  EXPECT_EQ(Asymmetric(x),
            (std::vector<int32_t>{64, 134, 83, 159, 213, 255, 96, 166, 249, 255, 191, 149}));
}

TEST(AsymmetricTest, WidthZeroAndTinyRanges) {
  for (float width : {0.0F, 1e-45F, 1e-42F, kMinNormal, 200 * kMinNormal}) {
    const DynamicScale s = AsymmetricScale(-width / 2, width / 2);
    EXPECT_EQ(s.scale, 1.0F) << width;
    EXPECT_EQ(s.zero, 0) << width;
    EXPECT_EQ(QuantiseAsymmetric(width / 2, s), 0) << width;
    EXPECT_EQ(QuantiseAsymmetric(-width / 2, s), 0) << width;
  }
  const DynamicScale normal = AsymmetricScale(0, 300 * kMinNormal);
  EXPECT_LT(normal.scale, 1e-37F);
  EXPECT_EQ(QuantiseAsymmetric(300 * kMinNormal, normal), 255);
}

TEST(AsymmetricTest, RangeWiderThanFloatDoesNotOverflow) {
  const DynamicScale s = AsymmetricScale(-kMaxFloat, kMaxFloat);
  EXPECT_TRUE(std::isfinite(s.scale));
  EXPECT_NEAR(static_cast<double>(s.scale) / (2.0 * static_cast<double>(kMaxFloat) / 255.0), 1.0,
              1e-6);
  EXPECT_GE(s.zero, 127);
  EXPECT_LE(s.zero, 128);
  EXPECT_LE(QuantiseAsymmetric(-kMaxFloat, s), 1);
  EXPECT_GE(QuantiseAsymmetric(kMaxFloat, s), 254);
  EXPECT_EQ(QuantiseAsymmetric(0, s), s.zero);
}

TEST(AsymmetricTest, ZeroIsExactAndTheErrorIsAtMostOneStep) {
  base::Random random(24);
  for (int i = 0; i < 100000; ++i) {
    const float magnitude = RandomMagnitude(&random, 1e-30F);
    const auto low = static_cast<float>((random.Unit() - 0.75) * static_cast<double>(magnitude));
    const auto high = low + static_cast<float>(random.Unit() * 0.5) * magnitude;
    if (!std::isfinite(low) || !std::isfinite(high)) continue;
    const DynamicScale s = AsymmetricScale(low, high);
    ASSERT_EQ(QuantiseAsymmetric(0, s), s.zero);
    const double x = static_cast<double>(low) +
                     (random.Unit() * (static_cast<double>(high) - static_cast<double>(low)));
    const int32_t q = QuantiseAsymmetric(static_cast<float>(x), s);
    ASSERT_GE(q, 0);
    ASSERT_LE(q, 255);
    // Half a step from rounding x, and at the ends up to half a step more from the zero point.
    const double back = static_cast<double>(s.scale) * (q - s.zero);
    ASSERT_LE(std::fabs(back - x), static_cast<double>(s.scale) * 1.001) << low << " " << high;
  }
}

}  // namespace
}  // namespace tilewave::core
