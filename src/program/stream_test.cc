#include "program/stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "base/random.h"

namespace tilewave::program {
namespace {

using arch::NpuArch;
using Words = std::vector<uint32_t>;

constexpr size_t kHeaderWords = 4;
constexpr Tile kShim{0, 0};
constexpr Tile kCore{1, 3};

const arch::Npu& Npu1() { return arch::NpuOf(NpuArch::kNpu1); }

// Transfers of a 256 x 256 x 256 product of 16-bit numbers on one core with 32 x 32 x 32 tiles, as
// mlir-aie compiles it for npu1: A and B with two numbers per word, C with one.
WriteDescriptor RowBlockOfA() {
  return {kShim, 0, 0, 0, 4096, {{16, 1}, {32, 128}, {8, 16}}, {1, 1}};
}
WriteDescriptor ColumnBlocksOfB() {
  return {kShim, 1, 1, 0, 4096, {{16, 1}, {32, 128}, {8, 4096}}, {8, 16}};
}
WriteDescriptor RowBlocksOfC() {
  return {kShim, 4, 2, 0, 8192, {{32, 1}, {32, 256}, {8, 32}}, {2, 8192}};
}

Words Encoded(const Sequence& sequence, const arch::Npu& npu = Npu1()) {
  const Result<Words> words = EncodeStream(sequence, npu);
  EXPECT_TRUE(words.ok()) << words.status().ToString();
  return words.ok() ? *words : Words();
}

Words Body(const Words& stream) {
  return {stream.begin() + static_cast<ptrdiff_t>(kHeaderWords), stream.end()};
}

Words Registers(const WriteDescriptor& descriptor, const arch::Npu& npu = Npu1()) {
  const std::array<uint32_t, 8> words = EncodeShimDescriptor(descriptor, npu);
  return {words.begin(), words.end()};
}

// All kinds of operations: 9 of a sequence, 12 of a stream.
Sequence EveryKind() {
  const ChannelId in{kShim, Direction::kMm2s, 1};
  const ChannelId out{{1, 0}, Direction::kS2mm, 0};
  WriteDescriptor of_c = RowBlocksOfC();
  of_c.tile = out.tile;
  of_c.offset_bytes = 0x123456789ABC;
  return {RowBlockOfA(),
          PushTask{in, 0, 8, false},
          WriteParameter{kCore, 0x1000, 0xDEADBEEF},
          SetLock{kCore, 5, 63},
          of_c,
          PushTask{out, 4, 2, true},
          AwaitToken{out},
          PushTask{out, 4, 1, true},
          AwaitToken{out}};
}

// The status that ends a walk of the stream: ok when all of it was read.
Status Walk(const Words& words) {
  Result<StreamReader> reader = StreamReader::Open(words);
  if (!reader.ok()) return reader.status();
  while (!reader->done()) {
    if (Result<StreamOp> op = reader->Next(); !op.ok()) return op.status();
  }
  return {};
}

// --- Encoding ---

TEST(StreamTest, HeaderOfBothGenerations) {
  EXPECT_EQ(Encoded({}), (Words{0x06030100, 0x00000104, 0, 16}));
  EXPECT_EQ(Encoded({}, arch::NpuOf(NpuArch::kNpu2)), (Words{0x06040100, 0x00000108, 0, 16}));
  const Words words = Encoded({RowBlockOfA()});
  EXPECT_EQ(words[2], 2u);
  EXPECT_EQ(words[3], 4u * (4 + 12 + 12));
}

TEST(StreamTest, DescriptorsOfTheWorkedExample) {
  EXPECT_EQ(Registers(RowBlockOfA()),
            (Words{0x00001000, 0, 0, 0x01000000, 0x8200007F, 0x0200000F, 0x00000000, 0x02000000}));
  EXPECT_EQ(Registers(ColumnBlocksOfB()),
            (Words{0x00001000, 0, 0, 0x01000000, 0x8200007F, 0x02000FFF, 0x0070000F, 0x02000000}));
  EXPECT_EQ(Registers(RowBlocksOfC()),
            (Words{0x00002000, 0, 0, 0x02000000, 0x820000FF, 0x0200001F, 0x00101FFF, 0x02000000}));
}

TEST(StreamTest, ContiguousDescriptorHasNoWraps) {
  const Words npu1{3072, 0, 0, 0, 0x80000000, 0x02000000, 0, 0x02000000};
  const Words npu2{3072, 0, 0, 0, 0xC0000000, 0x02000000, 0, 0x02000000};
  WriteDescriptor d{kShim, 0, 0, 0, 3072, {}, {1, 1}};
  EXPECT_EQ(Registers(d), npu1);
  EXPECT_EQ(Registers(d, arch::NpuOf(NpuArch::kNpu2)), npu2);
  // The same run in other words; the first would not fit the wrap.
  d.dims = {{3072, 1}};
  EXPECT_EQ(Registers(d), npu1);
  d.dims = {{16, 1}, {1, 7}, {192, 16}};
  EXPECT_EQ(Registers(d), npu1);
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

// --- Reading ---

TEST(StreamTest, ReaderGivesBackWhatWasEncoded) {
  const Words words = Encoded(EveryKind());
  Result<StreamReader> reader = StreamReader::Open(words);
  ASSERT_TRUE(reader.ok()) << reader.status().ToString();
  EXPECT_EQ(reader->generation(), 3);
  EXPECT_EQ(reader->columns(), 4);
  std::vector<StreamOp> ops;
  while (!reader->done()) {
    Result<StreamOp> op = reader->Next();
    ASSERT_TRUE(op.ok()) << op.status().ToString();
    ops.push_back(*op);
  }
  const ChannelId out{{1, 0}, Direction::kS2mm, 0};
  ASSERT_EQ(ops.size(), 12u);
  const auto expect_block = [&ops](size_t i, uint32_t address, const WriteDescriptor& descriptor) {
    const auto* block = std::get_if<BlockWrite>(&ops[i]);
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(block->address, address);
    EXPECT_EQ(Words(block->words.begin(), block->words.end()), Registers(descriptor));
  };
  expect_block(0, 0x0001D000, RowBlockOfA());
  EXPECT_EQ(std::get<PatchAddress>(ops[1]), (PatchAddress{0x0001D004, 0, 0}));
  EXPECT_EQ(std::get<Write32>(ops[2]), (Write32{0x0001D21C, 0x00070000}));
  EXPECT_EQ(std::get<Write32>(ops[3]), (Write32{0x02301000, 0xDEADBEEF}));
  EXPECT_EQ(std::get<Write32>(ops[4]), (Write32{0x0231F050, 63}));
  expect_block(5, 0x0201D080, RowBlocksOfC());
  EXPECT_EQ(std::get<PatchAddress>(ops[6]), (PatchAddress{0x0201D084, 2, 0x123456789ABC}));
  EXPECT_EQ(std::get<MaskWrite>(ops[7]), (MaskWrite{0x0201D200, 0x00000F00, 0x00001F00}));
  EXPECT_EQ(std::get<Write32>(ops[8]), (Write32{0x0201D204, 0x80010004}));
  EXPECT_EQ(std::get<Sync>(ops[9]), (Sync{out}));
  EXPECT_EQ(std::get<Write32>(ops[10]), (Write32{0x0201D204, 0x80000004}));
  EXPECT_EQ(std::get<Sync>(ops[11]), (Sync{out}));
}

TEST(StreamTest, EmptyStreamIsDone) {
  const Words words = Encoded({});
  const Result<StreamReader> reader = StreamReader::Open(words);
  ASSERT_TRUE(reader.ok());
  EXPECT_TRUE(reader->done());
}

// Vectors of exactly the cut size, so that a sanitizer sees a read past the end.
TEST(StreamTest, TruncationIsRefusedAtEveryWord) {
  const Words words = Encoded(EveryKind());
  for (size_t size = 0; size < words.size(); ++size) {
    SCOPED_TRACE(size);
    Words cut(words.begin(), words.begin() + static_cast<ptrdiff_t>(size));
    cut.shrink_to_fit();
    EXPECT_EQ(Walk(cut).code(), StatusCode::kDataLoss);
    if (size < kHeaderWords) continue;
    cut[3] = static_cast<uint32_t>(4 * size);
    EXPECT_EQ(Walk(cut).code(), StatusCode::kDataLoss);
  }
  EXPECT_TRUE(Walk(words).ok());
}

struct Damage {
  const char* name;
  std::function<void(Words*)> apply;
  StatusCode code;
  const char* message;  ///< A part of it.
};

TEST(StreamTest, DamageIsNamed) {
  // Word 4: block write, 16: patch, 28: sync, 32: write, 38: mask write.
  const ChannelId out{kShim, Direction::kS2mm, 1};
  Words words = Body(Encoded({RowBlockOfA(), AwaitToken{out}, SetLock{kCore, 0, 1}}));
  words.insert(words.begin(), {0x06030100, 0x00000104, 5, 4 * 45});
  words.insert(words.end(), {0x03, 0, 0x1D208, 0, 0x0F00, 0x1F00, 28});
  ASSERT_TRUE(Walk(words).ok()) << Walk(words).ToString();

  const Damage damages[] = {
      {"version 1.0", [](Words* w) { (*w)[0] = 0x06030001; }, StatusCode::kUnimplemented, "1.0"},
      {"version 0.2", [](Words* w) { (*w)[0] = 0x06030200; }, StatusCode::kUnimplemented, "0.2"},
      {"generation", [](Words* w) { (*w)[0] = 0x06050100; }, StatusCode::kInvalidArgument,
       "generation 5"},
      {"rows", [](Words* w) { (*w)[0] = 0x05030100; }, StatusCode::kInvalidArgument, "5 rows"},
      {"memory rows", [](Words* w) { (*w)[1] = 0x00000204; }, StatusCode::kInvalidArgument, "2"},
      {"size too small", [](Words* w) { (*w)[3] -= 4; }, StatusCode::kDataLoss, "176"},
      {"size too large", [](Words* w) { (*w)[3] += 4; }, StatusCode::kDataLoss, "184"},
      {"size not whole", [](Words* w) { (*w)[3] += 1; }, StatusCode::kDataLoss, "181"},
      {"fewer operations", [](Words* w) { (*w)[2] = 4; }, StatusCode::kDataLoss, "word 38"},
      {"no operations", [](Words* w) { (*w)[2] = 0; }, StatusCode::kDataLoss, "word 4"},
      {"more operations", [](Words* w) { (*w)[2] = 7; }, StatusCode::kDataLoss, "2 more"},
      {"block of nothing", [](Words* w) { (*w)[7] = 16; }, StatusCode::kDataLoss, "word 4 "},
      {"block of 0 bytes", [](Words* w) { (*w)[7] = 0; }, StatusCode::kDataLoss, "word 4 "},
      {"block of parts", [](Words* w) { (*w)[7] = 46; }, StatusCode::kDataLoss, "46 bytes"},
      {"block too long", [](Words* w) { (*w)[7] = 168; }, StatusCode::kDataLoss, "42 words"},
      {"huge block", [](Words* w) { (*w)[7] = 0xFFFFFFFC; }, StatusCode::kDataLoss, "word 4 "},
      {"patch size", [](Words* w) { (*w)[17] = 24; }, StatusCode::kDataLoss, "word 16 "},
      {"patch action", [](Words* w) { (*w)[20] = 1; }, StatusCode::kUnimplemented, "word 16 "},
      {"patch action", [](Words* w) { (*w)[21] = 1; }, StatusCode::kUnimplemented, "word 16 "},
      {"patch address", [](Words* w) { (*w)[23] = 1; }, StatusCode::kDataLoss, "word 16 "},
      {"patch argument", [](Words* w) { (*w)[25] = 1; }, StatusCode::kDataLoss, "0x100000000"},
      {"patch offset", [](Words* w) { (*w)[27] = 0x10000; }, StatusCode::kDataLoss, "word 16 "},
      {"sync size", [](Words* w) { (*w)[29] = 20; }, StatusCode::kDataLoss, "word 28 "},
      {"sync direction", [](Words* w) { (*w)[30] = 2; }, StatusCode::kDataLoss, "direction 2"},
      {"sync columns", [](Words* w) { (*w)[31] = 0x20100; }, StatusCode::kUnimplemented, "word 28"},
      {"sync rows", [](Words* w) { (*w)[31] = 0x10000; }, StatusCode::kUnimplemented, "0x10000"},
      {"write size", [](Words* w) { (*w)[37] = 28; }, StatusCode::kDataLoss, "word 32 "},
      {"write address", [](Words* w) { (*w)[35] = 1; }, StatusCode::kDataLoss, "word 32 "},
      {"mask size", [](Words* w) { (*w)[44] = 32; }, StatusCode::kDataLoss, "word 38 "},
      {"mask address", [](Words* w) { (*w)[41] = 1; }, StatusCode::kDataLoss, "word 38 "},
  };
  for (const Damage& damage : damages) {
    SCOPED_TRACE(damage.name);
    Words damaged = words;
    damage.apply(&damaged);
    const Status status = Walk(damaged);
    EXPECT_EQ(status.code(), damage.code) << status.ToString();
    EXPECT_NE(status.message().find(damage.message), std::string::npos) << status.ToString();
  }
}

TEST(StreamTest, UnknownOperationsAreRefused) {
  const Words words = Encoded({SetLock{kCore, 0, 1}});
  for (uint32_t opcode = 0; opcode < 256; ++opcode) {
    if (opcode <= 1 || opcode == 3 || opcode == 0x80 || opcode == 0x81) continue;
    Words unknown = words;
    unknown[4] = opcode;
    const Status status = Walk(unknown);
    EXPECT_EQ(status.code(), StatusCode::kUnimplemented) << opcode;
    EXPECT_NE(status.message().find("word 4"), std::string::npos) << status.ToString();
  }
}

// --- Limits of the fields ---

struct Limit {
  const char* field;
  SequenceOp op;
  const char* value;
  const char* bound;
};

WriteDescriptor Changed(const std::function<void(WriteDescriptor*)>& change) {
  WriteDescriptor d = RowBlockOfA();
  change(&d);
  return d;
}

// A pattern with gaps, so that it needs its wraps, and the length that goes with it.
WriteDescriptor Patterned(const DimList& dims) {
  WriteDescriptor d = RowBlockOfA();
  d.length_words = 1;
  for (const Dim& dim : dims) d.length_words *= dim.size;
  d.dims = dims;
  return d;
}

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
      {"address", WriteParameter{kCore, 65536, 0}, "65536", "0 to 65532"},
      {"address", WriteParameter{kCore, -4, 0}, "-4", "0 to 65532"},
      {"address", WriteParameter{kCore, 2, 0}, "2", "a multiple of 4"},
      {"row", SetLock{{0, 6}, 0, 0}, "6", "0 to 5"},
      {"lock id", SetLock{kCore, 16, 0}, "16", "0 to 15"},
      {"lock id", SetLock{{0, 1}, 64, 0}, "64", "0 to 63"},
      {"value", SetLock{kCore, 0, 64}, "64", "0 to 63"},
      {"value", SetLock{kCore, 0, -1}, "-1", "0 to 63"},
  };
}

TEST(StreamTest, PassedLimitsAreNamed) {
  for (const Limit& limit : PassedLimits()) {
    const Result<Words> words = EncodeStream({SetLock{kCore, 0, 0}, limit.op}, Npu1());
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
                              arch::NpuOf(NpuArch::kNpu2));
  EXPECT_TRUE(Walk(words).ok()) << Walk(words).ToString();
  EXPECT_EQ(Registers(strided),
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

// --- Decoding of descriptors ---

TEST(StreamTest, DescriptorsOfTheWorkedExampleDecode) {
  for (WriteDescriptor expected : {RowBlockOfA(), ColumnBlocksOfB(), RowBlocksOfC()}) {
    Result<WriteDescriptor> decoded = DecodeShimDescriptor(Registers(expected));
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    expected.id = 0;
    expected.argument = 0;
    EXPECT_EQ(*decoded, expected);
  }
}

TEST(StreamTest, DecodedDescriptorIsCanonical) {
  const auto dims_of = [](const WriteDescriptor& d) {
    return DecodeShimDescriptor(Registers(d)).value().dims;
  };
  EXPECT_EQ(dims_of(Patterned({{8, 3}, {1, 1}, {1, 1}})), (DimList{{8, 3}}));
  EXPECT_EQ(dims_of(Patterned({{8, 1}, {4, 9}, {1, 5}})), (DimList{{8, 1}, {4, 9}}));
  EXPECT_EQ(dims_of(Patterned({{1, 5}, {1, 6}, {4, 9}})), (DimList{{1, 1}, {1, 1}, {4, 9}}));
  EXPECT_TRUE(dims_of(Patterned({{8, 1}, {4, 8}})).empty());
  EXPECT_TRUE(dims_of(Patterned({{1, 9}})).empty());
  // Compilers write one run with wraps, too.
  Words words = Registers(RowBlockOfA());
  words[4] = 0x80000000 | 32u << 20 | 15u;
  words[5] = 0x02000000 | 511u;
  EXPECT_TRUE(DecodeShimDescriptor(words).value().dims.empty());
  // The step of an iteration that does not happen.
  words[6] = 15;
  EXPECT_EQ(DecodeShimDescriptor(words).value().iteration, (Dim{1, 1}));
}

TEST(StreamTest, BadRegistersAreRefused) {
  const struct {
    const char* name;
    size_t word;
    uint32_t value;
  } bad[] = {
      {"no words", 0, 0},
      {"no multiple of the wraps", 0, 4097},
      {"less than the wraps", 0, 511},
      {"packets", 2, 1u << 30},
      {"out-of-order id", 2, 1u << 24},
      {"secure", 3, 0x41000000},
      {"no d0 wrap", 3, 0},
      {"no d0 wrap, a step", 3, 3},
      {"no d1 wrap", 4, 0x8000007F},
      {"iteration under way", 6, 1u << 26},
      {"not valid", 7, 0},
      {"lock to acquire", 7, 0x02000000 | 1u << 12},
      {"lock to release", 7, 0x02000000 | 1u << 18},
      {"chain", 7, 0x02000000 | 1u << 26},
      {"no TLAST", 7, 0x82000000},
  };
  for (const auto& b : bad) {
    SCOPED_TRACE(b.name);
    Words words = Registers(RowBlockOfA());
    ASSERT_TRUE(DecodeShimDescriptor(words).ok());
    words[b.word] = b.value;
    const Status status = DecodeShimDescriptor(words).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status.ToString();
  }
}

TEST(StreamTest, DescriptorOfAnotherSizeIsRefused) {
  const Words nine(9, 1);
  for (size_t size = 0; size <= nine.size(); ++size) {
    if (size == 8) continue;
    const Words words(nine.begin(), nine.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_EQ(DecodeShimDescriptor(words).status().code(), StatusCode::kInvalidArgument) << size;
  }
}

TEST(StreamTest, AddressRegistersAndBurstDoNotMatter) {
  Words words = Registers(RowBlockOfA());
  const WriteDescriptor expected = DecodeShimDescriptor(words).value();
  words[1] = 0xFFFFFFFC;
  words[2] = 0x0000FFFF;
  words[4] ^= 0xC0000000;
  words[5] ^= 0xFFF00000;
  EXPECT_EQ(DecodeShimDescriptor(words).value(), expected);
}

// A random canonical descriptor with at most 2^32 - 1 words.
WriteDescriptor RandomDescriptor(base::Random* random) {
  const auto step = [random] { return random->Between(1, int64_t{1} << random->Between(0, 20)); };
  WriteDescriptor d;
  if (random->Between(0, 3) == 0) {
    d.length_words = random->Between(1, 0xFFFFFFFF);
  } else {
    const int64_t count = random->Between(1, 3);
    d.length_words = 1;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t size = random->Between(i + 1 == count ? 2 : 1, random->Between(2, 1023));
      d.dims.push_back({size, size == 1 ? 1 : step()});
      d.length_words *= size;
    }
    // A step beyond 1 makes a gap, so that this is no contiguous run.
    const auto first =
        std::find_if(d.dims.begin(), d.dims.end(), [](const Dim& dim) { return dim.size > 1; });
    first->step_words += first->step_words == 1 ? 1 : 0;
  }
  const int64_t executions = random->Between(1, 64);
  d.iteration = {executions, executions == 1 ? 1 : step()};
  return d;
}

TEST(StreamTest, RandomDescriptorsRoundTrip) {
  base::Random random(20);
  for (int i = 0; i < 20000; ++i) {
    const WriteDescriptor d = RandomDescriptor(&random);
    const arch::Npu& npu = arch::NpuOf(i % 2 == 0 ? NpuArch::kNpu1 : NpuArch::kNpu2);
    ASSERT_TRUE(EncodeStream({d}, npu).ok()) << EncodeStream({d}, npu).status().ToString();
    const Result<WriteDescriptor> decoded = DecodeShimDescriptor(Registers(d, npu));
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    ASSERT_EQ(*decoded, d) << i;
  }
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
