#include "pack/tiles.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "base/random.h"

namespace tilewave::pack {
namespace {

constexpr int8_t kPoison8 = 0x5A;
constexpr int32_t kPoison32 = 0x5A5A5A5A;
constexpr int64_t kGuardElements = 64;

constexpr TileLayout kLayouts[] = {{1, 1, 1, 1},   {13, 21, 1, 1}, {64, 64, 1, 1},  {32, 24, 1, 8},
                                   {4, 8, 4, 8},   {12, 24, 4, 8}, {64, 64, 4, 8},  {8, 8, 8, 8},
                                   {16, 40, 8, 8}, {64, 64, 8, 8}, {8, 48, 4, 16},  {12, 24, 3, 8},
                                   {6, 12, 2, 4},  {16, 10, 8, 5}, {24, 24, 24, 24}};

// What there may be of `extent` elements: none, few, all but one, all.
std::set<int64_t> Parts(int64_t extent) { return {0, 1, extent / 2, extent - 1, extent}; }

struct TileStrideCase {
  const char* name;
  int64_t row;
  int64_t col;
};

std::vector<TileStrideCase> TileStrideCases(int64_t rows, int64_t cols) {
  return {{"row-major", cols, 1},
          {"row-major, padded", cols + 5, 1},
          {"transposed", 1, rows},
          {"transposed, padded", 1, rows + 3},
          {"rows repeated", 0, 1},
          {"columns repeated", 1, 0},
          {"one element", 0, 0},
          {"gaps", 2 * cols + 1, 2},
          {"gaps, transposed", 3, 3 * rows + 2},
          {"overlapping", 1, 1}};
}

std::vector<int8_t> RandomBytes(base::Random* random, int64_t count) {
  std::vector<int8_t> bytes;
  for (int64_t i = 0; i < count; ++i) bytes.push_back(static_cast<int8_t>(random->Next() >> 56));
  return bytes;
}

std::vector<int8_t> SlowPack(const TileSource& source, const TileLayout& layout) {
  std::vector<int8_t> tile(static_cast<size_t>(layout.elements()), 0);
  for (int64_t row = 0; row < source.rows; ++row) {
    for (int64_t col = 0; col < source.cols; ++col) {
      const int8_t value = source.data[(row * source.row_stride) + (col * source.col_stride)];
      tile[static_cast<size_t>(TileIndex(layout, row, col))] =
          static_cast<int8_t>(value ^ source.flip);
    }
  }
  return tile;
}

std::vector<int8_t> PackGuarded(const TileSource& source, const TileLayout& layout) {
  std::vector<int8_t> memory(static_cast<size_t>(layout.elements() + (2 * kGuardElements)),
                             kPoison8);
  PackTile(source, layout, memory.data() + kGuardElements);
  for (int64_t i = 0; i < kGuardElements; ++i) {
    EXPECT_EQ(memory[static_cast<size_t>(i)], kPoison8) << "before the tile";
    EXPECT_EQ(memory[static_cast<size_t>(kGuardElements + layout.elements() + i)], kPoison8)
        << "behind the tile";
  }
  return {memory.begin() + kGuardElements, memory.end() - kGuardElements};
}

::testing::Message Describe(const TileLayout& layout, int64_t rows, int64_t cols) {
  return ::testing::Message() << rows << " x " << cols << " of a tile of " << layout.rows << " x "
                              << layout.cols << " in blocks of " << layout.block_rows << " x "
                              << layout.block_cols;
}

// Calls visit(layout, rows, cols) for every layout and every ragged part of it.
template <typename Visitor>
void ForEachPart(Visitor visit) {
  for (const TileLayout& layout : kLayouts) {
    for (int64_t rows : Parts(layout.rows)) {
      for (int64_t cols : Parts(layout.cols)) {
        SCOPED_TRACE(Describe(layout, rows, cols));
        visit(layout, rows, cols);
        if (::testing::Test::HasFailure()) return;
      }
    }
  }
}

TEST(TilesTest, IndexOfABlockedTile) {
  constexpr TileLayout kBlocked{8, 16, 4, 8};
  EXPECT_EQ(TileIndex(kBlocked, 0, 7), 7);
  EXPECT_EQ(TileIndex(kBlocked, 1, 0), 8);
  EXPECT_EQ(TileIndex(kBlocked, 3, 7), 31);
  EXPECT_EQ(TileIndex(kBlocked, 0, 8), 32);
  EXPECT_EQ(TileIndex(kBlocked, 4, 0), 64);
  EXPECT_EQ(TileIndex(kBlocked, 7, 15), 127);
  constexpr TileLayout kPlain{8, 16, 1, 1};
  EXPECT_EQ(TileIndex(kPlain, 3, 5), 53);
}

TEST(TilesTest, IndicesAreAPermutation) {
  for (const TileLayout& layout : kLayouts) {
    std::set<int64_t> indices;
    for (int64_t row = 0; row < layout.rows; ++row) {
      for (int64_t col = 0; col < layout.cols; ++col) indices.insert(TileIndex(layout, row, col));
    }
    SCOPED_TRACE(Describe(layout, layout.rows, layout.cols));
    EXPECT_EQ(static_cast<int64_t>(indices.size()), layout.elements());
    EXPECT_EQ(*indices.begin(), 0);
    EXPECT_EQ(*indices.rbegin(), layout.elements() - 1);
  }
}

TEST(TilesTest, PackIsTheSlowTwinsForAllStridesAndParts) {
  base::Random random(51);
  ForEachPart([&](const TileLayout& layout, int64_t rows, int64_t cols) {
    for (const TileStrideCase& strides : TileStrideCases(rows, cols)) {
      SCOPED_TRACE(strides.name);
      // Not a byte more than there is, so that a sanitizer sees reads beyond it.
      const int64_t reached =
          rows == 0 || cols == 0 ? 0 : ((rows - 1) * strides.row) + ((cols - 1) * strides.col) + 1;
      const std::vector<int8_t> bytes = RandomBytes(&random, reached);
      for (uint8_t flip : {uint8_t{0}, uint8_t{0x80}}) {
        const TileSource source{bytes.data(), strides.row, strides.col, rows, cols, flip};
        ASSERT_EQ(PackGuarded(source, layout), SlowPack(source, layout)) << "flip " << int{flip};
      }
    }
  });
}

TEST(TilesTest, PaddingIsZeroEvenWhereBytesAreFlipped) {
  constexpr TileLayout kLayout{4, 8, 4, 8};
  const int8_t byte = -128;
  const std::vector<int8_t> tile = PackGuarded({&byte, 1, 1, 1, 1, 0x80}, kLayout);
  EXPECT_EQ(tile, std::vector<int8_t>(32, 0));
}

template <typename T>
using AddFunction = void (*)(const T*, const TileLayout&, int64_t, int64_t, bool, int32_t*,
                             int64_t);

template <typename T>
std::vector<int32_t> SlowAdd(const std::vector<T>& tile, const TileLayout& layout, int64_t rows,
                             int64_t cols, bool overwrite, std::vector<int32_t> sums,
                             int64_t row_stride) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t col = 0; col < cols; ++col) {
      int32_t& sum = sums[static_cast<size_t>(kGuardElements + (row * row_stride) + col)];
      const int64_t before = overwrite ? 0 : sum;
      const int64_t value = tile[static_cast<size_t>(TileIndex(layout, row, col))];
      sum = static_cast<int32_t>(static_cast<uint32_t>(before + value));
    }
  }
  return sums;
}

// Elements of all magnitudes, so that some sums wrap; what is not to be written is poisoned.
template <typename T>
void ExpectAdds(AddFunction<T> add) {
  base::Random random(52);
  ForEachPart([&](const TileLayout& layout, int64_t rows, int64_t cols) {
    std::vector<T> tile;
    for (int64_t i = 0; i < layout.elements(); ++i) tile.push_back(static_cast<T>(random.Next()));
    for (int64_t row_stride : {cols, cols + 3}) {
      std::vector<int32_t> sums(static_cast<size_t>((rows * row_stride) + (2 * kGuardElements)),
                                kPoison32);
      for (int64_t i = 0; i < rows * cols; ++i) {
        const int64_t element = (i / cols * row_stride) + (i % cols);
        sums[static_cast<size_t>(kGuardElements + element)] = static_cast<int32_t>(random.Next());
      }
      for (bool overwrite : {false, true}) {
        std::vector<int32_t> actual = sums;
        add(tile.data(), layout, rows, cols, overwrite, actual.data() + kGuardElements, row_stride);
        ASSERT_EQ(actual, SlowAdd(tile, layout, rows, cols, overwrite, sums, row_stride))
            << "row stride " << row_stride << (overwrite ? ", overwriting" : ", adding");
      }
    }
  });
}

TEST(TilesTest, AddS32IsTheSlowTwins) { ExpectAdds<int32_t>(AddTileS32); }

TEST(TilesTest, AddS8IsTheSlowTwins) { ExpectAdds<int8_t>(AddTileS8); }

TEST(TilesTest, UnpackingBringsTheMatrixBack) {
  base::Random random(53);
  ForEachPart([&](const TileLayout& layout, int64_t rows, int64_t cols) {
    const std::vector<int8_t> matrix = RandomBytes(&random, rows * cols);
    const std::vector<int8_t> tile = PackGuarded({matrix.data(), cols, 1, rows, cols, 0}, layout);
    std::vector<int32_t> back(matrix.size(), kPoison32);
    AddTileS8(tile.data(), layout, rows, cols, true, back.data(), cols);
    ASSERT_TRUE(std::equal(matrix.begin(), matrix.end(), back.begin()));
  });
}

TEST(TilesDeathTest, BlocksThatDoNotDivideAndSourcesThatDoNotFit) {
  const std::vector<int8_t> bytes(256, 1);
  std::vector<int8_t> out(256);
  std::vector<int32_t> sums(256);
  EXPECT_DEATH(PackTile({bytes.data(), 8, 1, 6, 8, 0}, {6, 8, 4, 8}, out.data()), "block_rows");
  EXPECT_DEATH(PackTile({bytes.data(), 8, 1, 4, 6, 0}, {4, 6, 4, 8}, out.data()), "block_cols");
  EXPECT_DEATH(PackTile({bytes.data(), 8, 1, 5, 8, 0}, {4, 8, 4, 8}, out.data()), "source.rows");
  EXPECT_DEATH(PackTile({bytes.data(), 9, 1, 4, 9, 0}, {4, 8, 4, 8}, out.data()), "source.cols");
  EXPECT_DEATH(AddTileS8(bytes.data(), {4, 8, 4, 8}, 5, 8, true, sums.data(), 8), "rows <= ");
  EXPECT_DEATH(AddTileS8(bytes.data(), {4, 8, 4, 8}, 4, 9, true, sums.data(), 9), "cols <= ");
}

}  // namespace
}  // namespace tilewave::pack
