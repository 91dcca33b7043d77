#include "device/vnpu/virtual_clock.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <thread>

#include "base/clock.h"
#include "device/vnpu/picoseconds.h"
#include "tests/support/vnpu_samples.h"

namespace tilewave::device::vnpu {
namespace {

constexpr int64_t kHourNs = int64_t{3600} * 1000000000;

// Every kind has costs of its own, so that no two can be mistaken for each other.
profile::HostCosts DistinctCosts() {
  profile::HostCosts costs;
  costs.call_us = 1;
  costs.allocate = {2, 0.5};
  costs.slice = {3, 0.25};
  costs.pack = {5, 0.125};
  costs.write = {7, 1};
  costs.sync_in = {11, 2};
  costs.sync_out = {13, 3};
  costs.read = {17, 4};
  costs.accumulate = {19, 5};
  costs.finish = {23, 6};
  return costs;
}

// --- Charged time ---

TEST(VirtualClockTest, ChargesWhatEachKindCosts) {
  const profile::HostCosts costs = DistinctCosts();
  struct {
    HostWork kind;
    profile::HostCost cost;
  } const kinds[] = {
      {HostWork::kCall, {costs.call_us, 0}},     {HostWork::kAllocate, costs.allocate},
      {HostWork::kSlice, costs.slice},           {HostWork::kPack, costs.pack},
      {HostWork::kWrite, costs.write},           {HostWork::kSyncIn, costs.sync_in},
      {HostWork::kSyncOut, costs.sync_out},      {HostWork::kRead, costs.read},
      {HostWork::kAccumulate, costs.accumulate}, {HostWork::kFinish, costs.finish}};
  for (const auto& [kind, cost] : kinds) {
    VirtualClock clock(costs, HostTime::kCharged);
    clock.ChargeHost(kind, 0, 1);
    EXPECT_EQ(clock.NowPs(), static_cast<int64_t>(cost.item_us * 1e6)) << static_cast<int>(kind);
    VirtualClock busy(costs, HostTime::kCharged);
    busy.ChargeHost(kind, 4000, 3);
    EXPECT_EQ(busy.NowPs(),
              static_cast<int64_t>(3 * cost.item_us * 1e6 + 4000 * cost.byte_ns * 1e3))
        << static_cast<int>(kind);
    VirtualClock idle(costs, HostTime::kCharged);
    idle.ChargeHost(kind, 0, 0);
    EXPECT_EQ(idle.NowPs(), 0) << static_cast<int>(kind);
  }
}

TEST(VirtualClockTest, StartsAtZeroAndStandsStill) {
  VirtualClock clock(DistinctCosts(), HostTime::kCharged);
  EXPECT_EQ(clock.NowPs(), 0);
  EXPECT_EQ(clock.NowNs(), 0);
  EXPECT_EQ(clock.kind(), TimeKind::kSimulated);
  const int64_t until_ns = base::WallNowNs() + 2000000;
  while (base::WallNowNs() < until_ns) {
  }
  EXPECT_EQ(clock.NowPs(), 0);
}

TEST(VirtualClockTest, ChargesAddUpToPicoseconds) {
  VirtualClock clock(DistinctCosts(), HostTime::kCharged);
  clock.Spend(0.1);
  clock.Spend(12.345678);
  EXPECT_EQ(clock.NowPs(), 100000 + 12345678);
  EXPECT_EQ(clock.NowNs(), 12445);
  clock.Spend(0);
  EXPECT_EQ(clock.NowPs(), 12445678);
}

TEST(VirtualClockTest, AdvanceToNeverGoesBack) {
  VirtualClock clock(DistinctCosts(), HostTime::kCharged);
  clock.AdvanceTo(5 * kMicrosecondPs);
  EXPECT_EQ(clock.NowPs(), 5 * kMicrosecondPs);
  clock.AdvanceTo((5 * kMicrosecondPs) - 1);
  EXPECT_EQ(clock.NowPs(), 5 * kMicrosecondPs);
  clock.AdvanceTo(-kMicrosecondPs);
  EXPECT_EQ(clock.NowPs(), 5 * kMicrosecondPs);
  clock.Spend(1);
  EXPECT_EQ(clock.NowPs(), 6 * kMicrosecondPs);
  clock.AdvanceTo((6 * kMicrosecondPs) + 1);
  EXPECT_EQ(clock.NowPs(), (6 * kMicrosecondPs) + 1);
}

TEST(VirtualClockTest, ChargedTimeHasNothingToExclude) {
  VirtualClock clock(DistinctCosts(), HostTime::kCharged);
  clock.Spend(3);
  clock.Exclude(1000);
  EXPECT_EQ(clock.NowPs(), 3 * kMicrosecondPs);
}

// --- Measured time: the wall clock, read inside and around, bounds what the clock may say ---

TEST(VirtualClockTest, MeasuredTimeIsThatOfTheWall) {
  const int64_t before_ns = base::WallNowNs();
  VirtualClock clock(DistinctCosts(), HostTime::kMeasured);
  EXPECT_EQ(clock.kind(), TimeKind::kSimulated);
  const int64_t start_ns = clock.NowNs();
  const int64_t inner_start_ns = base::WallNowNs();
  while (base::WallNowNs() < inner_start_ns + 2000000) {
  }
  const int64_t inner_end_ns = base::WallNowNs();
  const int64_t end_ns = clock.NowNs();
  const int64_t after_ns = base::WallNowNs();
  EXPECT_GE(start_ns, 0);
  EXPECT_GE(end_ns - start_ns, inner_end_ns - inner_start_ns);
  EXPECT_LE(end_ns, after_ns - before_ns);
}

TEST(VirtualClockTest, MeasuredTimeIgnoresCharges) {
  const int64_t before_ns = base::WallNowNs();
  VirtualClock clock(DistinctCosts(), HostTime::kMeasured);
  clock.ChargeHost(HostWork::kFinish, kHourNs, 1);
  clock.ChargeHost(HostWork::kCall, 0, kHourNs / 1000);
  const int64_t now_ns = clock.NowNs();
  EXPECT_LE(now_ns, base::WallNowNs() - before_ns);
}

TEST(VirtualClockTest, MeasuredTimeTakesWhatIsSpentAndNeverGoesBack) {
  VirtualClock clock(DistinctCosts(), HostTime::kMeasured);
  const int64_t before_ps = clock.NowPs();
  clock.Spend(1000);
  const int64_t spent_ps = clock.NowPs();
  EXPECT_GE(spent_ps - before_ps, 1000 * kMicrosecondPs);
  clock.Exclude(500000);
  EXPECT_GE(clock.NowPs(), spent_ps);
}

TEST(VirtualClockTest, MeasuredTimeSkipsAhead) {
  const int64_t before_ns = base::WallNowNs();
  VirtualClock clock(DistinctCosts(), HostTime::kMeasured);
  clock.AdvanceTo(kHourNs * kPsPerNs);
  const int64_t skipped_ns = clock.NowNs();
  EXPECT_GE(skipped_ns, kHourNs);
  EXPECT_LE(skipped_ns, kHourNs + base::WallNowNs() - before_ns);
  clock.AdvanceTo(kHourNs * kPsPerNs / 2);
  EXPECT_GE(clock.NowNs(), skipped_ns);
  // It runs on from there.
  const int64_t inner_start_ns = base::WallNowNs();
  while (base::WallNowNs() < inner_start_ns + 1000000) {
  }
  EXPECT_GE(clock.NowNs(), skipped_ns + 1000000);
}

TEST(VirtualClockTest, MeasuredTimeWithoutWhatIsExcluded) {
  constexpr int64_t kSlackNs = 1000000000;  // From the clock's first moment to the outer one.
  VirtualClock clock(DistinctCosts(), HostTime::kMeasured);
  clock.AdvanceTo(kHourNs * kPsPerNs);
  const int64_t outer_start_ns = base::WallNowNs();
  clock.Exclude(kHourNs / 4);  // Before anyone was told the time, which does not go back.
  const int64_t after_ns = clock.NowNs();
  const int64_t outer_ns = base::WallNowNs() - outer_start_ns;
  EXPECT_GE(after_ns, kHourNs - (kHourNs / 4));
  EXPECT_LE(after_ns, kHourNs - (kHourNs / 4) + outer_ns + kSlackNs);
}

// --- Threads ---

TEST(VirtualClockTest, ThreadsChargeOneSum) {
  VirtualClock clock(DistinctCosts(), HostTime::kCharged);
  constexpr int kCharges = 20000;
  const auto charge = [&clock] {
    int64_t last_ps = 0;
    int64_t steps_back = 0;
    for (int i = 0; i < kCharges; ++i) {
      clock.ChargeHost(HostWork::kCall, 0, 1);
      const int64_t now_ps = clock.NowPs();
      if (now_ps < last_ps + kMicrosecondPs) ++steps_back;
      last_ps = now_ps;
    }
    EXPECT_EQ(steps_back, 0);
  };
  std::thread other(charge);
  charge();
  other.join();
  EXPECT_EQ(clock.NowPs(), int64_t{2} * kCharges * kMicrosecondPs);
}

TEST(VirtualClockTest, ChargesAreNotLostBesideAdvances) {
  VirtualClock clock(DistinctCosts(), HostTime::kCharged);
  constexpr int kSteps = 1000000;  // Long enough to meet on a busy machine, too.
  std::atomic<int> ready{0};
  const auto start_together = [&ready] {
    ++ready;
    while (ready < 2) {
    }
  };
  // Advances of a nanosecond at most, over and over: a charge that one of them loses is missing in
  // the end.
  std::thread advancing([&] {
    start_together();
    for (int i = 0; i < kSteps; ++i) clock.AdvanceTo(clock.NowPs() + kPsPerNs);
  });
  start_together();
  int64_t smallest_step_ps = std::numeric_limits<int64_t>::max();
  for (int i = 0; i < kSteps; ++i) {
    const int64_t before_ps = clock.NowPs();
    clock.Spend(1);
    smallest_step_ps = std::min(smallest_step_ps, clock.NowPs() - before_ps);
  }
  advancing.join();
  EXPECT_GE(smallest_step_ps, kMicrosecondPs);
  EXPECT_GE(clock.NowPs(), kSteps * kMicrosecondPs);
  EXPECT_LE(clock.NowPs(), kSteps * (kMicrosecondPs + kPsPerNs));
}

}  // namespace
}  // namespace tilewave::device::vnpu
