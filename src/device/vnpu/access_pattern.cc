#include "device/vnpu/access_pattern.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace tilewave::device::vnpu {
namespace {

constexpr int64_t kEndless = std::numeric_limits<int64_t>::max();

/// Rows of blocks are a few words: not worth a call.
void CopyWords(std::byte* to, const std::byte* from, int64_t words) {
  switch (words) {
    case 1:
      std::memcpy(to, from, 1 * arch::kWordBytes);
      return;
    case 2:
      std::memcpy(to, from, 2 * arch::kWordBytes);
      return;
    case 4:
      std::memcpy(to, from, 4 * arch::kWordBytes);
      return;
    case 8:
      std::memcpy(to, from, 8 * arch::kWordBytes);
      return;
    default:
      std::memcpy(to, from, static_cast<size_t>(words * arch::kWordBytes));
  }
}

bool IsPadded(std::span<const program::Padding> padding) {
  return std::any_of(padding.begin(), padding.end(),
                     [](const program::Padding& each) { return each != program::Padding(); });
}

}  // namespace

AccessPattern::AccessPattern(std::byte* base, int64_t length_words,
                             std::span<const program::Dim> dims,
                             std::span<const program::Padding> padding)
    : base_(base), remaining_words_(StreamWords(length_words, dims, padding)) {
  const program::Dim contiguous{length_words, 1};
  if (dims.empty()) dims = {&contiguous, 1};
  const bool padded = IsPadded(padding);
  dim_count_ = 0;
  const size_t count = padded ? std::max(dims.size(), padding.size()) : dims.size();
  for (size_t d = 0; d < count; ++d) {
    const program::Dim dim = d < dims.size() ? dims[d] : program::Dim();
    if (!padded && dim_count_ > 0) {
      // A dimension that goes on where the one below it ends is part of it.
      Dimension& below = dims_[static_cast<size_t>(dim_count_ - 1)];
      if (dim.step_words == below.size * below.step_words) {
        below.size *= dim.size;
        continue;
      }
      if (below.size == 1) --dim_count_;
    }
    Dimension& added = dims_[static_cast<size_t>(dim_count_++)];
    added = {dim.size, dim.step_words, 0, 0, 0};
    if (padded && d < padding.size()) {
      added.before = padding[d].before;
      added.end = padding[d].after;
    }
  }
  for (int d = 0; d < dim_count_; ++d) {
    Dimension& dim = dims_[static_cast<size_t>(d)];
    dim.end = !padded && d + 1 == dim_count_ ? kEndless : dim.end + dim.before + dim.size;
    if (!padded && d + 1 == dim_count_) dim.size = kEndless;
    row_is_zero_ = row_is_zero_ || (d > 0 && dim.before > 0);
  }
}

int64_t AccessPattern::StreamWords(int64_t length_words, std::span<const program::Dim> dims,
                                   std::span<const program::Padding> padding) {
  if (!IsPadded(padding)) return length_words;
  const program::Dim contiguous{length_words, 1};
  if (dims.empty()) dims = {&contiguous, 1};
  int64_t words = 1;
  for (size_t d = 0; d < std::max(dims.size(), padding.size()); ++d) {
    const program::Padding around = d < padding.size() ? padding[d] : program::Padding();
    words *= around.before + (d < dims.size() ? dims[d].size : 1) + around.after;
  }
  return words;
}

AccessPattern::Run AccessPattern::NextRun() const {
  const Dimension& row = dims_[0];
  if (row_is_zero_) return {nullptr, row.end - row.index};
  if (row.index < row.before) return {nullptr, row.before - row.index};
  const int64_t done = row.index - row.before;
  if (done >= row.size) return {nullptr, row.end - row.index};
  return {base_ + ((row_word_ + (done * row.step_words)) * arch::kWordBytes),
          row.step_words == 1 ? row.size - done : 1};
}

void AccessPattern::Advance(int64_t words) {
  remaining_words_ -= words;
  dims_[0].index += words;
  if (dims_[0].index < dims_[0].end) return;
  dims_[0].index = 0;
  for (int d = 1; d < dim_count_; ++d) {
    Dimension& dim = dims_[static_cast<size_t>(d)];
    if (++dim.index < dim.end) break;
    dim.index = 0;
  }
  row_word_ = 0;
  row_is_zero_ = false;
  for (int d = 1; d < dim_count_; ++d) {
    const Dimension& dim = dims_[static_cast<size_t>(d)];
    const int64_t done = dim.index - dim.before;
    row_is_zero_ = row_is_zero_ || done < 0 || done >= dim.size;
    row_word_ += done * dim.step_words;
  }
}

const std::byte* AccessPattern::Take(int64_t words, std::byte* scratch) {
  const Run first = NextRun();
  if (first.data != nullptr && first.words >= words) {
    Advance(words);
    return first.data;
  }
  for (std::byte* to = scratch; words > 0;) {
    const Run run = NextRun();
    const int64_t moved = std::min(run.words, words);
    if (run.data == nullptr) {
      std::memset(to, 0, static_cast<size_t>(moved * arch::kWordBytes));
    } else {
      CopyWords(to, run.data, moved);
    }
    Advance(moved);
    to += moved * arch::kWordBytes;
    words -= moved;
  }
  return scratch;
}

void AccessPattern::Put(const std::byte* from, int64_t words) {
  while (words > 0) {
    const Run run = NextRun();
    const int64_t moved = std::min(run.words, words);
    CopyWords(run.data, from, moved);
    Advance(moved);
    from += moved * arch::kWordBytes;
    words -= moved;
  }
}

}  // namespace tilewave::device::vnpu
