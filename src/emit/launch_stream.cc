#include "emit/launch_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/checked_math.h"
#include "program/stream.h"
#include "program/validate.h"

namespace tilewave::emit {
namespace {

using program::ArrayProgram;
using program::DesignFamily;
using program::DesignSpec;
using program::ProductShape;

/// Leaves room for rounding up.
constexpr int64_t kMostExtent = int64_t{1} << 61;

Result<program::Sequence> SequenceOf(const ArrayProgram& program, const ProductShape& shape,
                                     LaunchStream* launch) {
  const Result<program::ImageLayout> layout = program::ImageLayoutOf(program.spec, shape);
  if (!layout.ok()) return layout.status();
  launch->argument_bytes = layout->ArgumentBytes();
  return program::WholeArraySequence(program, shape, *layout);
}

/// Of one launch of a single core; all of a product's are alike.
Result<program::Sequence> TileSequenceOf(const ArrayProgram& program, const ProductShape& shape,
                                         LaunchStream* launch) {
  const DesignSpec& spec = program.spec;
  const bool streams_k = spec.family == DesignFamily::kKStream;
  if (std::max({shape.m, shape.k, shape.n}) > kMostExtent) {
    return Status(StatusCode::kOutOfRange,
                  fmt::format("an extent beyond {}, of which no matrix could be", kMostExtent));
  }
  const int64_t k_tiles = base::CeilDiv(shape.k, spec.tile_k);
  const std::optional<int64_t> launches =
      base::CheckedProduct({shape.batch, base::CeilDiv(shape.m, spec.tile_m),
                            base::CeilDiv(shape.n, spec.tile_n), streams_k ? 1 : k_tiles});
  if (!launches) return Status(StatusCode::kOutOfRange, "this product's launches overflow 63 bits");
  launch->launches = *launches;
  const int64_t steps = streams_k ? k_tiles : 1;
  Result<program::Sequence> sequence = program::LaunchSequence(program, steps);
  if (!sequence.ok()) return sequence;
  const int64_t a = spec.tile_m * spec.tile_k * steps;
  const int64_t b = spec.tile_k * spec.tile_n * steps;
  const int64_t c = spec.tile_m * spec.tile_n * program::OutputBytes(spec.output);
  if (streams_k) {
    launch->argument_bytes = {a, b, c};
  } else {
    launch->argument_bytes = {a + b, c};
  }
  return sequence;
}

}  // namespace

Result<LaunchStream> MakeLaunchStream(const ArrayProgram& program, const ProductShape& shape) {
  LaunchStream launch;
  const Result<program::Sequence> sequence = program.spec.family == DesignFamily::kWholeArray
                                                 ? SequenceOf(program, shape, &launch)
                                                 : TileSequenceOf(program, shape, &launch);
  if (!sequence.ok()) return sequence.status();
  const arch::Npu& npu = arch::NpuOf(program.spec.arch);
  if (Status s = program::Validate(program, *sequence, launch.argument_bytes, npu); !s.ok()) {
    return s;
  }
  arch::Npu device = npu;
  device.columns = program.spec.columns;
  Result<std::vector<uint32_t>> words = program::EncodeStream(*sequence, device);
  if (!words.ok()) return words.status();
  launch.words = *std::move(words);
  return launch;
}

}  // namespace tilewave::emit
