#include "program/dim_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace tilewave::program {
namespace {

TEST(DimListTest, HoldsWhatItIsGiven) {
  const std::vector<Dim> all{{16, 1}, {32, 128}, {8, 16}, {2, 9}};
  for (size_t count = 0; count <= all.size(); ++count) {
    const std::span<const Dim> given = std::span(all).first(count);
    const DimList dims(given);
    EXPECT_EQ(dims.size(), count);
    EXPECT_EQ(dims.empty(), count == 0);
    const std::span<const Dim> seen = dims;
    EXPECT_TRUE(std::equal(seen.begin(), seen.end(), given.begin(), given.end()));
    DimList pushed;
    for (const Dim& dim : given) pushed.push_back(dim);
    EXPECT_EQ(pushed, dims);
  }
  EXPECT_EQ((DimList{{16, 1}, {32, 128}, {8, 16}, {2, 9}}), DimList(all));
}

TEST(DimListTest, OneDimensionIsNoCopyOfAnother) {
  const DimList dims{{7, 3}};
  ASSERT_EQ(dims.size(), 1u);
  EXPECT_EQ(dims[0], (Dim{7, 3}));
}

TEST(DimListTest, ListsDifferInSizesStepsAndNumber) {
  DimList dims{{16, 1}, {32, 128}};
  EXPECT_NE(dims, (DimList{{16, 1}}));
  EXPECT_NE(dims, (DimList{{16, 1}, {32, 128}, {1, 1}}));
  EXPECT_NE(dims, (DimList{{16, 1}, {32, 127}}));
  dims[1].size = 31;
  EXPECT_EQ(dims, (DimList{{16, 1}, {31, 128}}));
  for (Dim& dim : dims) dim.step_words = 5;
  EXPECT_EQ(dims, (DimList{{16, 5}, {31, 5}}));
}

TEST(DimListDeathTest, MoreThanAnyTileHasIsABug) {
  DimList dims{{1, 1}, {1, 1}, {1, 1}, {1, 1}};
  EXPECT_DEATH(dims.push_back({1, 1}), "size_");
}

}  // namespace
}  // namespace tilewave::program
