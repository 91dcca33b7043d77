#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "arch/npu.h"
#include "program/array_program.h"

namespace tilewave::device::vnpu {

/// The words of one execution of a descriptor in stream order, after AM025: the x-th word is at
/// base + sum over d of i_d * step_d, where the i_d count up, innermost first. The outermost
/// dimension goes on for as long as the length says.
class AccessPattern {
 public:
  AccessPattern() = default;

  /// At most kMaxDims dimensions; none means contiguous. `padding` puts zeros into the stream on
  /// top of `length_words`: words around d0, whole rounds of what lies below around d1 and d2.
  AccessPattern(std::byte* base, int64_t length_words, std::span<const program::Dim> dims,
                std::span<const program::Padding> padding = {});

  /// Zeros included.
  int64_t remaining_words() const { return remaining_words_; }

  /// The next words of the stream: where they stand, if they are one run, or gathered in
  /// `scratch`. REQUIRES: that many left, and room for them in scratch.
  const std::byte* Take(int64_t words, std::byte* scratch);

  /// The stream's next words to their places. REQUIRES: no padding, that many left.
  void Put(const std::byte* from, int64_t words);

  /// Words that the stream of a padded descriptor has.
  static int64_t StreamWords(int64_t length_words, std::span<const program::Dim> dims,
                             std::span<const program::Padding> padding);

 private:
  struct Dimension {
    int64_t size = 1;
    int64_t step_words = 1;
    int64_t before = 0;
    int64_t index = 0;  ///< The zeros before it included.
    int64_t end = 0;    ///< Of `index`, zeros included.
  };
  /// What follows without a gap; data is null for zeros.
  struct Run {
    std::byte* data;
    int64_t words;
  };
  Run NextRun() const;
  void Advance(int64_t words);

  std::byte* base_ = nullptr;
  int64_t remaining_words_ = 0;
  int64_t row_word_ = 0;  ///< Where the innermost dimension begins.
  bool row_is_zero_ = false;
  int dim_count_ = 1;
  std::array<Dimension, arch::kMaxDims> dims_{};
};

}  // namespace tilewave::device::vnpu
