// The device over the fake of the driver: limits kept, contexts evicted, and what comes after every
// way to fail.

#include "device/xrt/xrt_device.h"

#include <gtest/gtest.h>

#include <cstring>
#include <utility>
#include <vector>

#include "device/xrt/array_binary.h"
#include "device/xrt/xrt_fake/fake_xrt.h"
#include "tests/support/add_one_npu.h"

namespace tilewave::device::xrt {
namespace {

using std::chrono::milliseconds;
using testing::LoadAddOne;

constexpr size_t kBytes = testing::kAddOneBytes;

class XrtDeviceTest : public ::testing::Test {
 protected:
  XrtDeviceTest() : device_(*OpenXrt(fake_.MakeDriver(), 0)), data_(Allocate(2 * kBytes)) {
    in_ = *data_->Slice(0, kBytes);
    out_ = *data_->Slice(kBytes, kBytes);
    arguments_ = {{in_.get(), 0, kBytes}, {out_.get(), 0, kBytes}};
  }

  std::unique_ptr<Buffer> Allocate(size_t bytes) { return *device_->Allocate(bytes); }

  std::unique_ptr<Executable> Load() {
    return *device_->LoadImage(ArrayBinary({}, std::vector<std::byte>(8)));
  }

  Launch LaunchOf(const Executable& executable) const {
    Launch launch;
    launch.executable = &executable;
    launch.stream = stream_;
    launch.arguments = arguments_;
    return launch;
  }

  SubmitCode Submit(const Executable& executable, Fence* fence, size_t launches = 1) {
    const std::vector<Launch> chain(launches, LaunchOf(executable));
    return device_->queue().TrySubmit(chain, fence);
  }

  Status Run(const Executable& executable, size_t launches = 1) {
    Fence fence;
    if (Submit(executable, &fence, launches) != SubmitCode::kAccepted) return fence.status;
    if (device_->queue().Wait(&fence, milliseconds(10)) == WaitCode::kTimeout) {
      return {StatusCode::kDeadlineExceeded, "waited in vain"};
    }
    return fence.status;
  }

  /// Runs with fresh data; whether the result is right.
  bool Adds(const Executable& executable) {
    std::memset(in_->host(), ++value_, kBytes);
    std::memset(out_->host(), 0, kBytes);
    if (!data_->Sync(SyncDirection::kToDevice, 0, 2 * kBytes).ok()) return false;
    if (!Run(executable).ok()) return false;
    if (!out_->Sync(SyncDirection::kFromDevice, 0, kBytes).ok()) return false;
    const std::vector<std::byte> expected(kBytes, static_cast<std::byte>(value_ + 1));
    return std::memcmp(out_->host(), expected.data(), kBytes) == 0;
  }

  FakeXrt fake_{arch::NpuArch::kNpu1, LoadAddOne};
  std::unique_ptr<Device> device_;
  std::unique_ptr<Buffer> data_;
  std::unique_ptr<Buffer> in_;
  std::unique_ptr<Buffer> out_;
  std::vector<BufferRange> arguments_;
  std::vector<uint32_t> stream_ = testing::AddOneStream(1);
  int value_ = 0;
};

TEST_F(XrtDeviceTest, SaysWhatItIs) {
  EXPECT_EQ(device_->info().name, "xrt:0");
  EXPECT_EQ(device_->info().kind, DeviceKind::kXrt);
  EXPECT_EQ(device_->info().description, "fake NPU (npu1) through a fake of XRT");
  EXPECT_EQ(ArchOf(*device_), arch::NpuArch::kNpu1);
  EXPECT_EQ(OpenXrt(fake_.MakeDriver(), 1).status().message(), "no NPU 1; there is one, 0");
}

TEST_F(XrtDeviceTest, BadBinariesAreRefusedByNameBeforeAnythingIsSubmitted) {
  program::DesignSpec other;
  other.arch = arch::NpuArch::kNpu2;
  const Status generation =
      device_->LoadImage(ArrayBinary(other, std::vector<std::byte>(8))).status();
  EXPECT_EQ(generation.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(generation.message(),
            "array binary k_stream-64x64x64-vector-s32-npu2 is for npu2; device xrt:0 is npu1");
  const Status empty = device_->LoadImage(ArrayBinary({}, {})).status();
  EXPECT_EQ(empty.message(), "array binary k_stream-64x64x64-vector-s32-npu1: no array binary");
  const std::unique_ptr<Executable> executable = Load();
  stream_ = testing::AddOneStream(1, arch::NpuArch::kNpu2);
  const Status stream = Run(*executable);
  EXPECT_EQ(stream.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(stream.message(), "a stream for generation 4 of the array; npu1 is generation 3");
  EXPECT_EQ(fake_.calls(FakeCall::kStart), 0);
}

TEST_F(XrtDeviceTest, ARepeatedLaunchTakesAStartAndAWait) {
  const std::unique_ptr<Executable> executable = Load();
  EXPECT_TRUE(Adds(*executable));
  const int64_t before = fake_.calls();
  EXPECT_TRUE(Run(*executable).ok());
  EXPECT_EQ(fake_.calls() - before, 2);
}

TEST_F(XrtDeviceTest, ARepeatedChainIsOneRunListThatTakesAStartAndAWait) {
  const std::unique_ptr<Executable> executable = Load();
  EXPECT_TRUE(Run(*executable, kMaxChainLaunches).ok());
  EXPECT_EQ(fake_.calls(FakeCall::kList), 1);
  EXPECT_EQ(fake_.calls(FakeCall::kAdd), 24);
  EXPECT_EQ(fake_.calls(FakeCall::kInstructions), 1);
  const int64_t before = fake_.calls();
  EXPECT_TRUE(Run(*executable, kMaxChainLaunches).ok());
  EXPECT_EQ(fake_.calls() - before, 2);
}

TEST_F(XrtDeviceTest, ABufferInThePlaceOfAnotherIsNotTakenForIt) {
  const std::unique_ptr<Executable> executable = Load();
  EXPECT_TRUE(Adds(*executable));
  for (int i = 0; i < 10; ++i) {
    out_ = nullptr;
    in_ = nullptr;
    data_ = nullptr;
    data_ = Allocate(2 * kBytes);
    in_ = *data_->Slice(0, kBytes);
    out_ = *data_->Slice(kBytes, kBytes);
    arguments_ = {{in_.get(), 0, kBytes}, {out_.get(), 0, kBytes}};
    EXPECT_TRUE(Adds(*executable));
  }
}

TEST_F(XrtDeviceTest, AStretchOfABufferIsASubBufferThatIsKept) {
  const std::unique_ptr<Executable> executable = Load();
  arguments_ = {{data_.get(), 0, kBytes}, {data_.get(), kBytes, kBytes}};
  EXPECT_TRUE(Adds(*executable));
  const int64_t slices = fake_.calls(FakeCall::kSlice);
  EXPECT_TRUE(Adds(*executable));
  EXPECT_EQ(fake_.calls(FakeCall::kSlice), slices);
}

TEST_F(XrtDeviceTest, WindowsShareNoCacheLine) {
  EXPECT_EQ(data_->Slice(32, 32).status().message(),
            "a window at byte 32 of a device buffer; expected a multiple of 64");
  EXPECT_EQ(out_->Slice(1, 1).status().code(), StatusCode::kInternal);
}

TEST_F(XrtDeviceTest, AFifthSubmissionIsRefusedUntilOneHasEnded) {
  const std::unique_ptr<Executable> executable = Load();
  fake_.Hold(true);
  std::vector<Fence> fences(5);
  for (size_t i = 0; i < 4; ++i) ASSERT_EQ(Submit(*executable, &fences[i]), SubmitCode::kAccepted);
  EXPECT_EQ(Submit(*executable, &fences[4]), SubmitCode::kQueueFull);
  EXPECT_EQ(device_->queue().WaitForRoom(milliseconds(1)), WaitCode::kTimeout);
  fake_.Hold(false);
  EXPECT_EQ(device_->queue().WaitForRoom(milliseconds(1)), WaitCode::kDone);
  EXPECT_EQ(Submit(*executable, &fences[4]), SubmitCode::kAccepted);
  for (Fence& each : fences) {
    EXPECT_EQ(device_->queue().Wait(&each, milliseconds(1)), WaitCode::kDone);
    EXPECT_TRUE(each.status.ok());
  }
  EXPECT_EQ(fake_.most_in_flight(), 4);
  EXPECT_EQ(fake_.blocked_starts(), 0);
}

TEST_F(XrtDeviceTest, ContextsGoLeastRecentlyUsedFirst) {
  std::vector<std::unique_ptr<Executable>> executables;
  for (int i = 0; i < 8; ++i) executables.push_back(Load());
  EXPECT_EQ(fake_.contexts(), 6);
  const int64_t loaded = fake_.calls(FakeCall::kContext);
  for (size_t i = 2; i < 8; ++i) EXPECT_TRUE(Adds(*executables[i]));
  EXPECT_EQ(fake_.calls(FakeCall::kContext), loaded);
  EXPECT_TRUE(Adds(*executables[2]));
  EXPECT_TRUE(Adds(*executables[0]));  // In the place of 3.
  EXPECT_EQ(fake_.calls(FakeCall::kContext), loaded + 1);
  EXPECT_TRUE(Adds(*executables[2]));
  EXPECT_EQ(fake_.calls(FakeCall::kContext), loaded + 1);
  EXPECT_TRUE(Adds(*executables[3]));
  EXPECT_EQ(fake_.calls(FakeCall::kContext), loaded + 2);
  EXPECT_EQ(fake_.most_contexts(), 6);
  executables.clear();
  EXPECT_EQ(fake_.contexts(), 0);
  EXPECT_EQ(fake_.heap_bytes(), 0);
}

TEST_F(XrtDeviceTest, ContextsOfOtherProcessesAreMadeDoWithout) {
  const std::unique_ptr<Executable> first = Load();
  fake_.TakeContexts(5);
  const std::unique_ptr<Executable> second = Load();
  EXPECT_TRUE(Adds(*first));
  fake_.Hold(true);
  Fence held;
  ASSERT_EQ(Submit(*first, &held), SubmitCode::kAccepted);
  Fence fence;
  EXPECT_EQ(Submit(*second, &fence), SubmitCode::kQueueFull);
  EXPECT_EQ(device_->queue().WaitForRoom(milliseconds(1)), WaitCode::kTimeout);
  fake_.Hold(false);
  EXPECT_EQ(device_->queue().WaitForRoom(milliseconds(1)), WaitCode::kDone);
  EXPECT_TRUE(Adds(*second));
  fake_.TakeContexts(6);
  EXPECT_FALSE(Run(*first).ok());
  EXPECT_EQ(Run(*first).message(), "all 6 hardware contexts are taken");
  fake_.TakeContexts(0);
  EXPECT_TRUE(Adds(*first));
}

TEST_F(XrtDeviceTest, OldStreamsLeaveAFullHeap) {
  const std::unique_ptr<Executable> executable = Load();
  const std::unique_ptr<Executable> other = Load();
  // A stream takes 32 KiB at least, so that 2048 of them are more than the heap has.
  for (uint32_t i = 0; i < 2500; ++i) {
    stream_ = testing::AddOneStream(i);
    ASSERT_TRUE(Run(i % 2 == 0 ? *executable : *other).ok()) << i;
  }
  EXPECT_LE(fake_.heap_bytes(), arch::kInstructionHeapBytes);
  EXPECT_TRUE(Adds(*executable));
}

class XrtFault : public XrtDeviceTest, public ::testing::WithParamInterface<FakeFault> {};

TEST_P(XrtFault, CostsTheContextAndNoMore) {
  const std::unique_ptr<Executable> executable = Load();
  const std::unique_ptr<Executable> other = Load();
  for (const size_t launches : {1U, 24U}) {
    EXPECT_TRUE(Adds(*executable));
    EXPECT_TRUE(Adds(*other));
    const int64_t contexts = fake_.calls(FakeCall::kContext);
    fake_.PlanFault(GetParam(), launches / 2);
    Fence fence;
    ASSERT_EQ(Submit(*executable, &fence, launches), SubmitCode::kAccepted);
    ASSERT_EQ(device_->queue().Wait(&fence, milliseconds(10)), WaitCode::kDone);
    const Status status = fence.status;
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(fence.good_launches, launches / 2);
    if (launches == 24) {
      EXPECT_NE(status.message().find("launch 13 of 24"), std::string::npos) << status.message();
    }
    EXPECT_TRUE(Adds(*executable));
    EXPECT_TRUE(Adds(*other));
    EXPECT_EQ(fake_.calls(FakeCall::kContext), contexts + 1);
  }
  EXPECT_EQ(fake_.contexts(), 2);
}

INSTANTIATE_TEST_SUITE_P(All, XrtFault,
                         ::testing::Values(FakeFault::kError, FakeFault::kTimeout,
                                           FakeFault::kNoResponse));

TEST_F(XrtDeviceTest, AStaleContextIsMadeAnew) {
  const std::unique_ptr<Executable> executable = Load();
  fake_.PlanFault(FakeFault::kStale);
  EXPECT_FALSE(Run(*executable).ok());
  EXPECT_TRUE(Adds(*executable));
}

TEST_F(XrtDeviceTest, OthersOfAContextThatTimesOutAreAborted) {
  const std::unique_ptr<Executable> executable = Load();
  fake_.PlanFault(FakeFault::kTimeout);
  std::vector<Fence> fences(3);
  for (Fence& each : fences) ASSERT_EQ(Submit(*executable, &each), SubmitCode::kAccepted);
  for (Fence& each : fences) {
    ASSERT_EQ(device_->queue().Wait(&each, milliseconds(1)), WaitCode::kDone);
  }
  EXPECT_EQ(fences[0].status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(fences[0].status.message(),
            "the NPU ended launch 1 of 1 with 'timeout': no progress, the context was restarted; "
            "its context is built anew");
  EXPECT_EQ(fences[1].status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(fences[2].status.code(), StatusCode::kUnavailable);
  EXPECT_TRUE(Adds(*executable));
  EXPECT_EQ(fake_.contexts(), 1);
}

TEST_F(XrtDeviceTest, ALaunchThatHangsKeepsItsFenceUntilTheDriverEndsIt) {
  const std::unique_ptr<Executable> executable = Load();
  for (const bool late : {true, false}) {
    const std::unique_ptr<Buffer> quarantined = Allocate(kBytes);
    const std::vector<BufferRange> kept =
        std::exchange(arguments_, {{in_.get(), 0, kBytes}, {quarantined.get(), 0, kBytes}});
    fake_.PlanFault(FakeFault::kHang);
    Fence fence;
    ASSERT_EQ(Submit(*executable, &fence), SubmitCode::kAccepted);
    EXPECT_EQ(device_->queue().Wait(&fence, milliseconds(1)), WaitCode::kTimeout);
    EXPECT_FALSE(device_->queue().Poll(&fence));
    EXPECT_FALSE(fence.done);
    // The next launch has a context of its own; the old one still counts.
    arguments_ = kept;
    const std::unique_ptr<Buffer> another = Allocate(kBytes);
    arguments_[0] = {another.get(), 0, kBytes};
    EXPECT_TRUE(Run(*executable).ok());
    EXPECT_EQ(fake_.contexts(), 2);
    arguments_ = kept;
    if (late) {
      fake_.Release();
    } else {
      fake_.TimeOut();
    }
    EXPECT_TRUE(device_->queue().Poll(&fence));
    EXPECT_EQ(fence.status.ok(), late);
    EXPECT_EQ(fake_.contexts(), 1);
    EXPECT_TRUE(Adds(*executable));
  }
}

TEST_F(XrtDeviceTest, RoomIsNotWaitedForAtALaunchThatHangs) {
  const std::unique_ptr<Executable> executable = Load();
  fake_.PlanFault(FakeFault::kHang);
  Fence hanging;
  ASSERT_EQ(Submit(*executable, &hanging), SubmitCode::kAccepted);
  EXPECT_EQ(device_->queue().Wait(&hanging, milliseconds(1)), WaitCode::kTimeout);
  std::vector<Fence> fences(4);
  for (size_t i = 0; i < 3; ++i) ASSERT_EQ(Submit(*executable, &fences[i]), SubmitCode::kAccepted);
  ASSERT_EQ(Submit(*executable, &fences[3]), SubmitCode::kQueueFull);
  EXPECT_EQ(device_->queue().WaitForRoom(milliseconds(1)), WaitCode::kDone);
  EXPECT_EQ(Submit(*executable, &fences[3]), SubmitCode::kAccepted);
  for (Fence& each : fences) {
    EXPECT_EQ(device_->queue().Wait(&each, milliseconds(1)), WaitCode::kDone);
  }
}

TEST_F(XrtDeviceTest, ALookThatFailsDoesNotEndWhatMayStillWrite) {
  const std::unique_ptr<Executable> executable = Load();
  for (const bool waiting : {true, false}) {
    std::vector<Fence> fences(3);
    fake_.Hold(true);
    for (Fence& each : fences) ASSERT_EQ(Submit(*executable, &each), SubmitCode::kAccepted);
    fake_.RefuseLooks(2);
    for (size_t i = 0; i < 2; ++i) {
      // The third is on the same context, which therefore cannot go.
      if (waiting) {
        EXPECT_EQ(device_->queue().Wait(&fences[i], milliseconds(1)), WaitCode::kTimeout);
      } else {
        EXPECT_FALSE(device_->queue().Poll(&fences[i]));
      }
    }
    EXPECT_EQ(fake_.contexts(), 1);
    fake_.Hold(false);
    EXPECT_EQ(device_->queue().Wait(fences.data(), milliseconds(1)), WaitCode::kDone);
    EXPECT_EQ(fake_.contexts(), 0);
    for (size_t i = 0; i < 3; ++i) {
      ASSERT_TRUE(device_->queue().Poll(&fences[i]));
      EXPECT_EQ(fences[i].status.message(), i < 2 ? "no answer" : "");
    }
    // Alone on its context it ends with that.
    ASSERT_EQ(Submit(*executable, fences.data()), SubmitCode::kAccepted);
    fake_.RefuseLooks(1);
    EXPECT_TRUE(device_->queue().Poll(fences.data()));
    EXPECT_EQ(fences[0].status.message(), "no answer");
    EXPECT_EQ(fake_.contexts(), 0);
    EXPECT_TRUE(Adds(*executable));
  }
}

TEST_F(XrtDeviceTest, RefusedSubmissionsAndContextsAreErrorsAndThenForgotten) {
  const std::unique_ptr<Executable> executable = Load();
  EXPECT_TRUE(Adds(*executable));
  for (const size_t launches : {1U, 3U}) {
    fake_.RefuseSubmissions(1);
    EXPECT_EQ(Run(*executable, launches).message(), "submission refused");
    EXPECT_TRUE(Adds(*executable));
  }
  fake_.RefuseSubmissions(1);
  fake_.RefuseContexts(1);
  EXPECT_FALSE(Run(*executable).ok());
  EXPECT_EQ(Run(*executable).message(), "context refused");
  EXPECT_TRUE(Adds(*executable));
  fake_.RefuseData(1);
  EXPECT_EQ(device_->Allocate(1).status().code(), StatusCode::kResourceExhausted);
  EXPECT_NE(Allocate(1), nullptr);
}

TEST_F(XrtDeviceTest, ItsEndDropsWhatStillRuns) {
  const std::unique_ptr<Executable> executable = Load();
  fake_.PlanFault(FakeFault::kHang);
  Fence fence;
  ASSERT_EQ(Submit(*executable, &fence), SubmitCode::kAccepted);
  out_ = nullptr;
  in_ = nullptr;
  data_ = nullptr;
  device_ = nullptr;
  fake_.Release();
  EXPECT_EQ(fake_.data_buffers(), 0);
}

}  // namespace
}  // namespace tilewave::device::xrt
