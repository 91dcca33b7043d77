#include "device/vnpu/ddr_model.h"

#include <algorithm>
#include <cmath>

#include "arch/npu.h"

namespace tilewave::device::vnpu {

void DdrModel::Start(int id, double cost_bytes, int64_t alone_ps, int64_t now_ps) {
  Transfer added;
  added.id = id;
  added.most_rate = cost_bytes / static_cast<double>(alone_ps);
  added.left_bytes = cost_bytes;
  added.since_ps = now_ps;
  active_.push_back(added);
  Share(now_ps);
}

int DdrModel::TakeEnded(int64_t now_ps) {
  if (next_end_ps_ > now_ps) return -1;
  const auto due = std::find_if(active_.begin(), active_.end(),
                                [now_ps](const Transfer& each) { return each.end_ps <= now_ps; });
  const int id = due->id;
  active_.erase(due);
  Share(now_ps);
  return id;
}

void DdrModel::Clear() {
  active_.clear();
  next_end_ps_ = kNever;
}

/// What each may take that its own channel does not hold back: filled up like water in vessels of
/// different heights.
double DdrModel::FairRate() const {
  double wanted = 0;
  for (const Transfer& each : active_) wanted += each.most_rate;
  if (wanted <= bytes_per_ps_) return bytes_per_ps_;  // More than anyone wants.
  double fair = 0;
  for (;;) {
    double left = bytes_per_ps_;
    int sharing = 0;
    for (const Transfer& each : active_) {
      if (each.most_rate <= fair) {
        left -= each.most_rate;
      } else {
        ++sharing;
      }
    }
    const double next = sharing == 0 ? fair : left / sharing;
    if (next <= fair) return fair;
    fair = next;
  }
}

void DdrModel::Share(int64_t now_ps) {
  const double fair = FairRate();
  next_end_ps_ = kNever;
  for (Transfer& each : active_) {
    const double rate = std::min(each.most_rate, fair);
    // A rate that stays is left alone, so that rounding does not add up.
    if (rate != each.rate) {
      each.left_bytes -= each.rate * static_cast<double>(now_ps - each.since_ps);
      each.left_bytes = std::max(each.left_bytes, 0.0);
      each.since_ps = now_ps;
      each.rate = rate;
      each.end_ps = now_ps + std::llround(each.left_bytes / rate);
    }
    next_end_ps_ = std::min(next_end_ps_, each.end_ps);
  }
}

Runs RunsOf(int64_t length_words, std::span<const program::Dim> dims) {
  int64_t words = dims.empty() ? length_words : 1;
  int64_t step_words = 0;
  for (const program::Dim& dim : dims) {
    if (dim.size == 1) continue;
    if (dim.step_words != words) {
      step_words = dim.step_words;
      break;
    }
    words *= dim.size;
  }
  return {std::min(words, length_words) * arch::kWordBytes, step_words * arch::kWordBytes};
}

double ServedPerByte(const Runs& runs, double overhead_bytes) {
  const double share = runs.step_bytes == 0
                           ? 1
                           : std::min(1.0, static_cast<double>(runs.step_bytes) / arch::kPageBytes);
  return 1 + (overhead_bytes * share / static_cast<double>(runs.bytes));
}

}  // namespace tilewave::device::vnpu
