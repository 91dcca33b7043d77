#include "core/view_strides.h"

#include <gtest/gtest.h>

#include <limits>

namespace tilewave::core {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

TEST(ViewStridesTest, WhatIsGivenStays) {
  ConstMatrix view{.rows = 3, .cols = 4, .batch = 2};
  view.row_stride = 9;
  view.col_stride = 2;
  view.batch_stride = 50;
  EXPECT_EQ(StridesOf(view), (Strides{9, 2, 50}));
  view.row_stride = view.batch_stride = 0;
  EXPECT_EQ(StridesOf(view), (Strides{0, 2, 0}));
  view.row_stride = -1;
  view.batch_stride = -5;
  EXPECT_EQ(StridesOf(view), (Strides{-1, 2, -5}));
}

TEST(ViewStridesTest, WhatIsNotGivenIsDense) {
  ConstMatrix view{.rows = 3, .cols = 4, .batch = 2};
  EXPECT_EQ(StridesOf(view), (Strides{4, 1, 12}));
  EXPECT_EQ(StridesOf(view.Transposed()), (Strides{1, 4, 12}));
  view.batch = 1;
  EXPECT_EQ(StridesOf(view), (Strides{4, 1, 0}));
}

TEST(ViewStridesTest, TheRestFollowsFromWhatIsGiven) {
  ConstMatrix view{.rows = 3, .cols = 4, .batch = 2};
  view.col_stride = 2;
  EXPECT_EQ(StridesOf(view), (Strides{8, 2, 24}));
  view.col_stride = kDenseStride;
  EXPECT_EQ(StridesOf(view), (Strides{4, 1, 12}));
  view.row_stride = 7;
  view.col_stride = 1;
  EXPECT_EQ(StridesOf(view), (Strides{7, 1, 21}));
  view.row_stride = 1;
  view.col_stride = kDenseStride;
  EXPECT_EQ(StridesOf(view), (Strides{1, 3, 12}));
}

TEST(ViewStridesTest, WhatDoesNotFitIsTheLargestNumber) {
  const ConstMatrix view{.rows = kMost / 2, .cols = kMost / 2, .batch = 2};
  EXPECT_EQ(StridesOf(view), (Strides{kMost / 2, 1, kMost}));
}

}  // namespace
}  // namespace tilewave::core
