#pragma once

// Which register an address of a stream is, and back.

#include <cstdint>
#include <optional>

#include "arch/npu.h"
#include "program/array_program.h"

namespace tilewave::program {

/// The tile whose register it is. Any address is some tile's, of an array that large.
Tile TileOf(uint32_t address);

/// Within the tile.
uint32_t OffsetOf(uint32_t address);

/// REQUIRES: a tile that an address can name, an offset within it.
inline uint32_t AddressOf(const Tile& tile, uint32_t offset) {
  return static_cast<uint32_t>(tile.column) << arch::kColumnShift |
         static_cast<uint32_t>(tile.row) << arch::kRowShift | offset;
}

/// The register of a shim channel, given where those of channel 0 stand.
inline uint32_t ChannelAddress(const ChannelId& id, uint32_t s2mm, uint32_t mm2s) {
  return AddressOf(id.tile, (id.direction == Direction::kS2mm ? s2mm : mm2s) +
                                arch::kChannelStride * static_cast<uint32_t>(id.channel));
}

/// Which element of a register array an offset is, or -1.
int IndexIn(uint32_t offset, uint32_t base, uint32_t stride, int count);

/// The shim channel whose register it is, given where those of channel 0 stand; none if it is
/// another tile or another register.
std::optional<ChannelId> ShimChannelAt(uint32_t address, uint32_t s2mm, uint32_t mm2s,
                                       const arch::TileLimits& shim);

/// The field of a channel's control register that names the controller its tokens are for.
inline constexpr uint32_t kControllerIdMask = 0x1F00;
inline constexpr int kControllerIdShift = 8;

/// Fields of a shim channel's queue register (AM025 start_queue).
inline constexpr uint32_t kTaskToken = 1u << 31;
inline constexpr int kTaskRepeatShift = 16;  ///< Executions less one.
inline constexpr uint32_t kTaskRepeatMask = 0xFF;
inline constexpr uint32_t kTaskDescriptorMask = 0xF;

}  // namespace tilewave::program
