#include "base/thread_pool.h"

#include <exception>

#include "base/clock.h"
#include "base/float_environment.h"

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace tilewave::base {
namespace {

// Layout of ThreadPool::state_.
constexpr uint64_t kOneWorker = 1;
constexpr uint64_t kWorkersMask = 0xFFFF;
constexpr uint64_t kOpen = 0x10000;
constexpr uint64_t kOneJob = 0x20000;

// Work that ended no longer ago than this promises more.
constexpr int64_t kBusyNs = 1'000'000;

// Looks for the last workers to leave this often before it lets others have the CPU.
constexpr int kLooksPerYield = 4096;

// Looks at the state this often between two looks at the clock.
constexpr int kLooksPerClock = 64;

void Pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

ThreadPool::ThreadPool(int threads, int64_t spin_us) : threads_(threads), spin_us_(spin_us) {}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ending_.store(true);
  }
  wake_up_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::Run(Function function, void* context, Wake wake) {
  if (threads_ == 1 || taken_.exchange(true, std::memory_order_acquire)) {
    function(context, 0);
    return;
  }
  if (workers_.empty() && WorthWaking(wake)) Start();
  if (workers_.empty()) {
    taken_.store(false, std::memory_order_release);
    function(context, 0);
    NoteEnd(wake);
    return;
  }
  job_ = {function, context};
  // Sequentially consistent, as is the worker's way to sleep: either it sees this job or it is
  // seen sleeping.
  state_.fetch_add(kOneJob + kOpen);
  if (sleepers_.load() > 0 && WorthWaking(wake)) {
    WakeAll();
  }
  function(context, 0);
  state_.fetch_sub(kOpen, std::memory_order_acq_rel);
  int looks = 0;
  while ((state_.load(std::memory_order_acquire) & kWorkersMask) != 0) {
    // A worker that the system has taken off its CPU may want this one.
    if (looks < kLooksPerYield) {
      ++looks;
      Pause();
    } else {
      std::this_thread::yield();
    }
  }
  NoteEnd(wake);
  taken_.store(false, std::memory_order_release);
}

bool ThreadPool::WorthWaking(Wake wake) const {
  if (wake != Wake::kIfBusy) return wake == Wake::kAlways;
  return WallNowNs() - last_job_ns_.load(std::memory_order_relaxed) < kBusyNs;
}

void ThreadPool::NoteEnd(Wake wake) {
  if (wake != Wake::kNever) last_job_ns_.store(WallNowNs(), std::memory_order_relaxed);
}

bool ThreadPool::TryJoin(int member, uint64_t* seen) {
  uint64_t state = state_.load();
  while ((state & kOpen) != 0 && state / kOneJob != *seen) {
    if (!state_.compare_exchange_weak(state, state + kOneWorker, std::memory_order_acquire)) {
      continue;
    }
    *seen = state / kOneJob;
    job_.function(job_.context, member);
    state_.fetch_sub(kOneWorker, std::memory_order_release);
    return true;
  }
  return false;
}

void ThreadPool::Work(int member) {
  // Not that of whoever happened to start this thread.
  const DefaultFloatEnvironment environment;
  uint64_t seen = 0;
  for (;;) {
    const int64_t last_ns = WallNowNs();
    bool worked = false;
    do {
      for (int look = 0; look < kLooksPerClock && !worked; ++look) {
        worked = TryJoin(member, &seen);
        if (!worked) Pause();
      }
    } while (!worked && !ending_.load() && WallNowNs() - last_ns < spin_us_ * 1000);
    if (worked) continue;
    std::unique_lock<std::mutex> lock(mutex_);
    sleepers_.fetch_add(1);
    // Woken for a job that has ended meanwhile, it looks for the next one all the same.
    const uint64_t wake_ups = wake_ups_;
    wake_up_.wait(lock, [&] {
      const uint64_t state = state_.load();
      return ending_.load() || wake_ups_ != wake_ups ||
             ((state & kOpen) != 0 && state / kOneJob != seen);
    });
    sleepers_.fetch_sub(1);
    if (ending_.load()) return;
  }
}

void ThreadPool::Start() {
  try {
    workers_.reserve(static_cast<size_t>(threads_ - 1));
    for (int i = 1; i < threads_; ++i) workers_.emplace_back([this, i] { Work(i); });
  } catch (const std::exception&) {
    // The system gives no more threads, or no memory for them: those that there are do the work.
  }
}

void ThreadPool::WakeAll() {
  {
    // Under the lock, so that no worker is between its look at the state and its sleep.
    const std::lock_guard<std::mutex> lock(mutex_);
    ++wake_ups_;
  }
  wake_up_.notify_all();
}

}  // namespace tilewave::base
