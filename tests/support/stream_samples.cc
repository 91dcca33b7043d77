#include "tests/support/stream_samples.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <span>

#include "program/shim_descriptor.h"
#include "tilewave/status.h"

namespace tilewave::program {

WriteDescriptor RowBlockOfA() {
  return {kShim, 0, 0, 0, 4096, {{16, 1}, {32, 128}, {8, 16}}, {1, 1}};
}
WriteDescriptor ColumnBlocksOfB() {
  return {kShim, 1, 1, 0, 4096, {{16, 1}, {32, 128}, {8, 4096}}, {8, 16}};
}
WriteDescriptor RowBlocksOfC() {
  return {kShim, 4, 2, 0, 8192, {{32, 1}, {32, 256}, {8, 32}}, {2, 8192}};
}

WriteDescriptor Changed(const std::function<void(WriteDescriptor*)>& change) {
  WriteDescriptor d = RowBlockOfA();
  change(&d);
  return d;
}

WriteDescriptor Patterned(const DimList& dims) {
  WriteDescriptor d = RowBlockOfA();
  d.length_words = 1;
  for (const Dim& dim : dims) d.length_words *= dim.size;
  d.dims = dims;
  return d;
}

Sequence EveryKind() {
  const ChannelId in{kShim, Direction::kMm2s, 1};
  const ChannelId out{{1, 0}, Direction::kS2mm, 0};
  WriteDescriptor of_c = RowBlocksOfC();
  of_c.tile = out.tile;
  of_c.offset_bytes = 0x123456789ABC;
  return {RowBlockOfA(),
          PushTask{in, 0, 8, false},
          WriteParameter{kSampleCore, 0x1000, 0xDEADBEEF},
          SetLock{kSampleCore, 5, 63},
          of_c,
          PushTask{out, 4, 2, true},
          AwaitToken{out},
          PushTask{out, 4, 1, true},
          AwaitToken{out}};
}

Sequence WorkedExample() {
  const ChannelId to_a{kShim, Direction::kMm2s, 0};
  const ChannelId to_b{kShim, Direction::kMm2s, 1};
  const ChannelId from_c{kShim, Direction::kS2mm, 0};
  constexpr int kChunks = 4;
  constexpr int64_t kRowBlockBytesOfA = 32 * 256 * 2;
  constexpr int64_t kChunkBytesOfC = 2 * 32 * 256 * 4;
  Sequence sequence;
  const auto issue = [&sequence](const ChannelId& channel, WriteDescriptor descriptor, int id,
                                 int64_t offset_bytes, int executions) {
    descriptor.id = id;
    descriptor.offset_bytes = offset_bytes;
    sequence.emplace_back(descriptor);
    sequence.emplace_back(PushTask{channel, id, executions, channel.direction == Direction::kS2mm});
  };
  for (int chunk = 0; chunk < kChunks; ++chunk) {
    if (chunk >= 2) sequence.emplace_back(AwaitToken{from_c});
    const int first = chunk % 2 * 5;
    for (int half = 0; half < 2; ++half) {
      issue(to_a, RowBlockOfA(), first + 2 * half, (2 * chunk + half) * kRowBlockBytesOfA, 8);
      issue(to_b, ColumnBlocksOfB(), first + 2 * half + 1, 0, 8);
    }
    issue(from_c, RowBlocksOfC(), first + 4, chunk * kChunkBytesOfC, 2);
  }
  sequence.emplace_back(AwaitToken{from_c});
  sequence.emplace_back(AwaitToken{from_c});
  return sequence;
}

Words Encoded(const Sequence& sequence, const StreamOptions& options, const arch::Npu& npu) {
  const Result<Words> words = EncodeStream(sequence, npu, options);
  EXPECT_TRUE(words.ok()) << words.status().ToString();
  return words.ok() ? *words : Words();
}

Words Body(const Words& stream) {
  return {stream.begin() + static_cast<ptrdiff_t>(kStreamHeaderWords), stream.end()};
}

Words Registers(const WriteDescriptor& descriptor, const arch::Npu& npu) {
  Words words(kShimDescriptorWords);
  EncodeShimDescriptor(descriptor, npu, std::span<uint32_t, kShimDescriptorWords>(words));
  return words;
}

}  // namespace tilewave::program
