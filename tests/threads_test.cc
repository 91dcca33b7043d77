// One Engine, many threads: run under the thread sanitizer, and checked for right answers.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/random.h"
#include "tests/support/random_call.h"
#include "tilewave/engine.h"

namespace tilewave {
namespace {

constexpr int kThreads = 4;

/// Runs `work(thread)` in all threads at once and returns the first complaint.
template <typename Work>
std::string InThreads(Work work) {
  std::vector<std::string> complaints(kThreads);
  {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] { complaints[static_cast<size_t>(i)] = work(i); });
    }
    for (std::thread& thread : threads) thread.join();
  }
  for (const std::string& complaint : complaints) {
    if (!complaint.empty()) return complaint;
  }
  return "";
}

TEST(ThreadsTest, ManyProblemsThroughOneEngine) {
  Result<Engine> engine = Engine::Create({.validate_submissions = true});
  ASSERT_TRUE(engine.ok());
  // Each thread has calls of its own, but threads share seeds in pairs: the same problems arrive
  // at the plan cache from two threads at once, among many that make its table grow.
  EXPECT_EQ(InThreads([&](int thread) -> std::string {
              base::Random random(static_cast<uint64_t>(100 + (thread / 2)));
              for (int i = 0; i < 60; ++i) {
                testing::RandomCall call(&random, {.m = 20, .k = 30, .n = 20});
                if (!call.RunReference().ok()) return "the reference failed";
                const Status status = engine->Run(call.call());
                if (!status.ok()) return status.message();
                if (!call.Difference().empty()) return call.Difference() + call.Describe();
              }
              return "";
            }),
            "");
}

TEST(ThreadsTest, ManyProductsOnOneVirtualNpu) {
  // Four threads share a queue of four: each finds it full of the others' launches.
  for (const char* mode : {"sequential", "wave", "runlist"}) {
    const char* device = std::string_view(mode) == "wave" ? "vnpu:phoenix:host" : "vnpu:phoenix";
    Result<Engine> engine = Engine::Create(
        {.device = device, .validate_submissions = true, .array = {"", 0, "", mode}});
    ASSERT_TRUE(engine.ok());
    EXPECT_EQ(InThreads([&](int thread) -> std::string {
                base::Random random(static_cast<uint64_t>(200 + thread));
                for (int i = 0; i < 15; ++i) {
                  testing::RandomCall call(&random, {.m = 200, .k = 100, .n = 200});
                  if (!call.RunReference().ok()) return "the reference failed";
                  CallStats stats;
                  const Status status = engine->Run(call.call(), {.stats = &stats});
                  if (!status.ok()) return status.message();
                  if (!call.Difference().empty()) return call.Difference() + call.Describe();
                }
                return "";
              }),
              "");
  }
}

TEST(ThreadsTest, OneWeightsFromManyThreads) {
  Result<Engine> engine = Engine::Create();
  ASSERT_TRUE(engine.ok());
  const std::vector<int8_t> a(16 * 40, 2);
  const std::vector<int8_t> b(40 * 24, 3);
  for (int round = 0; round < 20; ++round) {
    // Fresh weights each round, so that the threads race to make the first payload.
    const Result<Weights> weights = engine->Prepare(RowMajor(b.data(), 40, 24));
    ASSERT_TRUE(weights.ok());
    EXPECT_EQ(
        InThreads([&](int) -> std::string {
          std::vector<int32_t> c(16 * 24, -1);
          const Status status = engine->Run(
              {.a = RowMajor(a.data(), 16, 40), .b = *weights, .c = RowMajor(c.data(), 16, 24)});
          if (!status.ok()) return status.message();
          if (weights->bytes() <= b.size()) return "the payload is not counted";
          return c == std::vector<int32_t>(16 * 24, 240) ? "" : "wrong product";
        }),
        "");
  }
}

TEST(ThreadsTest, EnginesPrepareListAndSubmitAtOnce) {
  Result<Engine> engine = Engine::Create();
  ASSERT_TRUE(engine.ok());
  EXPECT_EQ(InThreads([&](int) -> std::string {
              const std::vector<int8_t> a(8 * 8, 1);
              std::vector<int32_t> c(8 * 8);
              for (int i = 0; i < 50; ++i) {
                const Result<Weights> weights = engine->Prepare(RowMajor(a.data(), 8, 8));
                if (!weights.ok()) return weights.status().message();
                Result<Handle> handle = engine->Submit(
                    {.a = RowMajor(a.data(), 8, 8), .b = *weights, .c = RowMajor(c.data(), 8, 8)});
                if (!handle.ok()) return handle.status().message();
                if (!handle->Wait().ok() || c[63] != 8) return "wrong product";
                if (engine->Devices().size() != 8) return "devices are missing";
              }
              return "";
            }),
            "");
}

}  // namespace
}  // namespace tilewave
