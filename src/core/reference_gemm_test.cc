#include "core/reference_gemm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "core/bf16.h"
#include "core/validate.h"

namespace tilewave::core {
namespace {

using enum ElementType;
using Ints = std::vector<int32_t>;
using Floats = std::vector<float>;

size_t Size(int64_t value) { return static_cast<size_t>(value); }

// The forms that a call with these operands has.
void TakeForms(const Operands& o, Problem* p) {
  p->zero_a = FormOf(o.zero_a);
  p->zero_b = FormOf(o.zero_b);
  p->scale_a = FormOf(o.scale_a);
  p->scale_b = FormOf(o.scale_b);
  p->bias_s32 = FormOf(o.bias_s32);
  p->bias_f32 = FormOf(o.bias_f32);
  p->requant_scale = FormOf(o.requant_scale);
}

void RunValid(Problem p, const Operands& o) {
  TakeForms(o, &p);
  const Status problem_ok = ValidateProblem(p);
  ASSERT_TRUE(problem_ok.ok()) << problem_ok.ToString();
  const Status operands_ok = ValidateOperands(p, o);
  ASSERT_TRUE(operands_ok.ok()) << operands_ok.ToString();
  const Status done = ReferenceGemm(p, o);
  ASSERT_TRUE(done.ok()) << done.ToString();
}

// Dense row-major operands; the output is read back as `C`.
template <typename A, typename B>
struct Small {
  int64_t m, k, n;
  std::vector<A> a;
  std::vector<B> b;
  Problem p = {};
  Operands o = {};
  int64_t batch = 1;  // Of the output; operands with one matrix are repeated.

  template <typename C>
  std::vector<C> Run() {
    std::vector<C> c(Size(batch * m * n), std::bit_cast<C>(Poison<C>()));
    p.batch = batch;
    p.m = m;
    p.k = k;
    p.n = n;
    p.a_type = ElementTypeOf<A>();
    p.b_type = ElementTypeOf<B>();
    p.c_type = ElementTypeOf<C>();
    p.a = {k, 1, std::ssize(a) > m * k ? m * k : 0};
    p.b = {n, 1, std::ssize(b) > k * n ? k * n : 0};
    p.c = {n, 1, m * n};
    o.a = a.data();
    o.b = b.data();
    o.c = c.data();
    RunValid(p, o);
    return c;
  }

  template <typename C>
  static constexpr std::array<uint8_t, sizeof(C)> Poison() {
    std::array<uint8_t, sizeof(C)> bytes = {};
    bytes.fill(0x5A);
    return bytes;
  }
};

using SmallS8 = Small<int8_t, int8_t>;

// The product is -44, 64, 83, -154.
SmallS8 Example() { return {2, 3, 2, {1, -2, 3, -4, 5, -6}, {7, 8, 9, -10, -11, 12}}; }

TEST(ReferenceGemmTest, S32) {
  SmallS8 s = Example();
  EXPECT_EQ(s.Run<int32_t>(), (Ints{-44, 64, 83, -154}));
  s.p.activation = Activation::kRelu;
  EXPECT_EQ(s.Run<int32_t>(), (Ints{0, 64, 83, 0}));
}

TEST(ReferenceGemmTest, IntegerBiasComesBeforeRelu) {
  const Ints bias = {100, -100};
  SmallS8 s = Example();
  s.o.bias_s32 = Parameter<int32_t>::PerElement(bias.data());
  EXPECT_EQ(s.Run<int32_t>(), (Ints{56, -36, 183, -254}));
  s.p.activation = Activation::kRelu;
  EXPECT_EQ(s.Run<int32_t>(), (Ints{56, 0, 183, 0}));
  s.o.bias_s32 = Parameter<int32_t>::Of(-64);
  EXPECT_EQ(s.Run<int32_t>(), (Ints{0, 0, 19, 0}));
}

TEST(ReferenceGemmTest, F32) {
  const Floats scale_a = {0.5F, 2};
  const Floats scale_b = {1, 0.25F};
  const Floats bias = {1, -1};
  SmallS8 s = Example();
  EXPECT_EQ(s.Run<float>(), (Floats{-44, 64, 83, -154}));
  s.o.scale_a = Parameter<float>::PerElement(scale_a.data());
  EXPECT_EQ(s.Run<float>(), (Floats{-22, 32, 166, -308}));
  s.o.scale_b = Parameter<float>::PerElement(scale_b.data());
  EXPECT_EQ(s.Run<float>(), (Floats{-22, 8, 166, -77}));
  s.o.bias_f32 = Parameter<float>::PerElement(bias.data());
  EXPECT_EQ(s.Run<float>(), (Floats{-21, 7, 167, -78}));
  s.p.activation = Activation::kRelu;
  EXPECT_EQ(s.Run<float>(), (Floats{0, 7, 167, 0}));
  s.o.scale_a = {};
  EXPECT_EQ(s.Run<float>(), (Floats{0, 15, 84, 0}));
  // The integer bias is added before scaling.
  s.o.bias_s32 = Parameter<int32_t>::Of(4);
  EXPECT_EQ(s.Run<float>(), (Floats{0, 16, 88, 0}));
}

TEST(ReferenceGemmTest, ScaleOfOneNumber) {
  SmallS8 s = Example();
  s.o.scale_a = Parameter<float>::Of(0.5F);
  s.o.scale_b = Parameter<float>::Of(-4);
  s.o.bias_f32 = Parameter<float>::Of(0.25F);
  EXPECT_EQ(s.Run<float>(), (Floats{88.25F, -127.75F, -165.75F, 308.25F}));
}

TEST(ReferenceGemmTest, BF16RoundsTheF32ResultToNearestEven) {
  const Floats bias = {0.5F, 1};
  SmallS8 s = Example();
  s.o.scale_a = Parameter<float>::Of(2);
  s.o.bias_f32 = Parameter<float>::PerElement(bias.data());
  Floats c;
  for (BFloat16 x : s.Run<BFloat16>()) c.push_back(ToFloat(x));
  // 166.5 and -307 are ties between neighbours.
  EXPECT_EQ(c, (Floats{-87.5F, 129, 166, -308}));
  s.p.activation = Activation::kRelu;
  c.clear();
  for (BFloat16 x : s.Run<BFloat16>()) c.push_back(ToFloat(x));
  EXPECT_EQ(c, (Floats{0, 129, 166, 0}));
}

TEST(ReferenceGemmTest, RequantShift) {
  SmallS8 s = Example();
  s.p.requant = RequantKind::kShift;
  s.p.shift = {2, Rounding::kConvEven, Saturation::kSaturate};
  EXPECT_EQ(s.Run<int8_t>(), (std::vector<int8_t>{-11, 16, 21, -38}));
  s.p.shift = {2, Rounding::kFloor, Saturation::kSaturate};
  EXPECT_EQ(s.Run<int8_t>(), (std::vector<int8_t>{-11, 16, 20, -39}));
  s.p.shift = {0, Rounding::kConvEven, Saturation::kSaturate};
  EXPECT_EQ(s.Run<int8_t>(), (std::vector<int8_t>{-44, 64, 83, -128}));
  EXPECT_EQ(s.Run<uint8_t>(), (std::vector<uint8_t>{0, 64, 83, 0}));
  s.p.shift.saturation = Saturation::kSymmetric;
  EXPECT_EQ(s.Run<int8_t>(), (std::vector<int8_t>{-44, 64, 83, -127}));
  s.p.shift.saturation = Saturation::kNone;
  EXPECT_EQ(s.Run<int8_t>(), (std::vector<int8_t>{-44, 64, 83, 102}));
  EXPECT_EQ(s.Run<uint8_t>(), (std::vector<uint8_t>{212, 64, 83, 102}));
  s.p.activation = Activation::kRelu;
  EXPECT_EQ(s.Run<int8_t>(), (std::vector<int8_t>{0, 64, 83, 0}));
  s.o.bias_s32 = Parameter<int32_t>::Of(50);
  EXPECT_EQ(s.Run<uint8_t>(), (std::vector<uint8_t>{6, 114, 133, 0}));
}

TEST(ReferenceGemmTest, RequantScale) {
  const Floats scale = {0.5F, 0.25F};
  SmallS8 s = Example();
  s.p.requant = RequantKind::kScale;
  s.p.requant_zero = 3;
  s.o.requant_scale = Parameter<float>::PerElement(scale.data());
  EXPECT_EQ(s.Run<int8_t>(), (std::vector<int8_t>{-19, 19, 45, -35}));
  s.p.requant_zero = 128;
  s.o.requant_scale = Parameter<float>::Of(1);
  EXPECT_EQ(s.Run<uint8_t>(), (std::vector<uint8_t>{84, 192, 211, 0}));
  s.p.activation = Activation::kRelu;
  EXPECT_EQ(s.Run<uint8_t>(), (std::vector<uint8_t>{128, 192, 211, 128}));
}

TEST(ReferenceGemmTest, ZeroPoints) {
  const Ints zero_a = {1, -1};
  const Ints zero_b = {-2, 3};
  SmallS8 s = Example();
  s.o.zero_a = Parameter<int32_t>::Of(1);
  s.o.zero_b = Parameter<int32_t>::Of(-2);
  EXPECT_EQ(s.Run<int32_t>(), (Ints{-51, 52, 62, -180}));
  s.o.zero_a = Parameter<int32_t>::PerElement(zero_a.data());
  s.o.zero_b = Parameter<int32_t>::PerElement(zero_b.data());
  EXPECT_EQ(s.Run<int32_t>(), (Ints{-51, 57, 84, -138}));
}

TEST(ReferenceGemmTest, ZeroPointsPerMatrix) {
  const Ints zero_a = {1, -1, 0, 2};
  SmallS8 s = Example();
  s.batch = 2;
  s.o.zero_a = Parameter<int32_t>::PerElement(zero_a.data(), 2);
  EXPECT_EQ(s.Run<int32_t>(), (Ints{-49, 54, 88, -144, -44, 64, 73, -174}));
  s.o.zero_a = Parameter<int32_t>::PerElement(zero_a.data());
  EXPECT_EQ(s.Run<int32_t>(), (Ints{-49, 54, 88, -144, -49, 54, 88, -144}));
  // One number per matrix.
  s.o.zero_a = {true, 0, zero_a.data() + 1, 0, 1};
  EXPECT_EQ(s.Run<int32_t>(), (Ints{-39, 74, 88, -144, -44, 64, 83, -154}));
}

TEST(ReferenceGemmTest, UnsignedOperands) {
  Small<uint8_t, uint8_t> s{1, 2, 1, {200, 255}, {250, 3}};
  EXPECT_EQ(s.Run<int32_t>(), (Ints{50765}));
  s.o.zero_a = Parameter<int32_t>::Of(100);
  s.o.zero_b = Parameter<int32_t>::Of(250);
  EXPECT_EQ(s.Run<int32_t>(), (Ints{-38285}));
  Small<uint8_t, int8_t> u8_s8{1, 2, 1, {200, 255}, {-128, 127}};
  EXPECT_EQ(u8_s8.Run<int32_t>(), (Ints{6785}));
  Small<int8_t, uint8_t> s8_u8{1, 2, 1, {-128, 127}, {200, 255}};
  EXPECT_EQ(s8_u8.Run<int32_t>(), (Ints{6785}));
}

TEST(ReferenceGemmTest, BatchAndBroadcast) {
  SmallS8 s{1, 2, 1, {1, 2, 3, 4}, {5, 6, 7, 8}};
  s.batch = 2;
  EXPECT_EQ(s.Run<int32_t>(), (Ints{17, 53}));
  s.b = {5, 6};
  EXPECT_EQ(s.Run<int32_t>(), (Ints{17, 39}));
  s.a = {1, 2};
  s.b = {5, 6, 7, 8};
  EXPECT_EQ(s.Run<int32_t>(), (Ints{17, 23}));
}

TEST(ReferenceGemmTest, DynamicPerRow) {
  Small<float, int8_t> s{2, 2, 1, {1, -2, 127, 3}, {1, 1}};
  s.p.quantise_a = Quantise::kPerVector;
  EXPECT_EQ(s.Run<float>(), (Floats{-63.0F * (2.0F / 127.0F), 130}));
  s.o.scale_b = Parameter<float>::Of(3);
  EXPECT_EQ(s.Run<float>(), (Floats{-63.0F * (2.0F / 127.0F * 3.0F), 390}));
}

TEST(ReferenceGemmTest, DynamicRowOfZeros) {
  Small<float, int8_t> s{2, 2, 1, {0, 0, 127, 3}, {1, 1}};
  s.p.quantise_a = Quantise::kPerVector;
  EXPECT_EQ(s.Run<float>(), (Floats{0, 130}));
  s.a = {0, -0.0F, 0, 0};
  s.p.quantise_a = Quantise::kPerTensor;
  EXPECT_EQ(s.Run<float>(), (Floats{0, 0}));
}

TEST(ReferenceGemmTest, DynamicPerTensor) {
  Small<float, int8_t> s{2, 2, 1, {1, -2, 4, 0}, {1, 1}};
  s.p.quantise_a = Quantise::kPerTensor;
  EXPECT_EQ(s.Run<float>(), (Floats{-32.0F * (4.0F / 127.0F), 127.0F * (4.0F / 127.0F)}));
}

TEST(ReferenceGemmTest, DynamicColumnsOfB) {
  Small<int8_t, float> s{1, 2, 2, {1, 1}, {1, 10, -2, 2.5F}};
  s.p.quantise_b = Quantise::kPerVector;
  EXPECT_EQ(s.Run<float>(), (Floats{-63.0F * (2.0F / 127.0F), 159.0F * (10.0F / 127.0F)}));
}

TEST(ReferenceGemmTest, DynamicBoth) {
  Small<float, float> s{1, 2, 1, {1, -2}, {127, 3}};
  s.p.quantise_a = s.p.quantise_b = Quantise::kPerVector;
  // 64 * 127 - 127 * 3, scale of B 1.
  EXPECT_EQ(s.Run<float>(), (Floats{7747.0F * (2.0F / 127.0F)}));
}

TEST(ReferenceGemmTest, DynamicAsymmetric) {
  Small<float, int8_t> s{1, 6, 1, {0, 2, -3, -2.5F, 1.34F, 0.5F}, {1, 1, 1, 1, 1, 1}};
  s.p.quantise_a = Quantise::kAsymmetricPerTensor;
  // The sum of 153, 255, 0, 26, 221 and 179, less six times the zero point 153.
  EXPECT_EQ(s.Run<float>(), (Floats{-84.0F * (5.0F / 255.0F)}));
}

TEST(ReferenceGemmTest, DynamicBatch) {
  Small<float, int8_t> s{1, 1, 1, {2, -127}, {1}};
  s.batch = 2;
  s.p.quantise_a = Quantise::kPerVector;
  EXPECT_EQ(s.Run<float>(), (Floats{127.0F * (2.0F / 127.0F), -127}));
  s.p.quantise_a = Quantise::kPerTensor;
  EXPECT_EQ(s.Run<float>(), (Floats{2, -127}));
  s.a = {-127};
  EXPECT_EQ(s.Run<float>(), (Floats{-127, -127}));
}

TEST(ReferenceGemmTest, NotFiniteLeavesTheOutputAsItWas) {
  for (bool in_a : {true, false}) {
    Floats a = {1, 2, 3, 4};
    Floats b = {1, 2, 3, 4};
    (in_a ? a : b)[3] = std::numeric_limits<float>::quiet_NaN();
    Floats c(4, 77);
    Problem p;
    p.m = p.k = p.n = 2;
    p.a_type = p.b_type = p.c_type = kF32;
    p.a = p.b = p.c = {2, 1, 0};
    p.quantise_a = p.quantise_b = Quantise::kPerVector;
    Operands o;
    o.a = a.data();
    o.b = b.data();
    o.c = c.data();
    const Status status = ReferenceGemm(p, o);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find(in_a ? "row 1 of A" : "column 1 of B"), std::string::npos)
        << status.message();
    EXPECT_EQ(c, Floats(4, 77));
  }
}

TEST(ReferenceGemmTest, FullRangeAtTheLargestK) {
  constexpr int64_t kLongS8 = 131071;
  SmallS8 s8{1, kLongS8, 1, std::vector<int8_t>(kLongS8, -128), std::vector<int8_t>(kLongS8, -128)};
  EXPECT_EQ(s8.Run<int32_t>()[0], 2147467264);
  constexpr int64_t kLongMixed = 65793;
  Small<uint8_t, int8_t> mixed{1, kLongMixed, 1, std::vector<uint8_t>(kLongMixed, 255),
                               std::vector<int8_t>(kLongMixed, -128)};
  EXPECT_EQ(mixed.Run<int32_t>()[0], -2147483520);
  constexpr int64_t kLongZeros = 33025;
  Small<uint8_t, int8_t> zeros{1, kLongZeros, 1, std::vector<uint8_t>(kLongZeros, 0),
                               std::vector<int8_t>(kLongZeros, -128)};
  zeros.o.zero_a = Parameter<int32_t>::Of(255);
  zeros.o.zero_b = Parameter<int32_t>::Of(127);
  EXPECT_EQ(zeros.Run<int32_t>()[0], 2147450625);
}

// ---- Random problems -------------------------------------------------------------------------

constexpr int32_t kPoison = 0x5A5A5A5A;

struct RandomCase {
  Problem p;
  Operands o;
  std::vector<uint8_t> a;
  std::vector<uint8_t> b;
  Ints zero_a;
  Ints zero_b;
  Ints c;
};

// Dense, padded, transposed, with gaps, with the batch between rows; inputs also repeat.
Strides RandomStrides(base::Random* random, int64_t rows, int64_t cols, int64_t batch, bool input) {
  const int64_t pad = random->Between(0, 1) * random->Between(0, 5);
  const int64_t gap = random->Between(1, 3);
  Strides s;
  switch (random->Between(0, 3)) {
    case 0:
      s = {cols + pad, 1, rows * (cols + pad) + pad};
      break;
    case 1:
      s = {1, rows + pad, cols * (rows + pad)};
      break;
    case 2:
      s = {cols * gap + pad, gap, rows * (cols * gap + pad)};
      break;
    default:
      s = {cols * batch + pad, 1, cols};
  }
  if (input && random->Between(0, 3) == 0) s.batch = 0;
  if (input && random->Between(0, 15) == 0) s.row = 0;
  if (input && random->Between(0, 15) == 0) s.col = 0;
  return s;
}

int64_t CountOf(const Strides& s, int64_t rows, int64_t cols, int64_t batch) {
  return ((rows - 1) * s.row) + ((cols - 1) * s.col) + ((batch - 1) * s.batch) + 1;
}

// Random bytes with the ends of the range more often than by chance.
std::vector<uint8_t> RandomBytes(base::Random* random, int64_t count) {
  std::vector<uint8_t> bytes(Size(count));
  for (uint8_t& byte : bytes) {
    const uint64_t r = random->Next();
    byte = (r >> 8) % 8 == 0 ? static_cast<uint8_t>(r & 1 ? 0x80 : 0x7F) : static_cast<uint8_t>(r);
  }
  return bytes;
}

Parameter<int32_t> RandomZeros(base::Random* random, ElementType type, int64_t batch, int64_t count,
                               Ints* storage) {
  const int32_t low = type == kU8 ? 0 : -128;
  const auto number = [&] { return low + static_cast<int32_t>(random->Between(0, 255)); };
  switch (random->Between(0, 3)) {
    case 0:
      return {};
    case 1:
      return Parameter<int32_t>::Of(number());
    default:
      for (int64_t i = 0; i < batch * count; ++i) storage->push_back(number());
      return Parameter<int32_t>::PerElement(storage->data(), random->Between(0, 1) * count);
  }
}

RandomCase MakeCase(base::Random* random) {
  RandomCase r;
  Problem& p = r.p;
  p.batch = random->Between(0, 1) == 0 ? 1 : random->Between(2, 3);
  p.m = random->Between(1, 9);
  p.n = random->Between(1, 9);
  p.k = random->Between(1, 40);
  p.a_type = random->Between(0, 1) == 0 ? kS8 : kU8;
  p.b_type = random->Between(0, 1) == 0 ? kS8 : kU8;
  p.a = RandomStrides(random, p.m, p.k, p.batch, true);
  p.b = RandomStrides(random, p.k, p.n, p.batch, true);
  p.c = RandomStrides(random, p.m, p.n, p.batch, false);
  r.a = RandomBytes(random, CountOf(p.a, p.m, p.k, p.batch));
  r.b = RandomBytes(random, CountOf(p.b, p.k, p.n, p.batch));
  r.c.assign(Size(CountOf(p.c, p.m, p.n, p.batch) + 8), kPoison);
  r.o.zero_a = RandomZeros(random, p.a_type, p.batch, p.m, &r.zero_a);
  r.o.zero_b = RandomZeros(random, p.b_type, p.batch, p.n, &r.zero_b);
  r.o.a = r.a.data();
  r.o.b = r.b.data();
  r.o.c = r.c.data();
  return r;
}

int64_t At(const std::vector<uint8_t>& data, ElementType type, int64_t index) {
  const uint8_t byte = data[Size(index)];
  return type == kU8 ? int64_t{byte} : int64_t{static_cast<int8_t>(byte)};
}

int64_t IndexC(const Problem& p, int64_t batch, int64_t i, int64_t j) {
  return (batch * p.c.batch) + (i * p.c.row) + (j * p.c.col);
}

template <typename Visit>
void ForEachC(const Problem& p, Visit visit) {
  for (int64_t batch = 0; batch < p.batch; ++batch) {
    for (int64_t i = 0; i < p.m; ++i) {
      for (int64_t j = 0; j < p.n; ++j) visit(batch, i, j);
    }
  }
}

// The same number by compensating a product of raw elements, in 64 bits.
int64_t Compensated(const RandomCase& r, int64_t batch, int64_t i, int64_t j) {
  const Problem& p = r.p;
  int64_t sum_ab = 0;
  int64_t sum_a = 0;
  int64_t sum_b = 0;
  for (int64_t k = 0; k < p.k; ++k) {
    const int64_t a = At(r.a, p.a_type, (batch * p.a.batch) + (i * p.a.row) + (k * p.a.col));
    const int64_t b = At(r.b, p.b_type, (batch * p.b.batch) + (k * p.b.row) + (j * p.b.col));
    sum_ab += a * b;
    sum_a += a;
    sum_b += b;
  }
  const int64_t zero_a = r.o.zero_a.At(batch, i);
  const int64_t zero_b = r.o.zero_b.At(batch, j);
  return sum_ab - (zero_b * sum_a) - (zero_a * sum_b) + (p.k * zero_a * zero_b);
}

// The same in arithmetic modulo 2^32 that starts near the wrap, as a backend may do it.
int32_t Wrapping(const RandomCase& r, int64_t batch, int64_t i, int64_t j) {
  const Problem& p = r.p;
  const auto zero_a = static_cast<uint32_t>(r.o.zero_a.At(batch, i));
  const auto zero_b = static_cast<uint32_t>(r.o.zero_b.At(batch, j));
  constexpr uint32_t kStart = 0x7FFFFFFFu;
  uint32_t sum = kStart + (static_cast<uint32_t>(p.k) * zero_a * zero_b);
  for (int64_t k = 0; k < p.k; ++k) {
    const auto a = static_cast<uint32_t>(
        At(r.a, p.a_type, (batch * p.a.batch) + (i * p.a.row) + (k * p.a.col)));
    const auto b = static_cast<uint32_t>(
        At(r.b, p.b_type, (batch * p.b.batch) + (k * p.b.row) + (j * p.b.col)));
    sum += (a * b) - (zero_b * a) - (zero_a * b);
  }
  return static_cast<int32_t>(sum - kStart);
}

TEST(ReferenceGemmRandomTest, AgreesWithTwoOtherFormulationsAndWritesNothingElse) {
  base::Random random(61);
  for (int round = 0; round < 500; ++round) {
    RandomCase r = MakeCase(&random);
    SCOPED_TRACE(::testing::Message() << "round " << round);
    RunValid(r.p, r.o);
    if (::testing::Test::HasFatalFailure()) return;
    ForEachC(r.p, [&](int64_t batch, int64_t i, int64_t j) {
      int32_t& element = r.c[Size(IndexC(r.p, batch, i, j))];
      EXPECT_EQ(element, Compensated(r, batch, i, j)) << batch << " " << i << " " << j;
      EXPECT_EQ(element, Wrapping(r, batch, i, j)) << batch << " " << i << " " << j;
      element = kPoison;
    });
    // All that is left is what lay between the elements.
    ASSERT_EQ(r.c, Ints(r.c.size(), kPoison));
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(ReferenceGemmRandomTest, TransposedProductIsTheProductOfTheTransposed) {
  base::Random random(62);
  for (int round = 0; round < 100; ++round) {
    RandomCase r = MakeCase(&random);
    RunValid(r.p, r.o);
    Problem t = r.p;
    std::swap(t.m, t.n);
    std::swap(t.a_type, t.b_type);
    t.a = {r.p.b.col, r.p.b.row, r.p.b.batch};
    t.b = {r.p.a.col, r.p.a.row, r.p.a.batch};
    t.c = {r.p.c.col, r.p.c.row, r.p.c.batch};
    Operands o = r.o;
    std::swap(o.a, o.b);
    std::swap(o.zero_a, o.zero_b);
    Ints c(r.c.size(), kPoison);
    o.c = c.data();
    RunValid(t, o);
    ASSERT_EQ(c, r.c) << "round " << round;
  }
}

TEST(ReferenceGemmRandomTest, SumOfTwoPartsOfK) {
  base::Random random(63);
  for (int round = 0; round < 100; ++round) {
    RandomCase r = MakeCase(&random);
    if (r.p.k < 2) continue;
    RunValid(r.p, r.o);
    const Ints whole = r.c;
    const int64_t first = random.Between(1, r.p.k - 1);
    Problem part = r.p;
    part.k = first;
    RunValid(part, r.o);
    const Ints left = r.c;
    Operands o = r.o;
    part.k = r.p.k - first;
    o.a = r.a.data() + (first * r.p.a.col);
    o.b = r.b.data() + (first * r.p.b.row);
    RunValid(part, o);
    ForEachC(r.p, [&](int64_t batch, int64_t i, int64_t j) {
      const size_t index = Size(IndexC(r.p, batch, i, j));
      EXPECT_EQ(whole[index], left[index] + r.c[index]) << "round " << round;
    });
  }
}

TEST(ReferenceGemmRandomTest, PermutedRowsOfAPermuteTheRowsOfC) {
  base::Random random(64);
  for (int round = 0; round < 50; ++round) {
    const int64_t m = random.Between(2, 8);
    const int64_t k = random.Between(1, 20);
    const int64_t n = random.Between(1, 8);
    SmallS8 s{m, k, n, {}, {}};
    for (uint8_t x : RandomBytes(&random, m * k)) s.a.push_back(static_cast<int8_t>(x));
    for (uint8_t x : RandomBytes(&random, k * n)) s.b.push_back(static_cast<int8_t>(x));
    Ints zeros(Size(m));
    for (int32_t& zero : zeros) zero = static_cast<int32_t>(random.Between(-128, 127));
    s.o.zero_a = Parameter<int32_t>::PerElement(zeros.data());
    const Ints c = s.Run<int32_t>();
    // Row i goes to place (i + shift) mod m.
    const int64_t shift = random.Between(1, m - 1);
    SmallS8 moved = s;
    Ints moved_zeros(Size(m));
    for (int64_t i = 0; i < m; ++i) {
      const int64_t to = (i + shift) % m;
      std::copy_n(s.a.begin() + (i * k), k, moved.a.begin() + (to * k));
      moved_zeros[Size(to)] = zeros[Size(i)];
    }
    moved.o.zero_a = Parameter<int32_t>::PerElement(moved_zeros.data());
    const Ints moved_c = moved.Run<int32_t>();
    for (int64_t i = 0; i < m; ++i) {
      const int64_t to = (i + shift) % m;
      for (int64_t j = 0; j < n; ++j) {
        ASSERT_EQ(moved_c[Size(to * n + j)], c[Size(i * n + j)]) << "round " << round;
      }
    }
  }
}

Floats RandomFloats(base::Random* random, int64_t count, double magnitude) {
  Floats values(Size(count));
  for (float& x : values) x = static_cast<float>((2 * random->Unit() - 1) * magnitude);
  return values;
}

// Each step in double, rounded to float: exact products, and sums whose second rounding is
// innocuous, so that no fused or reordered step could give the same numbers throughout.
float FinishByDefinition(int64_t acc, float scale_a, float scale_b, float bias, bool relu) {
  const auto value = static_cast<float>(static_cast<double>(acc));
  const auto scale =
      static_cast<float>(static_cast<double>(scale_a) * static_cast<double>(scale_b));
  const auto scaled = static_cast<float>(static_cast<double>(value) * static_cast<double>(scale));
  const auto biased = static_cast<float>(static_cast<double>(scaled) + static_cast<double>(bias));
  return relu && biased < 0.0F ? 0.0F : biased;
}

TEST(ReferenceGemmRandomTest, F32AndBF16RoundEveryStep) {
  base::Random random(65);
  for (int round = 0; round < 200; ++round) {
    RandomCase r = MakeCase(&random);
    Problem& p = r.p;
    const bool bf16 = random.Between(0, 1) == 0;
    p.c_type = bf16 ? kBF16 : kF32;
    p.activation = random.Between(0, 1) == 0 ? Activation::kNone : Activation::kRelu;
    const Floats scale_a = RandomFloats(&random, p.batch * p.m, 0.01);
    const Floats scale_b = RandomFloats(&random, p.batch * p.n, 0.01);
    const Floats bias = RandomFloats(&random, p.batch * p.n, 10);
    r.o.scale_a = Parameter<float>::PerElement(scale_a.data(), p.m);
    r.o.scale_b = Parameter<float>::PerElement(scale_b.data(), p.n);
    r.o.bias_f32 = Parameter<float>::PerElement(bias.data(), p.n);
    RunValid(p, r.o);
    if (::testing::Test::HasFatalFailure()) return;
    ForEachC(p, [&](int64_t batch, int64_t i, int64_t j) {
      const float expected =
          FinishByDefinition(Compensated(r, batch, i, j), scale_a[Size(batch * p.m + i)],
                             scale_b[Size(batch * p.n + j)], bias[Size(batch * p.n + j)],
                             p.activation == Activation::kRelu);
      const int64_t index = IndexC(p, batch, i, j);
      if (bf16) {
        const BFloat16 actual = static_cast<const BFloat16*>(r.o.c)[index];
        EXPECT_EQ(actual.bits, ToBFloat16(expected).bits) << "round " << round;
      } else {
        const float actual = static_cast<const float*>(r.o.c)[index];
        EXPECT_EQ(std::bit_cast<uint32_t>(actual), std::bit_cast<uint32_t>(expected))
            << "round " << round;
      }
    });
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace tilewave::core
