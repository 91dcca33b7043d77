#include "program/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <string_view>
#include <utility>

#include "base/checked_math.h"

namespace tilewave::program {
namespace {

// --- The stream ---

constexpr uint32_t kMajor = 0;
constexpr uint32_t kMinor = 1;
constexpr uint32_t kMemoryTileRows = 1;
constexpr size_t kHeaderWords = 4;
constexpr size_t kWordSize = sizeof(uint32_t);

// mlir-aie TxnEncoding.h. From 0x80 on they are the controller's own.
constexpr uint32_t kOpWrite = 0x00;
constexpr uint32_t kOpBlockWrite = 0x01;
constexpr uint32_t kOpMaskWrite = 0x03;
constexpr uint32_t kOpSync = 0x80;
constexpr uint32_t kOpPatch = 0x81;

/// How an operation is laid out.
struct Form {
  uint32_t opcode;
  std::string_view name;
  size_t words;      ///< Of a block write: before its payload.
  size_t size_word;  ///< Which word has the size in bytes.
};
constexpr Form kForms[] = {{kOpWrite, "write", 6, 5},
                           {kOpBlockWrite, "block write", 4, 3},
                           {kOpMaskWrite, "mask write", 7, 6},
                           {kOpSync, "sync", 4, 1},
                           {kOpPatch, "address patch", 12, 1}};

constexpr const Form& FormOf(uint32_t opcode) {
  return *std::find_if(std::begin(kForms), std::end(kForms),
                       [opcode](const Form& form) { return form.opcode == opcode; });
}

constexpr uint32_t BytesOf(uint32_t opcode) {
  return static_cast<uint32_t>(FormOf(opcode).words * kWordSize);
}

constexpr uint32_t kSyncOneTile = 1u << 8 | 1u << 16;
constexpr int64_t kMaxOffsetBytes = (int64_t{1} << 48) - arch::kWordBytes;
constexpr int64_t kMaxArgument = 32;  // What aiebu accepts.

// The id that every shim tile of mlir-aie's designs puts in its tokens, and its field.
constexpr uint32_t kShimControllerId = 15u << 8;
constexpr uint32_t kControllerIdMask = 0x1F00;
constexpr uint32_t kTaskToken = 1u << 31;

constexpr int kFirstCoreRow = 2;

uint32_t ByteOf(uint32_t word, int byte) { return word >> (8 * byte) & 0xFF; }

// --- Shim descriptors (AM025 noc_module/dma/bd) ---

constexpr size_t kDescriptorWords = 8;
constexpr size_t kShimDims = 3;
constexpr uint32_t kStepMask = 0xFFFFF;
constexpr uint32_t kWrapMask = 0x3FF;
constexpr uint32_t kIterationMask = 0x3F;
constexpr int kWrapShift = 20;
constexpr int kBurstShift = 30;
constexpr uint32_t kAxCacheUpsize = 2u << 24;  // mlir-aie: lets the interconnect widen accesses.
constexpr uint32_t kValid = 1u << 25;

/// Longest bursts of the generation: 256 bytes, on npu2 512.
uint32_t BurstOf(const arch::Npu& npu) {
  const bool npu1 = npu.stream_generation == arch::NpuOf(arch::NpuArch::kNpu1).stream_generation;
  return npu1 ? 2 : 3;
}

using ShimDims = std::array<Dim, kShimDims>;

/// All dimensions, those that are not there with size 1. REQUIRES: at most three.
ShimDims Padded(std::span<const Dim> dims) {
  ShimDims padded;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i].size != 1) padded[i] = dims[i];
  }
  return padded;
}

/// Whether the words are visited in the order of their addresses, without gaps.
bool IsOneRun(const ShimDims& dims) {
  int64_t next = 1;
  for (const Dim& dim : dims) {
    if (dim.size != 1 && dim.step_words != next) return false;
    next *= dim.size;
  }
  return true;
}

uint32_t WrapAndStep(const Dim& dim) {
  return static_cast<uint32_t>(dim.size) << kWrapShift | static_cast<uint32_t>(dim.step_words - 1);
}

int64_t StepOf(uint32_t word) { return int64_t{word & kStepMask} + 1; }
int64_t WrapOf(uint32_t word) { return word >> kWrapShift & kWrapMask; }

template <typename... Args>
Status BadDescriptor(fmt::format_string<Args...> format, Args&&... args) {
  return {StatusCode::kInvalidArgument,
          "a shim descriptor " + fmt::format(format, std::forward<Args>(args)...)};
}

/// Everything that a WriteDescriptor cannot say must be off.
Status CheckUnused(std::span<const uint32_t> words) {
  constexpr struct {
    size_t word;
    uint32_t mask;
    uint32_t expected;
  } kFixed[] = {{2, 0xFFFF0000, 0},        // Packets and out-of-order ids.
                {3, 0xC0000000, 0},        // Secure accesses.
                {6, 0xFC000000, 0},        // An iteration under way.
                {7, 0xFFFFFFFF, kValid}};  // Locks, chains, suppressed TLAST.
  for (const auto& fixed : kFixed) {
    const uint32_t bits = words[fixed.word] & fixed.mask;
    if (bits != fixed.expected) {
      return BadDescriptor("has {:#010x} in the bits {:#010x} of word {}; expected {:#010x}", bits,
                           fixed.mask, fixed.word, fixed.expected);
    }
  }
  return {};
}

Result<DimList> DecodeDims(std::span<const uint32_t> words) {
  const int64_t length = words[0];
  const int64_t wrap0 = WrapOf(words[3]);
  const int64_t wrap1 = WrapOf(words[4]);
  if (wrap0 == 0) {
    const bool linear = words[3] == 0 && (words[4] & (kWrapMask << kWrapShift | kStepMask)) == 0 &&
                        (words[5] & kStepMask) == 0;
    if (linear) return DimList();
    return BadDescriptor("has steps or a d1 wrap without a d0 wrap; expected all of them or none");
  }
  if (wrap1 == 0) return BadDescriptor("has a d0 wrap of {} without a d1 wrap", wrap0);
  if (length % (wrap0 * wrap1) != 0) {
    return BadDescriptor("has {} words; expected a multiple of its wraps {} x {}", length, wrap0,
                         wrap1);
  }
  const ShimDims dims =
      Padded(std::array{Dim{wrap0, StepOf(words[3])}, Dim{wrap1, StepOf(words[4])},
                        Dim{length / (wrap0 * wrap1), StepOf(words[5])}});
  if (IsOneRun(dims)) return DimList();
  size_t used = kShimDims;
  while (dims[used - 1].size == 1) --used;
  return DimList(std::span(dims).first(used));
}

// --- Reading ---

template <typename... Args>
Status Damaged(fmt::format_string<Args...> format, Args&&... args) {
  return {StatusCode::kDataLoss,
          "the instruction stream " + fmt::format(format, std::forward<Args>(args)...)};
}

Status HighAddress(const Form& form, size_t at, uint32_t high) {
  return Damaged("is damaged: the {} at word {} has {:#x} above its 32-bit address; expected 0",
                 form.name, at, high);
}

Result<StreamOp> ReadSync(std::span<const uint32_t> op, size_t at) {
  if ((op[3] & 0xFFFFFF) != kSyncOneTile) {
    return Status(StatusCode::kUnimplemented,
                  fmt::format("the sync at word {} of the instruction stream has the range {:#x}; "
                              "expected one tile, {:#x}",
                              at, op[3] & 0xFFFFFF, kSyncOneTile));
  }
  const uint32_t direction = ByteOf(op[2], 0);
  if (direction > 1) {
    return Damaged("is damaged: the sync at word {} has direction {}; expected 0 or 1", at,
                   direction);
  }
  const Tile tile{static_cast<int>(ByteOf(op[2], 2)), static_cast<int>(ByteOf(op[2], 1))};
  return StreamOp(Sync{{tile, direction == 0 ? Direction::kS2mm : Direction::kMm2s,
                        static_cast<int>(ByteOf(op[3], 3))}});
}

Result<StreamOp> ReadPatch(std::span<const uint32_t> op, size_t at) {
  // The two descriptions of the layout have the action in different words; 0 is plain patching.
  if (op[4] != 0 || op[5] != 0) {
    return Status(StatusCode::kUnimplemented,
                  fmt::format("the address patch at word {} of the instruction stream has the "
                              "action {:#x}; expected 0",
                              at, op[4] | op[5]));
  }
  if (op[7] != 0) return HighAddress(FormOf(kOpPatch), at, op[7]);
  const uint64_t offset = uint64_t{op[11]} << 32 | op[10];
  if (op[9] != 0 || offset >> 48 != 0) {
    return Damaged(
        "is damaged: the address patch at word {} has argument {:#x} + {:#x} bytes; expected 32 "
        "and 48 bits",
        at, uint64_t{op[9]} << 32 | op[8], offset);
  }
  return StreamOp(PatchAddress{op[6], op[8], offset});
}

/// An operation of which all words are there.
Result<StreamOp> ReadOp(const Form& form, std::span<const uint32_t> op, size_t at) {
  switch (form.opcode) {
    case kOpWrite:
      if (op[3] != 0) return HighAddress(form, at, op[3]);
      return StreamOp(Write32{op[2], op[4]});
    case kOpBlockWrite:
      return StreamOp(BlockWrite{op[2], op.subspan(form.words)});
    case kOpMaskWrite:
      if (op[3] != 0) return HighAddress(form, at, op[3]);
      return StreamOp(MaskWrite{op[2], op[4], op[5]});
    case kOpSync:
      return ReadSync(op, at);
    default:
      return ReadPatch(op, at);
  }
}

const arch::Npu* FindGeneration(uint32_t generation) {
  for (const arch::NpuArch arch : {arch::NpuArch::kNpu1, arch::NpuArch::kNpu2}) {
    const arch::Npu& npu = arch::NpuOf(arch);
    if (static_cast<uint32_t>(npu.stream_generation) == generation) return &npu;
  }
  return nullptr;
}

// --- Writing ---

uint32_t Register(const Tile& tile, int64_t offset) {
  return static_cast<uint32_t>(tile.column) << arch::kColumnShift |
         static_cast<uint32_t>(tile.row) << arch::kRowShift | static_cast<uint32_t>(offset);
}

class Encoder {
 public:
  explicit Encoder(const arch::Npu& npu) : npu_(npu), words_(kHeaderWords) {}

  Status Add(const SequenceOp& op) {
    Status status = std::visit([this](const auto& each) { return AddOp(each); }, op);
    ++position_;
    return status;
  }

  Result<std::vector<uint32_t>> Take() && {
    const size_t bytes = words_.size() * kWordSize;
    if (bytes > std::numeric_limits<uint32_t>::max()) {
      return Status(StatusCode::kOutOfRange,
                    fmt::format("the instruction stream has {} bytes; at most {}", bytes,
                                std::numeric_limits<uint32_t>::max()));
    }
    words_[0] = kMajor | kMinor << 8 | static_cast<uint32_t>(npu_.stream_generation) << 16 |
                static_cast<uint32_t>(npu_.rows) << 24;
    words_[1] = static_cast<uint32_t>(npu_.columns) | kMemoryTileRows << 8;
    words_[2] = ops_;
    words_[3] = static_cast<uint32_t>(bytes);
    return std::move(words_);
  }

 private:
  struct Field {
    std::string_view name;
    int64_t value;
    int64_t least;
    int64_t most;
  };

  Status CheckFields(std::string_view op, std::initializer_list<Field> fields) const {
    for (const Field& field : fields) {
      if (field.value >= field.least && field.value <= field.most) continue;
      return {StatusCode::kOutOfRange,
              fmt::format("the {} of operation {} ({}) is {}; expected {} to {}", field.name,
                          position_, op, field.value, field.least, field.most)};
    }
    return {};
  }

  Status CheckAligned(std::string_view op, std::string_view name, int64_t value) const {
    if (value % arch::kWordBytes == 0) return {};
    return {StatusCode::kOutOfRange,
            fmt::format("the {} of operation {} ({}) is {}; expected a multiple of {}", name,
                        position_, op, value, arch::kWordBytes)};
  }

  Status CheckTile(std::string_view op, const Tile& tile, int least_row, int most_row) const {
    return CheckFields(
        op, {{"column", tile.column, 0, npu_.columns - 1}, {"row", tile.row, least_row, most_row}});
  }

  Status CheckChannel(std::string_view op, const ChannelId& id) const {
    if (Status s = CheckTile(op, id.tile, 0, 0); !s.ok()) return s;
    const int channels =
        id.direction == Direction::kS2mm ? npu_.shim.s2mm_channels : npu_.shim.mm2s_channels;
    return CheckFields(op, {{"channel", id.channel, 0, channels - 1}});
  }

  Status CheckDims(std::string_view op, const WriteDescriptor& d) const {
    if (Status s = CheckFields(op, {{"number of dimensions", static_cast<int64_t>(d.dims.size()), 0,
                                     npu_.shim.descriptor_dims}});
        !s.ok()) {
      return s;
    }
    constexpr struct {
      std::string_view size;
      std::string_view step;
    } kNames[kShimDims] = {{"d0 size", "d0 step"}, {"d1 size", "d1 step"}, {"d2 size", "d2 step"}};
    for (size_t i = 0; i < d.dims.size(); ++i) {
      if (Status s = CheckFields(
              op, {{kNames[i].size, d.dims[i].size, 1, npu_.shim.max_length_words},
                   {kNames[i].step, d.dims[i].step_words, 1, npu_.shim.max_step_words}});
          !s.ok()) {
        return s;
      }
    }
    if (d.dims.empty()) return {};
    const ShimDims dims = Padded(d.dims);
    // The last dimension has no field of its own: hardware derives its size from the length.
    if (base::CheckedProduct({dims[0].size, dims[1].size, dims[2].size}) != d.length_words) {
      return {StatusCode::kInvalidArgument,
              fmt::format("the dimensions of operation {} ({}) are {} x {} x {}; expected the "
                          "product {}, its length in words",
                          position_, op, dims[0].size, dims[1].size, dims[2].size, d.length_words)};
    }
    if (IsOneRun(dims)) return {};
    for (size_t i = 0; i < kShimDims; ++i) {
      const int64_t wrap = npu_.shim.max_wrap[i];
      if (wrap == 0) continue;
      if (Status s = CheckFields(op, {{kNames[i].size, dims[i].size, 1, wrap}}); !s.ok()) return s;
    }
    return {};
  }

  void Append(std::initializer_list<uint32_t> words) {
    words_.insert(words_.end(), words);
    ++ops_;
  }
  void AppendWrite(uint32_t address, uint32_t value) {
    Append({kOpWrite, 0, address, 0, value, BytesOf(kOpWrite)});
  }

  Status AddOp(const WriteDescriptor& d) {
    constexpr std::string_view kName = "write of a descriptor";
    const arch::TileLimits& shim = npu_.shim;
    if (Status s = CheckTile(kName, d.tile, 0, 0); !s.ok()) return s;
    if (Status s = CheckFields(
            kName, {{"descriptor id", d.id, 0, shim.descriptors - 1},
                    {"argument", d.argument, 0, kMaxArgument},
                    {"offset in bytes", d.offset_bytes, 0, kMaxOffsetBytes},
                    {"length in words", d.length_words, 1, shim.max_length_words},
                    {"iteration size", d.iteration.size, 1, shim.max_iterations},
                    {"iteration step", d.iteration.step_words, 1, shim.max_step_words}});
        !s.ok()) {
      return s;
    }
    if (Status s = CheckAligned(kName, "offset in bytes", d.offset_bytes); !s.ok()) return s;
    if (Status s = CheckDims(kName, d); !s.ok()) return s;
    const uint32_t address =
        Register(d.tile, arch::RegistersOf(arch::TileKind::kShim).descriptors +
                             arch::kDescriptorStride * static_cast<uint32_t>(d.id));
    const std::array<uint32_t, kDescriptorWords> registers = EncodeShimDescriptor(d, npu_);
    Append({kOpBlockWrite, 0, address,
            BytesOf(kOpBlockWrite) + static_cast<uint32_t>(kDescriptorWords * kWordSize)});
    words_.insert(words_.end(), registers.begin(), registers.end());
    const auto offset = static_cast<uint64_t>(d.offset_bytes);
    Append({kOpPatch, BytesOf(kOpPatch), 0, 0, 0, 0, address + static_cast<uint32_t>(kWordSize), 0,
            static_cast<uint32_t>(d.argument), 0, static_cast<uint32_t>(offset),
            static_cast<uint32_t>(offset >> 32)});
    return {};
  }

  Status AddOp(const PushTask& task) {
    constexpr std::string_view kName = "push of a task";
    if (Status s = CheckChannel(kName, task.channel); !s.ok()) return s;
    if (Status s =
            CheckFields(kName, {{"descriptor id", task.descriptor, 0, npu_.shim.descriptors - 1},
                                {"executions", task.executions, 1, npu_.max_repeat}});
        !s.ok()) {
      return s;
    }
    const arch::TileRegisters& registers = arch::RegistersOf(arch::TileKind::kShim);
    const bool s2mm = task.channel.direction == Direction::kS2mm;
    const uint32_t of_channel = arch::kChannelStride * static_cast<uint32_t>(task.channel.channel);
    if (task.token &&
        std::find(reporting_.begin(), reporting_.end(), task.channel) == reporting_.end()) {
      const uint32_t control = s2mm ? registers.s2mm_control : registers.mm2s_control;
      Append({kOpMaskWrite, 0, Register(task.channel.tile, control + of_channel), 0,
              kShimControllerId, kControllerIdMask, BytesOf(kOpMaskWrite)});
      reporting_.push_back(task.channel);
    }
    const uint32_t queue = s2mm ? registers.s2mm_queue : registers.mm2s_queue;
    AppendWrite(Register(task.channel.tile, queue + of_channel),
                (task.token ? kTaskToken : 0) | static_cast<uint32_t>(task.executions - 1) << 16 |
                    static_cast<uint32_t>(task.descriptor));
    return {};
  }

  Status AddOp(const AwaitToken& await) {
    if (Status s = CheckChannel("wait for a token", await.channel); !s.ok()) return s;
    const ChannelId& id = await.channel;
    Append({kOpSync, BytesOf(kOpSync),
            (id.direction == Direction::kS2mm ? 0u : 1u) | static_cast<uint32_t>(id.tile.row) << 8 |
                static_cast<uint32_t>(id.tile.column) << 16,
            kSyncOneTile | static_cast<uint32_t>(id.channel) << 24});
    return {};
  }

  Status AddOp(const WriteParameter& write) {
    constexpr std::string_view kName = "write of a parameter";
    if (Status s = CheckTile(kName, write.tile, kFirstCoreRow, npu_.rows - 1); !s.ok()) return s;
    if (Status s = CheckFields(
            kName, {{"address", write.address, 0, npu_.core.memory_bytes - arch::kWordBytes}});
        !s.ok()) {
      return s;
    }
    if (Status s = CheckAligned(kName, "address", write.address); !s.ok()) return s;
    AppendWrite(Register(write.tile, write.address), write.value);
    return {};
  }

  Status AddOp(const SetLock& set) {
    constexpr std::string_view kName = "setting of a lock";
    if (Status s = CheckTile(kName, set.tile, 0, npu_.rows - 1); !s.ok()) return s;
    if (Status s =
            CheckFields(kName, {{"lock id", set.id, 0, npu_.LimitsOf(set.tile.row).locks - 1},
                                {"value", set.value, 0, npu_.max_lock_value}});
        !s.ok()) {
      return s;
    }
    const arch::TileRegisters& registers = arch::RegistersOf(npu_.KindOf(set.tile.row));
    AppendWrite(
        Register(set.tile, registers.locks + arch::kLockStride * static_cast<uint32_t>(set.id)),
        static_cast<uint32_t>(set.value));
    return {};
  }

  const arch::Npu& npu_;
  std::vector<uint32_t> words_;
  std::vector<ChannelId> reporting_;  // Whose tokens have an id already: the register keeps it.
  uint32_t ops_ = 0;
  size_t position_ = 0;
};

}  // namespace

Result<StreamReader> StreamReader::Open(std::span<const uint32_t> words) {
  if (words.size() < kHeaderWords) {
    return Damaged("is truncated: it has {} words and its header alone {}", words.size(),
                   kHeaderWords);
  }
  const uint32_t major = ByteOf(words[0], 0);
  const uint32_t minor = ByteOf(words[0], 1);
  if (major != kMajor || minor != kMinor) {
    return Status(StatusCode::kUnimplemented,
                  fmt::format("the instruction stream is of version {}.{}; expected {}.{}", major,
                              minor, kMajor, kMinor));
  }
  const arch::Npu* npu = FindGeneration(ByteOf(words[0], 2));
  if (npu == nullptr) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("the instruction stream is for generation {}; expected 3 (npu1) or 4 "
                              "(npu2)",
                              ByteOf(words[0], 2)));
  }
  const uint32_t rows = ByteOf(words[0], 3);
  const uint32_t memory_rows = ByteOf(words[1], 1);
  if (rows != static_cast<uint32_t>(npu->rows) || memory_rows != kMemoryTileRows) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("the instruction stream is for {} rows, {} of them memory tiles; "
                              "{} has {} and {}",
                              rows, memory_rows, npu->name, npu->rows, kMemoryTileRows));
  }
  if (words[3] != words.size() * kWordSize) {
    return Damaged("has {} bytes; its header says {}", words.size() * kWordSize, words[3]);
  }
  if (words.size() == kHeaderWords && words[2] != 0) {
    return Damaged("is truncated: it has no operations; its header counts {}", words[2]);
  }
  StreamReader reader;
  reader.words_ = words;
  reader.next_ = kHeaderWords;
  reader.ops_left_ = words[2];
  reader.generation_ = npu->stream_generation;
  reader.columns_ = static_cast<int>(ByteOf(words[1], 0));
  return reader;
}

Result<StreamOp> StreamReader::Next() {
  const size_t at = next_;
  const std::span<const uint32_t> rest = words_.subspan(at);
  if (ops_left_ == 0 || rest.empty()) {
    return Damaged("has {} words after word {}, where its header's count of operations ends",
                   rest.size(), at);
  }
  const uint32_t opcode = ByteOf(rest[0], 0);
  const Form* form = std::find_if(std::begin(kForms), std::end(kForms),
                                  [opcode](const Form& f) { return f.opcode == opcode; });
  if (form == std::end(kForms)) {
    return Status(StatusCode::kUnimplemented,
                  fmt::format("the operation at word {} of the instruction stream is {:#04x}; "
                              "expected 0x00, 0x01, 0x03, 0x80 or 0x81",
                              at, opcode));
  }
  if (rest.size() < form->words) {
    return Damaged("is truncated: the {} at word {} needs {} words and {} are left", form->name, at,
                   form->words, rest.size());
  }
  const uint32_t bytes = rest[form->size_word];
  const size_t least = form->words * kWordSize;
  const bool fits =
      opcode == kOpBlockWrite ? bytes > least && bytes % kWordSize == 0 : bytes == least;
  if (!fits) {
    return Damaged("is damaged: the {} at word {} says that it has {} bytes; expected {}{}",
                   form->name, at, bytes, opcode == kOpBlockWrite ? "whole words, more than " : "",
                   least);
  }
  const size_t words = bytes / kWordSize;
  if (rest.size() < words) {
    return Damaged("is truncated: the {} at word {} needs {} words and {} are left", form->name, at,
                   words, rest.size());
  }
  next_ += words;
  --ops_left_;
  if (done() && ops_left_ > 0) {
    return Damaged("is truncated: the {} at word {} is the last and its header counts {} more",
                   form->name, at, ops_left_);
  }
  return ReadOp(*form, rest.first(words), at);
}

Result<std::vector<uint32_t>> EncodeStream(const Sequence& sequence, const arch::Npu& npu) {
  Encoder encoder(npu);
  for (const SequenceOp& op : sequence) {
    if (Status s = encoder.Add(op); !s.ok()) return s;
  }
  return std::move(encoder).Take();
}

std::array<uint32_t, 8> EncodeShimDescriptor(const WriteDescriptor& descriptor,
                                             const arch::Npu& npu) {
  std::array<uint32_t, kDescriptorWords> words{};
  words[0] = static_cast<uint32_t>(descriptor.length_words);
  words[4] = BurstOf(npu) << kBurstShift;
  words[5] = kAxCacheUpsize;
  const ShimDims dims = Padded(descriptor.dims);
  if (!IsOneRun(dims)) {
    words[3] = WrapAndStep(dims[0]);
    words[4] |= WrapAndStep(dims[1]);
    words[5] |= static_cast<uint32_t>(dims[2].step_words - 1);
  }
  const Dim& iteration = descriptor.iteration;
  if (iteration.size != 1) words[6] = WrapAndStep({iteration.size - 1, iteration.step_words});
  words[7] = kValid;
  return words;
}

Result<WriteDescriptor> DecodeShimDescriptor(std::span<const uint32_t> words) {
  if (words.size() != kDescriptorWords) {
    return BadDescriptor("of {} words was given; expected {}", words.size(), kDescriptorWords);
  }
  if (Status s = CheckUnused(words); !s.ok()) return s;
  WriteDescriptor descriptor;
  descriptor.length_words = words[0];
  if (descriptor.length_words == 0) return BadDescriptor("has 0 words; expected at least 1");
  Result<DimList> dims = DecodeDims(words);
  if (!dims.ok()) return dims.status();
  descriptor.dims = *dims;
  const int64_t iterations = int64_t{words[6] >> kWrapShift & kIterationMask} + 1;
  if (iterations != 1) descriptor.iteration = {iterations, StepOf(words[6])};
  return descriptor;
}

}  // namespace tilewave::program
