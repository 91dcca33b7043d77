#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/problem.h"
#include "program/design_spec.h"
#include "program/whole_array_launch.h"
#include "tilewave/status.h"

namespace tilewave::plan {

/// How launches reach the device.
enum class SubmissionMode : uint8_t {
  kSequential,  ///< Submit one, wait for it, take the next.
  kWave,        ///< Submit as fast as the device's queue takes them.
  kRunlist,     ///< As kWave, in chains of launches.
};

/// "sequential", "wave", "runlist".
std::string_view Name(SubmissionMode mode);

/// Where the launches' buffers come from.
enum class BufferPolicy : uint8_t {
  kOne,      ///< One set of buffers, used again by every launch.
  kPerTile,  ///< A set for every launch, each buffer allocated by itself.
  kPool,     ///< Windows of one slab, used in turn.
};

/// "one", "per_tile", "pool".
std::string_view Name(BufferPolicy buffers);

/// What a caller fixes; the rest is the planner's.
struct ArrayChoices {
  std::optional<program::DesignFamily> family;
  int64_t tile = 0;  ///< 0: the family's largest.
  std::optional<program::TileKernel> kernel;
  std::optional<program::TileOutput> output;  ///< Lossy: for reproducing tables only.
  // whole_array only. A tile shape goes before `tile`.
  int64_t tile_m = 0;
  int64_t tile_k = 0;
  int64_t tile_n = 0;
  int64_t k_mt = 0;
  int columns = 0;  ///< 0: all.
  std::optional<program::BLayout> b_layout;
  int c_buffers = 0;
  std::optional<int64_t> stack_bytes;
  // All designs but whole_array, which has one launch.
  std::optional<SubmissionMode> mode;
  std::optional<BufferPolicy> buffers;
  int64_t pool = 0;           ///< Buffer sets of a pool; 0: the planner's.
  bool batched_syncs = true;  ///< One sync for all that is ready, or one for each buffer.
  bool interleave = true;     ///< The host packs and reads while the device works.

  /// Whether anything is fixed that only whole_array has.
  bool FixWholeArray() const {
    return tile_m > 0 || tile_k > 0 || tile_n > 0 || k_mt > 0 || columns > 0 || b_layout ||
           c_buffers > 0 || stack_bytes;
  }
};

/// A product cut into launches of one design.
struct ArrayPlan {
  program::DesignSpec spec;
  uint64_t configuration = 0;  ///< program::ConfigurationHash of it.
  SubmissionMode mode = SubmissionMode::kRunlist;
  BufferPolicy buffers = BufferPolicy::kPool;
  bool batched_syncs = true;
  bool interleave = true;
  int64_t tiles_m = 0;
  int64_t tiles_n = 0;
  int64_t tiles_k = 0;  ///< Launches along K, summed on the host.
  int64_t k_steps = 0;  ///< Tiles along K within a launch.
  int64_t launches = 0;
  int64_t sets = 0;                  ///< Buffer sets that are in use at once.
  int64_t chain = 1;                 ///< Launches per submission.
  std::vector<int64_t> input_bytes;  ///< Of each input buffer of a launch; 0: it has one elsewhere.
  int64_t output_bytes = 0;          ///< Likewise.

  // whole_array only.
  program::ProductShape shape;
  program::ImageLayout images;
  bool resident_a = false;  ///< A is read where it lies in device memory.
  bool resident_b = false;  ///< B is prepacked weights, whose image stays on the device.
  bool device_c = false;    ///< C stays in device memory, as images say.
  bool plain_c = false;     ///< The device's C is the caller's but for its strides.

  int64_t input_bytes_per_launch() const;
  /// Bytes of a set, windows rounded up to cache lines.
  int64_t set_bytes() const;
};

/// Cuts the problem by fixed rules: k_stream with the vector kernel in run lists over a pool,
/// unless the choices say otherwise. A function of its arguments alone.
/// kInvalidArgument: choices that contradict each other; kOutOfRange: more launches or buffer
/// memory than can be counted or reasonably had; what Lower refuses.
[[nodiscard]] Result<ArrayPlan> MakeArrayPlan(const core::Problem& problem, arch::NpuArch arch,
                                              const ArrayChoices& choices);

}  // namespace tilewave::plan
