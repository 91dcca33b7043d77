#include "runtime/device_tensor.h"

#include <utility>

namespace tilewave {

namespace runtime {

Status TensorHome::ShowHost() {
  if (buffer_ == nullptr) return {};
  const std::lock_guard<std::mutex> lock(mutex_);
  if (shown_) return {};
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
