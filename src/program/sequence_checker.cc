#include "program/sequence_checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <tuple>
#include <variant>

#include "program/limit_collector.h"
#include "program/pattern_check.h"

namespace tilewave::program {
namespace {

/// A descriptor's base address has 48 bits.
constexpr int64_t kMaxOffsetBytes = (int64_t{1} << 48) - 1;

constexpr std::array<Direction, 2> kDirections = {Direction::kS2mm, Direction::kMm2s};

/// A number that names something on a tile: a lock's id, an address.
using Place = std::tuple<int, int, int64_t>;
Place PlaceOf(const Tile& tile, int64_t number) { return {tile.column, tile.row, number}; }

/// Sorted, to be looked up.
template <typename List, typename Number>
std::vector<Place> PlacesOf(const List& list, Number number) {
  std::vector<Place> places;
  places.reserve(list.size());
  for (const auto& each : list) places.push_back(PlaceOf(each.tile, number(each)));
  std::sort(places.begin(), places.end());
  return places;
}

class SequenceChecker {
 public:
  SequenceChecker(const ArrayProgram& program, std::span<const int64_t> argument_bytes,
                  const arch::Npu& npu)
      : argument_bytes_(argument_bytes),
        npu_(npu),
        locks_(PlacesOf(program.locks, [](const Lock& lock) { return lock.id; })),
        parameters_(PlacesOf(program.parameters, [](const Parameter& p) { return p.address; })),
        shims_(static_cast<size_t>(npu.columns)) {
    for (ShimState& shim : shims_) {
      shim.descriptors.resize(static_cast<size_t>(npu.shim.descriptors));
      shim.s2mm.resize(static_cast<size_t>(npu.shim.s2mm_channels));
      shim.mm2s.resize(static_cast<size_t>(npu.shim.mm2s_channels));
    }
    for (const Flow& flow : program.flows) {
      AddFlowEnd(flow.source);
      for (const ChannelId& end : flow.destinations) AddFlowEnd(end);
    }
  }

  std::vector<Violation> Check(const Sequence& sequence) {
    for (const SequenceOp& op : sequence) {
      std::visit([this](const auto& each) { CheckOp(each); }, op);
    }
    for (int column = 0; column < npu_.columns; ++column) {
      for (const Direction direction : kDirections) {
        const std::vector<ChannelState>& channels =
            ChannelsOf(&shims_[static_cast<size_t>(column)], direction);
        for (size_t c = 0; c < channels.size(); ++c) {
          if (channels[c].tokens.empty()) continue;
          const ChannelId id{{column, 0}, direction, static_cast<int>(c)};
          out_.AtMost(Name(id), "tokens nobody awaits", 1, 0);
        }
      }
    }
    return out_.Take();
  }

 private:
  struct DescriptorState {
    bool written = false;
    int64_t users = 0;  ///< Tasks that may not be done.
  };
  struct ChannelState {
    bool has_flow = false;
    std::deque<int> pending;  ///< Descriptors of the tasks not proven done, oldest first.
    /// Tasks that send a token which nobody has waited for, counted from the channel's first.
    std::deque<int64_t> tokens;
    int64_t done = 0;  ///< Tasks before the first of `pending`.
  };
  struct ShimState {
    std::vector<DescriptorState> descriptors;
    std::vector<ChannelState> s2mm;
    std::vector<ChannelState> mm2s;
  };

  static std::vector<ChannelState>& ChannelsOf(ShimState* shim, Direction direction) {
    return direction == Direction::kS2mm ? shim->s2mm : shim->mm2s;
  }

  bool OnShim(const Tile& tile) const {
    return tile.column >= 0 && tile.column < npu_.columns && tile.row == 0;
  }

  /// Null if the array has no such channel.
  ChannelState* StateOf(const ChannelId& id) {
    if (!OnShim(id.tile)) return nullptr;
    ShimState& shim = shims_[static_cast<size_t>(id.tile.column)];
    std::vector<ChannelState>& channels = ChannelsOf(&shim, id.direction);
    if (id.channel < 0 || id.channel >= static_cast<int>(channels.size())) return nullptr;
    return &channels[static_cast<size_t>(id.channel)];
  }

  /// Null if the shim, which the tile is, has no such descriptor.
  DescriptorState* StateOf(const Tile& shim, int descriptor) {
    if (descriptor < 0 || descriptor >= npu_.shim.descriptors) return nullptr;
    return &shims_[static_cast<size_t>(shim.column)].descriptors[static_cast<size_t>(descriptor)];
  }

  void AddFlowEnd(const ChannelId& id) {
    if (ChannelState* state = StateOf(id)) state->has_flow = true;
  }

  template <typename Where>
  bool CheckShim(const Where& where, const Tile& tile) {
    out_.Between(where, "column", tile.column, 0, npu_.columns - 1);
    out_.Between(where, "row", tile.row, 0, 0);
    return OnShim(tile);
  }

  void CheckOp(const WriteDescriptor& d) {
    const auto where = [&d] { return fmt::format("{} descriptor {}", Name(d.tile), d.id); };
    if (!CheckShim(where, d.tile)) return;
    out_.Between(where, "descriptor id", d.id, 0, npu_.shim.descriptors - 1);
    out_.Add(where, PatternViolations(d.length_words, d.dims, d.iteration, /*keeps_dims=*/false,
                                      npu_.shim));
    out_.Between(where, "offset", d.offset_bytes, 0, kMaxOffsetBytes);
    out_.MultipleOf(where, "offset", d.offset_bytes, arch::kWordBytes);
    DescriptorState* state = StateOf(d.tile, d.id);
    if (state != nullptr && state->users > 0) {
      out_.AtMost(where, "writes while a task may still use it", 1, 0);
    }
    if (state != nullptr) state->written = true;
    const auto arguments = static_cast<int64_t>(argument_bytes_.size());
    out_.Between(where, "argument", d.argument, 0, arguments - 1);
    if (d.argument < 0 || d.argument >= arguments) return;
    const int64_t extent_bytes =
        CappedProduct(ExtentWords(d.length_words, d.dims, d.iteration), arch::kWordBytes);
    out_.AtMost(where, "end in bytes of its argument", CappedSum(d.offset_bytes, extent_bytes),
                argument_bytes_[static_cast<size_t>(d.argument)]);
  }

  void CheckOp(const PushTask& task) {
    const auto where = [&task] { return Name(task.channel); };
    if (!CheckShim(where, task.channel.tile)) return;
    ChannelState* channel = StateOf(task.channel);
    const bool receives = task.channel.direction == Direction::kS2mm;
    out_.Between(where, "channel", task.channel.channel, 0,
                 (receives ? npu_.shim.s2mm_channels : npu_.shim.mm2s_channels) - 1);
    out_.Between(where, "executions of a task", task.executions, 1, npu_.max_repeat);
    DescriptorState* descriptor = StateOf(task.channel.tile, task.descriptor);
    if (descriptor == nullptr || !descriptor->written) {
      out_.AtLeast(fmt::format("{} descriptor {}", Name(task.channel.tile), task.descriptor),
                   "writes before its task", 0, 1);
    }
    if (channel == nullptr || !channel->has_flow) out_.AtLeast(where, "flows of its channel", 0, 1);
    if (channel == nullptr) return;
    if (task.token) {
      channel->tokens.push_back(channel->done + static_cast<int64_t>(channel->pending.size()));
    }
    channel->pending.push_back(task.descriptor);
    if (descriptor != nullptr) ++descriptor->users;
    out_.AtMost(where, "tasks not proven done", static_cast<int64_t>(channel->pending.size()),
                npu_.shim.task_queue_depth);
  }

  void CheckOp(const AwaitToken& await) {
    ChannelState* channel = StateOf(await.channel);
    if (channel == nullptr || channel->tokens.empty()) {
      out_.AtLeast([&await] { return Name(await.channel); }, "tokens to await", 0, 1);
      return;
    }
    // A channel is in order: whatever was pushed before is done, too.
    for (; channel->done <= channel->tokens.front(); ++channel->done) {
      DescriptorState* descriptor = StateOf(await.channel.tile, channel->pending.front());
      if (descriptor != nullptr) --descriptor->users;
      channel->pending.pop_front();
    }
    channel->tokens.pop_front();
  }

  void CheckOp(const WriteParameter& write) {
    const Place place = PlaceOf(write.tile, write.address);
    if (std::binary_search(parameters_.begin(), parameters_.end(), place)) return;
    out_.AtLeast(Name(write.tile), "parameters at the address written", 0, 1);
  }

  void CheckOp(const SetLock& set) {
    const auto where = [&set] { return fmt::format("{} lock {}", Name(set.tile), set.id); };
    out_.Between(where, "lock value", set.value, 0, npu_.max_lock_value);
    const Place place = PlaceOf(set.tile, set.id);
    if (std::binary_search(locks_.begin(), locks_.end(), place)) return;
    out_.AtLeast(where, "locks of that id", 0, 1);
  }

  std::span<const int64_t> argument_bytes_;
  const arch::Npu& npu_;
  LimitCollector out_;
  std::vector<Place> locks_;
  std::vector<Place> parameters_;
  std::vector<ShimState> shims_;  ///< By column.
};

}  // namespace

std::vector<Violation> CheckSequence(const ArrayProgram& program, const Sequence& sequence,
                                     std::span<const int64_t> argument_bytes,
                                     const arch::Npu& npu) {
  return SequenceChecker(program, argument_bytes, npu).Check(sequence);
}

}  // namespace tilewave::program
