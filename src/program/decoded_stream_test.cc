#include "program/decoded_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "program/stream.h"
#include "tests/support/program_samples.h"
#include "tests/support/stream_samples.h"

namespace tilewave::program {
namespace {

using ControllerIds = StreamOptions::ControllerIds;

// How mlir-aie wrote the worked example.
constexpr StreamOptions kVintage{StreamVersion::kV01, 4, ControllerIds::kEveryToken, true};

template <typename Op>
std::vector<Op> All(const DecodedStream& stream) {
  std::vector<Op> found;
  for (const DecodedOp& op : stream.ops) {
    if (const auto* one = std::get_if<Op>(&op)) found.push_back(*one);
  }
  return found;
}

// The ops of a stream in the version, added by hand.
template <typename... Ops>
Words Written(StreamVersion version, const Ops&... ops) {
  Words words;
  StreamWriter writer(Npu1(), {version, 0, ControllerIds::kExplicit}, &words);
  EXPECT_TRUE((writer.Add(ops) && ...)) << writer.status().ToString();
  EXPECT_TRUE(writer.Finish().ok());
  return words;
}

void ExpectSameAgain(const Words& words) {
  const Result<DecodedStream> stream = DecodeStream(words);
  ASSERT_TRUE(stream.ok()) << stream.status().ToString();
  Words again;
  ASSERT_TRUE(EncodeStream(*stream, stream->options, &again).ok());
  EXPECT_EQ(again, words);
}

// The first words of a file that mlir-aie compiled, and others that stand out in it.
TEST(DecodedStreamTest, WorkedExampleWordByWord) {
  const Words words = Encoded(WorkedExample(), kVintage);
  ASSERT_EQ(words.size(), 648u);
  const auto expect = [&words](size_t byte, const Words& expected) {
    const auto* at = words.data() + byte / 4;
    EXPECT_EQ(Words(at, at + expected.size()), expected) << std::hex << byte;
  };
  expect(0x000, {0x06030100, 0x00000104, 0x00000044, 0x00000A20,  //
                 0x00000001, 0x00000000, 0x0001D000, 0x00000030,  //
                 0x00001000, 0,          0,          0x01000000, 0x8200007F, 0x0200000F, 0,
                 0x02000000, 0x00000081, 0x00000030, 0,          0,          0,          0,
                 0x0001D004, 0,          0,          0,          0,          0,          0x00000000,
                 0,          0x0001D214, 0,          0x00070000, 0x00000018});
  expect(0x088, {0x00000001, 0, 0x0001D020, 0x00000030, 0x00001000, 0, 0, 0x01000000, 0x8200007F,
                 0x02000FFF, 0x0070000F, 0x02000000});
  expect(0x1F0 + 8, {0x0001D080});
  expect(0x200, {0x00002000, 0, 0, 0x02000000, 0x820000FF, 0x0200001F, 0x00101FFF, 0x02000000});
  expect(0x250, {0x00000003, 0, 0x0001D200, 0, 0x00000F00, 0x00001F00, 0x0000001C});
  expect(0x26C, {0x00000000, 0, 0x0001D204, 0, 0x80010004, 0x00000018});
  expect(0x4F8, {0x00000080, 0x00000010, 0x00000000, 0x00010100});
}

TEST(DecodedStreamTest, WorkedExampleByItsTasks) {
  const Words words = Encoded(WorkedExample(), kVintage);
  const Result<DecodedStream> stream = DecodeStream(words);
  ASSERT_TRUE(stream.ok()) << stream.status().ToString();
  EXPECT_EQ(stream->header, (StreamHeader{StreamVersion::kV01, 3, 6, 4, 68, 2592}));
  EXPECT_TRUE(stream->options.offset_in_descriptor);
  const std::vector<ShimTask> tasks = All<ShimTask>(*stream);
  ASSERT_EQ(tasks.size(), 20u);
  for (size_t chunk = 0; chunk < 4; ++chunk) {
    const auto of_chunk = [&](size_t i) { return tasks[5 * chunk + i]; };
    const int first = chunk % 2 == 0 ? 0 : 5;
    for (const size_t half : {0u, 1u}) {
      WriteDescriptor a = RowBlockOfA();
      a.id = first + 2 * static_cast<int>(half);
      a.offset_bytes = static_cast<int64_t>(2 * chunk + half) * 16384;
      EXPECT_EQ(of_chunk(2 * half).pattern, a);
      EXPECT_EQ(of_chunk(2 * half).push, (PushTask{{kShim, Direction::kMm2s, 0}, a.id, 8, false}));
      WriteDescriptor b = ColumnBlocksOfB();
      b.id = a.id + 1;
      EXPECT_EQ(of_chunk(2 * half + 1).pattern, b);
      EXPECT_EQ(of_chunk(2 * half + 1).push,
                (PushTask{{kShim, Direction::kMm2s, 1}, b.id, 8, false}));
    }
    WriteDescriptor c = RowBlocksOfC();
    c.id = first + 4;
    c.offset_bytes = static_cast<int64_t>(chunk) * 65536;
    EXPECT_EQ(of_chunk(4).pattern, c);
    EXPECT_EQ(of_chunk(4).push, (PushTask{{kShim, Direction::kS2mm, 0}, c.id, 2, true}));
  }
  EXPECT_EQ(All<AwaitToken>(*stream).size(), 4u);
  EXPECT_EQ(All<SetController>(*stream),
            (std::vector<SetController>(4, {{kShim, Direction::kS2mm, 0}, 15})));
  EXPECT_TRUE(All<StreamOp>(*stream).empty());
}

TEST(DecodedStreamTest, WrittenAgainItIsTheSame) {
  ExpectSameAgain(Encoded(WorkedExample(), kVintage));
  for (const StreamVersion version : {StreamVersion::kV01, StreamVersion::kV10}) {
    for (const bool offset : {false, true}) {
      for (const ControllerIds ids : {ControllerIds::kOncePerChannel, ControllerIds::kExplicit}) {
        ExpectSameAgain(Encoded(WorkedExample(), {version, 1, ids, offset}));
        ExpectSameAgain(Encoded(EveryKind(), {version, 0, ids, offset}));
        ExpectSameAgain(Encoded({}, {version, 0, ids, offset}));
      }
    }
  }
}

// One version's stream as the other's.
TEST(DecodedStreamTest, VersionsSayTheSame) {
  const Words v01 = Encoded(EveryKind(), {});
  StreamOptions v10;
  v10.version = StreamVersion::kV10;
  const Result<DecodedStream> stream = DecodeStream(v01);
  ASSERT_TRUE(stream.ok());
  StreamOptions options = stream->options;
  options.version = StreamVersion::kV10;
  Words again;
  ASSERT_TRUE(EncodeStream(*stream, options, &again).ok());
  EXPECT_EQ(again, Encoded(EveryKind(), v10));
}

TEST(DecodedStreamTest, EverythingElseOfASequence) {
  const Result<DecodedStream> stream = DecodeStream(Encoded(EveryKind(), {}));
  ASSERT_TRUE(stream.ok());
  EXPECT_EQ(All<WriteParameter>(*stream),
            (std::vector<WriteParameter>{{kSampleCore, 0x1000, 0xDEADBEEF}}));
  EXPECT_EQ(All<SetLock>(*stream), (std::vector<SetLock>{{kSampleCore, 5, 63}}));
  EXPECT_EQ(All<AwaitToken>(*stream).size(), 2u);
  EXPECT_EQ(All<WriteDescriptor>(*stream).size(), 2u);
  EXPECT_EQ(All<ShimTask>(*stream).size(), 3u);
  EXPECT_TRUE(All<StreamOp>(*stream).empty());
}

// --- What cannot be said otherwise stays as it is ---

TEST(DecodedStreamTest, OperationsThatAreNothingElse) {
  const Words payload{1, 2};
  const ChannelId out{kShim, Direction::kS2mm, 0};
  const std::vector<StreamOp> ops{
      Write32{0x0001D220, 1},        // A status register.
      Write32{0x0001D204, 1u << 9},  // A queue, and bits that mean nothing.
      Write32{0x0231F000, 64},       // A lock, and a value that it cannot hold.
      Write32{0x08300000, 1},        // Of a fifth column.
      Write32{0x00600000, 1},        // Of a seventh row.
      Write32{0x00310000, 1},        // Beyond the memory of a core.
      BlockWrite{0x00201000, payload},
      MaskWrite{0x0001D200, 0x0F00, 0xFFFF},
      MaskPoll{0x0001D228, 0, 1u << 22, false},
      Sync{out, 2, 1},
      Sync{{{0, 1}, Direction::kS2mm, 0}},
      Noop(),
      CustomOp{0x90, payload}};
  for (const StreamVersion version : {StreamVersion::kV01, StreamVersion::kV10}) {
    for (const StreamOp& op : ops) {
      const Words words = Written(version, op);
      const Result<DecodedStream> stream = DecodeStream(words);
      ASSERT_TRUE(stream.ok());
      EXPECT_EQ(All<StreamOp>(*stream), (std::vector<StreamOp>{op})) << Name(op);
      ExpectSameAgain(words);
    }
  }
}

// Hints that another toolchain gives: the pattern is known, the words are kept.
TEST(DecodedStreamTest, DescriptorsWithOtherHintsAreTasksAllTheSame) {
  Words words = Encoded({RowBlockOfA(), PushTask{{kShim, Direction::kMm2s, 0}, 0, 8, false}}, {});
  words[4 + 4 + 4] ^= 0x40000000;  // Bursts of 512 bytes.
  const Result<DecodedStream> stream = DecodeStream(words);
  ASSERT_TRUE(stream.ok());
  EXPECT_TRUE(All<WriteDescriptor>(*stream).empty());
  EXPECT_EQ(All<StreamOp>(*stream).size(), 2u);
  ASSERT_EQ(All<ShimTask>(*stream).size(), 1u);
  EXPECT_EQ(All<ShimTask>(*stream)[0].pattern, RowBlockOfA());
  ExpectSameAgain(words);
}

// --- Patterns come from the registers, whoever wrote them ---

ShimTask OnlyTask(const Words& words) {
  const Result<DecodedStream> stream = DecodeStream(words);
  EXPECT_TRUE(stream.ok()) << stream.status().ToString();
  const std::vector<ShimTask> tasks = All<ShimTask>(*stream);
  EXPECT_EQ(tasks.size(), 1u);
  return tasks.at(0);
}

TEST(DecodedStreamTest, RegistersWrittenInPieces) {
  const PushTask push{{kShim, Direction::kMm2s, 0}, 1, 1, false};
  const Words both(16, 0);
  Words two(16, 0);
  two[8] = 64;
  two[12] = 0x80000000;
  two[13] = 0x02000000;
  two[15] = 0x02000000;
  const StreamOp patch = PatchAddress{0x1D024, 3, 256};
  WriteDescriptor expected{kShim, 1, 3, 256, 64, {}, {1, 1}};
  // Two descriptors in one block.
  const StreamOp block = BlockWrite{0x1D000, two};
  EXPECT_EQ(OnlyTask(Written(StreamVersion::kV01, block, patch, push)).pattern, expected);
  // A length that is written, or masked, afterwards.
  const StreamOp longer = Write32{0x1D020, 65};
  expected.length_words = 65;
  EXPECT_EQ(OnlyTask(Written(StreamVersion::kV01, block, patch, longer, push)).pattern, expected);
  const StreamOp masked = MaskWrite{0x1D020, 0xFF, 0x02};
  expected.length_words = 66;
  EXPECT_EQ(OnlyTask(Written(StreamVersion::kV01, block, patch, masked, push)).pattern, expected);
}

TEST(DecodedStreamTest, PatternsThatAreNotKnownSayWhy) {
  const PushTask push{{kShim, Direction::kMm2s, 0}, 0, 1, false};
  const Words linear{64, 0, 0, 0, 0x80000000, 0x02000000, 0, 0x02000000};
  Words locked = linear;
  locked[7] |= 1u << 12;
  const StreamOp block = BlockWrite{0x1D000, linear};
  const StreamOp with_lock = BlockWrite{0x1D000, locked};
  const StreamOp half = BlockWrite{0x1D000, std::span(linear).first(4)};
  const StreamOp patch = PatchAddress{0x1D004, 0, 0};
  const StreamOp scaler = PatchAddress{0x1D000, 0, 0};
  const StreamOp huge = PatchAddress{0x1D004, 0x80000000, 0};
  const auto reason = [&push](const auto&... ops) {
    const ShimTask task = OnlyTask(Written(StreamVersion::kV01, ops..., push));
    EXPECT_FALSE(task.pattern.has_value());
    return task.no_pattern_because;
  };
  EXPECT_EQ(reason(), "descriptor 0 was not written");
  EXPECT_EQ(reason(half, patch), "descriptor 0 was not written");
  EXPECT_EQ(reason(block), "descriptor 0 has the address of no buffer");
  EXPECT_EQ(reason(patch, block), "descriptor 0 has the address of no buffer");
  for (const uint32_t word : {0x1D004u, 0x1D008u}) {
    EXPECT_EQ(reason(block, patch, StreamOp(Write32{word, 4})),
              "descriptor 0 has the address of no buffer");
  }
  EXPECT_EQ(reason(block, scaler), "descriptor 0 was patched in word 0");
  EXPECT_EQ(reason(block, huge), "descriptor 0 is over buffer 0x80000000");
  EXPECT_NE(reason(with_lock, patch).find("of word 7"), std::string::npos);
}

TEST(DecodedStreamTest, StreamsThatCannotBeReadAreRefused) {
  Words words = Encoded(EveryKind(), {});
  words.pop_back();
  EXPECT_EQ(DecodeStream(words).status().code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace tilewave::program
