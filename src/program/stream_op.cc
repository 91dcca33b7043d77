#include "program/stream_op.h"

#include <algorithm>

#include "program/stream_form.h"

namespace tilewave::program {
namespace {

struct OpcodeVisitor {
  uint32_t operator()(const Write32& /*op*/) const { return opcode::kWrite; }
  uint32_t operator()(const BlockWrite& /*op*/) const { return opcode::kBlockWrite; }
  uint32_t operator()(const MaskWrite& /*op*/) const { return opcode::kMaskWrite; }
  uint32_t operator()(const MaskPoll& op) const {
    return op.busy ? opcode::kMaskPollBusy : opcode::kMaskPoll;
  }
  uint32_t operator()(const PatchAddress& /*op*/) const { return opcode::kPatchAddress; }
  uint32_t operator()(const Sync& /*op*/) const { return opcode::kSync; }
  uint32_t operator()(const Noop& /*op*/) const { return opcode::kNoop; }
  uint32_t operator()(const Preempt& /*op*/) const { return opcode::kPreempt; }
  uint32_t operator()(const LoadPdi& /*op*/) const { return opcode::kLoadPdi; }
  uint32_t operator()(const LoadProgram& /*op*/) const { return opcode::kLoadProgram; }
  uint32_t operator()(const CreateScratchpad& /*op*/) const { return opcode::kCreateScratchpad; }
  uint32_t operator()(const UpdateStateTable& /*op*/) const { return opcode::kUpdateStateTable; }
  uint32_t operator()(const UpdateRegister& /*op*/) const { return opcode::kUpdateRegister; }
  uint32_t operator()(const UpdateScratchpad& /*op*/) const { return opcode::kUpdateScratchpad; }
  uint32_t operator()(const MergeSync& /*op*/) const { return opcode::kMergeSync; }
  uint32_t operator()(const CustomOp& op) const { return op.opcode; }
};

}  // namespace

bool BlockWrite::operator==(const BlockWrite& other) const {
  return address == other.address && std::ranges::equal(words, other.words);
}

bool CustomOp::operator==(const CustomOp& other) const {
  return opcode == other.opcode && std::ranges::equal(words, other.words);
}

uint32_t OpcodeOf(const StreamOp& op) { return std::visit(OpcodeVisitor(), op); }

std::string_view Name(const StreamOp& op) { return FindForm(OpcodeOf(op))->name; }

}  // namespace tilewave::program
