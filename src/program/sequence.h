#pragma once

// What one launch tells the array's controller, step by step: the run-time half of a design.
// EncodeStream (stream.h) turns it into the words that a launch carries.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "program/array_program.h"
#include "tilewave/status.h"

namespace tilewave::program {

/// A shim descriptor over a range of one of the launch's buffers.
struct WriteDescriptor {
  Tile tile;
  int id = 0;
  int argument = 0;          ///< Index of the launch's buffer.
  int64_t offset_bytes = 0;  ///< Into that buffer.
  int64_t length_words = 0;  ///< Of one execution.
  DimList dims;              ///< Innermost first; empty: contiguous. At most three.
  Dim iteration;             ///< size > 1: each execution starts step_words further on.

  bool operator==(const WriteDescriptor&) const = default;
};

/// Starts a task on a shim channel: one descriptor, executed `executions` times.
struct PushTask {
  ChannelId channel;
  int descriptor = 0;
  int executions = 1;
  bool token = false;  ///< The channel reports the end of the task.

  bool operator==(const PushTask&) const = default;
};

/// Waits for the oldest token of a channel that has not been waited for.
struct AwaitToken {
  ChannelId channel;

  bool operator==(const AwaitToken&) const = default;
};

/// Writes a run-time parameter of a core.
struct WriteParameter {
  Tile tile;
  int64_t address = 0;  ///< In the core's memory.
  uint32_t value = 0;

  bool operator==(const WriteParameter&) const = default;
};

/// Sets a lock of a tile to a value.
struct SetLock {
  Tile tile;
  int id = 0;
  int value = 0;

  bool operator==(const SetLock&) const = default;
};

using SequenceOp = std::variant<WriteDescriptor, PushTask, AwaitToken, WriteParameter, SetLock>;
using Sequence = std::vector<SequenceOp>;

/// The sequence of one launch of a single-core design. packed_tile: buffers {A|B tile, C tile},
/// k_steps must be 1. k_stream: buffers {A panel, B panel, C tile}, each panel k_steps tiles long.
/// REQUIRES: a spec that Lower accepts, k_steps >= 1.
[[nodiscard]] Result<Sequence> LaunchSequence(const ArrayProgram& program, int64_t k_steps);

}  // namespace tilewave::program
