#include "program/stream_reader.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "program/stream.h"
#include "tests/support/program_samples.h"
#include "tests/support/stream_samples.h"

namespace tilewave::program {
namespace {

// The status that ends a walk of the stream: ok when all of it was read.
Status Walk(const Words& words) {
  Result<StreamReader> reader = StreamReader::Open(words);
  if (!reader.ok()) return reader.status();
  while (!reader->done()) {
    if (Result<StreamOp> op = reader->Next(); !op.ok()) return op.status();
  }
  return {};
}

TEST(StreamReaderTest, ReaderGivesBackWhatWasEncoded) {
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

TEST(StreamReaderTest, EmptyStreamIsDone) {
  const Words words = Encoded({});
  const Result<StreamReader> reader = StreamReader::Open(words);
  ASSERT_TRUE(reader.ok());
  EXPECT_TRUE(reader->done());
}

// Vectors of exactly the cut size, so that a sanitizer sees a read past the end.
TEST(StreamReaderTest, TruncationIsRefusedAtEveryWord) {
  const Words words = Encoded(EveryKind());
  for (size_t size = 0; size < words.size(); ++size) {
    SCOPED_TRACE(size);
    Words cut(words.begin(), words.begin() + static_cast<ptrdiff_t>(size));
    cut.shrink_to_fit();
    EXPECT_EQ(Walk(cut).code(), StatusCode::kDataLoss);
    if (size < kStreamHeaderWords) continue;
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

TEST(StreamReaderTest, DamageIsNamed) {
  // Word 4: block write, 16: patch, 28: sync, 32: write, 38: mask write.
  const ChannelId out{kShim, Direction::kS2mm, 1};
  Words words = Body(Encoded({RowBlockOfA(), AwaitToken{out}, SetLock{kSampleCore, 0, 1}}));
  words.insert(words.begin(), {0x06030100, 0x00000104, 5, 4 * 45});
  words.insert(words.end(), {0x03, 0, 0x1D208, 0, 0x0F00, 0x1F00, 28});
  ASSERT_TRUE(Walk(words).ok()) << Walk(words).ToString();

  const Damage damages[] = {
      {"version 1.1", [](Words* w) { (*w)[0] = 0x06030101; }, StatusCode::kUnimplemented, "1.1"},
      {"version 0.2", [](Words* w) { (*w)[0] = 0x06030200; }, StatusCode::kUnimplemented, "0.2"},
      {"generation", [](Words* w) { (*w)[0] = 0x06050100; }, StatusCode::kInvalidArgument,
       "generation 5"},
      {"rows", [](Words* w) { (*w)[0] = 0x05030100; }, StatusCode::kInvalidArgument, "5 rows"},
      {"memory rows", [](Words* w) { (*w)[1] = 0x00000204; }, StatusCode::kInvalidArgument, "2"},
      {"no columns", [](Words* w) { (*w)[1] = 0x00000100; }, StatusCode::kInvalidArgument,
       "0 columns"},
      {"columns", [](Words* w) { (*w)[1] = 0x00000106; }, StatusCode::kInvalidArgument,
       "expected 1 to 5"},
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
      {"write size", [](Words* w) { (*w)[37] = 28; }, StatusCode::kDataLoss, "word 32 "},
      {"write address", [](Words* w) { (*w)[35] = 1; }, StatusCode::kDataLoss, "word 32 "},
      {"mask size", [](Words* w) { (*w)[44] = 24; }, StatusCode::kDataLoss, "word 38 "},
      {"padding that is not there", [](Words* w) { (*w)[44] = 32; }, StatusCode::kDataLoss,
       "8 words"},
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

// --- Every operation ---

// One operation as both versions write it.
struct Form {
  StreamOp op;
  Words v01;
  Words v10;
};

const Words& Payload() {
  static const Words payload{7, 8, 9};
  return payload;
}

std::vector<Form> Forms() {
  const ChannelId channel{{3, 0}, Direction::kMm2s, 1};
  const Words sync{0x80, 16, 0x00030001, 0x01010100};
  const Words range{0x80, 16, 0x00030001, 0x01040200};
  const Words pdi{0x12340008, 0x100, 0x89ABCDEF, 0x01234567};
  const Words program{0x00012309, 5};
  const Words scratchpad{0x0000030A, 64, 0x89ABCDEF, 0x01234567};
  const Words table{0x0002070B, 11};
  const Words update{0x0001070C, 11, 0x1D004};
  const Words read{0x82, 20, 7, 8, 9};
  const Words timer{0x83, 8};
  const Words merge{0x84, 12, 0x0405};
  const Words custom{0xC8, 20, 7, 8, 9};
  return {
      {Write32{0x1D214, 5}, {0, 0, 0x1D214, 0, 5, 24}, {0, 0x1D214, 5}},
      {BlockWrite{0x1D000, Payload()}, {1, 0, 0x1D000, 28, 7, 8, 9}, {1, 0x1D000, 24, 7, 8, 9}},
      {MaskWrite{0x1D200, 1, 3}, {3, 0, 0x1D200, 0, 1, 3, 28}, {3, 0x1D200, 1, 3}},
      {MaskPoll{0x1D228, 1, 3, false}, {4, 0, 0x1D228, 0, 1, 3, 28}, {4, 0x1D228, 1, 3}},
      {MaskPoll{0x1D228, 1, 3, true}, {7, 0, 0x1D228, 0, 1, 3, 28}, {7, 0x1D228, 1, 3}},
      {PatchAddress{0x1D004, 2, 0x123400000010},
       {0x81, 48, 0, 0, 0, 0, 0x1D004, 0, 2, 0, 0x10, 0x1234},
       {0x81, 24, 0x1D004, 2, 0x10, 0x1234}},
      {Sync{channel}, sync, sync},
      {Sync{channel, 4, 2}, range, range},
      {Noop(), {5}, {5}},
      {Preempt{2}, {0x0206}, {0x0206}},
      {LoadPdi{0x1234, 0x100, 0x0123456789ABCDEF}, pdi, pdi},
      {LoadProgram{0x123, 5}, program, program},
      {CreateScratchpad{3, 64, 0x0123456789ABCDEF}, scratchpad, scratchpad},
      {UpdateStateTable{7, 2, 11}, table, table},
      {UpdateRegister{7, 1, 11, 0x1D004}, update, update},
      {UpdateScratchpad(), {0x0D}, {0x0D}},
      {MergeSync{5, 4}, merge, merge},
      {CustomOp{0x82, Payload()}, read, read},
      {CustomOp{0x83, {}}, timer, timer},
      {CustomOp{0xC8, Payload()}, custom, custom},
  };
}

Words StreamOf(StreamVersion version, const std::vector<Words>& ops) {
  Words words{version == StreamVersion::kV01 ? 0x06030100u : 0x06030001u, 0x0104,
              static_cast<uint32_t>(ops.size()), 0};
  for (const Words& op : ops) words.insert(words.end(), op.begin(), op.end());
  words[3] = static_cast<uint32_t>(4 * words.size());
  return words;
}

std::vector<StreamOp> Read(const Words& words) {
  Result<StreamReader> reader = StreamReader::Open(words);
  EXPECT_TRUE(reader.ok()) << reader.status().ToString();
  std::vector<StreamOp> ops;
  while (reader.ok() && !reader->done()) {
    const Result<StreamOp> op = reader->Next();
    EXPECT_TRUE(op.ok()) << op.status().ToString();
    if (!op.ok()) break;
    ops.push_back(*op);
  }
  return ops;
}

TEST(StreamReaderTest, EveryOperationOfBothVersions) {
  for (const StreamVersion version : {StreamVersion::kV01, StreamVersion::kV10}) {
    std::vector<Words> all;
    std::vector<StreamOp> expected;
    for (const Form& form : Forms()) {
      all.push_back(version == StreamVersion::kV01 ? form.v01 : form.v10);
      expected.push_back(form.op);
      SCOPED_TRACE(Name(form.op));
      EXPECT_EQ(OpcodeOf(form.op), all.back()[0] & 0xFF);
      const Words alone = StreamOf(version, {all.back()});
      EXPECT_EQ(Read(alone), (std::vector<StreamOp>{form.op}));
      // What the writer makes of it.
      Words written;
      StreamWriter writer(Npu1(), {version}, &written);
      EXPECT_TRUE(writer.Add(form.op)) << writer.status().ToString();
      EXPECT_TRUE(writer.Finish().ok());
      EXPECT_EQ(written, alone);
    }
    EXPECT_EQ(Read(StreamOf(version, all)), expected);
  }
}

TEST(StreamReaderTest, EveryOperationCutAtEveryWord) {
  for (const StreamVersion version : {StreamVersion::kV01, StreamVersion::kV10}) {
    for (const Form& form : Forms()) {
      SCOPED_TRACE(Name(form.op));
      const Words& op = version == StreamVersion::kV01 ? form.v01 : form.v10;
      for (size_t size = 0; size < op.size(); ++size) {
        // Of exactly this size, so that a sanitizer sees a read past the end.
        Words cut =
            StreamOf(version, {Words(op.begin(), op.begin() + static_cast<ptrdiff_t>(size))});
        cut.shrink_to_fit();
        EXPECT_EQ(Walk(cut).code(), StatusCode::kDataLoss) << size;
      }
    }
  }
}

TEST(StreamReaderTest, SizesThatAreNotTheOperationsAreRefused) {
  constexpr uint32_t kHostile[] = {0, 1, 4, 7, 12, 15, 17, 26, 32, 52, 0x7FFFFFFC, 0xFFFFFFFC};
  for (const StreamVersion version : {StreamVersion::kV01, StreamVersion::kV10}) {
    for (const Form& form : Forms()) {
      const size_t size_word = FindForm(OpcodeOf(form.op))->In(version).size_word;
      if (size_word == 0) continue;
      SCOPED_TRACE(Name(form.op));
      Words words = StreamOf(version, {version == StreamVersion::kV01 ? form.v01 : form.v10});
      uint32_t& size = words[kStreamHeaderWords + size_word];
      const uint32_t good = size;
      for (const uint32_t hostile : kHostile) {
        if (hostile == good) continue;
        size = hostile;
        EXPECT_EQ(Walk(words).code(), StatusCode::kDataLoss) << hostile;
      }
    }
  }
}

TEST(StreamReaderTest, MasksOfACompilersLayoutHaveAWordOfPadding) {
  for (const uint32_t code : {3u, 4u, 7u}) {
    const Words words =
        StreamOf(StreamVersion::kV01, {{code, 0, 0x1D200, 0, 1, 3, 32, 0xCDCDCDCD}, {5}});
    const std::vector<StreamOp> ops = Read(words);
    ASSERT_EQ(ops.size(), 2u);
    EXPECT_EQ(ops[0], code == 3 ? StreamOp(MaskWrite{0x1D200, 1, 3})
                                : StreamOp(MaskPoll{0x1D200, 1, 3, code == 7}));
    EXPECT_EQ(ops[1], StreamOp(Noop()));
  }
}

TEST(StreamReaderTest, BytesThatTheControllerIgnores) {
  // Column and row of a block write, as some vintages of mlir-aie fill them in; padding beside the
  // argument of a short patch.
  EXPECT_EQ(Read(StreamOf(StreamVersion::kV01, {{0x00000201, 0xABCD, 0x1D000, 20, 7}}))[0],
            StreamOp(BlockWrite{0x1D000, std::span(Payload()).first(1)}));
  EXPECT_EQ(Read(StreamOf(StreamVersion::kV10, {{0x81, 24, 0x1D004, 0xABCDEF02, 0, 0}}))[0],
            StreamOp(PatchAddress{0x1D004, 2, 0}));
}

TEST(StreamReaderTest, PatchOfTheOtherVersionIsRefused) {
  EXPECT_EQ(Walk(StreamOf(StreamVersion::kV01, {{0x81, 24, 0x1D004, 2, 0, 0}, Words(6, 5)})).code(),
            StatusCode::kDataLoss);
  EXPECT_EQ(
      Walk(StreamOf(StreamVersion::kV10, {{0x81, 48, 0, 0, 0, 0, 0x1D004, 0, 2, 0, 0, 0}})).code(),
      StatusCode::kDataLoss);
}

TEST(StreamReaderTest, OperationsWithoutAKnownSizeAreRefused) {
  for (const StreamVersion version : {StreamVersion::kV01, StreamVersion::kV10}) {
    for (uint32_t code = 0; code < 0x80; ++code) {
      if (FindForm(code) != nullptr) continue;
      const Status status = Walk(StreamOf(version, {{5}, {code, 8, 0, 0, 0, 0, 0, 0}}));
      EXPECT_EQ(status.code(), StatusCode::kUnimplemented) << code;
      EXPECT_NE(status.message().find("at word 5 "), std::string::npos) << status.ToString();
    }
    const auto message = [version](uint32_t code) {
      return Walk(StreamOf(version, {{code}})).message();
    };
    EXPECT_NE(message(2).find("0x02 (a block set)"), std::string::npos);
    EXPECT_NE(message(14).find("0x0e (a shim DMA configuration)"), std::string::npos);
    EXPECT_NE(message(15).find("0x0f (a shim DMA-BUF configuration)"), std::string::npos);
  }
}

TEST(StreamReaderTest, CustomOperationsAreSkippedByTheirSize) {
  for (uint32_t code = 0x85; code < 0x100; ++code) {
    const Words words = StreamOf(StreamVersion::kV01, {{code, 20, 7, 8, 9}, {5}});
    const std::vector<StreamOp> ops = Read(words);
    ASSERT_EQ(ops.size(), 2u);
    EXPECT_EQ(ops[0], StreamOp(CustomOp{code, Payload()}));
    EXPECT_EQ(Name(ops[0]), "custom operation");
  }
}

TEST(StreamReaderTest, PositionsAndHeader) {
  const Words words = StreamOf(StreamVersion::kV10, {{5}, {0, 0x1D214, 5}, {0x83, 8}});
  Result<StreamReader> reader = StreamReader::Open(words);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(reader->header(), (StreamHeader{StreamVersion::kV10, 3, 6, 4, 3, 40}));
  for (const size_t position : {4u, 5u, 8u}) {
    EXPECT_EQ(reader->position(), position);
    ASSERT_TRUE(reader->Next().ok());
  }
  EXPECT_TRUE(reader->done());
}

TEST(StreamReaderTest, FewerColumnsThanTheArrayHas) {
  for (uint32_t columns = 1; columns <= 4; ++columns) {
    Words words = StreamOf(StreamVersion::kV01, {{5}});
    words[1] = 0x0100 | columns;
    EXPECT_EQ(StreamReader::Open(words)->columns(), static_cast<int>(columns));
  }
}

}  // namespace
}  // namespace tilewave::program
