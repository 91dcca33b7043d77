#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace peers {

struct FreeBytes {
  void operator()(void* bytes) const { std::free(bytes); }
};

/// 64-byte aligned memory, the same kind for every library.
template <typename T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(int64_t count) : count_(count) {
    const size_t bytes = (static_cast<size_t>(count) * sizeof(T) + 63) / 64 * 64;
    data_.reset(static_cast<T*>(std::aligned_alloc(64, bytes == 0 ? 64 : bytes)));
    if (data_ == nullptr) throw std::bad_alloc();
  }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  T& operator[](int64_t i) { return data_.get()[i]; }
  const T& operator[](int64_t i) const { return data_.get()[i]; }
  int64_t size() const { return count_; }

 private:
  std::unique_ptr<T, FreeBytes> data_;
  int64_t count_ = 0;
};

}  // namespace peers
