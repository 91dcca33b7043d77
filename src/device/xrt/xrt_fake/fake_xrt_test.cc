// That the fake keeps to what is documented of XRT and amdxdna, seen through the seam alone.

#include "device/xrt/xrt_fake/fake_xrt.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace tilewave::device::xrt {
namespace {

using std::chrono::milliseconds;

constexpr size_t kPage = arch::kPageBytes;

/// Copies buffer 0 to buffer 1.
class CopyArray final : public FakeArray {
 public:
  Status Run(std::span<const uint32_t> stream,
             std::span<const std::span<std::byte>> buffers) override {
    if (stream[0] != 1) return {StatusCode::kInternal, "no such instruction"};
    std::memcpy(buffers[1].data(), buffers[0].data(), buffers[0].size());
    return {};
  }
  void Reset() override {}
};

class FakeXrtTest : public ::testing::Test {
 protected:
  FakeXrtTest() {
    const uint32_t word = 1;
    std::memcpy(instructions_->host(), &word, sizeof(word));
    EXPECT_TRUE(instructions_->Sync(SyncDirection::kToDevice, 0, sizeof(word)).ok());
    for (auto* each : {&in_, &out_}) {
      std::memset((*each)->host(), 0, kPage);
      EXPECT_TRUE((*each)->Sync(SyncDirection::kToDevice, 0, kPage).ok());
    }
  }

  std::unique_ptr<DriverRun> NewRun() {
    std::unique_ptr<DriverRun> run = *kernel_->NewRun();
    EXPECT_TRUE(run->SetInstructions(instructions_.get(), 1).ok());
    EXPECT_TRUE(run->SetBuffer(0, in_.get()).ok());
    EXPECT_TRUE(run->SetBuffer(1, out_.get()).ok());
    return run;
  }

  FakeXrt fake_{arch::NpuArch::kNpu1,
                [](std::span<const std::byte>) -> Result<std::unique_ptr<FakeArray>> {
                  return std::unique_ptr<FakeArray>(std::make_unique<CopyArray>());
                }};
  std::unique_ptr<Driver> driver_ = fake_.MakeDriver();
  std::unique_ptr<DriverDevice> device_ = *driver_->Open(0);
  BinaryId binary_ = *device_->RegisterBinary({});
  std::unique_ptr<DriverContext> context_ = *device_->NewContext(binary_);
  std::unique_ptr<DriverKernel> kernel_ = *context_->OpenKernel();
  std::unique_ptr<DriverBuffer> instructions_ = *kernel_->NewInstructions(sizeof(uint32_t));
  std::unique_ptr<DriverBuffer> in_ = *device_->NewData(kPage);
  std::unique_ptr<DriverBuffer> out_ = *device_->NewData(kPage);
};

TEST_F(FakeXrtTest, BuffersArePagesThatOnlySyncsMakeEqual) {
  EXPECT_EQ(reinterpret_cast<uintptr_t>(in_->host()) % kPage, 0U);
  std::memset(in_->host(), 7, kPage);
  EXPECT_TRUE(in_->Sync(SyncDirection::kToDevice, 100, 1).ok());
  std::memset(in_->host(), 9, kPage);
  EXPECT_TRUE(in_->Sync(SyncDirection::kFromDevice, 0, kPage).ok());
  // One byte took its cache line along, and no other.
  EXPECT_EQ(in_->host()[63], std::byte{0});
  EXPECT_EQ(in_->host()[64], std::byte{7});
  EXPECT_EQ(in_->host()[127], std::byte{7});
  EXPECT_EQ(in_->host()[128], std::byte{0});
  EXPECT_EQ(in_->Sync(SyncDirection::kToDevice, kPage, 1).code(), StatusCode::kOutOfRange);
  EXPECT_EQ(in_->Slice(kPage, 1).status().code(), StatusCode::kOutOfRange);
}

TEST_F(FakeXrtTest, ASubmissionRunsWhenLookedAt) {
  std::memset(in_->host(), 7, kPage);
  ASSERT_TRUE(in_->Sync(SyncDirection::kToDevice, 0, kPage).ok());
  const std::unique_ptr<DriverRun> run = NewRun();
  EXPECT_FALSE(run->Wait(milliseconds(1)).ok());
  ASSERT_TRUE(run->Start().ok());
  EXPECT_FALSE(run->Start().ok());
  EXPECT_FALSE(run->SetBuffer(0, in_.get()).ok());
  EXPECT_FALSE(in_->Sync(SyncDirection::kToDevice, 0, 1).ok());
  EXPECT_EQ(run->Poll()->state, RunState::kRunning);
  EXPECT_EQ(run->Poll()->state, RunState::kCompleted);
  ASSERT_TRUE(out_->Sync(SyncDirection::kFromDevice, 0, kPage).ok());
  EXPECT_EQ(out_->host()[5], std::byte{7});
  ASSERT_TRUE(run->Start().ok());
  EXPECT_EQ(run->Wait(milliseconds(1))->state, RunState::kCompleted);
}

TEST_F(FakeXrtTest, AFifthSubmissionOfAContextBlocks) {
  std::vector<std::unique_ptr<DriverRun>> runs;
  for (int i = 0; i < 5; ++i) {
    runs.push_back(NewRun());
    ASSERT_TRUE(runs.back()->Start().ok());
  }
  EXPECT_EQ(fake_.blocked_starts(), 1);
  EXPECT_EQ(fake_.most_in_flight(), 4);
}

TEST_F(FakeXrtTest, ContextsAndHeapRunOut) {
  std::vector<std::unique_ptr<DriverContext>> contexts;
  for (int i = 1; i < 6; ++i) contexts.push_back(*device_->NewContext(binary_));
  EXPECT_EQ(device_->NewContext(binary_).status().code(), StatusCode::kResourceExhausted);
  contexts.clear();
  EXPECT_TRUE(device_->NewContext(binary_).ok());
  EXPECT_EQ(fake_.heap_bytes(), 5 * (32 << 10));
  EXPECT_EQ(kernel_->NewInstructions(64 << 20).status().code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(kernel_->NewInstructions((64 << 20) - (5 * (32 << 10))).ok());
  const FakeXrt npu2(arch::NpuArch::kNpu2, [](std::span<const std::byte>) {
    return Result<std::unique_ptr<FakeArray>>(std::make_unique<CopyArray>());
  });
  const std::unique_ptr<Driver> driver = npu2.MakeDriver();
  const std::unique_ptr<DriverDevice> device = *driver->Open(0);
  const BinaryId binary = *device->RegisterBinary({});
  for (int i = 0; i < 16; ++i) contexts.push_back(*device->NewContext(binary));
  EXPECT_FALSE(device->NewContext(binary).ok());
  contexts.clear();
}

TEST_F(FakeXrtTest, ABadRunOfAListEndsIt) {
  std::vector<std::unique_ptr<DriverRun>> runs;
  const std::unique_ptr<DriverRunList> list = *context_->NewRunList();
  for (int i = 0; i < 4; ++i) {
    runs.push_back(NewRun());
    ASSERT_TRUE(list->Add(runs.back().get()).ok());
  }
  EXPECT_FALSE(list->Add(runs[0].get()).ok());
  EXPECT_FALSE(runs[0]->Start().ok());
  EXPECT_TRUE(list->Wait(milliseconds(1))->ended);
  fake_.PlanFault(FakeFault::kError, 2);
  ASSERT_TRUE(list->Execute().ok());
  EXPECT_FALSE(list->Execute().ok());
  EXPECT_FALSE(list->Reset().ok());
  const Outcome outcome = *list->Wait(milliseconds(1));
  EXPECT_TRUE(outcome.ended);
  EXPECT_EQ(outcome.state, RunState::kError);
  EXPECT_EQ(outcome.run, 2U);
  // Idle again, and its commands are whole.
  ASSERT_TRUE(list->Execute().ok());
  EXPECT_EQ(list->Wait(milliseconds(1))->state, RunState::kCompleted);
  ASSERT_TRUE(list->Reset().ok());
  EXPECT_TRUE(runs[0]->Start().ok());
}

TEST_F(FakeXrtTest, ALongListIsSeveralSubmissions) {
  std::vector<std::unique_ptr<DriverRun>> runs;
  const std::unique_ptr<DriverRunList> list = *context_->NewRunList();
  for (int i = 0; i < 25; ++i) {
    runs.push_back(NewRun());
    ASSERT_TRUE(list->Add(runs.back().get()).ok());
  }
  ASSERT_TRUE(list->Execute().ok());
  EXPECT_EQ(fake_.most_in_flight(), 2);
  EXPECT_EQ(list->Wait(milliseconds(1))->state, RunState::kCompleted);
}

TEST_F(FakeXrtTest, ATimeOutAbortsTheContextAndWritesOverTheCommand) {
  const std::unique_ptr<DriverRun> first = NewRun();
  const std::unique_ptr<DriverRun> second = NewRun();
  fake_.PlanFault(FakeFault::kHang);
  ASSERT_TRUE(first->Start().ok());
  ASSERT_TRUE(second->Start().ok());
  EXPECT_FALSE(first->Wait(milliseconds(1))->ended);
  EXPECT_FALSE(second->Wait(milliseconds(1))->ended);
  fake_.TimeOut();
  EXPECT_EQ(first->Wait(milliseconds(1))->state, RunState::kTimeout);
  EXPECT_EQ(second->Wait(milliseconds(1))->state, RunState::kAbort);
  EXPECT_FALSE(first->Start().ok());
  const std::unique_ptr<DriverRun> fresh = NewRun();
  ASSERT_TRUE(fresh->Start().ok());
  EXPECT_EQ(fresh->Wait(milliseconds(1))->state, RunState::kCompleted);
}

TEST_F(FakeXrtTest, OfAListThatTimesOutTheFirstRunsRan) {
  std::memset(in_->host(), 7, kPage);
  ASSERT_TRUE(in_->Sync(SyncDirection::kToDevice, 0, kPage).ok());
  const std::unique_ptr<DriverRun> first = NewRun();
  const std::unique_ptr<DriverRun> second = NewRun();
  const std::unique_ptr<DriverRunList> list = *context_->NewRunList();
  for (auto* each : {first.get(), second.get()}) ASSERT_TRUE(list->Add(each).ok());
  fake_.PlanFault(FakeFault::kHang, 1);
  ASSERT_TRUE(list->Execute().ok());
  EXPECT_FALSE(list->Wait(milliseconds(1))->ended);
  fake_.TimeOut();
  const Outcome outcome = *list->Wait(milliseconds(1));
  EXPECT_EQ(outcome.state, RunState::kTimeout);
  EXPECT_EQ(outcome.run, 1U);
  ASSERT_TRUE(out_->Sync(SyncDirection::kFromDevice, 0, kPage).ok());
  EXPECT_EQ(out_->host()[0], std::byte{7});
}

TEST_F(FakeXrtTest, LateWritesLandLateAndLiesWriteNothing) {
  std::memset(in_->host(), 7, kPage);
  ASSERT_TRUE(in_->Sync(SyncDirection::kToDevice, 0, kPage).ok());
  const std::unique_ptr<DriverRun> run = NewRun();
  const auto out = [this] {
    EXPECT_TRUE(out_->Sync(SyncDirection::kFromDevice, 0, kPage).ok());
    return out_->host()[0];
  };
  fake_.PlanFault(FakeFault::kLie);
  ASSERT_TRUE(run->Start().ok());
  EXPECT_EQ(run->Wait(milliseconds(1))->state, RunState::kCompleted);
  EXPECT_EQ(out(), std::byte{0});
  fake_.PlanFault(FakeFault::kHang);
  ASSERT_TRUE(run->Start().ok());
  EXPECT_FALSE(run->Wait(milliseconds(1))->ended);
  fake_.Release();
  EXPECT_EQ(run->Poll()->state, RunState::kCompleted);
  EXPECT_EQ(out(), std::byte{7});
}

TEST_F(FakeXrtTest, NothingEndsWellOnAStaleContext) {
  std::vector<std::unique_ptr<DriverRun>> runs;
  for (int i = 0; i < 2; ++i) runs.push_back(NewRun());
  ASSERT_TRUE(runs[0]->Start().ok());
  fake_.PlanFault(FakeFault::kStale);
  ASSERT_TRUE(runs[1]->Start().ok());
  EXPECT_EQ(runs[1]->Wait(milliseconds(1))->state, RunState::kError);
  EXPECT_EQ(runs[0]->Wait(milliseconds(1))->state, RunState::kAbort);
  ASSERT_TRUE(runs[0]->Start().ok());
  EXPECT_EQ(runs[0]->Wait(milliseconds(1))->state, RunState::kError);
  const std::unique_ptr<DriverContext> fresh = *device_->NewContext(binary_);
  kernel_ = *fresh->OpenKernel();
  const std::unique_ptr<DriverRun> run = NewRun();
  ASSERT_TRUE(run->Start().ok());
  EXPECT_EQ(run->Wait(milliseconds(1))->state, RunState::kCompleted);
}

TEST_F(FakeXrtTest, ALostDeviceAbortsWhatRunsAndFailsTheNextCalls) {
  const std::unique_ptr<DriverRun> running = NewRun();
  const std::unique_ptr<DriverRun> run = NewRun();
  ASSERT_TRUE(running->Start().ok());
  fake_.PlanFault(FakeFault::kLost);
  EXPECT_EQ(run->Start().message(), "no such device");
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(running->Poll().ok());
  EXPECT_EQ(running->Poll()->state, RunState::kAbort);
  ASSERT_TRUE(run->Start().ok());
  fake_.InjectAtRandom(1, 1);
  while (fake_.faults(FakeFault::kLost) == 0) EXPECT_FALSE(device_->NewData(kPage).ok());
  fake_.InjectAtRandom(0, 0);
  EXPECT_EQ(run->Poll()->state, RunState::kAbort);
}

TEST_F(FakeXrtTest, FaultsAtRandomComeFromTheSeed) {
  const auto fail = [this](uint64_t seed) {
    fake_.InjectAtRandom(seed, 0.2);
    std::vector<bool> failed;
    for (int i = 0; i < 200; ++i) failed.push_back(!device_->NewData(kPage).ok());
    return failed;
  };
  const std::vector<bool> first = fail(1);
  EXPECT_GE(std::count(first.begin(), first.end(), true), fake_.faults());
  EXPECT_EQ(fake_.faults(), fake_.faults(FakeCall::kData) + fake_.faults(FakeFault::kLost));
  EXPECT_NEAR(static_cast<double>(fake_.faults()), 40, 20);
  EXPECT_EQ(fail(1), first);
  EXPECT_NE(fail(2), first);
  fake_.InjectAtRandom(0, 0);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(device_->NewData(kPage).ok());
}

TEST_F(FakeXrtTest, WhatHangsAtRandomEndsByItself) {
  std::memset(in_->host(), 7, kPage);
  ASSERT_TRUE(in_->Sync(SyncDirection::kToDevice, 0, kPage).ok());
  int late = 0;
  int timed_out = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const std::unique_ptr<DriverContext> fresh = *device_->NewContext(binary_);
    kernel_ = *fresh->OpenKernel();
    const std::unique_ptr<DriverRun> run = NewRun();
    fake_.InjectAtRandom(seed, 0.5);
    const bool started = run->Start().ok();
    fake_.InjectAtRandom(seed, 0);
    if (!started) continue;
    int waits = 0;
    while (!run->Wait(milliseconds(1))->ended) ASSERT_LT(++waits, 61);
    if (waits == 0) continue;
    EXPECT_GE(waits, 4);
    const RunState state = run->Wait(milliseconds(1))->state;
    ++(state == RunState::kCompleted ? late : timed_out);
    EXPECT_TRUE(state == RunState::kCompleted || state == RunState::kTimeout);
  }
  EXPECT_GT(late, 0);
  EXPECT_GT(timed_out, 0);
}

TEST_F(FakeXrtTest, BuffersThatAreGoneAndBadInstructionsAreErrors) {
  const std::unique_ptr<DriverRun> run = NewRun();
  const std::unique_ptr<DriverBuffer> blank = *kernel_->NewInstructions(4);
  ASSERT_TRUE(run->SetInstructions(blank.get(), 1).ok());
  ASSERT_TRUE(run->Start().ok());
  Outcome outcome = *run->Wait(milliseconds(1));
  EXPECT_EQ(outcome.state, RunState::kError);
  EXPECT_EQ(outcome.detail, "no such instruction");
  ASSERT_TRUE(run->SetInstructions(instructions_.get(), 1).ok());
  in_ = nullptr;
  ASSERT_TRUE(run->Start().ok());
  outcome = *run->Wait(milliseconds(1));
  EXPECT_EQ(outcome.detail, "buffer 0 is gone");
}

}  // namespace
}  // namespace tilewave::device::xrt
