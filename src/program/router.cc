#include "program/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <optional>

namespace tilewave::program {
namespace {

constexpr int kSides = 5;
constexpr int kNobody = -1;

/// How often all flows are routed, each time with one more before the others.
constexpr int kAttempts = 16;

/// Sides to neighbours; the order in which a search tries them.
constexpr std::array<Side, 4> kNeighbours = {Side::kNorth, Side::kSouth, Side::kEast, Side::kWest};

Side Opposite(Side side) {
  switch (side) {
    case Side::kNorth:
      return Side::kSouth;
    case Side::kSouth:
      return Side::kNorth;
    case Side::kEast:
      return Side::kWest;
    case Side::kWest:
      return Side::kEast;
    case Side::kDma:
      break;
  }
  return Side::kDma;
}

Tile Neighbour(const Tile& tile, Side side) {
  switch (side) {
    case Side::kNorth:
      return {tile.column, tile.row + 1};
    case Side::kSouth:
      return {tile.column, tile.row - 1};
    case Side::kEast:
      return {tile.column + 1, tile.row};
    case Side::kWest:
      return {tile.column - 1, tile.row};
    case Side::kDma:
      break;
  }
  return tile;
}

int Distance(const Tile& a, const Tile& b) {
  return std::abs(a.column - b.column) + std::abs(a.row - b.row);
}

bool Between(int value, int a, int b) { return value >= std::min(a, b) && value <= std::max(a, b); }

/// Which tiles a search may enter.
enum class Reach : uint8_t { kColumnFirst, kRowFirst, kAll };

bool Allows(Reach reach, const Tile& from, const Tile& to, const Tile& tile) {
  if (reach == Reach::kAll) return true;
  const Tile corner =
      reach == Reach::kColumnFirst ? Tile{from.column, to.row} : Tile{to.column, from.row};
  const auto on_leg = [&tile](const Tile& a, const Tile& b) {
    return Between(tile.column, a.column, b.column) && Between(tile.row, a.row, b.row);
  };
  return on_leg(from, corner) || on_leg(corner, to);
}

/// All lanes of an array with the flows that have them. A lane is named by the port at which it
/// comes into a tile; ports have numbers.
class Lanes {
 public:
  Lanes(int columns, const arch::Npu& npu) : columns_(columns), npu_(npu) {
    for (const Side side : {Side::kDma, Side::kNorth, Side::kSouth, Side::kEast, Side::kWest}) {
      for (int row = 0; row < npu.rows; ++row) {
        // The middle of three columns has all sides.
        widest_ = std::max(widest_, PortsIn({1, row}, side, 3, npu));
      }
    }
    Clear();
  }

  void Clear() {
    const int ports = columns_ * npu_.rows * kSides * widest_;
    owners_.assign(static_cast<size_t>(ports), kNobody);
  }

  size_t count() const { return owners_.size(); }
  int NumberOf(const Tile& tile, const Port& in) const {
    return (((tile.row * columns_ + tile.column) * kSides + static_cast<int>(in.side)) * widest_) +
           in.index;
  }
  Tile TileOf(int number) const {
    const int tile = number / widest_ / kSides;
    return {tile % columns_, tile / columns_};
  }
  Port PortOf(int number) const {
    return {static_cast<Side>(number / widest_ % kSides), number % widest_};
  }

  int OwnerOf(int number) const { return owners_[static_cast<size_t>(number)]; }
  void Give(int number, int flow) { owners_[static_cast<size_t>(number)] = flow; }

  int Out(const Tile& tile, Side side) const { return PortsOut(tile, side, columns_, npu_); }
  /// Of the neighbour's port that the lane leads to.
  int NumberBeyond(const Tile& tile, const Port& out) const {
    return NumberOf(Neighbour(tile, out.side), {Opposite(out.side), out.index});
  }
  arch::TileKind KindOf(const Tile& tile) const { return npu_.KindOf(tile.row); }

 private:
  const int columns_;
  const arch::Npu& npu_;
  int widest_ = 0;
  std::vector<int> owners_;
};

class Router {
 public:
  Router(const std::vector<Flow>& flows, int columns, const arch::Npu& npu)
      : flows_(flows), lanes_(columns, npu), came_from_(lanes_.count()) {
    order_.resize(flows.size());
    std::iota(order_.begin(), order_.end(), size_t{0});
  }

  std::variant<Routing, Violation> Run() {
    std::optional<Violation> first;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      lanes_.Clear();
      routing_.flows.assign(flows_.size(), {});
      const auto stuck = std::find_if(order_.begin(), order_.end(),
                                      [this](size_t flow) { return !RouteFlow(flow); });
      if (stuck == order_.end()) return std::move(routing_);
      if (!first) first = violation_;
      // It found no lane left: next time it chooses first. Before all others it never will.
      if (stuck == order_.begin()) break;
      std::rotate(order_.begin(), stuck, stuck + 1);
    }
    return *first;
  }

 private:
  bool RouteFlow(size_t flow) {
    std::vector<Hop>& hops = routing_.flows[flow];
    const ChannelId& source = flows_[flow].source;
    hops.push_back({source.tile, {Side::kDma, source.channel}, {}});
    for (const ChannelId& to : flows_[flow].destinations) {
      if (Extend(flow, to, Reach::kColumnFirst) || Extend(flow, to, Reach::kRowFirst)) continue;
      if (Extend(flow, to, Reach::kAll)) continue;
      violation_ = Explain(flow, to);
      return false;
    }
    return true;
  }

  /// Breadth first from what the flow has of the tree to one more destination. The search leaves
  /// `came_from_`: for each port, by number, the port before it; -1: not reached.
  bool Extend(size_t flow, const ChannelId& to, Reach reach) {
    const Tile& from = flows_[flow].source.tile;
    std::fill(came_from_.begin(), came_from_.end(), kNobody);
    queue_.clear();
    for (const Hop& hop : routing_.flows[flow]) {
      if (Allows(reach, from, to.tile, hop.tile)) Reached(lanes_.NumberOf(hop.tile, hop.in), -1);
    }
    const Port end{Side::kDma, to.channel};
    for (size_t next = 0; next < queue_.size(); ++next) {
      const int number = queue_[next];
      const Tile tile = lanes_.TileOf(number);
      const Port in = lanes_.PortOf(number);
      if (tile == to.tile && Joins(lanes_.KindOf(tile), in, end)) {
        Claim(flow, number, end);
        return true;
      }
      for (const Side side : kNeighbours) {
        const int out = lanes_.Out(tile, side);
        if (out == 0 || !Allows(reach, from, to.tile, Neighbour(tile, side))) continue;
        for (int i = 0; i < out; ++i) {
          const int beyond = lanes_.NumberBeyond(tile, {side, i});
          if (lanes_.OwnerOf(beyond) != kNobody || IsReached(beyond)) continue;
          if (Joins(lanes_.KindOf(tile), in, {side, i})) Reached(beyond, number);
        }
      }
    }
    return false;
  }

  /// Roots come from themselves.
  void Reached(int number, int before) {
    came_from_[static_cast<size_t>(number)] = before < 0 ? number : before;
    queue_.push_back(number);
  }
  bool IsReached(int number) const { return came_from_[static_cast<size_t>(number)] != kNobody; }

  /// Gives the flow the way that a search has found to `number`, and out of there by `end`.
  void Claim(size_t flow, int number, const Port& end) {
    std::vector<Hop>& hops = routing_.flows[flow];
    std::vector<int> way = {number};
    while (came_from_[static_cast<size_t>(way.back())] != way.back()) {
      way.push_back(came_from_[static_cast<size_t>(way.back())]);
    }
    std::reverse(way.begin(), way.end());
    for (size_t i = 0; i < way.size(); ++i) {
      const Tile tile = lanes_.TileOf(way[i]);
      const Port in = lanes_.PortOf(way[i]);
      if (i > 0) {
        lanes_.Give(way[i], static_cast<int>(flow));
        hops.push_back({tile, in, {}});
      }
      const auto hop = std::find_if(hops.begin(), hops.end(), [&](const Hop& each) {
        return each.tile == tile && each.in == in;
      });
      const bool last = i + 1 == way.size();
      hop->out.push_back(last ? end : PortTo(way[i + 1]));
    }
  }

  /// The port of the tile before from which a lane comes.
  Port PortTo(int number) const {
    const Port in = lanes_.PortOf(number);
    return {Opposite(in.side), in.index};
  }

  /// After a search everywhere that has failed: of the sides that stopped it, the one nearest to
  /// the destination.
  Violation Explain(size_t flow, const ChannelId& to) const {
    Tile nearest_tile = flows_[flow].source.tile;
    Side nearest = Side::kNorth;
    int distance = std::numeric_limits<int>::max();
    for (const int number : queue_) {
      const Tile tile = lanes_.TileOf(number);
      for (const Side side : kNeighbours) {
        const int out = lanes_.Out(tile, side);
        const int beyond = Distance(Neighbour(tile, side), to.tile);
        if (out == 0 || beyond >= distance || IsSideReached(tile, side)) continue;
        distance = beyond;
        nearest = side;
        nearest_tile = tile;
      }
    }
    const std::string where = fmt::format("flow from {} to {}, out of {}",
                                          Name(flows_[flow].source), Name(to), Name(nearest_tile));
    const int out = lanes_.Out(nearest_tile, nearest);
    int used = 0;
    for (int i = 0; i < out; ++i) {
      if (lanes_.OwnerOf(lanes_.NumberBeyond(nearest_tile, {nearest, i})) != kNobody) ++used;
    }
    const std::string lanes = fmt::format("lanes {}", Name(nearest));
    if (used == out) return {where, lanes, out + 1, out};
    // Some are left, but the switch joins none of them to the lanes that the flow comes in by.
    return {where, lanes + " joined to those it comes in by", 1, 0};
  }

  bool IsSideReached(const Tile& tile, Side side) const {
    const int out = lanes_.Out(tile, side);
    for (int i = 0; i < out; ++i) {
      if (IsReached(lanes_.NumberBeyond(tile, {side, i}))) return true;
    }
    return false;
  }

  const std::vector<Flow>& flows_;
  Lanes lanes_;
  std::vector<size_t> order_;
  Routing routing_;
  Violation violation_;
  std::vector<int> came_from_;
  std::vector<int> queue_;
};

}  // namespace

std::string_view Name(Side side) {
  switch (side) {
    case Side::kDma:
      return "DMA";
    case Side::kNorth:
      return "north";
    case Side::kSouth:
      return "south";
    case Side::kEast:
      return "east";
    case Side::kWest:
      return "west";
  }
  return "unknown";
}

int PortsOut(const Tile& tile, Side side, int columns, const arch::Npu& npu) {
  const arch::TileLimits& limits = npu.LimitsOf(tile.row);
  switch (side) {
    case Side::kDma:
      return limits.s2mm_channels;
    case Side::kNorth:
      return tile.row == npu.rows - 1 ? 0 : limits.ports.north_out;
    case Side::kSouth:
      return tile.row == 0 ? 0 : limits.ports.south_out;
    case Side::kEast:
      return tile.column == columns - 1 ? 0 : limits.ports.east_out;
    case Side::kWest:
      return tile.column == 0 ? 0 : limits.ports.west_out;
  }
  return 0;
}

int PortsIn(const Tile& tile, Side side, int columns, const arch::Npu& npu) {
  const arch::TileLimits& limits = npu.LimitsOf(tile.row);
  switch (side) {
    case Side::kDma:
      return limits.mm2s_channels;
    case Side::kNorth:
      return tile.row == npu.rows - 1 ? 0 : limits.ports.north_in;
    case Side::kSouth:
      return tile.row == 0 ? 0 : limits.ports.south_in;
    case Side::kEast:
    case Side::kWest:
      return PortsOut(tile, side, columns, npu);
  }
  return 0;
}

// AIE2TargetModel::isLegalTileConnection, for the ports that flows use.
bool Joins(arch::TileKind kind, const Port& in, const Port& out) {
  if (in.side == out.side) {
    // A shim's channels come and go by lanes of the mux, which are joined freely.
    return in.index == out.index || (in.side == Side::kDma && kind == arch::TileKind::kShim);
  }
  const bool passes = in.side != Side::kDma && out.side != Side::kDma;
  return kind != arch::TileKind::kMemory || !passes || in.index == out.index;
}

std::variant<Routing, Violation> Route(const std::vector<Flow>& flows, int columns,
                                       const arch::Npu& npu) {
  return Router(flows, columns, npu).Run();
}

}  // namespace tilewave::program
