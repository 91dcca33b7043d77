#include "program/stream_writer.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "program/stream.h"
#include "tests/support/program_samples.h"
#include "tests/support/stream_samples.h"

namespace tilewave::program {
namespace {

using ControllerIds = StreamOptions::ControllerIds;

TEST(StreamWriterTest, StorageIsUsedAgain) {
  const Sequence sequence = WorkedExample();
  const Words expected = EncodeStream(sequence, Npu1()).value();
  Words words;
  ASSERT_TRUE(EncodeStream(sequence, Npu1(), {}, &words).ok());
  EXPECT_EQ(words, expected);
  const uint32_t* storage = words.data();
  const size_t capacity = words.capacity();
  // Shorter, as long, and after an error: never another piece of memory.
  ASSERT_TRUE(EncodeStream({AwaitToken{{kShim, Direction::kS2mm, 0}}}, Npu1(), {}, &words).ok());
  EXPECT_EQ(words, EncodeStream({AwaitToken{{kShim, Direction::kS2mm, 0}}}, Npu1()).value());
  EXPECT_FALSE(EncodeStream({SetLock{kSampleCore, 16, 0}}, Npu1(), {}, &words).ok());
  ASSERT_TRUE(EncodeStream(sequence, Npu1(), {}, &words).ok());
  EXPECT_EQ(words, expected);
  EXPECT_EQ(words.data(), storage);
  EXPECT_EQ(words.capacity(), capacity);
}

TEST(StreamWriterTest, ExactCapacitySuffices) {
  const Words expected = EncodeStream(WorkedExample(), Npu1()).value();
  Words words;
  words.reserve(expected.size());
  const uint32_t* storage = words.data();
  ASSERT_TRUE(EncodeStream(WorkedExample(), Npu1(), {}, &words).ok());
  EXPECT_EQ(words.data(), storage);
  EXPECT_EQ(words, expected);
}

TEST(StreamWriterTest, OperationThatCannotBeWrittenLeavesTheStreamAsItWas) {
  Words words;
  StreamWriter writer(Npu1(), {}, &words);
  EXPECT_TRUE(writer.Add(SetLock{kSampleCore, 0, 1}));
  EXPECT_FALSE(writer.Add(SetLock{kSampleCore, 16, 1}));
  EXPECT_FALSE(writer.Add(Changed([](WriteDescriptor* d) { d->length_words += 1; })));
  EXPECT_TRUE(writer.Add(SetLock{kSampleCore, 1, 1}));
  EXPECT_TRUE(writer.Finish().ok());
  EXPECT_EQ(words, Encoded({SetLock{kSampleCore, 0, 1}, SetLock{kSampleCore, 1, 1}}, {}));
}

TEST(StreamWriterTest, ControllerIds) {
  const ChannelId out{kShim, Direction::kS2mm, 1};
  const Sequence sequence{PushTask{out, 0, 1, true}, PushTask{out, 0, 1, false},
                          PushTask{out, 0, 1, true}};
  const auto controls = [&](ControllerIds ids) {
    const Words words = Encoded(sequence, {StreamVersion::kV10, 0, ids});
    std::string kinds;
    Result<StreamReader> reader = StreamReader::Open(words);
    while (!reader->done()) {
      const Result<StreamOp> op = reader->Next();
      const auto* masked = std::get_if<MaskWrite>(&*op);
      kinds += masked == nullptr ? 'w' : *masked == MaskWrite{0x1D208, 0x0F00, 0x1F00} ? 'm' : '?';
    }
    return kinds;
  };
  EXPECT_EQ(controls(ControllerIds::kOncePerChannel), "mwww");
  EXPECT_EQ(controls(ControllerIds::kEveryToken), "mwwmw");
  EXPECT_EQ(controls(ControllerIds::kExplicit), "www");
}

TEST(StreamWriterTest, ControllerCanBeSetByItself) {
  Words words;
  StreamWriter writer(Npu1(), {StreamVersion::kV10}, &words);
  EXPECT_TRUE(writer.Add(SetController{{{2, 0}, Direction::kMm2s, 1}, 27}));
  EXPECT_FALSE(writer.Add(SetController{{{2, 0}, Direction::kMm2s, 1}, 32}));
  EXPECT_NE(writer.status().message().find("the controller id of operation 1 "), std::string::npos);
  EXPECT_TRUE(writer.Finish().ok());
  EXPECT_EQ(words, (Words{0x06030001, 0x0104, 1, 32, 3, 0x0401D218, 0x1B00, 0x1F00}));
}

TEST(StreamWriterTest, ColumnsOfTheHeader) {
  StreamOptions options;
  options.columns = 2;
  EXPECT_EQ(Encoded({SetLock{kSampleCore, 0, 1}}, options)[1], 0x00000102u);
  EXPECT_EQ(EncodeStream({SetLock{{2, 2}, 0, 1}}, Npu1(), options).status().message(),
            "the column of operation 0 (setting of a lock) is 2; expected 0 to 1");
  for (const int columns : {-1, 6}) {
    options.columns = columns;
    EXPECT_EQ(EncodeStream(Sequence(), Npu1(), options).status().code(), StatusCode::kOutOfRange);
  }
}

TEST(StreamWriterTest, OffsetInTheDescriptor) {
  StreamOptions options;
  options.version = StreamVersion::kV10;
  const WriteDescriptor d = Changed([](WriteDescriptor* w) { w->offset_bytes = 0x123456789ABC; });
  const size_t address = 4 + 3 + 1;
  EXPECT_EQ(Encoded({d}, options)[address], 0u);
  options.offset_in_descriptor = true;
  const Words words = Encoded({d}, options);
  EXPECT_EQ(words[address], 0x56789ABCu);
  EXPECT_EQ(words[address + 1], 0x1234u);
}

TEST(StreamWriterTest, ShortPatchHasAByteForTheArgument) {
  Words words;
  StreamWriter writer(Npu1(), {StreamVersion::kV10}, &words);
  EXPECT_TRUE(writer.Add(StreamOp(PatchAddress{0x1D004, 255, 0})));
  EXPECT_FALSE(writer.Add(StreamOp(PatchAddress{0x1D004, 256, 0})));
  EXPECT_EQ(writer.status().message(),
            "the argument of operation 1 (address patch) is 256; expected 0 to 255");
}

}  // namespace
}  // namespace tilewave::program
