// What a whole_array configuration is made of, for every number of columns, and what its memory
// tiles do to the order of words: walked descriptor by descriptor and compared with loops over rows
// and blocks.

#include "program/lower_whole_array.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "program/lower.h"
#include "tests/support/program_samples.h"

namespace tilewave::program {
namespace {

using arch::NpuArch;

// Tiles small enough to count by hand: 8 x 16 x 24, two tiles of K in the memory tiles.
DesignSpec Small(int columns = 2) {
  DesignSpec spec;
  spec.family = DesignFamily::kWholeArray;
  spec.columns = columns;
  spec.tile_m = 8;
  spec.tile_k = 16;
  spec.tile_n = 24;
  spec.k_mt = 32;
  return spec;
}

const Channel& ChannelOf(const ArrayProgram& program, const ChannelId& id) {
  for (const Channel& channel : program.channels) {
    if (channel.id == id) return channel;
  }
  ADD_FAILURE() << "no " << Name(id);
  return program.channels.at(0);
}

const TileBuffer& BufferOf(const ArrayProgram& program, const Descriptor& d) {
  return program.buffers.at(static_cast<size_t>(d.buffer));
}

std::string LockName(const ArrayProgram& program, const LockUse& use) {
  return use.lock < 0 ? "-" : program.locks.at(static_cast<size_t>(use.lock)).name;
}

// "a0_0 a0_empty>a0_full": which buffer, what is acquired, what is released.
std::string Print(const ArrayProgram& program, const Channel& channel) {
  std::string text;
  for (const Descriptor& d : channel.descriptors) {
    text += fmt::format("{} {}>{}\n", BufferOf(program, d).name, LockName(program, d.acquire),
                        LockName(program, d.release));
  }
  return text;
}

std::string PrintFlows(const ArrayProgram& program) {
  std::string text;
  for (const Flow& flow : program.flows) {
    text += Name(flow.source) + " ->";
    for (const ChannelId& to : flow.destinations) text += " " + Name(to);
    text += "\n";
  }
  return text;
}

// Word by word where a descriptor goes in its buffer.
std::vector<int64_t> Walk(const Descriptor& d) {
  std::vector<int64_t> words;
  std::vector<int64_t> at(d.dims.size(), 0);
  for (int64_t i = 0; i < d.length_words; ++i) {
    if (d.dims.empty()) {
      words.push_back(d.offset_words + i);
      continue;
    }
    int64_t word = d.offset_words;
    for (size_t dim = 0; dim < at.size(); ++dim) word += at[dim] * d.dims[dim].step_words;
    words.push_back(word);
    for (size_t dim = 0; dim < at.size() && ++at[dim] == d.dims[dim].size; ++dim) at[dim] = 0;
  }
  return words;
}

// --- Who feeds whom ---

TEST(LowerWholeArrayTest, EveryRowIsFedByOneColumn) {
  // The feeding column of each of the four rows, for one to eight columns.
  const std::vector<int> feeding[] = {{0, 0, 0, 0}, {0, 0, 1, 1}, {0, 0, 1, 2}, {0, 1, 2, 3},
                                      {0, 1, 2, 3}, {0, 1, 3, 4}, {0, 1, 3, 5}, {0, 2, 4, 6}};
  for (int columns = 1; columns <= 8; ++columns) {
    SCOPED_TRACE(columns);
    DesignSpec spec = Small(columns);
    spec.arch = NpuArch::kNpu2;
    ASSERT_EQ(CoreRows(spec), 4);
    std::map<int, std::vector<int>> rows;
    for (int row = 0; row < 4; ++row) {
      EXPECT_EQ(FeedingColumn(spec, row), feeding[columns - 1][static_cast<size_t>(row)]);
      rows[FeedingColumn(spec, row)].push_back(row);
    }
    for (int column = 0; column < columns; ++column) {
      const FedRows fed = FedRowsOf(spec, column);
      ASSERT_EQ(fed.count, static_cast<int>(rows[column].size())) << column;
      for (int i = 0; i < fed.count; ++i) {
        EXPECT_EQ(fed.first + i, rows[column][static_cast<size_t>(i)]) << column;
      }
    }
  }
}

TEST(LowerWholeArrayTest, FlowsOfTwoColumns) {
  EXPECT_EQ(PrintFlows(Lowered(Small(2))),
            R"(shim (0,0) MM2S 0 -> memory (0,1) S2MM 0
memory (0,1) MM2S 0 -> core (0,2) S2MM 0 core (1,2) S2MM 0
memory (0,1) MM2S 1 -> core (0,3) S2MM 0 core (1,3) S2MM 0
shim (0,0) MM2S 1 -> memory (0,1) S2MM 1
memory (0,1) MM2S 4 -> core (0,2) S2MM 1 core (0,3) S2MM 1 core (0,4) S2MM 1 core (0,5) S2MM 1
core (0,2) MM2S 0 -> memory (0,1) S2MM 2
core (0,3) MM2S 0 -> memory (0,1) S2MM 3
core (0,4) MM2S 0 -> memory (0,1) S2MM 4
core (0,5) MM2S 0 -> memory (0,1) S2MM 5
memory (0,1) MM2S 5 -> shim (0,0) S2MM 0
shim (1,0) MM2S 0 -> memory (1,1) S2MM 0
memory (1,1) MM2S 0 -> core (0,4) S2MM 0 core (1,4) S2MM 0
memory (1,1) MM2S 1 -> core (0,5) S2MM 0 core (1,5) S2MM 0
shim (1,0) MM2S 1 -> memory (1,1) S2MM 1
memory (1,1) MM2S 4 -> core (1,2) S2MM 1 core (1,3) S2MM 1 core (1,4) S2MM 1 core (1,5) S2MM 1
core (1,2) MM2S 0 -> memory (1,1) S2MM 2
core (1,3) MM2S 0 -> memory (1,1) S2MM 3
core (1,4) MM2S 0 -> memory (1,1) S2MM 4
core (1,5) MM2S 0 -> memory (1,1) S2MM 5
memory (1,1) MM2S 5 -> shim (1,0) S2MM 0
)");
}

// Rows of A reach all columns, whoever feeds them; columns that feed none have no channel for A.
TEST(LowerWholeArrayTest, StructureForEveryNumberOfColumns) {
  for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
    for (int columns = 1; columns <= arch::NpuOf(arch).columns; ++columns) {
      DesignSpec spec = Small(columns);
      spec.arch = arch;
      SCOPED_TRACE(Name(spec));
      const ArrayProgram program = Lowered(spec);
      EXPECT_EQ(program.spec, spec);
      ASSERT_EQ(program.cores.size(), static_cast<size_t>(4 * columns));
      std::map<std::string, int> feeds;
      for (const Flow& flow : program.flows) {
        if (flow.source.tile.row != 1 || flow.source.channel > 3) continue;
        ASSERT_EQ(flow.destinations.size(), static_cast<size_t>(columns));
        for (int c = 0; c < columns; ++c) {
          const ChannelId& to = flow.destinations[static_cast<size_t>(c)];
          EXPECT_EQ(to.tile.column, c);
          EXPECT_EQ(FeedingColumn(spec, to.tile.row - 2), flow.source.tile.column);
          ++feeds[Name(to)];
        }
      }
      EXPECT_EQ(feeds.size(), static_cast<size_t>(4 * columns));
      for (int c = 0; c < columns; ++c) {
        const ChannelId a_in{{c, 1}, kS2mm, 0};
        const bool has_a = std::any_of(program.channels.begin(), program.channels.end(),
                                       [&](const Channel& channel) { return channel.id == a_in; });
        EXPECT_EQ(has_a, FedRowsOf(spec, c).count > 0) << c;
        // Two buffers for each fed row; one descriptor each, rows in turn.
        if (has_a) {
          EXPECT_EQ(ChannelOf(program, a_in).descriptors.size(),
                    static_cast<size_t>(2 * FedRowsOf(spec, c).count));
        }
      }
      // Two parameters and a start lock for each core.
      EXPECT_EQ(program.parameters.size(), static_cast<size_t>(8 * columns));
      EXPECT_EQ(std::count_if(program.locks.begin(), program.locks.end(),
                              [](const Lock& lock) { return lock.name == "start"; }),
                4 * columns);
    }
  }
}

// --- Memory tiles: channels and locks ---

TEST(LowerWholeArrayTest, ChannelsOfAMemoryTile) {
  const ArrayProgram program = Lowered(Small(2));
  const Tile tile{0, 1};
  const auto print = [&](Direction direction, int channel) {
    return Print(program, ChannelOf(program, {tile, direction, channel}));
  };
  EXPECT_EQ(print(kS2mm, 0),
            "a0_0 a0_empty>a0_full\na1_0 a1_empty>a1_full\n"
            "a0_1 a0_empty>a0_full\na1_1 a1_empty>a1_full\n");
  // The first of a buffer's tiles waits for it, the last one gives it back.
  EXPECT_EQ(print(kMm2s, 0), "a0_0 a0_full>-\na0_0 ->a0_empty\na0_1 a0_full>-\na0_1 ->a0_empty\n");
  EXPECT_EQ(print(kMm2s, 1), "a1_0 a1_full>-\na1_0 ->a1_empty\na1_1 a1_full>-\na1_1 ->a1_empty\n");
  EXPECT_EQ(print(kS2mm, 1), "b_0 b_empty>b_full\nb_1 b_empty>b_full\n");
  EXPECT_EQ(print(kMm2s, 4), "b_0 b_full>b_empty\nb_1 b_full>b_empty\n");
  EXPECT_EQ(print(kS2mm, 2), "c0_0 c0_empty>c0_full\n");
  EXPECT_EQ(print(kS2mm, 5), "c3_0 c3_empty>c3_full\n");
  EXPECT_EQ(print(kMm2s, 5),
            "c0_0 c0_full>c0_empty\nc1_0 c1_full>c1_empty\nc2_0 c2_full>c2_empty\n"
            "c3_0 c3_full>c3_empty\n");
  for (const Lock& lock : program.locks) {
    const bool empty = lock.name.ends_with("_empty");
    const bool c = lock.name.starts_with("c");
    EXPECT_EQ(lock.initial, !empty ? 0 : c ? 1 : 2) << Name(lock.tile) << " " << lock.name;
  }
}

TEST(LowerWholeArrayTest, TwoBuffersOfC) {
  DesignSpec spec = Small(1);
  spec.c_buffers = 2;
  const ArrayProgram program = Lowered(spec);
  EXPECT_EQ(Print(program, ChannelOf(program, {{0, 1}, kS2mm, 3})),
            "c1_0 c1_empty>c1_full\nc1_1 c1_empty>c1_full\n");
  // A whole block of rows, then the next one.
  std::string out;
  for (int i = 0; i < 2; ++i) {
    for (int row = 0; row < 4; ++row) out += fmt::format("c{0}_{1} c{0}_full>c{0}_empty\n", row, i);
  }
  EXPECT_EQ(Print(program, ChannelOf(program, {{0, 1}, kMm2s, 5})), out);
  EXPECT_EQ(Print(program, ChannelOf(program, {{0, 2}, kMm2s, 0})),
            "c_0 c_full>c_empty\nc_1 c_full>c_empty\n");
}

TEST(LowerWholeArrayTest, ATileOfKForEachThatAMemoryTileHolds) {
  for (const int64_t tiles : {1, 2, 3, 5}) {
    DesignSpec spec = Small(4);
    spec.k_mt = tiles == 1 ? 0 : tiles * spec.tile_k;
    SCOPED_TRACE(Name(spec));
    const ArrayProgram program = Lowered(spec);
    const Channel& out = ChannelOf(program, {{2, 1}, kMm2s, 0});
    EXPECT_EQ(out.descriptors.size(), static_cast<size_t>(2 * tiles));
    EXPECT_EQ(BufferOf(program, out.descriptors[0]).bytes, 8 * tiles * 16);
    const Channel& b = ChannelOf(program, {{2, 1}, kMm2s, 4});
    EXPECT_EQ(b.descriptors.size(), 2u);
    EXPECT_EQ(BufferOf(program, b.descriptors[0]).bytes, tiles * 16 * 24);
  }
}

// --- Memory tiles: the order of words ---

// For each block (outer, inner) and each of its lines, the words of that line, from `word_of`.
std::vector<int64_t> Blocks(int64_t outer, int64_t inner, int64_t lines, int64_t words,
                            const std::function<int64_t(int64_t, int64_t, int64_t)>& word_of) {
  std::vector<int64_t> order;
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < inner; ++i) {
      for (int64_t line = 0; line < lines; ++line) {
        for (int64_t w = 0; w < words; ++w) order.push_back(word_of(o, i, line) + w);
      }
    }
  }
  return order;
}

TEST(LowerWholeArrayTest, DimsOfASmallTileByHand) {
  const ArrayProgram program = Lowered(Small(1));
  const Channel& a = ChannelOf(program, {{0, 1}, kMm2s, 0});
  // 8 rows of 32 bytes, 8 words apart; blocks of 4 x 8 bytes: two words, four rows, two along K,
  // two along M. The second tile of K starts 16 bytes on.
  EXPECT_EQ(a.descriptors[0].dims, (DimList{{2, 1}, {4, 8}, {2, 2}, {2, 32}}));
  EXPECT_EQ(a.descriptors[0].offset_words, 0);
  EXPECT_EQ(a.descriptors[1].dims, a.descriptors[0].dims);
  EXPECT_EQ(a.descriptors[1].offset_words, 4);
  EXPECT_EQ(a.descriptors[0].length_words, 32);
  const Channel& c = ChannelOf(program, {{0, 1}, kMm2s, 5});
  // Blocks of 4 x 8 sums are 32 words; three of them make four rows of 24.
  EXPECT_EQ(c.descriptors[0].dims, (DimList{{8, 1}, {3, 32}, {4, 8}, {2, 96}}));
  EXPECT_EQ(c.descriptors[0].length_words, 8 * 24);
}

TEST(LowerWholeArrayTest, TilesOfALeaveInBlocks) {
  for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
    DesignSpec spec = Small();
    spec.arch = arch;
    spec.tile_m = 16;
    const int64_t rows = arch == NpuArch::kNpu1 ? 4 : 8;
    const ArrayProgram program = Lowered(spec);
    const Channel& out = ChannelOf(program, {{0, 1}, kMm2s, 0});
    ASSERT_EQ(out.descriptors.size(), 4u);
    for (size_t i = 0; i < 4; ++i) {
      const int64_t k = static_cast<int64_t>(i % 2) * 16;
      EXPECT_EQ(Walk(out.descriptors[i]), Blocks(16 / rows, 16 / 8, rows, 2,
                                                 [&](int64_t m, int64_t kb, int64_t row) {
                                                   return (((m * rows) + row) * 32 + k + (kb * 8)) /
                                                          4;
                                                 }))
          << i;
    }
  }
}

TEST(LowerWholeArrayTest, TilesOfBLeaveInBlocksWhateverTheirOrder) {
  for (const BLayout layout : {BLayout::kRowMajor, BLayout::kColumnMajor, BLayout::kPacked}) {
    DesignSpec spec = Small();
    spec.b_layout = layout;
    SCOPED_TRACE(Name(spec));
    const ArrayProgram program = Lowered(spec);
    const Channel& out = ChannelOf(program, {{0, 1}, kMm2s, 4});
    const bool transposed = layout == BLayout::kColumnMajor;
    for (const Core& core : program.cores) {
      EXPECT_EQ(core.kernels[1].b_transposed, transposed);
    }
    // All of K that the buffer holds, so tile follows tile; a block has eight lines of eight.
    const std::vector<int64_t> expected =
        Blocks(32 / 8, 24 / 8, 8, 2, [&](int64_t kb, int64_t nb, int64_t line) -> int64_t {
          switch (layout) {
            case BLayout::kRowMajor:
              return (((kb * 8) + line) * 24 + (nb * 8)) / 4;
            case BLayout::kColumnMajor:
              return (((nb * 8) + line) * 32 + (kb * 8)) / 4;
            case BLayout::kPacked:
              break;
          }
          return ((((kb * 3) + nb) * 8) + line) * 2;
        });
    for (const Descriptor& d : out.descriptors) EXPECT_EQ(Walk(d), expected);
  }
}

TEST(LowerWholeArrayTest, TilesOfCLeaveInRows) {
  for (const TileOutput output : {TileOutput::kS32, TileOutput::kS16, TileOutput::kS8}) {
    DesignSpec spec = Small();
    spec.output = output;
    SCOPED_TRACE(Name(spec));
    const ArrayProgram program = Lowered(spec);
    const int64_t element = OutputBytes(output);
    std::vector<int64_t> expected;
    for (int64_t row = 0; row < 8; ++row) {
      for (int64_t byte = 0; byte < 24 * element; byte += 4) {
        const int64_t column = byte / element;
        const int64_t block = ((row / 4) * 3) + (column / 8);
        const int64_t in_block = (((row % 4) * 8) + (column % 8)) * element;
        expected.push_back(((block * 4 * 8 * element) + in_block + (byte % element)) / 4);
      }
    }
    for (const Descriptor& d : ChannelOf(program, {{1, 1}, kMm2s, 5}).descriptors) {
      EXPECT_EQ(Walk(d), expected);
    }
  }
}

// --- Cores ---

std::string Print(const ArrayProgram& program, const Core& core) {
  std::string text;
  for (const CoreOp& op : core.ops) {
    const std::string lock = LockName(program, op.use);
    switch (op.kind) {
      case CoreOp::Kind::kForever:
        text += "forever";
        break;
      case CoreOp::Kind::kRepeat:
        text += "repeat " + program.parameters.at(static_cast<size_t>(op.index)).name;
        break;
      case CoreOp::Kind::kEnd:
        text += "end";
        break;
      case CoreOp::Kind::kAcquire:
        text += "acquire " + lock;
        break;
      case CoreOp::Kind::kRelease:
        text += "release " + lock;
        break;
      case CoreOp::Kind::kCall:
        text += core.kernels.at(static_cast<size_t>(op.index)).name;
        for (const CoreOp::Argument& a : op.arguments) {
          text += " " + core.rings.at(static_cast<size_t>(a.ring)).name;
        }
        for (const int scalar : op.scalars) {
          text += " " + program.parameters.at(static_cast<size_t>(scalar)).name;
        }
        break;
      case CoreOp::Kind::kAdvance:
        text += "advance " + core.rings.at(static_cast<size_t>(op.index)).name;
        break;
    }
    text += "\n";
  }
  return text;
}

TEST(LowerWholeArrayTest, ACoreSumsInItsOutput) {
  const ArrayProgram program = Lowered(Small());
  EXPECT_EQ(Print(program, program.cores[0]), R"(forever
acquire start
repeat tiles
acquire c_empty
zero_s32 c
repeat k_steps
acquire a_full
acquire b_full
matmul_vector_s8_s32 a b c
release a_empty
release b_empty
advance a
advance b
end
release c_full
advance c
end
end
)");
}

// Bytes of the buffers of core (0,2) by name, and of what its MM2S 0 sends.
std::map<std::string, int64_t> CoreBytes(const ArrayProgram& program) {
  std::map<std::string, int64_t> bytes;
  for (const TileBuffer& buffer : program.buffers) {
    if (buffer.tile == Tile{0, 2}) bytes[buffer.name] = buffer.bytes;
  }
  for (const Descriptor& d : ChannelOf(program, {{0, 2}, kMm2s, 0}).descriptors) {
    bytes["sent " + BufferOf(program, d).name] = d.length_words * 4;
  }
  return bytes;
}

TEST(LowerWholeArrayTest, RequantisingInPlaceOrBeside) {
  using Bytes = std::map<std::string, int64_t>;
  constexpr int64_t kBytesOfA = 8 * 16;
  constexpr int64_t kBytesOfB = 16 * 24;
  constexpr int64_t kBytesOfC = 8 * 24;
  DesignSpec spec = Small();
  EXPECT_EQ(CoreBytes(Lowered(spec)), (Bytes{{"a_0", kBytesOfA},
                                             {"a_1", kBytesOfA},
                                             {"b_0", kBytesOfB},
                                             {"b_1", kBytesOfB},
                                             {"c_0", 4 * kBytesOfC},
                                             {"sent c_0", 4 * kBytesOfC}}));
  spec.output = TileOutput::kS8;
  const ArrayProgram in_place = Lowered(spec);
  EXPECT_EQ(CoreBytes(in_place), (Bytes{{"a_0", kBytesOfA},
                                        {"a_1", kBytesOfA},
                                        {"b_0", kBytesOfB},
                                        {"b_1", kBytesOfB},
                                        {"c_0", 4 * kBytesOfC},
                                        {"sent c_0", kBytesOfC}}));
  EXPECT_NE(
      Print(in_place, in_place.cores[0]).find("acquire c_empty\nzero_s32 c\nrepeat k_steps\n"),
      std::string::npos);
  EXPECT_NE(Print(in_place, in_place.cores[0])
                .find("end\nrequantise_s32_s8 c c shift rounding saturation\nrelease c_full\n"),
            std::string::npos);
  spec.output = TileOutput::kS16;
  spec.c_buffers = 2;
  const ArrayProgram beside = Lowered(spec);
  EXPECT_EQ(CoreBytes(beside), (Bytes{{"a_0", kBytesOfA},
                                      {"a_1", kBytesOfA},
                                      {"b_0", kBytesOfB},
                                      {"b_1", kBytesOfB},
                                      {"c_0", 2 * kBytesOfC},
                                      {"sums", 4 * kBytesOfC},
                                      {"sent c_0", 2 * kBytesOfC}}));
  // The sums go on while the last ones are drained: C is waited for as late as it is needed.
  EXPECT_NE(Print(beside, beside.cores[0]).find("repeat tiles\nzero_s32 sums\nrepeat k_steps\n"),
            std::string::npos);
  EXPECT_NE(Print(beside, beside.cores[0])
                .find("end\nacquire c_empty\nrequantise_s32_s16 sums c shift rounding saturation\n"
                      "release c_full\n"),
            std::string::npos);
  EXPECT_EQ(beside.parameters.size(), 5u * 8);
  spec.output = TileOutput::kS8Lossy;
  EXPECT_EQ(CoreBytes(Lowered(spec)), (Bytes{{"a_0", kBytesOfA},
                                             {"a_1", kBytesOfA},
                                             {"b_0", kBytesOfB},
                                             {"b_1", kBytesOfB},
                                             {"c_0", kBytesOfC},
                                             {"c_1", kBytesOfC},
                                             {"sent c_0", kBytesOfC},
                                             {"sent c_1", kBytesOfC}}));
}

TEST(LowerWholeArrayTest, KernelsFollowTheOutput) {
  const std::map<TileOutput, std::vector<std::string>> kernels = {
      {TileOutput::kS32, {"zero_s32", "matmul_vector_s8_s32"}},
      {TileOutput::kS8, {"zero_s32", "matmul_vector_s8_s32", "requantise_s32_s8"}},
      {TileOutput::kS16, {"zero_s32", "matmul_vector_s8_s32", "requantise_s32_s16"}},
      {TileOutput::kS8Lossy, {"zero_s8", "matmul_vector_s8_s8_lossy"}},
      {TileOutput::kS16Lossy, {"zero_s16", "matmul_vector_s8_s16_lossy"}}};
  for (const auto& [output, expected] : kernels) {
    DesignSpec spec = Small();
    spec.output = output;
    for (const Core& core : Lowered(spec).cores) {
      std::vector<std::string> names;
      for (const Kernel& kernel : core.kernels) {
        names.push_back(kernel.name);
        EXPECT_EQ(kernel.m, 8);
        EXPECT_EQ(kernel.k, 16);
        EXPECT_EQ(kernel.n, 24);
        EXPECT_EQ(kernel.block, BlockShapeOf(spec));
      }
      EXPECT_EQ(names, expected) << Name(output);
    }
  }
}

// --- Refusals ---

TEST(LowerWholeArrayTest, RefusalsNameTheNearest) {
  using Change = void (*)(DesignSpec*);
  const std::string of4 = "; expected a multiple of 4 from 4 to 65536, the nearest is ";
  const std::string of8 = "; expected a multiple of 8 from 8 to 65536, the nearest is ";
  const std::string m = "whole_array has no tile with m = ";
  const std::string k = "whole_array has no tile with k = ";
  const std::string n = "whole_array has no tile with n = ";
  const std::string k_mt = "whole_array has no k_mt ";
  const std::string of_k = " with tiles of k = 16; expected a multiple of it, the nearest is ";
  struct {
    Change change;
    std::string message;
  } const cases[] = {
      {[](DesignSpec* s) { s->tile_m = 9; }, m + "9" + of4 + "8"},
      {[](DesignSpec* s) { s->tile_m = 10; }, m + "10" + of4 + "12"},
      {[](DesignSpec* s) { s->tile_m = 0; }, m + "0" + of4 + "4"},
      {[](DesignSpec* s) { s->tile_m = -64; }, m + "-64" + of4 + "4"},
      {[](DesignSpec* s) { s->tile_m = 65540; }, m + "65540" + of4 + "65536"},
      {[](DesignSpec* s) { s->tile_k = 12; }, k + "12" + of8 + "16"},
      {[](DesignSpec* s) { s->tile_n = 27; }, n + "27" + of8 + "24"},
      {[](DesignSpec* s) {
         s->arch = NpuArch::kNpu2;
         s->tile_m = 12;
       },
       m + "12" + of8 + "16"},
      {[](DesignSpec* s) { s->k_mt = 40; }, k_mt + "40" + of_k + "48"},
      {[](DesignSpec* s) { s->k_mt = 39; }, k_mt + "39" + of_k + "32"},
      {[](DesignSpec* s) { s->k_mt = 8; }, k_mt + "8" + of_k + "16"},
      {[](DesignSpec* s) { s->k_mt = -1; }, k_mt + "-1" + of_k + "16"},
      {[](DesignSpec* s) { s->k_mt = 65552; }, k_mt + "65552" + of_k + "65536"},
      {[](DesignSpec* s) { s->columns = 0; }, "whole_array on 0 columns; npu1 has 1 to 4"},
      {[](DesignSpec* s) { s->columns = 5; }, "whole_array on 5 columns; npu1 has 1 to 4"},
      {[](DesignSpec* s) {
         s->arch = NpuArch::kNpu2;
         s->columns = 9;
       },
       "whole_array on 9 columns; npu2 has 1 to 8"},
      {[](DesignSpec* s) { s->c_buffers = 3; }, "whole_array with 3 buffers of C; expected 1 or 2"},
      {[](DesignSpec* s) { s->c_buffers = 0; }, "whole_array with 0 buffers of C; expected 1 or 2"},
      {[](DesignSpec* s) { s->kernel = TileKernel::kScalar; },
       "whole_array has vector kernels only"},
      {[](DesignSpec* s) { s->stack_bytes = -1; }, "a stack of -1 bytes; expected 0 to 1073741824"},
  };
  for (const auto& c : cases) {
    DesignSpec spec = Small();
    c.change(&spec);
    const Result<ArrayProgram> program = Lower(spec);
    ASSERT_FALSE(program.ok()) << c.message;
    EXPECT_EQ(program.status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(program.status().message(), c.message);
  }
}

}  // namespace
}  // namespace tilewave::program
