#include "engine/array_choices.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tilewave::engine {
namespace {

/// Finds the value whose Name is `text`; nothing for an empty text.
template <typename T>
Status ByName(const char* what, const std::string& text, std::span<const T> values,
              std::optional<T>* out) {
  if (text.empty()) return {};
  std::vector<std::string_view> names;
  for (const T value : values) {
    if (Name(value) == text) {
      *out = value;
      return {};
    }
    names.push_back(Name(value));
  }
  return {StatusCode::kInvalidArgument,
          fmt::format("unknown {} '{}'; expected one of: {}", what, text, fmt::join(names, ", "))};
}

constexpr program::DesignFamily kFamilies[] = {program::DesignFamily::kPackedTile,
                                               program::DesignFamily::kKStream,
                                               program::DesignFamily::kWholeArray};
constexpr program::BLayout kLayouts[] = {program::BLayout::kRowMajor,
                                         program::BLayout::kColumnMajor, program::BLayout::kPacked};
constexpr program::TileKernel kKernels[] = {program::TileKernel::kScalar,
                                            program::TileKernel::kVector};
constexpr plan::SubmissionMode kModes[] = {
    plan::SubmissionMode::kSequential, plan::SubmissionMode::kWave, plan::SubmissionMode::kRunlist};
constexpr plan::BufferPolicy kBuffers[] = {plan::BufferPolicy::kOne, plan::BufferPolicy::kPerTile,
                                           plan::BufferPolicy::kPool};

}  // namespace

Result<plan::ArrayChoices> ArrayChoicesOf(const ArrayOptions& options) {
  plan::ArrayChoices choices;
  Status s = ByName<program::DesignFamily>("design", options.design, kFamilies, &choices.family);
  if (s.ok()) {
    s = ByName<program::TileKernel>("tile kernel", options.kernel, kKernels, &choices.kernel);
  }
  if (s.ok()) s = ByName<plan::SubmissionMode>("mode", options.mode, kModes, &choices.mode);
  if (s.ok()) {
    s = ByName<plan::BufferPolicy>("buffer policy", options.buffers, kBuffers, &choices.buffers);
  }
  if (s.ok()) {
    s = ByName<program::BLayout>("layout of B", options.b_layout, kLayouts, &choices.b_layout);
  }
  for (const auto& [what, value] :
       {std::pair{"tile", options.tile}, std::pair{"tile_m", options.tile_m},
        std::pair{"tile_k", options.tile_k}, std::pair{"tile_n", options.tile_n},
        std::pair{"k_mt", options.k_mt}, std::pair{"columns", int64_t{options.columns}},
        std::pair{"c_buffers", int64_t{options.c_buffers}}}) {
    if (s.ok() && value < 0) {
      s = {StatusCode::kInvalidArgument,
           fmt::format("{} = {}; expected 0 (tilewave's choice) or more", what, value)};
    }
  }
  if (!s.ok()) return s;
  choices.tile_m = options.tile_m;
  choices.tile_k = options.tile_k;
  choices.tile_n = options.tile_n;
  choices.k_mt = options.k_mt;
  choices.columns = options.columns;
  choices.c_buffers = options.c_buffers;
  choices.stack_bytes = options.stack_bytes;
  choices.tile = options.tile;
  choices.pool = options.pool;
  choices.batched_syncs = options.batched_syncs;
  choices.interleave = options.interleave;
  return choices;
}

}  // namespace tilewave::engine
