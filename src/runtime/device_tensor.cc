#include "runtime/device_tensor.h"

#include <utility>

namespace tilewave {

namespace runtime {

void TensorHome::ReadBy(const std::shared_ptr<LaunchChain>& chain, uint64_t submission) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (shown_) return;
  std::erase_if(readers_, [&](const Reader& each) {
    const std::shared_ptr<LaunchChain> known = each.chain.lock();
    return known == nullptr || known == chain || known->IsPast(each.submission);
  });
  readers_.push_back({chain, submission});
}

Status TensorHome::ShowHost(device::Queue* queue, std::chrono::nanoseconds limit) {
  if (buffer_ == nullptr) return {};
  const std::lock_guard<std::mutex> lock(mutex_);
  if (shown_) return {};
  for (const Reader& each : readers_) {
    const std::shared_ptr<LaunchChain> chain = each.chain.lock();
    if (chain != nullptr &&
        chain->WaitFor(each.submission, queue, limit) == device::WaitCode::kTimeout) {
      return {StatusCode::kDeadlineExceeded,
              "a launch that hangs still reads what was to be read back"};
    }
  }
  readers_.clear();
  Status s = buffer_->Sync(device::SyncDirection::kFromDevice, 0, buffer_->bytes());
  shown_ = s.ok();
  return s;
}

}  // namespace runtime

DeviceTensor::DeviceTensor(std::shared_ptr<Impl> impl)
    : impl_(std::move(impl)),
      rows_(impl_->shape().rows),
      cols_(impl_->shape().cols),
      batch_(impl_->shape().batch),
      type_(impl_->shape().type) {}

}  // namespace tilewave
