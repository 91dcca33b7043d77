#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

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

/// A call with its size filled in and nothing else.
tw_matmul EmptyCall() {
  tw_matmul call = {};
  call.struct_size = sizeof(call);
  return call;
}

/// A call that works: 1x2 by 2x1.
struct CCall {
  uint8_t a[2] = {10, 20};
  int8_t b[2] = {3, 4};
  int32_t c[1] = {-1};
  tw_matmul call = EmptyCall();

  CCall() {
    call.a = {a, TW_U8, 1, 2, 1, 2, 1, 0};
    call.b = {b, TW_S8, 2, 1, 1, 1, 1, 0};
    call.c = {c, TW_S32, 1, 1, 1, 1, 1, 0};
  }
};

bool LastErrorSays(const std::string& part) {
  return std::string(tw_last_error()).find(part) != std::string::npos;
}

TEST(CApiTest, EnginesAreRefusedWithASentence) {
  tw_engine* engine = nullptr;
  tw_engine_options options = {};
  EXPECT_EQ(tw_engine_create(&options, &engine), TW_INVALID_ARGUMENT);
  EXPECT_TRUE(LastErrorSays("struct_size"));
  options.struct_size = sizeof(options);
  options.device = "gpu";
  EXPECT_EQ(tw_engine_create(&options, &engine), TW_NOT_FOUND);
  EXPECT_EQ(engine, nullptr);
  EXPECT_TRUE(LastErrorSays("no device 'gpu'"));
  options.device = nullptr;
  options.cpu_kernel = "none";
  EXPECT_EQ(tw_engine_create(&options, &engine), TW_NOT_FOUND);
  options.cpu_kernel = nullptr;
  options.threads = -7;
  EXPECT_EQ(tw_engine_create(&options, &engine), TW_INVALID_ARGUMENT);
  EXPECT_TRUE(LastErrorSays("threads is -7"));
  EXPECT_EQ(tw_engine_create(nullptr, nullptr), TW_INVALID_ARGUMENT);
  tw_engine_destroy(nullptr);
}

TEST(CApiTest, ProductsRunOnTheProgramsThreads) {
  int64_t calls = 0;
  tw_engine_options options = {};
  options.struct_size = sizeof(options);
  options.device = "host";
  options.parallel_for = [](void* user, int64_t tasks, tw_task task, void* context) {
    ++*static_cast<int64_t*>(user);
    for (int64_t i = 0; i < tasks; ++i) task(context, i);
  };
  options.parallel_for_user = &calls;
  tw_engine* engine = nullptr;
  EXPECT_EQ(tw_engine_create(&options, &engine), TW_INVALID_ARGUMENT);
  EXPECT_TRUE(LastErrorSays("the executor has 0 threads"));
  options.parallel_for_threads = 3;
  ASSERT_EQ(tw_engine_create(&options, &engine), TW_OK) << tw_last_error();
  constexpr int64_t kN = 300;
  std::vector<int8_t> a(kN * kN, 3);
  std::vector<int32_t> c(kN * kN, -1);
  tw_matmul call = {};
  call.struct_size = sizeof(call);
  call.a = {a.data(), TW_S8, kN, kN, 1, kN, 1, 0};
  call.b = call.a;
  call.c = {c.data(), TW_S32, kN, kN, 1, kN, 1, 0};
  EXPECT_EQ(tw_run(engine, &call), TW_OK) << tw_last_error();
  EXPECT_EQ(c, std::vector<int32_t>(c.size(), 9 * kN));
  EXPECT_GT(calls, 0);
  tw_engine_destroy(engine);
}

TEST(CApiTest, CallsAreRefusedWithASentence) {
  tw_engine* engine = nullptr;
  ASSERT_EQ(tw_engine_create(nullptr, &engine), TW_OK);
  CCall t;
  EXPECT_EQ(tw_run(nullptr, &t.call), TW_INVALID_ARGUMENT);
  EXPECT_EQ(tw_run(engine, nullptr), TW_INVALID_ARGUMENT);
  ASSERT_EQ(tw_run(engine, &t.call), TW_OK) << tw_last_error();
  EXPECT_EQ(t.c[0], 110);
  const auto refusal = [&](auto spoil) {
    CCall spoiled;
    spoil(&spoiled.call);
    const tw_status status = tw_run(engine, &spoiled.call);
    EXPECT_EQ(spoiled.c[0], -1);
    return status == TW_OK ? std::string("accepted") : std::string(tw_last_error());
  };
  EXPECT_NE(refusal([](tw_matmul* c) { c->a.type = 99; }).find("element type of A"),
            std::string::npos);
  EXPECT_NE(refusal([](tw_matmul* c) { c->c.type = -3; }).find("element type of C"),
            std::string::npos);
  EXPECT_NE(refusal([](tw_matmul* c) { c->activation = -1; }).find("activation"),
            std::string::npos);
  EXPECT_NE(refusal([](tw_matmul* c) { c->quantise_a = 300; }).find("quantisation of A"),
            std::string::npos);
  EXPECT_NE(refusal([](tw_matmul* c) { c->requantisation = 3; }).find("requantisation"),
            std::string::npos);
  EXPECT_NE(refusal([](tw_matmul* c) { c->zero_a.stride = 1; }).find("pointer is null"),
            std::string::npos);
  EXPECT_NE(refusal([](tw_matmul* c) { c->accumulate = 1; }).find("accumulating"),
            std::string::npos);
  EXPECT_NE(refusal([](tw_matmul* c) { c->time_limit_ns = -1; }).find("time limit"),
            std::string::npos);
  EXPECT_NE(refusal([](tw_matmul* c) { c->struct_size += 8; }).find("struct_size"),
            std::string::npos);
  EXPECT_NE(refusal([](tw_matmul* c) { c->struct_size = 0; }).find("struct_size"),
            std::string::npos);
  tw_engine_destroy(engine);
}

TEST(CApiTest, AnOlderAndShorterStructStillWorks) {
  tw_engine* engine = nullptr;
  ASSERT_EQ(tw_engine_create(nullptr, &engine), TW_OK);
  CCall t;
  t.call.struct_size = offsetof(tw_matmul, requant_zero);
  t.call.accumulate = 1;  // Beyond the size that the caller claims: not read.
  EXPECT_EQ(tw_run(engine, &t.call), TW_OK) << tw_last_error();
  EXPECT_EQ(t.c[0], 110);
  tw_engine_destroy(engine);
}

TEST(CApiTest, WeightsTakeTheirOptions) {
  tw_engine* engine = nullptr;
  ASSERT_EQ(tw_engine_create(nullptr, &engine), TW_OK);
  CCall t;
  tw_weights* weights = nullptr;
  EXPECT_EQ(tw_weights_prepare(engine, nullptr, nullptr, &weights), TW_INVALID_ARGUMENT);
  EXPECT_EQ(tw_weights_prepare(engine, &t.call.b, nullptr, nullptr), TW_INVALID_ARGUMENT);
  const int32_t zero[1] = {1};
  tw_weights_options options = {};
  options.struct_size = sizeof(options);
  options.zero = {zero, 0, 0};
  options.quantise = 9;
  EXPECT_EQ(tw_weights_prepare(engine, &t.call.b, &options, &weights), TW_INVALID_ARGUMENT);
  options.quantise = TW_PER_TENSOR;
  ASSERT_EQ(tw_weights_prepare(engine, &t.call.b, &options, &weights), TW_OK);
  t.call.weights = weights;
  ASSERT_EQ(tw_run(engine, &t.call), TW_OK) << tw_last_error();
  EXPECT_EQ(t.c[0], 10 * 2 + 20 * 3);
  tw_weights_destroy(weights);
  tw_weights_destroy(nullptr);
  tw_engine_destroy(engine);
}

TEST(CApiTest, EveryParameterArrives) {
  tw_engine* engine = nullptr;
  ASSERT_EQ(tw_engine_create(nullptr, &engine), TW_OK);
  uint8_t a[2] = {10, 20};
  int8_t b[2] = {3, 4};
  uint8_t c[1] = {0};
  const int32_t zero_a[1] = {5};
  const int32_t zero_b[1] = {1};
  const int32_t bias[1] = {-11};
  const float scale[1] = {0.5F};
  tw_matmul call = EmptyCall();
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
  call.rounding = TW_FLOOR;
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

// What a zero-initialised struct says is what C++ calls the default.
TEST(CApiTest, RequantisationRoundsAndSaturatesAsAsked) {
  tw_engine* engine = nullptr;
  ASSERT_EQ(tw_engine_create(nullptr, &engine), TW_OK);
  const int8_t a[4] = {100, -20, 1, 3};
  const int8_t b[1] = {10};
  int8_t c[4] = {};
  tw_matmul call = EmptyCall();
  call.a = {const_cast<int8_t*>(a), TW_S8, 4, 1, 1, 0, 0, 0};
  call.b = {const_cast<int8_t*>(b), TW_S8, 1, 1, 1, 0, 0, 0};
  call.c = {c, TW_S8, 4, 1, 1, 0, 0, 0};
  call.requantisation = TW_REQUANT_SHIFT;
  call.shift = 2;
  struct Mode {
    int32_t rounding;
    int32_t saturation;
    std::vector<int8_t> expected;
  };
  // 1000, -200, 10 and 30 over 4: 250, -50, 2.5, 7.5.
  const Mode modes[] = {{0, 0, {127, -50, 2, 8}},
                        {TW_CONV_EVEN, TW_SATURATE, {127, -50, 2, 8}},
                        {TW_FLOOR, TW_WRAP, {-6, -50, 2, 7}},
                        {TW_CEIL, TW_WRAP, {-6, -50, 3, 8}},
                        {TW_CONV_ODD, TW_SYMMETRIC, {127, -50, 3, 7}},
                        {TW_SYMMETRIC_INF, 0, {127, -50, 3, 8}},
                        {TW_SYMMETRIC_ZERO, 0, {127, -50, 2, 7}}};
  for (const Mode& mode : modes) {
    call.rounding = mode.rounding;
    call.saturation = mode.saturation;
    ASSERT_EQ(tw_run(engine, &call), TW_OK) << tw_last_error();
    EXPECT_EQ(std::vector<int8_t>(c, c + 4), mode.expected)
        << mode.rounding << ' ' << mode.saturation;
  }
  for (const auto& [rounding, saturation] : {std::pair{5, 0},
                                             {-1, 0},
                                             {15, 0},
                                             {0, 3},
                                             {0, -1},
                                             {0, 5},
                                             {256, 0},
                                             {INT32_MIN, INT32_MIN}}) {
    call.rounding = rounding;
    call.saturation = saturation;
    EXPECT_EQ(tw_run(engine, &call), TW_INVALID_ARGUMENT) << rounding << ' ' << saturation;
  }
  tw_engine_destroy(engine);
}

TEST(CApiTest, StatsSayWhereACallRan) {
  CCall t;
  tw_stats stats = {};
  t.call.stats = &stats;
  tw_engine_options options = {};
  options.struct_size = sizeof(options);
  for (const char* device : {"host", "vnpu:phoenix"}) {
    options.device = device;
    tw_engine* engine = nullptr;
    ASSERT_EQ(tw_engine_create(&options, &engine), TW_OK) << tw_last_error();
    stats.struct_size = 0;
    EXPECT_EQ(tw_run(engine, &t.call), TW_INVALID_ARGUMENT);
    stats.struct_size = sizeof(stats);
    ASSERT_EQ(tw_run(engine, &t.call), TW_OK) << tw_last_error();
    EXPECT_STREQ(stats.device, device);
    EXPECT_STREQ(stats.reason, "requested");
    EXPECT_GT(std::string(stats.kernel).size(), 5U);
    EXPECT_STREQ(stats.failure, "");
    EXPECT_EQ(stats.time_kind, options.device[0] == 'h' ? TW_MEASURED : TW_SIMULATED);
    EXPECT_EQ(stats.launches, 1);
    EXPECT_EQ(stats.macs, 2);
    EXPECT_GT(stats.total_us, 0);
    EXPECT_GT(stats.launch_us + stats.wait_us, 0);
    // An older program's struct ends earlier.
    stats.struct_size = offsetof(tw_stats, launches);
    stats.launches = -7;
    ASSERT_EQ(tw_run(engine, &t.call), TW_OK) << tw_last_error();
    EXPECT_STREQ(stats.device, device);
    EXPECT_EQ(stats.launches, -7);
    tw_engine_destroy(engine);
  }
}

TEST(CApiTest, RetriesAreChecked) {
  tw_engine_options options = {};
  options.struct_size = sizeof(options);
  tw_engine* engine = nullptr;
  for (const int32_t retries : {-2, 101}) {
    options.retries = retries;
    EXPECT_EQ(tw_engine_create(&options, &engine), TW_INVALID_ARGUMENT);
    EXPECT_NE(std::string(tw_last_error()).find("retries is"), std::string::npos);
  }
  for (const int32_t retries : {-1, 0, 100}) {
    options.retries = retries;
    options.no_host_fallback = 1;
    ASSERT_EQ(tw_engine_create(&options, &engine), TW_OK) << tw_last_error();
    tw_engine_destroy(engine);
  }
}

// A struct whose strides nobody has set is dense, weights and batches too.
TEST(CApiTest, WithoutStridesMatricesAreDense) {
  tw_engine* engine = nullptr;
  ASSERT_EQ(tw_engine_create(nullptr, &engine), TW_OK);
  int8_t a[12] = {1, 2, 3, 4, 5, 6, 1, 0, 0, 0, 0, 1};
  int8_t b[6] = {7, 8, 9, 10, 11, 12};
  int32_t c[8] = {};
  tw_matmul call = EmptyCall();
  call.a = {a, TW_S8, 2, 3, 2, 0, 0, 0};
  call.b = {b, TW_S8, 3, 2, 0, 0, 0, 0};
  call.c = {c, TW_S32, 2, 2, 2, 0, 0, 0};
  const std::vector<int32_t> expected = {58, 64, 139, 154, 7, 8, 11, 12};
  ASSERT_EQ(tw_run(engine, &call), TW_OK) << tw_last_error();
  EXPECT_EQ(std::vector<int32_t>(c, c + 8), expected);
  tw_weights* weights = nullptr;
  ASSERT_EQ(tw_weights_prepare(engine, &call.b, nullptr, &weights), TW_OK) << tw_last_error();
  call.weights = weights;
  std::fill_n(c, 8, 0);
  ASSERT_EQ(tw_run(engine, &call), TW_OK) << tw_last_error();
  EXPECT_EQ(std::vector<int32_t>(c, c + 8), expected);
  tw_weights_destroy(weights);
  tw_engine_destroy(engine);
}

TEST(CApiTest, EnumValuesMatchTheCppOnes) {
  EXPECT_EQ(TW_CONV_EVEN, static_cast<int>(Rounding::kConvEven) + 1);
  EXPECT_EQ(TW_CONV_ODD, static_cast<int>(Rounding::kConvOdd) + 1);
  EXPECT_EQ(TW_POSITIVE_INF, static_cast<int>(Rounding::kPositiveInf) + 1);
  EXPECT_EQ(TW_SYMMETRIC_CEIL, static_cast<int>(Rounding::kSymmetricCeil) + 1);
  EXPECT_EQ(TW_SYMMETRIC, static_cast<int>(Saturation::kSymmetric) + 1);
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
