#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace peers {

/// Threads, each held on one CPU, that sleep until they are given work and start it together.
class Team {
 public:
  /// One thread per CPU number.
  explicit Team(const std::vector<int>& cpus);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int size() const { return static_cast<int>(threads_.size()); }

  /// Calls work(i) in thread i for all i, and returns when all have ended.
  void Run(const std::function<void(int)>& work);

 private:
  void Loop(int index, int cpu);

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void(int)>* work_ = nullptr;
  int64_t round_ = 0;
  int running_ = 0;
  bool ending_ = false;
  std::atomic<int> arrived_{0};
  std::vector<std::thread> threads_;
};

}  // namespace peers
