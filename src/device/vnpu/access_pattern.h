#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "arch/npu.h"
#include "program/array_program.h"

namespace tilewave::device::vnpu {

/// The addresses of one execution of a descriptor in stream order, after AM025: the x-th word is
/// at base + sum over d of i_d * step_d, where the i_d count up, innermost first.
class AccessPattern {
 public:
  AccessPattern() = default;

  /// At most kMaxDims dimensions; none means contiguous.
  AccessPattern(std::byte* base, int64_t length_words, std::span<const program::Dim> dims);

  int64_t remaining_words() const { return length_words_ - done_words_; }

  /// Moves `words` from one pattern to another. REQUIRES: both have that many left.
  static void Move(AccessPattern* from, AccessPattern* to, int64_t words);
  /// Copies to several at once (a broadcast): `from` does not advance.
  static void Copy(const AccessPattern& from, AccessPattern* to, int64_t words);

  void Skip(int64_t words) { done_words_ += words; }

 private:
  /// Where the next word stands, and how many follow it without a gap.
  struct Run {
    std::byte* data;
    int64_t words;
  };
  Run NextRun() const;

  std::byte* base_ = nullptr;
  int64_t length_words_ = 0;
  int64_t done_words_ = 0;
  int dim_count_ = 0;
  std::array<program::Dim, arch::kMaxDims> dims_{};
};

}  // namespace tilewave::device::vnpu
