#include "program/stream_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <variant>

#include "program/registers.h"
#include "program/shim_descriptor.h"

namespace tilewave::program {
namespace {

constexpr int64_t kMaxWordOffsetBytes = (int64_t{1} << 48) - arch::kWordBytes;
constexpr int64_t kMaxArgument = 32;  // What aiebu accepts.

constexpr int kMaxControllerId = 31;

constexpr int kFirstCoreRow = 2;

uint32_t Low(uint64_t value) { return static_cast<uint32_t>(value); }
uint32_t High(uint64_t value) { return static_cast<uint32_t>(value >> 32); }

uint32_t Bytes(size_t words) { return static_cast<uint32_t>(words * kStreamWordBytes); }

/// A bit for each shim channel. REQUIRES: one of the array's.
uint64_t BitOf(const ChannelId& id) {
  const int direction = id.direction == Direction::kS2mm ? 0 : 1;
  return uint64_t{1} << (id.tile.column * 4 + direction * 2 + id.channel);
}

}  // namespace

StreamWriter::StreamWriter(const arch::Npu& npu, const StreamOptions& options,
                           std::vector<uint32_t>* words)
    : npu_(npu),
      options_(options),
      shim_registers_(arch::RegistersOf(arch::TileKind::kShim)),
      columns_(options.columns == 0 ? npu.columns : options.columns),
      words_(*words) {
  Extend(kStreamHeaderWords);
}

// --- Storage ---

// The vector is as long as its words were once, not as those in use: growing fills with zeros.
inline uint32_t* StreamWriter::Extend(size_t words) {
  if (words_.size() - used_ < words) [[unlikely]]
    Grow(words);
  uint32_t* at = words_.data() + used_;
  used_ += words;
  return at;
}

void StreamWriter::Grow(size_t words) {
  const size_t least = used_ + words;
  words_.resize(least <= words_.capacity() ? words_.capacity()
                                           : std::max(least, 2 * words_.capacity()));
}

Status StreamWriter::Finish() {
  const size_t bytes = used_ * kStreamWordBytes;
  if (bytes > std::numeric_limits<uint32_t>::max()) {
    return {StatusCode::kOutOfRange, fmt::format("the instruction stream has {} bytes; at most {}",
                                                 bytes, std::numeric_limits<uint32_t>::max())};
  }
  if (columns_ < 1 || columns_ > npu_.stream_columns) {
    return {StatusCode::kOutOfRange,
            fmt::format("the instruction stream is for {} columns of {}; expected 1 to {}",
                        columns_, npu_.name, npu_.stream_columns)};
  }
  const uint32_t version = options_.version == StreamVersion::kV01 ? 0x0100 : 0x0001;
  words_[0] = version | static_cast<uint32_t>(npu_.stream_generation) << 16 |
              static_cast<uint32_t>(npu_.rows) << 24;
  words_[1] = static_cast<uint32_t>(columns_) | kMemoryTileRows << 8;
  words_[2] = ops_;
  words_[3] = static_cast<uint32_t>(bytes);
  words_.resize(used_);
  return {};
}

// --- Operations of the controller ---

inline void StreamWriter::AppendWrite(uint32_t address, uint32_t value) {
  ++ops_;
  if (options_.version == StreamVersion::kV10) {
    uint32_t* op = Extend(3);
    op[0] = opcode::kWrite;
    op[1] = address;
    op[2] = value;
    return;
  }
  uint32_t* op = Extend(6);
  op[0] = opcode::kWrite;
  op[1] = 0;
  op[2] = address;
  op[3] = 0;
  op[4] = value;
  op[5] = Bytes(6);
}

inline void StreamWriter::AppendMasked(uint32_t code, uint32_t address, uint32_t value,
                                       uint32_t mask) {
  ++ops_;
  if (options_.version == StreamVersion::kV10) {
    uint32_t* op = Extend(4);
    op[0] = code;
    op[1] = address;
    op[2] = value;
    op[3] = mask;
    return;
  }
  uint32_t* op = Extend(7);
  op[0] = code;
  op[1] = 0;
  op[2] = address;
  op[3] = 0;
  op[4] = value;
  op[5] = mask;
  op[6] = Bytes(7);
}

/// Where the payload goes.
inline uint32_t* StreamWriter::AppendBlock(uint32_t address, size_t words) {
  ++ops_;
  if (options_.version == StreamVersion::kV10) {
    uint32_t* op = Extend(3 + words);
    op[0] = opcode::kBlockWrite;
    op[1] = address;
    op[2] = Bytes(3 + words);
    return op + 3;
  }
  uint32_t* op = Extend(4 + words);
  op[0] = opcode::kBlockWrite;
  op[1] = 0;
  op[2] = address;
  op[3] = Bytes(4 + words);
  return op + 4;
}

inline void StreamWriter::AppendPatch(uint32_t address, uint32_t argument, uint64_t offset_bytes) {
  ++ops_;
  if (options_.version == StreamVersion::kV10) {
    uint32_t* op = Extend(6);
    op[0] = opcode::kPatchAddress;
    op[1] = Bytes(6);
    op[2] = address;
    op[3] = argument;
    op[4] = Low(offset_bytes);
    op[5] = High(offset_bytes);
    return;
  }
  uint32_t* op = Extend(12);
  op[0] = opcode::kPatchAddress;
  op[1] = Bytes(12);
  std::fill(op + 2, op + 6, 0);
  op[6] = address;
  op[7] = 0;
  op[8] = argument;
  op[9] = 0;
  op[10] = Low(offset_bytes);
  op[11] = High(offset_bytes);
}

inline void StreamWriter::AppendSync(const Sync& sync) {
  ++ops_;
  const ChannelId& id = sync.channel;
  uint32_t* op = Extend(4);
  op[0] = opcode::kSync;
  op[1] = Bytes(4);
  op[2] = (id.direction == Direction::kS2mm ? 0u : 1u) | static_cast<uint32_t>(id.tile.row) << 8 |
          static_cast<uint32_t>(id.tile.column) << 16;
  op[3] = static_cast<uint32_t>(sync.rows) << 8 | static_cast<uint32_t>(sync.columns) << 16 |
          static_cast<uint32_t>(id.channel) << 24;
}

void StreamWriter::AppendController(const ChannelId& channel, uint32_t id) {
  AppendMasked(opcode::kMaskWrite,
               ChannelAddress(channel, shim_registers_.s2mm_control, shim_registers_.mm2s_control),
               id << kControllerIdShift, kControllerIdMask);
}

void StreamWriter::AppendRaw(const StreamOp& op) {
  const auto append = [this](std::initializer_list<uint32_t> words) {
    ++ops_;
    std::copy(words.begin(), words.end(), Extend(words.size()));
  };
  const auto append_custom = [this](uint32_t code, std::span<const uint32_t> words) {
    ++ops_;
    uint32_t* at = Extend(2 + words.size());
    at[0] = code;
    at[1] = Bytes(2 + words.size());
    std::copy(words.begin(), words.end(), at + 2);
  };
  const uint32_t code = OpcodeOf(op);
  if (const auto* write = std::get_if<Write32>(&op)) {
    AppendWrite(write->address, write->value);
  } else if (const auto* block = std::get_if<BlockWrite>(&op)) {
    std::copy(block->words.begin(), block->words.end(),
              AppendBlock(block->address, block->words.size()));
  } else if (const auto* masked = std::get_if<MaskWrite>(&op)) {
    AppendMasked(code, masked->address, masked->value, masked->mask);
  } else if (const auto* poll = std::get_if<MaskPoll>(&op)) {
    AppendMasked(code, poll->address, poll->value, poll->mask);
  } else if (const auto* patch = std::get_if<PatchAddress>(&op)) {
    AppendPatch(patch->address, patch->argument, patch->offset_bytes);
  } else if (const auto* sync = std::get_if<Sync>(&op)) {
    AppendSync(*sync);
  } else if (const auto* preempt = std::get_if<Preempt>(&op)) {
    append({code | preempt->level << 8});
  } else if (const auto* pdi = std::get_if<LoadPdi>(&op)) {
    append({code | pdi->id << 16, pdi->bytes, Low(pdi->address), High(pdi->address)});
  } else if (const auto* program = std::get_if<LoadProgram>(&op)) {
    append({code | program->sequences << 8, program->id});
  } else if (const auto* pad = std::get_if<CreateScratchpad>(&op)) {
    append({code | pad->usage << 8, pad->bytes, Low(pad->offset), High(pad->offset)});
  } else if (const auto* table = std::get_if<UpdateStateTable>(&op)) {
    append({code | table->index << 8 | table->function << 16, table->argument});
  } else if (const auto* update = std::get_if<UpdateRegister>(&op)) {
    append({code | update->index << 8 | update->function << 16, update->argument, update->offset});
  } else if (const auto* merge = std::get_if<MergeSync>(&op)) {
    append_custom(code, std::array{merge->tokens | merge->columns << 8});
  } else if (const auto* custom = std::get_if<CustomOp>(&op)) {
    append_custom(code, custom->words);
  } else {
    append({code});
  }
}

bool StreamWriter::Add(const StreamOp& op) {
  Begin(program::Name(op));
  if (const auto* patch = std::get_if<PatchAddress>(&op);
      patch != nullptr && options_.version == StreamVersion::kV10 &&
      !InRange("argument", patch->argument, 0, 0xFF)) {
    return false;
  }
  AppendRaw(op);
  return true;
}

// --- Operations of a sequence ---

inline void StreamWriter::Begin(std::string_view name) {
  ++position_;
  name_ = name;
}

// Inline, so that what is in range costs two compares.
inline bool StreamWriter::InRange(const char* field, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) [[likely]]
    return true;
  Refuse(field, value, least, most);
  return false;
}

inline bool StreamWriter::IsAligned(const char* field, int64_t value) {
  if (value % arch::kWordBytes == 0) [[likely]]
    return true;
  status_ = {StatusCode::kOutOfRange,
             fmt::format("the {} of operation {} ({}) is {}; expected a multiple of {}", field,
                         position_, name_, value, arch::kWordBytes)};
  return false;
}

void StreamWriter::Refuse(const char* field, int64_t value, int64_t least, int64_t most) {
  status_ = {StatusCode::kOutOfRange,
             fmt::format("the {} of operation {} ({}) is {}; expected {} to {}", field, position_,
                         name_, value, least, most)};
}

void StreamWriter::RefuseDims(const WriteDescriptor& d) {
  const auto size = [&d](size_t i) { return i < d.dims.size() ? d.dims[i].size : 1; };
  status_ = {StatusCode::kInvalidArgument,
             fmt::format("the dimensions of operation {} ({}) are {} x {} x {}; expected the "
                         "product {}, its length in words",
                         position_, name_, size(0), size(1), size(2), d.length_words)};
}

inline bool StreamWriter::IsTile(const Tile& tile, int least_row, int most_row) {
  return InRange("column", tile.column, 0, std::min(columns_, npu_.columns) - 1) &&
         InRange("row", tile.row, least_row, most_row);
}

inline bool StreamWriter::IsChannel(const ChannelId& id) {
  const int channels =
      id.direction == Direction::kS2mm ? npu_.shim.s2mm_channels : npu_.shim.mm2s_channels;
  return IsTile(id.tile, 0, 0) && InRange("channel", id.channel, 0, channels - 1);
}

inline bool StreamWriter::AreDims(const WriteDescriptor& d) {
  constexpr const char* kSizes[arch::kMaxDims] = {"d0 size", "d1 size", "d2 size", "d3 size"};
  constexpr const char* kSteps[arch::kMaxDims] = {"d0 step", "d1 step", "d2 step", "d3 step"};
  const arch::TileLimits& shim = npu_.shim;
  const size_t count = d.dims.size();
  if (count == 0) return true;
  if (!InRange("number of dimensions", static_cast<int64_t>(count), 0, shim.descriptor_dims)) {
    return false;
  }
  int64_t product = 1;
  bool overflows = false;
  for (size_t i = 0; i < count; ++i) {
    const Dim& dim = d.dims[i];
    if (!InRange(kSizes[i], dim.size, 1, shim.max_length_words) ||
        !InRange(kSteps[i], dim.step_words, 1, shim.max_step_words)) {
      return false;
    }
    overflows |= __builtin_mul_overflow(product, dim.size, &product);
  }
  // The last dimension has no field of its own: hardware derives its size from the length.
  if (overflows || product != d.length_words) [[unlikely]] {
    RefuseDims(d);
    return false;
  }
  for (size_t i = 0; i < count; ++i) {
    const int64_t wrap = shim.max_wrap[i];
    if (wrap != 0 && d.dims[i].size > wrap && !IsOneRun(d.dims)) {
      Refuse(kSizes[i], d.dims[i].size, 1, wrap);
      return false;
    }
  }
  return true;
}

bool StreamWriter::Add(const WriteDescriptor& d) {
  const arch::TileLimits& shim = npu_.shim;
  Begin("write of a descriptor");
  if (!(IsTile(d.tile, 0, 0) && InRange("descriptor id", d.id, 0, shim.descriptors - 1) &&
        InRange("argument", d.argument, 0, kMaxArgument) &&
        InRange("offset in bytes", d.offset_bytes, 0, kMaxWordOffsetBytes) &&
        InRange("length in words", d.length_words, 1, shim.max_length_words) &&
        InRange("iteration size", d.iteration.size, 1, shim.max_iterations) &&
        InRange("iteration step", d.iteration.step_words, 1, shim.max_step_words) &&
        IsAligned("offset in bytes", d.offset_bytes) && AreDims(d))) {
    return false;
  }
  const uint32_t address = AddressOf(
      d.tile, shim_registers_.descriptors + arch::kDescriptorStride * static_cast<uint32_t>(d.id));
  uint32_t* registers = AppendBlock(address, kShimDescriptorWords);
  EncodeShimDescriptor(d, npu_,
                       std::span<uint32_t, kShimDescriptorWords>(registers, kShimDescriptorWords));
  const auto offset = static_cast<uint64_t>(d.offset_bytes);
  if (options_.offset_in_descriptor) {
    registers[1] = Low(offset);
    registers[2] = High(offset);
  }
  AppendPatch(address + static_cast<uint32_t>(kStreamWordBytes), static_cast<uint32_t>(d.argument),
              offset);
  return true;
}

bool StreamWriter::Add(const PushTask& task) {
  Begin("push of a task");
  if (!(IsChannel(task.channel) &&
        InRange("descriptor id", task.descriptor, 0, npu_.shim.descriptors - 1) &&
        InRange("executions", task.executions, 1, npu_.max_repeat))) {
    return false;
  }
  if (task.token) {
    const uint64_t bit = BitOf(task.channel);
    using Ids = StreamOptions::ControllerIds;
    if (options_.controller_ids == Ids::kEveryToken ||
        (options_.controller_ids == Ids::kOncePerChannel && (reporting_ & bit) == 0)) {
      AppendController(task.channel, uint32_t{arch::kShimControllerId});
    }
    reporting_ |= bit;
  }
  AppendWrite(ChannelAddress(task.channel, shim_registers_.s2mm_queue, shim_registers_.mm2s_queue),
              (task.token ? kTaskToken : 0) |
                  static_cast<uint32_t>(task.executions - 1) << kTaskRepeatShift |
                  static_cast<uint32_t>(task.descriptor));
  return true;
}

bool StreamWriter::Add(const AwaitToken& await) {
  Begin("wait for a token");
  if (!IsChannel(await.channel)) return false;
  AppendSync({await.channel});
  return true;
}

bool StreamWriter::Add(const WriteParameter& write) {
  Begin("write of a parameter");
  if (!(IsTile(write.tile, kFirstCoreRow, npu_.rows - 1) &&
        InRange("address", write.address, 0, npu_.core.memory_bytes - arch::kWordBytes) &&
        IsAligned("address", write.address))) {
    return false;
  }
  AppendWrite(AddressOf(write.tile, static_cast<uint32_t>(write.address)), write.value);
  return true;
}

bool StreamWriter::Add(const SetLock& set) {
  Begin("setting of a lock");
  if (!(IsTile(set.tile, 0, npu_.rows - 1) &&
        InRange("lock id", set.id, 0, npu_.LimitsOf(set.tile.row).locks - 1) &&
        InRange("value", set.value, 0, npu_.max_lock_value))) {
    return false;
  }
  const arch::TileRegisters& registers = arch::RegistersOf(npu_.KindOf(set.tile.row));
  AppendWrite(
      AddressOf(set.tile, registers.locks + arch::kLockStride * static_cast<uint32_t>(set.id)),
      static_cast<uint32_t>(set.value));
  return true;
}

bool StreamWriter::Add(const SetController& set) {
  Begin("setting of a controller");
  if (!(IsChannel(set.channel) && InRange("controller id", set.id, 0, kMaxControllerId))) {
    return false;
  }
  AppendController(set.channel, static_cast<uint32_t>(set.id));
  return true;
}

}  // namespace tilewave::program
