#include "base/random.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

namespace tilewave::base {
namespace {

// The published reference values.
TEST(RandomTest, FirstNumbersOfSeed1234567) {
  Random random(1234567);
  EXPECT_EQ(random.Next(), 6457827717110365317u);
  EXPECT_EQ(random.Next(), 3203168211198807973u);
  EXPECT_EQ(random.Next(), 9817491932198370423u);
  EXPECT_EQ(random.Next(), 4593380528125082431u);
  EXPECT_EQ(random.Next(), 16408922859458223821u);
}

TEST(RandomTest, FirstNumbersOfSeed0) {
  Random random(0);
  EXPECT_EQ(random.Next(), 0xE220A8397B1DCDAFu);
  EXPECT_EQ(random.Next(), 0x6E789E6AA1B965F4u);
  EXPECT_EQ(random.Next(), 0x06C45D188009454Fu);
}

TEST(RandomTest, BetweenReachesBothEndsAndNothingElse) {
  Random random(2);
  std::set<int64_t> seen;
  for (int i = 0; i < 500; ++i) seen.insert(random.Between(-3, 4));
  EXPECT_EQ(seen, (std::set<int64_t>{-3, -2, -1, 0, 1, 2, 3, 4}));
}

TEST(RandomTest, BetweenOfOneValue) {
  Random random(3);
  EXPECT_EQ(random.Between(-7, -7), -7);
  EXPECT_EQ(
      random.Between(std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::min()),
      std::numeric_limits<int64_t>::min());
}

TEST(RandomTest, BetweenOfTheFullRangeIsTheRawNumber) {
  Random random(1234567);
  Random raw(1234567);
  for (int i = 0; i < 10; ++i) {
    const int64_t value =
        random.Between(std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max());
    EXPECT_EQ(static_cast<uint64_t>(value) + (uint64_t{1} << 63), raw.Next());
  }
}

TEST(RandomTest, UnitCoversTheHalfOpenInterval) {
  Random random(4);
  double low = 1;
  double high = 0;
  double sum = 0;
  constexpr int kCount = 20000;
  for (int i = 0; i < kCount; ++i) {
    const double u = random.Unit();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    low = u < low ? u : low;
    high = u > high ? u : high;
    sum += u;
  }
  EXPECT_LT(low, 0.001);
  EXPECT_GT(high, 0.999);
  EXPECT_NEAR(sum / kCount, 0.5, 0.01);
}

}  // namespace
}  // namespace tilewave::base
