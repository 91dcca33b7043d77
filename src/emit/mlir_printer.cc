#include "emit/mlir_printer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "emit/core_printer.h"
#include "emit/memref_types.h"
#include "emit/mlir_names.h"
#include "emit/spec_text.h"
#include "program/validate.h"

namespace tilewave::emit {
namespace {

using program::ArrayProgram;
using program::Channel;
using program::ChannelId;
using program::Descriptor;
using program::Direction;
using program::LockUse;
using program::Tile;

Status Unsayable(std::string text) { return {StatusCode::kUnimplemented, std::move(text)}; }

bool IsPadded(const Descriptor& d) {
  return std::any_of(d.padding.begin(), d.padding.end(),
                     [](const program::Padding& p) { return !(p == program::Padding()); });
}

/// What Validate allows and the text cannot say about one descriptor.
Status CheckDescriptor(const ChannelId& id, const Descriptor& d, const MemrefTypes& types) {
  const std::string where = fmt::format("{} descriptor {}", Name(id), d.id);
  if (!d.dims.empty() && types.IsBytes(d.buffer) && d.dims[0].step_words != 1) {
    return Unsayable(where + " steps over words of a buffer of bytes");
  }
  for (size_t i = d.dims.size(); i < d.padding.size(); ++i) {
    if (!(d.padding[i] == program::Padding())) {
      return Unsayable(
          fmt::format("{} has padding around d{}, a dimension that it has not", where, i));
    }
  }
  return {};
}

class MlirPrinter {
 public:
  explicit MlirPrinter(const ArrayProgram& program) : program_(program), types_(program) {}

  Result<std::string> Print() {
    if (Status s = CheckDistinct(program_); !s.ok()) return s;
    if (Status s = CheckTiles(); !s.ok()) return s;
    if (Status s = CheckChannels(); !s.ok()) return s;
    const Result<std::map<std::string, std::string>> signatures = types_.Signatures();
    if (!signatures.ok()) return signatures.status();
    PrintHeader();
    for (const auto& [name, arguments] : *signatures) {
      Line(2, "func.func private @{}({}) attributes {{link_with = \"kernels.o\"}}", name,
           arguments);
    }
    PrintTiles();
    PrintMemories();
    PrintFlows();
    PrintChannels();
    for (const program::Core& core : program_.cores) PrintCore(program_, core, types_, &text_);
    PrintShims();
    Line(1, "}}");
    Line(0, "}}");
    return std::move(text_);
  }

 private:
  template <typename... Args>
  void Line(int depth, fmt::format_string<Args...> format, Args&&... args) {
    text_.append(2 * static_cast<size_t>(depth), ' ');
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += '\n';
  }

  void AddTile(const Tile& tile) { tiles_.insert({tile.column, tile.row}); }

  Status CheckTiles() {
    for (const program::TileBuffer& buffer : program_.buffers) AddTile(buffer.tile);
    for (const program::Lock& lock : program_.locks) AddTile(lock.tile);
    for (const program::Parameter& parameter : program_.parameters) AddTile(parameter.tile);
    for (const Channel& channel : program_.channels) AddTile(channel.id.tile);
    for (const program::Flow& flow : program_.flows) {
      AddTile(flow.source.tile);
      for (const ChannelId& to : flow.destinations) AddTile(to.tile);
    }
    for (const program::Core& core : program_.cores) AddTile(core.tile);
    for (const auto& [column, row] : tiles_) {
      if (column < program_.spec.columns) continue;
      return Unsayable(fmt::format("{} is beyond the {} of its design", Name(Tile{column, row}),
                                   program_.spec.columns == 1
                                       ? "one column"
                                       : fmt::format("{} columns", program_.spec.columns)));
    }
    return {};
  }

  /// One region holds all channels of a tile.
  Status CheckChannels() const {
    std::set<std::pair<int, int>> seen;
    for (size_t i = 0; i < program_.channels.size(); ++i) {
      const Channel& channel = program_.channels[i];
      const Tile& tile = channel.id.tile;
      const bool follows = i > 0 && program_.channels[i - 1].id.tile == tile;
      if (!follows && !seen.insert({tile.column, tile.row}).second) {
        return Unsayable(fmt::format("channels of {} do not follow each other", Name(tile)));
      }
      for (const Descriptor& d : channel.descriptors) {
        if (Status s = CheckDescriptor(channel.id, d, types_); !s.ok()) return s;
      }
    }
    return {};
  }

  void PrintHeader() {
    Line(0, "// {}: printed by tilewave for mlir-aie 1.4.2 (commit 7e00b57955e1).",
         Name(program_.spec));
    Line(0, "// Lines that begin with \"tilewave:\" say what MLIR has no place for.");
    Line(0, "// tilewave: spec {}", SpecText(program_.spec));
    Line(0, "// tilewave: configuration {:016x}", program::ConfigurationHash(program_.spec));
    Line(0, "module {{");
    Line(1, "aie.device({}) {{", DeviceName(program_.spec));
  }

  void PrintTiles() {
    for (const auto& [column, row] : tiles_) {
      // The stream asks for completion tokens with this packet id.
      const std::string attributes =
          row > 0 ? ""
                  : fmt::format(" {{controller_id = #aie.packet_info<pkt_type = 0, pkt_id = {}>}}",
                                arch::kShimControllerId);
      Line(2, "%{} = aie.tile({}, {}){}", TileName({column, row}), column, row, attributes);
    }
  }

  void PrintBuffer(const Tile& tile, std::string_view name, int64_t address,
                   std::string_view type) {
    const std::string symbol = SymbolName(tile, name);
    Line(2, "%{0} = aie.buffer(%{1}) {{address = {2} : i32, sym_name = \"{0}\"}} : {3}", symbol,
         TileName(tile), address, type);
  }

  void PrintMemories() {
    for (size_t i = 0; i < program_.buffers.size(); ++i) {
      const program::TileBuffer& buffer = program_.buffers[i];
      PrintBuffer(buffer.tile, buffer.name, buffer.address, types_.Of(static_cast<int>(i)));
    }
    for (const ParameterGroup& group : ParameterGroups(program_)) {
      std::vector<std::string_view> names;
      for (size_t i = 0; i < group.count; ++i) {
        names.push_back(program_.parameters[group.first + i].name);
      }
      Line(2, "// tilewave: parameters {}", fmt::join(names, " "));
      PrintBuffer(group.tile, kParameters, program_.parameters[group.first].address,
                  fmt::format("memref<{}xi32>", kParameterWords));
    }
    for (const program::Lock& lock : program_.locks) {
      Line(2, "%{0} = aie.lock(%{1}, {2}) {{init = {3} : i32, sym_name = \"{0}\"}}",
           SymbolName(lock.tile, lock.name), TileName(lock.tile), lock.id, lock.initial);
    }
  }

  void PrintFlows() {
    for (const program::Flow& flow : program_.flows) {
      for (const ChannelId& to : flow.destinations) {
        Line(2, "aie.flow(%{}, DMA : {}, %{}, DMA : {})", TileName(flow.source.tile),
             flow.source.channel, TileName(to.tile), to.channel);
      }
    }
  }

  void PrintChannels() {
    const std::vector<Channel>& channels = program_.channels;
    for (size_t first = 0; first < channels.size();) {
      size_t end = first + 1;
      while (end < channels.size() && channels[end].id.tile == channels[first].id.tile) ++end;
      PrintTileDma(first, end);
      first = end;
    }
  }

  void PrintTileDma(size_t first, size_t end) {
    const Tile& tile = program_.channels[first].id.tile;
    Line(2, "%{0}_dma = aie.{1}(%{0}) {{", TileName(tile), tile.row == 1 ? "memtile_dma" : "mem");
    std::set<int> values;
    for (size_t i = first; i < end; ++i) {
      for (const Descriptor& d : program_.channels[i].descriptors) {
        for (const LockUse& use : {d.acquire, d.release}) {
          if (use.lock >= 0) values.insert(use.value);
        }
      }
    }
    for (const int value : values) Line(3, "%c{0}_i32 = arith.constant {0} : i32", value);
    for (size_t i = first; i < end; ++i) {
      const Channel& channel = program_.channels[i];
      if (i > first) Line(2, "^channel{}:", i - first);
      const bool last = i + 1 == end;
      Line(3, "aie.dma_start({}, {}, ^bd{}, {})", Name(channel.id.direction), channel.id.channel,
           channel.descriptors.front().id,
           last ? "^end" : fmt::format("^channel{}", i - first + 1));
      for (const Descriptor& d : channel.descriptors) PrintDescriptor(d);
    }
    Line(2, "^end:");
    Line(3, "aie.end");
    Line(2, "}}");
  }

  void PrintLockUse(const LockUse& use, std::string_view action) {
    if (use.lock < 0) return;
    const program::Lock& lock = program_.locks[static_cast<size_t>(use.lock)];
    Line(3, "aie.use_lock(%{}, {}, %c{}_i32)", SymbolName(lock.tile, lock.name), action, use.value);
  }

  void PrintDescriptor(const Descriptor& d) {
    const program::TileBuffer& buffer = program_.buffers[static_cast<size_t>(d.buffer)];
    const int64_t scale = types_.ElementsPerWord(d.buffer);
    Line(2, "^bd{}:", d.id);
    PrintLockUse(d.acquire, "AcquireGreaterEqual");
    std::string iteration;
    if (d.iteration.size > 1) {
      iteration =
          fmt::format(", iteration = #aie.bd_iteration<size = {}, stride = {}, current = 0>",
                      d.iteration.size, d.iteration.step_words * scale);
    }
    Line(3, "aie.dma_bd(%{} : {} offset = {} len = {}{}) {{bd_id = {} : i32{}}}",
         SymbolName(buffer.tile, buffer.name), types_.Of(d.buffer), d.offset_words * scale,
         d.length_words * scale, PatternText(d, scale), d.id, iteration);
    PrintLockUse(d.release, "Release");
    Line(3, "aie.next_bd {}", d.next < 0 ? "^end" : fmt::format("^bd{}", d.next));
  }

  /// Sizes, steps and padding, in elements; MLIR lists the outermost dimension first.
  static std::string PatternText(const Descriptor& d, int64_t scale) {
    if (d.dims.empty()) return "";
    std::vector<int64_t> sizes;
    std::vector<int64_t> steps;
    std::vector<std::string> padding;
    for (size_t i = d.dims.size(); i-- > 0;) {
      // Of words that are four elements each, d0 takes one element after the other.
      sizes.push_back(d.dims[i].size * (i == 0 ? scale : 1));
      steps.push_back(i == 0 && scale > 1 ? 1 : d.dims[i].step_words * scale);
      const program::Padding pad = i < d.padding.size() ? d.padding[i] : program::Padding();
      const int64_t unit = i == 0 ? scale : 1;
      padding.push_back(fmt::format("<const_pad_before = {}, const_pad_after = {}>",
                                    pad.before * unit, pad.after * unit));
    }
    std::string text =
        fmt::format(" sizes = [{}] strides = [{}]", fmt::join(sizes, ", "), fmt::join(steps, ", "));
    if (IsPadded(d)) text += fmt::format(" pad [{}]", fmt::join(padding, ", "));
    return text;
  }

  /// What the host's side of mlir-aie knows of: shim channels, and a sequence without steps, since
  /// streams are made by tilewave, for each product anew.
  void PrintShims() {
    for (const program::Flow& flow : program_.flows) {
      PrintAllocation(flow.source);
      for (const ChannelId& to : flow.destinations) PrintAllocation(to);
    }
    const bool packed = program_.spec.family == program::DesignFamily::kPackedTile;
    Line(2, "aie.runtime_sequence @sequence({}) {{",
         packed ? "%ab: memref<1xi32>, %c: memref<1xi32>"
                : "%a: memref<1xi32>, %b: memref<1xi32>, %c: memref<1xi32>");
    Line(3, "// Streams are made by tilewave for each product and loaded beside this.");
    Line(2, "}}");
  }

  void PrintAllocation(const ChannelId& id) {
    if (id.tile.row != 0) return;
    Line(2, "aie.shim_dma_allocation @{0}_{1}_{2}(%{0}, {3}, {2})", TileName(id.tile),
         id.direction == Direction::kS2mm ? "s2mm" : "mm2s", id.channel, Name(id.direction));
  }

  const ArrayProgram& program_;
  const MemrefTypes types_;
  std::string text_;
  std::set<std::pair<int, int>> tiles_;  ///< Column, row.
};

}  // namespace

Result<std::string> MlirText(const ArrayProgram& program) {
  if (Status s = CheckNames(program); !s.ok()) return s;
  if (Status s = program::Validate(program, arch::NpuOf(program.spec.arch)); !s.ok()) return s;
  return MlirPrinter(program).Print();
}

}  // namespace tilewave::emit
