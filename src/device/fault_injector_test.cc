#include "device/fault_injector.h"

#include <gtest/gtest.h>

#include <vector>

namespace tilewave::device {
namespace {

/// What so many submissions meet: kCount is nothing.
std::vector<Fault> Drawn(FaultInjector* injector, int calls) {
  std::vector<Fault> all;
  for (int i = 0; i < calls; ++i) {
    const std::optional<DrawnFault> drawn = injector->Draw(DeviceCall::kSubmit);
    all.push_back(drawn ? drawn->fault : Fault::kCount);
  }
  return all;
}

TEST(FaultInjector, TheSeedAndTheRateDecide) {
  FaultOptions options{.seed = 3, .rate = 0.1, .kinds = {}, .lost_calls = 0};
  FaultInjector first(options);
  FaultInjector same(options);
  options.seed = 4;
  FaultInjector other(options);
  const std::vector<Fault> drawn = Drawn(&first, 10000);
  EXPECT_EQ(Drawn(&same, 10000), drawn);
  EXPECT_NE(Drawn(&other, 10000), drawn);
  EXPECT_NEAR(static_cast<double>(first.count()), 1000, 100);
  // All kinds that fit, and no other.
  for (size_t i = 0; i < static_cast<size_t>(Fault::kCount); ++i) {
    const auto fault = static_cast<Fault>(i);
    const bool fits = fault != Fault::kAllocation && fault != Fault::kLoad && fault != Fault::kSync;
    EXPECT_EQ(first.count(fault) > 0, fits) << Name(fault);
  }
  first.SetRateForTest(0);
  EXPECT_EQ(Drawn(&first, 1000), std::vector<Fault>(1000, Fault::kCount));
}

TEST(FaultInjector, KindsLimitWhatIsDrawn) {
  FaultInjector injector({.rate = 1, .kinds = {Fault::kAbort, Fault::kSync}});
  EXPECT_EQ(Drawn(&injector, 50), std::vector<Fault>(50, Fault::kAbort));
  EXPECT_EQ(injector.Draw(DeviceCall::kSync)->fault, Fault::kSync);
  EXPECT_FALSE(injector.Draw(DeviceCall::kLoad));
}

TEST(FaultInjector, APlannedFaultWaitsForACallThatItFits) {
  FaultInjector injector({});
  injector.Plan(Fault::kSync);
  injector.Plan(Fault::kLie);
  injector.Plan(Fault::kLate);
  EXPECT_FALSE(injector.Draw(DeviceCall::kAllocate));
  const std::optional<DrawnFault> lie = injector.Draw(DeviceCall::kSubmit);
  ASSERT_TRUE(lie);
  EXPECT_EQ(lie->fault, Fault::kLie);
  injector.PutBack(*lie);
  EXPECT_EQ(injector.count(Fault::kLie), 0);
  EXPECT_EQ(Drawn(&injector, 3), (std::vector{Fault::kLie, Fault::kLate, Fault::kCount}));
  EXPECT_EQ(injector.Draw(DeviceCall::kSync)->fault, Fault::kSync);
  EXPECT_EQ(injector.count(), 3);
}

TEST(FaultInjector, ALostDeviceRefusesCallsOfAllKinds) {
  FaultInjector injector({.lost_calls = 3});
  injector.Plan(Fault::kLost);
  for (const DeviceCall call :
       {DeviceCall::kSync, DeviceCall::kLoad, DeviceCall::kAllocate, DeviceCall::kSubmit}) {
    ASSERT_TRUE(injector.Draw(call));
  }
  EXPECT_FALSE(injector.Draw(DeviceCall::kSync));
  EXPECT_EQ(injector.losses(), 1);
  injector.Plan(Fault::kLost);
  EXPECT_TRUE(injector.Draw(DeviceCall::kSync));
  injector.SetRateForTest(0);
  EXPECT_FALSE(injector.Draw(DeviceCall::kSync));
}

}  // namespace
}  // namespace tilewave::device
