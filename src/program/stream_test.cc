#include "program/stream.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "program/decoded_stream.h"
#include "program/shim_descriptor.h"
#include "tests/support/program_samples.h"
#include "tests/support/stream_samples.h"

namespace tilewave::program {
namespace {

using arch::NpuArch;

// --- Encoding ---

TEST(StreamTest, HeaderOfBothGenerations) {
  EXPECT_EQ(Encoded({}), (Words{0x06030100, 0x00000104, 0, 16}));
  EXPECT_EQ(Encoded({}, {}, arch::NpuOf(NpuArch::kNpu2)), (Words{0x06040100, 0x00000108, 0, 16}));
  const Words words = Encoded({RowBlockOfA()});
  EXPECT_EQ(words[2], 2u);
  EXPECT_EQ(words[3], 4u * (4 + 12 + 12));
}

TEST(StreamTest, StreamOfTheWorkedExample) {
  const ChannelId a{kShim, Direction::kMm2s, 0};
  const ChannelId b{kShim, Direction::kMm2s, 1};
  const ChannelId c{kShim, Direction::kS2mm, 0};
  WriteDescriptor second_c = RowBlocksOfC();
  second_c.id = 9;
  second_c.offset_bytes = 65536;
  const Words words = Encoded({RowBlockOfA(), PushTask{a, 0, 8, false}, ColumnBlocksOfB(),
                               PushTask{b, 1, 8, false}, RowBlocksOfC(), PushTask{c, 4, 2, true},
                               second_c, PushTask{c, 9, 2, true}, AwaitToken{c}});
  const Words expected{
      // BD 0, its patch, its task.
      0x00000001, 0, 0x0001D000, 0x30,                                      //
      0x00001000, 0, 0, 0x01000000, 0x8200007F, 0x0200000F, 0, 0x02000000,  //
      0x00000081, 0x30, 0, 0, 0, 0, 0x0001D004, 0, 0, 0, 0, 0,              //
      0x00000000, 0, 0x0001D214, 0, 0x00070000, 0x18,                       //
      // BD 1.
      0x00000001, 0, 0x0001D020, 0x30,                                               //
      0x00001000, 0, 0, 0x01000000, 0x8200007F, 0x02000FFF, 0x0070000F, 0x02000000,  //
      0x00000081, 0x30, 0, 0, 0, 0, 0x0001D024, 0, 1, 0, 0, 0,                       //
      0x00000000, 0, 0x0001D21C, 0, 0x00070001, 0x18,                                //
      // BD 4 with a token.
      0x00000001, 0, 0x0001D080, 0x30,                                               //
      0x00002000, 0, 0, 0x02000000, 0x820000FF, 0x0200001F, 0x00101FFF, 0x02000000,  //
      0x00000081, 0x30, 0, 0, 0, 0, 0x0001D084, 0, 2, 0, 0, 0,                       //
      0x00000003, 0, 0x0001D200, 0, 0x00000F00, 0x00001F00, 0x1C,                    //
      0x00000000, 0, 0x0001D204, 0, 0x80010004, 0x18,                                //
      // BD 9: the channel has its controller id already.
      0x00000001, 0, 0x0001D120, 0x30,                                               //
      0x00002000, 0, 0, 0x02000000, 0x820000FF, 0x0200001F, 0x00101FFF, 0x02000000,  //
      0x00000081, 0x30, 0, 0, 0, 0, 0x0001D124, 0, 2, 0, 0x00010000, 0,              //
      0x00000000, 0, 0x0001D204, 0, 0x80010009, 0x18,                                //
      0x00000080, 0x10, 0x00000000, 0x00010100};
  EXPECT_EQ(Body(words), expected);
  EXPECT_EQ(words[2], 14u);
  EXPECT_EQ(words[3], words.size() * 4);
}

TEST(StreamTest, ControllerIdIsWrittenOncePerChannel) {
  Sequence sequence{RowBlockOfA()};
  for (const Direction direction : {Direction::kS2mm, Direction::kMm2s}) {
    for (const int channel : {0, 1}) {
      for (int task = 0; task < 3; ++task) {
        sequence.emplace_back(PushTask{{kShim, direction, channel}, 0, 1, task > 0});
      }
    }
  }
  const Words words = Encoded(sequence);
  Result<StreamReader> reader = StreamReader::Open(words);
  ASSERT_TRUE(reader.ok());
  Words controls;
  while (!reader->done()) {
    const Result<StreamOp> op = reader->Next();
    ASSERT_TRUE(op.ok());
    const auto* mask = std::get_if<MaskWrite>(&op.value());
    if (mask != nullptr) controls.push_back(mask->address);
  }
  EXPECT_EQ(controls, (Words{0x1D200, 0x1D208, 0x1D210, 0x1D218}));
}

TEST(StreamTest, SyncHasColumnDirectionAndChannel) {
  EXPECT_EQ(Body(Encoded({AwaitToken{{{3, 0}, Direction::kMm2s, 1}}})),
            (Words{0x80, 16, 0x00030001, 0x01010100}));
}

TEST(StreamTest, LocksOfEveryKindOfTile) {
  const auto set = [](const Tile& tile, int id) {
    return Body(Encoded({SetLock{tile, id, 2}}))[2];
  };
  EXPECT_EQ(set({0, 0}, 15), 0x000140F0u);
  EXPECT_EQ(set({1, 1}, 63), 0x021C03F0u);
  EXPECT_EQ(set({3, 5}, 1), 0x0651F010u);
}

// --- Limits of the fields ---

struct Limit {
  const char* field;
  SequenceOp op;
  const char* value;
  const char* bound;
};

std::vector<Limit> PassedLimits() {
  const ChannelId in{kShim, Direction::kMm2s, 0};
  const auto d = Changed;
  using W = WriteDescriptor;
  return {
      {"column", d([](W* w) { w->tile.column = 4; }), "4", "0 to 3"},
      {"column", d([](W* w) { w->tile.column = -1; }), "-1", "0 to 3"},
      {"row", d([](W* w) { w->tile.row = 1; }), "1", "0 to 0"},
      {"descriptor id", d([](W* w) { w->id = 16; }), "16", "0 to 15"},
      {"descriptor id", d([](W* w) { w->id = -1; }), "-1", "0 to 15"},
      {"argument", d([](W* w) { w->argument = 33; }), "33", "0 to 32"},
      {"offset in bytes", d([](W* w) { w->offset_bytes = -4; }), "-4", "0 to 281474976710652"},
      {"offset in bytes", d([](W* w) { w->offset_bytes = int64_t{1} << 48; }), "281474976710656",
       "0 to 281474976710652"},
      {"offset in bytes", d([](W* w) { w->offset_bytes = 6; }), "6", "a multiple of 4"},
      {"length in words", d([](W* w) { w->length_words = 0; }), "0", "1 to 4294967295"},
      {"length in words", d([](W* w) { w->length_words = int64_t{1} << 32; }), "4294967296",
       "1 to 4294967295"},
      {"iteration size", d([](W* w) {
         w->iteration = {65, 1};
       }),
       "65", "1 to 64"},
      {"iteration size", d([](W* w) {
         w->iteration = {0, 1};
       }),
       "0", "1 to 64"},
      {"iteration step", d([](W* w) {
         w->iteration = {2, 0};
       }),
       "0", "1 to 1048576"},
      {"iteration step", d([](W* w) {
         w->iteration = {2, 1048577};
       }),
       "1048577", "1 to 1048576"},
      {"number of dimensions", Patterned({{2, 2}, {1, 1}, {1, 1}, {1, 1}}), "4", "0 to 3"},
      {"d0 size", Patterned({{1024, 2}}), "1024", "1 to 1023"},
      {"d1 size", Patterned({{2, 1}, {1024, 3}}), "1024", "1 to 1023"},
      {"d0 size", d([](W* w) {
         w->dims = {{0, 1}};
       }),
       "0", "1 to 4294967295"},
      {"d2 size", d([](W* w) { w->dims[2].size = -8; }), "-8", "1 to 4294967295"},
      {"d0 step", Patterned({{2, 0}}), "0", "1 to 1048576"},
      {"d0 step", Patterned({{2, 1048577}}), "1048577", "1 to 1048576"},
      {"d1 step", Patterned({{2, 1}, {2, 1048577}}), "1048577", "1 to 1048576"},
      {"d2 step", Patterned({{2, 1}, {2, 4}, {2, 1048577}}), "1048577", "1 to 1048576"},
      {"row", PushTask{{{0, 2}, Direction::kS2mm, 0}, 0, 1, false}, "2", "0 to 0"},
      {"channel", PushTask{{kShim, Direction::kS2mm, 2}, 0, 1, false}, "2", "0 to 1"},
      {"channel", PushTask{{kShim, Direction::kMm2s, -1}, 0, 1, false}, "-1", "0 to 1"},
      {"descriptor id", PushTask{in, 16, 1, false}, "16", "0 to 15"},
      {"executions", PushTask{in, 0, 0, false}, "0", "1 to 256"},
      {"executions", PushTask{in, 0, 257, true}, "257", "1 to 256"},
      {"column", AwaitToken{{{4, 0}, Direction::kS2mm, 0}}, "4", "0 to 3"},
      {"channel", AwaitToken{{kShim, Direction::kMm2s, 2}}, "2", "0 to 1"},
      {"row", WriteParameter{{0, 1}, 0, 0}, "1", "2 to 5"},
      {"row", WriteParameter{{0, 6}, 0, 0}, "6", "2 to 5"},
      {"address", WriteParameter{kSampleCore, 65536, 0}, "65536", "0 to 65532"},
      {"address", WriteParameter{kSampleCore, -4, 0}, "-4", "0 to 65532"},
      {"address", WriteParameter{kSampleCore, 2, 0}, "2", "a multiple of 4"},
      {"row", SetLock{{0, 6}, 0, 0}, "6", "0 to 5"},
      {"lock id", SetLock{kSampleCore, 16, 0}, "16", "0 to 15"},
      {"lock id", SetLock{{0, 1}, 64, 0}, "64", "0 to 63"},
      {"value", SetLock{kSampleCore, 0, 64}, "64", "0 to 63"},
      {"value", SetLock{kSampleCore, 0, -1}, "-1", "0 to 63"},
  };
}

TEST(StreamTest, PassedLimitsAreNamed) {
  for (const Limit& limit : PassedLimits()) {
    const Result<Words> words = EncodeStream({SetLock{kSampleCore, 0, 0}, limit.op}, Npu1());
    SCOPED_TRACE(words.status().ToString());
    ASSERT_FALSE(words.ok()) << limit.field << " " << limit.value;
    EXPECT_EQ(words.status().code(), StatusCode::kOutOfRange);
    const std::string& message = words.status().message();
    EXPECT_TRUE(message.starts_with(std::string("the ") + limit.field + " of operation 1 ("));
    EXPECT_NE(message.find(std::string(" is ") + limit.value + ";"), std::string::npos);
    EXPECT_TRUE(message.ends_with(std::string("expected ") + limit.bound));
  }
}

TEST(StreamTest, LargestValuesFit) {
  constexpr int64_t kMaxStep = 1 << 20;
  constexpr int64_t kMaxLength = 0xFFFFFFFF;
  const ChannelId in{{7, 0}, Direction::kMm2s, 1};
  WriteDescriptor strided = Patterned({{1023, kMaxStep}, {1023, kMaxStep}, {4104, kMaxStep}});
  strided.tile = in.tile;
  strided.id = 15;
  strided.argument = 32;
  strided.offset_bytes = (int64_t{1} << 48) - 4;
  strided.iteration = {64, kMaxStep};
  const WriteDescriptor linear{in.tile, 0, 0, 0, kMaxLength, {{kMaxLength, 1}}, {1, 1}};
  const Words words = Encoded({strided, linear, PushTask{in, 15, 256, true}, AwaitToken{in},
                               WriteParameter{{7, 5}, 65532, 0xFFFFFFFF}, SetLock{{7, 1}, 63, 63}},
                              {}, arch::NpuOf(NpuArch::kNpu2));
  EXPECT_TRUE(DecodeStream(words).ok());
  Words registers(kShimDescriptorWords);
  EncodeShimDescriptor(strided, Npu1(), std::span<uint32_t, kShimDescriptorWords>(registers));
  EXPECT_EQ(registers,
            (Words{4294955016, 0, 0, 0x3FFFFFFF, 0xBFFFFFFF, 0x020FFFFF, 0x03FFFFFF, 0x02000000}));
}

TEST(StreamTest, DimensionsMustMultiplyToTheLength) {
  for (const int64_t length : {4095, 4097, 1}) {
    const WriteDescriptor d = Changed([length](WriteDescriptor* w) { w->length_words = length; });
    EXPECT_EQ(EncodeStream({d}, Npu1()).status().code(), StatusCode::kInvalidArgument);
  }
  // A product beyond 64 bits.
  constexpr int64_t kLarge = 0xFFFFFFFF;
  const WriteDescriptor d = Changed([](WriteDescriptor* w) {
    w->dims = {{kLarge, 1}, {kLarge, 1}, {kLarge, 1}};
  });
  EXPECT_EQ(EncodeStream({d}, Npu1()).status().code(), StatusCode::kInvalidArgument);
}

TEST(StreamTest, NamesOfTilesAndChannels) {
  EXPECT_EQ(Name(Tile{0, 0}), "shim (0,0)");
  EXPECT_EQ(Name(Tile{3, 1}), "memory (3,1)");
  EXPECT_EQ(Name(Tile{0, 2}), "core (0,2)");
  EXPECT_EQ(Name(Tile{7, 5}), "core (7,5)");
  EXPECT_EQ(Name(Direction::kS2mm), "S2MM");
  EXPECT_EQ(Name(ChannelId{{0, 0}, Direction::kMm2s, 1}), "shim (0,0) MM2S 1");
}

}  // namespace
}  // namespace tilewave::program
