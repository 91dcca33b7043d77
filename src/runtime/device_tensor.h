#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/aligned_buffer.h"
#include "core/problem.h"
#include "device/device.h"
#include "runtime/launch_chain.h"
#include "tilewave/tensors.h"

namespace tilewave::runtime {

class ArrayCall;

/// The memory that holds a tensor's elements: a device's, or the host's. It never moves; a tensor
/// whose elements move has another home afterwards.
class TensorHome {
 public:
  /// Device memory, of which the first byte is the first element. `strides` in elements.
  TensorHome(std::unique_ptr<device::Buffer> buffer, const core::Strides& strides)
      : strides_(strides), buffer_(std::move(buffer)) {}
  /// Host memory, dense.
  TensorHome(size_t bytes, const core::Strides& strides) : strides_(strides), host_(bytes) {}

  bool on_device() const { return buffer_ != nullptr; }
  const core::Strides& strides() const { return strides_; }
  /// 0 if it is host memory.
  int64_t device_bytes() const {
    return buffer_ == nullptr ? 0 : static_cast<int64_t>(buffer_->bytes());
  }
  device::BufferRange range() const { return {buffer_.get(), 0, buffer_->bytes()}; }

  /// The host's view of the elements; of device memory, what ShowHost has brought there.
  std::byte* host() { return buffer_ == nullptr ? host_.data() : buffer_->host(); }

  /// Says that a launch of the chain's submission of this number reads from here.
  void ReadBy(const std::shared_ptr<LaunchChain>& chain, uint64_t submission);

  /// Says that what was written here was written in that order of the device (Fence::order).
  void WrittenIn(uint64_t order) {
    const std::lock_guard<std::mutex> lock(mutex_);
    order_ = order;
  }
  uint64_t order() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return order_;
  }

  /// Says that the host's view is what the device has: it was written there.
  void IsShown() {
    const std::lock_guard<std::mutex> lock(mutex_);
    shown_ = true;
  }

  /// Makes what the device wrote visible to the host, if that has not been done since. Waits until
  /// nothing in flight reads from here, `limit` of device time for each: syncs are for memory that
  /// the device has let go of. Errors: the device's; kDeadlineExceeded.
  /// REQUIRES: the launch that writes here has ended well.
  [[nodiscard]] Status ShowHost(device::Queue* queue, std::chrono::nanoseconds limit);

 private:
  const core::Strides strides_;
  base::AlignedBuffer host_;
  std::unique_ptr<device::Buffer> buffer_;
  struct Reader {
    std::weak_ptr<LaunchChain> chain;
    uint64_t submission = 0;
  };

  mutable std::mutex mutex_;
  uint64_t order_ = 0;           ///< Guarded.
  bool shown_ = false;           ///< Guarded.
  std::vector<Reader> readers_;  ///< Guarded. Some may have ended.
};

}  // namespace tilewave::runtime

namespace tilewave {

/// What a DeviceTensor handle points to. Thread-safe.
class DeviceTensor::Impl {
 public:
  struct Shape {
    ElementType type = ElementType::kS8;
    int64_t batch = 1;
    int64_t rows = 0;
    int64_t cols = 0;

    /// Of dense rows.
    core::Strides Dense() const { return {cols, 1, batch == 1 ? 0 : rows * cols}; }
    size_t bytes() const { return static_cast<size_t>(batch * rows * cols) * ElementBytes(type); }
  };

  /// `payload_domain`: of the device whose memory this is.
  Impl(const Shape& shape, uint64_t payload_domain)
      : shape_(shape), payload_domain_(payload_domain) {}

  const Shape& shape() const { return shape_; }
  uint64_t payload_domain() const { return payload_domain_; }

  std::shared_ptr<runtime::TensorHome> home() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return home_;
  }
  void Move(std::shared_ptr<runtime::TensorHome> home) {
    const std::lock_guard<std::mutex> lock(mutex_);
    home_ = std::move(home);
  }

  /// The call that is to write the elements; null once it has ended.
  std::shared_ptr<runtime::ArrayCall> producer() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return producer_;
  }
  void MadeBy(std::shared_ptr<runtime::ArrayCall> call) {
    const std::lock_guard<std::mutex> lock(mutex_);
    producer_ = std::move(call);
  }
  void End(const Status& status) {
    std::shared_ptr<runtime::ArrayCall> ended;  // Goes without the lock: it holds this tensor.
    const std::lock_guard<std::mutex> lock(mutex_);
    status_ = status;
    ended.swap(producer_);
  }
  /// How the call ended that was to write the elements.
  Status status() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return status_;
  }

 private:
  const Shape shape_;
  const uint64_t payload_domain_;
  mutable std::mutex mutex_;  // Guards the rest.
  std::shared_ptr<runtime::TensorHome> home_;
  std::shared_ptr<runtime::ArrayCall> producer_;
  Status status_;
};

}  // namespace tilewave
