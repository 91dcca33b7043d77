#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

namespace tilewave::base {

/// One cache line of every CPU we run on, and the width of the widest vector store.
inline constexpr size_t kBufferAlignment = 64;

/// Buffers of this size and more begin at a huge page and ask for such pages: packed weights are
/// read from end to end, and small pages of tens of megabytes are more than a CPU keeps track of.
inline constexpr size_t kHugeBufferBytes = size_t{4} << 20;
inline constexpr size_t kHugePageBytes = size_t{2} << 20;

/// Asks the system for huge pages; it may not have any.
void AdviseHugePages(void* data, size_t bytes);

/// Owned raw bytes, 64-byte aligned, not initialised. Move-only. Throws std::bad_alloc like any
/// container; the engine turns that into kResourceExhausted at the public boundary.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t bytes)
      : data_(static_cast<std::byte*>(::operator new(bytes, AlignmentFor(bytes))),
              Free{AlignmentFor(bytes)}),
        bytes_(bytes) {
    if (bytes >= kHugeBufferBytes) AdviseHugePages(data_.get(), bytes);
  }

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
  static constexpr std::align_val_t AlignmentFor(size_t bytes) {
    return std::align_val_t{bytes >= kHugeBufferBytes ? kHugePageBytes : kBufferAlignment};
  }

  struct Free {
    Free() noexcept : alignment(std::align_val_t{kBufferAlignment}) {}
    explicit Free(std::align_val_t of) noexcept : alignment(of) {}
    void operator()(std::byte* data) const { ::operator delete(data, alignment); }
    std::align_val_t alignment;
  };
  std::unique_ptr<std::byte, Free> data_;
  size_t bytes_ = 0;
};

}  // namespace tilewave::base
