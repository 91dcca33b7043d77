#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <chrono>
#include <deque>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "tests/support/crews.h"
#include "tests/support/numbers.h"

namespace tilewave::base {
namespace {

// Far longer than any wait here takes, so that a thread that never comes fails the test instead of
// hanging it.
constexpr int64_t kPatienceNs = int64_t{10} * 1000 * 1000 * 1000;

void SleepMs(int64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

template <typename Condition>
bool WaitUntil(Condition condition) {
  const int64_t start_ns = WallNowNs();
  while (!condition()) {
    if (WallNowNs() - start_ns > kPatienceNs) return false;
    std::this_thread::yield();
  }
  return true;
}

template <typename Body>
void RunBody(ThreadPool* pool, Wake wake, Body body) {
  pool->Run([](void* context, int member) { (*static_cast<Body*>(context))(member); }, &body, wake);
}

/// How often each member of a pool has entered a job. The caller is member 0.
class Visits {
 public:
  explicit Visits(const ThreadPool& pool) : times_(static_cast<size_t>(pool.threads())) {}

  void Count(int member) { ++times_.at(static_cast<size_t>(member)); }
  int all() const { return std::accumulate(times_.begin(), times_.end(), 0); }
  int caller() const { return times_[0]; }
  int workers() const { return all() - caller(); }
  /// The caller once and no worker twice.
  bool Fair() const {
    return caller() == 1 && *std::max_element(times_.begin(), times_.end()) == 1;
  }

 private:
  std::deque<std::atomic<int>> times_;
};

/// Runs a job that stays open until all threads of the pool have come, or patience ends. False if
/// they did not.
bool AllCome(ThreadPool* pool) {
  Visits visits(*pool);
  bool came = false;
  RunBody(pool, Wake::kAlways, [&](int member) {
    visits.Count(member);
    if (member == 0) came = WaitUntil([&] { return visits.all() == pool->threads(); });
  });
  EXPECT_TRUE(visits.Fair());
  return came;
}

TEST(ThreadPoolTest, CallerTakesPartOnceInItsOwnThread) {
  for (const int threads : kThreads) {
    ThreadPool pool(threads, 20);
    EXPECT_EQ(pool.threads(), threads);
    for (int i = 0; i < 200; ++i) {
      Visits visits(pool);
      const std::thread::id here = std::this_thread::get_id();
      RunBody(&pool, kWakes[i % 3], [&](int member) {
        visits.Count(member);
        EXPECT_EQ(std::this_thread::get_id() == here, member == 0);
      });
      // A worker that has done its part does not come a second time.
      ASSERT_TRUE(visits.Fair()) << threads << " threads";
    }
  }
}

TEST(ThreadPoolTest, AllWorkersComeToAJobThatStaysOpen) {
  for (const int threads : kThreads) {
    for (const int64_t spin_us : {1, 50, 2000}) {
      ThreadPool pool(threads, spin_us);
      for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(AllCome(&pool)) << threads << " threads, spin_us " << spin_us;
      }
    }
  }
}

TEST(ThreadPoolTest, WorkersRoundToNearestWhoeverStartsThem) {
  ThreadPool pool(2, 50);
  std::atomic<bool> ready{false};
  std::atomic<bool> to_nearest{false};
  ASSERT_EQ(std::fesetround(FE_UPWARD), 0);
  RunBody(&pool, Wake::kAlways, [&](int member) {
    if (member == 0) {
      EXPECT_TRUE(WaitUntil([&] { return ready.load(); }));
    } else {
      to_nearest.store(testing::RoundsToNearest());
      ready.store(true);
    }
  });
  EXPECT_FALSE(testing::RoundsToNearest());
  std::fesetround(FE_TONEAREST);
  EXPECT_TRUE(to_nearest.load());
}

TEST(ThreadPoolTest, WorkersThatDoNotSpinCome) {
  for (const int threads : kThreads) {
    ThreadPool pool(threads, 0);
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(AllCome(&pool)) << threads << " threads, job " << i;
  }
}

TEST(ThreadPoolTest, SleepingWorkersAreWoken) {
  for (const int64_t spin_us : {0, 1}) {
    ThreadPool pool(3, spin_us);
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(AllCome(&pool)) << "spin_us " << spin_us << ", job " << i;
      SleepMs(3);  // Enough for all of them to fall asleep, on nearly every turn.
    }
  }
}

// The moment between a worker's last look and its sleep is where a wake-up could be lost: the next
// job begins at a different moment of it each time.
TEST(ThreadPoolTest, NoWakeUpIsLostOnTheWayToSleep) {
  ThreadPool pool(2, 5);
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(AllCome(&pool)) << "job " << i;
    const int64_t until_ns = WallNowNs() + (i % 100 * 100);
    while (WallNowNs() < until_ns) {
    }
  }
}

TEST(ThreadPoolTest, WithoutWorkersAJobThatWakesNobodyRunsHere) {
  for (const int threads : kThreads) {
    ThreadPool pool(threads, 1000);
    for (int i = 0; i < 20; ++i) {
      Visits visits(pool);
      RunBody(&pool, Wake::kNever, [&](int member) {
        visits.Count(member);
        if (i == 0) SleepMs(2);  // A worker started by mistake would have the time to come.
      });
      ASSERT_EQ(visits.caller(), 1);
      ASSERT_EQ(visits.all(), 1);
    }
    EXPECT_TRUE(AllCome(&pool)) << "it has not been left free";
  }
}

// One job that asks for help only if there is more to come, and then a pause, again and again.
TEST(ThreadPoolTest, JobsFarApartDoNotMakeItBusy) {
  ThreadPool pool(3, 100);
  for (int i = 0; i < 5; ++i) {
    Visits visits(pool);
    RunBody(&pool, Wake::kIfBusy, [&](int member) {
      visits.Count(member);
      SleepMs(2);
    });
    EXPECT_EQ(visits.all(), 1) << "job " << i;
    SleepMs(5);
  }
}

TEST(ThreadPoolTest, JobsCloseTogetherMakeItBusy) {
  for (const int64_t spin_us : {1, 100}) {
    ThreadPool pool(3, spin_us);
    // More than two jobs, in case this thread is kept from running between them.
    EXPECT_TRUE(WaitUntil([&] {
      Visits visits(pool);
      RunBody(&pool, Wake::kIfBusy, [&](int member) {
        visits.Count(member);
        const int64_t start_ns = WallNowNs();
        while (member == 0 && visits.all() < 3 && WallNowNs() - start_ns < 10'000'000) {
          std::this_thread::yield();
        }
      });
      EXPECT_TRUE(visits.Fair());
      return visits.all() == 3;
    })) << "spin_us "
        << spin_us;
  }
}

TEST(ThreadPoolTest, JobsThatWakeNobodyAreRunWhileWorkersSleep) {
  ThreadPool pool(3, 1);
  ASSERT_TRUE(AllCome(&pool));
  SleepMs(3);
  for (int i = 0; i < 1000; ++i) {
    Visits visits(pool);
    RunBody(&pool, Wake::kNever, [&](int member) { visits.Count(member); });
    ASSERT_TRUE(visits.Fair());
  }
  // What has been slept through is not made up for, and the next one that wakes is not missed.
  ASSERT_TRUE(AllCome(&pool));
}

TEST(ThreadPoolTest, NestedJobsRunInTheThreadThatAsks) {
  for (const int threads : kThreads) {
    ThreadPool pool(threads, 50);
    for (int i = 0; i < 10; ++i) {
      Visits outer(pool);
      RunBody(&pool, Wake::kAlways, [&](int member) {
        Visits inner(pool);
        const std::thread::id here = std::this_thread::get_id();
        RunBody(&pool, Wake::kAlways, [&](int inner_member) {
          inner.Count(inner_member);
          EXPECT_EQ(std::this_thread::get_id(), here);
          RunBody(&pool, Wake::kAlways, [&](int innermost) { inner.Count(innermost); });
        });
        // Alone, a thread is the caller, whatever it is in the job around.
        EXPECT_EQ(inner.caller(), 2);
        EXPECT_EQ(inner.workers(), 0);
        outer.Count(member);
        if (member == 0) {
          EXPECT_TRUE(WaitUntil([&] { return outer.all() == threads; }));
        }
      });
      ASSERT_TRUE(outer.Fair());
    }
  }
}

TEST(ThreadPoolTest, ACallerThatFindsThePoolTakenWorksAlone) {
  ThreadPool pool(3, 50);
  std::atomic<bool> taken{false};
  std::atomic<bool> done{false};
  std::thread first([&] {
    RunBody(&pool, Wake::kAlways, [&](int member) {
      if (member != 0) return;
      taken = true;
      EXPECT_TRUE(WaitUntil([&] { return done.load(); }));
    });
  });
  ASSERT_TRUE(WaitUntil([&] { return taken.load(); }));
  for (int i = 0; i < 100; ++i) {
    Visits visits(pool);
    RunBody(&pool, Wake::kAlways, [&](int member) { visits.Count(member); });
    EXPECT_EQ(visits.caller(), 1);
    EXPECT_EQ(visits.workers(), 0);
  }
  done = true;
  first.join();
  EXPECT_TRUE(AllCome(&pool));  // It is free again.
}

TEST(ThreadPoolTest, ManyCallersAtATime) {
  constexpr int kCallers = 4;
  constexpr int kJobs = 1500;
  for (const int threads : {2, 3}) {
    ThreadPool pool(threads, 20);
    std::vector<std::thread> callers;
    for (int c = 0; c < kCallers; ++c) {
      callers.emplace_back([&pool, c] {
        for (int i = 0; i < kJobs; ++i) {
          Visits visits(pool);
          int own = 0;  // Not atomic: only the caller's part may write it.
          RunBody(&pool, kWakes[(i + c) % 3], [&](int member) {
            visits.Count(member);
            if (member == 0) ++own;
          });
          ASSERT_EQ(own, 1);
          ASSERT_TRUE(visits.Fair());
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
  }
}

/// A job's context, watched for calls that begin or end when Run has come back.
struct Watched {
  bool linger = false;  ///< Whether the caller's part waits for a worker.
  std::atomic<bool> over{false};
  std::atomic<int> late{0};
  std::atomic<int> parts{0};
};

void Watch(void* context, int member) {
  auto* job = static_cast<Watched*>(context);
  if (job->over) ++job->late;
  ++job->parts;
  if (job->linger && member == 0) {
    EXPECT_TRUE(WaitUntil([&] { return job->parts > 1; }));
  }
  if (job->over) ++job->late;
}

TEST(ThreadPoolTest, NothingTouchesAContextOnceRunHasComeBack) {
  constexpr int kJobs = 100'000;
  for (const int threads : {2, 3}) {
    ThreadPool pool(threads, 100);
    // All in different places, so that a late worker is not taken for one of the next job.
    std::deque<Watched> jobs(kJobs);
    for (int i = 0; i < kJobs; ++i) {
      Watched& job = jobs[static_cast<size_t>(i)];
      job.linger = i % 500 == 0;  // Else a busy machine may not let a single worker come.
      pool.Run(Watch, &job, job.linger ? Wake::kAlways : kWakes[i % 2]);
      job.over = true;
    }
    for (const Watched& job : jobs) {
      ASSERT_EQ(job.late, 0);
      ASSERT_GE(job.parts, 1);
      ASSERT_LE(job.parts, threads);
    }
  }
}

// No atomics and no locks in the data: a race detector sees a hand-over that does not order them.
TEST(ThreadPoolTest, EachSideSeesWhatTheOtherWroteBefore) {
  ThreadPool pool(3, 50);
  int64_t given = 0;
  for (int i = 0; i < 300; ++i) {
    int64_t sums[3] = {};
    std::atomic<int> places{0};
    given += i;
    RunBody(&pool, Wake::kAlways, [&](int member) {
      ++places;  // Before the write, so that the count orders nothing either.
      sums[member] = given + member;
      if (member == 0) {
        EXPECT_TRUE(WaitUntil([&] { return places == 3; }));
      }
    });
    for (int member = 0; member < 3; ++member) ASSERT_EQ(sums[member], given + member);
  }
}

TEST(ThreadPoolTest, EndsWhateverItsWorkersDo) {
  for (const int threads : kThreads) {
    // Never started.
    { const ThreadPool pool(threads, 100); }
    {  // Asleep.
      ThreadPool pool(threads, 1);
      RunBody(&pool, Wake::kAlways, [](int) {});
      SleepMs(2);
    }
    for (int i = 0; i < 10; ++i) {  // Starting, looking for work, or on the way to sleep.
      ThreadPool pool(threads, i % 3 * 200);
      RunBody(&pool, Wake::kAlways, [](int) {});
    }
  }
}

// Looking for work is no reason to keep the one waiting who ends the pool.
TEST(ThreadPoolTest, WorkersThatSpinForLongEndAtOnce) {
  auto pool = std::make_unique<ThreadPool>(2, 3'000'000);
  ASSERT_TRUE(AllCome(pool.get()));
  const int64_t start_ns = WallNowNs();
  pool.reset();
  EXPECT_LT(NsToUs(WallNowNs() - start_ns), 1e6);
}

}  // namespace
}  // namespace tilewave::base
