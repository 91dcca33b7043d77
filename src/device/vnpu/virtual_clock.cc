#include "device/vnpu/virtual_clock.h"

#include <algorithm>

#include "base/clock.h"
#include "device/vnpu/picoseconds.h"

namespace tilewave::device::vnpu {
VirtualClock::VirtualClock(const profile::HostCosts& costs, HostTime host_time)
    : costs_(costs), host_time_(host_time), origin_wall_ns_(base::WallNowNs()) {}

int64_t VirtualClock::NowPs() const {
  const int64_t offset_ps = offset_ps_.load(std::memory_order_acquire);
  if (host_time_ == HostTime::kCharged) return offset_ps;
  const int64_t now_ps = offset_ps + ((base::WallNowNs() - origin_wall_ns_) * kPsPerNs);
  int64_t told_ps = told_ps_.load(std::memory_order_relaxed);
  while (told_ps < now_ps &&
         !told_ps_.compare_exchange_weak(told_ps, now_ps, std::memory_order_relaxed)) {
  }
  return std::max(told_ps, now_ps);
}

void VirtualClock::ChargeHost(HostWork kind, int64_t bytes, int64_t count) {
  if (host_time_ == HostTime::kMeasured) return;
  const auto cost_us = [&](const profile::HostCost& cost) {
    return (cost.item_us * static_cast<double>(count)) +
           (cost.byte_ns * static_cast<double>(bytes) / 1e3);
  };
  switch (kind) {
    case HostWork::kCall:
      return Spend(costs_.call_us * static_cast<double>(count));
    case HostWork::kAllocate:
      return Spend(cost_us(costs_.allocate));
    case HostWork::kSlice:
      return Spend(cost_us(costs_.slice));
    case HostWork::kPack:
      return Spend(cost_us(costs_.pack));
    case HostWork::kWrite:
      return Spend(cost_us(costs_.write));
    case HostWork::kSyncIn:
      return Spend(cost_us(costs_.sync_in));
    case HostWork::kSyncOut:
      return Spend(cost_us(costs_.sync_out));
    case HostWork::kRead:
      return Spend(cost_us(costs_.read));
    case HostWork::kAccumulate:
      return Spend(cost_us(costs_.accumulate));
    case HostWork::kFinish:
      return Spend(cost_us(costs_.finish));
  }
}

void VirtualClock::Spend(double us) { offset_ps_.fetch_add(PsOfUs(us), std::memory_order_acq_rel); }

void VirtualClock::AdvanceTo(int64_t ps) {
  int64_t offset_ps = offset_ps_.load(std::memory_order_acquire);
  for (;;) {
    const int64_t now_ps = host_time_ == HostTime::kCharged
                               ? offset_ps
                               : offset_ps + ((base::WallNowNs() - origin_wall_ns_) * kPsPerNs);
    if (now_ps >= ps) return;
    if (offset_ps_.compare_exchange_weak(offset_ps, offset_ps + (ps - now_ps),
                                         std::memory_order_acq_rel)) {
      return;
    }
  }
}

void VirtualClock::Exclude(int64_t wall_ns) {
  if (host_time_ == HostTime::kCharged) return;
  offset_ps_.fetch_sub(wall_ns * kPsPerNs, std::memory_order_acq_rel);
}

}  // namespace tilewave::device::vnpu
