#pragma once

// Whether the circuit-switched streams of a configuration find lanes through the switches of the
// array. The toolchain routes again in its own way; this says that there is one, or where it fails.

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "arch/npu.h"
#include "program/array_program.h"
#include "program/validate.h"

namespace tilewave::program {

/// Of a tile's stream switch. kDma: the tile's own channels (a shim's stand behind its mux, which
/// gives each a lane of its own).
enum class Side : uint8_t { kDma, kNorth, kSouth, kEast, kWest };

/// "DMA", "north", "south", "east", "west".
std::string_view Name(Side side);

/// Lane `index` of a side; at kDma the channel.
struct Port {
  Side side = Side::kDma;
  int index = 0;

  bool operator==(const Port&) const = default;
};

/// What one flow does in the switch of one tile: it comes in here and leaves by some ports.
struct Hop {
  Tile tile;
  Port in;
  std::vector<Port> out;
};

/// For each flow its hops, from the source on: each comes behind the one that leads to it.
struct Routing {
  std::vector<std::vector<Hop>> flows;
};

/// Lanes that leave a tile on a side, and those that come in, on an array of so many columns.
/// kDma: S2MM channels, MM2S channels.
int PortsOut(const Tile& tile, Side side, int columns, const arch::Npu& npu);
int PortsIn(const Tile& tile, Side side, int columns, const arch::Npu& npu);

/// Whether a tile's switch joins a port that comes in to one that leaves.
bool Joins(arch::TileKind kind, const Port& in, const Port& out);

/// Routes the flows through so many columns from 0 on, or says where lanes run out. Each flow goes
/// up or down its source's column first, then along the row; or the other way around; or wherever
/// lanes are left. A flow that finds none is routed before all others, and those again.
/// Deterministic. REQUIRES: ends that the array has, each of one flow only.
std::variant<Routing, Violation> Route(const std::vector<Flow>& flows, int columns,
                                       const arch::Npu& npu);

}  // namespace tilewave::program
