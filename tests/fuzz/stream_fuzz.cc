// Fuzz target of the instruction stream's reader and of shim descriptors. Each input is read as it
// is, and again with the size in its header mended, so that mutations reach the operations. It
// aborts when one of these does not hold:
//  * A stream that was read to its end has as many operations as its header counts, which take all
//    of its words; without its last word it is refused.
//  * The words of a block write lie inside the input.
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
#include "program/stream.h"

namespace {

using tilewave::Result;
using tilewave::Status;
using tilewave::StatusCode;
using tilewave::arch::Npu;
using tilewave::arch::NpuArch;
using tilewave::program::BlockWrite;
using tilewave::program::PatchAddress;
using tilewave::program::StreamOp;
using tilewave::program::StreamReader;
using tilewave::program::Sync;
using tilewave::program::WriteDescriptor;

using Words = std::vector<uint32_t>;

constexpr size_t kHeaderWords = 4;
constexpr size_t kMaxMessage = 512;

void CheckRefusal(const Status& status) {
  const std::string& message = status.message();
  TW_CHECK(status.code() == StatusCode::kDataLoss || status.code() == StatusCode::kUnimplemented ||
           status.code() == StatusCode::kInvalidArgument);
  TW_CHECK(!message.empty());
  TW_CHECK_LE(message.size(), kMaxMessage);
  for (const char c : message) TW_CHECK(c >= 0x20 && c < 0x7f);
}

void CheckDescriptor(std::span<const uint32_t> words, const Npu& npu) {
  const Result<WriteDescriptor> decoded = tilewave::program::DecodeShimDescriptor(words);
  if (!decoded.ok()) {
    TW_CHECK(decoded.status().code() == StatusCode::kInvalidArgument);
    CheckRefusal(decoded.status());
    return;
  }
  TW_CHECK(tilewave::program::EncodeStream({*decoded}, npu).ok());
  const Result<WriteDescriptor> again = tilewave::program::DecodeShimDescriptor(
      tilewave::program::EncodeShimDescriptor(*decoded, npu));
  TW_CHECK(again.ok());
  TW_CHECK(*again == *decoded);
}

void CheckOp(const StreamOp& op, const Words& words, const Npu& npu) {
  if (const auto* block = std::get_if<BlockWrite>(&op)) {
    TW_CHECK(block->words.data() >= words.data() + kHeaderWords);
    TW_CHECK(block->words.data() + block->words.size() <= words.data() + words.size());
    if (block->words.size() == 8) CheckDescriptor(block->words, npu);
  }
  if (const auto* patch = std::get_if<PatchAddress>(&op)) {
    TW_CHECK_EQ(patch->offset_bytes >> 48, 0u);
  }
  if (const auto* sync = std::get_if<Sync>(&op)) {
    TW_CHECK(sync->channel.tile.row >= 0 && sync->channel.tile.row < 256);
    TW_CHECK(sync->channel.tile.column >= 0 && sync->channel.tile.column < 256);
  }
}

/// Reads to the end or to the first error, counting the operations before it.
Status Walk(const Words& words, uint32_t* ops) {
  *ops = 0;
  Result<StreamReader> reader = StreamReader::Open(words);
  if (!reader.ok()) return reader.status();
  const Npu& npu1 = tilewave::arch::NpuOf(NpuArch::kNpu1);
  const Npu& npu2 = tilewave::arch::NpuOf(NpuArch::kNpu2);
  const Npu& npu = reader->generation() == npu1.stream_generation ? npu1 : npu2;
  TW_CHECK_EQ(reader->generation(), npu.stream_generation);
  while (!reader->done()) {
    const Result<StreamOp> op = reader->Next();
    if (!op.ok()) return op.status();
    CheckOp(*op, words, npu);
    ++*ops;
    TW_CHECK_LE(size_t{*ops}, words.size());
  }
  return {};
}

void CheckWords(const Words& words) {
  uint32_t ops = 0;
  const Status status = Walk(words, &ops);
  if (!status.ok()) {
    CheckRefusal(status);
    return;
  }
  TW_CHECK_EQ(ops, words[2]);
  TW_CHECK_EQ(size_t{words[3]}, words.size() * sizeof(uint32_t));
  Words cut(words.begin(), words.end() - 1);
  TW_CHECK(Walk(cut, &ops).code() == StatusCode::kDataLoss);
  if (cut.size() < kHeaderWords) return;
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
  if (words.size() >= kHeaderWords) {
    words[3] = static_cast<uint32_t>(words.size() * sizeof(uint32_t));
    CheckWords(words);
  }
  return 0;
}
