#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

namespace tilewave::base {

/// One cache line of every CPU we run on, and the width of the widest vector store.
inline constexpr size_t kBufferAlignment = 64;

/// Owned raw bytes, 64-byte aligned, not initialised. Move-only. Throws std::bad_alloc like any
/// container; the engine turns that into kResourceExhausted at the public boundary.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t bytes)
      : data_(static_cast<std::byte*>(::operator new (bytes, std::align_val_t{kBufferAlignment}))),
        bytes_(bytes) {}

  /// A buffer that was moved from is empty.
  AlignedBuffer(AlignedBuffer&& other) noexcept
      : data_(std::move(other.data_)), bytes_(std::exchange(other.bytes_, 0)) {}
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    data_ = std::move(other.data_);
    bytes_ = std::exchange(other.bytes_, 0);
    return *this;
  }

  size_t bytes() const { return bytes_; }

  template <typename T = std::byte>
  T* data() {
    return reinterpret_cast<T*>(data_.get());
  }
  template <typename T = std::byte>
  const T* data() const {
    return reinterpret_cast<const T*>(data_.get());
  }

  /// Makes room for at least `bytes`, losing the contents; keeps larger memory as it is.
  void Reserve(size_t bytes) {
    if (bytes > bytes_) *this = AlignedBuffer(bytes);
  }

 private:
  struct Free {
    void operator()(std::byte* data) const {
      ::operator delete (data, std::align_val_t{kBufferAlignment});
    }
  };
  std::unique_ptr<std::byte, Free> data_;
  size_t bytes_ = 0;
};

}  // namespace tilewave::base
