#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "base/workers.h"

namespace tilewave::base {

/// Runs one function on several threads at a time, the caller among them. A pool has one job at a
/// time; a caller that finds it taken works alone and so adds no thread but its own. Results must
/// not depend on how many take part: there is no promise that any worker comes.
///
/// A worker that has just worked keeps looking for the next job for a while before it sleeps;
/// while it looks, joining a job costs a fraction of a microsecond.
class ThreadPool final : public Workers {
 public:
  /// `threads` counts the caller; workers are started by the first job that wakes them.
  /// `spin_us`: how long a worker looks for work before it sleeps.
  ThreadPool(int threads, int64_t spin_us);
  /// Blocks until all workers have ended. REQUIRES: no job is running.
  ~ThreadPool() override;

  int threads() const override { return threads_; }

  /// The caller is member 0. Workers come until the call here returns.
  void Run(Function function, void* context, Wake wake) override;

 private:
  struct Job {
    Function function = nullptr;
    void* context = nullptr;
  };

  void Work(int member);
  bool TryJoin(int member, uint64_t* seen);
  bool WorthWaking(Wake wake) const;
  void NoteEnd(Wake wake);
  void Start();
  void WakeAll();

  const int threads_;
  const int64_t spin_us_;
  std::atomic<bool> taken_{false};
  Job job_;  ///< Written by the caller that has taken the pool, before it opens the job.

  /// [job number | open | workers at work]; see the constants in the source.
  alignas(64) std::atomic<uint64_t> state_{0};

  alignas(64) std::atomic<int> sleepers_{0};
  std::atomic<bool> ending_{false};
  std::atomic<int64_t> last_job_ns_{0};  ///< When the last job ended that wanted company.
  std::mutex mutex_;
  uint64_t wake_ups_ = 0;  ///< Guarded by mutex_.
  std::condition_variable wake_up_;
  std::vector<std::thread> workers_;  ///< Guarded by taken_.
};

}  // namespace tilewave::base
