#include "cli/array_flags.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cli/operands.h"
#include "cli/text.h"

namespace tilewave::cli {
namespace {

constexpr int64_t kMostSets = int64_t{1} << 20;

struct NamedText {
  const char* option;
  const std::optional<std::string>* text;
};

/// "64" or "64x128x64".
Status ParseTile(const std::string& text, ArrayOptions* options) {
  if (text.find('x') == std::string::npos) {
    return ParseOptional("--tile", text, 1, kLargestSide, &options->tile);
  }
  const Result<std::vector<int64_t>> shape = ParseShape(text);
  if (!shape.ok() || shape->size() != 3 ||
      *std::max_element(shape->begin(), shape->end()) > kLargestSide) {
    return {
        StatusCode::kInvalidArgument,
        fmt::format("--tile is '{}'; expected N, or MxKxN with 1 to {} each", text, kLargestSide)};
  }
  options->tile_m = (*shape)[0];
  options->tile_k = (*shape)[1];
  options->tile_n = (*shape)[2];
  return {};
}

}  // namespace

void AddArrayFlags(CLI::App* command, ArrayFlags* flags) {
  AddText(command, "--design", &flags->design,
          "vnpu: packed_tile (a launch per tile), k_stream (K on the device) or\n"
          "whole_array (the product in one launch, the default)")
      ->type_name("NAME");
  AddText(command, "--tile", &flags->tile, "vnpu: a core's tile: N, or MxKxN for whole_array")
      ->type_name("N|MxKxN");
  AddText(command, "--tile-kernel", &flags->tile_kernel, "vnpu: scalar or vector")
      ->type_name("NAME");
  AddText(command, "--mode", &flags->mode, "vnpu: sequential, wave or runlist")->type_name("NAME");
  AddText(command, "--buffers", &flags->buffers, "vnpu: one set, a set per_tile, or a pool")
      ->type_name("NAME");
  AddText(command, "--pool", &flags->pool, "vnpu: buffer sets of the pool")->type_name("N");
  AddWholeArrayFlags(command, &flags->whole_array);
  command->add_flag("--sync-each", flags->sync_each,
                    "vnpu: a sync for each buffer, not one for all that are ready");
  command->add_flag("--no-interleave", flags->no_interleave,
                    "vnpu: pack, launch and read one after the other, not side by side");
}

Result<ArrayOptions> ArrayOptionsOf(const ArrayFlags& flags) {
  for (const NamedText& named :
       {NamedText{"--design", &flags.design}, NamedText{"--tile-kernel", &flags.tile_kernel},
        NamedText{"--mode", &flags.mode}, NamedText{"--buffers", &flags.buffers},
        NamedText{"--b-layout", &flags.whole_array.b_layout}}) {
    if (named.text->has_value() && (*named.text)->empty()) {
      return Status(StatusCode::kInvalidArgument, fmt::format("{} is empty", named.option));
    }
  }
  ArrayOptions options;
  options.design = flags.design.value_or("");
  options.kernel = flags.tile_kernel.value_or("");
  options.mode = flags.mode.value_or("");
  options.buffers = flags.buffers.value_or("");
  options.batched_syncs = !flags.sync_each;
  options.interleave = !flags.no_interleave;
  options.b_layout = flags.whole_array.b_layout.value_or("");
  Status s;
  if (flags.tile) s = ParseTile(*flags.tile, &options);
  if (s.ok()) s = ParseOptional("--pool", flags.pool, 1, kMostSets, &options.pool);
  if (s.ok()) s = ParseWholeArrayFlags(flags.whole_array, &options);
  if (!s.ok()) return s;
  return options;
}

Status CheckArrayFlags(const ArrayFlags& flags, const DeviceInfo& device) {
  if (device.kind != DeviceKind::kHost) return {};
  const std::pair<const char*, bool> given[] = {
      {"--design", flags.design.has_value()},
      {"--tile", flags.tile.has_value()},
      {"--tile-kernel", flags.tile_kernel.has_value()},
      {"--mode", flags.mode.has_value()},
      {"--buffers", flags.buffers.has_value()},
      {"--pool", flags.pool.has_value()},
      {"--k-mt", flags.whole_array.k_mt.has_value()},
      {"--b-layout", flags.whole_array.b_layout.has_value()},
      {"--cols", flags.whole_array.columns.has_value()},
      {"--c-buffers", flags.whole_array.c_buffers.has_value()},
      {"--stack", flags.whole_array.stack.has_value()},
      {"--sync-each", flags.sync_each},
      {"--no-interleave", flags.no_interleave}};
  for (const auto& [option, is_given] : given) {
    if (is_given) {
      return {StatusCode::kInvalidArgument,
              fmt::format("{} is for an NPU; device {} computes whole products (try --device "
                          "vnpu:phoenix)",
                          option, device.name)};
    }
  }
  return {};
}

}  // namespace tilewave::cli
