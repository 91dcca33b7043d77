#include "device/host/fold_batch.h"

#include <gtest/gtest.h>

#include <optional>
#include <utility>
#include <vector>

namespace tilewave::device::host {
namespace {

// Four matrices of three rows, dense, times one B.
core::Problem DenseBatch() {
  core::Problem p;
  p.batch = 4;
  p.m = 3;
  p.k = 5;
  p.n = 7;
  p.a = {5, 1, 15};
  p.b = {7, 1, 0};
  p.c = {8, 1, 24};
  return p;
}

TEST(FoldBatchTest, DenseMatricesAreOne) {
  const std::optional<core::Problem> folded = FoldedBatch(DenseBatch());
  ASSERT_TRUE(folded.has_value());
  EXPECT_EQ(folded->batch, 1);
  EXPECT_EQ(folded->m, 12);
  EXPECT_EQ(folded->a, (core::Strides{5, 1, 0}));
  EXPECT_EQ(folded->b, DenseBatch().b);
  EXPECT_EQ(folded->c, (core::Strides{8, 1, 0}));
}

TEST(FoldBatchTest, SingleRowsMayStandAnywhere) {
  core::Problem p = DenseBatch();
  p.m = 1;
  p.a = {0, 1, 1000};
  p.c = {0, 1, 31};
  const std::optional<core::Problem> folded = FoldedBatch(p);
  ASSERT_TRUE(folded.has_value());
  EXPECT_EQ(folded->m, 4);
  EXPECT_EQ(folded->a.row, 1000);
  EXPECT_EQ(folded->c.row, 31);
}

TEST(FoldBatchTest, OtherStridesStay) {
  core::Problem p = DenseBatch();
  p.batch = 1;
  EXPECT_FALSE(FoldedBatch(p).has_value());
  p = DenseBatch();
  p.b.batch = 35;
  EXPECT_FALSE(FoldedBatch(p).has_value());
  for (core::Strides core::Problem::*strides : {&core::Problem::a, &core::Problem::c}) {
    p = DenseBatch();
    (p.*strides).batch += 1;
    EXPECT_FALSE(FoldedBatch(p).has_value());
  }
  // All matrices A are one.
  p = DenseBatch();
  p.a.batch = 0;
  EXPECT_FALSE(FoldedBatch(p).has_value());
  p.m = 1;
  EXPECT_FALSE(FoldedBatch(p).has_value());
}

TEST(FoldBatchTest, RowsMayHaveParametersOneAfterTheOther) {
  const std::vector<float> scales(100, 1.0F);
  const core::Problem p = DenseBatch();
  core::Operands o;
  o.zero_a = Parameter<int32_t>::Of(3);
  o.scale_a = {true, 0, scales.data(), 2, 6};
  std::optional<core::Operands> folded = FoldedOperands(p, o);
  ASSERT_TRUE(folded.has_value());
  EXPECT_EQ(folded->zero_a.value, 3);
  for (int64_t i = 0; i < 12; ++i) {
    EXPECT_EQ(&folded->scale_a.data[i * folded->scale_a.stride],
              &o.scale_a.data[(i / 3 * 6) + (i % 3 * 2)]);
  }
  EXPECT_EQ(folded->scale_a.batch_stride, 0);
  // Each matrix the same, each matrix one, matrices with gaps.
  for (const auto& [stride, batch_stride] :
       std::vector<std::pair<int64_t, int64_t>>{{1, 0}, {0, 1}, {1, 4}}) {
    o.scale_a.stride = stride;
    o.scale_a.batch_stride = batch_stride;
    EXPECT_FALSE(FoldedOperands(p, o).has_value()) << stride << ' ' << batch_stride;
  }
}

TEST(FoldBatchTest, ColumnsOfAllMatricesHaveTheSameParameters) {
  const std::vector<float> scales(100, 1.0F);
  const core::Problem p = DenseBatch();
  for (Parameter<float> core::Operands::*parameter :
       {&core::Operands::scale_b, &core::Operands::bias_f32, &core::Operands::requant_scale}) {
    core::Operands o;
    o.*parameter = {true, 0, scales.data(), 1, 0};
    EXPECT_TRUE(FoldedOperands(p, o).has_value());
    (o.*parameter).batch_stride = 7;
    EXPECT_FALSE(FoldedOperands(p, o).has_value());
  }
  const std::vector<int32_t> numbers(100, 1);
  for (Parameter<int32_t> core::Operands::*parameter :
       {&core::Operands::zero_b, &core::Operands::bias_s32}) {
    core::Operands o;
    o.*parameter = {true, 0, numbers.data(), 1, 0};
    EXPECT_TRUE(FoldedOperands(p, o).has_value());
    (o.*parameter).batch_stride = 7;
    EXPECT_FALSE(FoldedOperands(p, o).has_value());
  }
}

}  // namespace
}  // namespace tilewave::device::host
