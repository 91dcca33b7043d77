#include "program/decoded_stream.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <map>
#include <utility>

#include "program/registers.h"
#include "program/shim_descriptor.h"

namespace tilewave::program {
namespace {

const arch::TileRegisters& Shim() { return arch::RegistersOf(arch::TileKind::kShim); }

/// The descriptor registers of all shim tiles, as a stream leaves them behind operation by
/// operation.
class ShimRegisters {
 public:
  explicit ShimRegisters(const arch::Npu& npu) : npu_(npu) {}

  void Execute(const StreamOp& op) {
    if (const auto* write = std::get_if<Write32>(&op)) {
      Store(write->address, write->value, ~uint32_t{0});
    } else if (const auto* masked = std::get_if<MaskWrite>(&op)) {
      Store(masked->address, masked->value, masked->mask);
    } else if (const auto* block = std::get_if<BlockWrite>(&op)) {
      uint32_t address = block->address;
      for (const uint32_t word : block->words) {
        Store(address, word, ~uint32_t{0});
        address += kStreamWordBytes;
      }
    } else if (const auto* patch = std::get_if<PatchAddress>(&op)) {
      if (const std::optional<Place> place = Find(patch->address)) {
        State& state = states_[place->descriptor];
        state.patch = *patch;
        state.patched_word = place->word;
      }
    }
  }

  /// What a task with this descriptor does, or why that cannot be said.
  Result<WriteDescriptor> Pattern(const Tile& tile, int id) const {
    const auto found = states_.find(DescriptorAddress(tile, id));
    if (found == states_.end() || found->second.written != kAllWritten) {
      return Unknown("descriptor {} was not written", id);
    }
    const State& state = found->second;
    if (!state.patch) return Unknown("descriptor {} has the address of no buffer", id);
    if (state.patched_word != 1) {
      return Unknown("descriptor {} was patched in word {}", id, state.patched_word);
    }
    if (state.patch->argument > uint32_t{std::numeric_limits<int>::max()}) {
      return Unknown("descriptor {} is over buffer {:#x}", id, state.patch->argument);
    }
    Result<WriteDescriptor> pattern = DecodeShimDescriptor(state.words);
    if (!pattern.ok()) return Unknown("descriptor {}: {}", id, pattern.status().message());
    pattern->tile = tile;
    pattern->id = id;
    pattern->argument = static_cast<int>(state.patch->argument);
    pattern->offset_bytes = static_cast<int64_t>(state.patch->offset_bytes);
    return pattern;
  }

 private:
  static constexpr uint32_t kAllWritten = (1u << kShimDescriptorWords) - 1;

  struct State {
    std::array<uint32_t, kShimDescriptorWords> words{};
    uint32_t written = 0;  // A bit per word.
    std::optional<PatchAddress> patch;
    size_t patched_word = 0;
  };
  /// One word of the descriptor that stands at an address.
  struct Place {
    uint32_t descriptor;
    size_t word;
  };

  template <typename... Args>
  static Status Unknown(fmt::format_string<Args...> format, Args&&... args) {
    return {StatusCode::kInvalidArgument, fmt::format(format, std::forward<Args>(args)...)};
  }

  static uint32_t DescriptorAddress(const Tile& tile, int id) {
    return AddressOf(tile,
                     Shim().descriptors + arch::kDescriptorStride * static_cast<uint32_t>(id));
  }

  std::optional<Place> Find(uint32_t address) const {
    const Tile tile = TileOf(address);
    const uint32_t offset = OffsetOf(address);
    const int word = IndexIn(offset, Shim().descriptors, kStreamWordBytes,
                             npu_.shim.descriptors * static_cast<int>(kShimDescriptorWords));
    if (tile.row != 0 || word < 0) return std::nullopt;
    const auto at = static_cast<size_t>(word);
    return Place{DescriptorAddress(tile, static_cast<int>(at / kShimDescriptorWords)),
                 at % kShimDescriptorWords};
  }

  void Store(uint32_t address, uint32_t value, uint32_t mask) {
    const std::optional<Place> place = Find(address);
    if (!place) return;
    State& state = states_[place->descriptor];
    uint32_t& word = state.words[place->word];
    word = (word & ~mask) | (value & mask);
    state.written |= 1u << place->word;
    // An address takes this word and, of its high half, a part of the next.
    if (place->word == state.patched_word || place->word == state.patched_word + 1) {
      state.patch.reset();
    }
  }

  const arch::Npu& npu_;
  std::map<uint32_t, State> states_;  // By the address of the descriptor.
};

/// Says what operations are for, if saying it loses nothing.
class Lifter {
 public:
  Lifter(const arch::Npu& npu, const StreamOptions& options) : npu_(npu), options_(options) {}

  /// A block write and the patch that follows it.
  std::optional<WriteDescriptor> Descriptor(const StreamOp& first, const StreamOp& second) {
    const auto* block = std::get_if<BlockWrite>(&first);
    const auto* patch = std::get_if<PatchAddress>(&second);
    if (block == nullptr || patch == nullptr) return std::nullopt;
    ShimRegisters registers(npu_);
    registers.Execute(first);
    registers.Execute(second);
    const int id = IndexIn(OffsetOf(block->address), Shim().descriptors, arch::kDescriptorStride,
                           npu_.shim.descriptors);
    if (id < 0) return std::nullopt;
    const Result<WriteDescriptor> pattern = registers.Pattern(TileOf(block->address), id);
    if (!pattern.ok() || !IsSame(*pattern, first, &second)) return std::nullopt;
    return *pattern;
  }

  std::optional<PushTask> Task(const StreamOp& op) {
    const auto* write = std::get_if<Write32>(&op);
    if (write == nullptr) return std::nullopt;
    const std::optional<ChannelId> channel =
        ShimChannelAt(write->address, Shim().s2mm_queue, Shim().mm2s_queue, npu_.shim);
    if (!channel) return std::nullopt;
    const PushTask task{*channel, static_cast<int>(write->value & kTaskDescriptorMask),
                        static_cast<int>(write->value >> kTaskRepeatShift & kTaskRepeatMask) + 1,
                        (write->value & kTaskToken) != 0};
    if (!IsSame(task, op, nullptr)) return std::nullopt;
    return task;
  }

  DecodedOp Other(const StreamOp& op) {
    if (const auto* write = std::get_if<Write32>(&op)) return OfWrite(*write);
    if (const auto* masked = std::get_if<MaskWrite>(&op)) {
      const std::optional<ChannelId> channel =
          ShimChannelAt(masked->address, Shim().s2mm_control, Shim().mm2s_control, npu_.shim);
      if (channel) {
        return IfSame(
            SetController{*channel, static_cast<int>(masked->value >> kControllerIdShift)}, op);
      }
    }
    if (const auto* sync = std::get_if<Sync>(&op)) return IfSame(AwaitToken{sync->channel}, op);
    return op;
  }

 private:
  DecodedOp OfWrite(const Write32& write) {
    const Tile tile = TileOf(write.address);
    const uint32_t offset = OffsetOf(write.address);
    if (tile.row >= npu_.rows) return StreamOp(write);
    const arch::TileKind kind = npu_.KindOf(tile.row);
    const int lock = IndexIn(offset, arch::RegistersOf(kind).locks, arch::kLockStride,
                             npu_.LimitsOf(tile.row).locks);
    if (lock >= 0) {
      return IfSame(SetLock{tile, lock, static_cast<int>(write.value)}, StreamOp(write));
    }
    if (kind == arch::TileKind::kCore) {
      return IfSame(WriteParameter{tile, offset, write.value}, StreamOp(write));
    }
    return StreamOp(write);
  }

  template <typename Meant>
  DecodedOp IfSame(const Meant& meant, const StreamOp& op) {
    if (IsSame(meant, op, nullptr)) return meant;
    return op;
  }

  /// Whether writing what was meant gives the operations.
  template <typename Meant>
  bool IsSame(const Meant& meant, const StreamOp& first, const StreamOp* second) {
    StreamWriter of_meaning(npu_, options_, &meant_words_);
    StreamWriter of_ops(npu_, options_, &op_words_);
    return of_meaning.Add(meant) && of_ops.Add(first) &&
           (second == nullptr || of_ops.Add(*second)) && of_meaning.Finish().ok() &&
           of_ops.Finish().ok() && meant_words_ == op_words_;
  }

  const arch::Npu& npu_;
  const StreamOptions options_;
  std::vector<uint32_t> meant_words_;
  std::vector<uint32_t> op_words_;
};

/// Whether descriptors are written with the offset that is then patched into them.
bool HasOffsetsInDescriptors(const std::vector<StreamOp>& ops) {
  for (size_t i = 0; i + 1 < ops.size(); ++i) {
    const auto* block = std::get_if<BlockWrite>(&ops[i]);
    const auto* patch = std::get_if<PatchAddress>(&ops[i + 1]);
    if (block == nullptr || patch == nullptr || block->words.size() != kShimDescriptorWords ||
        patch->address != block->address + kStreamWordBytes || patch->offset_bytes == 0) {
      continue;
    }
    // The first one that could show it decides; what does not follow it stays as it is.
    return block->words[1] == static_cast<uint32_t>(patch->offset_bytes);
  }
  return false;
}

}  // namespace

const arch::Npu& NpuOfGeneration(int generation) {
  const arch::Npu& npu1 = arch::NpuOf(arch::NpuArch::kNpu1);
  return generation == npu1.stream_generation ? npu1 : arch::NpuOf(arch::NpuArch::kNpu2);
}

Result<DecodedStream> DecodeStream(std::span<const uint32_t> words) {
  Result<StreamReader> reader = StreamReader::Open(words);
  if (!reader.ok()) return reader.status();
  std::vector<StreamOp> ops;
  while (!reader->done()) {
    Result<StreamOp> op = reader->Next();
    if (!op.ok()) return op.status();
    ops.push_back(*op);
  }
  DecodedStream stream;
  stream.header = reader->header();
  stream.options = {stream.header.version, stream.header.columns,
                    StreamOptions::ControllerIds::kExplicit, HasOffsetsInDescriptors(ops)};
  const arch::Npu& npu = NpuOfGeneration(stream.header.generation);
  Lifter lifter(npu, stream.options);
  ShimRegisters registers(npu);
  for (size_t i = 0; i < ops.size(); ++i) {
    registers.Execute(ops[i]);
    if (i + 1 < ops.size()) {
      if (std::optional<WriteDescriptor> descriptor = lifter.Descriptor(ops[i], ops[i + 1])) {
        registers.Execute(ops[++i]);
        stream.ops.emplace_back(*descriptor);
        continue;
      }
    }
    const std::optional<PushTask> task = lifter.Task(ops[i]);
    if (!task) {
      stream.ops.push_back(lifter.Other(ops[i]));
      continue;
    }
    ShimTask shim_task{*task, std::nullopt, ""};
    Result<WriteDescriptor> pattern = registers.Pattern(task->channel.tile, task->descriptor);
    if (pattern.ok()) {
      shim_task.pattern = *std::move(pattern);
    } else {
      shim_task.no_pattern_because = pattern.status().message();
    }
    stream.ops.emplace_back(std::move(shim_task));
  }
  return stream;
}

Status EncodeStream(const DecodedStream& stream, const StreamOptions& options,
                    std::vector<uint32_t>* words) {
  StreamWriter writer(NpuOfGeneration(stream.header.generation), options, words);
  const auto add = [&writer](const auto& op) {
    if constexpr (std::is_same_v<std::decay_t<decltype(op)>, ShimTask>) {
      return writer.Add(op.push);
    } else {
      return writer.Add(op);
    }
  };
  for (const DecodedOp& op : stream.ops) {
    if (!std::visit(add, op)) return writer.status();
  }
  return writer.Finish();
}

}  // namespace tilewave::program
