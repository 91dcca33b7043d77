#include "device/vnpu/access_pattern.h"

#include <algorithm>
#include <cstring>

namespace tilewave::device::vnpu {

AccessPattern::AccessPattern(std::byte* base, int64_t length_words,
                             std::span<const program::Dim> dims)
    : base_(base), length_words_(length_words), dim_count_(static_cast<int>(dims.size())) {
  std::copy(dims.begin(), dims.end(), dims_.begin());
}

AccessPattern::Run AccessPattern::NextRun() const {
  if (dim_count_ == 0) {
    return {base_ + (done_words_ * arch::kWordBytes), remaining_words()};
  }
  int64_t rest = done_words_;
  int64_t word = 0;
  for (int d = 0; d < dim_count_; ++d) {
    const program::Dim& dim = dims_[static_cast<size_t>(d)];
    // The outermost dimension has no wrap: it goes on for as long as the length says.
    const int64_t index = d + 1 == dim_count_ ? rest : rest % dim.size;
    word += index * dim.step_words;
    rest /= dim.size;
  }
  const int64_t in_row =
      dims_[0].step_words == 1 ? dims_[0].size - (done_words_ % dims_[0].size) : 1;
  return {base_ + (word * arch::kWordBytes), std::min(in_row, remaining_words())};
}

void AccessPattern::Copy(const AccessPattern& from, AccessPattern* to, int64_t words) {
  AccessPattern source = from;
  Move(&source, to, words);
}

void AccessPattern::Move(AccessPattern* from, AccessPattern* to, int64_t words) {
  while (words > 0) {
    const Run source = from->NextRun();
    const Run target = to->NextRun();
    const int64_t run = std::min({source.words, target.words, words});
    std::memcpy(target.data, source.data, static_cast<size_t>(run * arch::kWordBytes));
    from->done_words_ += run;
    to->done_words_ += run;
    words -= run;
  }
}

}  // namespace tilewave::device::vnpu
