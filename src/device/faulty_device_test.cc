// Over the fake of XRT, whose submissions run when they are looked at, and which reports a sync of
// what is in flight.

#include "device/faulty_device.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "device/xrt/array_binary.h"
#include "device/xrt/xrt_device.h"
#include "tests/support/add_one_npu.h"

namespace tilewave::device {
namespace {

using std::chrono::milliseconds;
using testing::AddOneChain;

constexpr milliseconds kLimit{100};
/// More than a late submission hides from.
constexpr int kManyLooks = 4;

class FaultyDeviceTest : public ::testing::Test {
 protected:
  std::unique_ptr<Executable> Load() {
    return *device_->LoadImage(xrt::ArrayBinary({}, std::vector<std::byte>(8)));
  }

  /// With fresh data.
  std::unique_ptr<AddOneChain> MakeChain(size_t launches = 1) {
    std::unique_ptr<AddOneChain> chain = *AddOneChain::Make(device_.get(), launches);
    EXPECT_TRUE(chain->Write(++value_).ok());
    return chain;
  }

  SubmitCode Submit(AddOneChain* chain, Fence* fence) {
    return queue().TrySubmit(chain->Launches(*executable_), fence);
  }

  /// The looks until it was done.
  int Looks(Fence* fence, bool waiting) {
    for (int looks = 1; looks <= kManyLooks; ++looks) {
      const bool done =
          waiting ? queue().Wait(fence, kLimit) == WaitCode::kDone : queue().Poll(fence);
      EXPECT_EQ(done, fence->done);
      if (done) return looks;
    }
    return kManyLooks + 1;
  }

  /// Submits with the fault and waits for the end, which must come at once.
  Fence Run(Fault fault, AddOneChain* chain) {
    injector_->Plan(fault);
    Fence fence;
    EXPECT_EQ(Submit(chain, &fence), SubmitCode::kAccepted);
    EXPECT_FALSE(fence.done);
    EXPECT_EQ(queue().Wait(&fence, kLimit), WaitCode::kDone);
    EXPECT_TRUE(chain->Read().ok());
    return fence;
  }

  /// Whether a launch ends well and writes the right thing.
  bool Works() {
    const std::unique_ptr<AddOneChain> chain = MakeChain();
    Fence fence;
    return Submit(chain.get(), &fence) == SubmitCode::kAccepted &&
           queue().Wait(&fence, kLimit) == WaitCode::kDone && fence.status.ok() &&
           chain->Read().ok() && chain->IsRight(0);
  }

  Queue& queue() { return device_->queue(); }

  xrt::FakeXrt fake_{arch::NpuArch::kNpu1, testing::LoadAddOne};
  std::shared_ptr<FaultInjector> injector_ = std::make_shared<FaultInjector>(FaultOptions());
  std::unique_ptr<Device> device_ =
      MakeFaultyDevice(*xrt::OpenXrt(fake_.MakeDriver(), 0), injector_);
  std::unique_ptr<Executable> executable_ = Load();
  int value_ = 0;
};

TEST_F(FaultyDeviceTest, IsTheInnerDeviceWhileNothingGoesWrong) {
  EXPECT_EQ(device_->info().name, "xrt:0");
  EXPECT_NE(device_->payload_domain(), kHostPayloadDomain);
  EXPECT_FALSE(queue().done_when_submitted());
  const std::unique_ptr<AddOneChain> chain = MakeChain(kMaxChainLaunches);
  Fence fence;
  ASSERT_EQ(Submit(chain.get(), &fence), SubmitCode::kAccepted);
  EXPECT_LE(Looks(&fence, /*waiting=*/false), 2);
  EXPECT_TRUE(fence.status.ok());
  ASSERT_TRUE(chain->Read().ok());
  for (size_t i = 0; i < kMaxChainLaunches; ++i) EXPECT_TRUE(chain->IsRight(i));
  fake_.PlanFault(xrt::FakeFault::kError, 3);
  ASSERT_EQ(Submit(chain.get(), &fence), SubmitCode::kAccepted);
  ASSERT_EQ(queue().Wait(&fence, kLimit), WaitCode::kDone);
  EXPECT_EQ(fence.status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(fence.good_launches, 3U);
  EXPECT_EQ(injector_->count(), 0);
}

TEST_F(FaultyDeviceTest, CallsAreRefused) {
  injector_->Plan(Fault::kAllocation);
  EXPECT_EQ(device_->Allocate(64).status().code(), StatusCode::kResourceExhausted);
  const std::unique_ptr<Buffer> buffer = *device_->Allocate(64);
  injector_->Plan(Fault::kAllocation);
  EXPECT_EQ(buffer->Slice(0, 64).status().code(), StatusCode::kResourceExhausted);
  injector_->Plan(Fault::kLoad);
  EXPECT_EQ(device_->LoadImage(xrt::ArrayBinary({}, std::vector<std::byte>(8))).status().ToString(),
            "unavailable: a hardware context was refused");
  injector_->Plan(Fault::kLoad);
  EXPECT_EQ(device_->Load(core::Problem()).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(device_->Load(core::Problem()).status().code(), StatusCode::kUnimplemented);
  const std::unique_ptr<AddOneChain> chain = MakeChain();
  for (const Fault fault : {Fault::kSubmission, Fault::kStale}) {
    injector_->Plan(fault);
    Fence fence;
    EXPECT_EQ(Submit(chain.get(), &fence), SubmitCode::kRejected);
    EXPECT_TRUE(fence.done);
    EXPECT_EQ(fence.status.code(), StatusCode::kUnavailable);
  }
  EXPECT_EQ(injector_->count(), 6);
  EXPECT_TRUE(Works());
}

TEST_F(FaultyDeviceTest, ASyncThatFailsCopiesNothing) {
  const std::unique_ptr<Buffer> buffer = *device_->Allocate(64);
  buffer->host()[0] = std::byte{7};
  ASSERT_TRUE(buffer->Sync(SyncDirection::kToDevice, 0, 64).ok());
  buffer->host()[0] = std::byte{9};
  injector_->Plan(Fault::kSync);
  const Status s = buffer->Sync(SyncDirection::kFromDevice, 0, 64);
  EXPECT_EQ(s.ToString(), "out_of_range: sync out of range");
  EXPECT_EQ(buffer->host()[0], std::byte{9});
  ASSERT_TRUE(buffer->Sync(SyncDirection::kFromDevice, 0, 64).ok());
  EXPECT_EQ(buffer->host()[0], std::byte{7});
}

TEST_F(FaultyDeviceTest, OfAChainThatEndsBadlyTheFirstLaunchesRan) {
  for (const auto& [fault, code] : {std::pair(Fault::kTimeout, StatusCode::kDeadlineExceeded),
                                    std::pair(Fault::kAbort, StatusCode::kUnavailable),
                                    std::pair(Fault::kError, StatusCode::kUnavailable)}) {
    size_t most = 0;
    for (int repeat = 0; repeat < 10; ++repeat) {
      const std::unique_ptr<AddOneChain> chain = MakeChain(8);
      const Fence fence = Run(fault, chain.get());
      EXPECT_EQ(fence.status.code(), code);
      ASSERT_LT(fence.good_launches, 8U);
      most = std::max(most, fence.good_launches);
      for (size_t i = 0; i < 8; ++i) {
        EXPECT_EQ(chain->IsRight(i), i < fence.good_launches);
        EXPECT_EQ(chain->IsUnwritten(i), i >= fence.good_launches);
      }
    }
    EXPECT_GT(most, 0U);
    const std::unique_ptr<AddOneChain> alone = MakeChain();
    EXPECT_EQ(Run(fault, alone.get()).good_launches, 0U);
    EXPECT_TRUE(alone->IsUnwritten(0));
  }
}

TEST_F(FaultyDeviceTest, ALieEndsWellAndWritesNothing) {
  const std::unique_ptr<AddOneChain> chain = MakeChain(2);
  EXPECT_TRUE(Run(Fault::kLie, chain.get()).status.ok());
  EXPECT_TRUE(chain->IsUnwritten(0));
  EXPECT_TRUE(chain->IsUnwritten(1));
  EXPECT_TRUE(Works());
}

TEST_F(FaultyDeviceTest, WhatIsLateRunsAfterAFewLooks) {
  bool longest = false;
  for (int repeat = 0; repeat < 20; ++repeat) {
    const std::unique_ptr<AddOneChain> chain = MakeChain();
    injector_->Plan(Fault::kLate);
    Fence fence;
    ASSERT_EQ(Submit(chain.get(), &fence), SubmitCode::kAccepted);
    const bool waiting = repeat % 2 == 0;
    ASSERT_EQ(waiting ? queue().Wait(&fence, kLimit) == WaitCode::kDone : queue().Poll(&fence),
              false);
    ASSERT_TRUE(chain->Read().ok());
    EXPECT_TRUE(chain->IsUnwritten(0));
    // Polling the fake takes one look more.
    const int looks = Looks(&fence, waiting);
    EXPECT_LE(looks, 3 + (waiting ? 0 : 1));
    longest = longest || looks == 3;
    EXPECT_TRUE(fence.status.ok());
    ASSERT_TRUE(chain->Read().ok());
    EXPECT_TRUE(chain->IsRight(0));
  }
  EXPECT_TRUE(longest);
}

TEST_F(FaultyDeviceTest, OnlyAVainWaitLetsOthersOvertakeWhatIsLate) {
  const std::unique_ptr<AddOneChain> late = MakeChain();
  const std::unique_ptr<AddOneChain> behind = MakeChain();
  const std::unique_ptr<AddOneChain> lied = MakeChain();
  const std::unique_ptr<AddOneChain> later = MakeChain();
  std::vector<Fence> fences(4);
  injector_->Plan(Fault::kLate);
  injector_->Plan(Fault::kError);
  ASSERT_EQ(Submit(late.get(), fences.data()), SubmitCode::kAccepted);
  ASSERT_EQ(Submit(lied.get(), &fences[1]), SubmitCode::kAccepted);
  ASSERT_EQ(Submit(behind.get(), &fences[2]), SubmitCode::kAccepted);
  // What comes after it has not ended, though nothing of it runs.
  EXPECT_FALSE(queue().Poll(&fences[1]));
  injector_->Plan(Fault::kLate);
  ASSERT_EQ(Submit(later.get(), &fences[3]), SubmitCode::kAccepted);
  EXPECT_EQ(queue().Wait(&fences[3], kLimit), WaitCode::kTimeout);
  EXPECT_TRUE(Works());
  EXPECT_FALSE(fences[0].done);
  ASSERT_TRUE(behind->Read().ok());
  EXPECT_TRUE(behind->IsUnwritten(0));
  for (Fence& each : fences) EXPECT_LE(Looks(&each, /*waiting=*/true), kManyLooks);
  EXPECT_FALSE(fences[1].status.ok());
  for (auto* each : {late.get(), behind.get(), later.get()}) {
    ASSERT_TRUE(each->Read().ok());
    EXPECT_TRUE(each->IsRight(0));
  }
}

TEST_F(FaultyDeviceTest, AVainWaitForAnEarlierOneLetsNothingOvertakeWhatIsLate) {
  const std::unique_ptr<AddOneChain> first = MakeChain();
  const std::unique_ptr<AddOneChain> late = MakeChain();
  const std::unique_ptr<AddOneChain> behind = MakeChain();
  std::vector<Fence> fences(3);
  fake_.Hold(true);
  ASSERT_EQ(Submit(first.get(), fences.data()), SubmitCode::kAccepted);
  EXPECT_EQ(queue().Wait(fences.data(), kLimit), WaitCode::kTimeout);
  injector_->Plan(Fault::kLate);
  ASSERT_EQ(Submit(late.get(), &fences[1]), SubmitCode::kAccepted);
  EXPECT_EQ(queue().Wait(fences.data(), kLimit), WaitCode::kTimeout);
  ASSERT_EQ(Submit(behind.get(), &fences[2]), SubmitCode::kAccepted);
  fake_.Hold(false);
  EXPECT_EQ(queue().Wait(&fences[2], kLimit), WaitCode::kTimeout);
  for (Fence& each : fences) EXPECT_LE(Looks(&each, /*waiting=*/true), kManyLooks);
}

TEST_F(FaultyDeviceTest, WhatDoesNotRunEndsInOrder) {
  const std::unique_ptr<AddOneChain> chain = MakeChain();
  const std::unique_ptr<AddOneChain> lied = MakeChain();
  fake_.Hold(true);
  Fence first;
  ASSERT_EQ(Submit(chain.get(), &first), SubmitCode::kAccepted);
  injector_->Plan(Fault::kLie);
  Fence second;
  ASSERT_EQ(Submit(lied.get(), &second), SubmitCode::kAccepted);
  EXPECT_FALSE(queue().Poll(&second));
  EXPECT_EQ(queue().Wait(&second, milliseconds(1)), WaitCode::kTimeout);
  fake_.Hold(false);
  EXPECT_EQ(queue().Wait(&second, kLimit), WaitCode::kDone);
  EXPECT_TRUE(queue().Poll(&first));
}

TEST_F(FaultyDeviceTest, ThereIsRoomAgainWhateverFillsTheQueue) {
  for (const Fault fault : {Fault::kLate, Fault::kError, Fault::kLie}) {
    std::vector<std::unique_ptr<AddOneChain>> chains;
    std::vector<Fence> fences(20);
    int full = 0;
    for (Fence& each : fences) {
      chains.push_back(MakeChain(2));
      injector_->Plan(fault);
      SubmitCode code = Submit(chains.back().get(), &each);
      for (int i = 0; i < kManyLooks && code == SubmitCode::kQueueFull; ++i) {
        ++full;
        ASSERT_EQ(queue().WaitForRoom(kLimit), WaitCode::kDone);
        code = Submit(chains.back().get(), &each);
      }
      ASSERT_EQ(code, SubmitCode::kAccepted);
    }
    EXPECT_EQ(full > 0, fault != Fault::kLie);
    EXPECT_LE(fake_.most_in_flight(), 4);
    EXPECT_EQ(injector_->count(fault), 20);
    for (Fence& each : fences) {
      EXPECT_LE(Looks(&each, /*waiting=*/true), kManyLooks);
      EXPECT_EQ(each.status.ok(), fault != Fault::kError);
    }
  }
}

TEST_F(FaultyDeviceTest, ALateOneFindsAFullQueueAndWaitsForRoom) {
  const std::unique_ptr<AddOneChain> late = MakeChain();
  injector_->Plan(Fault::kLate);
  Fence fence;
  ASSERT_EQ(Submit(late.get(), &fence), SubmitCode::kAccepted);
  ASSERT_EQ(queue().Wait(&fence, kLimit), WaitCode::kTimeout);
  std::vector<std::unique_ptr<AddOneChain>> chains;
  std::vector<Fence> fences(4);
  for (Fence& each : fences) {
    chains.push_back(MakeChain());
    ASSERT_EQ(Submit(chains.back().get(), &each), SubmitCode::kAccepted);
  }
  EXPECT_LE(Looks(&fence, /*waiting=*/true), 3);
  ASSERT_TRUE(late->Read().ok());
  EXPECT_TRUE(late->IsRight(0));
  for (Fence& each : fences) EXPECT_EQ(queue().Wait(&each, kLimit), WaitCode::kDone);
}

TEST_F(FaultyDeviceTest, ALostDeviceEndsWhatIsInFlightAndRefusesTheNextCalls) {
  const std::unique_ptr<AddOneChain> running = MakeChain(2);
  const std::unique_ptr<AddOneChain> late = MakeChain();
  std::vector<Fence> fences(2);
  fake_.Hold(true);
  ASSERT_EQ(Submit(running.get(), fences.data()), SubmitCode::kAccepted);
  injector_->Plan(Fault::kLate);
  ASSERT_EQ(Submit(late.get(), &fences[1]), SubmitCode::kAccepted);
  injector_->Plan(Fault::kLost);
  EXPECT_EQ(device_->Allocate(1).status().ToString(), "unavailable: the device is lost");
  Fence refused;
  EXPECT_EQ(Submit(late.get(), &refused), SubmitCode::kRejected);
  EXPECT_EQ(refused.status.message(), "the device is lost");
  // The inner device still writes: no fence may say that it does not.
  EXPECT_FALSE(queue().Poll(fences.data()));
  fake_.Hold(false);
  for (Fence& each : fences) {
    EXPECT_EQ(queue().Wait(&each, kLimit), WaitCode::kDone);
    EXPECT_EQ(each.status.message(), "the device is lost");
    EXPECT_EQ(each.good_launches, 0U);
  }
  for (int i = 0; i < 19; ++i) EXPECT_FALSE(device_->Allocate(1).ok());
  EXPECT_TRUE(Works());
  ASSERT_TRUE(late->Read().ok());
  EXPECT_TRUE(late->IsUnwritten(0));
}

TEST_F(FaultyDeviceTest, ItsEndDropsWhatIsStillHeldUp) {
  std::unique_ptr<AddOneChain> late = MakeChain();
  std::unique_ptr<AddOneChain> hanging = MakeChain();
  fake_.PlanFault(xrt::FakeFault::kHang);
  Fence fence;
  ASSERT_EQ(Submit(hanging.get(), &fence), SubmitCode::kAccepted);
  injector_->Plan(Fault::kLate);
  Fence other;
  ASSERT_EQ(Submit(late.get(), &other), SubmitCode::kAccepted);
  late = nullptr;
  hanging = nullptr;
  device_ = nullptr;
  EXPECT_EQ(fake_.data_buffers(), 0);
}

TEST_F(FaultyDeviceTest, ThreadsMeetFaultsOfTheirOwn) {
  injector_->SetRateForTest(0.2);
  std::atomic<int> bad{0};
  const auto submit_many = [&](int seed) {
    for (int i = 0; i < 300; ++i) {
      Result<std::unique_ptr<AddOneChain>> made = AddOneChain::Make(device_.get(), 2);
      if (!made.ok() || !(*made)->Write(seed + i).ok()) continue;
      Fence fence;
      SubmitCode code = Submit(made->get(), &fence);
      while (code == SubmitCode::kQueueFull) {
        static_cast<void>(queue().WaitForRoom(kLimit));
        code = Submit(made->get(), &fence);
      }
      if (code == SubmitCode::kRejected) continue;
      for (int looks = 0; !fence.done && looks < 1000; ++looks) {
        static_cast<void>(queue().Wait(&fence, kLimit));
      }
      if (!fence.done) {
        ++bad;  // The buffers are lost to it.
        static_cast<void>(made->release());
      } else if (fence.status.ok() && (*made)->Read().ok()) {
        if (!(*made)->IsRight(1) && !(*made)->IsUnwritten(1)) ++bad;
      } else if (fence.status.code() == StatusCode::kInternal) {
        ++bad;
      }
    }
  };
  std::thread other([&] { submit_many(100); });
  submit_many(0);
  other.join();
  EXPECT_EQ(bad, 0);
  EXPECT_GT(injector_->count(), 100);
  injector_->SetRateForTest(0);
  EXPECT_TRUE(Works());
}

}  // namespace
}  // namespace tilewave::device
