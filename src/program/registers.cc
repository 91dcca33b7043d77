#include "program/registers.h"

namespace tilewave::program {

Tile TileOf(uint32_t address) {
  constexpr uint32_t kRowMask = (uint32_t{1} << (arch::kColumnShift - arch::kRowShift)) - 1;
  return {static_cast<int>(address >> arch::kColumnShift),
          static_cast<int>((address >> arch::kRowShift) & kRowMask)};
}

uint32_t OffsetOf(uint32_t address) { return address & ((uint32_t{1} << arch::kRowShift) - 1); }

int IndexIn(uint32_t offset, uint32_t base, uint32_t stride, int count) {
  if (offset < base || (offset - base) % stride != 0) return -1;
  const uint32_t index = (offset - base) / stride;
  return index < static_cast<uint32_t>(count) ? static_cast<int>(index) : -1;
}

std::optional<ChannelId> ShimChannelAt(uint32_t address, uint32_t s2mm, uint32_t mm2s,
                                       const arch::TileLimits& shim) {
  const Tile tile = TileOf(address);
  if (tile.row != 0) return std::nullopt;
  const uint32_t offset = OffsetOf(address);
  const int in = IndexIn(offset, s2mm, arch::kChannelStride, shim.s2mm_channels);
  if (in >= 0) return ChannelId{tile, Direction::kS2mm, in};
  const int out = IndexIn(offset, mm2s, arch::kChannelStride, shim.mm2s_channels);
  if (out >= 0) return ChannelId{tile, Direction::kMm2s, out};
  return std::nullopt;
}

}  // namespace tilewave::program
