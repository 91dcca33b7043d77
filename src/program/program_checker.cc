#include "program/program_checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include "program/core_checker.h"
#include "program/limit_collector.h"
#include "program/pattern_check.h"
#include "program/router.h"

namespace tilewave::program {
namespace {

using TileKey = std::tuple<int, int>;
using ChannelKey = std::tuple<int, int, int, int>;

TileKey Key(const Tile& tile) { return {tile.column, tile.row}; }
ChannelKey Key(const ChannelId& id) {
  return {id.tile.column, id.tile.row, static_cast<int>(id.direction), id.channel};
}

int ChannelCount(const arch::TileLimits& limits, Direction direction) {
  return direction == Direction::kS2mm ? limits.s2mm_channels : limits.mm2s_channels;
}

class ProgramChecker {
 public:
  ProgramChecker(const ArrayProgram& program, const arch::Npu& npu)
      : program_(program), npu_(npu) {}

  std::vector<Violation> Check() {
    if (&arch::NpuOf(program_.spec.arch) != &npu_) {
      out_.AtMost(fmt::format("program for {}", arch::NpuOf(program_.spec.arch).name),
                  fmt::format("programs for another array than {}", npu_.name), 1, 0);
    }
    out_.Between("design", "columns", program_.spec.columns, 1, npu_.columns);
    CheckMemories();
    for (const TileBuffer& buffer : program_.buffers) CheckBuffer(buffer);
    for (const Parameter& parameter : program_.parameters) CheckParameter(parameter);
    CheckLocks();
    CheckPools();
    for (const Channel& channel : program_.channels) CheckChannel(channel);
    const size_t before = out_.size();
    CheckFlows();
    const bool flows_are_sound = out_.size() == before;
    for (const Core& core : program_.cores) CheckCoreOnArray(core);
    if (flows_are_sound) CheckRouting();
    return out_.Take();
  }

 private:
  bool OnArray(const Tile& tile) const {
    return tile.column >= 0 && tile.column < npu_.columns && tile.row >= 0 && tile.row < npu_.rows;
  }

  /// Whether the tile is on the array; nothing else about it can be checked if not.
  template <typename Where>
  bool CheckTile(const Where& where, const Tile& tile) {
    out_.Between(where, "column", tile.column, 0, npu_.columns - 1);
    out_.Between(where, "row", tile.row, 0, npu_.rows - 1);
    return OnArray(tile);
  }

  /// Nothing overlaps: stack, buffers, parameters of a tile; and all of it fits.
  void CheckMemories() {
    struct Piece {
      int64_t begin;
      int64_t bytes;
      const char* kind;
      std::string_view name;

      int64_t end() const { return CappedSum(begin, bytes); }
      std::string Text() const { return fmt::format("{}{}", kind, name); }
    };
    std::map<TileKey, std::vector<Piece>> tiles;
    for (const Core& core : program_.cores) {
      tiles[Key(core.tile)].push_back({0, core.stack_bytes, "stack", ""});
    }
    for (const TileBuffer& b : program_.buffers) {
      tiles[Key(b.tile)].push_back({b.address, b.bytes, "buffer ", b.name});
    }
    for (const Parameter& p : program_.parameters) {
      tiles[Key(p.tile)].push_back({p.address, arch::kWordBytes, "parameter ", p.name});
    }
    for (auto& entry : tiles) {
      const auto [column, row] = entry.first;
      const Tile tile{column, row};
      std::vector<Piece>& pieces = entry.second;
      if (!OnArray(tile)) continue;
      std::sort(pieces.begin(), pieces.end(),
                [](const Piece& x, const Piece& y) { return x.begin < y.begin; });
      const int64_t memory_bytes = npu_.LimitsOf(tile.row).memory_bytes;
      int64_t bytes = 0;
      for (const Piece& piece : pieces) {
        bytes = CappedSum(bytes, std::max<int64_t>(piece.bytes, 0));
      }
      out_.AtMost([&] { return Name(tile); }, "data memory bytes", bytes, memory_bytes);
      if (bytes > memory_bytes) full_.insert(Key(tile));
      for (size_t i = 1; i < pieces.size(); ++i) {
        out_.AtLeast([&] { return Name(tile) + " " + pieces[i].Text(); },
                     [&] { return "address, after the end of " + pieces[i - 1].Text(); },
                     pieces[i].begin, pieces[i - 1].end());
      }
    }
  }

  /// Where something ends in its tile's memory. If there is too much of it anyway, that was said.
  template <typename Where>
  void CheckEnd(const Where& where, const Tile& tile, int64_t address, int64_t bytes) {
    if (full_.contains(Key(tile))) return;
    out_.AtMost(where, "end in data memory", CappedSum(address, bytes),
                npu_.LimitsOf(tile.row).memory_bytes);
  }

  void CheckBuffer(const TileBuffer& buffer) {
    const auto where = [&] { return fmt::format("{} buffer {}", Name(buffer.tile), buffer.name); };
    if (!CheckTile(where, buffer.tile)) return;
    out_.AtLeast(where, "address", buffer.address, 0);
    out_.AtLeast(where, "bytes", buffer.bytes, 1);
    out_.MultipleOf(where, "address", buffer.address, arch::kWordBytes);
    out_.MultipleOf(where, "bytes", buffer.bytes, arch::kWordBytes);
    CheckEnd(where, buffer.tile, buffer.address, buffer.bytes);
  }

  void CheckParameter(const Parameter& parameter) {
    const auto where = [&] {
      return fmt::format("{} parameter {}", Name(parameter.tile), parameter.name);
    };
    if (!CheckTile(where, parameter.tile)) return;
    out_.AtLeast(where, "address", parameter.address, 0);
    out_.MultipleOf(where, "address", parameter.address, arch::kWordBytes);
    CheckEnd(where, parameter.tile, parameter.address, arch::kWordBytes);
  }

  void CheckLocks() {
    std::set<std::tuple<int, int, int>> used;
    for (const Lock& lock : program_.locks) {
      const auto where = [&] { return fmt::format("{} lock {}", Name(lock.tile), lock.name); };
      if (!CheckTile(where, lock.tile)) continue;
      out_.Between(where, "lock id", lock.id, 0, npu_.LimitsOf(lock.tile.row).locks - 1);
      out_.Between(where, "initial lock value", lock.initial, 0, npu_.max_lock_value);
      if (!used.insert({lock.tile.column, lock.tile.row, lock.id}).second) {
        out_.AtMost(where, "users of one lock id", 2, 1);
      }
    }
  }

  void CheckChannel(const Channel& channel) {
    const auto name = [&] { return Name(channel.id); };
    if (!CheckTile(name, channel.id.tile)) return;
    const arch::TileLimits& limits = npu_.LimitsOf(channel.id.tile.row);
    out_.Between(name, "channel", channel.id.channel, 0,
                 ChannelCount(limits, channel.id.direction) - 1);
    if (!channels_.insert(Key(channel.id)).second) out_.AtMost(name, "users of one channel", 2, 1);
    if (npu_.KindOf(channel.id.tile.row) == arch::TileKind::kShim) {
      out_.AtMost(name, "descriptors that no stream writes", 1, 0);
    }
    out_.AtLeast(name, "descriptors of its channel",
                 static_cast<int64_t>(channel.descriptors.size()), 1);
    std::set<int> ids;
    for (const Descriptor& d : channel.descriptors) ids.insert(d.id);
    for (const Descriptor& d : channel.descriptors) CheckDescriptor(channel, d, ids, limits);
  }

  /// Memory tiles: even channels reach the lower half of the descriptors, odd ones the upper.
  bool HasHalves(const Tile& tile) const {
    return npu_.KindOf(tile.row) == arch::TileKind::kMemory;
  }

  void CheckPools() {
    std::map<std::tuple<int, int, bool>, int64_t> pools;
    for (const Channel& channel : program_.channels) {
      const Tile& tile = channel.id.tile;
      if (!OnArray(tile)) continue;
      const bool odd = HasHalves(tile) && channel.id.channel % 2 != 0;
      pools[{tile.column, tile.row, odd}] += static_cast<int64_t>(channel.descriptors.size());
    }
    for (const auto& [key, count] : pools) {
      const Tile tile{std::get<0>(key), std::get<1>(key)};
      const bool halves = HasHalves(tile);
      const auto where = [&, odd = std::get<2>(key)] {
        return Name(tile) + (!halves ? "" : odd ? " odd channels" : " even channels");
      };
      out_.AtMost(where, "descriptors", count,
                  npu_.LimitsOf(tile.row).descriptors / (halves ? 2 : 1));
    }
  }

  template <typename Where>
  void CheckDescriptorId(const Where& where, const ChannelId& id, int descriptor,
                         const arch::TileLimits& limits) {
    if (!HasHalves(id.tile)) {
      out_.Between(where, "descriptor id", descriptor, 0, limits.descriptors - 1);
      return;
    }
    const int half = limits.descriptors / 2;
    const int first = id.channel % 2 == 0 ? 0 : half;
    out_.Between(where, "descriptor id of this channel", descriptor, first, first + half - 1);
  }

  void CheckDescriptor(const Channel& channel, const Descriptor& d, const std::set<int>& ids,
                       const arch::TileLimits& limits) {
    const Tile& tile = channel.id.tile;
    const auto where = [&] { return fmt::format("{} descriptor {}", Name(channel.id), d.id); };
    CheckDescriptorId(where, channel.id, d.id, limits);
    if (!descriptor_ids_.insert({tile.column, tile.row, d.id}).second) {
      out_.AtMost(where, "users of one descriptor id", 2, 1);
    }
    out_.AtLeast(where, "next descriptor", d.next, -1);
    if (d.next >= 0 && !ids.contains(d.next)) {
      out_.AtMost(where, "next descriptor outside its channel", d.next, -1);
    }
    out_.Add(where, LockUseViolations(program_, tile, d.acquire, npu_));
    out_.Add(where, LockUseViolations(program_, tile, d.release, npu_));
    out_.Add(where, DescriptorViolations(d, channel.id.direction, limits));
    const auto buffers = static_cast<int64_t>(program_.buffers.size());
    out_.Between(where, "index of a buffer", d.buffer, 0, buffers - 1);
    if (d.buffer < 0 || d.buffer >= buffers) return;
    const TileBuffer& buffer = program_.buffers[static_cast<size_t>(d.buffer)];
    if (!(buffer.tile == tile)) out_.AtMost(where, "buffers on another tile", 1, 0);
    out_.AtLeast(where, "offset in words", d.offset_words, 0);
    out_.AtMost(
        where, [&] { return "last word, in buffer " + buffer.name; },
        CappedSum(d.offset_words, ExtentWords(d.length_words, d.dims, d.iteration)),
        buffer.bytes / arch::kWordBytes);
  }

  void CheckFlowEnd(const ChannelId& id, Direction direction) {
    const auto where = [&] { return "flow at " + Name(id); };
    if (!CheckTile(where, id.tile)) return;
    out_.Between(where, "channel", id.channel, 0,
                 ChannelCount(npu_.LimitsOf(id.tile.row), direction) - 1);
    if (id.direction != direction) out_.AtMost(where, "ends of the wrong direction", 1, 0);
    if (!flow_ends_.insert(Key(id)).second) out_.AtMost(where, "flows of one channel", 2, 1);
    const bool has_program =
        npu_.KindOf(id.tile.row) == arch::TileKind::kShim || channels_.contains(Key(id));
    if (!has_program) out_.AtLeast(where, "descriptors of its channel", 0, 1);
  }

  void CheckFlows() {
    for (const Flow& flow : program_.flows) {
      CheckFlowEnd(flow.source, Direction::kMm2s);
      out_.AtLeast([&] { return "flow from " + Name(flow.source); }, "destinations",
                   static_cast<int64_t>(flow.destinations.size()), 1);
      for (const ChannelId& to : flow.destinations) CheckFlowEnd(to, Direction::kS2mm);
    }
    for (const Channel& channel : program_.channels) {
      if (!flow_ends_.contains(Key(channel.id))) {
        out_.AtLeast(Name(channel.id), "flows of its channel", 0, 1);
      }
    }
  }

  void CheckCoreOnArray(const Core& core) {
    const auto where = [&] { return Name(core.tile); };
    if (!CheckTile(where, core.tile)) return;
    if (npu_.KindOf(core.tile.row) != arch::TileKind::kCore) {
      out_.AtMost(where, "cores", 1, 0);
      return;
    }
    if (!cores_.insert(Key(core.tile)).second) out_.AtMost(where, "programs of one core", 2, 1);
    for (Violation& found : CheckCore(program_, core, npu_)) out_.Add(std::move(found));
  }

  /// Within the columns that the design or its streams have: a partition holds no more.
  void CheckRouting() {
    int columns = std::clamp(program_.spec.columns, 1, npu_.columns);
    for (const Flow& flow : program_.flows) {
      columns = std::max(columns, flow.source.tile.column + 1);
      for (const ChannelId& to : flow.destinations) columns = std::max(columns, to.tile.column + 1);
    }
    std::variant<Routing, Violation> routed = Route(program_.flows, columns, npu_);
    if (auto* violation = std::get_if<Violation>(&routed)) out_.Add(std::move(*violation));
  }

  const ArrayProgram& program_;
  const arch::Npu& npu_;
  LimitCollector out_;
  std::set<TileKey> full_;  ///< Tiles with more than their memory.
  std::set<ChannelKey> channels_;
  std::set<ChannelKey> flow_ends_;
  std::set<std::tuple<int, int, int>> descriptor_ids_;
  std::set<TileKey> cores_;
};

}  // namespace

std::vector<Violation> CheckProgram(const ArrayProgram& program, const arch::Npu& npu) {
  return ProgramChecker(program, npu).Check();
}

}  // namespace tilewave::program
