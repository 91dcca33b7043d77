#include "runtime/weights.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/dynamic_quantisation.h"
#include "tests/support/fake_device.h"

namespace tilewave::runtime {
namespace {

core::Problem WeightsProblem(ElementType type, int64_t k, int64_t n, int64_t batch) {
  core::Problem p;
  p.batch = batch;
  p.m = 1;
  p.k = k;
  p.n = n;
  p.b_type = type;
  p.b = {n, 1, batch == 1 ? 0 : k * n};
  if (type == ElementType::kF32) p.quantise_b = core::Quantise::kPerVector;
  return p;
}

TEST(WeightsTest, KeepsADenseCopyOfAStridedMatrix) {
  const std::vector<int8_t> transposed = {1, 2, 3, 4, 5, 6};  // 2 columns of 3, one after another.
  core::Problem p = WeightsProblem(ElementType::kS8, 3, 2, 1);
  p.b = {1, 3, 0};
  core::Operands o;
  o.b = transposed.data();
  const Result<Weights> weights = MakeWeights(p, o);
  ASSERT_TRUE(weights.ok());
  const auto& raw = weights->impl()->raw();
  const auto* data = raw.data.data<int8_t>();
  EXPECT_EQ(std::vector<int8_t>(data, data + 6), (std::vector<int8_t>{1, 4, 2, 5, 3, 6}));
  EXPECT_FALSE(weights->impl()->zero().present);
  EXPECT_FALSE(weights->impl()->scale().present);
}

TEST(WeightsTest, FloatsBecomeIntegersWithOneScalePerColumn) {
  const std::vector<float> b = {1.0F, -4.0F, 0.5F, 2.0F, -0.25F, 1.0F};  // 3 x 2
  core::Operands o;
  o.b = b.data();
  const Result<Weights> weights = MakeWeights(WeightsProblem(ElementType::kF32, 3, 2, 1), o);
  ASSERT_TRUE(weights.ok());
  EXPECT_EQ(weights->type(), ElementType::kS8);
  const auto* q = weights->impl()->raw().data.data<int8_t>();
  // Column 0: amax 1 -> 127, 63.5 (to even: 64), -31.75; column 1: amax 4 -> -127, 63.5, 31.75.
  EXPECT_EQ(std::vector<int8_t>(q, q + 6), (std::vector<int8_t>{127, -127, 64, 64, -32, 32}));
  const Parameter<float> scale = weights->impl()->scale();
  EXPECT_EQ(scale.At(0, 0), 1.0F / 127.0F);
  EXPECT_EQ(scale.At(0, 1), 4.0F / 127.0F);
}

TEST(WeightsTest, ZeroPointsAreCopiedInEveryForm) {
  const std::vector<int8_t> b(2 * 3 * 2, 1);
  const std::vector<int32_t> zeros = {1, 2, 3, 4, 5, 6};
  const auto zero_of = [&](const Parameter<int32_t>& zero, int64_t batch, int64_t j) {
    core::Operands o;
    o.b = b.data();
    o.zero_b = zero;
    const Result<Weights> w = MakeWeights(WeightsProblem(ElementType::kS8, 2, 3, 2), o);
    EXPECT_TRUE(w.ok());
    return w->impl()->zero().At(batch, j);
  };
  EXPECT_EQ(zero_of(Parameter<int32_t>::Of(9), 1, 2), 9);
  EXPECT_EQ(zero_of(Parameter<int32_t>::PerElement(zeros.data()), 1, 2), 3);
  EXPECT_EQ(zero_of(Parameter<int32_t>::PerElement(zeros.data(), 3), 1, 2), 6);
}

TEST(WeightsTest, OnePayloadPerDeviceAndLayout) {
  const auto fake = std::make_shared<testing::FakeBehaviour>();
  const std::unique_ptr<device::Device> device = testing::MakeFakeDevice(fake);
  const std::vector<int8_t> b(6, 1);
  core::Operands o;
  o.b = b.data();
  const core::Problem p = WeightsProblem(ElementType::kS8, 3, 2, 1);
  const Result<Weights> weights = MakeWeights(p, o);
  ASSERT_TRUE(weights.ok());
  const auto first = weights->impl()->PayloadFor(device.get());
  const auto again = weights->impl()->PayloadFor(device.get());
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(*first, *again);
  EXPECT_EQ(fake->packs, 1);
  EXPECT_EQ(weights->bytes(), 106U);
  // Another device of the same kind cannot use what belongs to the first.
  const std::unique_ptr<device::Device> other = testing::MakeFakeDevice(fake);
  const auto elsewhere = weights->impl()->PayloadFor(other.get());
  ASSERT_TRUE(elsewhere.ok());
  EXPECT_NE(*first, *elsewhere);
  EXPECT_EQ(weights->bytes(), 206U);
}

}  // namespace
}  // namespace tilewave::runtime
