#include "program/sequence.h"

#include <fmt/format.h>

namespace tilewave::program {
namespace {

/// Adds one transfer of a whole buffer by one shim channel.
void AddTransfer(const ChannelId& channel, int descriptor, int argument, int64_t bytes,
                 Sequence* sequence) {
  sequence->emplace_back(
      WriteDescriptor{channel.tile, descriptor, argument, 0, bytes / arch::kWordBytes, {}, {1, 1}});
  sequence->emplace_back(PushTask{channel, descriptor, 1, channel.direction == Direction::kS2mm});
}

}  // namespace

Result<Sequence> LaunchSequence(const ArrayProgram& program, int64_t k_steps) {
  const DesignSpec& spec = program.spec;
  const bool streams_k = spec.family == DesignFamily::kKStream;
  // The trip count is a 32-bit word; a panel's length in words is one, too.
  if (k_steps < 1 || k_steps > (streams_k ? int64_t{1} << 16 : 1)) {
    return Status(StatusCode::kOutOfRange,
                  fmt::format("{} steps over K for one launch of {}; expected 1 to {}", k_steps,
                              Name(spec.family), streams_k ? 1 << 16 : 1));
  }
  const int64_t a_bytes = spec.tile_m * spec.tile_k * k_steps;
  const int64_t b_bytes = spec.tile_k * spec.tile_n * k_steps;
  const int64_t c_bytes = spec.tile_m * spec.tile_n * (spec.output == TileOutput::kS32 ? 4 : 1);
  Sequence sequence;
  if (streams_k) {
    AddTransfer({kShimOfSingleCore, Direction::kMm2s, 0}, 0, 0, a_bytes, &sequence);
    AddTransfer({kShimOfSingleCore, Direction::kMm2s, 1}, 1, 1, b_bytes, &sequence);
    for (const Parameter& parameter : program.parameters) {
      sequence.emplace_back(
          WriteParameter{parameter.tile, parameter.address, static_cast<uint32_t>(k_steps)});
    }
    for (const Lock& lock : program.locks) {
      if (lock.name == "start") sequence.emplace_back(SetLock{lock.tile, lock.id, 1});
    }
    AddTransfer({kShimOfSingleCore, Direction::kS2mm, 0}, 2, 2, c_bytes, &sequence);
  } else {
    AddTransfer({kShimOfSingleCore, Direction::kMm2s, 0}, 0, 0, a_bytes + b_bytes, &sequence);
    AddTransfer({kShimOfSingleCore, Direction::kS2mm, 0}, 1, 1, c_bytes, &sequence);
  }
  sequence.emplace_back(AwaitToken{{kShimOfSingleCore, Direction::kS2mm, 0}});
  return sequence;
}

}  // namespace tilewave::program
