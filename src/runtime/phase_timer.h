#pragma once

#include "base/clock.h"
#include "device/clock.h"
#include "tilewave/device_info.h"

namespace tilewave::runtime {

/// Sorts the time of a call into its phases, on the device's clock. Does nothing, and asks no
/// clock, without stats.
class PhaseTimer {
 public:
  /// Both borrowed; null only without stats.
  PhaseTimer(device::Clock* clock, CallStats* stats) : clock_(clock), stats_(stats) { Resume(); }

  /// What has passed since the last call belongs to no phase: the caller's own time.
  void Resume() {
    if (stats_ != nullptr) last_ns_ = clock_->NowNs();
  }

  /// What has passed since the last call belongs to `phase`.
  void End(double PhaseTimes::*phase) {
    if (stats_ == nullptr) return;
    const int64_t now_ns = clock_->NowNs();
    stats_->phases.*phase += base::NsToUs(now_ns - last_ns_);
    last_ns_ = now_ns;
  }

  void Count(int64_t PhaseCounts::*count, int64_t by = 1) {
    if (stats_ != nullptr) stats_->counts.*count += by;
  }

  void AddKernel(int64_t ns) {
    if (stats_ != nullptr) stats_->kernel_us += base::NsToUs(ns);
  }

 private:
  device::Clock* clock_;
  CallStats* stats_;
  int64_t last_ns_ = 0;
};

}  // namespace tilewave::runtime
