#include "program/stream_form.h"

#include <algorithm>
#include <iterator>

namespace tilewave::program {
namespace {

using Tail = OpForm::Tail;

constexpr OpForm kForms[] = {
    {opcode::kWrite, "write", {6, 5}, {3, 0}, Tail::kNone},
    {opcode::kBlockWrite, "block write", {4, 3}, {3, 2}, Tail::kPayload},
    {opcode::kMaskWrite, "mask write", {7, 6}, {4, 0}, Tail::kPadding},
    {opcode::kMaskPoll, "mask poll", {7, 6}, {4, 0}, Tail::kPadding},
    {opcode::kMaskPollBusy, "busy mask poll", {7, 6}, {4, 0}, Tail::kPadding},
    {opcode::kNoop, "no-op", {1, 0}, {1, 0}, Tail::kNone},
    {opcode::kPreempt, "preemption point", {1, 0}, {1, 0}, Tail::kNone},
    {opcode::kLoadPdi, "configuration load", {4, 0}, {4, 0}, Tail::kNone},
    {opcode::kLoadProgram, "program load", {2, 0}, {2, 0}, Tail::kNone},
    {opcode::kCreateScratchpad, "scratchpad creation", {4, 0}, {4, 0}, Tail::kNone},
    {opcode::kUpdateStateTable, "state table update", {2, 0}, {2, 0}, Tail::kNone},
    {opcode::kUpdateRegister, "register update", {3, 0}, {3, 0}, Tail::kNone},
    {opcode::kUpdateScratchpad, "scratchpad update", {1, 0}, {1, 0}, Tail::kNone},
    {opcode::kSync, "sync", {4, 1}, {4, 1}, Tail::kNone},
    {opcode::kPatchAddress, "address patch", {12, 1}, {6, 1}, Tail::kNone},
    {0x82, "register read", {2, 1}, {2, 1}, Tail::kAnyPayload},
    {0x83, "timer record", {2, 1}, {2, 1}, Tail::kAnyPayload},
    {opcode::kMergeSync, "merged sync", {3, 1}, {3, 1}, Tail::kNone},
};
constexpr OpForm kCustom = {
    opcode::kFirstCustom, "custom operation", {2, 1}, {2, 1}, Tail::kAnyPayload};

}  // namespace

const OpForm* FindForm(uint32_t opcode) {
  const auto* form = std::find_if(std::begin(kForms), std::end(kForms),
                                  [opcode](const OpForm& f) { return f.opcode == opcode; });
  if (form != std::end(kForms)) return form;
  return opcode >= opcode::kFirstCustom ? &kCustom : nullptr;
}

}  // namespace tilewave::program
