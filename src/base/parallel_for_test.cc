#include "base/parallel_for.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <numeric>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "tests/support/crews.h"

namespace tilewave::base {
namespace {

constexpr int64_t kTaskCounts[] = {0, 1, 2, 3, 7, 8, 100, 1000};

// Long enough, a few hundred times, for sleeping workers to wake up and come.
constexpr int64_t kSlowNs = 500;

void WaitNs(int64_t ns) {
  const int64_t until_ns = WallNowNs() + ns;
  while (WallNowNs() < until_ns) {
  }
}

// Plain numbers: two threads that were given one task are a race, too.
std::vector<int> TimesDone(const Crew& crew, int64_t tasks, int64_t task_ns = 0) {
  std::vector<int> times(static_cast<size_t>(tasks), 0);
  ParallelFor(crew, tasks, [&](int64_t i) {
    ++times.at(static_cast<size_t>(i));
    if (task_ns > 0) WaitNs(task_ns);
  });
  return times;
}

TEST(ParallelForTest, EveryTaskOnce) {
  for (const int threads : kThreads) {
    for (const int64_t spin_us : {1, 100}) {
      ThreadPool pool(threads, spin_us);
      for (int round = 0; round < 10; ++round) {
        for (const int64_t tasks : kTaskCounts) {
          const std::vector<int> once(static_cast<size_t>(tasks), 1);
          ASSERT_EQ(TimesDone({&pool, kWakes[round % 3]}, tasks, round < 4 ? kSlowNs : 0), once)
              << tasks << " tasks, " << threads << " threads";
        }
      }
    }
  }
}

TEST(ParallelForTest, WithoutACrewInOrderAndHere) {
  for (const int64_t tasks : kTaskCounts) {
    std::vector<int64_t> seen;
    const std::thread::id here = std::this_thread::get_id();
    ParallelFor({}, tasks, [&](int64_t i) {
      seen.push_back(i);
      EXPECT_EQ(std::this_thread::get_id(), here);
    });
    ASSERT_EQ(static_cast<int64_t>(seen.size()), tasks);
    for (int64_t i = 0; i < tasks; ++i) EXPECT_EQ(seen[static_cast<size_t>(i)], i);
  }
}

TEST(ParallelForTest, OneTaskIsNotHandedOn) {
  ThreadPool pool(3, 100);
  TimesDone({&pool, Wake::kAlways}, 100);  // Workers are about.
  const std::thread::id here = std::this_thread::get_id();
  for (int i = 0; i < 100; ++i) {
    ParallelFor({&pool, Wake::kAlways}, 1,
                [&](int64_t) { EXPECT_EQ(std::this_thread::get_id(), here); });
  }
}

TEST(ParallelForTest, NestedLoopsDoEveryTaskOnce) {
  for (const int threads : kThreads) {
    ThreadPool pool(threads, 50);
    const Crew crew{&pool, Wake::kAlways};
    std::vector<int> times(20 * 30, 0);
    ParallelFor(crew, 20, [&](int64_t i) {
      ParallelFor(crew, 30, [&](int64_t j) { ++times[static_cast<size_t>((i * 30) + j)]; });
    });
    EXPECT_EQ(times, std::vector<int>(20 * 30, 1)) << threads << " threads";
  }
}

TEST(ParallelForTest, LoopsOfSeveralThreadsDoEveryTaskOnce) {
  ThreadPool pool(3, 50);
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&pool, c] {
      for (int i = 0; i < 300; ++i) {
        const int64_t tasks = kTaskCounts[(i + c) % 7];
        const std::vector<int> once(static_cast<size_t>(tasks), 1);
        ASSERT_EQ(TimesDone({&pool, kWakes[i % 3]}, tasks), once) << tasks;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

// Each loop reads what other threads wrote in the one before, with nothing but the loop's end
// between them.
TEST(ParallelForTest, ResultsAreThereWhenTheLoopIsOver) {
  for (const int threads : {2, 3, 8}) {
    ThreadPool pool(threads, 100);
    constexpr size_t kSize = 64;
    std::vector<uint64_t> now(kSize, 1);
    std::vector<uint64_t> next(kSize, 0);
    std::vector<uint64_t> expected(kSize, 1);
    Random random(61);
    for (int round = 0; round < 200; ++round) {
      const auto turn = static_cast<size_t>(random.Between(0, kSize - 1));
      ParallelFor({&pool, Wake::kAlways}, kSize, [&](int64_t i) {
        const auto at = static_cast<size_t>(i);
        next[at] = (now[(at + turn) % kSize] * 3) + at;
      });
      now.swap(next);
      std::vector<uint64_t> after(kSize);
      for (size_t at = 0; at < kSize; ++at) after[at] = (expected[(at + turn) % kSize] * 3) + at;
      expected.swap(after);
      ASSERT_EQ(now, expected) << "round " << round << ", " << threads << " threads";
    }
  }
}

TEST(ParallelForTest, ManyTinyLoops) {
  for (const int threads : {2, 3}) {
    ThreadPool pool(threads, 100);
    std::atomic<int64_t> sum{0};
    constexpr int64_t kLoops = 100'000;
    for (int64_t i = 0; i < kLoops; ++i) {
      ParallelFor({&pool, i % 100 == 0 ? Wake::kAlways : Wake::kIfBusy}, 3,
                  [&](int64_t task) { sum.fetch_add(task + 1, std::memory_order_relaxed); });
    }
    EXPECT_EQ(sum, kLoops * 6);
  }
}

TEST(ShareTasksTest, MembersAreToldApart) {
  for (const int threads : kThreads) {
    ThreadPool pool(threads, 50);
    for (const int64_t tasks : kTaskCounts) {
      // Plain numbers, for each member its own.
      std::vector<int> times(static_cast<size_t>(threads), 0);
      std::vector<int64_t> taken(static_cast<size_t>(threads), 0);
      const std::thread::id here = std::this_thread::get_id();
      ShareTasks(Crew{&pool, Wake::kAlways}, tasks, [&](TaskSource& source, int member) {
        EXPECT_EQ(std::this_thread::get_id() == here, member == 0);
        ++times.at(static_cast<size_t>(member));
        // Shares are taken in order, from a member's own one on, each in order.
        int64_t last = -1;
        int steps_back = 0;
        for (int64_t i = source.Next(); i >= 0; i = source.Next()) {
          if (i < last) ++steps_back;
          EXPECT_NE(i, last);
          EXPECT_LE(steps_back, 1);
          EXPECT_LT(i, tasks);
          last = i;
          ++taken.at(static_cast<size_t>(member));
        }
      });
      EXPECT_EQ(times[0], 1);
      EXPECT_EQ(*std::max_element(times.begin(), times.end()), 1);
      EXPECT_EQ(std::accumulate(taken.begin(), taken.end(), int64_t{0}), tasks);
    }
  }
}

// Any other threads will do, and they may well come one after the other.
class Successive final : public Workers {
 public:
  int threads() const override { return 4; }
  void Run(Function function, void* context, Wake wake) override {
    for (int member : {2, 0, 3, 1}) function(context, member);
    wakes.push_back(wake);
  }

  std::vector<Wake> wakes;  ///< Of all jobs so far.
};

// Threads that all come, and begin together, so that they meet at every task.
class AllAtOnce final : public Workers {
 public:
  int threads() const override { return kMembers; }
  void Run(Function function, void* context, Wake /*wake*/) override {
    std::atomic<int> waiting{kMembers};
    const auto work = [&](int member) {
      --waiting;
      while (waiting > 0) std::this_thread::yield();
      function(context, member);
    };
    std::vector<std::thread> others;
    for (int member = 1; member < kMembers; ++member) others.emplace_back(work, member);
    work(0);
    for (std::thread& other : others) other.join();
  }

 private:
  static constexpr int kMembers = 3;
};

TEST(ShareTasksTest, ThreadsThatMeetAtEveryTaskDoEachOnce) {
  AllAtOnce workers;
  for (const int64_t tasks : {2, 3, 100, 1'000'000}) {
    const std::vector<int> once(static_cast<size_t>(tasks), 1);
    ASSERT_EQ(TimesDone({&workers, Wake::kAlways}, tasks), once) << tasks;
  }
}

TEST(ShareTasksTest, MembersAreTheWorkersOwn) {
  Successive workers;
  std::vector<int> members;
  ShareTasks(Crew{&workers, Wake::kAlways}, 2,
             [&](TaskSource& /*source*/, int member) { members.push_back(member); });
  EXPECT_EQ(members, (std::vector<int>{2, 0, 3, 1}));
}

TEST(ShareTasksTest, TakesAnyWorkersAndTellsThemWhetherToWake) {
  Successive workers;
  for (const Wake wake : kWakes) {
    EXPECT_EQ(TimesDone({&workers, wake}, 10), std::vector<int>(10, 1));
  }
  const std::vector<Wake> wakes(std::begin(kWakes), std::end(kWakes));
  EXPECT_EQ(workers.wakes, wakes);
  TimesDone({&workers, Wake::kAlways}, 1);
  TimesDone({&workers, Wake::kAlways}, 0);
  EXPECT_EQ(workers.wakes, wakes) << "less than two tasks are nothing to share";
}

TEST(TaskSourceTest, EndsForGood) {
  TaskSource source(3);
  for (int64_t i = 0; i < 3; ++i) EXPECT_EQ(source.Next(), i);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(source.Next(), -1);
  TaskSource none(0);
  EXPECT_EQ(none.Next(), -1);
}

// All tasks of a member's own share in order, then those of the others.
std::vector<int64_t> TakenBy(TaskSource* source, int64_t most) {
  std::vector<int64_t> tasks;
  for (int64_t i = 0; i < most; ++i) {
    const int64_t task = source->Next();
    if (task < 0) break;
    tasks.push_back(task);
  }
  return tasks;
}

TEST(TaskSourceTest, OwnTasksComeFirst) {
  TaskShares shares(10, 3);
  EXPECT_EQ(shares.count(), 3);
  TaskSource last(&shares, 2);
  EXPECT_EQ(TakenBy(&last, 2), (std::vector<int64_t>{6, 7}));
  TaskSource first(&shares, 0);
  EXPECT_EQ(TakenBy(&first, 1), (std::vector<int64_t>{0}));
  EXPECT_EQ(TakenBy(&last, 10), (std::vector<int64_t>{8, 9, 1, 2, 3, 4, 5}));
  EXPECT_EQ(TakenBy(&first, 10), (std::vector<int64_t>{}));
  EXPECT_EQ(last.Next(), -1);
}

TEST(TaskSourceTest, MoreMembersThanShares) {
  TaskShares few(2, 5);
  EXPECT_EQ(few.count(), 2);
  TaskSource fifth(&few, 4);
  EXPECT_EQ(TakenBy(&fifth, 9), (std::vector<int64_t>{0, 1}));
  TaskShares many(100, 50);
  EXPECT_EQ(many.count(), TaskShares::kMost);
  std::vector<bool> seen(100);
  for (int member = 49; member >= 0; --member) {
    TaskSource source(&many, member);
    for (const int64_t task : TakenBy(&source, member == 0 ? 100 : 2)) {
      EXPECT_FALSE(seen.at(static_cast<size_t>(task)));
      seen.at(static_cast<size_t>(task)) = true;
    }
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 100);
}

}  // namespace
}  // namespace tilewave::base
