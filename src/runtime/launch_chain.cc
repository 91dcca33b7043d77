#include "runtime/launch_chain.h"

#include <algorithm>

#include "base/check.h"

namespace tilewave::runtime {
namespace {

/// No lock of a mutex takes this long in earnest, and no sum of times overflows.
constexpr std::chrono::nanoseconds kLongestLock = std::chrono::hours(1);

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
  submitted_.notify_all();
  return code;
}

void LaunchChain::Close() {
  const Lock lock(mutex_);
  if (state_ == State::kOpen) state_ = State::kEnded;
  submitted_.notify_all();
}

bool LaunchChain::Done(device::Queue* queue) {
  const Lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return false;
  if (state_ == State::kInFlight && queue->Poll(&fence_)) state_ = State::kEnded;
  return state_ == State::kEnded;
}

device::WaitCode LaunchChain::Wait(device::Queue* queue, std::chrono::nanoseconds limit) {
  Lock lock(mutex_, std::min(limit, kLongestLock));
  return lock.owns_lock() ? WaitLocked(queue, limit, &lock) : device::WaitCode::kTimeout;
}

device::WaitCode LaunchChain::WaitFor(uint64_t submission, device::Queue* queue,
                                      std::chrono::nanoseconds limit) {
  Lock lock(mutex_, std::min(limit, kLongestLock));
  if (!lock.owns_lock()) return device::WaitCode::kTimeout;
  return submission < submission_ ? device::WaitCode::kDone : WaitLocked(queue, limit, &lock);
}

device::WaitCode LaunchChain::WaitLocked(device::Queue* queue, std::chrono::nanoseconds limit,
                                         Lock* lock) {
  const auto is_submitted = [this] { return state_ != State::kOpen; };
  if (!submitted_.wait_for(*lock, std::min(limit, kLongestLock), is_submitted)) {
    return device::WaitCode::kTimeout;
  }
  if (state_ == State::kEnded) return device::WaitCode::kDone;
  const bool in_vain = limit <= waited_ ? !queue->Poll(&fence_)
                                        : queue->Wait(&fence_, limit) == device::WaitCode::kTimeout;
  if (in_vain) {
    waited_ = std::max(waited_, limit);
    return device::WaitCode::kTimeout;
  }
  state_ = State::kEnded;
  return device::WaitCode::kDone;
}

bool LaunchChain::IsPast(uint64_t submission) const {
  const Lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return false;
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
