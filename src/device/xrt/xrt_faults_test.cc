// The device while the driver below it fails at random: whatever happens, each submission ends, in
// an error or with the right result, what has ended writes no more, and nothing is left behind.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "device/xrt/array_binary.h"
#include "device/xrt/xrt_device.h"
#include "device/xrt/xrt_fake/fake_xrt.h"
#include "tests/support/add_one_npu.h"

namespace tilewave::device::xrt {
namespace {

using std::chrono::milliseconds;
using testing::AddOneChain;

/// More calls than any fault lasts.
constexpr int kManyCalls = 200;

constexpr size_t kSlots = 12;
constexpr size_t kChainLengths[] = {1, 1, 2, 5};

/// A chain and its submission. What has not ended is left alone, as it may still be written.
struct Slot {
  std::unique_ptr<AddOneChain> chain;
  size_t launches = 0;
  Fence fence = Fence::Ended({});
};

/// One caller that submits and survives.
class Caller {
 public:
  Caller(Device* device, std::span<const std::unique_ptr<Executable>> executables)
      : device_(device), executables_(executables) {}

  void Submit(int i) {
    Slot& slot = slots_[static_cast<size_t>(i) % kSlots];
    if (!Settled(&slot)) return;
    if (slot.chain == nullptr || i % 50 < static_cast<int>(kSlots)) {
      slot.chain = nullptr;
      slot.launches = kChainLengths[static_cast<size_t>(i) % std::size(kChainLengths)];
      slot.chain = MakeChain(slot.launches);
    }
    if (!Often([&] { return slot.chain->Write(++value_); })) return;
    const Executable& executable = *executables_[static_cast<size_t>(i) % executables_.size()];
    Queue& queue = device_->queue();
    for (int tries = 0; tries < kManyCalls; ++tries) {
      switch (queue.TrySubmit(slot.chain->Launches(executable), &slot.fence)) {
        case SubmitCode::kAccepted:
          ++submitted_;
          // Some are looked at later, beside others.
          if (i % 3 != 0) static_cast<void>(queue.Wait(&slot.fence, milliseconds(1)));
          return;
        case SubmitCode::kRejected:
          ++submitted_;
          CheckError(slot.fence.status);
          slot.fence = Fence::Ended({});
          return;
        case SubmitCode::kQueueFull:
          static_cast<void>(queue.WaitForRoom(milliseconds(1)));
          break;
      }
    }
    ADD_FAILURE() << "no room for submission " << i;
  }

  /// Waits for all, at most for so many calls each.
  void Settle() {
    for (Slot& slot : slots_) {
      for (int looks = 0; looks < kManyCalls && !slot.fence.done; ++looks) {
        static_cast<void>(device_->queue().Wait(&slot.fence, milliseconds(1)));
      }
      EXPECT_TRUE(slot.fence.done);
      if (slot.fence.done) Settled(&slot);
      slot.chain = nullptr;
    }
  }

  int submitted() const { return submitted_; }
  int good() const { return good_; }
  int bad() const { return bad_; }
  int lies() const { return lies_; }

 private:
  /// Until it is ok; whether that was soon.
  template <typename Call>
  static bool Often(const Call& call) {
    Status s;
    for (int tries = 0; tries < kManyCalls; ++tries) {
      s = call();
      if (s.ok()) return true;
      EXPECT_NE(s.code(), StatusCode::kInternal) << s.ToString();
    }
    ADD_FAILURE() << s.ToString();
    return false;
  }

  std::unique_ptr<AddOneChain> MakeChain(size_t launches) {
    std::unique_ptr<AddOneChain> made;
    Often([&]() -> Status {
      Result<std::unique_ptr<AddOneChain>> chain = AddOneChain::Make(device_, launches);
      if (chain.ok()) made = *std::move(chain);
      return chain.status();
    });
    return made;
  }

  /// Bugs are kInternal.
  static void CheckError(const Status& status) {
    EXPECT_TRUE(status.code() == StatusCode::kUnavailable ||
                status.code() == StatusCode::kDeadlineExceeded ||
                status.code() == StatusCode::kResourceExhausted ||
                status.code() == StatusCode::kOutOfRange)
        << status.ToString();
  }

  /// Whether what the slot was used for has ended; checks it.
  bool Settled(Slot* slot) {
    if (!slot->fence.done && !device_->queue().Poll(&slot->fence)) return false;
    if (slot->fence.ticket == 0) return true;
    size_t good = slot->launches;
    if (slot->fence.status.ok()) {
      ++good_;
    } else {
      ++bad_;
      CheckError(slot->fence.status);
      good = slot->fence.good_launches;
      EXPECT_LT(good, slot->launches);
    }
    bool lie = false;
    if (Often([&] { return slot->chain->Read(); })) {
      for (size_t i = 0; i < good; ++i) {
        if (slot->fence.status.ok() && slot->chain->IsUnwritten(i)) {
          lie = true;
        } else {
          EXPECT_TRUE(!lie && slot->chain->IsRight(i)) << slot->fence.status.ToString();
        }
      }
    }
    lies_ += lie ? 1 : 0;
    slot->fence = Fence::Ended({});
    return true;
  }

  Device* device_;
  std::span<const std::unique_ptr<Executable>> executables_;
  std::array<Slot, kSlots> slots_;
  int value_ = 0;
  int submitted_ = 0;
  int good_ = 0;
  int bad_ = 0;
  int lies_ = 0;
};

class XrtFaultsTest : public ::testing::Test {
 protected:
  /// More executables than contexts.
  XrtFaultsTest() {
    for (int i = 0; i < 8; ++i) {
      executables_.push_back(*device_->LoadImage(ArrayBinary({}, std::vector<std::byte>(8))));
    }
  }

  /// After the faults all is as before.
  void CheckNothingIsLeft() {
    fake_.InjectAtRandom(0, 0);
    EXPECT_EQ(fake_.data_buffers(), 0);
    EXPECT_LE(fake_.contexts(), 6);
    EXPECT_EQ(fake_.blocked_starts(), 0);
    Caller caller(device_.get(), executables_);
    for (int i = 0; i < 48; ++i) caller.Submit(i);
    caller.Settle();
    EXPECT_EQ(caller.good(), 48);
    executables_.clear();
    EXPECT_EQ(fake_.contexts(), 0);
    EXPECT_EQ(fake_.heap_bytes(), 0);
    EXPECT_EQ(fake_.data_buffers(), 0);
  }

  FakeXrt fake_{arch::NpuArch::kNpu1, testing::LoadAddOne};
  std::unique_ptr<Device> device_ = *OpenXrt(fake_.MakeDriver(), 0);
  std::vector<std::unique_ptr<Executable>> executables_;
};

class XrtFaultsSeeds : public XrtFaultsTest, public ::testing::WithParamInterface<uint64_t> {};

TEST_P(XrtFaultsSeeds, EverySubmissionEndsAndOnlyLiesAreWrong) {
  fake_.InjectAtRandom(GetParam(), 0.05);
  Caller caller(device_.get(), executables_);
  for (int i = 0; caller.submitted() < 2000; ++i) {
    ASSERT_LT(i, 4000);
    caller.Submit(i);
    if (HasFailure()) break;
  }
  fake_.InjectAtRandom(0, 0);
  caller.Settle();
  EXPECT_LE(caller.lies(), fake_.faults(FakeFault::kLie));
  EXPECT_GT(caller.lies(), 0);
  EXPECT_GT(caller.bad(), 100);
  EXPECT_GT(caller.good(), 700);
  // All that can happen did.
  for (int i = static_cast<int>(FakeFault::kError); i < static_cast<int>(FakeFault::kCount); ++i) {
    EXPECT_GT(fake_.faults(static_cast<FakeFault>(i)), 0) << i;
  }
  for (const FakeCall call :
       {FakeCall::kContext, FakeCall::kKernel, FakeCall::kInstructions, FakeCall::kData,
        FakeCall::kSlice, FakeCall::kSync, FakeCall::kRun, FakeCall::kArgument, FakeCall::kStart,
        FakeCall::kList, FakeCall::kAdd, FakeCall::kPoll, FakeCall::kWait}) {
    EXPECT_GT(fake_.faults(call), 0) << static_cast<int>(call);
  }
  CheckNothingIsLeft();
}

INSTANTIATE_TEST_SUITE_P(All, XrtFaultsSeeds, ::testing::Range<uint64_t>(1, 11));

TEST_F(XrtFaultsTest, ThreadsSurviveBesideEachOther) {
  fake_.InjectAtRandom(7, 0.05);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([this] {
      Caller caller(device_.get(), executables_);
      for (int i = 0; i < 500; ++i) caller.Submit(i);
      caller.Settle();
      EXPECT_GT(caller.good(), 0);
    });
  }
  for (std::thread& each : threads) each.join();
  CheckNothingIsLeft();
}

}  // namespace
}  // namespace tilewave::device::xrt
