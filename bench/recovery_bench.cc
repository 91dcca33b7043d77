// What protection against a failing device costs the host while nothing fails, measured here: a
// 512 x 512 x 512 product of whole_array through the engine and the whole path of XRT, over the
// fake of its driver. The array computes the product once, on the virtual NPU, and then only writes
// the same result again; what that takes is subtracted, so that host time remains, syncs of the
// fake (copies) included. Run through scripts/bench.

#include <benchmark/benchmark.h>

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "tests/support/fake_npu.h"
#include "tilewave/engine.h"

namespace tilewave {
namespace {

constexpr int64_t kSide = 512;
constexpr const char* kProfile = "phoenix";

/// Time that arrays have taken; benchmarks run one after another.
int64_t array_ns = 0;

/// An array that computes its first launch and repeats that one's result.
class RepeatingArray final : public device::xrt::FakeArray {
 public:
  explicit RepeatingArray(std::unique_ptr<FakeArray> array) : array_(std::move(array)) {}

  Status Run(std::span<const uint32_t> stream,
             std::span<const std::span<std::byte>> buffers) override {
    const int64_t since_ns = base::WallNowNs();
    Status status;
    const std::span<std::byte> c = buffers.back();
    if (result_.empty()) {
      status = array_->Run(stream, buffers);
      result_.assign(c.begin(), c.end());
    } else {
      std::memcpy(c.data(), result_.data(), c.size());
    }
    array_ns += base::WallNowNs() - since_ns;
    return status;
  }
  void Reset() override {}

 private:
  std::unique_ptr<FakeArray> array_;
  std::vector<std::byte> result_;
};

void RunProducts(benchmark::State& state, const EngineOptions& protection) {
  const device::xrt::FakeLoader loader = testing::SimulatedArrayLoader(kProfile);
  const device::xrt::FakeXrt fake(
      arch::NpuArch::kNpu1,
      [loader](
          std::span<const std::byte> binary) -> Result<std::unique_ptr<device::xrt::FakeArray>> {
        Result<std::unique_ptr<device::xrt::FakeArray>> array = loader(binary);
        if (!array.ok()) return array.status();
        return std::unique_ptr<device::xrt::FakeArray>(
            std::make_unique<RepeatingArray>(*std::move(array)));
      });
  EngineOptions options = protection;
  options.array.design = "whole_array";
  Result<Engine> engine = testing::MakeFakeNpuEngine(fake, kProfile, options);
  if (!engine.ok()) return state.SkipWithError(engine.status().message().c_str());

  const std::vector<int8_t> a = base::RandomBytes(kSide * kSide, 1);
  std::vector<int32_t> c(a.size());
  std::vector<int32_t> expected(a.size());
  Matmul call{.a = RowMajor(a.data(), kSide, kSide),
              .b = RowMajor(a.data(), kSide, kSide),
              .c = RowMajor(expected.data(), kSide, kSide)};
  Result<Engine> host = Engine::Create({.device = "host"});
  if (!host.ok() || !host->Run(call).ok()) return state.SkipWithError("no reference");
  call.c = RowMajor(c.data(), kSide, kSide);
  for (int i = 0; i < 3; ++i) {
    if (!engine->Run(call).ok() || c != expected) return state.SkipWithError("a wrong product");
  }
  while (state.KeepRunning()) {
    array_ns = 0;
    const int64_t since_ns = base::WallNowNs();
    const Status s = engine->Run(call);
    const int64_t host_ns = base::WallNowNs() - since_ns - array_ns;
    if (!s.ok()) return state.SkipWithError(s.message().c_str());
    state.SetIterationTime(static_cast<double>(host_ns) * 1e-9);
  }
}

BENCHMARK_CAPTURE(RunProducts, unprotected, EngineOptions{.retries = 0, .host_fallback = false})
    ->UseManualTime();
BENCHMARK_CAPTURE(RunProducts, protected, EngineOptions{})->UseManualTime();
BENCHMARK_CAPTURE(RunProducts, poisoned, EngineOptions{.poison_outputs = true})->UseManualTime();

}  // namespace
}  // namespace tilewave

BENCHMARK_MAIN();
