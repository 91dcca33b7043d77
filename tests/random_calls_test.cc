// The whole engine against the reference: random ragged calls, every kernel, all bytes.

#include <gtest/gtest.h>

#include "base/random.h"
#include "tests/support/kernel_names.h"
#include "tests/support/random_call.h"
#include "tilewave/engine.h"

namespace tilewave {
namespace {

Engine MakeEngine(const std::string& kernel) {
  EngineOptions options;
  options.cpu_kernel = kernel;
  options.validate_submissions = true;
  Result<Engine> engine = Engine::Create(options);
  EXPECT_TRUE(engine.ok()) << engine.status().message();
  return *std::move(engine);
}

class RandomCalls : public ::testing::TestWithParam<const char*> {};

TEST_P(RandomCalls, EqualTheReferenceInEveryByte) {
  Engine engine = MakeEngine(GetParam());
  base::Random random(7);
  for (int i = 0; i < 400; ++i) {
    testing::RandomCall call(&random, {});
    ASSERT_TRUE(call.RunReference().ok());
    CallStats stats;
    const Status status = engine.Run(call.call(), {.stats = &stats});
    ASSERT_TRUE(status.ok()) << status.message() << "\n" << call.Describe();
    ASSERT_EQ(call.Difference(), "") << i << ": " << call.Describe();
    ASSERT_EQ(stats.parts[0].kernel, GetParam());
  }
}

TEST_P(RandomCalls, PrepackedWeightsGiveTheSameBytes) {
  Engine engine = MakeEngine(GetParam());
  base::Random random(8);
  for (int i = 0; i < 200; ++i) {
    testing::RandomCall call(&random, {});
    ASSERT_TRUE(call.RunReference().ok());
    const Result<Matmul> prepacked = call.Prepacked(&engine);
    ASSERT_TRUE(prepacked.ok()) << prepacked.status().message() << "\n" << call.Describe();
    const Status status = engine.Run(*prepacked);
    ASSERT_TRUE(status.ok()) << status.message() << "\n" << call.Describe();
    ASSERT_EQ(call.Difference(), "") << i << ": " << call.Describe();
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, RandomCalls, ::testing::ValuesIn(testing::KernelNames()),
                         [](const auto& instance) { return std::string(instance.param); });

TEST(RandomCallsTest, LargerThanEveryBlock) {
  // Extents past the cache blocks, so that every loop of the host backend turns more than once.
  Engine engine = MakeEngine("");
  base::Random random(9);
  for (int i = 0; i < 4; ++i) {
    testing::RandomCall call(&random, {.m = 300, .k = 3000, .n = 300, .batch = 2});
    ASSERT_TRUE(call.RunReference().ok());
    ASSERT_TRUE(engine.Run(call.call()).ok());
    ASSERT_EQ(call.Difference(), "") << call.Describe();
  }
}

TEST(RandomCallsTest, LongestK) {
  // All -128 at the largest K: 131,071 * 16,384 is just below 2^31.
  constexpr int64_t kK = 131071;
  const std::vector<int8_t> a(kK, -128);
  const std::vector<int8_t> b(kK * 3, -128);
  std::vector<int32_t> c(3, -1);
  Engine engine = MakeEngine("");
  ASSERT_TRUE(engine
                  .Run({.a = RowMajor(a.data(), 1, kK),
                        .b = RowMajor(b.data(), kK, 3),
                        .c = RowMajor(c.data(), 1, 3)})
                  .ok());
  EXPECT_EQ(c, std::vector<int32_t>(3, 2147467264));
}

}  // namespace
}  // namespace tilewave
