#pragma once

// The array as data: what a configuration bakes in. Printed for the toolchain, executed by the
// virtual NPU, judged by Validate. A plain value.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "arch/npu.h"
#include "program/design_spec.h"
#include "program/dim_list.h"

namespace tilewave::program {

/// A tile by column and row.
struct Tile {
  int column = 0;
  int row = 0;

  bool operator==(const Tile&) const = default;
};

/// The designs of one core stand in the first column.
inline constexpr Tile kShimOfSingleCore{0, 0};

/// "shim (0,0)", "core (0,2)".
std::string Name(const Tile& tile);

/// Memory in a core or memory tile.
struct TileBuffer {
  std::string name;
  Tile tile;
  int64_t address = 0;  ///< In the tile's own memory; the bank follows from it (arch::BankOf).
  int64_t bytes = 0;

  bool operator==(const TileBuffer&) const = default;
};

struct Lock {
  std::string name;
  Tile tile;
  int id = 0;
  int initial = 0;

  bool operator==(const Lock&) const = default;
};

/// Acquiring waits until the value is at least `value`, then subtracts it; releasing adds.
struct LockUse {
  int lock = -1;  ///< Index into ArrayProgram::locks; -1: none.
  int value = 0;

  bool operator==(const LockUse&) const = default;
};

/// Zeros that a memory tile's channel adds to the stream around one dimension: words around d0,
/// whole rounds of the dimensions below around d1 and d2.
struct Padding {
  int before = 0;
  int after = 0;

  bool operator==(const Padding&) const = default;
};

/// A buffer descriptor: what a DMA channel moves in one go.
struct Descriptor {
  int id = 0;       ///< Slot in the tile's descriptor memory.
  int buffer = -1;  ///< Index into ArrayProgram::buffers.
  int64_t offset_words = 0;
  int64_t length_words = 0;
  DimList dims;  ///< Empty: contiguous.
  LockUse acquire;
  LockUse release;
  int next = -1;  ///< Id of the next one of the chain; -1 ends the task.
  /// size > 1: each execution starts step_words further on than the last one, in turn.
  Dim iteration = {1, 1};
  std::array<Padding, 3> padding = {};  ///< Of d0, d1, d2; MM2S of memory tiles only.

  bool operator==(const Descriptor&) const = default;
};

enum class Direction : uint8_t { kS2mm, kMm2s };

/// "S2MM", "MM2S".
std::string_view Name(Direction direction);

struct ChannelId {
  Tile tile;
  Direction direction = Direction::kS2mm;
  int channel = 0;

  bool operator==(const ChannelId&) const = default;
};

/// "shim (0,0) MM2S 1".
std::string Name(const ChannelId& id);

/// A channel of a core or memory tile with the descriptors that it runs through by itself, for as
/// long as the configuration is loaded. Shim channels take tasks from the stream instead.
struct Channel {
  ChannelId id;
  std::vector<Descriptor> descriptors;  ///< The first starts; `next` makes the loop.

  bool operator==(const Channel&) const = default;
};

/// A circuit-switched stream from one MM2S channel to one or more S2MM channels.
struct Flow {
  ChannelId source;
  std::vector<ChannelId> destinations;

  bool operator==(const Flow&) const = default;
};

/// Buffers that a core takes in turn (the halves of a double buffer).
struct Ring {
  std::string name;
  std::vector<int> buffers;  ///< Indices into ArrayProgram::buffers.

  bool operator==(const Ring&) const = default;
};

/// One kernel with its contract: C[m x n] += A[m x k] B[k x n] and the like.
struct Kernel {
  std::string name;  ///< In a KernelTable: "zero_s32", "matmul_vector_s8_s32", ...
  int64_t m = 0;
  int64_t k = 0;
  int64_t n = 0;
  BlockShape block;
  bool b_transposed = false;  ///< Inside a block of B, a column's elements follow each other.

  bool operator==(const Kernel&) const = default;
};

/// What a core does, one step after another.
struct CoreOp {
  enum class Kind : uint8_t {
    kForever,  ///< Until kEnd; the outermost loop of every core.
    kRepeat,   ///< Until kEnd, as often as run-time parameter `index` says.
    kEnd,
    kAcquire,  ///< `use`.
    kRelease,  ///< `use`.
    kCall,     ///< Kernel `index` on `arguments`.
    kAdvance,  ///< Ring `index` turns to its next buffer.
  };
  /// The current buffer of a ring, from a byte on.
  struct Argument {
    int ring = 0;
    int64_t offset_bytes = 0;

    bool operator==(const Argument&) const = default;
  };

  Kind kind = Kind::kEnd;
  int index = -1;
  LockUse use;
  std::vector<Argument> arguments;
  std::vector<int> scalars;  ///< Of a call: indices of run-time parameters, after the arguments.

  bool operator==(const CoreOp&) const = default;
};

struct Core {
  Tile tile;
  int64_t stack_bytes = 0;    ///< At the bottom of the tile's memory.
  int64_t program_bytes = 0;  ///< Estimate of the code's size, for the limit.
  std::vector<Kernel> kernels;
  std::vector<Ring> rings;
  std::vector<CoreOp> ops;

  bool operator==(const Core&) const = default;
};

/// A word in a core's memory that the stream writes before the core reads it.
struct Parameter {
  std::string name;
  Tile tile;
  int64_t address = 0;

  bool operator==(const Parameter&) const = default;
};

/// A configuration. See the file comment.
struct ArrayProgram {
  DesignSpec spec;
  std::vector<TileBuffer> buffers;
  std::vector<Lock> locks;
  std::vector<Channel> channels;
  std::vector<Flow> flows;
  std::vector<Core> cores;
  std::vector<Parameter> parameters;

  bool operator==(const ArrayProgram&) const = default;
};

}  // namespace tilewave::program
