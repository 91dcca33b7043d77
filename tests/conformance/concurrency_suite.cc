// Four threads on one engine or one queue: every product is exact.

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "tests/conformance/conformance_case.h"
#include "tests/conformance/plain_product.h"
#include "tests/conformance/rig.h"
#include "tests/support/random_call.h"

namespace tilewave::conformance {
namespace {

using testing::RandomCall;

constexpr size_t kThreads = 4;

/// Runs `work(thread)` in all threads at once; the first complaint, or "".
std::string InThreads(const std::function<std::string(size_t)>& work) {
  std::array<std::string, kThreads> complaints;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] { complaints[i] = work(i); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& each : complaints) {
    if (!each.empty()) return each;
  }
  return "";
}

/// Runs random calls; the first complaint, or "".
std::string RunCalls(Engine* engine, uint64_t seed, int count, const RandomCall::Limits& limits) {
  base::Random random(seed);
  for (int i = 0; i < count; ++i) {
    RandomCall call(&random, limits);
    if (!call.RunReference().ok()) return "the reference failed";
    if (Status s = engine->Run(call.call()); !s.ok()) return s.message() + " " + call.Describe();
    if (!call.Difference().empty()) return call.Difference() + " " + call.Describe();
  }
  return "";
}

CONFORMANCE_CASE(concurrency, EachThreadWithItsOwnCalls) {
  CONFORMANCE_OPEN(engine, MakeEngine(backend, {.validate_submissions = true}));
  PlainProduct first(64, 64, 64);
  CONFORMANCE_OK(engine.Run(first.Call()));
  EXPECT_EQ(InThreads([&](size_t thread) {
              return RunCalls(&engine, 200 + thread, 15, {.m = 90, .k = 90, .n = 90, .batch = 2});
            }),
            "");
}

CONFORMANCE_CASE(concurrency, ThreadsWithTheSameCalls) {
  CONFORMANCE_OPEN(
      engine, MakeEngine(backend, {.validate_submissions = true, .array = {.design = "k_stream"}}));
  PlainProduct first(64, 64, 64);
  CONFORMANCE_OK(engine.Run(first.Call()));
  // The same plans are wanted at the same time.
  EXPECT_EQ(
      InThreads([&](size_t) { return RunCalls(&engine, 300, 15, {.m = 130, .k = 90, .n = 130}); }),
      "");
}

CONFORMANCE_CASE(concurrency, ThreadsShareWeights) {
  CONFORMANCE_OPEN(engine, MakeEngine(backend, {.validate_submissions = true}));
  const PlainProduct owner(1, 130, 70);
  CONFORMANCE_TAKE(weights, engine.Prepare(owner.b()));
  PlainProduct first(8, 130, 70);
  CONFORMANCE_OK(engine.Run(first.CallWith(first.b())));
  EXPECT_EQ(InThreads([&](size_t thread) -> std::string {
              for (int run = 0; run < 10; ++run) {
                // Of these extents, A's bytes are followed by the same B in every thread.
                PlainProduct product(1, 130, 70);
                const Status s = engine.Run(product.CallWith(weights));
                if (!s.ok()) return s.message();
                if (!product.IsExact()) return "thread " + std::to_string(thread) + " is wrong";
              }
              return "";
            }),
            "");
}

CONFORMANCE_CASE(concurrency, ThreadsWithCallsOfDifferentDesigns) {
  CONFORMANCE_OPEN(engine, MakeEngine(backend, {.validate_submissions = true}));
  PlainProduct first(64, 64, 64);
  CONFORMANCE_OK(engine.Run(first.Call()));
  // Shapes so different that they are planned with different configurations.
  constexpr std::array<RandomCall::Limits, kThreads> kShapes = {
      RandomCall::Limits{.m = 4, .k = 300, .n = 200, .batch = 1},
      {.m = 200, .k = 40, .n = 4, .batch = 1},
      {.m = 160, .k = 160, .n = 160, .batch = 1},
      {.m = 20, .k = 20, .n = 20, .batch = 5}};
  EXPECT_EQ(InThreads([&](size_t thread) {
              return RunCalls(&engine, 400 + thread, 15, kShapes[thread]);
            }),
            "");
}

CONFORMANCE_CASE(concurrency, ThreadsShareAQueue) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  std::array<std::unique_ptr<Product>, kThreads> products;
  for (size_t i = 0; i < kThreads; ++i) {
    // Two and two of one configuration.
    CONFORMANCE_TAKE(product, i < 2 ? Product::Make(rig.get()) : products[i - 2]->Another(2));
    products[i] = std::move(product);
  }
  EXPECT_EQ(InThreads([&](size_t thread) -> std::string {
              for (uint64_t run = 0; run < 25; ++run) {
                std::string wrong = products[thread]->RunAndCheck((100 * thread) + run);
                if (!wrong.empty()) return wrong;
              }
              return "";
            }),
            "");
}

}  // namespace
}  // namespace tilewave::conformance
