#include "cli/array_flags.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <utility>

#include "cli/text.h"

namespace tilewave::cli {
namespace {

constexpr int64_t kMostSets = int64_t{1} << 20;
constexpr int64_t kLargestTile = 64;

struct NamedText {
  const char* option;
  const std::optional<std::string>* text;
};

}  // namespace

void AddArrayFlags(CLI::App* command, ArrayFlags* flags) {
  AddText(command, "--design", &flags->design,
          "vnpu: packed_tile (a launch per tile) or k_stream (K on the device)")
      ->type_name("NAME");
  AddText(command, "--tile", &flags->tile, "vnpu: rows, columns and depth of a tile: 16, 32, 64")
      ->type_name("N");
  AddText(command, "--tile-kernel", &flags->tile_kernel, "vnpu: scalar or vector")
      ->type_name("NAME");
  AddText(command, "--mode", &flags->mode, "vnpu: sequential, wave or runlist")->type_name("NAME");
  AddText(command, "--buffers", &flags->buffers, "vnpu: one set, a set per_tile, or a pool")
      ->type_name("NAME");
  AddText(command, "--pool", &flags->pool, "vnpu: buffer sets of the pool")->type_name("N");
  command->add_flag("--sync-each", flags->sync_each,
                    "vnpu: a sync for each buffer, not one for all that are ready");
  command->add_flag("--no-interleave", flags->no_interleave,
                    "vnpu: pack, launch and read one after the other, not side by side");
}

Result<ArrayOptions> ArrayOptionsOf(const ArrayFlags& flags) {
  for (const NamedText& named :
       {NamedText{"--design", &flags.design}, NamedText{"--tile-kernel", &flags.tile_kernel},
        NamedText{"--mode", &flags.mode}, NamedText{"--buffers", &flags.buffers}}) {
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
  if (flags.tile) {
    const Result<int64_t> tile = ParseInteger("--tile", *flags.tile, 1, kLargestTile);
    if (!tile.ok()) return tile.status();
    options.tile = *tile;
  }
  if (flags.pool) {
    const Result<int64_t> pool = ParseInteger("--pool", *flags.pool, 1, kMostSets);
    if (!pool.ok()) return pool.status();
    options.pool = *pool;
  }
  return options;
}

Status CheckArrayFlags(const ArrayFlags& flags, const DeviceInfo& device) {
  if (device.kind != DeviceKind::kHost) return {};
  const std::pair<const char*, bool> given[] = {{"--design", flags.design.has_value()},
                                                {"--tile", flags.tile.has_value()},
                                                {"--tile-kernel", flags.tile_kernel.has_value()},
                                                {"--mode", flags.mode.has_value()},
                                                {"--buffers", flags.buffers.has_value()},
                                                {"--pool", flags.pool.has_value()},
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
