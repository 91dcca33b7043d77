#include "runtime/launch_chain.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace tilewave::runtime {
namespace {

/// Of waits for other threads, so that no sum of times overflows.
constexpr std::chrono::nanoseconds kLongestWait = std::chrono::hours(1);

/// While it lives, the lock is open and a flag says why, however that ends.
class Unlocked {
 public:
  Unlocked(std::unique_lock<std::mutex>* lock, bool* flag) : lock_(lock), flag_(flag) {
    *flag_ = true;
    lock_->unlock();
  }
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;
  ~Unlocked() {
    lock_->lock();
    *flag_ = false;
  }

 private:
  std::unique_lock<std::mutex>* lock_;
  bool* flag_;
};

}  // namespace

uint64_t LaunchChain::Open() {
  const Lock lock(mutex_);
  TW_CHECK(state_ != State::kInFlight);
  launches_.clear();
  fence_ = {};
  waited_ = std::chrono::nanoseconds(-1);
  state_ = State::kOpen;
  return ++submission_;
}

size_t LaunchChain::Add(const device::Launch& launch) {
  const Lock lock(mutex_);
  TW_CHECK(state_ == State::kOpen && launches_.size() < device::kMaxChainLaunches);
  launches_.push_back(launch);
  return launches_.size() - 1;
}

device::SubmitCode LaunchChain::TrySubmit(device::Queue* queue) {
  const Lock lock(mutex_);
  const device::SubmitCode code = queue->TrySubmit(launches_, &fence_);
  if (code == device::SubmitCode::kQueueFull) return code;
  const bool runs = code == device::SubmitCode::kAccepted && !fence_.done;
  state_ = runs ? State::kInFlight : State::kEnded;
  changed_.notify_all();
  return code;
}

void LaunchChain::Close() {
  const Lock lock(mutex_);
  if (state_ == State::kOpen) state_ = State::kEnded;
  changed_.notify_all();
}

bool LaunchChain::Done(device::Queue* queue) {
  const Lock lock(mutex_);
  if (state_ == State::kInFlight && !waiting_ && queue->Poll(&fence_)) state_ = State::kEnded;
  return state_ == State::kEnded;
}

device::WaitCode LaunchChain::Wait(device::Queue* queue, std::chrono::nanoseconds limit) {
  return WaitFor(std::numeric_limits<uint64_t>::max(), queue, limit);
}

device::WaitCode LaunchChain::WaitFor(uint64_t submission, device::Queue* queue,
                                      std::chrono::nanoseconds limit) {
  Lock lock(mutex_);
  const auto end = std::chrono::steady_clock::now() + std::min(limit, kLongestWait);
  while (state_ != State::kEnded && submission >= submission_) {
    if (state_ == State::kInFlight && !waiting_) return WaitForDevice(queue, limit, &lock);
    // Another thread is about to submit it, or waits for the device.
    if (changed_.wait_until(lock, end) == std::cv_status::timeout) {
      const bool ended = state_ == State::kEnded || submission < submission_;
      return ended ? device::WaitCode::kDone : device::WaitCode::kTimeout;
    }
  }
  return device::WaitCode::kDone;
}

device::WaitCode LaunchChain::WaitForDevice(device::Queue* queue, std::chrono::nanoseconds limit,
                                            Lock* lock) {
  bool in_vain = false;
  if (limit <= waited_) {
    in_vain = !queue->Poll(&fence_);
  } else {
    {
      const Unlocked unlocked(lock, &waiting_);
      in_vain = queue->Wait(&fence_, limit) == device::WaitCode::kTimeout;
    }
    waited_ = in_vain ? std::max(waited_, limit) : waited_;
  }
  if (!in_vain) state_ = State::kEnded;
  changed_.notify_all();
  return in_vain ? device::WaitCode::kTimeout : device::WaitCode::kDone;
}

bool LaunchChain::IsPast(uint64_t submission) const {
  const Lock lock(mutex_);
  return submission < submission_ || state_ == State::kEnded;
}

size_t LaunchChain::size() const {
  const Lock lock(mutex_);
  return launches_.size();
}

Status LaunchChain::StatusOf(size_t launch) const {
  const Lock lock(mutex_);
  return launch < fence_.good_launches ? Status() : fence_.status;
}

int64_t LaunchChain::kernel_ns() const {
  const Lock lock(mutex_);
  return fence_.kernel_ns;
}

uint64_t LaunchChain::order() const {
  const Lock lock(mutex_);
  return fence_.order;
}

}  // namespace tilewave::runtime
