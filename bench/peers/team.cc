#include "bench/peers/team.h"

#include <pthread.h>
#include <sched.h>

namespace peers {

Team::Team(const std::vector<int>& cpus) {
  for (size_t i = 0; i < cpus.size(); ++i) {
    threads_.emplace_back([this, i, cpu = cpus[i]] { Loop(static_cast<int>(i), cpu); });
  }
}

Team::~Team() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Team::Run(const std::function<void(int)>& work) {
  std::unique_lock<std::mutex> lock(mutex_);
  work_ = &work;
  running_ = size();
  arrived_ = 0;
  ++round_;
  changed_.notify_all();
  changed_.wait(lock, [this] { return running_ == 0; });
}

void Team::Loop(int index, int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(cpu), &set);
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
  int64_t seen = 0;
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return ending_ || round_ != seen; });
    if (ending_) return;
    seen = round_;
    const std::function<void(int)>& work = *work_;
    lock.unlock();
    // Start together: what one thread does alone, while the other is being woken, is not a
    // measurement of two.
    for (++arrived_; arrived_ < size();) std::this_thread::yield();
    work(index);
    lock.lock();
    if (--running_ == 0) changed_.notify_all();
  }
}

}  // namespace peers
