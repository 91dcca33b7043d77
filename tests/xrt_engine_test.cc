// Products through the whole engine and the whole path of a real NPU, over the fake of its driver:
// exact, within the driver's limits, and with few calls of it.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/support/fake_npu.h"
#include "tests/support/random_call.h"
#include "tilewave/engine.h"

namespace tilewave {
namespace {

using device::xrt::FakeFault;
using device::xrt::FakeXrt;

struct Npu {
  explicit Npu(const std::string& profile, const ArrayOptions& array, bool validate = true)
      : fake(testing::MakeFakeNpu(profile)),
        engine(testing::MakeFakeNpuEngine(*fake, profile,
                                          {.validate_submissions = validate,
                                           .array = array,
                                           .retries = 0,
                                           .host_fallback = false})) {
    EXPECT_TRUE(engine.ok()) << engine.status().message();
  }
  std::shared_ptr<FakeXrt> fake;
  Result<Engine> engine;
};

struct Square {
  explicit Square(int64_t side)
      : n(side), a(base::RandomBytes(n * n, 5)), b(base::RandomBytes(n * n, 6)), c(a.size(), -1) {}
  Matmul Call() {
    return {.a = RowMajor(static_cast<const int8_t*>(a.data()), n, n),
            .b = RowMajor(static_cast<const int8_t*>(b.data()), n, n),
            .c = RowMajor(c.data(), n, n)};
  }
  std::vector<int32_t> Expected() {
    const std::vector<int32_t> kept = c;
    Result<Engine> host = Engine::Create({.device = "host"});
    EXPECT_TRUE(host->Run(Call()).ok());
    std::vector<int32_t> expected = c;
    c = kept;
    return expected;
  }
  int64_t n;
  std::vector<int8_t> a;
  std::vector<int8_t> b;
  std::vector<int32_t> c;
};

struct Case {
  const char* name;
  const char* profile;
  const char* design;
};
class XrtEngine : public ::testing::TestWithParam<Case> {};

TEST_P(XrtEngine, RaggedRandomCallsAndWeightsEqualTheReference) {
  ArrayOptions array;
  array.design = GetParam().design;
  Npu npu(GetParam().profile, array);
  base::Random random(41);
  for (int i = 0; i < 25; ++i) {
    testing::RandomCall call(&random, {.m = 150, .k = 150, .n = 150, .batch = 2});
    ASSERT_TRUE(call.RunReference().ok());
    const Status status = npu.engine->Run(call.call());
    ASSERT_TRUE(status.ok()) << status.message() << "\n" << call.Describe();
    ASSERT_EQ(call.Difference(), "") << call.Describe();
    const Result<Matmul> prepared = call.Prepacked(&*npu.engine);
    ASSERT_TRUE(prepared.ok()) << prepared.status().message();
    call.Poison();
    ASSERT_TRUE(call.RunReference().ok());
    ASSERT_TRUE(npu.engine->Run(*prepared).ok());
    ASSERT_EQ(call.Difference(), "") << call.Describe();
  }
  EXPECT_EQ(npu.fake->blocked_starts(), 0);
}

INSTANTIATE_TEST_SUITE_P(Fake, XrtEngine,
                         ::testing::Values(Case{"PhoenixWhole", "phoenix", "whole_array"},
                                           Case{"KrackanWhole", "krackan", "whole_array"},
                                           Case{"PhoenixKStream", "phoenix", "k_stream"},
                                           Case{"KrackanKStream", "krackan", "k_stream"}),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(XrtEngineTest, AWarmProductTakesFewCallsOfTheDriver) {
  ArrayOptions array;
  array.design = "whole_array";
  Npu npu("phoenix", array, /*validate=*/false);
  Square product(512);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(npu.engine->Run(product.Call()).ok());
  const int64_t before = npu.fake->calls();
  ASSERT_TRUE(npu.engine->Run(product.Call()).ok());
  EXPECT_LE(npu.fake->calls() - before, 6);
  EXPECT_EQ(product.c, product.Expected());
}

TEST(XrtEngineTest, ChainsOfKStreamAreRunLists) {
  ArrayOptions array;
  array.design = "k_stream";
  Npu npu("phoenix", array, /*validate=*/false);
  Square product(512);
  CallStats stats;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(npu.engine->Run(product.Call(), {.stats = &stats}).ok());
  EXPECT_EQ(product.c, product.Expected());
  EXPECT_EQ(stats.parts[0].launches, 64);
  const int64_t before = npu.fake->calls();
  ASSERT_TRUE(npu.engine->Run(product.Call()).ok());
  EXPECT_LE(npu.fake->calls() - before, 2 * 64);
  EXPECT_LE(npu.fake->most_in_flight(), arch::kMaxInFlight);
}

TEST(XrtEngineTest, ACallThatFailsIsAnErrorAndTheNextOneIsExact) {
  ArrayOptions array;
  array.design = "whole_array";
  Npu npu("phoenix", array);
  Square product(130);
  const std::vector<int32_t> untouched = product.c;
  ASSERT_TRUE(npu.engine->Run(product.Call()).ok());
  const std::vector<int32_t> expected = product.Expected();
  for (const FakeFault fault : {FakeFault::kError, FakeFault::kAbort, FakeFault::kTimeout,
                                FakeFault::kNoResponse, FakeFault::kHang}) {
    product.c = untouched;
    npu.fake->PlanFault(fault);
    EXPECT_FALSE(npu.engine->Run(product.Call()).ok());
    EXPECT_EQ(product.c, untouched);
    ASSERT_TRUE(npu.engine->Run(product.Call()).ok());
    EXPECT_EQ(product.c, expected);
    npu.fake->Release();
    EXPECT_EQ(product.c, expected);
  }
}

}  // namespace
}  // namespace tilewave
