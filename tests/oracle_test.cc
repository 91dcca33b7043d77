// A second opinion that shares nothing with the library but the public types: reads the user's
// views itself, sums in 64 bits and repeats the documented formulas. The reference, which the other
// tests compare with, sees a call only after the engine has described it; this one sees it before.

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <variant>

#include "base/random.h"
#include "tests/support/random_call.h"
#include "tilewave/engine.h"

namespace tilewave {
namespace {

/// Element (batch, i, j) of an 8-bit view.
int64_t At(const ConstMatrix& m, int64_t batch, int64_t i, int64_t j) {
  const int64_t index =
      (m.batch == 1 ? 0 : batch * m.batch_stride) + i * m.row_stride + j * m.col_stride;
  return m.type == ElementType::kU8 ? int64_t{static_cast<const uint8_t*>(m.data)[index]}
                                    : int64_t{static_cast<const int8_t*>(m.data)[index]};
}

int64_t Accumulate(const Matmul& call, int64_t batch, int64_t i, int64_t j) {
  const auto& a = std::get<ConstMatrix>(call.a);
  const auto& b = std::get<ConstMatrix>(call.b);
  const int64_t zero_a = call.zero_a.present ? call.zero_a.At(batch, i) : 0;
  const int64_t zero_b = call.zero_b.present ? call.zero_b.At(batch, j) : 0;
  int64_t sum = 0;
  for (int64_t k = 0; k < a.cols; ++k) {
    sum += (At(a, batch, i, k) - zero_a) * (At(b, batch, k, j) - zero_b);
  }
  if (call.epilogue.bias_s32.present) sum += call.epilogue.bias_s32.At(batch, j);
  return sum;
}

/// What C should hold, as its bits; nothing for outputs that this oracle does not cover.
bool Expected(const Matmul& call, int64_t batch, int64_t i, int64_t j, uint32_t* bits) {
  const Epilogue& e = call.epilogue;
  const ElementType type = std::get<Matrix>(call.c).type;
  const int64_t acc = Accumulate(call, batch, i, j);
  if (type == ElementType::kF32 && e.activation <= Activation::kRelu) {
    float value = static_cast<float>(acc);
    if (e.scale_a.present && e.scale_b.present) {
      const float scale = e.scale_a.At(batch, i) * e.scale_b.At(batch, j);
      value *= scale;
    } else if (e.scale_a.present || e.scale_b.present) {
      value *= e.scale_a.present ? e.scale_a.At(batch, i) : e.scale_b.At(batch, j);
    }
    if (e.bias_f32.present) value += e.bias_f32.At(batch, j);
    if (e.activation == Activation::kRelu && value < 0) value = 0;
    std::memcpy(bits, &value, sizeof(value));
    return true;
  }
  const int64_t rectified = e.activation == Activation::kRelu && acc < 0 ? 0 : acc;
  if (type == ElementType::kS32) {
    *bits = static_cast<uint32_t>(rectified);
    return true;
  }
  if (const auto* scale = std::get_if<RequantScale>(&e.requantisation)) {
    const int64_t low = type == ElementType::kU8 ? 0 : -128;
    const float scaled = static_cast<float>(rectified) * scale->scale.At(batch, j);
    const double rounded = std::nearbyint(static_cast<double>(scaled)) + scale->zero_point;
    const double clamped =
        std::fmin(std::fmax(rounded, static_cast<double>(low)), static_cast<double>(low + 255));
    *bits = static_cast<uint32_t>(static_cast<int64_t>(clamped)) & 0xFF;
    return true;
  }
  return false;
}

uint32_t BitsOf(const Matrix& c, int64_t batch, int64_t i, int64_t j) {
  const int64_t index = batch * c.batch_stride + i * c.row_stride + j * c.col_stride;
  uint32_t bits = 0;
  const size_t bytes = ElementBytes(c.type);
  std::memcpy(&bits, static_cast<const std::byte*>(c.data) + static_cast<size_t>(index) * bytes,
              bytes);
  return bits;
}

TEST(OracleTest, EveryElementIsWhatTheUsersViewsSay) {
  Result<Engine> engine = Engine::Create();
  ASSERT_TRUE(engine.ok());
  base::Random random(77);
  int64_t compared = 0;
  for (int n = 0; n < 500; ++n) {
    testing::RandomCall random_call(&random, {.m = 24, .k = 60, .n = 24});
    const Matmul& call = random_call.call();
    if (std::get<ConstMatrix>(call.a).type == ElementType::kF32 ||
        std::get<ConstMatrix>(call.b).type == ElementType::kF32) {
      continue;
    }
    ASSERT_TRUE(engine->Run(call).ok());
    const auto& c = std::get<Matrix>(call.c);
    for (int64_t index = 0; index < c.batch * c.rows * c.cols; ++index) {
      const int64_t batch = index / (c.rows * c.cols);
      const int64_t i = index / c.cols % c.rows;
      const int64_t j = index % c.cols;
      uint32_t expected = 0;
      if (!Expected(call, batch, i, j, &expected)) break;
      ASSERT_EQ(BitsOf(c, batch, i, j), expected)
          << "C[" << batch << ", " << i << ", " << j << "] of " << random_call.Describe();
      ++compared;
    }
  }
  EXPECT_GT(compared, 20000);
}

}  // namespace
}  // namespace tilewave
