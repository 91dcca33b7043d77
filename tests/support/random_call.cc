#include "tests/support/random_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/reference_gemm.h"
#include "core/requantise.h"
#include "engine/describe_call.h"

namespace tilewave::testing {
namespace {

constexpr std::byte kPoison{0xA5};

bool OneIn(base::Random* random, int64_t n) { return random->Between(1, n) == 1; }

}  // namespace

void RandomCall::FillInput(ElementType type, std::vector<std::byte>* storage) {
  if (type == ElementType::kF32) {
    // Magnitudes over several decades, with exact zeros and whole zero stretches.
    const auto magnitude = static_cast<float>(1 << random_->Between(0, 12));
    for (size_t i = 0; i + sizeof(float) <= storage->size(); i += sizeof(float)) {
      const float value =
          OneIn(random_, 10) ? 0.0F : (static_cast<float>(random_->Unit()) * 2 - 1) * magnitude;
      std::memcpy(storage->data() + i, &value, sizeof(value));
    }
    return;
  }
  static constexpr std::byte kExtremes[] = {std::byte{0x80}, std::byte{0x7F}, std::byte{0xFF},
                                            std::byte{0x00}};
  const bool all_extreme = OneIn(random_, 6);
  for (std::byte& byte : *storage) {
    const uint64_t bits = random_->Next();
    const bool extreme = all_extreme || (bits & 3) == 0;
    byte = extreme ? kExtremes[(bits >> 2) & 3] : static_cast<std::byte>(bits >> 56);
  }
}

ConstMatrix RandomCall::MakeInput(ElementType type, const View& shape,
                                  std::vector<std::byte>* storage) {
  const bool transposed = OneIn(random_, 2);
  const int64_t inner = transposed ? shape.rows : shape.cols;
  const int64_t outer = transposed ? shape.cols : shape.rows;
  // Gaps between elements, rows and matrices; sometimes none.
  const int64_t inner_stride = OneIn(random_, 5) ? 2 : 1;
  const int64_t outer_stride = inner * inner_stride + (OneIn(random_, 2) ? 0 : 3);
  const int64_t batch_stride = outer * outer_stride + (OneIn(random_, 2) ? 0 : 5);
  const int64_t batch = shape.broadcast ? 1 : shape.batch;
  const auto bytes = static_cast<int64_t>(ElementBytes(type));
  storage->resize(static_cast<size_t>(batch * batch_stride * bytes));
  FillInput(type, storage);
  ConstMatrix view{storage->data(), type, shape.rows, shape.cols, batch, 0, 0, batch_stride};
  view.row_stride = transposed ? inner_stride : outer_stride;
  view.col_stride = transposed ? outer_stride : inner_stride;
  // A broadcast may also be spelled as a batch with stride 0, or a row repeated by stride 0.
  if (shape.broadcast && OneIn(random_, 2)) {
    view.batch = shape.batch;
    view.batch_stride = 0;
  }
  if (!transposed && OneIn(random_, 12)) view.row_stride = 0;
  return view;
}

void RandomCall::MakeOutput(ElementType type, int64_t rows, int64_t cols, int64_t batch) {
  const bool transposed = OneIn(random_, 4);
  const int64_t inner = transposed ? rows : cols;
  const int64_t outer = transposed ? cols : rows;
  const int64_t outer_stride = inner + (OneIn(random_, 2) ? 0 : 3);
  const int64_t batch_stride = outer * outer_stride + (OneIn(random_, 2) ? 0 : 5);
  c_.resize(static_cast<size_t>(batch * batch_stride) * ElementBytes(type));
  c_reference_.resize(c_.size());
  call_.c = Matrix{c_.data(),
                   type,
                   rows,
                   cols,
                   batch,
                   transposed ? 1 : outer_stride,
                   transposed ? outer_stride : 1,
                   batch_stride};
}

ElementType RandomCall::ChooseInputType() {
  const int64_t draw = random_->Between(0, 5);
  if (draw <= 2) return ElementType::kS8;
  return draw <= 4 ? ElementType::kU8 : ElementType::kF32;
}

Parameter<int32_t> RandomCall::MakeZeros(ElementType type, int64_t count, int64_t batch,
                                         std::vector<int32_t>* storage) {
  const core::Range8 range = core::RangeOf(type);
  const int64_t draw = random_->Between(0, 5);
  if (type == ElementType::kF32 || draw <= 2) return {};
  if (draw == 3) {
    return Parameter<int32_t>::Of(static_cast<int32_t>(random_->Between(range.low, range.high)));
  }
  const bool per_matrix = draw == 5 && batch > 1;
  for (int64_t i = 0; i < count * (per_matrix ? batch : 1); ++i) {
    storage->push_back(static_cast<int32_t>(random_->Between(range.low, range.high)));
  }
  return Parameter<int32_t>::PerElement(storage->data(), per_matrix ? count : 0);
}

Parameter<float> RandomCall::MakeScales(int64_t count, int64_t batch, float largest,
                                        std::vector<float>* storage) {
  const int64_t draw = random_->Between(0, 4);
  if (draw == 0) return {};
  if (draw == 1) return Parameter<float>::Of(static_cast<float>(random_->Unit()) * largest);
  const bool per_matrix = draw == 4;
  for (int64_t i = 0; i < count * (per_matrix ? batch : 1); ++i) {
    storage->push_back((static_cast<float>(random_->Unit()) - 0.2F) * largest);
  }
  return Parameter<float>::PerElement(storage->data(), per_matrix ? count : 0);
}

void RandomCall::ChooseFloatEpilogue(int64_t batch, int64_t m, int64_t n, bool dynamic_a,
                                     bool dynamic_b) {
  Epilogue& e = call_.epilogue;
  if (!dynamic_a) e.scale_a = MakeScales(m, batch, 0.05F, &scale_a_);
  if (!dynamic_b) e.scale_b = MakeScales(n, batch, 0.05F, &scale_b_);
  e.bias_f32 = MakeScales(n, batch, 20.0F, &bias_f32_);
  e.activation = static_cast<Activation>(random_->Between(0, 3));
}

void RandomCall::ChooseIntegerEpilogue(ElementType type, int64_t batch, int64_t n) {
  static constexpr Rounding kRoundings[] = {Rounding::kFloor,          Rounding::kCeil,
                                            Rounding::kSymmetricFloor, Rounding::kSymmetricCeil,
                                            Rounding::kNegativeInf,    Rounding::kPositiveInf,
                                            Rounding::kSymmetricZero,  Rounding::kSymmetricInf,
                                            Rounding::kConvEven,       Rounding::kConvOdd};
  static constexpr Saturation kSaturations[] = {Saturation::kNone, Saturation::kSaturate,
                                                Saturation::kSymmetric};
  Epilogue& e = call_.epilogue;
  e.activation = OneIn(random_, 2) ? Activation::kRelu : Activation::kNone;
  if (type == ElementType::kS32) return;
  if (OneIn(random_, 2)) {
    e.requantisation =
        RequantShift{static_cast<int>(random_->Between(0, 16)), kRoundings[random_->Between(0, 9)],
                     kSaturations[random_->Between(0, 2)]};
    return;
  }
  Parameter<float> scale = MakeScales(n, batch, 0.002F, &requant_scale_);
  if (!scale.present) scale = Parameter<float>::Of(0.001F);
  const core::Range8 range = core::RangeOf(type);
  e.requantisation =
      RequantScale{scale, static_cast<int32_t>(random_->Between(range.low, range.high))};
}

RandomCall::RandomCall(base::Random* random, const Limits& limits) : random_(random) {
  const int64_t m = OneIn(random_, 6) ? 1 : random_->Between(1, limits.m);
  const int64_t k = OneIn(random_, 6) ? limits.least_k : random_->Between(limits.least_k, limits.k);
  const int64_t n = OneIn(random_, 6) ? 1 : random_->Between(1, limits.n);
  const int64_t batch = OneIn(random_, 3) ? random_->Between(1, limits.batch) : 1;
  const ElementType a_type = ChooseInputType();
  const ElementType b_type = ChooseInputType();
  const bool dynamic_a = a_type == ElementType::kF32;
  const bool dynamic_b = b_type == ElementType::kF32;
  call_.a = MakeInput(a_type, {m, k, batch, OneIn(random_, 3)}, &a_);
  call_.b = MakeInput(b_type, {k, n, batch, OneIn(random_, 3)}, &b_);
  call_.zero_a = MakeZeros(a_type, m, batch, &zero_a_);
  // Weights carry the zero points of their own batch, so B has one set per matrix it really has.
  call_.zero_b = MakeZeros(b_type, n, std::get<ConstMatrix>(call_.b).batch, &zero_b_);
  call_.quantise_a = static_cast<DynamicQuantisation>(random_->Between(0, 2));
  call_.quantise_b = static_cast<DynamicQuantisation>(random_->Between(0, 1));

  static constexpr ElementType kOutputs[] = {ElementType::kF32, ElementType::kBF16,
                                             ElementType::kS32, ElementType::kS8, ElementType::kU8};
  const ElementType c_type = kOutputs[random_->Between(0, dynamic_a || dynamic_b ? 1 : 4)];
  const int64_t a_batch = std::get<ConstMatrix>(call_.a).batch;
  const int64_t b_batch = std::get<ConstMatrix>(call_.b).batch;
  const int64_t c_batch = std::max(a_batch, b_batch);
  MakeOutput(c_type, m, n, c_batch);
  if (core::IsFloat(c_type)) {
    ChooseFloatEpilogue(batch, m, n, dynamic_a, dynamic_b);
  } else {
    ChooseIntegerEpilogue(c_type, batch, n);
  }
  if (OneIn(random_, 2)) {
    for (int64_t j = 0; j < n; ++j) {
      bias_s32_.push_back(static_cast<int32_t>(random_->Between(-200000, 200000)));
    }
    call_.epilogue.bias_s32 = Parameter<int32_t>::PerElement(bias_s32_.data());
  }
  Poison();
}

Result<Matmul> RandomCall::Prepacked(Engine* engine) const {
  Result<Weights> weights = engine->Prepare(std::get<ConstMatrix>(call_.b),
                                            {.zero = call_.zero_b, .quantise = call_.quantise_b});
  if (!weights.ok()) return weights.status();
  Matmul prepacked = call_;
  prepacked.b = *std::move(weights);
  prepacked.zero_b = {};
  return prepacked;
}

void RandomCall::Poison() {
  std::fill(c_.begin(), c_.end(), kPoison);
  std::fill(c_reference_.begin(), c_reference_.end(), kPoison);
}

Status RandomCall::RunReference() {
  Matmul twin = call_;
  auto& c = std::get<Matrix>(twin.c);
  c.data = c_reference_.data();
  core::Problem problem;
  core::Operands operands;
  const Weights* weights = nullptr;
  if (Status s = engine::DescribeCall(twin, &problem, &operands, &weights); !s.ok()) return s;
  return core::ReferenceGemm(problem, operands);
}

std::string RandomCall::Difference() const {
  const auto differs = std::mismatch(c_.begin(), c_.end(), c_reference_.begin());
  if (differs.first == c_.end()) return "";
  const auto& c = std::get<Matrix>(call_.c);
  const auto byte = differs.first - c_.begin();
  return fmt::format("byte {} of C's memory (element {}): got {:#04x}, reference {:#04x}", byte,
                     byte / static_cast<int64_t>(ElementBytes(c.type)),
                     std::to_integer<int>(*differs.first), std::to_integer<int>(*differs.second));
}

std::string RandomCall::Describe() const {
  const auto text = [](const auto& m) {
    return fmt::format("{}x{}x{} {} strides ({}, {}, {})", m.batch, m.rows, m.cols, Name(m.type),
                       m.batch_stride, m.row_stride, m.col_stride);
  };
  return fmt::format("A {}; B {}; C {}; zero_a {} zero_b {} activation {} requantisation {}",
                     text(std::get<ConstMatrix>(call_.a)), text(std::get<ConstMatrix>(call_.b)),
                     text(std::get<Matrix>(call_.c)), call_.zero_a.present, call_.zero_b.present,
                     Name(call_.epilogue.activation), call_.epilogue.requantisation.index());
}

}  // namespace tilewave::testing
