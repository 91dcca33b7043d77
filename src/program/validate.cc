#include "program/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "base/checked_math.h"

namespace tilewave::program {
namespace {

/// A descriptor's base address has 48 bits.
constexpr int64_t kMaxOffsetBytes = (int64_t{1} << 48) - 1;

using Violating = std::vector<Violation>;

/// Collects what passes a limit.
class Collector {
 public:
  void AtMost(const std::string& where, const std::string& limit, int64_t value, int64_t maximum) {
    if (value > maximum) found_.push_back({where, limit, value, maximum});
  }
  void AtLeast(const std::string& where, const std::string& limit, int64_t value, int64_t minimum) {
    if (value < minimum) found_.push_back({where, "least " + limit, value, minimum});
  }
  void Between(const std::string& where, const std::string& limit, int64_t value, int64_t minimum,
               int64_t maximum) {
    AtLeast(where, limit, value, minimum);
    AtMost(where, limit, value, maximum);
  }
  void MultipleOf(const std::string& where, const std::string& limit, int64_t value,
                  int64_t granule) {
    if (granule > 0 && value % granule != 0)
      found_.push_back({where, limit + ", remainder", value, granule});
  }

  Violating Take() { return std::move(found_); }

 private:
  Violating found_;
};

// Programs may hold any number: sums and products that overflow stay at the largest one, which is
// beyond every limit.
int64_t Sum(int64_t a, int64_t b) {
  return base::CheckedAdd(a, b).value_or(std::numeric_limits<int64_t>::max());
}
int64_t Product(int64_t a, int64_t b) {
  return base::CheckedMul(a, b).value_or(std::numeric_limits<int64_t>::max());
}

std::tuple<int, int> Key(const Tile& tile) { return {tile.column, tile.row}; }
std::tuple<int, int, int, int> Key(const ChannelId& id) {
  return {id.tile.column, id.tile.row, static_cast<int>(id.direction), id.channel};
}

int ChannelCount(const arch::TileLimits& limits, Direction direction) {
  return direction == Direction::kS2mm ? limits.s2mm_channels : limits.mm2s_channels;
}

/// A pattern whose dims are one contiguous run is collapsed by the encoder and has no wraps.
bool IsContiguous(std::span<const Dim> dims) {
  int64_t expected = 1;
  for (const Dim& dim : dims) {
    if (dim.size != 1 && dim.step_words != expected) return false;
    expected = Product(expected, dim.size);
  }
  return true;
}

void CheckPattern(const std::string& where, std::span<const Dim> dims, int64_t length_words,
                  const arch::TileLimits& limits, Collector* out) {
  out->Between(where, "length in words", length_words, 1, limits.max_length_words);
  out->AtMost(where, "dimensions", static_cast<int64_t>(dims.size()), limits.descriptor_dims);
  int64_t product = 1;
  const bool contiguous = IsContiguous(dims);
  for (size_t d = 0; d < dims.size(); ++d) {
    const std::string dimension = fmt::format("d{}", d);
    out->AtLeast(where, dimension + " size", dims[d].size, 1);
    out->Between(where, dimension + " step in words", dims[d].step_words, 1, limits.max_step_words);
    const int64_t wrap = d < arch::kMaxDims ? limits.max_wrap[d] : 0;
    if (wrap > 0 && !contiguous) out->AtMost(where, dimension + " size", dims[d].size, wrap);
    product = Product(product, std::max<int64_t>(dims[d].size, 1));
  }
  if (!dims.empty() && product != length_words) {
    out->AtMost(where, "words of its dimensions, against its length", product, length_words);
    out->AtLeast(where, "words of its dimensions, against its length", product, length_words);
  }
}

/// Checks one configuration.
class ProgramChecker {
 public:
  ProgramChecker(const ArrayProgram& program, const arch::Npu& npu)
      : program_(program), npu_(npu) {}

  Violating Check() {
    if (&arch::NpuOf(program_.spec.arch) != &npu_) {
      out_.AtMost(fmt::format("program for {}", arch::NpuOf(program_.spec.arch).name),
                  fmt::format("programs for another array than {}", npu_.name), 1, 0);
    }
    for (const TileBuffer& buffer : program_.buffers) CheckBuffer(buffer);
    for (const Parameter& parameter : program_.parameters) CheckParameter(parameter);
    CheckMemories();
    CheckLocks();
    for (const Channel& channel : program_.channels) CheckChannel(channel);
    CheckFlows();
    for (const Core& core : program_.cores) CheckCore(core);
    return out_.Take();
  }

 private:
  /// Whether the tile is on the array; nothing else about it can be checked if not.
  bool OnArray(const std::string& where, const Tile& tile) {
    out_.Between(where, "column", tile.column, 0, npu_.columns - 1);
    out_.Between(where, "row", tile.row, 0, npu_.rows - 1);
    return tile.column >= 0 && tile.column < npu_.columns && tile.row >= 0 && tile.row < npu_.rows;
  }

  void CheckBuffer(const TileBuffer& buffer) {
    const std::string where = fmt::format("{} buffer {}", Name(buffer.tile), buffer.name);
    if (!OnArray(where, buffer.tile)) return;
    out_.AtLeast(where, "address", buffer.address, 0);
    out_.AtLeast(where, "bytes", buffer.bytes, 1);
    out_.MultipleOf(where, "address", buffer.address, arch::kWordBytes);
    out_.MultipleOf(where, "bytes", buffer.bytes, arch::kWordBytes);
    out_.AtMost(where, "end in data memory", Sum(buffer.address, buffer.bytes),
                npu_.LimitsOf(buffer.tile.row).memory_bytes);
  }

  void CheckParameter(const Parameter& parameter) {
    const std::string where = fmt::format("{} parameter {}", Name(parameter.tile), parameter.name);
    if (!OnArray(where, parameter.tile)) return;
    out_.AtLeast(where, "address", parameter.address, 0);
    out_.MultipleOf(where, "address", parameter.address, arch::kWordBytes);
    out_.AtMost(where, "end in data memory", Sum(parameter.address, arch::kWordBytes),
                npu_.LimitsOf(parameter.tile.row).memory_bytes);
  }

  /// Nothing overlaps: stack, buffers, parameters of a tile; and all of it fits.
  void CheckMemories() {
    struct Piece {
      int64_t begin;
      int64_t end;
      std::string name;
    };
    std::map<std::tuple<int, int>, std::vector<Piece>> tiles;
    for (const Core& core : program_.cores) {
      tiles[Key(core.tile)].push_back({0, core.stack_bytes, "stack"});
    }
    for (const TileBuffer& b : program_.buffers) {
      tiles[Key(b.tile)].push_back({b.address, Sum(b.address, b.bytes), "buffer " + b.name});
    }
    for (const Parameter& p : program_.parameters) {
      tiles[Key(p.tile)].push_back(
          {p.address, Sum(p.address, arch::kWordBytes), "parameter " + p.name});
    }
    for (auto& [key, pieces] : tiles) {
      const Tile tile{std::get<0>(key), std::get<1>(key)};
      if (tile.row < 0 || tile.row >= npu_.rows) continue;
      std::sort(pieces.begin(), pieces.end(),
                [](const Piece& x, const Piece& y) { return x.begin < y.begin; });
      int64_t bytes = 0;
      for (size_t i = 0; i < pieces.size(); ++i) {
        bytes = Sum(bytes, std::max<int64_t>(pieces[i].end - pieces[i].begin, 0));
        if (i == 0) continue;
        out_.AtLeast(Name(tile) + " " + pieces[i].name,
                     "address, after the end of " + pieces[i - 1].name, pieces[i].begin,
                     pieces[i - 1].end);
      }
      out_.AtMost(Name(tile), "data memory bytes", bytes, npu_.LimitsOf(tile.row).memory_bytes);
    }
  }

  void CheckLocks() {
    std::set<std::tuple<int, int, int>> used;
    for (const Lock& lock : program_.locks) {
      const std::string where = fmt::format("{} lock {}", Name(lock.tile), lock.name);
      if (!OnArray(where, lock.tile)) continue;
      out_.Between(where, "lock id", lock.id, 0, npu_.LimitsOf(lock.tile.row).locks - 1);
      out_.Between(where, "initial lock value", lock.initial, 0, npu_.max_lock_value);
      const auto [column, row] = Key(lock.tile);
      if (!used.insert({column, row, lock.id}).second) {
        out_.AtMost(where, "users of one lock id", 2, 1);
      }
    }
  }

  void CheckLockUse(const std::string& where, const Tile& tile, const LockUse& use) {
    if (use.lock == -1) return;
    const auto locks = static_cast<int64_t>(program_.locks.size());
    out_.AtLeast(where, "index of a lock", use.lock, -1);
    out_.AtMost(where, "index of a lock", use.lock, locks - 1);
    if (use.lock < 0 || use.lock >= locks) return;
    const Lock& lock = program_.locks[static_cast<size_t>(use.lock)];
    out_.Between(where, "value of a lock step", use.value, 1, npu_.max_lock_value);
    if (!(lock.tile == tile)) out_.AtMost(where, "locks on another tile", 1, 0);
  }

  void CheckChannel(const Channel& channel) {
    const std::string name = Name(channel.id);
    if (!OnArray(name, channel.id.tile)) return;
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
    const Tile& tile = channel.id.tile;
    int& on_tile = descriptors_on_tile_[Key(tile)];
    on_tile += static_cast<int>(channel.descriptors.size());
    out_.AtMost(Name(tile), "descriptors", on_tile, limits.descriptors);
  }

  /// Memory tiles: even channels reach the lower half of the descriptors, odd ones the upper.
  void CheckDescriptorId(const std::string& where, const ChannelId& id, int descriptor,
                         const arch::TileLimits& limits) {
    if (npu_.KindOf(id.tile.row) != arch::TileKind::kMemory) {
      out_.Between(where, "descriptor id", descriptor, 0, limits.descriptors - 1);
      return;
    }
    const int half = limits.descriptors / 2;
    const int first = id.channel % 2 == 0 ? 0 : half;
    out_.Between(where, "descriptor id of this channel", descriptor, first, first + half - 1);
  }

  void CheckDescriptor(const Channel& channel, const Descriptor& d, const std::set<int>& ids,
                       const arch::TileLimits& limits) {
    const std::string where = fmt::format("{} descriptor {}", Name(channel.id), d.id);
    CheckDescriptorId(where, channel.id, d.id, limits);
    const auto [column, row] = Key(channel.id.tile);
    if (!descriptor_ids_.insert({column, row, d.id}).second) {
      out_.AtMost(where, "users of one descriptor id", 2, 1);
    }
    out_.AtLeast(where, "next descriptor", d.next, -1);
    if (d.next >= 0 && !ids.contains(d.next)) {
      out_.AtMost(where, "next descriptor outside its channel", d.next, -1);
    }
    CheckLockUse(where, channel.id.tile, d.acquire);
    CheckLockUse(where, channel.id.tile, d.release);
    CheckPattern(where, d.dims, d.length_words, limits, &out_);
    const auto buffers = static_cast<int64_t>(program_.buffers.size());
    out_.Between(where, "index of a buffer", d.buffer, 0, buffers - 1);
    if (d.buffer < 0 || d.buffer >= buffers) return;
    const TileBuffer& buffer = program_.buffers[static_cast<size_t>(d.buffer)];
    if (!(buffer.tile == channel.id.tile)) out_.AtMost(where, "buffers on another tile", 1, 0);
    out_.AtLeast(where, "offset in words", d.offset_words, 0);
    out_.AtMost(where, "last word, in buffer " + buffer.name,
                Sum(d.offset_words, ExtentWords(d.length_words, d.dims, {1, 1})),
                buffer.bytes / arch::kWordBytes);
  }

  void CheckFlowEnd(const ChannelId& id, Direction direction) {
    const std::string where = "flow at " + Name(id);
    if (!OnArray(where, id.tile)) return;
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
      out_.AtLeast("flow from " + Name(flow.source), "destinations",
                   static_cast<int64_t>(flow.destinations.size()), 1);
      for (const ChannelId& to : flow.destinations) CheckFlowEnd(to, Direction::kS2mm);
    }
    for (const Channel& channel : program_.channels) {
      if (!flow_ends_.contains(Key(channel.id))) {
        out_.AtLeast(Name(channel.id), "flows of its channel", 0, 1);
      }
    }
  }

  void CheckCore(const Core& core) {
    const std::string where = Name(core.tile);
    if (!OnArray(where, core.tile)) return;
    if (npu_.KindOf(core.tile.row) != arch::TileKind::kCore) {
      out_.AtMost(where, "cores", 1, 0);
      return;
    }
    if (!cores_.insert(Key(core.tile)).second) out_.AtMost(where, "programs of one core", 2, 1);
    out_.AtLeast(where, "stack bytes", core.stack_bytes, npu_.min_stack_bytes);
    out_.AtMost(where, "program memory bytes", core.program_bytes, npu_.core.program_bytes);
    CheckRings(core);
    CheckOps(core);
  }

  void CheckRings(const Core& core) {
    for (const Ring& ring : core.rings) {
      const std::string where = fmt::format("{} ring {}", Name(core.tile), ring.name);
      out_.AtLeast(where, "buffers", static_cast<int64_t>(ring.buffers.size()), 1);
      for (const int index : ring.buffers) {
        const auto buffers = static_cast<int64_t>(program_.buffers.size());
        out_.Between(where, "index of a buffer", index, 0, buffers - 1);
        if (index < 0 || index >= buffers) continue;
        const TileBuffer& buffer = program_.buffers[static_cast<size_t>(index)];
        if (!(buffer.tile == core.tile)) out_.AtMost(where, "buffers on another tile", 1, 0);
      }
    }
  }

  void CheckOps(const Core& core) {
    const std::string where = Name(core.tile);
    int64_t depth = 0;
    int64_t deepest_below = 0;
    // A core without a program is one that nobody uses.
    const bool forever = core.ops.empty() || core.ops[0].kind == CoreOp::Kind::kForever;
    if (!forever) out_.AtLeast(where, "loops around the whole program", 0, 1);
    for (const CoreOp& op : core.ops) {
      CheckOp(core, op);
      if (op.kind == CoreOp::Kind::kForever && depth > 0) {
        out_.AtMost(where, "endless loops inside another", 1, 0);
      }
      if (op.kind == CoreOp::Kind::kForever || op.kind == CoreOp::Kind::kRepeat) ++depth;
      if (op.kind == CoreOp::Kind::kEnd) --depth;
      deepest_below = std::min(deepest_below, depth);
    }
    out_.AtMost(where, "loops without an end", depth, 0);
    out_.AtLeast(where, "loops open at an end", deepest_below, 0);
  }

  void CheckOp(const Core& core, const CoreOp& op) {
    const std::string where = Name(core.tile) + " program";
    switch (op.kind) {
      case CoreOp::Kind::kForever:
      case CoreOp::Kind::kEnd:
        break;
      case CoreOp::Kind::kRepeat:
        CheckRepeat(core, op);
        break;
      case CoreOp::Kind::kAcquire:
      case CoreOp::Kind::kRelease:
        out_.AtLeast(where, "index of a lock", op.use.lock, 0);
        CheckLockUse(where, core.tile, op.use);
        break;
      case CoreOp::Kind::kCall:
        CheckCall(core, op);
        break;
      case CoreOp::Kind::kAdvance:
        out_.Between(where, "index of a ring", op.index, 0,
                     static_cast<int64_t>(core.rings.size()) - 1);
        break;
    }
  }

  void CheckRepeat(const Core& core, const CoreOp& op) {
    const std::string where = Name(core.tile) + " program";
    const auto parameters = static_cast<int64_t>(program_.parameters.size());
    out_.Between(where, "index of a parameter", op.index, 0, parameters - 1);
    if (op.index < 0 || op.index >= parameters) return;
    const Parameter& parameter = program_.parameters[static_cast<size_t>(op.index)];
    if (!(parameter.tile == core.tile)) out_.AtMost(where, "parameters on another tile", 1, 0);
  }

  void CheckCall(const Core& core, const CoreOp& op) {
    const std::string where = Name(core.tile) + " program";
    const auto kernels = static_cast<int64_t>(core.kernels.size());
    out_.Between(where, "index of a kernel", op.index, 0, kernels - 1);
    if (op.index < 0 || op.index >= kernels) return;
    const Kernel& kernel = core.kernels[static_cast<size_t>(op.index)];
    const std::string called = fmt::format("{} kernel {}", Name(core.tile), kernel.name);
    for (const auto& [what, extent, block] :
         {std::tuple{"rows", kernel.m, kernel.block.rows},
          std::tuple{"depth", kernel.k, kernel.block.depth},
          std::tuple{"columns", kernel.n, kernel.block.columns}}) {
      out_.Between(called, what, extent, 1, npu_.core.memory_bytes);
      out_.AtLeast(called, fmt::format("{} of a block", what), block, 1);
      out_.MultipleOf(called, what, extent, block);
    }
    out_.AtLeast(called, "arguments", static_cast<int64_t>(op.arguments.size()), 1);
    for (const CoreOp::Argument& argument : op.arguments) {
      const auto rings = static_cast<int64_t>(core.rings.size());
      out_.Between(where, "index of a ring", argument.ring, 0, rings - 1);
      if (argument.ring < 0 || argument.ring >= rings) continue;
      out_.AtLeast(where, "offset of an argument", argument.offset_bytes, 0);
      for (const int index : core.rings[static_cast<size_t>(argument.ring)].buffers) {
        if (index < 0 || index >= static_cast<int>(program_.buffers.size())) continue;
        const TileBuffer& buffer = program_.buffers[static_cast<size_t>(index)];
        out_.AtMost(where, "offset of an argument, in buffer " + buffer.name, argument.offset_bytes,
                    std::max<int64_t>(buffer.bytes - 1, 0));
      }
    }
  }

  const ArrayProgram& program_;
  const arch::Npu& npu_;
  Collector out_;
  std::set<std::tuple<int, int, int, int>> channels_;
  std::set<std::tuple<int, int, int, int>> flow_ends_;
  std::set<std::tuple<int, int, int>> descriptor_ids_;
  std::map<std::tuple<int, int>, int> descriptors_on_tile_;
  std::set<std::tuple<int, int>> cores_;
};

/// Checks one sequence, keeping the books that the hardware does not keep: which descriptors are
/// in use, how many tasks may wait, which tokens will come.
class SequenceChecker {
 public:
  SequenceChecker(const ArrayProgram& program, std::span<const int64_t> argument_bytes,
                  const arch::Npu& npu)
      : program_(program), argument_bytes_(argument_bytes), npu_(npu) {}

  Violating Check(const Sequence& sequence) {
    for (const SequenceOp& op : sequence) {
      std::visit([this](const auto& each) { CheckOp(each); }, op);
    }
    for (const auto& [key, tasks] : pending_) {
      const bool token =
          std::any_of(tasks.begin(), tasks.end(), [](const PushTask& task) { return task.token; });
      if (token) out_.AtMost(Name(tasks.front().channel), "tokens nobody awaits", 1, 0);
    }
    return out_.Take();
  }

 private:
  bool IsShim(const std::string& where, const Tile& tile) {
    out_.Between(where, "column", tile.column, 0, npu_.columns - 1);
    out_.Between(where, "row", tile.row, 0, 0);
    return tile.column >= 0 && tile.column < npu_.columns && tile.row == 0;
  }

  void CheckOp(const WriteDescriptor& d) {
    const std::string where = fmt::format("{} descriptor {}", Name(d.tile), d.id);
    if (!IsShim(where, d.tile)) return;
    out_.Between(where, "descriptor id", d.id, 0, npu_.shim.descriptors - 1);
    CheckPattern(where, d.dims, d.length_words, npu_.shim, &out_);
    out_.Between(where, "iterations", d.iteration.size, 1, npu_.shim.max_iterations);
    out_.Between(where, "iteration step in words", d.iteration.step_words, 1,
                 npu_.shim.max_step_words);
    out_.Between(where, "offset", d.offset_bytes, 0, kMaxOffsetBytes);
    out_.MultipleOf(where, "offset", d.offset_bytes, arch::kWordBytes);
    for (const auto& [key, tasks] : pending_) {
      for (const PushTask& task : tasks) {
        if (task.channel.tile == d.tile && task.descriptor == d.id) {
          out_.AtMost(where, "writes while a task may still use it", 1, 0);
        }
      }
    }
    const auto arguments = static_cast<int64_t>(argument_bytes_.size());
    out_.Between(where, "argument", d.argument, 0, arguments - 1);
    if (d.argument < 0 || d.argument >= arguments) return;
    out_.AtMost(where, "end in bytes of its argument",
                Sum(d.offset_bytes,
                    Product(ExtentWords(d.length_words, d.dims, d.iteration), arch::kWordBytes)),
                argument_bytes_[static_cast<size_t>(d.argument)]);
    const auto [column, row] = Key(d.tile);
    written_.insert({column, row, d.id});
  }

  void CheckOp(const PushTask& task) {
    const std::string where = Name(task.channel);
    if (!IsShim(where, task.channel.tile)) return;
    out_.Between(where, "channel", task.channel.channel, 0,
                 ChannelCount(npu_.shim, task.channel.direction) - 1);
    out_.Between(where, "executions of a task", task.executions, 1, npu_.max_repeat);
    const auto [column, row] = Key(task.channel.tile);
    if (!written_.contains({column, row, task.descriptor})) {
      out_.AtLeast(fmt::format("{} descriptor {}", Name(task.channel.tile), task.descriptor),
                   "writes before its task", 0, 1);
    }
    if (!HasFlow(task.channel)) out_.AtLeast(where, "flows of its channel", 0, 1);
    std::vector<PushTask>& tasks = pending_[Key(task.channel)];
    tasks.push_back(task);
    out_.AtMost(where, "tasks not proven done", static_cast<int64_t>(tasks.size()),
                npu_.shim.task_queue_depth);
  }

  void CheckOp(const AwaitToken& await) {
    const std::string where = Name(await.channel);
    std::vector<PushTask>& tasks = pending_[Key(await.channel)];
    const auto token =
        std::find_if(tasks.begin(), tasks.end(), [](const PushTask& task) { return task.token; });
    if (token == tasks.end()) {
      out_.AtLeast(where, "tokens to await", 0, 1);
      return;
    }
    // A channel is in order: whatever was pushed before is done, too.
    tasks.erase(tasks.begin(), token + 1);
  }

  void CheckOp(const WriteParameter& write) {
    const bool known = std::any_of(
        program_.parameters.begin(), program_.parameters.end(),
        [&](const Parameter& p) { return p.tile == write.tile && p.address == write.address; });
    if (!known) out_.AtLeast(Name(write.tile), "parameters at the address written", 0, 1);
  }

  void CheckOp(const SetLock& set) {
    const std::string where = fmt::format("{} lock {}", Name(set.tile), set.id);
    out_.Between(where, "lock value", set.value, 0, npu_.max_lock_value);
    const bool known =
        std::any_of(program_.locks.begin(), program_.locks.end(),
                    [&](const Lock& lock) { return lock.tile == set.tile && lock.id == set.id; });
    if (!known) out_.AtLeast(where, "locks of that id", 0, 1);
  }

  bool HasFlow(const ChannelId& id) const {
    return std::any_of(program_.flows.begin(), program_.flows.end(), [&](const Flow& flow) {
      return flow.source == id || std::find(flow.destinations.begin(), flow.destinations.end(),
                                            id) != flow.destinations.end();
    });
  }

  const ArrayProgram& program_;
  std::span<const int64_t> argument_bytes_;
  const arch::Npu& npu_;
  Collector out_;
  std::set<std::tuple<int, int, int>> written_;
  std::map<std::tuple<int, int, int, int>, std::vector<PushTask>> pending_;
};

Status FirstOf(const Violating& violations) {
  if (violations.empty()) return {};
  std::string text = violations.front().ToString();
  if (violations.size() > 1) text += fmt::format(" (and {} more)", violations.size() - 1);
  return {StatusCode::kOutOfRange, text};
}

}  // namespace

std::string Violation::ToString() const {
  constexpr std::string_view kLeast = "least ";
  if (limit.starts_with(kLeast)) {
    return fmt::format("{}: {} is {}, at least {}", where, limit.substr(kLeast.size()), value,
                       maximum);
  }
  constexpr std::string_view kRemainder = ", remainder";
  if (limit.ends_with(kRemainder)) {
    return fmt::format("{}: {} is {}, no multiple of {}", where,
                       limit.substr(0, limit.size() - kRemainder.size()), value, maximum);
  }
  return fmt::format("{}: {} is {}, at most {}", where, limit, value, maximum);
}

int64_t ExtentWords(int64_t length_words, std::span<const Dim> dims, const Dim& iteration) {
  int64_t last = length_words - 1;
  if (!dims.empty()) {
    last = 0;
    for (const Dim& dim : dims) last = Sum(last, Product(dim.size - 1, dim.step_words));
  }
  return Sum(Sum(last, 1), Product(iteration.size - 1, iteration.step_words));
}

std::vector<Violation> Violations(const ArrayProgram& program, const arch::Npu& npu) {
  return ProgramChecker(program, npu).Check();
}

std::vector<Violation> Violations(const ArrayProgram& program, const Sequence& sequence,
                                  std::span<const int64_t> argument_bytes, const arch::Npu& npu) {
  return SequenceChecker(program, argument_bytes, npu).Check(sequence);
}

Status Validate(const ArrayProgram& program, const arch::Npu& npu) {
  return FirstOf(Violations(program, npu));
}

Status Validate(const ArrayProgram& program, const Sequence& sequence,
                std::span<const int64_t> argument_bytes, const arch::Npu& npu) {
  return FirstOf(Violations(program, sequence, argument_bytes, npu));
}

}  // namespace tilewave::program
