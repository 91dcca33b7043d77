// The controller of ArraySim: executes the words of a stream on registers.

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "device/vnpu/array_sim.h"
#include "program/registers.h"
#include "program/shim_descriptor.h"

namespace tilewave::device::vnpu {
void ArraySim::StepController(int64_t now_ps) {
  if (reader_->done()) {
    for (ChannelState& channel : channels_) {
      if (channel.program != nullptr) continue;
      if (channel.phase != ChannelState::Phase::kIdle || !channel.waiting.empty()) {
        return Fail(fmt::format("the stream ends while {} is still at work", Name(channel.id)));
      }
      if (channel.tokens > 0) {
        return Fail(
            fmt::format("the stream ends without awaiting a token of {}", Name(channel.id)));
      }
    }
    ended_ = true;
    return;
  }
  const size_t word = reader_->position();
  const Result<program::StreamOp> op = reader_->Next();
  if (!op.ok()) {
    status_ = op.status();
    return;
  }
  const int64_t cost_ps = Execute(*op, word, now_ps);
  if (awaited_channel_ >= 0) {
    awaiting_since_ps_ = now_ps;
    return;  // EndExecution goes on from here.
  }
  Post(now_ps + cost_ps, Event::Kind::kController, 0);
}

int64_t ArraySim::Execute(const program::StreamOp& op, size_t word, int64_t now_ps) {
  if (const auto* write = std::get_if<program::Write32>(&op)) return ExecuteWrite(*write, now_ps);
  if (const auto* block = std::get_if<program::BlockWrite>(&op)) return ExecuteBlockWrite(*block);
  if (const auto* patch = std::get_if<program::PatchAddress>(&op)) return ExecutePatch(*patch);
  if (const auto* masked = std::get_if<program::MaskWrite>(&op)) return ExecuteMaskWrite(*masked);
  if (const auto* sync = std::get_if<program::Sync>(&op);
      sync != nullptr && sync->columns == 1 && sync->rows == 1) {
    return ExecuteSync(*sync);
  }
  const auto* range = std::get_if<program::Sync>(&op);
  status_ = {
      StatusCode::kUnimplemented,
      fmt::format(
          "the {} at word {} of the instruction stream ({:#04x}{}) is nothing that "
          "the virtual NPU executes",
          Name(op), word, OpcodeOf(op),
          range == nullptr ? "" : fmt::format(" of {} x {} tiles", range->columns, range->rows))};
  return 0;
}

int64_t ArraySim::ExecuteWrite(const program::Write32& write, int64_t now_ps) {
  const program::Tile tile = program::TileOf(write.address);
  const uint32_t offset = program::OffsetOf(write.address);
  if (!PushTask(write.address, write.value, now_ps) &&
      !WriteLock(tile, offset, write.value, now_ps) && !WriteMemory(tile, offset, write.value)) {
    Fail(fmt::format("the stream writes {:#x} of {}, which is no register or memory in use", offset,
                     Name(tile)));
  }
  return Ps(profile_.controller.write_cycles);
}

bool ArraySim::PushTask(uint32_t address, uint32_t value, int64_t now_ps) {
  const arch::TileRegisters& registers = arch::RegistersOf(arch::TileKind::kShim);
  const std::optional<program::ChannelId> id =
      program::ShimChannelAt(address, registers.s2mm_queue, registers.mm2s_queue, npu_.shim);
  if (!id) return false;
  const int index = FindShimChannel(*id);
  if (index < 0) {
    Fail(fmt::format("a task on {}, which no flow uses", Name(*id)));
    return true;
  }
  ChannelState& channel = channels_[static_cast<size_t>(index)];
  const program::Tile& tile = id->tile;
  const Task task{
      static_cast<int>(value & program::kTaskDescriptorMask),
      static_cast<int>(value >> program::kTaskRepeatShift & program::kTaskRepeatMask) + 1,
      (value & program::kTaskToken) != 0};
  const ShimDescriptor& descriptor =
      shim_descriptors_[static_cast<size_t>(tile.column)][static_cast<size_t>(task.descriptor)];
  if (!descriptor.written || !descriptor.patched) {
    Fail(fmt::format("a task on {} with descriptor {}, which has no {}", Name(*id), task.descriptor,
                     descriptor.written ? "address" : "contents"));
  } else if (task.token && !channel.controller_set) {
    Fail(fmt::format("a token asked of {}, whose control register names no controller", Name(*id)));
  } else if (static_cast<int>(channel.waiting.size()) == npu_.shim.task_queue_depth) {
    Fail(fmt::format("task {} waits on {}; the queue holds {}, and the hardware drops the next",
                     npu_.shim.task_queue_depth + 1, Name(*id), npu_.shim.task_queue_depth));
  } else {
    channel.waiting.push_back(task);
    if (channel.phase == ChannelState::Phase::kIdle) StartTask(index, now_ps);
  }
  return true;
}

bool ArraySim::WriteLock(const program::Tile& tile, uint32_t offset, uint32_t value,
                         int64_t now_ps) {
  const int on = TileIndex(tile);
  if (on < 0) return false;
  const std::vector<int>& locks = tiles_[static_cast<size_t>(on)].locks;
  const int id = program::IndexIn(offset, arch::RegistersOf(npu_.KindOf(tile.row)).locks,
                                  arch::kLockStride, static_cast<int>(locks.size()));
  const int index = id < 0 ? -1 : locks[static_cast<size_t>(id)];
  if (index < 0) return false;
  if (value > static_cast<uint32_t>(npu_.max_lock_value)) {
    Fail(fmt::format("lock {} of {} set to {}; at most {}",
                     program_->locks[static_cast<size_t>(index)].name, Name(tile), value,
                     npu_.max_lock_value));
    return true;
  }
  locks_[static_cast<size_t>(index)].value = static_cast<int>(value);
  WakeLock(index, now_ps);
  return true;
}

bool ArraySim::WriteMemory(const program::Tile& tile, uint32_t offset, uint32_t value) {
  const int on = TileIndex(tile);
  if (on < 0 || offset % arch::kWordBytes != 0 ||
      offset >= static_cast<uint32_t>(npu_.LimitsOf(tile.row).memory_bytes)) {
    return false;
  }
  TileState& state = tiles_[static_cast<size_t>(on)];
  if (!state.has_memory) return false;
  if (data_ == DataMode::kMoved) std::memcpy(state.memory.data() + offset, &value, sizeof(value));
  for (const int index : state.parameters) {
    if (program_->parameters[static_cast<size_t>(index)].address == offset) {
      parameters_[static_cast<size_t>(index)] = value;
    }
  }
  return true;
}

ArraySim::ShimDescriptor* ArraySim::FindShimDescriptor(int column, uint32_t offset,
                                                       uint32_t* within) {
  const uint32_t base = arch::RegistersOf(arch::TileKind::kShim).descriptors;
  if (column < 0 || column >= npu_.columns || offset < base) return nullptr;
  const uint32_t id = (offset - base) / arch::kDescriptorStride;
  if (id >= static_cast<uint32_t>(npu_.shim.descriptors)) return nullptr;
  *within = (offset - base) % arch::kDescriptorStride;
  return &shim_descriptors_[static_cast<size_t>(column)][id];
}

bool ArraySim::DescriptorInUse(int column, int id) const {
  const size_t per_column = shim_channels_.size() / static_cast<size_t>(npu_.columns);
  for (size_t i = 0; i < per_column; ++i) {
    const int index = shim_channels_[(static_cast<size_t>(column) * per_column) + i];
    if (index < 0) continue;
    const ChannelState& channel = channels_[static_cast<size_t>(index)];
    if (channel.phase != ChannelState::Phase::kIdle && channel.running.descriptor == id) {
      return true;
    }
    const bool waits = std::any_of(channel.waiting.begin(), channel.waiting.end(),
                                   [id](const Task& task) { return task.descriptor == id; });
    if (waits) return true;
  }
  return false;
}

int64_t ArraySim::ExecuteBlockWrite(const program::BlockWrite& write) {
  const program::Tile tile = program::TileOf(write.address);
  uint32_t within = 0;
  ShimDescriptor* descriptor =
      tile.row == 0 ? FindShimDescriptor(tile.column, program::OffsetOf(write.address), &within)
                    : nullptr;
  if (descriptor == nullptr || within != 0 || write.words.size() != program::kShimDescriptorWords) {
    Fail(fmt::format("a block of {} words written to {:#x} of {}, which is no shim descriptor",
                     write.words.size(), program::OffsetOf(write.address), Name(tile)));
    return 0;
  }
  const auto id =
      static_cast<int>(descriptor - shim_descriptors_[static_cast<size_t>(tile.column)].data());
  if (DescriptorInUse(tile.column, id)) {
    Fail(fmt::format("descriptor {} of {} is written while a task uses it", id, Name(tile)));
    return 0;
  }
  Result<program::WriteDescriptor> decoded = program::DecodeShimDescriptor(write.words);
  if (!decoded.ok()) {
    status_ = decoded.status();
    return 0;
  }
  *descriptor = {*std::move(decoded), true, false, 0};
  return Ps(profile_.controller.block_cycles +
            (profile_.controller.block_word_cycles * static_cast<double>(write.words.size())));
}

int64_t ArraySim::ExecutePatch(const program::PatchAddress& patch) {
  const program::Tile tile = program::TileOf(patch.address);
  uint32_t within = 0;
  ShimDescriptor* descriptor =
      tile.row == 0 ? FindShimDescriptor(tile.column, program::OffsetOf(patch.address), &within)
                    : nullptr;
  if (descriptor == nullptr || within != arch::kWordBytes || !descriptor->written) {
    Fail(fmt::format("an address patched into {:#x} of {}, which is no written shim descriptor",
                     program::OffsetOf(patch.address), Name(tile)));
    return 0;
  }
  const auto id =
      static_cast<int>(descriptor - shim_descriptors_[static_cast<size_t>(tile.column)].data());
  if (DescriptorInUse(tile.column, id)) {
    Fail(fmt::format("the address of descriptor {} of {} is patched while a task uses it", id,
                     Name(tile)));
    return 0;
  }
  if (patch.argument >= arguments_.size()) {
    Fail(fmt::format("the stream names buffer {} of a launch with {}", patch.argument,
                     arguments_.size()));
    return 0;
  }
  descriptor->pattern.argument = static_cast<int>(patch.argument);
  descriptor->pattern.offset_bytes = static_cast<int64_t>(patch.offset_bytes);
  descriptor->patched = true;
  return Ps(profile_.controller.patch_cycles);
}

int64_t ArraySim::ExecuteMaskWrite(const program::MaskWrite& write) {
  const program::Tile tile = program::TileOf(write.address);
  const uint32_t offset = program::OffsetOf(write.address);
  const arch::TileRegisters& registers = arch::RegistersOf(arch::TileKind::kShim);
  const std::optional<program::ChannelId> id = program::ShimChannelAt(
      write.address, registers.s2mm_control, registers.mm2s_control, npu_.shim);
  const int channel = id ? FindShimChannel(*id) : -1;
  if (channel < 0 || write.mask != program::kControllerIdMask) {
    Fail(fmt::format("{:#x} of {} written under mask {:#x}, which is no control register in use",
                     offset, Name(tile), write.mask));
    return 0;
  }
  channels_[static_cast<size_t>(channel)].controller_set = (write.value & write.mask) != 0;
  return Ps(profile_.controller.mask_write_cycles);
}

int64_t ArraySim::ExecuteSync(const program::Sync& sync) {
  const int index = FindShimChannel(sync.channel);
  if (index < 0) {
    Fail(fmt::format("a token awaited of {}, which no flow uses", Name(sync.channel)));
    return 0;
  }
  ChannelState& channel = channels_[static_cast<size_t>(index)];
  if (channel.tokens > 0) {
    --channel.tokens;
  } else {
    awaited_channel_ = index;
  }
  return Ps(profile_.controller.sync_cycles);
}

}  // namespace tilewave::device::vnpu
