// Time of whole calls through Engine::Run on the host device, measured here. Every shape is
// compared with the reference before it is timed, and a wrong one is not timed. Run through
// scripts/bench, which interleaves repetitions and prints medians and spreads.

#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

#include "base/random.h"
#include "core/reference_gemm.h"
#include "engine/describe_call.h"
#include "tilewave/engine.h"

namespace tilewave {
namespace {

/// One s8 x s8 -> s32 product with its data and the engine that runs it.
struct BenchCall {
  BenchCall(int64_t rows, int64_t depth, int64_t columns)
      : m(rows),
        k(depth),
        n(columns),
        a(Bytes(rows * depth, 1)),
        b(Bytes(depth * columns, 2)),
        c(static_cast<size_t>(rows * columns), -1) {}

  static std::vector<int8_t> Bytes(int64_t count, uint64_t seed) {
    base::Random random(seed);
    std::vector<int8_t> bytes(static_cast<size_t>(count));
    for (int8_t& byte : bytes) byte = static_cast<int8_t>(random.Between(-128, 127));
    return bytes;
  }

  Matmul Call() {
    return {.a = RowMajor(static_cast<const int8_t*>(a.data()), m, k),
            .b = RowMajor(static_cast<const int8_t*>(b.data()), k, n),
            .c = RowMajor(c.data(), m, n)};
  }

  /// Whether c holds what the reference computes.
  bool Right() {
    std::vector<int32_t> expected(c.size());
    Matmul twin = Call();
    twin.c = RowMajor(expected.data(), m, n);
    core::Problem problem;
    core::Operands operands;
    const Weights* weights = nullptr;
    return engine::DescribeCall(twin, &problem, &operands, &weights).ok() &&
           core::ReferenceGemm(problem, operands).ok() && expected == c;
  }

  int64_t m;
  int64_t k;
  int64_t n;
  std::vector<int8_t> a;
  std::vector<int8_t> b;
  std::vector<int32_t> c;
};

void RunShape(benchmark::State& state, bool prepacked) {
  BenchCall bench(state.range(0), state.range(1), state.range(2));
  Result<Engine> engine = Engine::Create({.device = "host"});
  if (!engine.ok()) return state.SkipWithError(engine.status().message().c_str());
  Matmul call = bench.Call();
  if (prepacked) {
    Result<Weights> weights = engine->Prepare(std::get<ConstMatrix>(call.b));
    if (!weights.ok()) return state.SkipWithError(weights.status().message().c_str());
    call.b = *weights;
  }
  if (!engine->Run(call).ok() || !bench.Right()) return state.SkipWithError("wrong product");
  while (state.KeepRunning()) {
    if (!engine->Run(call).ok()) state.SkipWithError("the call failed");
  }
  state.counters["op/s"] = benchmark::Counter(
      2.0 * static_cast<double>(bench.m * bench.k * bench.n),
      benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
}

void Shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"m", "k", "n"})->Unit(benchmark::kMicrosecond)->UseRealTime();
  bench->Args({64, 64, 64})->Args({128, 128, 128})->Args({512, 512, 512});
  bench->Args({1500, 512, 512})->Args({1, 4096, 4096})->Args({1500, 240, 77});
}

BENCHMARK_CAPTURE(RunShape, packed_in_the_call, false)->Apply(Shapes);
BENCHMARK_CAPTURE(RunShape, prepacked, true)->Apply(Shapes);

}  // namespace
}  // namespace tilewave

BENCHMARK_MAIN();
