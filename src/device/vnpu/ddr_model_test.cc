#include "device/vnpu/ddr_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "base/random.h"

namespace tilewave::device::vnpu {
namespace {

using Ends = std::vector<std::pair<int, int64_t>>;

// Everything that is still active, with when it ends.
Ends Drained(DdrModel* ddr) {
  Ends ends;
  while (ddr->NextEndPs() != DdrModel::kNever) {
    const int64_t now_ps = ddr->NextEndPs();
    const int id = ddr->TakeEnded(now_ps);
    EXPECT_GE(id, 0);
    ends.emplace_back(id, now_ps);
  }
  return ends;
}

TEST(DdrModelTest, OneAloneTakesItsOwnTime) {
  DdrModel ddr(10);
  EXPECT_EQ(ddr.NextEndPs(), DdrModel::kNever);
  EXPECT_EQ(ddr.TakeEnded(1000), -1);
  ddr.Start(7, 400, 100, 1000);  // 4 bytes per ps of 10.
  EXPECT_EQ(ddr.NextEndPs(), 1100);
  EXPECT_EQ(ddr.TakeEnded(1099), -1);
  EXPECT_EQ(ddr.TakeEnded(1100), 7);
  EXPECT_EQ(ddr.NextEndPs(), DdrModel::kNever);
}

TEST(DdrModelTest, OneThatWantsMoreThanThereIsWaitsForTheMemory) {
  DdrModel ddr(10);
  ddr.Start(0, 4000, 100, 0);  // 40 bytes per ps of 10.
  EXPECT_EQ(Drained(&ddr), (Ends{{0, 400}}));
}

TEST(DdrModelTest, WhatFitsTogetherDisturbsNobody) {
  DdrModel ddr(10);
  ddr.Start(0, 300, 100, 0);
  ddr.Start(1, 400, 100, 7);
  ddr.Start(2, 300, 100, 33);
  EXPECT_EQ(Drained(&ddr), (Ends{{0, 100}, {1, 107}, {2, 133}}));
}

TEST(DdrModelTest, EqualsShareAlike) {
  DdrModel ddr(10);
  // Each could do 10; 5 for each until 100, where the second has 500 left and all of it.
  ddr.Start(0, 500, 50, 0);
  ddr.Start(1, 1000, 100, 0);
  EXPECT_EQ(Drained(&ddr), (Ends{{0, 100}, {1, 150}}));
}

TEST(DdrModelTest, TheSlowKeepTheirRateAndTheFastShareTheRest) {
  DdrModel ddr(10);
  ddr.Start(0, 200, 100, 0);   // 2: less than a third of 10.
  ddr.Start(1, 800, 100, 0);   // 8, gets 4.
  ddr.Start(2, 2000, 100, 0);  // 20, gets 4.
  // At 100 the first ends; the others share 5 and 5. The second has 400 left: 80 more. The third
  // has 1600 - 400 = 1200 left at 180, and 10 of its own.
  EXPECT_EQ(Drained(&ddr), (Ends{{0, 100}, {1, 180}, {2, 300}}));
}

TEST(DdrModelTest, ALateOneSlowsThoseUnderWay) {
  DdrModel ddr(10);
  ddr.Start(0, 1000, 100, 0);
  EXPECT_EQ(ddr.NextEndPs(), 100);
  ddr.Start(1, 1000, 100, 50);
  // 500 left of the first at 5: until 150; then 500 left of the second at 10.
  EXPECT_EQ(ddr.NextEndPs(), 150);
  EXPECT_EQ(Drained(&ddr), (Ends{{0, 150}, {1, 200}}));
}

TEST(DdrModelTest, SeveralThatEndAtOnceEndOneByOne) {
  DdrModel ddr(10);
  for (int id = 0; id < 4; ++id) ddr.Start(id, 100, 10, 0);
  EXPECT_EQ(Drained(&ddr), (Ends{{0, 40}, {1, 40}, {2, 40}, {3, 40}}));
}

TEST(DdrModelTest, ClearForgetsAll) {
  DdrModel ddr(10);
  ddr.Start(0, 100, 10, 0);
  ddr.Clear();
  EXPECT_EQ(ddr.NextEndPs(), DdrModel::kNever);
  ddr.Start(0, 100, 20, 5);
  EXPECT_EQ(Drained(&ddr), (Ends{{0, 25}}));
}

// Whatever comes and goes, the memory moves no more than it can, and all of it while enough is
// asked of it.
TEST(DdrModelTest, AFullMemoryWastesNothing) {
  base::Random random(1);
  for (int round = 0; round < 50; ++round) {
    DdrModel ddr(8);
    double bytes = 0;
    for (int id = 0; id < 16; ++id) {
      const auto cost = static_cast<double>(random.Between(1000, 100000));
      bytes += cost;
      // Every one of them could take all.
      ddr.Start(id, cost, static_cast<int64_t>(cost / 8) + 1, 0);
    }
    const Ends ends = Drained(&ddr);
    ASSERT_EQ(ends.size(), 16u);
    EXPECT_NEAR(static_cast<double>(ends.back().second), bytes / 8, 40);
  }
}

TEST(RunsTest, GoOnFromRowToRow) {
  EXPECT_EQ(RunsOf(100, {}), (Runs{400, 0}));
  const auto of = [](int64_t words, std::vector<program::Dim> dims) { return RunsOf(words, dims); };
  EXPECT_EQ(of(12, {{4, 1}, {3, 10}}), (Runs{16, 40}));
  EXPECT_EQ(of(12, {{4, 1}, {3, 4}}), (Runs{48, 0}));
  EXPECT_EQ(of(24, {{4, 1}, {3, 4}, {2, 50}}), (Runs{48, 200}));
  EXPECT_EQ(of(24, {{4, 1}, {3, 4}, {2, 12}}), (Runs{96, 0}));
  EXPECT_EQ(of(24, {{4, 1}, {3, 8}, {2, 4}}), (Runs{16, 32}));
  EXPECT_EQ(of(6, {{3, 2}, {2, 6}}), (Runs{4, 8}));
  EXPECT_EQ(of(8, {{1, 9}, {8, 1}}), (Runs{32, 0}));
  EXPECT_EQ(of(8, {{4, 1}, {1, 9}, {2, 4}}), (Runs{32, 0}));
}

TEST(RunsTest, CostByTheirLengthAndByTheirDistance) {
  // Rows of 64 bytes on pages of their own, on half a page each, and farther apart than a page.
  EXPECT_DOUBLE_EQ(ServedPerByte({64, 4096}, 128), 3);
  EXPECT_DOUBLE_EQ(ServedPerByte({64, 2048}, 128), 2);
  EXPECT_DOUBLE_EQ(ServedPerByte({64, 1 << 20}, 128), 3);
  EXPECT_DOUBLE_EQ(ServedPerByte({256, 4096}, 128), 1.5);
  EXPECT_DOUBLE_EQ(ServedPerByte({1 << 20, 0}, 128), 1 + (128.0 / (1 << 20)));
  EXPECT_DOUBLE_EQ(ServedPerByte({64, 4096}, 0), 1);
}

}  // namespace
}  // namespace tilewave::device::vnpu
