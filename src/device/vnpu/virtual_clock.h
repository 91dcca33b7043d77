#pragma once

#include <atomic>
#include <cstdint>

#include "device/clock.h"
#include "profile/profile.h"

namespace tilewave::device::vnpu {

/// Where the host's share of the time comes from.
enum class HostTime : uint8_t {
  kCharged,   ///< From the profile: the same nanoseconds on every run (one calling thread).
  kMeasured,  ///< This machine's own, with the waits skipped and the simulation left out.
};

/// The host's position on the virtual device's time line. Nothing sleeps: a wait moves it forward.
/// Thread-safe; all threads share the one position.
class VirtualClock final : public Clock {
 public:
  VirtualClock(const profile::HostCosts& costs, HostTime host_time);

  int64_t NowNs() override { return NowPs() / 1000; }
  void ChargeHost(HostWork kind, int64_t bytes, int64_t count) override;
  TimeKind kind() const override { return TimeKind::kSimulated; }

  int64_t NowPs() const;

  /// Host time passes on either time line: work that only a profile knows the cost of.
  void Spend(double us);

  /// Jumps to `ps` if that lies ahead.
  void AdvanceTo(int64_t ps);

  /// Takes back wall-clock time that was spent on simulating (measured time lines only).
  void Exclude(int64_t wall_ns);

 private:
  profile::HostCosts costs_;
  HostTime host_time_;
  int64_t origin_wall_ns_;
  std::atomic<int64_t> offset_ps_{0};  ///< The position itself, or what differs from the wall.
  /// The latest position told (measured time lines): one thread's excluded time is no reason for
  /// the others to see their clock go back.
  mutable std::atomic<int64_t> told_ps_{0};
};

}  // namespace tilewave::device::vnpu
