// The runtime's own cost per launch, measured here: WaveRunner over a device that does nothing at
// once, with nothing to pack or read. One iteration is a call of 4,096 launches.

#include <benchmark/benchmark.h>

#include <utility>
#include <vector>

#include "runtime/wave_runner.h"
#include "tests/support/null_device.h"

namespace tilewave {
namespace {

constexpr int64_t kLaunches = 4096;
constexpr int64_t kSets = 32;

class NoWork final : public runtime::TileWork {
 public:
  void Write(int64_t /*launch*/, const runtime::BufferSets& /*sets*/, int64_t /*set*/) override {
    ++written;
  }
  void Read(int64_t /*launch*/, const std::byte* /*output*/) override { ++read; }
  int64_t written = 0;
  int64_t read = 0;
};

void RunLaunches(benchmark::State& state, plan::SubmissionMode mode, bool interleave) {
  auto behaviour = std::make_shared<testing::NullBehaviour>();
  behaviour->record = false;
  const std::unique_ptr<device::Device> device = testing::MakeNullDevice(behaviour);
  runtime::PhaseTimer off(&device->clock(), nullptr);
  Result<std::unique_ptr<runtime::BufferSets>> sets = runtime::BufferSets::Make(
      device.get(), {plan::BufferPolicy::kPool, kSets, {4096, 4096}, 16384}, &off);
  Result<std::unique_ptr<device::Executable>> executable = device->Load({});
  if (!sets.ok() || !executable.ok()) return state.SkipWithError("no device");
  runtime::WaveRunner runner(device.get(), *std::move(sets));
  const std::vector<uint32_t> stream = {1};
  const runtime::WaitLimits limits{std::chrono::seconds(1), std::chrono::seconds(1)};
  const int64_t chain = mode == plan::SubmissionMode::kRunlist ? kSets / 2 : 1;
  NoWork work;
  int64_t calls = 0;
  while (state.KeepRunning()) {
    const Status s = runner.Run({mode, true, interleave, kLaunches, kSets, chain}, **executable,
                                stream, limits, &work, &off);
    if (!s.ok()) return state.SkipWithError(s.message().c_str());
    ++calls;
  }
  if (work.written != calls * kLaunches || work.read != work.written) {
    state.SkipWithError("launches are missing");
  }
  state.counters["ns/launch"] = benchmark::Counter(
      static_cast<double>(kLaunches) * 1e-9,
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

BENCHMARK_CAPTURE(RunLaunches, sequential, plan::SubmissionMode::kSequential, false);
BENCHMARK_CAPTURE(RunLaunches, wave, plan::SubmissionMode::kWave, false);
BENCHMARK_CAPTURE(RunLaunches, wave_interleaved, plan::SubmissionMode::kWave, true);
BENCHMARK_CAPTURE(RunLaunches, runlist, plan::SubmissionMode::kRunlist, false);
BENCHMARK_CAPTURE(RunLaunches, runlist_interleaved, plan::SubmissionMode::kRunlist, true);

}  // namespace
}  // namespace tilewave

BENCHMARK_MAIN();
