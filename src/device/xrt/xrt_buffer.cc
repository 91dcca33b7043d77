#include "device/xrt/xrt_buffer.h"

#include <fmt/format.h>

#include <atomic>
#include <utility>

namespace tilewave::device::xrt {
namespace {

/// Pointers are used again when a buffer goes; a run that remembers its arguments must not take
/// another buffer for the one that it knew.
uint64_t NewId() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

XrtBuffer::XrtBuffer(const void* device, std::unique_ptr<DriverBuffer> buffer, size_t offset)
    : device_(device),
      buffer_(std::move(buffer)),
      host_(buffer_->host()),
      offset_(offset),
      id_(NewId()) {}

Status XrtBuffer::Sync(SyncDirection direction, size_t offset, size_t bytes) {
  if (bytes == 0) return {};
  return buffer_->Sync(direction, offset, bytes);
}

Result<std::unique_ptr<Buffer>> XrtBuffer::Slice(size_t offset, size_t bytes) {
  if ((offset_ + offset) % arch::kCacheLineBytes != 0) {
    return Status(StatusCode::kInternal,
                  fmt::format("a window at byte {} of a device buffer; expected a multiple of {}",
                              offset_ + offset, arch::kCacheLineBytes));
  }
  Result<std::unique_ptr<DriverBuffer>> slice = buffer_->Slice(offset, bytes);
  if (!slice.ok()) return slice.status();
  return std::unique_ptr<Buffer>(
      std::make_unique<XrtBuffer>(device_, *std::move(slice), offset_ + offset));
}

Result<XrtBuffer::Argument> XrtBuffer::ArgumentAt(size_t offset, size_t bytes) {
  if (offset == 0 && bytes == this->bytes()) return Argument{buffer_.get(), id_};
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Stretch& each : stretches_) {
    if (each.offset == offset && each.bytes == bytes) return Argument{each.buffer.get(), each.id};
  }
  Result<std::unique_ptr<DriverBuffer>> slice = buffer_->Slice(offset, bytes);
  if (!slice.ok()) return slice.status();
  stretches_.push_back({offset, bytes, NewId(), *std::move(slice)});
  return Argument{stretches_.back().buffer.get(), stretches_.back().id};
}

}  // namespace tilewave::device::xrt
