// The host device in all its ways through a product: caches of any size, any number of threads,
// the program's own threads.

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "arch/cpu.h"
#include "base/random.h"
#include "engine/compose.h"
#include "kernels/cpu/kernel_table.h"
#include "tests/support/random_call.h"
#include "tilewave/engine.h"

namespace tilewave {
namespace {

/// This CPU with caches so small that small products have many blocks, and outputs too large for
/// the caches.
arch::Cpu TinyCaches() {
  arch::Cpu cpu = arch::DetectCpu();
  cpu.l1_bytes = 2048;
  cpu.l2_bytes = 16384;
  cpu.l3_bytes = 4096;
  return cpu;
}

Engine MakeEngine(const device::host::HostOptions& host) {
  Result<Engine> engine =
      engine::Composer::Compose({.device = "host"}, engine::StandardRegistry(host));
  EXPECT_TRUE(engine.ok()) << engine.status().message();
  return *std::move(engine);
}

/// Runs random calls, packed in the call and before, and returns the first complaint.
std::string RunCalls(Engine* engine, uint64_t seed, int count,
                     const testing::RandomCall::Limits& limits) {
  base::Random random(seed);
  for (int i = 0; i < count; ++i) {
    testing::RandomCall call(&random, limits);
    if (!call.RunReference().ok()) return "the reference failed";
    Status status = engine->Run(call.call());
    if (!status.ok()) return status.message() + call.Describe();
    if (!call.Difference().empty()) return call.Difference() + call.Describe();
    const Result<Matmul> prepacked = call.Prepacked(engine);
    if (!prepacked.ok()) return prepacked.status().message() + call.Describe();
    call.Poison();
    if (!call.RunReference().ok()) return "the reference failed";
    status = engine->Run(*prepacked);
    if (!status.ok()) return status.message() + call.Describe();
    if (!call.Difference().empty()) return "prepacked: " + call.Difference() + call.Describe();
  }
  return "";
}

class HostTest : public ::testing::TestWithParam<const char*> {};

TEST_P(HostTest, ManyBlocksOfEverything) {
  Engine engine = MakeEngine({.kernel = GetParam(), .threads = 1, .cpu = TinyCaches()});
  EXPECT_EQ(RunCalls(&engine, 21, 60, {.m = 90, .k = 300, .n = 300, .batch = 2}), "");
}

TEST_P(HostTest, WideOutputsPastTheCaches) {
  Engine engine = MakeEngine({.kernel = GetParam(), .threads = 1, .cpu = TinyCaches()});
  EXPECT_EQ(RunCalls(&engine, 22, 60, {.m = 40, .k = 40, .n = 900, .batch = 2}), "");
}

TEST_P(HostTest, FewRows) {
  Engine engine = MakeEngine({.kernel = GetParam(), .threads = 2});
  EXPECT_EQ(RunCalls(&engine, 23, 80, {.m = 18, .k = 200, .n = 700, .batch = 2}), "");
}

std::vector<const char*> AllKernels() {
  std::vector<const char*> names;
  for (const kernels::cpu::Int8Kernel& kernel : kernels::cpu::Int8Kernels()) {
    if (kernels::cpu::Supported(kernel, arch::DetectCpu())) names.push_back(kernel.name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(Kernels, HostTest, ::testing::ValuesIn(AllKernels()),
                         [](const auto& instance) { return std::string(instance.param); });

TEST(HostThreadsTest, AnyNumberGivesTheSameBytes) {
  for (const int threads : {2, 3, 8}) {
    Engine engine = MakeEngine({.threads = threads, .cpu = TinyCaches()});
    // Large enough that the threads are wanted.
    EXPECT_EQ(RunCalls(&engine, 24, 12, {.m = 260, .k = 260, .n = 260, .batch = 3}), "")
        << threads << " threads";
  }
}

TEST(HostThreadsTest, CallsAtOnceShareThePool) {
  Engine engine = MakeEngine({.threads = 3, .cpu = TinyCaches()});
  std::vector<std::string> complaints(3);
  {
    std::vector<std::thread> callers;
    for (size_t i = 0; i < complaints.size(); ++i) {
      callers.emplace_back([&, i] {
        complaints[i] = RunCalls(&engine, 30 + i, 6, {.m = 200, .k = 200, .n = 200, .batch = 2});
      });
    }
    for (std::thread& caller : callers) caller.join();
  }
  for (const std::string& complaint : complaints) EXPECT_EQ(complaint, "");
}

/// Threads made for each piece of work.
class ThreadsPerCall final : public Executor {
 public:
  explicit ThreadsPerCall(int threads) : threads_(threads) {}

  int threads() const override { return threads_; }

  void ParallelFor(int64_t tasks, Task task, void* context) override {
    calls_.fetch_add(1);
    if (tasks > most_.load()) most_.store(tasks);
    std::vector<std::thread> threads;
    for (int64_t i = 0; i < tasks; ++i) {
      threads.emplace_back([=] { task(context, i); });
    }
    for (std::thread& thread : threads) thread.join();
  }

  int64_t calls() const { return calls_.load(); }
  int64_t most() const { return most_.load(); }

 private:
  int threads_;
  std::atomic<int64_t> calls_{0};
  std::atomic<int64_t> most_{0};
};

/// An executor that may run tasks one after the other, and backwards.
class OneAfterTheOther final : public Executor {
 public:
  int threads() const override { return 3; }
  void ParallelFor(int64_t tasks, Task task, void* context) override {
    for (int64_t i = tasks - 1; i >= 0; --i) task(context, i);
  }
};

struct Square {
  explicit Square(int64_t extent)
      : n(extent),
        a(static_cast<size_t>(n * n), 3),
        b(static_cast<size_t>(n * n), -5),
        c(static_cast<size_t>(n * n)) {}
  Matmul call() {
    return {.a = RowMajor(static_cast<const int8_t*>(a.data()), n, n),
            .b = RowMajor(static_cast<const int8_t*>(b.data()), n, n),
            .c = RowMajor(c.data(), n, n)};
  }
  int64_t n;
  std::vector<int8_t> a;
  std::vector<int8_t> b;
  std::vector<int32_t> c;
};

TEST(ExecutorTest, ProductsRunOnTheProgramsThreads) {
  const auto executor = std::make_shared<ThreadsPerCall>(4);
  Result<Engine> engine = Engine::Create({.device = "host", .executor = executor});
  ASSERT_TRUE(engine.ok());
  EXPECT_EQ(RunCalls(&*engine, 25, 10, {.m = 260, .k = 260, .n = 260, .batch = 3}), "");
  Square large(300);
  ASSERT_TRUE(engine->Run(large.call()).ok());
  EXPECT_EQ(large.c, std::vector<int32_t>(large.c.size(), -15 * 300));
  EXPECT_GT(executor->calls(), 0);
  EXPECT_EQ(executor->most(), 4);
}

TEST(ExecutorTest, SmallProductsAndOneThreadLeaveItAlone) {
  const auto executor = std::make_shared<ThreadsPerCall>(4);
  Result<Engine> engine = Engine::Create({.device = "host", .executor = executor});
  ASSERT_TRUE(engine.ok());
  Square small(64);
  ASSERT_TRUE(engine->Run(small.call()).ok());
  EXPECT_EQ(small.c, std::vector<int32_t>(small.c.size(), -15 * 64));
  EXPECT_EQ(executor->calls(), 0);
  Result<Engine> alone = Engine::Create({.device = "host", .threads = 1, .executor = executor});
  ASSERT_TRUE(alone.ok());
  Square large(300);
  ASSERT_TRUE(alone->Run(large.call()).ok());
  EXPECT_EQ(executor->calls(), 0);
}

TEST(ExecutorTest, MayRunTasksInAnyOrder) {
  Result<Engine> engine =
      Engine::Create({.device = "host", .executor = std::make_shared<OneAfterTheOther>()});
  ASSERT_TRUE(engine.ok());
  EXPECT_EQ(RunCalls(&*engine, 26, 10, {.m = 260, .k = 260, .n = 260, .batch = 3}), "");
}

TEST(ExecutorTest, WithoutThreadsIsRefused) {
  const Result<Engine> engine =
      Engine::Create({.device = "host", .executor = std::make_shared<ThreadsPerCall>(0)});
  EXPECT_EQ(engine.status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(engine.status().message(), "the executor has 0 threads; expected at least 1");
}

}  // namespace
}  // namespace tilewave
