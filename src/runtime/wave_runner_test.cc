#include "runtime/wave_runner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/support/null_device.h"

namespace tilewave::runtime {
namespace {

using plan::SubmissionMode;

constexpr WaitLimits kLimits{std::chrono::seconds(1), std::chrono::seconds(1)};

/// Remembers the order of calls, and that no set is filled before its last launch was read.
class RecordingWork final : public TileWork {
 public:
  explicit RecordingWork(int64_t sets) : busy_(static_cast<size_t>(sets), false) {}

  void Write(int64_t launch, const BufferSets& /*sets*/, int64_t set) override {
    EXPECT_EQ(launch, written++);
    EXPECT_FALSE(busy_[static_cast<size_t>(set)]) << "set " << set << " is filled while in use";
    busy_[static_cast<size_t>(set)] = true;
    sets_.push_back(set);
    most_ahead = std::max(most_ahead, written - read);
  }
  void Read(int64_t launch, const std::byte* /*output*/) override {
    EXPECT_EQ(launch, read++);
    busy_[static_cast<size_t>(sets_[static_cast<size_t>(launch)])] = false;
  }

  int64_t written = 0;
  int64_t read = 0;
  int64_t most_ahead = 0;

 private:
  std::vector<bool> busy_;
  std::vector<int64_t> sets_;
};

class WaveRunnerTest : public ::testing::Test {
 protected:
  std::unique_ptr<WaveRunner> Runner(int64_t sets) {
    Result<std::unique_ptr<BufferSets>> made =
        BufferSets::Make(device_.get(), {plan::BufferPolicy::kPool, sets, {64, 128}, 256}, &timer_);
    EXPECT_TRUE(made.ok());
    return std::make_unique<WaveRunner>(device_.get(), *std::move(made));
  }

  Status Run(WaveRunner* runner, const WaveShape& shape, RecordingWork* work) {
    return runner->Run(shape, *executable_, stream_, kLimits, work, &timer_);
  }

  std::shared_ptr<testing::NullBehaviour> behaviour_ = std::make_shared<testing::NullBehaviour>();
  std::unique_ptr<device::Device> device_ = testing::MakeNullDevice(behaviour_);
  std::unique_ptr<device::Executable> executable_ = *device_->Load({});
  std::vector<uint32_t> stream_ = {1};
  PhaseTimer timer_{&device_->clock(), nullptr};
};

TEST_F(WaveRunnerTest, EveryLaunchIsWrittenSubmittedAndReadOnceInOrder) {
  for (const SubmissionMode mode :
       {SubmissionMode::kSequential, SubmissionMode::kWave, SubmissionMode::kRunlist}) {
    for (const bool interleave : {false, true}) {
      for (const int64_t sets : {1, 2, 5, 13, 64}) {
        for (const int64_t launches : {1, 4, 13, 14, 100}) {
          const int64_t chain = mode == SubmissionMode::kRunlist ? std::min<int64_t>(sets, 6) : 1;
          *behaviour_ = {};
          std::unique_ptr<WaveRunner> runner = Runner(sets);
          RecordingWork work(sets);
          const WaveShape shape{mode, true, interleave, launches, sets, chain};
          ASSERT_TRUE(Run(runner.get(), shape, &work).ok());
          EXPECT_EQ(work.read, launches);
          EXPECT_LE(work.most_ahead, mode == SubmissionMode::kSequential ? 1 : sets);
          EXPECT_LE(behaviour_->most_in_flight, 4);
          EXPECT_EQ(
              std::accumulate(behaviour_->chains.begin(), behaviour_->chains.end(), size_t{0}),
              static_cast<size_t>(launches));
          EXPECT_EQ(static_cast<int64_t>(behaviour_->chains.size()),
                    (launches + chain - 1) / chain);
          EXPECT_TRUE(runner->Idle());
        }
      }
    }
  }
}

TEST_F(WaveRunnerTest, WavesFillTheQueueAndSequencesDoNot) {
  for (const SubmissionMode mode : {SubmissionMode::kSequential, SubmissionMode::kWave}) {
    *behaviour_ = {};
    std::unique_ptr<WaveRunner> runner = Runner(16);
    RecordingWork work(16);
    ASSERT_TRUE(Run(runner.get(), {mode, true, false, 100, 16, 1}, &work).ok());
    EXPECT_EQ(behaviour_->most_in_flight, mode == SubmissionMode::kWave ? 4 : 1);
  }
}

TEST_F(WaveRunnerTest, LaunchesUseTheSetsThatWereFilledForThem) {
  std::unique_ptr<WaveRunner> runner = Runner(5);
  RecordingWork work(5);
  ASSERT_TRUE(Run(runner.get(), {SubmissionMode::kWave, true, true, 12, 5, 1}, &work).ok());
  ASSERT_EQ(behaviour_->first_inputs.size(), 12U);
  for (size_t i = 0; i < 12; ++i) {
    EXPECT_EQ(behaviour_->first_inputs[i][0], runner->sets().input(static_cast<int64_t>(i % 5), 0));
  }
}

TEST_F(WaveRunnerTest, ErrorsEndTheCallAndTheRunnerServesTheNext) {
  for (const bool interleave : {false, true}) {
    for (const bool reject : {false, true}) {
      *behaviour_ = {};
      (reject ? behaviour_->reject_at : behaviour_->fail_at) = 7;
      std::unique_ptr<WaveRunner> runner = Runner(10);
      RecordingWork work(10);
      const WaveShape shape{SubmissionMode::kWave, true, interleave, 50, 10, 1};
      const Status status = Run(runner.get(), shape, &work);
      EXPECT_EQ(status.code(), reject ? StatusCode::kUnavailable : StatusCode::kInternal);
      EXPECT_LT(work.read, 50);
      EXPECT_TRUE(runner->WaitIdle(std::chrono::seconds(1)));
      behaviour_->fail_at = behaviour_->reject_at = -1;
      RecordingWork again(10);
      ASSERT_TRUE(Run(runner.get(), shape, &again).ok());
      EXPECT_EQ(again.read, 50);
    }
  }
}

TEST_F(WaveRunnerTest, AStuckDeviceIsADeadlineAndHoldsTheMemory) {
  for (const bool interleave : {false, true}) {
    *behaviour_ = {};
    behaviour_->stuck = true;
    std::unique_ptr<WaveRunner> runner = Runner(10);
    RecordingWork work(10);
    const Status status =
        Run(runner.get(), {SubmissionMode::kWave, true, interleave, 50, 10, 1}, &work);
    EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded) << status.message();
    EXPECT_FALSE(runner->Idle());
    EXPECT_FALSE(runner->WaitIdle(std::chrono::nanoseconds(1)));
    behaviour_->stuck = false;
    EXPECT_TRUE(runner->WaitIdle(std::chrono::seconds(1)));
    EXPECT_TRUE(runner->Idle());
  }
}

TEST_F(WaveRunnerTest, BuffersOfAPoolShareNoCacheLine) {
  const std::unique_ptr<WaveRunner> runner = Runner(3);
  const BufferSets& sets = runner->sets();
  std::vector<const std::byte*> starts;
  for (int64_t set = 0; set < 3; ++set) {
    starts.insert(starts.end(), {sets.input(set, 0), sets.input(set, 1), sets.output(set)});
  }
  std::sort(starts.begin(), starts.end());
  for (size_t i = 0; i < starts.size(); ++i) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(starts[i]) % 64, 0U);
    if (i > 0) {
      EXPECT_GE(starts[i] - starts[i - 1], 64);
    }
  }
}

}  // namespace
}  // namespace tilewave::runtime
