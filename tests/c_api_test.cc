#include <gtest/gtest.h>

#include <string>

#include "tilewave/c.h"
#include "tilewave/engine.h"

extern "C" int MultiplyInC(int32_t c[4]);

namespace tilewave {
namespace {

TEST(CApiTest, ACProgramMultiplies) {
  int32_t c[4] = {};
  ASSERT_EQ(MultiplyInC(c), TW_OK);
  EXPECT_EQ(c[0], 14);
  EXPECT_EQ(c[1], -14);
  EXPECT_EQ(c[2], 32);
  EXPECT_EQ(c[3], -32);
}

TEST(CApiTest, ErrorsCarryTheSentence) {
  tw_engine* engine = nullptr;
  EXPECT_EQ(tw_engine_create("gpu", &engine), TW_NOT_FOUND);
  EXPECT_EQ(engine, nullptr);
  EXPECT_NE(std::string(tw_last_error()).find("no device 'gpu'"), std::string::npos);
  EXPECT_EQ(tw_engine_create(nullptr, nullptr), TW_INVALID_ARGUMENT);

  ASSERT_EQ(tw_engine_create(nullptr, &engine), TW_OK);
  EXPECT_EQ(tw_run(engine, nullptr), TW_INVALID_ARGUMENT);
  tw_matmul call = {};
  EXPECT_EQ(tw_run(engine, &call), TW_INVALID_ARGUMENT);
  call.a.type = 99;
  EXPECT_EQ(tw_run(engine, &call), TW_INVALID_ARGUMENT);
  EXPECT_NE(std::string(tw_last_error()).find("tw_type"), std::string::npos);
  call = {};
  call.activation = -1;
  EXPECT_EQ(tw_run(engine, &call), TW_INVALID_ARGUMENT);
  EXPECT_NE(std::string(tw_last_error()).find("tw_activation"), std::string::npos);
  call = {};
  call.rounding = 1000;
  EXPECT_EQ(tw_run(engine, &call), TW_INVALID_ARGUMENT);
  tw_weights* weights = nullptr;
  EXPECT_EQ(tw_weights_prepare(engine, nullptr, nullptr, &weights), TW_INVALID_ARGUMENT);
  tw_weights_destroy(nullptr);
  tw_engine_destroy(engine);
  tw_engine_destroy(nullptr);
}

TEST(CApiTest, EveryParameterArrives) {
  tw_engine* engine = nullptr;
  ASSERT_EQ(tw_engine_create("host", &engine), TW_OK);
  uint8_t a[2] = {10, 20};
  int8_t b[2] = {3, 4};
  uint8_t c[1] = {0};
  const int32_t zero_a[1] = {5};
  const int32_t zero_b[1] = {1};
  const int32_t bias[1] = {-11};
  const float scale[1] = {0.5F};
  tw_matmul call = {};
  call.a = {a, TW_U8, 1, 2, 1, 2, 1, 0};
  call.b = {b, TW_S8, 2, 1, 1, 1, 1, 0};
  call.c = {c, TW_U8, 1, 1, 1, 1, 1, 0};
  call.zero_a = {zero_a, 0, 0};
  call.zero_b = {zero_b, 0, 0};
  call.bias_s32 = {bias, 1, 0};
  call.requantisation = TW_REQUANT_SCALE;
  call.requant_scale = {scale, 1, 0};
  call.requant_zero = 7;
  // (10-5)*(3-1) + (20-5)*(4-1) - 11 = 44; 44 * 0.5 + 7 = 29.
  ASSERT_EQ(tw_run(engine, &call), TW_OK) << tw_last_error();
  EXPECT_EQ(c[0], 29);
  call.requantisation = TW_REQUANT_SHIFT;
  call.requant_scale = {};
  call.shift = 3;
  call.rounding = static_cast<int>(Rounding::kFloor);
  call.saturation = static_cast<int>(Saturation::kSaturate);
  ASSERT_EQ(tw_run(engine, &call), TW_OK) << tw_last_error();
  EXPECT_EQ(c[0], 5);  // floor(44 / 8)

  float f[1] = {0};
  call.c = {f, TW_F32, 1, 1, 1, 1, 1, 0};
  call.requantisation = TW_NO_REQUANTISATION;
  call.scale_a = {scale, 1, 0};
  call.scale_b = {scale, 0, 0};
  call.bias_f32 = {scale, 1, 0};
  call.activation = TW_RELU;
  ASSERT_EQ(tw_run(engine, &call), TW_OK) << tw_last_error();
  EXPECT_EQ(f[0], 11.5F);  // 44 * 0.25 + 0.5
  tw_engine_destroy(engine);
}

TEST(CApiTest, EnumValuesMatchTheCppOnes) {
  EXPECT_EQ(TW_S8, static_cast<int>(ElementType::kS8));
  EXPECT_EQ(TW_U8, static_cast<int>(ElementType::kU8));
  EXPECT_EQ(TW_S16, static_cast<int>(ElementType::kS16));
  EXPECT_EQ(TW_S32, static_cast<int>(ElementType::kS32));
  EXPECT_EQ(TW_F32, static_cast<int>(ElementType::kF32));
  EXPECT_EQ(TW_BF16, static_cast<int>(ElementType::kBF16));
  EXPECT_EQ(TW_SILU, static_cast<int>(Activation::kSilu));
  EXPECT_EQ(TW_GELU, static_cast<int>(Activation::kGelu));
  EXPECT_EQ(tw_version(), Version());
}

}  // namespace
}  // namespace tilewave
