#include "core/problem.h"

#include <gtest/gtest.h>

#include <limits>

#include <functional>
#include <set>
#include <string_view>
#include <vector>

#include "tilewave/device_info.h"

namespace tilewave::core {
namespace {

using Mutator = std::function<void(Problem*)>;

std::vector<Mutator> Mutators() {
  return {
      [](Problem* p) { p->batch = 2; },
      [](Problem* p) { p->m = 2; },
      [](Problem* p) { p->k = 2; },
      [](Problem* p) { p->n = 2; },
      [](Problem* p) { p->a_type = ElementType::kU8; },
      [](Problem* p) { p->b_type = ElementType::kU8; },
      [](Problem* p) { p->c_type = ElementType::kF32; },
      [](Problem* p) { p->a.row = 2; },
      [](Problem* p) { p->a.col = 2; },
      [](Problem* p) { p->a.batch = 2; },
      [](Problem* p) { p->b.row = 2; },
      [](Problem* p) { p->b.col = 2; },
      [](Problem* p) { p->b.batch = 2; },
      [](Problem* p) { p->c.row = 2; },
      [](Problem* p) { p->c.col = 2; },
      [](Problem* p) { p->c.batch = 2; },
      [](Problem* p) { p->quantise_a = Quantise::kPerTensor; },
      [](Problem* p) { p->quantise_b = Quantise::kPerTensor; },
      [](Problem* p) { p->zero_a = ParameterForm::kOne; },
      [](Problem* p) { p->zero_b = ParameterForm::kOne; },
      [](Problem* p) { p->scale_a = ParameterForm::kOne; },
      [](Problem* p) { p->scale_b = ParameterForm::kOne; },
      [](Problem* p) { p->bias_s32 = ParameterForm::kOne; },
      [](Problem* p) { p->bias_f32 = ParameterForm::kOne; },
      [](Problem* p) { p->activation = Activation::kRelu; },
      [](Problem* p) { p->requant = RequantKind::kShift; },
      [](Problem* p) { p->shift.shift = 2; },
      [](Problem* p) { p->shift.rounding = Rounding::kFloor; },
      [](Problem* p) { p->shift.saturation = Saturation::kNone; },
      [](Problem* p) { p->requant_scale = ParameterForm::kOne; },
      [](Problem* p) { p->requant_zero = 2; },
      [](Problem* p) { p->b_prepacked = true; },
      [](Problem* p) { p->accumulate = true; },
      [](Problem* p) { p->a_device_bytes = 2; },
      [](Problem* p) { p->c_on_device = true; },
  };
}

TEST(ProblemTest, EqualityAndHashReactToEveryField) {
  // A field added to Problem breaks this line; then it needs a mutator above.
  [[maybe_unused]] const auto& [batch, m, k, n, a_type, b_type, c_type, a, b, c, quantise_a,
                                quantise_b, zero_a, zero_b, scale_a, scale_b, bias_s32, bias_f32,
                                activation, requant, shift, requant_scale, requant_zero,
                                b_prepacked, accumulate, a_device_bytes, c_on_device] = Problem{};
  const Problem base;
  const std::vector<Mutator> mutators = Mutators();
  std::vector<Problem> problems = {base};
  for (const Mutator& mutate : mutators) {
    Problem changed = base;
    mutate(&changed);
    problems.push_back(changed);
  }
  std::set<size_t> hashes;
  for (size_t i = 0; i < problems.size(); ++i) {
    hashes.insert(HashOf(KeyOf(problems[i])));
    for (size_t j = 0; j < problems.size(); ++j) {
      EXPECT_EQ(problems[i] == problems[j], i == j) << "mutators " << i << " and " << j;
    }
  }
  EXPECT_EQ(hashes.size(), problems.size());
}

TEST(ProblemTest, EqualProblemsHaveEqualHashes) {
  for (const Mutator& mutate : Mutators()) {
    Problem x;
    Problem y;
    mutate(&x);
    mutate(&y);
    EXPECT_EQ(x, y);
    EXPECT_EQ(HashOf(KeyOf(x)), HashOf(KeyOf(y)));
  }
}

TEST(ProblemTest, ExchangedExtentsHashDifferently) {
  Problem x;
  x.m = 64;
  x.n = 128;
  Problem y;
  y.m = 128;
  y.n = 64;
  EXPECT_NE(x, y);
  EXPECT_NE(HashOf(KeyOf(x)), HashOf(KeyOf(y)));
}

TEST(ProblemTest, MultipliedTypes) {
  EXPECT_EQ(MultipliedType(ElementType::kS8, Quantise::kNone), ElementType::kS8);
  EXPECT_EQ(MultipliedType(ElementType::kU8, Quantise::kNone), ElementType::kU8);
  EXPECT_EQ(MultipliedType(ElementType::kF32, Quantise::kPerVector), ElementType::kS8);
  EXPECT_EQ(MultipliedType(ElementType::kF32, Quantise::kPerTensor), ElementType::kS8);
  EXPECT_EQ(MultipliedType(ElementType::kF32, Quantise::kAsymmetricPerTensor), ElementType::kU8);
  Problem p;
  p.a_type = ElementType::kU8;
  EXPECT_EQ(MultipliedA(p), ElementType::kU8);
  EXPECT_EQ(MultipliedB(p), ElementType::kS8);
}

TEST(ProblemTest, FormsOfParameters) {
  const float data[2] = {1, 2};
  EXPECT_EQ(FormOf(Parameter<float>{}), ParameterForm::kAbsent);
  EXPECT_EQ(FormOf(Parameter<float>::Of(2)), ParameterForm::kOne);
  EXPECT_EQ(FormOf(Parameter<float>::PerElement(data)), ParameterForm::kVector);
  EXPECT_EQ(FormOf(Parameter<float>{true, 0, data, 0, 0}), ParameterForm::kOne);
  EXPECT_EQ(FormOf(Parameter<float>{true, 0, data, 0, 1}), ParameterForm::kVector);
}

TEST(ProblemTest, ParameterElements) {
  const int32_t data[] = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(Parameter<int32_t>{}.At(3, 4), 0);
  EXPECT_EQ(Parameter<int32_t>::Of(7).At(3, 4), 7);
  EXPECT_EQ(Parameter<int32_t>::PerElement(data).At(1, 2), 3);
  EXPECT_EQ(Parameter<int32_t>::PerElement(data, 3).At(1, 2), 6);
  const Parameter<int32_t> every_second{true, 0, data, 2, 1};
  EXPECT_EQ(every_second.At(1, 2), 6);
}

TEST(MaxKTest, KnownBounds) {
  constexpr ElementType kS8 = ElementType::kS8;
  constexpr ElementType kU8 = ElementType::kU8;
  for (const bool zero : {false, true}) {
    EXPECT_EQ(MaxK(kS8, kS8, zero, zero), zero ? 33025 : 131071);
    EXPECT_EQ(MaxK(kS8, kS8, zero, !zero), 65793);
    EXPECT_EQ(MaxK(kU8, kS8, zero, false), 65793);
    EXPECT_EQ(MaxK(kU8, kS8, zero, true), 33025);
    EXPECT_EQ(MaxK(kS8, kU8, false, zero), 65793);
    EXPECT_EQ(MaxK(kS8, kU8, true, zero), 33025);
    EXPECT_EQ(MaxK(kU8, kU8, zero, !zero), 33025);
    EXPECT_EQ(MaxK(kU8, kU8, zero, zero), 33025);
  }
}

TEST(NamesTest, AreTheDocumentedOnes) {
  EXPECT_EQ(Name(ElementType::kS8), "s8");
  EXPECT_EQ(Name(ElementType::kU8), "u8");
  EXPECT_EQ(Name(ElementType::kS16), "s16");
  EXPECT_EQ(Name(ElementType::kS32), "s32");
  EXPECT_EQ(Name(ElementType::kF32), "f32");
  EXPECT_EQ(Name(ElementType::kBF16), "bf16");
  EXPECT_EQ(Name(Activation::kNone), "none");
  EXPECT_EQ(Name(Activation::kRelu), "relu");
  EXPECT_EQ(Name(Activation::kGelu), "gelu");
  EXPECT_EQ(Name(Activation::kSilu), "silu");
  EXPECT_EQ(Name(DeviceKind::kHost), "host");
  EXPECT_EQ(Name(DeviceKind::kVnpu), "vnpu");
  EXPECT_EQ(Name(DeviceKind::kXrt), "xrt");
  EXPECT_EQ(Name(TimeKind::kMeasured), "measured");
  EXPECT_EQ(Name(TimeKind::kSimulated), "simulated");
  EXPECT_EQ(Name(TimeKind::kPredicted), "predicted");
}

TEST(NamesTest, ModesHaveNamesAndOtherValuesHaveNone) {
  const std::vector<std::string_view> roundings = {"floor",
                                                   "ceil",
                                                   "symmetric_floor",
                                                   "symmetric_ceil",
                                                   "",
                                                   "",
                                                   "",
                                                   "",
                                                   "negative_inf",
                                                   "positive_inf",
                                                   "symmetric_zero",
                                                   "symmetric_inf",
                                                   "conv_even",
                                                   "conv_odd",
                                                   ""};
  for (size_t value = 0; value < roundings.size(); ++value) {
    EXPECT_EQ(Name(static_cast<Rounding>(value)), roundings[value]) << value;
  }
  const std::vector<std::string_view> saturations = {"none", "saturate", "", "symmetric", ""};
  for (size_t value = 0; value < saturations.size(); ++value) {
    EXPECT_EQ(Name(static_cast<Saturation>(value)), saturations[value]) << value;
  }
}

TEST(ElementBytesTest, MatchTheStorage) {
  EXPECT_EQ(ElementBytes(ElementTypeOf<int8_t>()), sizeof(int8_t));
  EXPECT_EQ(ElementBytes(ElementTypeOf<const uint8_t>()), sizeof(uint8_t));
  EXPECT_EQ(ElementBytes(ElementTypeOf<int16_t>()), sizeof(int16_t));
  EXPECT_EQ(ElementBytes(ElementTypeOf<int32_t>()), sizeof(int32_t));
  EXPECT_EQ(ElementBytes(ElementTypeOf<const float>()), sizeof(float));
  EXPECT_EQ(ElementBytes(ElementTypeOf<BFloat16>()), sizeof(BFloat16));
}

TEST(ProblemTest, MacsAreTheProductOfTheExtents) {
  Problem p;
  p.batch = 3;
  p.m = 5;
  p.k = 7;
  p.n = 11;
  EXPECT_EQ(MacsOf(p), 3 * 5 * 7 * 11);
  p.m = p.n = int64_t{1} << 30;
  EXPECT_EQ(MacsOf(p), std::numeric_limits<int64_t>::max());
}

}  // namespace
}  // namespace tilewave::core
