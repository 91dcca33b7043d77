// The host device with any number of threads, and with the program's own.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/host_calls.h"
#include "tests/support/kernel_names.h"
#include "tests/support/numbers.h"
#include "tests/support/s8_product.h"
#include "tilewave/engine.h"

namespace tilewave {
namespace {

using testing::HostEngineWith;
using testing::kAmpleL3Bytes;
using testing::KernelNames;
using testing::kTinyL3Bytes;
using testing::RunRandomCalls;
using testing::S8Product;
using testing::TinyCaches;

TEST(HostThreadsTest, AnyNumberGivesTheSameBytes) {
  for (const int64_t l3_bytes : {kTinyL3Bytes, kAmpleL3Bytes}) {
    for (const int threads : {2, 3, 8}) {
      Engine engine = HostEngineWith({.threads = threads, .cpu = TinyCaches(l3_bytes)});
      // Large enough that the threads are wanted.
      EXPECT_EQ(RunRandomCalls(&engine, 24, 12, {.m = 260, .k = 260, .n = 260, .batch = 3}), "")
          << threads << " threads";
    }
  }
}

// A B of the call that fits their caches is packed by each thread that multiplies by it.
TEST(HostThreadsTest, EachPacksForItself) {
  S8Product products[] = {{1, 1200, 300, 40},
                          {1, 1200, 300, 40, 12},  // The same with another B.
                          {1, 70, 300, 700},
                          {5, 300, 200, 200}};
  for (const char* kernel : KernelNames()) {
    Engine alone = HostEngineWith({.kernel = kernel, .threads = 1});
    for (const int threads : {2, 5}) {
      Engine engine = HostEngineWith({.kernel = kernel, .threads = threads});
      for (S8Product& product : products) {
        std::vector<int32_t> expected(product.c.size());
        const Result<Weights> weights = alone.Prepare(product.B());
        ASSERT_TRUE(weights.ok());
        Matmul prepared = product.Call(expected.data());
        prepared.b = *weights;
        ASSERT_TRUE(alone.Run(prepared).ok());
        std::fill(product.c.begin(), product.c.end(), -1);
        CallStats stats;
        ASSERT_TRUE(engine.Run(product.Call(), {.stats = &stats}).ok());
        EXPECT_EQ(product.c, expected) << kernel << " " << threads << " threads, M " << product.m;
        EXPECT_GT(stats.phases.pack_us, 0);
      }
      // Zero points, other types, epilogues.
      EXPECT_EQ(RunRandomCalls(&engine, 31, 12, {.m = 500, .k = 260, .n = 150, .batch = 4}), "");
    }
  }
}

TEST(HostThreadsTest, CallsAtOnceShareThePool) {
  Engine engine = HostEngineWith({.threads = 3, .cpu = TinyCaches(kAmpleL3Bytes)});
  std::vector<std::string> complaints(3);
  {
    std::vector<std::thread> callers;
    for (size_t i = 0; i < complaints.size(); ++i) {
      callers.emplace_back([&, i] {
        complaints[i] =
            RunRandomCalls(&engine, 30 + i, 6, {.m = 200, .k = 200, .n = 200, .batch = 2});
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
  EXPECT_EQ(RunRandomCalls(&*engine, 25, 10, {.m = 260, .k = 260, .n = 260, .batch = 3}), "");
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
  EXPECT_EQ(RunRandomCalls(&*engine, 26, 10, {.m = 260, .k = 260, .n = 260, .batch = 3}), "");
}

TEST(ExecutorTest, NumbersOfThreadsThatMakeNoSenseAreRefused) {
  for (const int threads : {-1, 0, 1025}) {
    const Result<Engine> engine =
        Engine::Create({.device = "host", .executor = std::make_shared<ThreadsPerCall>(threads)});
    EXPECT_EQ(engine.status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(engine.status().message(),
              "the executor has " + std::to_string(threads) + " threads; expected 1 to 1024");
  }
}

/// Its threads round upwards.
class RoundsUpwards final : public Executor {
 public:
  int threads() const override { return 2; }
  void ParallelFor(int64_t tasks, Task task, void* context) override {
    for (int64_t i = 0; i < tasks; ++i) {
      std::thread thread([=, this] {
        std::fesetround(FE_UPWARD);
        task(context, i);
        if (testing::RoundsToNearest()) changed_.store(true);
      });
      thread.join();
    }
  }
  bool changed() const { return changed_.load(); }

 private:
  std::atomic<bool> changed_{false};
};

TEST(ExecutorTest, TasksRoundToNearestInAnyThread) {
  const auto executor = std::make_shared<RoundsUpwards>();
  Result<Engine> engine = Engine::Create({.device = "host", .executor = executor});
  ASSERT_TRUE(engine.ok());
  EXPECT_EQ(RunRandomCalls(&*engine, 27, 30, {.m = 260, .k = 260, .n = 260, .batch = 1}), "");
  EXPECT_FALSE(executor->changed());
}

}  // namespace
}  // namespace tilewave
