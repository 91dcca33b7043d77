#include "program/array_program.h"

#include <fmt/format.h>

namespace tilewave::program {

std::string Name(const Tile& tile) {
  // All generations have the same kinds of rows.
  const arch::TileKind kind = arch::NpuOf(arch::NpuArch::kNpu1).KindOf(tile.row);
  return fmt::format("{} ({},{})", arch::Name(kind), tile.column, tile.row);
}

std::string_view Name(Direction direction) {
  return direction == Direction::kS2mm ? "S2MM" : "MM2S";
}

std::string Name(const ChannelId& id) {
  return fmt::format("{} {} {}", Name(id.tile), Name(id.direction), id.channel);
}

}  // namespace tilewave::program
