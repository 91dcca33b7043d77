#include "program/stream_reader.h"

#include <fmt/format.h>

#include <utility>

#include "arch/npu.h"

namespace tilewave::program {
namespace {

uint32_t ByteOf(uint32_t word, int byte) { return word >> (8 * byte) & 0xFF; }
uint64_t Wide(uint32_t low, uint32_t high) { return uint64_t{high} << 32 | low; }

template <typename... Args>
Status Damaged(fmt::format_string<Args...> format, Args&&... args) {
  return {StatusCode::kDataLoss,
          "the instruction stream " + fmt::format(format, std::forward<Args>(args)...)};
}

Status HighAddress(const OpForm& form, size_t at, uint32_t high) {
  return Damaged("is damaged: the {} at word {} has {:#x} above its 32-bit address; expected 0",
                 form.name, at, high);
}

/// Operations that aie-rt numbers and that no document or source here lays out.
Status UnknownOp(uint32_t code, size_t at) {
  const char* known = "";
  if (code == 0x02) known = " (a block set)";
  if (code == 0x0E) known = " (a shim DMA configuration)";
  if (code == 0x0F) known = " (a shim DMA-BUF configuration)";
  return {StatusCode::kUnimplemented,
          fmt::format("the operation at word {} of the instruction stream is {:#04x}{}, whose "
                      "layout is not known",
                      at, code, known)};
}

Result<StreamOp> ReadSync(std::span<const uint32_t> op, size_t at) {
  const uint32_t direction = ByteOf(op[2], 0);
  if (direction > 1) {
    return Damaged("is damaged: the sync at word {} has direction {}; expected 0 or 1", at,
                   direction);
  }
  const Tile tile{static_cast<int>(ByteOf(op[2], 2)), static_cast<int>(ByteOf(op[2], 1))};
  return StreamOp(Sync{{tile, direction == 0 ? Direction::kS2mm : Direction::kMm2s,
                        static_cast<int>(ByteOf(op[3], 3))},
                       static_cast<int>(ByteOf(op[3], 2)),
                       static_cast<int>(ByteOf(op[3], 1))});
}

Result<StreamOp> CheckedPatch(const PatchAddress& patch, size_t at) {
  if (patch.offset_bytes >> 48 == 0) return StreamOp(patch);
  return Damaged(
      "is damaged: the address patch at word {} has argument {:#x} + {:#x} bytes; expected 32 and "
      "48 bits",
      at, patch.argument, patch.offset_bytes);
}

Result<StreamOp> ReadPatch(const OpForm& form, std::span<const uint32_t> op, size_t at) {
  // The two descriptions of the layout have the action in different words; 0 is plain patching.
  if (op[4] != 0 || op[5] != 0) {
    return Status(StatusCode::kUnimplemented,
                  fmt::format("the address patch at word {} of the instruction stream has the "
                              "action {:#x}; expected 0",
                              at, op[4] | op[5]));
  }
  if (op[7] != 0) return HighAddress(form, at, op[7]);
  if (op[9] != 0) {
    return Damaged("is damaged: the address patch at word {} has argument {:#x}; expected 32 bits",
                   at, Wide(op[8], op[9]));
  }
  return CheckedPatch({op[6], op[8], Wide(op[10], op[11])}, at);
}

/// The operations that are the same in both versions, of which all words are there.
Result<StreamOp> ReadCommonOp(uint32_t code, std::span<const uint32_t> op, size_t at) {
  switch (code) {
    case opcode::kNoop:
      return StreamOp(Noop());
    case opcode::kPreempt:
      return StreamOp(Preempt{ByteOf(op[0], 1)});
    case opcode::kLoadPdi:
      return StreamOp(LoadPdi{op[0] >> 16, op[1], Wide(op[2], op[3])});
    case opcode::kLoadProgram:
      return StreamOp(LoadProgram{op[0] >> 8, op[1]});
    case opcode::kCreateScratchpad:
      return StreamOp(CreateScratchpad{ByteOf(op[0], 1), op[1], Wide(op[2], op[3])});
    case opcode::kUpdateStateTable:
      return StreamOp(UpdateStateTable{ByteOf(op[0], 1), ByteOf(op[0], 2), op[1]});
    case opcode::kUpdateRegister:
      return StreamOp(UpdateRegister{ByteOf(op[0], 1), ByteOf(op[0], 2), op[1], op[2]});
    case opcode::kUpdateScratchpad:
      return StreamOp(UpdateScratchpad());
    case opcode::kSync:
      return ReadSync(op, at);
    case opcode::kMergeSync:
      return StreamOp(MergeSync{ByteOf(op[2], 0), ByteOf(op[2], 1)});
    default:
      return StreamOp(CustomOp{code, op.subspan(2)});
  }
}

/// An operation of version 0.1 of which all words are there.
Result<StreamOp> ReadOp01(const OpForm& form, std::span<const uint32_t> op, size_t at) {
  const uint32_t code = ByteOf(op[0], 0);
  switch (code) {
    case opcode::kWrite:
      if (op[3] != 0) return HighAddress(form, at, op[3]);
      return StreamOp(Write32{op[2], op[4]});
    case opcode::kBlockWrite:
      return StreamOp(BlockWrite{op[2], op.subspan(form.v01.words)});
    case opcode::kMaskWrite:
      if (op[3] != 0) return HighAddress(form, at, op[3]);
      return StreamOp(MaskWrite{op[2], op[4], op[5]});
    case opcode::kMaskPoll:
    case opcode::kMaskPollBusy:
      if (op[3] != 0) return HighAddress(form, at, op[3]);
      return StreamOp(MaskPoll{op[2], op[4], op[5], code == opcode::kMaskPollBusy});
    case opcode::kPatchAddress:
      return ReadPatch(form, op, at);
    default:
      return ReadCommonOp(code, op, at);
  }
}

/// The same of version 1.0.
Result<StreamOp> ReadOp10(const OpForm& form, std::span<const uint32_t> op, size_t at) {
  const uint32_t code = ByteOf(op[0], 0);
  switch (code) {
    case opcode::kWrite:
      return StreamOp(Write32{op[1], op[2]});
    case opcode::kBlockWrite:
      return StreamOp(BlockWrite{op[1], op.subspan(form.v10.words)});
    case opcode::kMaskWrite:
      return StreamOp(MaskWrite{op[1], op[2], op[3]});
    case opcode::kMaskPoll:
    case opcode::kMaskPollBusy:
      return StreamOp(MaskPoll{op[1], op[2], op[3], code == opcode::kMaskPollBusy});
    case opcode::kPatchAddress:
      // The argument is a byte; what stands beside it is padding.
      return CheckedPatch({op[2], ByteOf(op[3], 0), Wide(op[4], op[5])}, at);
    default:
      return ReadCommonOp(code, op, at);
  }
}

/// Words of the operation that begins `rest`, by its own size where it has one.
Result<size_t> WordsOf(const OpForm& form, StreamVersion version, std::span<const uint32_t> rest,
                       size_t at) {
  const OpLayout& layout = form.In(version);
  const auto truncated = [&](size_t words) {
    return Damaged("is truncated: the {} at word {} needs {} words and {} are left", form.name, at,
                   words, rest.size());
  };
  if (rest.size() < layout.words) return truncated(layout.words);
  if (layout.size_word == 0) return layout.words;
  const size_t bytes = rest[layout.size_word];
  const size_t least = layout.words * kStreamWordBytes;
  const bool whole = bytes % kStreamWordBytes == 0;
  bool fits = bytes == least;
  std::string_view more;
  switch (form.tail) {
    case OpForm::Tail::kNone:
      break;
    case OpForm::Tail::kPadding:
      fits = fits || bytes == least + kStreamWordBytes;
      break;
    case OpForm::Tail::kPayload:
      fits = whole && bytes > least;
      more = "whole words, more than ";
      break;
    case OpForm::Tail::kAnyPayload:
      fits = whole && bytes >= least;
      more = "whole words, at least ";
      break;
  }
  if (!fits) {
    return Damaged("is damaged: the {} at word {} says that it has {} bytes; expected {}{}",
                   form.name, at, bytes, more, least);
  }
  const size_t words = bytes / kStreamWordBytes;
  if (rest.size() < words) return truncated(words);
  return words;
}

const arch::Npu* FindGeneration(uint32_t generation) {
  for (const arch::NpuArch arch : {arch::NpuArch::kNpu1, arch::NpuArch::kNpu2}) {
    const arch::Npu& npu = arch::NpuOf(arch);
    if (static_cast<uint32_t>(npu.stream_generation) == generation) return &npu;
  }
  return nullptr;
}

Result<StreamVersion> VersionOf(uint32_t word) {
  const uint32_t major = ByteOf(word, 0);
  const uint32_t minor = ByteOf(word, 1);
  if (major == 0 && minor == 1) return StreamVersion::kV01;
  if (major == 1 && minor == 0) return StreamVersion::kV10;
  return Status(
      StatusCode::kUnimplemented,
      fmt::format("the instruction stream is of version {}.{}; expected 0.1 or 1.0", major, minor));
}

}  // namespace

Result<StreamReader> StreamReader::Open(std::span<const uint32_t> words) {
  if (words.size() < kStreamHeaderWords) {
    return Damaged("is truncated: it has {} words and its header alone {}", words.size(),
                   kStreamHeaderWords);
  }
  const Result<StreamVersion> version = VersionOf(words[0]);
  if (!version.ok()) return version.status();
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
  const auto columns = static_cast<int>(ByteOf(words[1], 0));
  if (columns < 1 || columns > npu->stream_columns) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("the instruction stream is for {} columns of {}; expected 1 to {}",
                              columns, npu->name, npu->stream_columns));
  }
  if (words[3] != words.size() * kStreamWordBytes) {
    return Damaged("has {} bytes; its header says {}", words.size() * kStreamWordBytes, words[3]);
  }
  if (words.size() == kStreamHeaderWords && words[2] != 0) {
    return Damaged("is truncated: it has no operations; its header counts {}", words[2]);
  }
  StreamReader reader;
  reader.words_ = words;
  reader.next_ = kStreamHeaderWords;
  reader.ops_left_ = words[2];
  reader.header_ = {*version, npu->stream_generation, npu->rows, columns, words[2], words[3]};
  return reader;
}

Result<StreamReader> StreamReader::OpenFor(const arch::Npu& npu, std::span<const uint32_t> words) {
  Result<StreamReader> reader = Open(words);
  if (!reader.ok() || reader->generation() == npu.stream_generation) return reader;
  return Status(StatusCode::kInvalidArgument,
                fmt::format("a stream for generation {} of the array; {} is generation {}",
                            reader->generation(), npu.name, npu.stream_generation));
}

Result<StreamOp> StreamReader::Next() {
  const size_t at = next_;
  const std::span<const uint32_t> rest = words_.subspan(at);
  if (ops_left_ == 0 || rest.empty()) {
    return Damaged("has {} words after word {}, where its header's count of operations ends",
                   rest.size(), at);
  }
  const OpForm* form = FindForm(ByteOf(rest[0], 0));
  if (form == nullptr) return UnknownOp(ByteOf(rest[0], 0), at);
  const Result<size_t> words = WordsOf(*form, header_.version, rest, at);
  if (!words.ok()) return words.status();
  next_ += *words;
  --ops_left_;
  if (done() && ops_left_ > 0) {
    return Damaged("is truncated: the {} at word {} is the last and its header counts {} more",
                   form->name, at, ops_left_);
  }
  const std::span<const uint32_t> op = rest.first(*words);
  return header_.version == StreamVersion::kV01 ? ReadOp01(*form, op, at) : ReadOp10(*form, op, at);
}

}  // namespace tilewave::program
