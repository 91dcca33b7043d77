// How long a new shape takes to become a stream, measured here: the stream of one whole_array
// launch into storage that has been used before.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "program/lower.h"
#include "program/stream.h"
#include "program/whole_array_launch.h"

namespace tilewave {
namespace {

void EncodeProduct(benchmark::State& state) {
  program::DesignSpec spec;
  spec.family = program::DesignFamily::kWholeArray;
  spec.arch = state.range(1) == 1 ? arch::NpuArch::kNpu1 : arch::NpuArch::kNpu2;
  spec.columns = arch::NpuOf(spec.arch).columns;
  spec.k_mt = 256;
  spec.stack_bytes = 1024;
  const Result<program::ArrayProgram> program = program::Lower(spec);
  program::ProductShape shape;
  shape.m = shape.k = shape.n = state.range(0);
  const Result<program::ImageLayout> layout = program::ImageLayoutOf(spec, shape);
  if (!program.ok() || !layout.ok()) return state.SkipWithError("no design");
  const Result<program::Sequence> sequence = program::WholeArraySequence(*program, shape, *layout);
  if (!sequence.ok()) return state.SkipWithError("no sequence");
  const Result<std::vector<uint32_t>> expected =
      program::EncodeStream(*sequence, arch::NpuOf(spec.arch));
  std::vector<uint32_t> words;
  if (!program::EncodeWholeArray(*program, shape, *layout, &words).ok() || !expected.ok() ||
      words != *expected) {
    return state.SkipWithError("a stream that differs from its sequence's");
  }
  for (auto unused : state) {
    static_cast<void>(unused);
    const Status status = program::EncodeWholeArray(*program, shape, *layout, &words);
    benchmark::DoNotOptimize(status);
    benchmark::DoNotOptimize(words.data());
  }
  state.SetLabel(std::to_string(sequence->size()) + " operations");
}
BENCHMARK(EncodeProduct)->Args({512, 1})->Args({4096, 1})->Args({4096, 2})->ArgNames({"", "npu"});

}  // namespace
}  // namespace tilewave

BENCHMARK_MAIN();
