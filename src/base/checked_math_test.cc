#include "base/checked_math.h"

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <vector>

#include "base/random.h"

namespace tilewave::base {
namespace {

__extension__ using Wide = __int128;  // Holds every sum and product of two int64_t.

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

std::optional<int64_t> Narrow(Wide value) {
  if (value > Wide{kMax} || value < Wide{kMin}) return std::nullopt;
  return static_cast<int64_t>(value);
}

// Values around every power of two, where overflow begins.
std::vector<int64_t> Corners() {
  std::vector<int64_t> values = {0, kMax, kMin, kMax - 1, kMin + 1};
  for (int bit = 0; bit < 63; ++bit) {
    for (int64_t delta = -1; delta <= 1; ++delta) {
      values.push_back((int64_t{1} << bit) + delta);
      values.push_back(-(int64_t{1} << bit) + delta);
    }
  }
  return values;
}

TEST(CheckedMathTest, AddAndMulAgreeWithWideArithmetic) {
  const std::vector<int64_t> corners = Corners();
  for (int64_t a : corners) {
    for (int64_t b : corners) {
      ASSERT_EQ(CheckedMul(a, b), Narrow(Wide{a} * Wide{b})) << a << " * " << b;
      ASSERT_EQ(CheckedAdd(a, b), Narrow(Wide{a} + Wide{b})) << a << " + " << b;
    }
  }
  Random random(1);
  for (int i = 0; i < 20000; ++i) {
    const int64_t a = random.Between(kMin, kMax) >> random.Between(0, 63);
    const int64_t b = random.Between(kMin, kMax) >> random.Between(0, 63);
    ASSERT_EQ(CheckedMul(a, b), Narrow(Wide{a} * Wide{b})) << a << " * " << b;
    ASSERT_EQ(CheckedAdd(a, b), Narrow(Wide{a} + Wide{b})) << a << " + " << b;
  }
}

TEST(CheckedMathTest, ProductOfMany) {
  EXPECT_EQ(CheckedProduct({}), 1);
  EXPECT_EQ(CheckedProduct({-7}), -7);
  EXPECT_EQ(CheckedProduct({2, 3, 5, 7}), 210);
  EXPECT_EQ(CheckedProduct({int64_t{1} << 31, int64_t{1} << 31}), int64_t{1} << 62);
  EXPECT_EQ(CheckedProduct({int64_t{1} << 31, int64_t{1} << 31, 2}), std::nullopt);
  EXPECT_EQ(CheckedProduct({int64_t{1} << 31, int64_t{1} << 31, -2}), kMin);
  EXPECT_EQ(CheckedProduct({0, kMax, kMax}), 0);
  // A zero after the overflow does not undo it.
  EXPECT_EQ(CheckedProduct({kMax, kMax, 0}), std::nullopt);
}

TEST(CheckedMathTest, RoundUpIsTheSmallestMultipleNotBelow) {
  for (int64_t granule = 1; granule <= 65; ++granule) {
    int64_t expected = 0;
    for (int64_t value = 0; value <= 300; ++value) {
      if (value > expected) expected += granule;
      ASSERT_EQ(RoundUp(value, granule), expected) << value << " to " << granule;
    }
  }
  EXPECT_EQ(RoundUp(kMax - 127, 64), kMax - 127);
}

}  // namespace
}  // namespace tilewave::base
