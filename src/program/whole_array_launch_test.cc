// What a launch of a whole_array design moves: its tasks are walked word by word and compared with
// loops over the images of A, B and C.

#include "program/whole_array_launch.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "program/lower.h"
#include "program/lower_whole_array.h"
#include "program/stream.h"
#include "tests/support/whole_array_samples.h"

namespace tilewave::program {
namespace {

using arch::NpuArch;

constexpr int kA = 0;
constexpr int kB = 1;
constexpr int kC = 2;

// Small tiles, so that every word can be walked: 4 x 8 x 8, two tiles of K in the memory tiles.
DesignSpec Small(int columns, BLayout layout) {
  DesignSpec spec;
  spec.family = DesignFamily::kWholeArray;
  spec.columns = columns;
  spec.tile_m = 4;
  spec.tile_k = 8;
  spec.tile_n = 8;
  spec.k_mt = 16;
  spec.b_layout = layout;
  return spec;
}

std::string Print(const ProductShape& shape) {
  return fmt::format("{} x {}x{}x{}{}{}", shape.batch, shape.m, shape.k, shape.n,
                     shape.a_shared ? " one A" : "", shape.b_shared ? " one B" : "");
}

ImageLayout LayoutOf(const DesignSpec& spec, const ProductShape& shape) {
  const Result<ImageLayout> layout = ImageLayoutOf(spec, shape);
  EXPECT_TRUE(layout.ok()) << layout.status().ToString();
  return layout.ok() ? *layout : ImageLayout();
}

Sequence SequenceOf(const DesignSpec& spec, const ProductShape& shape) {
  const Result<ArrayProgram> program = Lower(spec);
  EXPECT_TRUE(program.ok()) << program.status().ToString();
  if (!program.ok()) return {};
  const Result<Sequence> sequence = WholeArraySequence(*program, shape, LayoutOf(spec, shape));
  EXPECT_TRUE(sequence.ok()) << sequence.status().ToString();
  return sequence.ok() ? *sequence : Sequence();
}

// The bytes / 4 that each channel moves, in order: by column, and A, B or C.
using Moved = std::map<std::pair<int, int>, std::vector<int64_t>>;

void WalkOnce(const WriteDescriptor& d, int64_t execution, std::vector<int64_t>* words) {
  ASSERT_EQ(d.offset_bytes % 4, 0);
  const int64_t base =
      (d.offset_bytes / 4) + (execution % d.iteration.size * d.iteration.step_words);
  std::vector<int64_t> at(d.dims.size(), 0);
  for (int64_t i = 0; i < d.length_words; ++i) {
    int64_t word = base + (d.dims.empty() ? i : 0);
    for (size_t dim = 0; dim < at.size(); ++dim) word += at[dim] * d.dims[dim].step_words;
    words->push_back(word);
    for (size_t dim = 0; dim < at.size() && ++at[dim] == d.dims[dim].size; ++dim) at[dim] = 0;
  }
}

Moved Walk(const Sequence& sequence) {
  std::map<std::pair<int, int>, WriteDescriptor> descriptors;
  Moved moved;
  for (const SequenceOp& op : sequence) {
    if (const auto* write = std::get_if<WriteDescriptor>(&op)) {
      descriptors[{write->tile.column, write->id}] = *write;
    } else if (const auto* push = std::get_if<PushTask>(&op)) {
      const int column = push->channel.tile.column;
      const WriteDescriptor& d = descriptors.at({column, push->descriptor});
      const bool receives = push->channel.direction == Direction::kS2mm;
      EXPECT_EQ(d.argument, receives ? kC : push->channel.channel) << "another channel's buffer";
      for (int64_t execution = 0; execution < push->executions; ++execution) {
        WalkOnce(d, execution, &moved[{column, d.argument}]);
      }
    }
  }
  return moved;
}

// --- What should move, from the images alone ---

class Expected {
 public:
  Expected(const DesignSpec& spec, const ProductShape& shape)
      : spec_(spec), shape_(shape), layout_(LayoutOf(spec, shape)) {}

  Moved All() {
    for (int64_t matrix = 0; matrix < shape_.batch; ++matrix) {
      for (int64_t row = 0; row < layout_.row_blocks; ++row) {
        for (int64_t column = 0; column < layout_.column_blocks; ++column) {
          for (int c = 0; c < spec_.columns; ++c) {
            A(matrix, row, c);
            B(matrix, column * spec_.columns + c, c);
            C(matrix, row, column * spec_.columns + c, c);
          }
        }
      }
    }
    return std::move(moved_);
  }

 private:
  void Bytes(int column, int argument, int64_t from, int64_t count) {
    ASSERT_EQ(from % 4, 0);
    for (int64_t b = 0; b < count; b += 4) moved_[{column, argument}].push_back((from + b) / 4);
  }

  // Buffer after buffer of the memory tile: tile_m rows of k_mt for each row of cores that it
  // feeds.
  void A(int64_t matrix, int64_t row_block, int column) {
    const int64_t base = shape_.a_shared ? 0 : matrix * layout_.a_bytes;
    for (int64_t k = 0; k < layout_.k_padded; k += MemoryTileK(spec_)) {
      for (int core_row = 0; core_row < 4; ++core_row) {
        if (FeedingColumn(spec_, core_row) != column) continue;
        for (int64_t r = 0; r < spec_.tile_m; ++r) {
          const int64_t row = ((row_block * 4) + core_row) * spec_.tile_m + r;
          Bytes(column, kA, base + (row * layout_.k_padded) + k, MemoryTileK(spec_));
        }
      }
    }
  }

  // k_mt x tile_n after another of one strip of columns.
  void B(int64_t matrix, int64_t strip, int column) {
    const int64_t base = shape_.b_shared ? 0 : matrix * layout_.b_bytes;
    const int64_t n = strip * spec_.tile_n;
    const int64_t k_mt = MemoryTileK(spec_);
    for (int64_t k = 0; k < layout_.k_padded; k += k_mt) {
      switch (spec_.b_layout) {
        case BLayout::kRowMajor:
          for (int64_t r = k; r < k + k_mt; ++r) {
            Bytes(column, kB, base + (r * layout_.n_padded) + n, spec_.tile_n);
          }
          break;
        case BLayout::kColumnMajor:
          for (int64_t r = n; r < n + spec_.tile_n; ++r) {
            Bytes(column, kB, base + (r * layout_.k_padded) + k, k_mt);
          }
          break;
        case BLayout::kPacked:
          Bytes(column, kB, base + (n * layout_.k_padded) + (k * spec_.tile_n),
                k_mt * spec_.tile_n);
          break;
      }
    }
  }

  void C(int64_t matrix, int64_t row_block, int64_t strip, int column) {
    const int64_t element = OutputBytes(spec_.output);
    for (int64_t r = 0; r < 4 * spec_.tile_m; ++r) {
      const int64_t row = (row_block * 4 * spec_.tile_m) + r;
      Bytes(column, kC,
            (matrix * layout_.c_bytes) +
                (((row * layout_.n_padded) + (strip * spec_.tile_n)) * element),
            spec_.tile_n * element);
    }
  }

  const DesignSpec& spec_;
  const ProductShape& shape_;
  const ImageLayout layout_;
  Moved moved_;
};

// How often each word of an image is moved, all columns together.
std::map<int64_t, int64_t> Counts(const Moved& moved, int argument) {
  std::map<int64_t, int64_t> counts;
  for (const auto& [key, words] : moved) {
    if (key.second != argument) continue;
    for (const int64_t word : words) ++counts[word];
  }
  return counts;
}

void ExpectAllWords(const Moved& moved, int argument, int64_t bytes, int64_t times) {
  const std::map<int64_t, int64_t> counts = Counts(moved, argument);
  ASSERT_EQ(counts.size(), static_cast<size_t>(bytes / 4)) << "argument " << argument;
  EXPECT_EQ(counts.begin()->first, 0);
  EXPECT_EQ(counts.rbegin()->first, (bytes / 4) - 1);
  for (const auto& [word, count] : counts) ASSERT_EQ(count, times) << argument << ": " << word;
}

// --- Images ---

TEST(WholeArrayLaunchTest, ImagesOfRaggedShapes) {
  DesignSpec spec = Small(3, BLayout::kPacked);
  spec.tile_m = 64;
  spec.tile_k = 64;
  spec.tile_n = 32;
  spec.k_mt = 192;
  ImageLayout layout = LayoutOf(spec, Shape(1, 1, 1, 1));
  EXPECT_EQ(layout.m_padded, 256);
  EXPECT_EQ(layout.k_padded, 192);
  EXPECT_EQ(layout.n_padded, 96);
  EXPECT_EQ(layout.row_blocks, 1);
  EXPECT_EQ(layout.column_blocks, 1);
  layout = LayoutOf(spec, Shape(1, 256, 192, 96));
  EXPECT_EQ(layout.m_padded, 256);
  EXPECT_EQ(layout.k_padded, 192);
  EXPECT_EQ(layout.n_padded, 96);
  ProductShape shape = Shape(7, 257, 193, 97);
  layout = LayoutOf(spec, shape);
  EXPECT_EQ(layout.m_padded, 512);
  EXPECT_EQ(layout.k_padded, 384);
  EXPECT_EQ(layout.n_padded, 192);
  EXPECT_EQ(layout.row_blocks, 2);
  EXPECT_EQ(layout.column_blocks, 2);
  EXPECT_EQ(layout.a_bytes, 512 * 384);
  EXPECT_EQ(layout.b_bytes, 384 * 192);
  EXPECT_EQ(layout.c_bytes, 512 * 192 * 4);
  EXPECT_EQ(layout.a_matrices, 7);
  EXPECT_EQ(layout.b_matrices, 7);
  EXPECT_EQ(layout.c_matrices, 7);
  shape.a_shared = shape.b_shared = true;
  spec.output = TileOutput::kS8;
  layout = LayoutOf(spec, shape);
  EXPECT_EQ(layout.a_matrices, 1);
  EXPECT_EQ(layout.b_matrices, 1);
  EXPECT_EQ(layout.c_matrices, 7);
  EXPECT_EQ(layout.c_bytes, 512 * 192);
}

TEST(WholeArrayLaunchTest, ImagesThatOverflowAreRefused) {
  const DesignSpec spec = Small(4, BLayout::kPacked);
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  for (const ProductShape& shape :
       {Shape(1, kMost, 1, 1), Shape(1, 1, kMost, 1), Shape(1, 1, 1, kMost), Shape(kMost, 1, 1, 1),
        Shape(1, int64_t{1} << 40, int64_t{1} << 40, 1),
        Shape(1, 1, int64_t{1} << 40, int64_t{1} << 40),
        Shape(1, int64_t{1} << 31, 1, int64_t{1} << 31), Shape(int64_t{1} << 55, 100, 100, 100)}) {
    const Result<ImageLayout> layout = ImageLayoutOf(spec, shape);
    ASSERT_FALSE(layout.ok()) << Print(shape);
    EXPECT_EQ(layout.status().code(), StatusCode::kOutOfRange);
    EXPECT_EQ(layout.status().message(), "the images of this product overflow 62 bits");
  }
  // C of 2^30 x 2^30 sums is 2^62 bytes; one more row of blocks is too much.
  EXPECT_TRUE(ImageLayoutOf(spec, Shape(1, int64_t{1} << 30, 1, int64_t{1} << 30)).ok());
  EXPECT_FALSE(ImageLayoutOf(spec, Shape(1, (int64_t{1} << 30) + 1, 1, int64_t{1} << 30)).ok());
}

// --- Every word, in order ---

TEST(WholeArrayLaunchTest, EachChannelMovesWhatItsTilesTake) {
  for (int columns = 1; columns <= 4; ++columns) {
    for (const BLayout layout : kLayouts) {
      for (const TileOutput output : {TileOutput::kS32, TileOutput::kS8}) {
        DesignSpec spec = Small(columns, layout);
        spec.output = output;
        for (const ProductShape& shape :
             {Shape(1, 1, 1, 1), Shape(1, 16, 16, 32), Shape(1, 33, 40, 70), Shape(3, 20, 17, 40),
              ProductShape{2, 20, 33, 40, true, false, {}},
              ProductShape{2, 20, 33, 40, false, true, {}}}) {
          SCOPED_TRACE(Name(spec) + " " + Print(shape));
          const Moved moved = Walk(SequenceOf(spec, shape));
          Moved expected = Expected(spec, shape).All();
          ASSERT_EQ(moved.size(), expected.size());
          for (const auto& [key, words] : moved) {
            EXPECT_TRUE(words == expected[key])
                << "column " << key.first << " argument " << key.second;
          }
          const ImageLayout image = LayoutOf(spec, shape);
          const int64_t matrices = shape.batch;
          ExpectAllWords(moved, kA, image.a_bytes * image.a_matrices,
                         image.column_blocks * matrices / image.a_matrices);
          ExpectAllWords(moved, kB, image.b_bytes * image.b_matrices,
                         image.row_blocks * matrices / image.b_matrices);
          ExpectAllWords(moved, kC, image.c_bytes * image.c_matrices, 1);
        }
      }
    }
  }
}

// More blocks of columns than a descriptor iterates over: 64, then the rest.
TEST(WholeArrayLaunchTest, ManyBlocksOfColumnsTakeSeveralRounds) {
  for (const BLayout layout : kLayouts) {
    const DesignSpec spec = Small(2, layout);
    const ProductShape shape = Shape(1, 20, 16, 16 * 130);
    SCOPED_TRACE(Name(spec));
    const Sequence sequence = SequenceOf(spec, shape);
    std::vector<int> executions;
    for (const SequenceOp& op : sequence) {
      const auto* push = std::get_if<PushTask>(&op);
      if (push != nullptr && push->channel == ChannelId{{0, 0}, Direction::kMm2s, 0}) {
        executions.push_back(push->executions);
      }
    }
    EXPECT_EQ(executions, (std::vector<int>{64, 64, 2, 64, 64, 2}));
    const Moved moved = Walk(sequence);
    EXPECT_TRUE(moved == Expected(spec, shape).All());
  }
}

// Groups of rows of B that a wrap and a step can count; a prime number of rows has none.
TEST(WholeArrayLaunchTest, RowsOfBInGroups) {
  DesignSpec spec = Small(1, BLayout::kRowMajor);
  spec.k_mt = 8;
  for (const int64_t k : {8, 8 * 127, 8 * 128, 8 * 131, 8 * 1031}) {
    const ProductShape shape = Shape(1, 4, k, 16);
    SCOPED_TRACE(k);
    EXPECT_TRUE(Walk(SequenceOf(spec, shape)) == Expected(spec, shape).All());
  }
}

// --- Long strides ---

// B in columns of 2^20 words and more: a step that no shim has, so one round for each block.
TEST(WholeArrayLaunchTest, StepsOfBThatAreTooLong) {
  DesignSpec spec = Small(4, BLayout::kColumnMajor);
  spec.arch = NpuArch::kNpu2;
  spec.tile_m = spec.tile_k = spec.tile_n = 64;
  spec.k_mt = 128;
  struct {
    int64_t k;
    int64_t rounds;
  } const cases[] = {{16384, 1}, {16512, 3}};  // 4 x 64 columns of 4096 words make 2^20.
  for (const BLayout layout : {BLayout::kColumnMajor, BLayout::kPacked}) {
    spec.b_layout = layout;
    for (const auto& c : cases) {
      const ProductShape shape = Shape(1, 256, c.k, 256 * 3);
      SCOPED_TRACE(Name(spec) + " " + Print(shape));
      int64_t rounds = 0;
      for (const SequenceOp& op : SequenceOf(spec, shape)) {
        const auto* write = std::get_if<WriteDescriptor>(&op);
        if (write == nullptr || write->tile.column != 1 || write->argument != kB) continue;
        EXPECT_EQ(write->offset_bytes, ((rounds * 4) + 1) * 64 * c.k);
        EXPECT_EQ(write->iteration, (c.rounds == 1 ? Dim{3, 1 << 20} : Dim{1, 1}));
        ++rounds;
      }
      EXPECT_EQ(rounds, c.rounds);
    }
  }
  // Rows of B, which do not get longer with K, go on.
  spec.b_layout = BLayout::kRowMajor;
  const Sequence rows = SequenceOf(spec, Shape(1, 256, 100000, 256 * 3));
  EXPECT_EQ(std::count_if(rows.begin(), rows.end(),
                          [](const SequenceOp& op) {
                            const auto* write = std::get_if<WriteDescriptor>(&op);
                            return write != nullptr && write->argument == kB;
                          }),
            4);
}

// --- Order ---

// One letter for each operation of a column: A, B, C written and pushed, a, b, c awaited; P, L for
// the cores' parameters and locks.
std::string Letters(const Sequence& sequence, int column) {
  std::string letters;
  for (size_t i = 0; i < sequence.size(); ++i) {
    const SequenceOp& op = sequence[i];
    if (const auto* write = std::get_if<WriteDescriptor>(&op)) {
      if (write->tile.column != column) continue;
      letters += "ABC"[write->argument];
      const auto* push = std::get_if<PushTask>(&sequence.at(i + 1));
      EXPECT_TRUE(push != nullptr && push->descriptor == write->id && push->token &&
                  push->channel.tile == write->tile)
          << "its task comes next";
    } else if (const auto* await = std::get_if<AwaitToken>(&op)) {
      if (await->channel.tile.column != column) continue;
      letters += await->channel.direction == Direction::kS2mm ? 'c'
                 : await->channel.channel == 0                ? 'a'
                                                              : 'b';
    } else if (const auto* parameter = std::get_if<WriteParameter>(&op)) {
      if (parameter->tile.column == column) letters += 'P';
    } else if (const auto* lock = std::get_if<SetLock>(&op)) {
      if (lock->tile.column == column) letters += 'L';
    }
  }
  return letters;
}

TEST(WholeArrayLaunchTest, FourRoundsWait) {
  // Parameters of a column's four cores, two each, before their locks; drained from then on.
  const std::string start = "ABPPPPPPPPLLLLC";
  const DesignSpec spec = Small(2, BLayout::kPacked);
  const auto rounds = [&spec](int64_t row_blocks) {
    return Letters(SequenceOf(spec, Shape(1, 16 * row_blocks, 16, 16)), 1);
  };
  EXPECT_EQ(rounds(1), start + "cba");
  EXPECT_EQ(rounds(2), start + "ABC" + "cba" + "cba");
  EXPECT_EQ(rounds(4), start + "ABCABCABC" + "cbacbacbacba");
  EXPECT_EQ(rounds(5), start + "ABCABCABC" + "cbaABC" + "cbacbacbacba");
  EXPECT_EQ(rounds(7), start + "ABCABCABC" + "cbaABCcbaABCcbaABC" + "cbacbacbacba");
}

TEST(WholeArrayLaunchTest, ColumnsThatFeedNoRowsHaveNoA) {
  DesignSpec spec = Small(8, BLayout::kPacked);
  spec.arch = NpuArch::kNpu2;
  spec.tile_m = 8;
  const Sequence sequence = SequenceOf(spec, Shape(1, 64, 16, 64));
  EXPECT_EQ(Letters(sequence, 2), "ABPPPPPPPPLLLLCABCcbacba");
  EXPECT_EQ(Letters(sequence, 3), "BPPPPPPPPLLLLCBCcbcb");
}

TEST(WholeArrayLaunchTest, CoresAreToldHowManyTilesAndSteps) {
  DesignSpec spec = Small(2, BLayout::kPacked);
  spec.output = TileOutput::kS8;
  ProductShape shape = Shape(3, 20, 33, 40);
  shape.requant.shift = 9;
  shape.requant.rounding = Rounding::kConvEven;
  shape.requant.saturation = Saturation::kSymmetric;
  const Result<ArrayProgram> program = Lower(spec);
  ASSERT_TRUE(program.ok());
  std::map<std::string, std::vector<uint32_t>> values;
  for (const SequenceOp& op : SequenceOf(spec, shape)) {
    const auto* write = std::get_if<WriteParameter>(&op);
    if (write == nullptr) continue;
    for (const Parameter& p : program->parameters) {
      if (p.tile == write->tile && p.address == write->address)
        values[p.name].push_back(write->value);
    }
  }
  // Two blocks of rows, three of columns, three matrices; 48 of K in steps of 8.
  const auto eight = [](uint32_t value) { return std::vector<uint32_t>(8, value); };
  EXPECT_EQ(values["tiles"], eight(18));
  EXPECT_EQ(values["k_steps"], eight(6));
  EXPECT_EQ(values["shift"], eight(9));
  EXPECT_EQ(values["rounding"], eight(static_cast<uint32_t>(Rounding::kConvEven)));
  EXPECT_EQ(values["saturation"], eight(static_cast<uint32_t>(Saturation::kSymmetric)));
  EXPECT_EQ(values.size(), 5u);
}

// --- Errors ---

TEST(WholeArrayLaunchTest, CountsThatHaveNo32BitsAreRefused) {
  const DesignSpec spec = Small(1, BLayout::kPacked);
  const Result<ArrayProgram> program = Lower(spec);
  ASSERT_TRUE(program.ok());
  const ProductShape shape = Shape(1, 1, spec.tile_k << 32, 1);
  const Result<Sequence> sequence = WholeArraySequence(*program, shape, LayoutOf(spec, shape));
  ASSERT_FALSE(sequence.ok());
  EXPECT_EQ(sequence.status().code(), StatusCode::kOutOfRange);
  EXPECT_EQ(sequence.status().message(), "a launch with k_steps = 4294967296; at most 4294967295");
}

TEST(WholeArrayLaunchTest, AStreamWithoutAListInBetweenIsTheSequences) {
  for (const BLayout layout : {BLayout::kRowMajor, BLayout::kColumnMajor, BLayout::kPacked}) {
    const DesignSpec spec = Small(2, layout);
    const Result<ArrayProgram> program = Lower(spec);
    ASSERT_TRUE(program.ok());
    std::vector<uint32_t> words = {1, 2, 3};  // Of an earlier stream.
    for (const ProductShape& shape : {Shape(1, 100, 16, 16), Shape(3, 1000, 200, 700)}) {
      ASSERT_TRUE(EncodeWholeArray(*program, shape, LayoutOf(spec, shape), &words).ok());
      const Result<std::vector<uint32_t>> expected =
          EncodeStream(SequenceOf(spec, shape), arch::NpuOf(spec.arch));
      ASSERT_TRUE(expected.ok());
      EXPECT_EQ(words, *expected);
    }
  }
}

TEST(WholeArrayLaunchTest, StreamsLargerThanTheDevicesMemoryForThemAreRefused) {
  const DesignSpec spec = Small(2, BLayout::kPacked);
  const Result<ArrayProgram> program = Lower(spec);
  ASSERT_TRUE(program.ok());
  const ProductShape shape = Shape(1, int64_t{1} << 40, 16, 16);
  const Result<Sequence> sequence = WholeArraySequence(*program, shape, LayoutOf(spec, shape));
  EXPECT_EQ(sequence.status().code(), StatusCode::kOutOfRange);
  EXPECT_NE(sequence.status().message().find("cut it into several products"), std::string::npos)
      << sequence.status().message();
  std::vector<uint32_t> words;
  EXPECT_EQ(EncodeWholeArray(*program, shape, LayoutOf(spec, shape), &words).message(),
            sequence.status().message());
}

}  // namespace
}  // namespace tilewave::program
