#pragma once

// One direction of the memory behind the array, shared by all shim channels: a fluid that every
// active transfer takes its part of.

#include <cstdint>
#include <span>
#include <vector>

#include "program/dim_list.h"

namespace tilewave::device::vnpu {

/// Transfers move at once, each at most as fast as its own channel; what those leave that are
/// slower than their fair share, the others share (max-min fairness). Whenever one starts or ends,
/// the rest get new rates. Allocates nothing once as many have been active.
class DdrModel {
 public:
  static constexpr int64_t kNever = INT64_MAX;

  /// `bytes_per_ps` > 0.
  explicit DdrModel(double bytes_per_ps) : bytes_per_ps_(bytes_per_ps) {}

  /// A transfer that costs the memory so many bytes and takes `alone_ps` > 0 on its own channel if
  /// nobody else is there and the memory keeps up.
  /// REQUIRES: no time before the last one given; an id that is not active.
  void Start(int id, double cost_bytes, int64_t alone_ps, int64_t now_ps);

  /// When the next transfer ends, as things are; kNever: none is active.
  int64_t NextEndPs() const { return next_end_ps_; }

  /// Ends one transfer that is due at now_ps and returns its id; -1 if none is.
  int TakeEnded(int64_t now_ps);

  void Clear();

 private:
  struct Transfer {
    int id = 0;
    double rate = 0;       ///< Bytes per ps; 0: not yet given one.
    double most_rate = 0;  ///< What its own channel could do.
    double left_bytes = 0;
    int64_t since_ps = 0;  ///< When left_bytes was counted.
    int64_t end_ps = 0;
  };
  void Share(int64_t now_ps);
  double FairRate() const;

  double bytes_per_ps_;
  std::vector<Transfer> active_;
  int64_t next_end_ps_ = kNever;
};

/// How a pattern of so many words goes through memory.
struct Runs {
  int64_t bytes = 0;       ///< Without a gap, from row to row if the next goes on where one ends.
  int64_t step_bytes = 0;  ///< From the start of a run to that of the next; 0: there is only one.

  bool operator==(const Runs&) const = default;
};
Runs RunsOf(int64_t length_words, std::span<const program::Dim> dims);

/// What the memory serves for each byte of such runs: more than 1, as every run costs
/// `overhead_bytes` beside its own if it begins on another page than the one before, and in
/// proportion if it is nearer.
double ServedPerByte(const Runs& runs, double overhead_bytes);

}  // namespace tilewave::device::vnpu
