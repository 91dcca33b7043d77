#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "device/device.h"
#include "device/xrt/driver_seam.h"
#include "tilewave/status.h"

namespace tilewave::device::xrt {

/// A data buffer of the driver, or a window into one.
class XrtBuffer final : public Buffer {
 public:
  /// `device` tells whose it is. `offset`: of this window in memory that starts with a page.
  XrtBuffer(const void* device, std::unique_ptr<DriverBuffer> buffer, size_t offset);

  size_t bytes() const override { return buffer_->bytes(); }
  std::byte* host() override { return host_; }
  [[nodiscard]] Status Sync(SyncDirection direction, size_t offset, size_t bytes) override;

  /// kInternal: a window that would share a cache line with its neighbour, as syncs move whole
  /// lines.
  [[nodiscard]] Result<std::unique_ptr<Buffer>> Slice(size_t offset, size_t bytes) override;

  /// What a run takes as an argument. The id is that of memory and range, and never used again.
  struct Argument {
    DriverBuffer* buffer = nullptr;
    uint64_t id = 0;
  };

  /// A stretch as an argument: a sub-buffer, kept, if it is not all of this.
  /// REQUIRES: offset + bytes <= this->bytes().
  [[nodiscard]] Result<Argument> ArgumentAt(size_t offset, size_t bytes);

  bool BelongsTo(const void* device) const { return device_ == device; }

 private:
  struct Stretch {
    size_t offset = 0;
    size_t bytes = 0;
    uint64_t id = 0;
    std::unique_ptr<DriverBuffer> buffer;
  };

  const void* device_;
  std::unique_ptr<DriverBuffer> buffer_;
  std::byte* host_;
  size_t offset_;
  uint64_t id_;
  std::mutex mutex_;
  std::vector<Stretch> stretches_;  ///< Guarded; goes before the buffer that it is part of.
};

}  // namespace tilewave::device::xrt
