#include "runtime/launch_chain.h"

#include "base/check.h"

namespace tilewave::runtime {

void LaunchChain::Clear() {
  TW_CHECK(!pending_);
  launches_.clear();
  fence_ = {};
  given_up_ = false;
}

size_t LaunchChain::Add(const device::Launch& launch) {
  TW_CHECK(!pending_ && launches_.size() < device::kMaxChainLaunches);
  launches_.push_back(launch);
  return launches_.size() - 1;
}

device::SubmitCode LaunchChain::TrySubmit(device::Queue* queue) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const device::SubmitCode code = queue->TrySubmit(launches_, &fence_);
  pending_ = code == device::SubmitCode::kAccepted && !fence_.done;
  return code;
}

bool LaunchChain::Done(device::Queue* queue) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (pending_ && queue->Poll(&fence_)) pending_ = false;
  return !pending_;
}

device::WaitCode LaunchChain::Wait(device::Queue* queue, std::chrono::nanoseconds limit) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!pending_) return device::WaitCode::kDone;
  if (given_up_) {
    if (!queue->Poll(&fence_)) return device::WaitCode::kTimeout;
  } else if (queue->Wait(&fence_, limit) == device::WaitCode::kTimeout) {
    given_up_ = true;
    return device::WaitCode::kTimeout;
  }
  pending_ = false;
  return device::WaitCode::kDone;
}

bool LaunchChain::WaitDone(device::Queue* queue, std::chrono::nanoseconds limit) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (pending_ && queue->Wait(&fence_, limit) == device::WaitCode::kTimeout) return false;
  pending_ = false;
  return true;
}

Status LaunchChain::StatusOf(size_t launch) const {
  return launch < fence_.good_launches ? Status() : fence_.status;
}

}  // namespace tilewave::runtime
