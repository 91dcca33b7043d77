#include "plan/array_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/checked_math.h"
#include "program/lower.h"

namespace tilewave::plan {
namespace {

using program::DesignFamily;

/// Launches of packed tiles are short and their sets small: the published pool of 512.
constexpr int64_t kPackedTileSets = 512;

/// Launches of k_stream are long; four in flight, as many being filled and read, and whole chains.
constexpr int64_t kKStreamSets = 32;

/// A pool stays below this unless even kLeastSets of its sets are larger.
constexpr int64_t kPoolBytes = int64_t{64} << 20;
constexpr int64_t kLeastSets = 8;

/// Nobody wants more than this in buffers; a set per tile gets there.
constexpr int64_t kMaxBufferBytes = int64_t{4} << 30;

/// What a buffer costs beside its bytes: objects here and in the driver.
constexpr int64_t kBytesPerBuffer = 256;

Status Contradiction(std::string what) { return {StatusCode::kInvalidArgument, std::move(what)}; }

Status ChooseDesign(arch::NpuArch arch, const ArrayChoices& choices, ArrayPlan* plan) {
  program::DesignSpec& spec = plan->spec;
  spec.arch = arch;
  spec.family = choices.family.value_or(DesignFamily::kKStream);
  spec.kernel = choices.kernel.value_or(program::TileKernel::kVector);
  spec.output = choices.output.value_or(program::TileOutput::kS32);
  if (choices.FixWholeArray()) {
    return Contradiction(fmt::format(
        "a tile shape, k_mt, columns, a layout of B, buffers of C and a stack are for whole_array; "
        "{} has none of them",
        program::Name(spec.family)));
  }
  if (choices.tile < 0) {
    return Contradiction(fmt::format("a tile of {}; expected 16, 32 or 64", choices.tile));
  }
  const int64_t tile = choices.tile == 0 ? 64 : choices.tile;
  spec.tile_m = spec.tile_k = spec.tile_n = tile;
  // The only judge of what can be built; its result is made again when the plan is used.
  return program::Lower(spec).status();
}

Status ChooseSubmission(const ArrayChoices& choices, ArrayPlan* plan) {
  const bool one_set = choices.buffers == BufferPolicy::kOne;
  plan->mode =
      choices.mode.value_or(one_set ? SubmissionMode::kSequential : SubmissionMode::kRunlist);
  plan->buffers = choices.buffers.value_or(BufferPolicy::kPool);
  plan->batched_syncs = choices.batched_syncs;
  plan->interleave = choices.interleave;
  if (one_set && plan->mode != SubmissionMode::kSequential) {
    return Contradiction(
        fmt::format("one buffer set cannot serve mode {}; expected sequential", Name(plan->mode)));
  }
  if (choices.pool < 0) {
    return Contradiction(fmt::format("a pool of {} buffer sets; expected 1 or more", choices.pool));
  }
  if (choices.pool > 0 && plan->buffers != BufferPolicy::kPool) {
    return Contradiction(fmt::format("a pool of {} buffer sets, but buffers are '{}'", choices.pool,
                                     Name(plan->buffers)));
  }
  return {};
}

Status CountLaunches(const core::Problem& problem, ArrayPlan* plan) {
  const program::DesignSpec& spec = plan->spec;
  const bool streams_k = spec.family == DesignFamily::kKStream;
  plan->tiles_m = base::CeilDiv(problem.m, spec.tile_m);
  plan->tiles_n = base::CeilDiv(problem.n, spec.tile_n);
  const int64_t steps = base::CeilDiv(problem.k, spec.tile_k);
  plan->tiles_k = streams_k ? 1 : steps;
  plan->k_steps = streams_k ? steps : 1;
  const std::optional<int64_t> launches =
      base::CheckedProduct({problem.batch, plan->tiles_m, plan->tiles_n, plan->tiles_k});
  if (!launches) {
    return {StatusCode::kOutOfRange, "the launches of this product overflow 63 bits"};
  }
  plan->launches = *launches;
  const int64_t a_bytes = spec.tile_m * spec.tile_k * plan->k_steps;
  const int64_t b_bytes = spec.tile_k * spec.tile_n * plan->k_steps;
  plan->input_bytes =
      streams_k ? std::vector<int64_t>{a_bytes, b_bytes} : std::vector<int64_t>{a_bytes + b_bytes};
  plan->output_bytes =
      spec.tile_m * spec.tile_n * (spec.output == program::TileOutput::kS32 ? 4 : 1);
  return {};
}

Status ChooseSets(const ArrayChoices& choices, ArrayPlan* plan) {
  const int64_t wanted =
      plan->spec.family == DesignFamily::kPackedTile ? kPackedTileSets : kKStreamSets;
  int64_t sets = 1;
  if (plan->buffers == BufferPolicy::kPerTile) {
    sets = plan->launches;
  } else if (plan->buffers == BufferPolicy::kPool) {
    sets = choices.pool > 0 ? choices.pool
                            : std::clamp(kPoolBytes / plan->set_bytes(), kLeastSets, wanted);
  }
  plan->sets = std::min(sets, plan->launches);
  const auto buffers = static_cast<int64_t>(plan->input_bytes.size()) + 1;
  const std::optional<int64_t> bytes =
      base::CheckedMul(plan->sets, plan->set_bytes() + (buffers * kBytesPerBuffer));
  if (!bytes || *bytes > kMaxBufferBytes) {
    return {StatusCode::kOutOfRange,
            fmt::format("{} buffer sets of {} bytes; at most {} bytes in all", plan->sets,
                        plan->set_bytes(), kMaxBufferBytes)};
  }
  if (plan->mode == SubmissionMode::kRunlist) {
    // Half of the sets: while one chain runs, the host works on the other.
    plan->chain = std::clamp(plan->interleave ? plan->sets / 2 : plan->sets, int64_t{1},
                             int64_t{arch::kMaxChainRuns});
    // Whole chains go around the pool; sets beyond them would never be used.
    if (plan->sets < plan->launches) plan->sets -= plan->sets % plan->chain;
  }
  return {};
}

}  // namespace

std::string_view Name(SubmissionMode mode) {
  switch (mode) {
    case SubmissionMode::kSequential:
      return "sequential";
    case SubmissionMode::kWave:
      return "wave";
    case SubmissionMode::kRunlist:
      return "runlist";
  }
  return "unknown";
}

std::string_view Name(BufferPolicy buffers) {
  switch (buffers) {
    case BufferPolicy::kOne:
      return "one";
    case BufferPolicy::kPerTile:
      return "per_tile";
    case BufferPolicy::kPool:
      return "pool";
  }
  return "unknown";
}

int64_t ArrayPlan::input_bytes_per_launch() const {
  return std::accumulate(input_bytes.begin(), input_bytes.end(), int64_t{0});
}

int64_t ArrayPlan::set_bytes() const {
  int64_t bytes = base::RoundUp(output_bytes, arch::kCacheLineBytes);
  for (const int64_t each : input_bytes) bytes += base::RoundUp(each, arch::kCacheLineBytes);
  return bytes;
}

Result<ArrayPlan> MakeArrayPlan(const core::Problem& problem, arch::NpuArch arch,
                                const ArrayChoices& choices) {
  ArrayPlan plan;
  Status s = ChooseDesign(arch, choices, &plan);
  if (s.ok()) s = ChooseSubmission(choices, &plan);
  if (s.ok()) s = CountLaunches(problem, &plan);
  if (s.ok()) s = ChooseSets(choices, &plan);
  if (!s.ok()) return s;
  return plan;
}

}  // namespace tilewave::plan
