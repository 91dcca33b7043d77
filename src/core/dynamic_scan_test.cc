#include "core/dynamic_scan.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/dynamic_quantisation.h"
#include "tests/support/numbers.h"

namespace tilewave::core {
namespace {

using testing::kInf;
using testing::kMaxFloat;
using testing::kNaN;

struct Arrays {
  explicit Arrays(int64_t count)
      : scale(static_cast<size_t>(count), -1.0F),
        inverse(static_cast<size_t>(count), -1.0F),
        zero(static_cast<size_t>(count), -1) {}
  DynamicScales view() { return {scale.data(), inverse.data(), zero.data()}; }

  std::vector<float> scale;
  std::vector<float> inverse;
  std::vector<int32_t> zero;
};

// A is batch x 2 x 3, B is batch x 3 x 2, both row-major f32.
Problem FloatProblem(int64_t batch, Quantise mode) {
  Problem p;
  p.batch = batch;
  p.m = 2;
  p.k = 3;
  p.n = 2;
  p.a_type = p.b_type = p.c_type = ElementType::kF32;
  p.quantise_a = p.quantise_b = mode;
  p.a = {3, 1, batch == 1 ? 0 : 6};
  p.b = {2, 1, batch == 1 ? 0 : 6};
  p.c = {2, 1, batch == 1 ? 0 : 4};
  return p;
}

std::vector<int32_t> AllElements(const FloatOperand& x, const DynamicScales& s, int64_t batch) {
  std::vector<int32_t> q;
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t v = 0; v < x.vectors; ++v) {
      for (int64_t k = 0; k < x.k; ++k) q.push_back(QuantiseElement(x, s, b, v, k));
    }
  }
  return q;
}

TEST(DynamicScanTest, RowsOfA) {
  const std::vector<float> a = {1, -2, 0.5F, 0, 127, -63.5F};
  const Problem p = FloatProblem(1, Quantise::kPerVector);
  Operands o;
  o.a = a.data();
  const FloatOperand x = FloatOperandA(p, o);
  EXPECT_EQ(x.scale_count(), 2);
  Arrays found(2);
  ASSERT_TRUE(ScanDynamicScales(x, found.view()).ok());
  EXPECT_EQ(found.scale, (std::vector<float>{2.0F / 127.0F, 1.0F}));
  EXPECT_EQ(found.inverse, (std::vector<float>{63.5F, 1.0F}));
  EXPECT_EQ(found.zero, (std::vector<int32_t>{0, 0}));
  EXPECT_EQ(AllElements(x, found.view(), 1), (std::vector<int32_t>{64, -127, 32, 0, 127, -64}));
}

TEST(DynamicScanTest, ColumnsOfB) {
  const std::vector<float> b = {1, 254, -2, 0, 0.5F, 2};
  const Problem p = FloatProblem(1, Quantise::kPerVector);
  Operands o;
  o.b = b.data();
  const FloatOperand x = FloatOperandB(p, o);
  Arrays found(2);
  ASSERT_TRUE(ScanDynamicScales(x, found.view()).ok());
  EXPECT_EQ(found.scale, (std::vector<float>{2.0F / 127.0F, 2.0F}));
  EXPECT_EQ(AllElements(x, found.view(), 1), (std::vector<int32_t>{64, -127, 32, 127, 0, 1}));
}

TEST(DynamicScanTest, PerTensorTakesTheLargestOfTheWholeBatch) {
  const std::vector<float> a = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, -127, 3};
  const Problem p = FloatProblem(2, Quantise::kPerTensor);
  Operands o;
  o.a = a.data();
  const FloatOperand x = FloatOperandA(p, o);
  EXPECT_EQ(x.scale_count(), 1);
  Arrays found(1);
  ASSERT_TRUE(ScanDynamicScales(x, found.view()).ok());
  EXPECT_EQ(found.scale[0], 1.0F);
  EXPECT_EQ(AllElements(x, found.view(), 2),
            (std::vector<int32_t>{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, -127, 3}));
  UseScalesA(x, found.view(), &o);
  EXPECT_EQ(FormOf(o.scale_a), ParameterForm::kOne);
  EXPECT_EQ(o.scale_a.At(1, 1), 1.0F);
  EXPECT_FALSE(o.zero_a.present);
}

TEST(DynamicScanTest, AsymmetricTensorOverSeveralRows) {
  const std::vector<float> a = {0, 2, -3, -2.5F, 1.34F, 0.5F};
  const Problem p = FloatProblem(1, Quantise::kAsymmetricPerTensor);
  Operands o;
  o.a = a.data();
  const FloatOperand x = FloatOperandA(p, o);
  Arrays found(1);
  ASSERT_TRUE(ScanDynamicScales(x, found.view()).ok());
  EXPECT_EQ(found.zero[0], 153);
  EXPECT_EQ(AllElements(x, found.view(), 1), (std::vector<int32_t>{153, 255, 0, 26, 221, 179}));
  UseScalesA(x, found.view(), &o);
  EXPECT_EQ(o.scale_a.At(0, 1), found.scale[0]);
  EXPECT_TRUE(o.zero_a.present);
  EXPECT_EQ(o.zero_a.At(0, 1), 153);
}

TEST(DynamicScanTest, EveryMatrixOfABatchHasItsOwnRowScales) {
  const std::vector<float> a = {1, 0, 0, 2, 0, 0, 4, 0, 0, 0, 0, -8};
  const Problem p = FloatProblem(2, Quantise::kPerVector);
  Operands o;
  o.a = a.data();
  const FloatOperand x = FloatOperandA(p, o);
  ASSERT_EQ(x.scale_count(), 4);
  Arrays found(4);
  ASSERT_TRUE(ScanDynamicScales(x, found.view()).ok());
  EXPECT_EQ(found.inverse, (std::vector<float>{127, 63.5F, 31.75F, 15.875F}));
  UseScalesA(x, found.view(), &o);
  EXPECT_EQ(o.scale_a.At(1, 0), 4.0F / 127.0F);
  EXPECT_EQ(o.scale_a.At(1, 1), 8.0F / 127.0F);
  EXPECT_EQ(o.scale_a.At(0, 1), 2.0F / 127.0F);
}

TEST(DynamicScanTest, BroadcastMatrixIsScannedOnceAndServesTheBatch) {
  const std::vector<float> b = {1, 254, -2, 0, 0.5F, 2};
  Problem p = FloatProblem(3, Quantise::kPerVector);
  p.b.batch = 0;
  Operands o;
  o.b = b.data();
  const FloatOperand x = FloatOperandB(p, o);
  EXPECT_EQ(x.batch, 1);
  ASSERT_EQ(x.scale_count(), 2);
  Arrays found(2);
  ASSERT_TRUE(ScanDynamicScales(x, found.view()).ok());
  UseScalesB(x, found.view(), &o);
  for (int64_t batch = 0; batch < 3; ++batch) {
    EXPECT_EQ(QuantiseElement(x, found.view(), batch, 1, 2), 1);
    EXPECT_EQ(o.scale_b.At(batch, 0), 2.0F / 127.0F);
    EXPECT_EQ(o.scale_b.At(batch, 1), 2.0F);
  }
  EXPECT_FALSE(o.zero_b.present);
}

TEST(DynamicScanTest, GapsBetweenElementsAreNotRead) {
  // Two rows of three with column stride 2 and row stride 7; every gap is a NaN.
  const std::vector<float> a = {1, kNaN, -2, kNaN, 0.5F, kNaN, kNaN, 127, kNaN, 5, kNaN, 6};
  Problem p = FloatProblem(1, Quantise::kPerVector);
  p.a = {7, 2, 0};
  Operands o;
  o.a = a.data();
  const FloatOperand x = FloatOperandA(p, o);
  Arrays found(2);
  ASSERT_TRUE(ScanDynamicScales(x, found.view()).ok());
  EXPECT_EQ(AllElements(x, found.view(), 1), (std::vector<int32_t>{64, -127, 32, 127, 5, 6}));
}

TEST(DynamicScanTest, TransposedViewHasTheScalesOfItsOwnRows) {
  const std::vector<float> a = {1, 4, 2, 0, 0.5F, -8};  // Columns of memory are rows of A.
  Problem p = FloatProblem(1, Quantise::kPerVector);
  p.a = {1, 2, 0};
  Operands o;
  o.a = a.data();
  const FloatOperand x = FloatOperandA(p, o);
  Arrays found(2);
  ASSERT_TRUE(ScanDynamicScales(x, found.view()).ok());
  EXPECT_EQ(found.inverse, (std::vector<float>{63.5F, 15.875F}));
  EXPECT_EQ(AllElements(x, found.view(), 1), (std::vector<int32_t>{64, 127, 32, 64, 0, -127}));
}

TEST(DynamicScanTest, ZerosOfEitherSignHaveScaleOne) {
  for (float zero : {0.0F, -0.0F}) {
    for (Quantise mode :
         {Quantise::kPerVector, Quantise::kPerTensor, Quantise::kAsymmetricPerTensor}) {
      const std::vector<float> a(6, zero);
      const Problem p = FloatProblem(1, mode);
      Operands o;
      o.a = a.data();
      const FloatOperand x = FloatOperandA(p, o);
      Arrays found(x.scale_count());
      ASSERT_TRUE(ScanDynamicScales(x, found.view()).ok());
      ASSERT_EQ(found.scale, std::vector<float>(found.scale.size(), 1.0F));
      EXPECT_EQ(AllElements(x, found.view(), 1), std::vector<int32_t>(6, 0));
    }
  }
}

// Every position of every kind of bad number is found and named.
TEST(DynamicScanTest, NotFiniteIsNamed) {
  for (Quantise mode : {Quantise::kPerVector, Quantise::kPerTensor}) {
    for (bool is_a : {true, false}) {
      for (float bad : {kNaN, -kNaN, kInf, -kInf}) {
        for (size_t at = 0; at < 12; ++at) {
          std::vector<float> data(12, 1.0F);
          data[at] = bad;
          const Problem p = FloatProblem(2, mode);
          Operands o;
          o.a = o.b = data.data();
          const FloatOperand x = is_a ? FloatOperandA(p, o) : FloatOperandB(p, o);
          Arrays found(x.scale_count());
          const Status status = ScanDynamicScales(x, found.view());
          ASSERT_EQ(status.code(), StatusCode::kInvalidArgument);
          const size_t in_matrix = at % 6;
          const size_t vector = is_a ? in_matrix / 3 : in_matrix % 2;
          const size_t k = is_a ? in_matrix % 3 : in_matrix / 2;
          const std::string expected =
              std::string(is_a ? "row " : "column ") + std::to_string(vector) + " of matrix " +
              std::to_string(at / 6) + " of " + (is_a ? "A" : "B") + " holds " +
              (bad != bad ? "NaN" : "infinity") + " (at k = " + std::to_string(k) + ")";
          ASSERT_NE(status.message().find(expected), std::string::npos)
              << status.message() << "\nexpected: " << expected;
        }
      }
    }
  }
}

TEST(DynamicScanTest, SingleMatrixIsNamedWithoutABatchIndex) {
  const std::vector<float> a = {1, 2, 3, 4, kInf, kNaN};
  const Problem p = FloatProblem(1, Quantise::kAsymmetricPerTensor);
  Operands o;
  o.a = a.data();
  const FloatOperand x = FloatOperandA(p, o);
  Arrays found(1);
  const Status status = ScanDynamicScales(x, found.view());
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message().find("row 1 of A holds infinity (at k = 1)"), 0u) << status.message();
}

TEST(DynamicScanTest, LargestFiniteValuesAreFinite) {
  const std::vector<float> a = {kMaxFloat,  kMaxFloat,  kMaxFloat,
                                -kMaxFloat, -kMaxFloat, -kMaxFloat};
  for (Quantise mode :
       {Quantise::kPerVector, Quantise::kPerTensor, Quantise::kAsymmetricPerTensor}) {
    const Problem p = FloatProblem(1, mode);
    Operands o;
    o.a = a.data();
    const FloatOperand x = FloatOperandA(p, o);
    Arrays found(x.scale_count());
    ASSERT_TRUE(ScanDynamicScales(x, found.view()).ok());
    const bool symmetric = mode != Quantise::kAsymmetricPerTensor;
    EXPECT_NEAR(QuantiseElement(x, found.view(), 0, 0, 0), symmetric ? 127 : 255,
                symmetric ? 0 : 1);
    EXPECT_NEAR(QuantiseElement(x, found.view(), 0, 1, 2), symmetric ? -127 : 0, symmetric ? 0 : 1);
  }
}

}  // namespace
}  // namespace tilewave::core
