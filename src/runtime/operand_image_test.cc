#include "runtime/operand_image.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>
#include <vector>

#include "core/reference_gemm.h"
#include "core/requantise.h"
#include "core/validate.h"
#include "engine/describe_call.h"
#include "tests/support/random_call.h"

namespace tilewave::runtime {
namespace {

constexpr ElementType kS8 = ElementType::kS8;
constexpr ElementType kU8 = ElementType::kU8;
constexpr ElementType kF32 = ElementType::kF32;

int64_t ByteAt(const OperandImage& x, int64_t batch, int64_t row, int64_t col) {
  const int64_t index = (batch * x.batch_stride) + (row * x.row_stride) + (col * x.col_stride);
  return static_cast<int8_t>(x.data[index] ^ x.flip);
}

std::vector<int32_t> Multiply(const core::Problem& p, const Images& images) {
  std::vector<int32_t> products;
  for (int64_t batch = 0; batch < p.batch; ++batch) {
    for (int64_t i = 0; i < p.m; ++i) {
      for (int64_t j = 0; j < p.n; ++j) {
        int64_t sum = 0;
        for (int64_t k = 0; k < p.k; ++k) {
          sum += ByteAt(images.a, batch, i, k) * ByteAt(images.b, batch, k, j);
        }
        EXPECT_LE(sum, std::numeric_limits<int32_t>::max());
        EXPECT_GE(sum, std::numeric_limits<int32_t>::min());
        products.push_back(static_cast<int32_t>(sum));
      }
    }
  }
  return products;
}

Status RunThroughImages(const core::Problem& p, const core::Operands& operands, ImageMemory* memory,
                        Images* images) {
  core::Operands o = operands;
  if (Status s = MakeImages(p, &o, memory, images); !s.ok()) return s;
  const auto products = Multiply(p, *images);
  FinishProduct(p, o, *images, {products.data(), p.n, p.m * p.n});
  return {};
}

void ExpectValid(const core::Problem& p, const core::Operands& o) {
  const Status problem = core::ValidateProblem(p);
  ASSERT_TRUE(problem.ok()) << problem.message();
  const Status operands = core::ValidateOperands(p, o);
  ASSERT_TRUE(operands.ok()) << operands.message();
}

/// What a call was like, so that the random calls are known to have covered it.
std::set<std::string> TraitsOf(const core::Problem& p, const Images& images) {
  const ZeroCorrection& c = images.correction;
  std::set<std::string> traits;
  const auto add = [&](bool holds, const char* trait) {
    if (holds) traits.insert(trait);
  };
  add(!images.a.copied && images.a.flip == 0, "A s8");
  add(!images.b.copied && images.b.flip == 0, "B s8");
  add(images.a.flip != 0, "A u8");
  add(images.b.flip != 0, "B u8");
  add(images.a.copied && !c.zero_a.present(), "A symmetric");
  add(images.a.copied && c.zero_a.present(), "A asymmetric");
  add(images.b.copied, "B symmetric");
  add(p.batch > 1 && images.a.batch_stride == 0, "A repeated");
  add(p.batch > 1 && images.b.batch_stride == 0, "B repeated");
  add(p.batch > 1 && images.a.copied && images.a.batch_stride != 0, "batch of copies");
  add(c.zero_a.present() && c.zero_b.present(), "both zero points");
  add(c.zero_a.present() && c.zero_a.batch_stride != 0, "zero points of A per matrix");
  add(c.zero_b.present() && c.zero_b.batch_stride != 0, "zero points of B per matrix");
  add(c.row_sums_a.present() && c.row_sums_a.batch_stride != 0, "sums per matrix");
  return traits;
}

TEST(OperandImageTest, RandomCallsEqualTheReferenceInEveryByte) {
  base::Random random(61);
  ImageMemory memory;
  std::multiset<std::string> seen;
  for (int n = 0; n < 800; ++n) {
    tilewave::testing::RandomCall random_call(&random, {.m = 40, .k = 90, .n = 40, .batch = 3});
    core::Problem p;
    core::Operands o;
    const Weights* no_weights = nullptr;
    ASSERT_TRUE(engine::DescribeCall(random_call.call(), &p, &o, &no_weights).ok());
    ASSERT_NO_FATAL_FAILURE(ExpectValid(p, o));
    Images images;
    const Status status = RunThroughImages(p, o, &memory, &images);
    ASSERT_TRUE(status.ok()) << status.message();
    ASSERT_TRUE(random_call.RunReference().ok());
    ASSERT_EQ(random_call.Difference(), "") << n << ": " << random_call.Describe();
    seen.merge(TraitsOf(p, images));
  }
  for (const char* trait :
       {"A s8", "B s8", "A u8", "B u8", "A symmetric", "A asymmetric", "B symmetric", "A repeated",
        "B repeated", "batch of copies", "both zero points", "zero points of A per matrix",
        "zero points of B per matrix", "sums per matrix"}) {
    EXPECT_GE(seen.count(trait), 5U) << trait;
  }
}

/// A dense row-major problem and the memory it is about.
struct Call {
  core::Problem p;
  core::Operands o;
  std::vector<uint8_t> a;
  std::vector<uint8_t> b;
  std::vector<float> a_f32;
  std::vector<float> b_f32;
  std::vector<int32_t> c;

  Call(ElementType a_type, ElementType b_type, int64_t m, int64_t k, int64_t n)
      : a(static_cast<size_t>(m * k)),
        b(static_cast<size_t>(k * n)),
        a_f32(a.size(), 0.5F),
        b_f32(b.size(), 0.5F),
        c(static_cast<size_t>(m * n)) {
    p.m = m;
    p.k = k;
    p.n = n;
    p.a_type = a_type;
    p.b_type = b_type;
    p.a = {k, 1, 0};
    p.b = {n, 1, 0};
    p.c = {n, 1, 0};
    if (a_type == kF32) p.quantise_a = core::Quantise::kPerVector;
    if (b_type == kF32) p.quantise_b = core::Quantise::kPerVector;
    if (a_type == kF32 || b_type == kF32) p.c_type = kF32;
    o.a = a_type == kF32 ? static_cast<const void*>(a_f32.data()) : a.data();
    o.b = b_type == kF32 ? static_cast<const void*>(b_f32.data()) : b.data();
    o.c = c.data();
  }

  void SetZeros(const Parameter<int32_t>& zero_a, const Parameter<int32_t>& zero_b) {
    o.zero_a = zero_a;
    o.zero_b = zero_b;
    p.zero_a = core::FormOf(zero_a);
    p.zero_b = core::FormOf(zero_b);
  }
};

// Products that are C as they are take a shorter way if the columns of C are next to each other.
TEST(OperandImageTest, PlainProductsLandWhereTheStridesOfCSay) {
  constexpr int64_t kBatch = 2;
  constexpr int64_t kM = 5;
  constexpr int64_t kN = 7;
  base::Random random(62);
  Call call(kS8, kS8, kM, 9, kN);
  call.p.batch = kBatch;
  call.p.b.batch = 0;
  call.a.resize(kBatch * call.a.size());
  call.p.a.batch = kM * 9;
  call.o.a = call.a.data();
  for (uint8_t& byte : call.a) byte = static_cast<uint8_t>(random.Next());
  for (uint8_t& byte : call.b) byte = static_cast<uint8_t>(random.Next());
  const core::Strides all_strides[] = {{kN, 1, kM * kN},
                                       {kN + 3, 1, kM * (kN + 3) + 2},
                                       {1, kM, kM * kN},
                                       {1, kM + 2, kN * (kM + 2) + 1},
                                       {2 * kN, 2, 2 * kM * kN}};
  for (const core::Strides& strides : all_strides) {
    call.p.c = strides;
    call.c.assign(static_cast<size_t>(kBatch * strides.batch), -1);
    call.o.c = call.c.data();
    ASSERT_NO_FATAL_FAILURE(ExpectValid(call.p, call.o));
    ImageMemory memory;
    Images images;
    ASSERT_TRUE(RunThroughImages(call.p, call.o, &memory, &images).ok());
    const std::vector<int32_t> actual = call.c;
    call.c.assign(call.c.size(), -1);
    ASSERT_TRUE(core::ReferenceGemm(call.p, call.o).ok());
    EXPECT_EQ(actual, call.c) << "strides " << strides.row << ", " << strides.col;
  }
}

// An epilogue for each of the conditions under which products are not C as they are.
TEST(OperandImageTest, BiasActivationAndZeroPointsAreNotPassedOver) {
  const int32_t bias[] = {5, -6, 7};
  for (int what = 0; what < 3; ++what) {
    Call call(kS8, kS8, 2, 2, 3);
    call.a = {1, 0xFF, 0xFE, 3};
    call.b = {4, 0xFB, 6, 0xF9, 8, 0xF7};
    call.o.a = call.a.data();
    call.o.b = call.b.data();
    if (what == 0) call.o.bias_s32 = Parameter<int32_t>::PerElement(bias);
    if (what == 1) call.p.activation = Activation::kRelu;
    if (what == 2) call.SetZeros(Parameter<int32_t>::Of(3), {});
    call.p.bias_s32 = core::FormOf(call.o.bias_s32);
    ASSERT_NO_FATAL_FAILURE(ExpectValid(call.p, call.o));
    ImageMemory memory;
    Images images;
    ASSERT_TRUE(RunThroughImages(call.p, call.o, &memory, &images).ok());
    const std::vector<int32_t> actual = call.c;
    EXPECT_NE(actual, Multiply(call.p, images)) << what;
    ASSERT_TRUE(core::ReferenceGemm(call.p, call.o).ok());
    EXPECT_EQ(actual, call.c) << what;
  }
}

// Rows of A and columns of B of nothing but the lowest and of nothing but the highest number, at
// the largest K, with zero points at either end.
void ExpectExactAtTheExtremes(ElementType a_type, ElementType b_type, bool zero_a, bool zero_b) {
  const core::Range8 range_a = core::RangeOf(a_type);
  const core::Range8 range_b = core::RangeOf(b_type);
  const int64_t k = MaxK(a_type, b_type, zero_a, zero_b);
  Call call(a_type, b_type, 4, k, 4);
  for (int64_t index = 0; index < 4 * k; ++index) {
    const int32_t in_a = index / k < 2 ? range_a.low : range_a.high;
    const int32_t in_b = index % 4 < 2 ? range_b.low : range_b.high;
    call.a[static_cast<size_t>(index)] = static_cast<uint8_t>(in_a);
    call.b[static_cast<size_t>(index)] = static_cast<uint8_t>(in_b);
  }
  const int32_t zeros_a[] = {range_a.low, range_a.high, range_a.low, range_a.high};
  const int32_t zeros_b[] = {range_b.low, range_b.high, range_b.low, range_b.high};
  call.SetZeros(zero_a ? Parameter<int32_t>::PerElement(zeros_a) : Parameter<int32_t>(),
                zero_b ? Parameter<int32_t>::PerElement(zeros_b) : Parameter<int32_t>());
  ASSERT_NO_FATAL_FAILURE(ExpectValid(call.p, call.o));
  ImageMemory memory;
  Images images;
  ASSERT_TRUE(RunThroughImages(call.p, call.o, &memory, &images).ok());
  const std::vector<int32_t> actual = call.c;
  ASSERT_TRUE(core::ReferenceGemm(call.p, call.o).ok());
  EXPECT_EQ(actual, call.c);
}

TEST(OperandImageTest, ExactAtTheExtremes) {
  for (ElementType a_type : {kS8, kU8}) {
    for (ElementType b_type : {kS8, kU8}) {
      for (int zeros = 0; zeros < 4; ++zeros) {
        SCOPED_TRACE(::testing::Message()
                     << Name(a_type) << " x " << Name(b_type) << ", zero points: " << zeros);
        ExpectExactAtTheExtremes(a_type, b_type, zeros % 2 != 0, zeros / 2 != 0);
      }
    }
  }
}

TEST(OperandImageTest, AViewIsTheCallersMemory) {
  Call call(kS8, kU8, 3, 5, 4);
  call.SetZeros({}, Parameter<int32_t>::Of(128));
  ImageMemory memory;
  Images images;
  ASSERT_TRUE(MakeImages(call.p, &call.o, &memory, &images).ok());
  EXPECT_EQ(static_cast<const void*>(images.a.data), call.o.a);
  EXPECT_EQ(static_cast<const void*>(images.b.data), call.o.b);
  EXPECT_FALSE(images.a.copied || images.b.copied);
  EXPECT_EQ(images.a.flip, 0);
  EXPECT_EQ(images.b.flip, 0x80);
  // 128 in u8 is 0 in s8.
  EXPECT_FALSE(images.correction.needed());
  EXPECT_EQ(memory.b.zeros.bytes() + memory.b.sums.bytes() + memory.a.sums.bytes(), 0U);
}

TEST(OperandImageTest, OnlyTheSumsThatAreNeeded) {
  Call call(kS8, kS8, 2, 3, 2);
  call.a = {1, 2, 3, 4, 5, 0x80};
  const int32_t zeros[] = {0, 7};
  call.SetZeros({}, Parameter<int32_t>::PerElement(zeros));
  call.o.a = call.a.data();
  ImageMemory memory;
  Images images;
  ASSERT_TRUE(MakeImages(call.p, &call.o, &memory, &images).ok());
  const ZeroCorrection& c = images.correction;
  EXPECT_FALSE(c.zero_a.present() || c.column_sums_b.present());
  ASSERT_TRUE(c.zero_b.present() && c.row_sums_a.present());
  EXPECT_EQ(c.row_sums_a.At(0, 0), 6);
  EXPECT_EQ(c.row_sums_a.At(0, 1), -119);
  EXPECT_EQ(Correct(c, 0, 1, 0, 100), 100);
  EXPECT_EQ(Correct(c, 0, 1, 1, 100), 100 + (7 * 119));
}

TEST(OperandImageTest, AsymmetricCopiesAreLoweredWithTheirZeroPoint) {
  Call call(kF32, kS8, 1, 3, 1);
  call.p.quantise_a = core::Quantise::kAsymmetricPerTensor;
  call.a_f32 = {-51.0F, 0.0F, 204.0F};  // The scale is 1, the zero point 51.
  call.o.a = call.a_f32.data();
  ImageMemory memory;
  Images images;
  ASSERT_TRUE(MakeImages(call.p, &call.o, &memory, &images).ok());
  EXPECT_EQ(call.o.zero_a.At(0, 0), 51);
  EXPECT_EQ(call.o.scale_a.At(0, 0), 1.0F);
  EXPECT_EQ(images.correction.zero_a.At(0, 0), 51 - 128);
  EXPECT_TRUE(images.a.copied);
  EXPECT_EQ(images.a.flip, 0);
  EXPECT_EQ(ByteAt(images.a, 0, 0, 0), -128);
  EXPECT_EQ(ByteAt(images.a, 0, 0, 1), 51 - 128);
  EXPECT_EQ(ByteAt(images.a, 0, 0, 2), 127);
}

TEST(OperandImageTest, AnOperandThatIsNotFiniteIsRefusedByName) {
  for (bool in_a : {true, false}) {
    Call call(kF32, kF32, 3, 4, 5);
    (in_a ? call.a_f32[6] : call.b_f32[8]) = std::numeric_limits<float>::infinity();
    ImageMemory memory;
    Images images;
    const Status status = MakeImages(call.p, &call.o, &memory, &images);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find(in_a ? "row 1 of A" : "column 3 of B"), std::string::npos)
        << status.message();
    EXPECT_FALSE(call.o.scale_a.present || call.o.scale_b.present);
  }
}

TEST(OperandImageTest, TheSecondCallUsesTheMemoryOfTheFirst) {
  Call call(kF32, kF32, 6, 7, 5);
  call.p.quantise_a = core::Quantise::kAsymmetricPerTensor;
  call.a_f32[0] = -0.25F;
  ImageMemory memory;
  Images first;
  Images second;
  core::Operands o = call.o;
  ASSERT_TRUE(MakeImages(call.p, &o, &memory, &first).ok());
  const float* scales = o.scale_b.data;
  o = call.o;
  ASSERT_TRUE(MakeImages(call.p, &o, &memory, &second).ok());
  EXPECT_EQ(o.scale_b.data, scales);
  EXPECT_EQ(second.a.data, first.a.data);
  EXPECT_EQ(second.b.data, first.b.data);
  ASSERT_TRUE(first.correction.zero_a.present());
  EXPECT_EQ(second.correction.zero_a.data, first.correction.zero_a.data);
  EXPECT_EQ(second.correction.column_sums_b.data, first.correction.column_sums_b.data);
}

}  // namespace
}  // namespace tilewave::runtime
