#pragma once

// The dimensions of a descriptor's access pattern, as a value of fixed size: sequences hold
// thousands of descriptors and are rebuilt for every shape.

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "arch/npu.h"
#include "base/check.h"

namespace tilewave::program {

/// One dimension of an access pattern, innermost first in lists.
struct Dim {
  int64_t size = 1;        ///< Of the innermost: words.
  int64_t step_words = 1;  ///< From one to the next.

  bool operator==(const Dim&) const = default;
};

/// Up to arch::kMaxDims dimensions, innermost first; converts to a span of them. More than that is
/// a bug of the caller: no tile has a descriptor that could say it.
class DimList {
 public:
  DimList() = default;
  DimList(std::initializer_list<Dim> dims) : DimList(std::span<const Dim>(dims)) {}
  explicit DimList(std::span<const Dim> dims) {
    for (const Dim& dim : dims) push_back(dim);
  }

  void push_back(const Dim& dim) {
    TW_CHECK_LT(size_, dims_.size());
    dims_[size_++] = dim;
  }

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  const Dim* data() const { return dims_.data(); }
  const Dim& operator[](size_t i) const { return dims_[i]; }
  Dim& operator[](size_t i) { return dims_[i]; }
  const Dim* begin() const { return dims_.data(); }
  const Dim* end() const { return dims_.data() + size_; }
  Dim* begin() { return dims_.data(); }
  Dim* end() { return dims_.data() + size_; }

  /// What lies beyond the size is always Dim(), so that the whole can be compared.
  bool operator==(const DimList&) const = default;

 private:
  std::array<Dim, arch::kMaxDims> dims_{};
  size_t size_ = 0;
};

}  // namespace tilewave::program
