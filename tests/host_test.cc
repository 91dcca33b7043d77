// The host device in all its ways through a product, with every kernel.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/host_calls.h"
#include "tests/support/kernel_names.h"
#include "tests/support/numbers.h"
#include "tilewave/engine.h"

namespace tilewave {
namespace {

using testing::HostEngineWith;
using testing::kAmpleL3Bytes;
using testing::KernelNames;
using testing::kTinyL3Bytes;
using testing::RandomCall;
using testing::RunRandomCalls;
using testing::TinyCaches;

class HostTest : public ::testing::TestWithParam<const char*> {};

TEST_P(HostTest, ManyBlocksOfEverything) {
  Engine engine =
      HostEngineWith({.kernel = GetParam(), .threads = 1, .cpu = TinyCaches(kAmpleL3Bytes)});
  EXPECT_EQ(RunRandomCalls(&engine, 21, 60, {.m = 90, .k = 300, .n = 300, .batch = 2}), "");
  EXPECT_EQ(RunRandomCalls(&engine, 28, 20, {.m = 40, .k = 900, .n = 90, .batch = 2}), "");
}

TEST_P(HostTest, AllRowsAtOnceWhileKIsInBlocks) {
  arch::Cpu cpu = TinyCaches(kAmpleL3Bytes);
  cpu.l2_bytes = 32768;
  for (const int threads : {1, 3}) {
    Engine engine = HostEngineWith({.kernel = GetParam(), .threads = threads, .cpu = cpu});
    EXPECT_EQ(RunRandomCalls(&engine, 24, 120, {.m = 50, .k = 300, .n = 500, .batch = 2}), "");
  }
}

TEST_P(HostTest, WideOutputsPastTheCaches) {
  Engine engine =
      HostEngineWith({.kernel = GetParam(), .threads = 2, .cpu = TinyCaches(kTinyL3Bytes)});
  EXPECT_EQ(RunRandomCalls(&engine, 22, 60, {.m = 40, .k = 40, .n = 900, .batch = 2}), "");
}

// C leaves the L2 cache and B does not: a few rows at a time.
TEST_P(HostTest, WideOutputsRowByRow) {
  arch::Cpu cpu = TinyCaches(kAmpleL3Bytes);
  cpu.l2_bytes = 16384;
  struct Ports {
    bool few;
    bool halves;
  };
  for (const auto [few_vector_ports, halves_vectors] :
       {Ports{false, false}, Ports{false, true}, Ports{true, false}}) {
    cpu.few_vector_ports = few_vector_ports;
    cpu.halves_vectors = halves_vectors;
    Engine engine =
        HostEngineWith({.kernel = GetParam(), .threads = few_vector_ports ? 3 : 1, .cpu = cpu});
    EXPECT_EQ(RunRandomCalls(&engine, 29, 150, {.m = 120, .k = 30, .n = 300, .batch = 2}), "");
  }
}

// One step along K of the widest multiply-adds, and a little less and more.
TEST_P(HostTest, ProductsOfOneStep) {
  arch::Cpu cpu = TinyCaches(kAmpleL3Bytes);
  for (const int64_t l2_bytes : {16384, 1 << 20}) {
    cpu.l2_bytes = l2_bytes;
    cpu.halves_vectors = l2_bytes == 16384;
    Engine engine = HostEngineWith({.kernel = GetParam(), .threads = 1, .cpu = cpu});
    const RandomCall::Limits limits = {.m = 90, .k = 66, .n = 200, .batch = 2, .least_k = 61};
    EXPECT_EQ(RunRandomCalls(&engine, 31, 120, limits), "");
  }
}

// Sums of a part of K wait beside a C that is written row by row.
TEST_P(HostTest, LongProducts) {
  Engine engine = HostEngineWith({.kernel = GetParam(), .threads = 1});
  EXPECT_EQ(RunRandomCalls(&engine, 30, 60, {.m = 70, .k = 1700, .n = 120, .batch = 1}), "");
}

TEST_P(HostTest, FewRows) {
  Engine engine = HostEngineWith({.kernel = GetParam(), .threads = 2});
  EXPECT_EQ(RunRandomCalls(&engine, 23, 80, {.m = 18, .k = 200, .n = 700, .batch = 2}), "");
}

TEST_P(HostTest, FewColumns) {
  for (const int threads : {1, 3}) {
    Engine engine = HostEngineWith({.kernel = GetParam(), .threads = threads});
    EXPECT_EQ(RunRandomCalls(&engine, 26, 150, {.m = 200, .k = 200, .n = 17, .batch = 2}), "");
    EXPECT_EQ(RunRandomCalls(&engine, 27, 20, {.m = 1500, .k = 30, .n = 4, .batch = 2}), "");
  }
}

// Some of them are one product with the rows of all.
TEST_P(HostTest, BatchesOfOneRow) {
  Engine engine = HostEngineWith({.kernel = GetParam(), .threads = 2});
  EXPECT_EQ(RunRandomCalls(&engine, 28, 150, {.m = 2, .k = 60, .n = 60, .batch = 30}), "");
}

// With such an A, rows are quantised when tiles come to them.
TEST_P(HostTest, TallFloats) {
  arch::Cpu cpu = TinyCaches(kAmpleL3Bytes);
  // The second one keeps B, and rows are quantised some at a time.
  for (const int64_t l2_bytes : {cpu.l2_bytes, int64_t{20000}}) {
    cpu.l2_bytes = l2_bytes;
    for (const int threads : {1, 3}) {
      Engine engine = HostEngineWith({.kernel = GetParam(), .threads = threads, .cpu = cpu});
      EXPECT_EQ(RunRandomCalls(&engine, 25, 150, {.m = 150, .k = 400, .n = 20, .batch = 3}), "");
    }
  }
}

// Panels of B that stay in the L1 cache, with rows enough for tiles of one panel.
TEST_P(HostTest, ShortPanels) {
  for (const bool halves_vectors : {false, true}) {
    arch::Cpu cpu = TinyCaches(kAmpleL3Bytes);
    cpu.l1_bytes = 32768;
    cpu.halves_vectors = halves_vectors;
    Engine engine = HostEngineWith({.kernel = GetParam(), .threads = 2, .cpu = cpu});
    EXPECT_EQ(RunRandomCalls(&engine, 32, 60, {.m = 200, .k = 200, .n = 200, .batch = 2}), "");
  }
}

TEST_P(HostTest, TallFloatsThatAreNotFiniteLeaveCAsItWas) {
  constexpr int64_t kM = 90;
  constexpr int64_t kK = 350;
  constexpr int64_t kN = 24;
  constexpr int64_t kBatch = 2;
  constexpr float kBefore = 17.5F;
  std::vector<float> a(kBatch * kM * kK, 0.25F);
  const std::vector<int8_t> b(kBatch * kK * kN, 3);
  std::vector<float> c(kBatch * kM * kN, kBefore);
  const Matmul call{.a = RowMajor(std::as_const(a).data(), kM, kK, kBatch),
                    .b = RowMajor(b.data(), kK, kN, kBatch),
                    .c = RowMajor(c.data(), kM, kN, kBatch)};
  for (const int threads : {1, 2}) {
    Engine engine = HostEngineWith(
        {.kernel = GetParam(), .threads = threads, .cpu = TinyCaches(kAmpleL3Bytes)});
    // The last row of all, when the others have been multiplied.
    a.back() = std::numeric_limits<float>::infinity();
    const Status status = engine.Run(call);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find("row 89 of matrix 1 of A"), std::string::npos)
        << status.message();
    EXPECT_EQ(std::count(c.begin(), c.end(), kBefore), static_cast<std::ptrdiff_t>(c.size()));
    // What is wrong with A is said before what is wrong with B.
    std::vector<float> bad_b(kBatch * kK * kN, std::numeric_limits<float>::quiet_NaN());
    Matmul both = call;
    both.b = RowMajor(std::as_const(bad_b).data(), kK, kN, kBatch);
    std::atomic<int64_t> progress{0};
    EXPECT_EQ(engine.Run(both, {.progress = &progress}).message(), status.message());
    EXPECT_EQ(progress, 0);
    a.back() = 0.25F;
    ASSERT_TRUE(engine.Run(call, {.progress = &progress}).ok());
    EXPECT_EQ(progress, kBatch * kM * kN);
    EXPECT_EQ(std::count(c.begin(), c.end(), kK * 0.75F), static_cast<std::ptrdiff_t>(c.size()));
    std::fill(c.begin(), c.end(), kBefore);
  }
}

// Though such a batch is one product with the rows of all.
TEST(HostBatchTest, WhatIsNotFiniteIsNamedByItsMatrix) {
  Engine engine = HostEngineWith({.threads = 1});
  std::vector<float> a(4 * 3 * 5, 1.0F);
  const std::vector<int8_t> b(5 * 7, 3);
  std::vector<float> c(4 * 3 * 7, 0.5F);
  const Matmul call{.a = RowMajor(std::as_const(a).data(), 3, 5, 4),
                    .b = RowMajor(b.data(), 5, 7),
                    .c = RowMajor(c.data(), 3, 7, 4)};
  a[(7 * 5) + 2] = std::numeric_limits<float>::quiet_NaN();
  const Status status = engine.Run(call);
  EXPECT_NE(status.message().find("row 1 of matrix 2 of A"), std::string::npos) << status.message();
  EXPECT_EQ(std::count(c.begin(), c.end(), 0.5F), static_cast<std::ptrdiff_t>(c.size()));
  a[(7 * 5) + 2] = 1.0F;
  EXPECT_TRUE(engine.Run(call).ok());
  EXPECT_EQ(std::count(c.begin(), c.end(), 15.0F), static_cast<std::ptrdiff_t>(c.size()));
}

class FloatEnvironmentTest : public ::testing::TestWithParam<const char*> {};

// Threads that a call starts must not keep what it found, either.
TEST_P(FloatEnvironmentTest, IsTheDefaultInEveryCallAndComesBack) {
  constexpr int64_t kN = 160;
  std::vector<float> a(kN * kN);
  std::vector<int8_t> b(kN * kN);
  for (size_t i = 0; i < a.size(); ++i) {
    a[i] = static_cast<float>(i % 997) * 0.013F;
    b[i] = static_cast<int8_t>(i % 251);
  }
  std::vector<float> expected(kN * kN);
  std::vector<float> c(kN * kN);
  const auto run = [&](Engine* engine, std::vector<float>* to) {
    return engine->Run({.a = RowMajor(std::as_const(a).data(), kN, kN),
                        .b = RowMajor(std::as_const(b).data(), kN, kN),
                        .c = RowMajor(to->data(), kN, kN),
                        .epilogue = {.scale_b = Parameter<float>::Of(0.0371F)}});
  };
  const EngineOptions options{.device = GetParam(), .threads = 4};
  Result<Engine> engine = Engine::Create(options);
  ASSERT_TRUE(engine.ok());
  ASSERT_TRUE(run(&*engine, &expected).ok());
  Result<Engine> other = Engine::Create(options);
  ASSERT_TRUE(other.ok());
  ASSERT_EQ(std::fesetround(FE_UPWARD), 0);
  const Status status = run(&*other, &c);
  const bool came_back = !testing::RoundsToNearest();
  std::fesetround(FE_TONEAREST);
  EXPECT_TRUE(status.ok());
  EXPECT_TRUE(came_back);
  EXPECT_EQ(c, expected);
  ASSERT_TRUE(run(&*other, &c).ok());
  EXPECT_EQ(c, expected);
}

INSTANTIATE_TEST_SUITE_P(Devices, FloatEnvironmentTest, ::testing::Values("host", "vnpu:phoenix"),
                         [](const auto& instance) {
                           return std::string(instance.param).substr(0, 4);
                         });

TEST(HostStatsTest, PackingIsAPhaseOfItsOwn) {
  Engine engine = HostEngineWith({.threads = 1});
  constexpr int64_t kN = 400;
  const std::vector<int8_t> a(kN * kN, 3);
  const std::vector<int8_t> b(kN * kN, -5);
  std::vector<int32_t> c(kN * kN);
  Matmul call{.a = RowMajor(a.data(), kN, kN),
              .b = RowMajor(b.data(), kN, kN),
              .c = RowMajor(c.data(), kN, kN)};
  CallStats in_call;
  ASSERT_TRUE(engine.Run(call, {.stats = &in_call}).ok());
  const Result<Weights> weights = engine.Prepare(RowMajor(b.data(), kN, kN));
  ASSERT_TRUE(weights.ok());
  call.b = *weights;
  CallStats before;
  ASSERT_TRUE(engine.Run(call, {.stats = &before}).ok());
  EXPECT_GT(in_call.phases.pack_us, before.phases.pack_us);
  EXPECT_GT(before.phases.launch_us, before.phases.pack_us);
  for (const CallStats& stats : {in_call, before}) {
    EXPECT_LE(stats.phases.pack_us + stats.phases.launch_us, stats.total_us);
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, HostTest, ::testing::ValuesIn(KernelNames()),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace tilewave
