// Fuzz target of everything that reads instruction streams, of both versions. Each input is read as
// it is, and again with the size in its header mended, so that mutations reach the operations. It
// aborts when one of these does not hold:
//  * A stream that was read to its end has as many operations as its header counts, which take all
//    of its words; without its last word it is refused.
//  * The words that an operation carries lie inside the input.
//  * Decoding says as many things as there are operations, but for those that it joins, and
//    encoding what it says gives the same operations back; in the other version, too, or it is
//    refused because that has no room for them.
//  * A descriptor that decodes is within the limits of its fields, and encoding it and decoding
//    that gives it back.
//  * A refusal is one short printable line with one of the codes that the headers promise.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "arch/npu.h"
#include "base/check.h"
#include "program/decoded_stream.h"
#include "program/shim_descriptor.h"
#include "program/stream.h"

namespace {

using tilewave::Result;
using tilewave::Status;
using tilewave::StatusCode;
using tilewave::arch::Npu;
using tilewave::program::BlockWrite;
using tilewave::program::CustomOp;
using tilewave::program::DecodedOp;
using tilewave::program::DecodedStream;
using tilewave::program::kShimDescriptorWords;
using tilewave::program::kStreamHeaderWords;
using tilewave::program::PatchAddress;
using tilewave::program::ShimTask;
using tilewave::program::StreamOp;
using tilewave::program::StreamOptions;
using tilewave::program::StreamReader;
using tilewave::program::StreamVersion;
using tilewave::program::Sync;
using tilewave::program::WriteDescriptor;

using Words = std::vector<uint32_t>;

constexpr size_t kMaxMessage = 512;

void CheckLine(const std::string& message) {
  TW_CHECK(!message.empty());
  TW_CHECK_LE(message.size(), kMaxMessage);
  for (const char c : message) TW_CHECK(c >= 0x20 && c < 0x7f);
}

void CheckRefusal(const Status& status) {
  TW_CHECK(status.code() == StatusCode::kDataLoss || status.code() == StatusCode::kUnimplemented ||
           status.code() == StatusCode::kInvalidArgument);
  CheckLine(status.message());
}

void CheckDescriptor(std::span<const uint32_t> words, const Npu& npu) {
  const Result<WriteDescriptor> decoded = tilewave::program::DecodeShimDescriptor(words);
  if (!decoded.ok()) {
    TW_CHECK(decoded.status().code() == StatusCode::kInvalidArgument);
    CheckRefusal(decoded.status());
    return;
  }
  TW_CHECK(tilewave::program::EncodeStream({*decoded}, npu).ok());
  Words encoded(kShimDescriptorWords);
  tilewave::program::EncodeShimDescriptor(*decoded, npu,
                                          std::span<uint32_t, kShimDescriptorWords>(encoded));
  const Result<WriteDescriptor> again = tilewave::program::DecodeShimDescriptor(encoded);
  TW_CHECK(again.ok());
  TW_CHECK(*again == *decoded);
}

void CheckInside(std::span<const uint32_t> part, const Words& words) {
  if (part.empty()) return;
  TW_CHECK(part.data() >= words.data() + kStreamHeaderWords);
  TW_CHECK(part.data() + part.size() <= words.data() + words.size());
}

void CheckOp(const StreamOp& op, const Words& words, const Npu& npu) {
  TW_CHECK(!Name(op).empty());
  TW_CHECK(OpcodeOf(op) < 256);
  if (const auto* block = std::get_if<BlockWrite>(&op)) {
    CheckInside(block->words, words);
    if (block->words.size() == kShimDescriptorWords) CheckDescriptor(block->words, npu);
  }
  if (const auto* custom = std::get_if<CustomOp>(&op)) CheckInside(custom->words, words);
  if (const auto* patch = std::get_if<PatchAddress>(&op)) {
    TW_CHECK_EQ(patch->offset_bytes >> 48, 0u);
  }
  if (const auto* sync = std::get_if<Sync>(&op)) {
    TW_CHECK(sync->channel.tile.row >= 0 && sync->channel.tile.row < 256);
    TW_CHECK(sync->channel.tile.column >= 0 && sync->channel.tile.column < 256);
  }
}

/// Reads to the end or to the first error, keeping the operations before it.
Status Walk(const Words& words, std::vector<StreamOp>* ops) {
  ops->clear();
  Result<StreamReader> reader = StreamReader::Open(words);
  if (!reader.ok()) return reader.status();
  const Npu& npu = tilewave::program::NpuOfGeneration(reader->generation());
  TW_CHECK_EQ(reader->generation(), npu.stream_generation);
  while (!reader->done()) {
    const size_t position = reader->position();
    const Result<StreamOp> op = reader->Next();
    if (!op.ok()) return op.status();
    TW_CHECK(reader->position() > position);
    CheckOp(*op, words, npu);
    ops->push_back(*op);
    TW_CHECK_LE(ops->size(), words.size());
  }
  return {};
}

void CheckWrittenAgain(const DecodedStream& stream, const StreamOptions& options,
                       const std::vector<StreamOp>& expected) {
  Words again;
  const Status status = EncodeStream(stream, options, &again);
  if (!status.ok()) {
    // Only the short form of a patch has too little room, for its argument.
    TW_CHECK(options.version == StreamVersion::kV10);
    TW_CHECK(status.code() == StatusCode::kOutOfRange);
    CheckLine(status.message());
    return;
  }
  std::vector<StreamOp> ops;
  TW_CHECK(Walk(again, &ops).ok());
  TW_CHECK(ops == expected);
}

void CheckDecoded(const Words& words, const std::vector<StreamOp>& ops) {
  const Result<DecodedStream> stream = tilewave::program::DecodeStream(words);
  TW_CHECK(stream.ok());
  size_t said = 0;
  for (const DecodedOp& op : stream->ops) {
    said += std::holds_alternative<WriteDescriptor>(op) ? size_t{2} : size_t{1};
    const auto* task = std::get_if<ShimTask>(&op);
    if (task != nullptr && !task->pattern) CheckLine(task->no_pattern_because);
  }
  TW_CHECK_EQ(said, ops.size());
  StreamOptions options = stream->options;
  CheckWrittenAgain(*stream, options, ops);
  options.version =
      options.version == StreamVersion::kV01 ? StreamVersion::kV10 : StreamVersion::kV01;
  CheckWrittenAgain(*stream, options, ops);
}

void CheckWords(const Words& words) {
  std::vector<StreamOp> ops;
  const Status status = Walk(words, &ops);
  if (!status.ok()) {
    CheckRefusal(status);
    TW_CHECK(tilewave::program::DecodeStream(words).status().code() == status.code());
    return;
  }
  TW_CHECK_EQ(ops.size(), size_t{words[2]});
  TW_CHECK_EQ(size_t{words[3]}, words.size() * sizeof(uint32_t));
  CheckDecoded(words, ops);
  Words cut(words.begin(), words.end() - 1);
  TW_CHECK(Walk(cut, &ops).code() == StatusCode::kDataLoss);
  if (cut.size() < kStreamHeaderWords) return;
  cut[3] = static_cast<uint32_t>(cut.size() * sizeof(uint32_t));
  TW_CHECK(!Walk(cut, &ops).ok());
}

}  // namespace

// The driver, ours or libFuzzer's, has no header that says so.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Words words(size / sizeof(uint32_t));
  if (!words.empty()) std::memcpy(words.data(), data, words.size() * sizeof(uint32_t));
  CheckWords(words);
  if (words.size() >= kStreamHeaderWords) {
    words[3] = static_cast<uint32_t>(words.size() * sizeof(uint32_t));
    CheckWords(words);
  }
  return 0;
}
