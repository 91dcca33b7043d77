#include "program/stream.h"

#include <cstddef>
#include <variant>

namespace tilewave::program {
namespace {

/// Of any operation of a sequence, in either version: a descriptor with its patch, and a task with
/// its controller's id.
constexpr size_t kMostDescriptorWords = 4 + 8 + 12;
constexpr size_t kMostTaskWords = 7 + 6;

size_t MostWords(const Sequence& sequence) {
  size_t words = kStreamHeaderWords;
  for (const SequenceOp& op : sequence) {
    words += std::holds_alternative<WriteDescriptor>(op) ? kMostDescriptorWords : kMostTaskWords;
  }
  return words;
}

}  // namespace

Result<std::vector<uint32_t>> EncodeStream(const Sequence& sequence, const arch::Npu& npu,
                                           const StreamOptions& options) {
  std::vector<uint32_t> words;
  words.reserve(MostWords(sequence));
  if (Status s = EncodeStream(sequence, npu, options, &words); !s.ok()) return s;
  return words;
}

Status EncodeStream(const Sequence& sequence, const arch::Npu& npu, const StreamOptions& options,
                    std::vector<uint32_t>* words) {
  StreamWriter writer(npu, options, words);
  for (const SequenceOp& op : sequence) {
    if (!std::visit([&writer](const auto& each) { return writer.Add(each); }, op)) {
      return writer.status();
    }
  }
  return writer.Finish();
}

}  // namespace tilewave::program
