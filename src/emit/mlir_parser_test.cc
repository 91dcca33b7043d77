#include "emit/mlir_parser.h"

#include <gtest/gtest.h>

#include <string>

#include "emit/mlir_printer.h"
#include "program/lower.h"
#include "tests/support/designs.h"

namespace tilewave::emit {
namespace {

using program::ArrayProgram;
using program::DesignFamily;
using program::DesignSpec;

std::string TextOf(DesignFamily family) {
  DesignSpec spec;
  spec.family = family;
  return *MlirText(*program::Lower(spec));
}

TEST(MlirParserTest, ReadsBackWhatWasPrinted) {
  for (const DesignSpec& spec : testing::EveryDesign()) {
    SCOPED_TRACE(Name(spec));
    const Result<ArrayProgram> program = program::Lower(spec);
    ASSERT_TRUE(program.ok()) << program.status().ToString();
    const Result<std::string> text = MlirText(*program);
    ASSERT_TRUE(text.ok()) << text.status().ToString();
    const Result<ArrayProgram> read = ParseMlir(*text);
    ASSERT_TRUE(read.ok()) << read.status().ToString();
    EXPECT_TRUE(*read == *program);
  }
}

TEST(MlirParserTest, ReadsPaddingAndIterations) {
  DesignSpec spec;
  spec.family = DesignFamily::kWholeArray;
  spec.columns = 1;
  spec.k_mt = 128;
  ArrayProgram program = *program::Lower(spec);
  int changed = 0;
  for (program::Channel& channel : program.channels) {
    // Rows of A leave a buffer of two tiles of K: the second is 16 words on.
    const bool a_out = channel.id.tile.row == 1 && channel.id.channel < 4 &&
                       channel.id.direction == program::Direction::kMm2s;
    if (!a_out) continue;
    channel.descriptors[0].padding = {program::Padding{1, 2}, {3, 4}, {5, 6}};
    channel.descriptors[0].iteration = {2, 16};
    ++changed;
  }
  ASSERT_EQ(changed, 4);
  const Result<ArrayProgram> read = ParseMlir(*MlirText(program));
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_TRUE(*read == program);
}

// Buffers of bytes have descriptors in elements of a quarter of a word.
TEST(MlirParserTest, ReadsDescriptorsOfBytes) {
  DesignSpec spec;
  spec.family = DesignFamily::kPackedTile;
  spec.tile_m = spec.tile_k = spec.tile_n = 16;
  ArrayProgram program = *program::Lower(spec);
  program::Descriptor& d = program.channels[0].descriptors[1];
  d.offset_words = 3;
  d.length_words = 24;
  d.dims = {{2, 1}, {3, 8}, {4, 2}};
  d.iteration = {2, 5};
  const std::string text = *MlirText(program);
  EXPECT_NE(text.find("memref<512xi8> offset = 12 len = 96 sizes = [4, 3, 8] strides = [8, 32, 1])"
                      " {bd_id = 1 : i32, iteration = #aie.bd_iteration<size = 2, stride = 20,"),
            std::string::npos)
      << text;
  const Result<ArrayProgram> read = ParseMlir(text);
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_TRUE(*read == program);
}

TEST(MlirParserTest, LayoutOfTheTextIsFree) {
  const std::string text = TextOf(DesignFamily::kKStream);
  std::string spaced = "// a comment of somebody else\n\n";
  for (const char c : text) {
    spaced += c;
    if (c == ',' || c == '{') spaced += "  ";
    if (c == '\n') spaced += "\t\n // \xC3\xA9\n";
  }
  const Result<ArrayProgram> read = ParseMlir(spaced);
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_TRUE(*read == *ParseMlir(text));
}

// Replaces the first `part` of a good text and expects an error at a place, about something.
void ExpectError(const std::string& part, const std::string& by, const std::string& expected) {
  std::string text = TextOf(DesignFamily::kKStream);
  const size_t at = text.find(part);
  ASSERT_NE(at, std::string::npos) << part;
  text.replace(at, part.size(), by);
  const Result<ArrayProgram> read = ParseMlir(text);
  ASSERT_FALSE(read.ok()) << part << " -> " << by;
  EXPECT_NE(read.status().message().find(expected), std::string::npos) << read.status().message();
}

TEST(MlirParserTest, ErrorsNameThePlaceAndWhatWasExpected) {
  ExpectError("module {", "modul {", "line 5, column 1: expected 'module', found 'modul'");
  ExpectError("aie.tile(0, 2)", "aie.tile(0, x)", "line 10, column 29: expected a number from 0");
  ExpectError("tilewave: spec", "tilewave: spam", "line 3, column 1: expected '// tilewave: spec");
  ExpectError("arch=npu1", "arch=npu3", "a design's 'arch'");
  ExpectError("npu1_1col", "npu1_2col", "expected 'npu1_1col', found 'npu1_2col'");
  ExpectError("memref<1024xi32> offset", "memref<1023xi32> offset", "expected '1024xi32'");
  ExpectError("next_bd ^bd1", "next_bd ^be1", "expected '^bd...' or '^end', found '^be1'");
  ExpectError("AcquireGreaterEqual", "Acquire", "'AcquireGreaterEqual' or 'Release'");
  ExpectError("%core_0_2_a_full, Release", "%core_0_2_nothing, Release", "expected a lock");
  ExpectError("%a_next", "%!", "'%' begins nothing");
  ExpectError("func.call @zero_s32", "func.call @zero", "a kernel of this core");
  ExpectError("pkt_id = 15", "pkt_id = 16", "expected '15', found '16'");
}

// What is derived from the rest is held to it.
TEST(MlirParserTest, TakesNothingOnTrust) {
  ExpectError("link_with = \"kernels.o\"", "link_with = \"other.o\"", "expected '\"kernels.o\"'");
  ExpectError("sym_name = \"core_0_2_a_0\"", "sym_name = \"core_0_2_a_1\"", "core_0_2_a_0");
  ExpectError("yield %core_0_2_a_0", "yield %core_0_2_a_1", "expected buffer 0 of the ring");
  ExpectError("scf.yield %loop2#0", "scf.yield %a_in0",
              "expected '%loop2#0', where ring a stands, found '%a_in0'");
  ExpectError("%a_in2 = %a_in0", "%a_in2 = %b_in0", "expected '%a_in0', where ring a stands");
  ExpectError("dma_start(S2MM, 0, ^bd0", "dma_start(S2MM, 0, ^bd1", "the descriptor that follows");
  ExpectError("^channel1)", "^end)", "expected '^channel1', which follows");
  ExpectError("%c2 : index", "%c1 : index", "expected '%c2'");
  ExpectError("iter_args(%a_in0 = %c0", "iter_args(%a_in0 = %c1", "expected '%c0', where");
  ExpectError("configuration ", "configuration 0", "expected '// tilewave: configuration");
  ExpectError("@shim_0_0_mm2s_0(%shim_0_0, MM2S, 0)", "@shim_0_0_mm2s_0(%shim_0_0, MM2S, 1)",
              "expected '0', found '1'");
  ExpectError("to %forever", "to %c2", "a count that was loaded");
}

TEST(MlirParserTest, CutTextsAreRefused) {
  const std::string text = TextOf(DesignFamily::kKStream);
  for (size_t size = 0; size <= text.find_last_not_of('\n'); ++size) {
    EXPECT_FALSE(ParseMlir(text.substr(0, size)).ok()) << size;
  }
}

TEST(MlirParserTest, HostileTextsAreRefused) {
  const std::string text = TextOf(DesignFamily::kKStream);
  const std::string loop = "scf.for %i = %c0 to %forever step %c1 {\n";
  std::string deep = text;
  for (int i = 0; i < 1000; ++i) deep.insert(deep.find("%loop0"), loop);
  EXPECT_NE(ParseMlir(deep).status().message().find("at most 64 loops"), std::string::npos);
  const std::string head = text.substr(0, text.find("    func.func"));
  for (const char* open : {"(", "{", "<", "["}) {
    std::string nested = head + "func.func private @f(";
    for (int i = 0; i < 100000; ++i) nested += open;
    EXPECT_FALSE(ParseMlir(nested).ok());
  }
  EXPECT_FALSE(ParseMlir(std::string(size_t{5} << 20, ' ')).ok());
  EXPECT_FALSE(ParseMlir(head + std::string(1000, 'x')).ok());
  EXPECT_FALSE(ParseMlir(head + std::string("\0", 1)).ok());
}

}  // namespace
}  // namespace tilewave::emit
