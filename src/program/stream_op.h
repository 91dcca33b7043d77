#pragma once

// The operations of an instruction stream, as the controller sees them: registers, not intentions.
// Names and fields after mlir-aie's TxnEncoding.h and aie-rt's xaie_txn.h.

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "program/array_program.h"

namespace tilewave::program {

struct Write32 {
  uint32_t address = 0;
  uint32_t value = 0;
  bool operator==(const Write32&) const = default;
};
struct BlockWrite {
  uint32_t address = 0;
  std::span<const uint32_t> words;  ///< Into the stream.
  bool operator==(const BlockWrite& other) const;
};
struct MaskWrite {
  uint32_t address = 0;
  uint32_t value = 0;
  uint32_t mask = 0;
  bool operator==(const MaskWrite&) const = default;
};
/// Waits until the register under the mask has the value.
struct MaskPoll {
  uint32_t address = 0;
  uint32_t value = 0;
  uint32_t mask = 0;
  bool busy = false;  ///< MASKPOLL_BUSY.
  bool operator==(const MaskPoll&) const = default;
};
/// Overwrites the 48-bit base address in a descriptor: buffer `argument` of the launch + offset.
struct PatchAddress {
  uint32_t address = 0;  ///< Of the descriptor's address register (its second word).
  uint32_t argument = 0;
  uint64_t offset_bytes = 0;
  bool operator==(const PatchAddress&) const = default;
};
/// Waits for a token. What a range of more than one tile means is not settled.
struct Sync {
  ChannelId channel;
  int columns = 1;
  int rows = 1;
  bool operator==(const Sync&) const = default;
};
struct Noop {
  bool operator==(const Noop&) const = default;
};
/// A point at which another context may take over.
struct Preempt {
  uint32_t level = 0;  ///< What must be saved: 0 nothing, 1 memory tiles, 2 cores, 3 registers.
  bool operator==(const Preempt&) const = default;
};
/// Loads a configuration.
struct LoadPdi {
  uint32_t id = 0;
  uint32_t bytes = 0;
  uint64_t address = 0;
  bool operator==(const LoadPdi&) const = default;
};
/// LOAD_PM_START.
struct LoadProgram {
  uint32_t sequences = 0;
  uint32_t id = 0;
  bool operator==(const LoadProgram&) const = default;
};
struct CreateScratchpad {
  uint32_t usage = 0;
  uint32_t bytes = 0;
  uint64_t offset = 0;
  bool operator==(const CreateScratchpad&) const = default;
};
struct UpdateStateTable {
  uint32_t index = 0;
  uint32_t function = 0;  ///< 0 multiply, 1 increase, 2 decrease; likewise below.
  uint32_t argument = 0;
  bool operator==(const UpdateStateTable&) const = default;
};
struct UpdateRegister {
  uint32_t index = 0;
  uint32_t function = 0;
  uint32_t argument = 0;
  uint32_t offset = 0;
  bool operator==(const UpdateRegister&) const = default;
};
struct UpdateScratchpad {
  bool operator==(const UpdateScratchpad&) const = default;
};
struct MergeSync {
  uint32_t tokens = 0;
  uint32_t columns = 0;
  bool operator==(const MergeSync&) const = default;
};
/// READ_REGS, RECORD_TIMER and whatever else is the controller's own (0x80 and above): these name
/// their size, so that what they hold need not be known.
struct CustomOp {
  uint32_t opcode = 0;
  std::span<const uint32_t> words;  ///< After opcode and size, into the stream.
  bool operator==(const CustomOp& other) const;
};

using StreamOp = std::variant<Write32, BlockWrite, MaskWrite, MaskPoll, PatchAddress, Sync, Noop,
                              Preempt, LoadPdi, LoadProgram, CreateScratchpad, UpdateStateTable,
                              UpdateRegister, UpdateScratchpad, MergeSync, CustomOp>;

/// The byte that stands first in the operation.
uint32_t OpcodeOf(const StreamOp& op);

/// "block write", "address patch", "custom operation".
std::string_view Name(const StreamOp& op);

}  // namespace tilewave::program
