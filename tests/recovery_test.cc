// What becomes of calls whose device fails: over the fake of XRT, through the whole engine.

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "tests/support/fake_npu.h"
#include "tilewave/engine.h"

namespace tilewave {
namespace {

using device::xrt::FakeCall;
using device::xrt::FakeFault;
using device::xrt::FakeXrt;

constexpr FakeFault kLoudFaults[] = {FakeFault::kError, FakeFault::kAbort, FakeFault::kTimeout,
                                     FakeFault::kNoResponse};

struct RecoveryCase {
  const char* name;
  const char* design;
};

class RecoveryTest : public ::testing::TestWithParam<RecoveryCase> {
 protected:
  static constexpr int64_t kM = 130;
  static constexpr int64_t kK = 70;
  static constexpr int64_t kN = 90;

  RecoveryTest() : fake_(testing::MakeFakeNpu("phoenix")) {
    Matmul call = Call();
    call.c = RowMajor(expected_.data(), kM, kN);
    EXPECT_TRUE(Engine::Create({.device = "host"})->Run(call).ok());
  }

  Engine MakeEngine(EngineOptions options = {}) {
    options.validate_submissions = true;
    options.array.design = GetParam().design;
    return *testing::MakeFakeNpuEngine(*fake_, "phoenix", options);
  }

  Matmul Call() {
    return {.a = RowMajor(static_cast<const int8_t*>(a_.data()), kM, kK),
            .b = RowMajor(static_cast<const int8_t*>(b_.data()), kK, kN),
            .c = RowMajor(c_.data(), kM, kN)};
  }

  /// Runs a call; its stats. C is right if it ended well, and untouched if not.
  CallStats Run(Engine* engine, Status* status, std::chrono::nanoseconds limit = {}) {
    std::fill(c_.begin(), c_.end(), -1);
    CallStats stats;
    *status = engine->Run(Call(), {.stats = &stats, .time_limit = limit});
    EXPECT_EQ(c_, status->ok() ? expected_ : std::vector<int32_t>(c_.size(), -1));
    return stats;
  }

  std::shared_ptr<FakeXrt> fake_;
  std::vector<int8_t> a_ = base::RandomBytes(kM * kK, 10);
  std::vector<int8_t> b_ = base::RandomBytes(kK * kN, 11);
  std::vector<int32_t> c_ = std::vector<int32_t>(kM * kN, -1);
  std::vector<int32_t> expected_ = std::vector<int32_t>(kM * kN);
};

TEST_P(RecoveryTest, AFailureIsRunAgainOnTheDevice) {
  Engine engine = MakeEngine();
  Status status;
  for (const FakeFault fault : kLoudFaults) {
    fake_->PlanFault(fault);
    const CallStats stats = Run(&engine, &status);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(stats.failed_attempts, 1);
    EXPECT_NE(stats.failure.message().find("its context is built anew"), std::string::npos)
        << stats.failure.message();
    EXPECT_EQ(stats.parts[0].device, "xrt:0");
    EXPECT_EQ(stats.parts[0].reason, "requested");
  }
  const CallStats stats = Run(&engine, &status);
  EXPECT_EQ(stats.failed_attempts, 0);
  EXPECT_TRUE(stats.failure.ok());
}

TEST_P(RecoveryTest, AfterTheLastTryTheHostComputes) {
  Engine engine = MakeEngine({.retries = 2});
  for (int i = 0; i < 3; ++i) fake_->PlanFault(FakeFault::kError);
  Status status;
  const CallStats stats = Run(&engine, &status);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(stats.failed_attempts, 3);
  EXPECT_EQ(stats.failure.code(), StatusCode::kUnavailable);
  EXPECT_EQ(stats.part_count, 1);
  EXPECT_EQ(stats.parts[0].device, "host");
  EXPECT_EQ(stats.parts[0].reason, "the device failed, so the host took over");
  EXPECT_EQ(stats.macs, kM * kK * kN);
  EXPECT_EQ(Run(&engine, &status).parts[0].device, "xrt:0");
}

TEST_P(RecoveryTest, WithoutTheHostTheFirstFailureIsTheAnswer) {
  Engine engine = MakeEngine({.retries = 1, .host_fallback = false});
  fake_->PlanFault(FakeFault::kTimeout);
  fake_->PlanFault(FakeFault::kError);
  Status status;
  Run(&engine, &status);
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_NE(status.message().find("'timeout'"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("; it failed 2 times"), std::string::npos) << status.message();
  Run(&engine, &status);
  EXPECT_TRUE(status.ok());
}

TEST_P(RecoveryTest, RefusalsAreFailures) {
  Engine engine = MakeEngine({.retries = 1});
  Status status;
  fake_->RefuseContexts(1);
  EXPECT_EQ(Run(&engine, &status).failed_attempts, 1);  // Loading the design.
  fake_->RefuseSubmissions(1);
  EXPECT_EQ(Run(&engine, &status).failed_attempts, 1);
  fake_->RefuseSubmissions(2);
  EXPECT_EQ(Run(&engine, &status).parts[0].device, "host");
  EXPECT_TRUE(status.ok());
  // Another shape wants other buffers.
  fake_->RefuseData(1);
  CallStats stats;
  Matmul other = Call();
  other.a = RowMajor(static_cast<const int8_t*>(a_.data()), 1, kK);
  other.c = RowMajor(c_.data(), 1, kN);
  ASSERT_TRUE(engine.Run(other, {.stats = &stats}).ok());
  EXPECT_EQ(stats.failed_attempts, 1);
}

TEST_P(RecoveryTest, ALaunchThatHangsIsGivenUpAndItsMemoryKept) {
  Engine engine = MakeEngine({.retries = 1});
  Status status;
  Run(&engine, &status);
  const int64_t buffers = fake_->data_buffers();
  for (const bool late : {true, false}) {
    fake_->PlanFault(FakeFault::kHang);
    const CallStats stats = Run(&engine, &status);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(stats.failed_attempts, 1);
    EXPECT_EQ(stats.failure.code(), StatusCode::kDeadlineExceeded);
    // It still has its buffers; the second try had others.
    EXPECT_GT(fake_->data_buffers(), buffers);
    if (late) {
      fake_->Release();
    } else {
      fake_->TimeOut();
    }
    EXPECT_EQ(c_, expected_);
    EXPECT_EQ(Run(&engine, &status).failed_attempts, 0);
  }
}

TEST_P(RecoveryTest, TheCallersTimeIsNotSpentTwice) {
  Engine engine = MakeEngine();
  Status status;
  Run(&engine, &status);
  fake_->PlanFault(FakeFault::kHang);
  // The fake's waits take no time: so little is always over.
  const CallStats stats = Run(&engine, &status, std::chrono::nanoseconds(1));
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(stats.part_count, 0);
  fake_->Release();
  Run(&engine, &status);
  EXPECT_TRUE(status.ok());
}

TEST_P(RecoveryTest, PoisonCatchesALaunchThatWroteNothing) {
  Status status;
  {
    // Without it, what the last call left is taken for the answer.
    Engine trusting = MakeEngine();
    ASSERT_TRUE(trusting.Run(Call()).ok());
    fake_->PlanFault(FakeFault::kLie);
    for (int8_t& each : a_) each = static_cast<int8_t>(each ^ 1);
    std::fill(c_.begin(), c_.end(), -1);
    ASSERT_TRUE(trusting.Run(Call()).ok());
    EXPECT_TRUE(c_ == expected_ || GetParam().design != std::string("whole_array"));
    for (int8_t& each : a_) each = static_cast<int8_t>(each ^ 1);
  }
  Engine engine = MakeEngine({.poison_outputs = true});
  for (int i = 0; i < 3; ++i) {
    fake_->PlanFault(FakeFault::kLie);
    const CallStats stats = Run(&engine, &status);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(stats.failed_attempts, 1);
    EXPECT_EQ(stats.failure.code(), StatusCode::kDataLoss);
    EXPECT_EQ(Run(&engine, &status).failed_attempts, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Designs, RecoveryTest,
                         ::testing::Values(RecoveryCase{"WholeArray", "whole_array"},
                                           RecoveryCase{"KStream", "k_stream"}),
                         [](const auto& instance) { return std::string(instance.param.name); });

/// Two calls, the second of which takes the first one's result where it lies.
class RecoveryChainTest : public ::testing::Test {
 protected:
  static constexpr int64_t kSide = 64;

  explicit RecoveryChainTest(bool poison = false)
      : fake_(testing::MakeFakeNpu("phoenix")), engine_(MakeEngine(poison)) {
    std::vector<int8_t> between(a_.size());
    Engine host = *Engine::Create({.device = "host"});
    Matmul call = Call();
    call.c = RowMajor(between.data(), kSide, kSide);
    EXPECT_TRUE(host.Run(call).ok());
    call.a = RowMajor(static_cast<const int8_t*>(between.data()), kSide, kSide);
    call.c = RowMajor(expected_.data(), kSide, kSide);
    EXPECT_TRUE(host.Run(call).ok());
  }

  Engine MakeEngine(bool poison) {
    EngineOptions options{.validate_submissions = true, .poison_outputs = poison};
    options.array.design = "whole_array";
    return *testing::MakeFakeNpuEngine(*fake_, "phoenix", options);
  }

  Matmul Call() {
    Matmul call{.a = RowMajor(static_cast<const int8_t*>(a_.data()), kSide, kSide),
                .b = RowMajor(static_cast<const int8_t*>(a_.data()), kSide, kSide)};
    call.epilogue.requantisation = RequantShift{.shift = 8};
    return call;
  }

  /// Submits both; the stats of each once both have ended.
  std::pair<CallStats, CallStats> RunBoth() {
    std::fill(c_.begin(), c_.end(), int8_t{-1});
    std::pair<CallStats, CallStats> stats;
    DeviceTensor between;
    Matmul first = Call();
    first.c = DeviceOutput{&between, ElementType::kS8};
    Result<Handle> one = engine_.Submit(first, {.stats = &stats.first});
    EXPECT_TRUE(one.ok());
    Matmul second = Call();
    second.a = between;
    second.c = RowMajor(c_.data(), kSide, kSide);
    Result<Handle> two = engine_.Submit(second, {.stats = &stats.second});
    EXPECT_TRUE(two.ok());
    const Status status = two->Wait();
    EXPECT_TRUE(status.ok()) << status.message();
    EXPECT_TRUE(one->Wait().ok());
    EXPECT_EQ(c_, expected_);
    return stats;
  }

  std::shared_ptr<FakeXrt> fake_;
  Engine engine_;
  std::vector<int8_t> a_ = base::RandomBytes(kSide * kSide, 12);
  std::vector<int8_t> c_ = std::vector<int8_t>(kSide * kSide);
  std::vector<int8_t> expected_ = std::vector<int8_t>(kSide * kSide);
};

TEST_F(RecoveryChainTest, WhatFollowsAFailureIsComputedAgain) {
  for (const FakeFault fault : kLoudFaults) {
    fake_->PlanFault(fault);
    const auto [first, second] = RunBoth();
    EXPECT_EQ(first.failed_attempts, 1);
    EXPECT_EQ(second.failed_attempts, 1);
  }
  const auto [first, second] = RunBoth();
  EXPECT_EQ(first.failed_attempts, 0);
  EXPECT_EQ(second.failed_attempts, 0);
}

TEST_F(RecoveryChainTest, WhatCameBeforeAFailureIsNot) {
  fake_->PlanFault(FakeFault::kNone);
  fake_->PlanFault(FakeFault::kError);
  const auto [first, second] = RunBoth();
  EXPECT_EQ(first.failed_attempts, 0);
  EXPECT_EQ(second.failed_attempts, 1);
}

TEST_F(RecoveryChainTest, AResultOfTheHostIsAnOperandToo) {
  for (int i = 0; i < 4; ++i) fake_->PlanFault(FakeFault::kError);
  const auto [first, second] = RunBoth();
  EXPECT_EQ(first.parts[0].device, "host");
  EXPECT_EQ(second.parts[0].device, "xrt:0");
}

TEST_F(RecoveryChainTest, WhatCameIntoAnotherContextThanItsOperandIsNotTrusted) {
  RunBoth();
  std::vector<int8_t> other(kSide * kSide);
  Matmul call = Call();
  call.c = RowMajor(other.data(), kSide, kSide);
  fake_->PlanFault(FakeFault::kError);
  Result<Handle> fails = engine_.Submit(call);
  DeviceTensor between;
  call.c = DeviceOutput{&between, ElementType::kS8};
  Result<Handle> first = engine_.Submit(call);
  // The context in which the first one still runs is taken out of use.
  ASSERT_TRUE(fails->Wait().ok());
  CallStats stats;
  Matmul second = Call();
  second.a = between;
  second.c = RowMajor(c_.data(), kSide, kSide);
  Result<Handle> last = engine_.Submit(second, {.stats = &stats});
  // Lets it run before the first one.
  for (int i = 0; i < 3; ++i) static_cast<void>(last->done());
  ASSERT_TRUE(last->Wait().ok());
  EXPECT_EQ(c_, expected_);
  EXPECT_EQ(stats.failed_attempts, 1);
  EXPECT_NE(stats.failure.message().find("in another context"), std::string::npos)
      << stats.failure.message();
}

TEST_F(RecoveryChainTest, OneCallsLimitIsNotAnothersTime) {
  RunBoth();
  std::vector<std::vector<int8_t>> c(2, std::vector<int8_t>(kSide * kSide, -1));
  std::vector<SubmittedCall> calls(2);
  CallStats stats;
  for (size_t i = 0; i < 2; ++i) {
    calls[i].call = Call();
    calls[i].call.c = RowMajor(c[i].data(), kSide, kSide);
  }
  calls[0].options.time_limit = std::chrono::nanoseconds(1);
  calls[1].options.stats = &stats;
  fake_->Hold(true);
  Result<std::vector<Handle>> handles = engine_.SubmitAll(calls);
  ASSERT_TRUE(handles.ok());
  EXPECT_EQ((*handles)[0].Wait().code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(c[0], std::vector<int8_t>(kSide * kSide, -1));
  fake_->Hold(false);
  EXPECT_TRUE((*handles)[1].Wait().ok());
  EXPECT_EQ(stats.failed_attempts, 0);
}

TEST_F(RecoveryChainTest, ATensorThatHasBeenReadOftenIsReadBackWhileAnotherCallHangs) {
  const DeviceTensor uploaded =
      *engine_.Upload(RowMajor(static_cast<const int8_t*>(a_.data()), kSide, kSide));
  DeviceTensor tensor;
  Matmul call = Call();
  call.c = DeviceOutput{&tensor, ElementType::kS8};
  ASSERT_TRUE(engine_.Run(call).ok());
  std::vector<int8_t> c(kSide * kSide);
  for (int i = 0; i < 20; ++i) {
    for (const DeviceTensor& each : {uploaded, tensor}) {
      call.a = each;
      call.c = RowMajor(c.data(), kSide, kSide);
      ASSERT_TRUE(engine_.Run(call).ok());
    }
  }
  // The memory of those calls serves one that does not read the tensor.
  fake_->PlanFault(FakeFault::kHang);
  Matmul other = Call();
  std::vector<int8_t> unread(kSide * kSide);
  other.c = RowMajor(unread.data(), kSide, kSide);
  Result<Handle> hangs = engine_.Submit(other);
  EXPECT_TRUE(engine_.Download(tensor, RowMajor(c.data(), kSide, kSide)).ok());
  EXPECT_TRUE(engine_.Download(uploaded, RowMajor(c.data(), kSide, kSide)).ok());
  EXPECT_EQ(c, a_);
  fake_->Release();
}

class PoisonedChainTest : public RecoveryChainTest {
 protected:
  PoisonedChainTest() : RecoveryChainTest(/*poison=*/true) {}
};

TEST_F(PoisonedChainTest, ALieAboutAResultThatStaysOnTheDeviceIsCaught) {
  fake_->PlanFault(FakeFault::kLie);
  const auto [first, second] = RunBoth();
  EXPECT_EQ(first.failure.code(), StatusCode::kDataLoss);
  // It waited for the first one to be looked at.
  EXPECT_EQ(second.failed_attempts, 0);
  EXPECT_EQ(RunBoth().first.failed_attempts, 0);
}

TEST_F(RecoveryChainTest, AListThatFailsHalfWayKeepsWhatWasDone) {
  std::vector<std::vector<int8_t>> c(8, std::vector<int8_t>(kSide * kSide));
  std::vector<CallStats> stats(c.size());
  std::vector<SubmittedCall> calls;
  for (size_t i = 0; i < c.size(); ++i) {
    calls.push_back({Call(), {.stats = &stats[i]}});
    calls.back().call.c = RowMajor(c[i].data(), kSide, kSide);
  }
  fake_->PlanFault(FakeFault::kError, 3);
  Result<std::vector<Handle>> handles = engine_.SubmitAll(calls);
  ASSERT_TRUE(handles.ok());
  for (Handle& each : *handles) ASSERT_TRUE(each.Wait().ok());
  for (size_t i = 0; i < c.size(); ++i) {
    EXPECT_EQ(stats[i].failed_attempts, i < 3 ? 0 : 1) << i;
    EXPECT_EQ(c[i], c[0]);
  }
}

TEST_F(RecoveryChainTest, AHandleThatGoesWhileItsLaunchHangsIsSafe) {
  std::vector<int8_t> c(kSide * kSide, -1);
  fake_->PlanFault(FakeFault::kHang);
  {
    Matmul call = Call();
    call.c = RowMajor(c.data(), kSide, kSide);
    Result<Handle> handle = engine_.Submit(call);
    ASSERT_TRUE(handle.ok());
    EXPECT_FALSE(handle->done());
  }
  const std::vector<int8_t> written = c;
  EXPECT_NE(written, std::vector<int8_t>(c.size(), -1));
  fake_->Release();
  EXPECT_EQ(c, written);
  RunBoth();
}

}  // namespace
}  // namespace tilewave
