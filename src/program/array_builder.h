#pragma once

// Assembles an ArrayProgram: gives out memory, locks and descriptors of each tile in order, so that
// equal designs come out equal. Places what does not fit, too: Validate refuses it by name.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "program/array_program.h"
#include "tilewave/status.h"

namespace tilewave::program {

/// What `bytes` of a tile's memory take up: buffers stand at multiples of the widest vector that a
/// kernel loads.
int64_t AlignedBytes(int64_t bytes);

/// A pair of locks around buffers: one counts those free to be filled, one those to be emptied.
struct LockPair {
  int empty = -1;
  int full = -1;
};

class ArrayBuilder {
 public:
  explicit ArrayBuilder(const DesignSpec& spec) { program_.spec = spec; }

  /// Keeps the next bytes of a tile's memory free (a stack); rounded up to the alignment.
  void Reserve(const Tile& tile, int64_t bytes);

  /// Indices into the program's lists.
  int AddBuffer(std::string name, const Tile& tile, int64_t bytes);
  int AddLock(std::string name, const Tile& tile, int initial);
  /// One word each, in a line of memory of their own.
  std::vector<int> AddParameters(const Tile& tile, const std::vector<std::string>& names);

  /// `name`_empty, which starts at `depth`, and `name`_full.
  LockPair AddLockPair(const std::string& name, const Tile& tile, int depth);

  /// A channel that runs through these descriptors in a circle; ids and links are set here.
  void AddChannel(const ChannelId& id, std::vector<Descriptor> circle);
  /// One descriptor over a whole buffer.
  Descriptor Whole(int buffer, LockUse acquire, LockUse release) const;

  void AddFlow(const ChannelId& source, std::vector<ChannelId> destinations);
  void AddCore(Core core);

  ArrayProgram Take() { return std::move(program_); }

 private:
  /// What has been given out on one tile. Descriptors of a memory tile: even and odd channels.
  struct Used {
    Tile tile;
    int64_t bytes = 0;
    int locks = 0;
    int descriptors[2] = {0, 0};
  };
  Used& On(const Tile& tile);

  ArrayProgram program_;
  std::vector<Used> used_;
};

/// Refuses stacks that nothing can be added to; one that is too large for a tile is Validate's.
[[nodiscard]] Status CheckStack(const DesignSpec& spec);

/// Writes what one core does.
class CoreBuilder {
 public:
  explicit CoreBuilder(const DesignSpec& spec, const Tile& tile);

  int AddRing(std::string name, std::vector<int> buffers);
  /// A kernel on tiles of the design's shape; room for its code is added.
  int AddKernel(std::string name, bool b_transposed = false);

  void Forever() { Add(CoreOp::Kind::kForever, -1); }
  void Repeat(int parameter) { Add(CoreOp::Kind::kRepeat, parameter); }
  void End() { Add(CoreOp::Kind::kEnd, -1); }
  void Acquire(int lock) { Add(CoreOp::Kind::kAcquire, -1, {lock, 1}); }
  void Release(int lock) { Add(CoreOp::Kind::kRelease, -1, {lock, 1}); }
  void Advance(int ring) { Add(CoreOp::Kind::kAdvance, ring); }
  void Call(int kernel, std::vector<CoreOp::Argument> arguments, std::vector<int> scalars = {}) {
    Add(CoreOp::Kind::kCall, kernel, {}, std::move(arguments), std::move(scalars));
  }

  Core Take() { return std::move(core_); }

 private:
  void Add(CoreOp::Kind kind, int index, LockUse use = {},
           std::vector<CoreOp::Argument> arguments = {}, std::vector<int> scalars = {}) {
    core_.ops.push_back({kind, index, use, std::move(arguments), std::move(scalars)});
  }

  const DesignSpec& spec_;
  Core core_;
};

}  // namespace tilewave::program
