#include "core/validate.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/numbers.h"

namespace tilewave::core {
namespace {

using enum ElementType;
using testing::kInf;
using testing::kNaN;

constexpr StatusCode kOk = StatusCode::kOk;
constexpr StatusCode kInvalid = StatusCode::kInvalidArgument;
constexpr StatusCode kOutOfRange = StatusCode::kOutOfRange;
constexpr StatusCode kUnimplemented = StatusCode::kUnimplemented;
constexpr ParameterForm kOne = ParameterForm::kOne;
constexpr ParameterForm kVector = ParameterForm::kVector;
constexpr int64_t kMax64 = std::numeric_limits<int64_t>::max();

// Dense and row-major, s8 x s8 -> s32.
Problem Dense(int64_t m, int64_t k, int64_t n) {
  Problem p;
  p.m = m;
  p.k = k;
  p.n = n;
  p.a = {k, 1, 0};
  p.b = {n, 1, 0};
  p.c = {n, 1, 0};
  return p;
}

// What is done to a good 2x3x4 problem, and what must come of it.
struct ProblemCase {
  const char* what;
  std::function<void(Problem*)> mutate;
  StatusCode code;
  const char* text;
};

void ExpectStatus(const Status& status, const char* what, StatusCode code, const char* text) {
  EXPECT_EQ(status.code(), code) << what << ": " << status.ToString();
  EXPECT_NE(status.message().find(text), std::string::npos)
      << what << ": '" << status.message() << "' lacks '" << text << "'";
}

void ExpectAll(const std::vector<ProblemCase>& cases) {
  for (const ProblemCase& c : cases) {
    Problem p = Dense(2, 3, 4);
    c.mutate(&p);
    ExpectStatus(ValidateProblem(p), c.what, c.code, c.text);
  }
}

TEST(ValidateProblemTest, GoodProblemPasses) {
  EXPECT_TRUE(ValidateProblem(Dense(2, 3, 4)).ok());
  EXPECT_TRUE(ValidateProblem(Dense(1, 1, 1)).ok());
}

TEST(ValidateProblemTest, Extents) {
  ExpectAll({
      {"M 0", [](Problem* p) { p->m = 0; }, kInvalid, "M is 0"},
      {"K 0", [](Problem* p) { p->k = 0; }, kInvalid, "K is 0"},
      {"N 0", [](Problem* p) { p->n = 0; }, kInvalid, "N is 0"},
      {"batch 0", [](Problem* p) { p->batch = 0; }, kInvalid, "batch is 0"},
      {"M negative", [](Problem* p) { p->m = -1; }, kInvalid, "M is -1"},
      {"K least", [](Problem* p) { p->k = -kMax64 - 1; }, kInvalid, "K is -9223372036854775808"},
      {"N negative", [](Problem* p) { p->n = -5; }, kInvalid, "N is -5"},
      {"batch negative", [](Problem* p) { p->batch = -2; }, kInvalid, "batch is -2"},
      {"M largest", [](Problem* p) { p->m = kMax64; }, kOutOfRange, "overflows"},
      {"K largest", [](Problem* p) { p->k = kMax64; }, kOutOfRange, "overflows"},
      {"N largest", [](Problem* p) { p->n = kMax64; }, kOutOfRange, "overflows"},
      {"batch largest", [](Problem* p) { p->batch = kMax64; }, kOutOfRange, "overflows"},
      {"M x N", [](Problem* p) { p->m = p->n = int64_t{1} << 31; }, kOutOfRange, "overflows"},
      {"M x K", [](Problem* p) { p->m = p->k = int64_t{1} << 31; }, kOutOfRange, "overflows"},
      {"K x N", [](Problem* p) { p->k = p->n = int64_t{1} << 31; }, kOutOfRange, "overflows"},
      {"batch x M x N", [](Problem* p) { p->batch = p->m = p->n = int64_t{1} << 21; }, kOutOfRange,
       "overflows"},
  });
}

TEST(ValidateProblemTest, Strides) {
  ExpectAll({
      {"A row", [](Problem* p) { p->a.row = -1; }, kInvalid, "A has a negative stride (row -1"},
      {"A col", [](Problem* p) { p->a.col = -2; }, kInvalid, "A has a negative stride"},
      {"A batch", [](Problem* p) { p->a.batch = -3; }, kInvalid, "batch -3"},
      {"B row", [](Problem* p) { p->b.row = -1; }, kInvalid, "B has a negative stride"},
      {"B col", [](Problem* p) { p->b.col = -1; }, kInvalid, "B has a negative stride"},
      {"B batch", [](Problem* p) { p->b.batch = -1; }, kInvalid, "B has a negative stride"},
      {"C row", [](Problem* p) { p->c.row = -1; }, kInvalid, "C has a negative stride"},
      {"C col", [](Problem* p) { p->c.col = -1; }, kInvalid, "C has a negative stride"},
      {"C batch", [](Problem* p) { p->c.batch = -1; }, kInvalid, "C has a negative stride"},
      {"A far", [](Problem* p) { p->a.row = kMax64; }, kOutOfRange, "A overflows"},
      {"A far in bytes",
       [](Problem* p) {
         p->a = {0, kMax64 / 2 + 1, 0};
       },
       kOutOfRange, "A over"},
      {"B far", [](Problem* p) { p->b.col = kMax64 / 3 + 1; }, kOutOfRange, "beyond 63 bits"},
      {"C far", [](Problem* p) { p->c.row = kMax64 / 4; }, kOutOfRange, "C overflows"},
      {"batch far", [](Problem* p) { p->batch = 3, p->b.batch = kMax64 / 2 + 1, p->c.batch = 8; },
       kOutOfRange, "B overflows"},
      {"unused far", [](Problem* p) { p->b.batch = kMax64; }, kOk, ""},
      {"A repeats",
       [](Problem* p) {
         p->a = {0, 0, 0};
       },
       kOk, ""},
      {"B transposed",
       [](Problem* p) {
         p->b = {1, 3, 0};
       },
       kOk, ""},
  });
}

TEST(ValidateProblemTest, OutputThatOverlapsItself) {
  ExpectAll({
      {"row 0", [](Problem* p) { p->c.row = 0; }, kInvalid, "C overlaps itself"},
      {"col 0", [](Problem* p) { p->c.col = 0; }, kInvalid, "C overlaps itself"},
      {"rows run together", [](Problem* p) { p->c.row = 3; }, kInvalid, "C overlaps itself"},
      {"batch 0", [](Problem* p) { p->batch = 2; }, kInvalid, "C overlaps itself"},
      {"batch short", [](Problem* p) { p->batch = 2, p->c.batch = 7; }, kInvalid, "itself"},
      {"batch apart", [](Problem* p) { p->batch = 2, p->c.batch = 8; }, kOk, ""},
      {"transposed",
       [](Problem* p) {
         p->c = {1, 2, 0};
       },
       kOk, ""},
      {"padded", [](Problem* p) { p->c.row = 9; }, kOk, ""},
  });
}

TEST(ValidateProblemTest, InputTypes) {
  ExpectAll({
      {"A s16", [](Problem* p) { p->a_type = kS16; }, kUnimplemented, "A is s16"},
      {"B s16", [](Problem* p) { p->b_type = kS16; }, kUnimplemented, "B is s16"},
      {"C s16", [](Problem* p) { p->c_type = kS16; }, kUnimplemented, "C is s16"},
      {"A s32", [](Problem* p) { p->a_type = kS32; }, kInvalid, "A is s32; inputs are s8, u8"},
      {"B s32", [](Problem* p) { p->b_type = kS32; }, kInvalid, "B is s32; inputs are s8, u8"},
      {"A bf16", [](Problem* p) { p->a_type = kBF16; }, kInvalid, "A is bf16; inputs are"},
      {"B bf16", [](Problem* p) { p->b_type = kBF16; }, kInvalid, "B is bf16; inputs are"},
      {"A f32 only", [](Problem* p) { p->a_type = kF32, p->c_type = kF32; }, kInvalid,
       "A is f32; dynamic quantisation"},
      {"B f32 only", [](Problem* p) { p->b_type = kF32, p->c_type = kF32; }, kInvalid,
       "B is f32; dynamic quantisation"},
      {"A s8 quantised", [](Problem* p) { p->quantise_a = Quantise::kPerVector; }, kInvalid,
       "A is s8; dynamic quantisation"},
      {"B u8 quantised", [](Problem* p) { p->b_type = kU8, p->quantise_b = Quantise::kPerTensor; },
       kInvalid, "B is u8; dynamic quantisation"},
      {"B asymmetric",
       [](Problem* p) {
         p->b_type = p->c_type = kF32;
         p->quantise_b = Quantise::kAsymmetricPerTensor;
       },
       kInvalid, "B cannot be quantised asymmetrically"},
      {"u8 x u8", [](Problem* p) { p->a_type = p->b_type = kU8; }, kOk, ""},
  });
}

TEST(ValidateProblemTest, DynamicQuantisationNeedsAFloatOutput) {
  for (Quantise mode : {Quantise::kPerVector, Quantise::kPerTensor}) {
    for (bool is_a : {true, false}) {
      Problem p = Dense(2, 3, 4);
      (is_a ? p.a_type : p.b_type) = kF32;
      (is_a ? p.quantise_a : p.quantise_b) = mode;
      for (ElementType c : {kS32, kS8, kU8}) {
        p.c_type = c;
        ExpectStatus(ValidateProblem(p), "integer C", kInvalid, "C must be f32 or bf16");
      }
      for (ElementType c : {kF32, kBF16}) {
        p.c_type = c;
        EXPECT_TRUE(ValidateProblem(p).ok());
      }
    }
  }
}

TEST(ValidateProblemTest, KBoundIsExact) {
  const struct {
    ElementType a, b;
    bool zero_a, zero_b;
    int64_t max_k;
    const char* text;
  } cases[] = {
      {kS8, kS8, false, false, 131071, "s8 x s8 is exact in 32 bits up to K = 131071"},
      {kU8, kS8, false, false, 65793, "u8 x s8 is exact in 32 bits up to K = 65793"},
      {kS8, kU8, false, false, 65793, "s8 x u8 is exact in 32 bits up to K = 65793"},
      {kU8, kU8, false, false, 33025, "u8 x u8 is exact in 32 bits up to K = 33025"},
      {kS8, kS8, true, false, 65793,
       "s8 with zero points x s8 is exact in 32 bits up to K = 65793"},
      {kS8, kS8, false, true, 65793,
       "s8 x s8 with zero points is exact in 32 bits up to K = 65793"},
      {kS8, kS8, true, true, 33025,
       "s8 with zero points x s8 with zero points is exact in 32 bits up to K = 33025"},
      {kU8, kS8, true, false, 65793, "u8 with zero points x s8 is exact"},
      {kU8, kS8, true, true, 33025, "with zero points"},
      {kS8, kU8, false, true, 65793, "s8 x u8 with zero points is exact"},
      {kS8, kU8, true, false, 33025, "with zero points"},
  };
  for (const auto& c : cases) {
    for (ParameterForm form : {kOne, kVector}) {
      for (int64_t beyond : {0, 1}) {
        Problem p = Dense(2, c.max_k + beyond, 4);
        p.a_type = c.a;
        p.b_type = c.b;
        if (c.zero_a) p.zero_a = form;
        if (c.zero_b) p.zero_b = form;
        ExpectStatus(ValidateProblem(p), c.text, beyond == 0 ? kOk : kOutOfRange,
                     beyond == 0 ? "" : c.text);
      }
    }
  }
}

TEST(ValidateProblemTest, KBoundOfDynamicQuantisation) {
  const struct {
    Quantise mode;
    ElementType b;
    int64_t max_k;
  } cases[] = {{Quantise::kPerVector, kS8, 131071},
               {Quantise::kPerTensor, kU8, 65793},
               {Quantise::kAsymmetricPerTensor, kS8, 65793},
               {Quantise::kAsymmetricPerTensor, kU8, 33025}};
  for (const auto& c : cases) {
    Problem p = Dense(1, c.max_k, 1);
    p.a_type = p.c_type = kF32;
    p.quantise_a = c.mode;
    p.b_type = c.b;
    EXPECT_TRUE(ValidateProblem(p).ok());
    ++p.k;
    ++p.a.row;
    ExpectStatus(ValidateProblem(p), "K", kOutOfRange, std::to_string(c.max_k).c_str());
  }
}

TEST(ValidateProblemTest, IntegerEpilogue) {
  const auto shift8 = [](Problem* p) { p->c_type = kS8, p->requant = RequantKind::kShift; };
  const auto gelu = [](Problem* p) { p->activation = Activation::kGelu; };
  ExpectAll({
      {"accumulate", [](Problem* p) { p->accumulate = true; }, kUnimplemented, "accumulating"},
      {"scale A", [](Problem* p) { p->scale_a = kOne; }, kInvalid, "scales of A and B apply to"},
      {"scale B", [](Problem* p) { p->scale_b = kVector; }, kInvalid, "C is s32"},
      {"scale B, s8", [=](Problem* p) { shift8(p), p->scale_b = kOne; }, kInvalid, "fold them"},
      {"f32 bias", [](Problem* p) { p->bias_f32 = kOne; }, kInvalid, "give an s32 bias"},
      {"gelu", gelu, kUnimplemented, "gelu needs an f32 or bf16 output, C is s32"},
      {"gelu, s8", [=](Problem* p) { shift8(p), gelu(p); }, kUnimplemented, "C is s8"},
      {"silu", [](Problem* p) { p->activation = Activation::kSilu; }, kUnimplemented, "silu needs"},
      {"relu", [](Problem* p) { p->activation = Activation::kRelu; }, kOk, ""},
      {"s32 bias", [](Problem* p) { p->bias_s32 = kVector; }, kOk, ""},
      {"relu, s8", [=](Problem* p) { shift8(p), p->activation = Activation::kRelu; }, kOk, ""},
  });
}

TEST(ValidateProblemTest, FloatEpilogue) {
  for (ElementType c : {kF32, kBF16}) {
    for (Activation activation :
         {Activation::kNone, Activation::kRelu, Activation::kGelu, Activation::kSilu}) {
      Problem p = Dense(2, 3, 4);
      p.c_type = c;
      p.activation = activation;
      p.scale_a = p.scale_b = p.bias_f32 = p.bias_s32 = kVector;
      EXPECT_TRUE(ValidateProblem(p).ok()) << ValidateProblem(p).ToString();
      p.requant = RequantKind::kShift;
      ExpectStatus(ValidateProblem(p), "requantisation", kInvalid, "requantisation applies to s8");
    }
  }
}

TEST(ValidateProblemTest, ParametersOfDynamicOperandsAreFoundInTheCall) {
  const auto f32 = [](Problem* p) {
    p->a_type = p->b_type = p->c_type = kF32;
    p->quantise_a = p->quantise_b = Quantise::kPerVector;
  };
  ExpectAll({
      {"none", f32, kOk, ""},
      {"scale A", [=](Problem* p) { f32(p), p->scale_a = kOne; }, kInvalid, "a scale was given"},
      {"scale B", [=](Problem* p) { f32(p), p->scale_b = kOne; }, kInvalid, "a scale was given"},
      {"zero A", [=](Problem* p) { f32(p), p->zero_a = kOne; }, kInvalid, "a zero point was given"},
      {"zero B", [=](Problem* p) { f32(p), p->zero_b = kOne; }, kInvalid, "a zero point was given"},
      {"scale of the other",
       [=](Problem* p) {
         f32(p), p->b_type = kS8, p->quantise_b = Quantise::kNone, p->scale_b = kOne;
       },
       kOk, ""},
  });
}

TEST(ValidateProblemTest, Requantisation) {
  const auto shift = [](int by) {
    return [by](Problem* p) {
      p->c_type = kS8;
      p->requant = RequantKind::kShift;
      p->shift.shift = by;
    };
  };
  const auto scale = [](ElementType c, int32_t zero) {
    return [=](Problem* p) {
      p->c_type = c;
      p->requant = RequantKind::kScale;
      p->requant_scale = kOne;
      p->requant_zero = zero;
    };
  };
  ExpectAll({
      {"s8 without", [](Problem* p) { p->c_type = kS8; }, kInvalid, "C is s8; give a shift"},
      {"u8 without", [](Problem* p) { p->c_type = kU8; }, kInvalid, "C is u8; give a shift"},
      {"s32 with shift", [](Problem* p) { p->requant = RequantKind::kShift; }, kInvalid,
       "requantisation applies to s8 and u8 outputs, C is s32"},
      {"s32 with scale", [](Problem* p) { p->requant = RequantKind::kScale; }, kInvalid,
       "requantisation applies to s8 and u8 outputs, C is s32"},
      {"shift 0", shift(0), kOk, ""},
      {"shift 31", shift(31), kOk, ""},
      {"shift -1", shift(-1), kInvalid, "shift is -1; expected 0 to 31"},
      {"shift 32", shift(32), kInvalid, "shift is 32; expected 0 to 31"},
      {"rounding", [=](Problem* p) { shift(1)(p), p->shift.rounding = static_cast<Rounding>(4); },
       kInvalid, "rounding or saturation mode"},
      {"saturation",
       [=](Problem* p) { shift(1)(p), p->shift.saturation = static_cast<Saturation>(2); }, kInvalid,
       "rounding or saturation mode"},
      {"no scale", [=](Problem* p) { scale(kS8, 0)(p), p->requant_scale = ParameterForm::kAbsent; },
       kInvalid, "requantisation scale is missing"},
      {"s8 low", scale(kS8, -128), kOk, ""},
      {"s8 high", scale(kS8, 127), kOk, ""},
      {"s8 below", scale(kS8, -129), kInvalid, "zero point of C is -129; s8 holds -128 to 127"},
      {"s8 above", scale(kS8, 128), kInvalid, "zero point of C is 128; s8 holds -128 to 127"},
      {"u8 low", scale(kU8, 0), kOk, ""},
      {"u8 high", scale(kU8, 255), kOk, ""},
      {"u8 below", scale(kU8, -1), kInvalid, "zero point of C is -1; u8 holds 0 to 255"},
      {"u8 above", scale(kU8, 256), kInvalid, "zero point of C is 256; u8 holds 0 to 255"},
  });
}

// A 2x3x4 call whose memory is one arena, so that anything can be laid over anything else.
struct Call {
  static constexpr size_t kA = 0;
  static constexpr size_t kB = 64;
  static constexpr size_t kC = 128;
  static constexpr size_t kVectors = 256;

  alignas(64) std::array<std::byte, 512> arena = {};
  Problem p = Dense(2, 3, 4);
  Operands o;

  Call() {
    o.a = At<int8_t>(kA);
    o.b = At<int8_t>(kB);
    o.c = At<int32_t>(kC);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  template <typename T>
  T* At(size_t byte) {
    return reinterpret_cast<T*>(arena.data() + byte);
  }
};

struct CallCase {
  const char* what;
  std::function<void(Call*)> mutate;
  StatusCode code;
  const char* text;
};

void ExpectAllCalls(const std::vector<CallCase>& cases) {
  for (const CallCase& c : cases) {
    Call call;
    c.mutate(&call);
    ExpectStatus(ValidateOperands(call.p, call.o), c.what, c.code, c.text);
  }
}

TEST(ValidateOperandsTest, Pointers) {
  ExpectAllCalls({
      {"good", [](Call*) {}, kOk, ""},
      {"A null", [](Call* c) { c->o.a = nullptr; }, kInvalid, "A has no data"},
      {"B null", [](Call* c) { c->o.b = nullptr; }, kInvalid, "B has no data"},
      {"C null", [](Call* c) { c->o.c = nullptr; }, kInvalid, "C has no data"},
      {"s8 anywhere", [](Call* c) { c->o.a = c->At<int8_t>(1); }, kOk, ""},
      {"C odd", [](Call* c) { c->o.c = c->At<std::byte>(Call::kC + 2); }, kInvalid,
       "C is not aligned: s32 elements need 4 bytes"},
      {"bf16 odd", [](Call* c) { c->p.c_type = kBF16, c->o.c = c->At<std::byte>(Call::kC + 1); },
       kInvalid, "C is not aligned: bf16 elements need 2 bytes"},
      {"f32 A odd", [](Call* c) { c->p.a_type = kF32, c->o.a = c->At<std::byte>(2); }, kInvalid,
       "A is not aligned: f32 elements need 4 bytes"},
      {"f32 B odd", [](Call* c) { c->p.b_type = kF32, c->o.b = c->At<std::byte>(67); }, kInvalid,
       "B is not aligned: f32 elements need 4 bytes"},
  });
}

TEST(ValidateOperandsTest, OutputApartFromInputs) {
  ExpectAllCalls({
      {"A at C", [](Call* c) { c->o.a = c->o.c; }, kInvalid, "C overlaps A"},
      {"A's last byte", [](Call* c) { c->o.a = c->At<int8_t>(Call::kC - 5); }, kInvalid,
       "C overlaps A"},
      {"A ends at C", [](Call* c) { c->o.a = c->At<int8_t>(Call::kC - 6); }, kOk, ""},
      {"A in C's last byte", [](Call* c) { c->o.a = c->At<int8_t>(Call::kC + 31); }, kInvalid,
       "C overlaps A"},
      {"A behind C", [](Call* c) { c->o.a = c->At<int8_t>(Call::kC + 32); }, kOk, ""},
      {"B at C", [](Call* c) { c->o.b = c->o.c; }, kInvalid, "C overlaps B"},
      {"B's last byte", [](Call* c) { c->o.b = c->At<int8_t>(Call::kC - 11); }, kInvalid,
       "C overlaps B"},
      {"B ends at C", [](Call* c) { c->o.b = c->At<int8_t>(Call::kC - 12); }, kOk, ""},
      {"A is B", [](Call* c) { c->o.b = c->o.a; }, kOk, ""},
  });
}

// Each parameter vector in turn: over C, next to C, misaligned, with negative strides.
template <typename T>
void ExpectParameterChecked(Parameter<T> Operands::*member, const char* name) {
  const auto set = [member](Parameter<T> value) { return [=](Call* c) { c->o.*member = value; }; };
  const auto at = [member](size_t byte) {
    return [=](Call* c) { c->o.*member = Parameter<T>::PerElement(c->At<const T>(byte)); };
  };
  const std::string overlaps = std::string("C overlaps ") + name;
  const std::string misaligned = std::string(name) + " is not aligned to 4 bytes";
  const std::string negative = std::string(name) + " has a negative stride";
  const std::string far = std::string(name) + " reaches beyond 63 bits";
  static const T number = 1;
  ExpectAllCalls({
      {name, at(Call::kVectors), kOk, ""},
      {name, at(Call::kC), kInvalid, overlaps.c_str()},
      {name, at(Call::kC + 28), kInvalid, overlaps.c_str()},
      {name, at(Call::kC + 32), kOk, ""},
      {name, at(Call::kVectors + 2), kInvalid, misaligned.c_str()},
      {name, set({true, T{}, &number, -1, 0}), kInvalid, negative.c_str()},
      {name, set({true, T{}, &number, 0, -1}), kInvalid, negative.c_str()},
      {name, set({true, T{}, &number, kMax64 / 2, 0}), kOutOfRange, far.c_str()},
      {name, set(Parameter<T>::Of(1)), kOk, ""},
  });
}

TEST(ValidateOperandsTest, ParameterVectors) {
  ExpectParameterChecked(&Operands::zero_a, "the zero points of A");
  ExpectParameterChecked(&Operands::zero_b, "the zero points of B");
  ExpectParameterChecked(&Operands::scale_a, "the scales of A");
  ExpectParameterChecked(&Operands::scale_b, "the scales of B");
  ExpectParameterChecked(&Operands::bias_s32, "the s32 bias");
  ExpectParameterChecked(&Operands::bias_f32, "the f32 bias");
}

TEST(ValidateOperandsTest, RequantisationScaleVector) {
  Call call;
  call.p.c_type = kS8;
  call.o.requant_scale = Parameter<float>::PerElement(call.At<const float>(Call::kC + 4));
  ExpectStatus(ValidateOperands(call.p, call.o), "over C", kInvalid,
               "C overlaps the requantisation scales");
}

TEST(ValidateOperandsTest, ZeroPointsWithinTheirTypes) {
  const auto zero_a = [](ElementType type, int32_t value) {
    return [=](Call* c) { c->p.a_type = type, c->o.zero_a = Parameter<int32_t>::Of(value); };
  };
  const auto zero_b = [](ElementType type, int32_t value) {
    return [=](Call* c) { c->p.b_type = type, c->o.zero_b = Parameter<int32_t>::Of(value); };
  };
  ExpectAllCalls({
      {"A s8 low", zero_a(kS8, -128), kOk, ""},
      {"A s8 high", zero_a(kS8, 127), kOk, ""},
      {"A s8 below", zero_a(kS8, -129), kInvalid,
       "zero point 0 of A is -129; s8 holds -128 to 127"},
      {"A s8 above", zero_a(kS8, 128), kInvalid, "of A is 128; s8 holds -128 to 127"},
      {"A u8 low", zero_a(kU8, 0), kOk, ""},
      {"A u8 high", zero_a(kU8, 255), kOk, ""},
      {"A u8 below", zero_a(kU8, -1), kInvalid, "of A is -1; u8 holds 0 to 255"},
      {"A u8 above", zero_a(kU8, 256), kInvalid, "of A is 256; u8 holds 0 to 255"},
      {"B s8 above", zero_b(kS8, 128), kInvalid, "zero point 0 of B is 128"},
      {"B u8 above", zero_b(kU8, 256), kInvalid, "zero point 0 of B is 256"},
      {"B u8 high", zero_b(kU8, 255), kOk, ""},
  });
}

TEST(ValidateOperandsTest, EveryNumberOfAVectorIsChecked) {
  Call call;
  call.p.batch = 2;
  call.p.c.batch = 8;
  for (int64_t bad = 0; bad < 8; ++bad) {
    std::vector<int32_t> zeros(8, 1);
    zeros[static_cast<size_t>(bad)] = 999;
    call.o.zero_b = Parameter<int32_t>::PerElement(zeros.data(), 4);
    const std::string text = "zero point " + std::to_string(bad % 4) + " of B is 999";
    ExpectStatus(ValidateOperands(call.p, call.o), "B", kInvalid, text.c_str());
    call.o.zero_b = {};
    std::vector<float> scales(8, 1.0F);
    scales[static_cast<size_t>(bad)] = std::numeric_limits<float>::infinity();
    call.o.scale_b = Parameter<float>::PerElement(scales.data(), 4);
    const std::string scale_text = "scale " + std::to_string(bad % 4) + " of B is inf";
    ExpectStatus(ValidateOperands(call.p, call.o), "B", kInvalid, scale_text.c_str());
    call.o.scale_b = {};
  }
  // Numbers that the strides do not reach are not looked at.
  const int32_t zeros[] = {1, 999, 1, 999, 1, 999, 1, 999};
  call.o.zero_b = {true, 0, zeros, 2, 0};
  EXPECT_TRUE(ValidateOperands(call.p, call.o).ok());
}

TEST(ValidateOperandsTest, ScalesMustBeFinite) {
  for (float bad : {kNaN, kInf, -kInf}) {
    const auto scale = Parameter<float>::Of(bad);
    ExpectAllCalls({
        {"A", [=](Call* c) { c->o.scale_a = scale; }, kInvalid, "scale 0 of A is"},
        {"B", [=](Call* c) { c->o.scale_b = scale; }, kInvalid, "scale 0 of B is"},
        {"C", [=](Call* c) { c->o.requant_scale = scale; }, kInvalid, "of the requantisation is"},
    });
  }
}

TEST(ValidateOperandsTest, ParameterVectorsWithoutMemoryAreRefused) {
  const Parameter<float> floats = Parameter<float>::PerElement(nullptr);
  const Parameter<int32_t> integers = Parameter<int32_t>::PerElement(nullptr, 3);
  ExpectAllCalls({
      {"scale A", [=](Call* c) { c->o.scale_a = floats; }, kInvalid, "scales of A: the pointer"},
      {"scale B", [=](Call* c) { c->o.scale_b = floats; }, kInvalid, "scales of B: the pointer"},
      {"zero A", [=](Call* c) { c->o.zero_a = integers; }, kInvalid, "points of A: the pointer"},
      {"bias", [=](Call* c) { c->o.bias_s32 = integers; }, kInvalid, "s32 bias: the pointer"},
  });
}

TEST(ValidateOperandsTest, AnyFiniteRequantisationScaleIsDefined) {
  for (float scale : {0.0F, -0.0F, -1.0F}) {
    Call call;
    call.p.c_type = kS8;
    call.p.requant = RequantKind::kScale;
    call.p.requant_scale = kOne;
    call.o.requant_scale = Parameter<float>::Of(scale);
    EXPECT_TRUE(ValidateOperands(call.p, call.o).ok()) << scale;
  }
}

TEST(ValidateOperandsTest, BiasMustLeaveRoomForTheSum) {
  const struct {
    ElementType a, b;
    bool zero_b;
    int64_t k;
    int32_t room;  // 2^31 - 1 - K * the largest product.
  } cases[] = {{kS8, kS8, false, 131071, 16383}, {kU8, kS8, false, 65793, 127},
               {kU8, kU8, false, 33025, 33022},  {kU8, kS8, true, 33025, 33022},
               {kS8, kS8, true, 65793, 127},     {kS8, kS8, false, 1, 2147467263},
               {kS8, kU8, false, 2, 2147418367}};
  for (const auto& c : cases) {
    std::vector<int8_t> input(static_cast<size_t>(c.k));
    int32_t output = 0;
    Problem p = Dense(1, c.k, 1);
    p.a_type = c.a;
    p.b_type = c.b;
    Operands o;
    o.a = o.b = input.data();
    o.c = &output;
    if (c.zero_b) o.zero_b = Parameter<int32_t>::Of(3);
    for (int32_t sign : {1, -1}) {
      o.bias_s32 = Parameter<int32_t>::Of(sign * c.room);
      EXPECT_TRUE(ValidateOperands(p, o).ok()) << ValidateOperands(p, o).ToString();
      o.bias_s32 = Parameter<int32_t>::Of(sign * (c.room + 1));
      const std::string text = "a bias of at most " + std::to_string(c.room);
      ExpectStatus(ValidateOperands(p, o), "bias", kOutOfRange, text.c_str());
    }
    o.bias_s32 = Parameter<int32_t>::Of(std::numeric_limits<int32_t>::min());
    EXPECT_EQ(ValidateOperands(p, o).code(), kOutOfRange);
  }
}

TEST(ValidateWeightOperandsTest, ChecksBAlone) {
  Call call;
  call.o.a = nullptr;
  call.o.c = nullptr;
  EXPECT_TRUE(ValidateWeightOperands(call.p, call.o).ok());
  call.o.zero_b = Parameter<int32_t>::Of(128);
  ExpectStatus(ValidateWeightOperands(call.p, call.o), "zero", kInvalid,
               "zero point 0 of B is 128");
  call.o.zero_b = Parameter<int32_t>::PerElement(call.At<const int32_t>(Call::kVectors + 1));
  ExpectStatus(ValidateWeightOperands(call.p, call.o), "odd", kInvalid, "is not aligned");
  call.o.zero_b = {true, 0, call.At<const int32_t>(Call::kVectors), -1, 0};
  ExpectStatus(ValidateWeightOperands(call.p, call.o), "stride", kInvalid, "negative stride");
  call.o.b = nullptr;
  ExpectStatus(ValidateWeightOperands(call.p, call.o), "null", kInvalid, "B has no data");
}

}  // namespace
}  // namespace tilewave::core
