#include "pack/tiles.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

#include "base/check.h"

namespace tilewave::pack {
namespace {

// Elements that are taken together: one uint64_t of 8-bit ones.
constexpr int64_t kWord = 8;

void CheckBlocks(const TileLayout& layout) {
  TW_CHECK_EQ(layout.rows % layout.block_rows, 0);
  TW_CHECK_EQ(layout.cols % layout.block_cols, 0);
}

/// The same order with the longest runs that it allows: blocks of one row make a row-major tile,
/// whose rows are whole runs.
TileLayout WithLongestRuns(TileLayout layout) {
  if (layout.block_rows == 1) layout.block_cols = layout.cols;
  return layout;
}

/// Where the rows of a tile begin, from row 0 on, without a division per row.
class RowStarts {
 public:
  explicit RowStarts(const TileLayout& layout)
      : block_rows_(layout.block_rows),
        block_cols_(layout.block_cols),
        blocks_(layout.block_rows * layout.cols) {}

  int64_t Next() {
    const int64_t start = first_of_block_ + (row_in_block_ * block_cols_);
    if (++row_in_block_ == block_rows_) {
      row_in_block_ = 0;
      first_of_block_ += blocks_;
    }
    return start;
  }

 private:
  int64_t block_rows_;
  int64_t block_cols_;
  int64_t blocks_;  ///< Elements of one row of blocks.
  int64_t first_of_block_ = 0;
  int64_t row_in_block_ = 0;
};

/// Visits the first rows x cols elements: word(row, col, index) where kWord of them stand next to
/// each other in the tile, and one(row, col, index) for those that are left over. `kBlockCols` is
/// layout.block_cols where the compiler shall know it, or 0. The visitors are best given their
/// captures by value: a store through int8_t* may change anything that is behind a reference.
template <int64_t kBlockCols, typename Word, typename One>
void VisitBlocks(const TileLayout& layout, int64_t rows, int64_t cols, Word word, One one) {
  const int64_t run = kBlockCols == 0 ? layout.block_cols : kBlockCols;
  const int64_t words = run / kWord * kWord;
  const int64_t block = layout.block_rows * run;
  RowStarts starts(layout);
  for (int64_t row = 0; row < rows; ++row) {
    int64_t index = starts.Next();
    int64_t col = 0;
    for (; col + run <= cols; col += run, index += block) {
      for (int64_t i = 0; i < words; i += kWord) word(row, col + i, index + i);
      for (int64_t i = words; i < run; ++i) one(row, col + i, index + i);
    }
    for (; col + kWord <= cols; col += kWord, index += kWord) word(row, col, index);
    for (; col < cols; ++col, ++index) one(row, col, index);
  }
}

template <typename Word, typename One>
void Visit(const TileLayout& layout, int64_t rows, int64_t cols, Word word, One one) {
  if (layout.block_cols == 8) {
    VisitBlocks<8>(layout, rows, cols, word, one);
  } else if (layout.block_cols == 16) {
    VisitBlocks<16>(layout, rows, cols, word, one);
  } else {
    VisitBlocks<0>(layout, rows, cols, word, one);
  }
}

uint64_t LoadWord(const int8_t* from) {
  uint64_t word = 0;
  std::memcpy(&word, from, sizeof(word));
  return word;
}

void StoreWord(uint64_t word, int8_t* to) { std::memcpy(to, &word, sizeof(word)); }

uint64_t InEveryByte(uint8_t flip) { return flip * uint64_t{0x0101010101010101}; }

int8_t Flipped(int8_t value, uint8_t flip) { return static_cast<int8_t>(value ^ flip); }

/// REQUIRES: column stride 1.
void PackRows(const TileSource& source, const TileLayout& layout, int8_t* out) {
  const auto word = [data = source.data, stride = source.row_stride,
                     flips = InEveryByte(source.flip),
                     out](int64_t row, int64_t col, int64_t index) {
    StoreWord(LoadWord(data + (row * stride) + col) ^ flips, out + index);
  };
  const auto one = [data = source.data, stride = source.row_stride, flip = source.flip, out](
                       int64_t row, int64_t col, int64_t index) {
    out[index] = Flipped(data[(row * stride) + col], flip);
  };
  Visit(layout, source.rows, source.cols, word, one);
}

/// Any strides; the elements from (first_row, first_col) to the end of the source.
void PackStrided(const TileSource& source, const TileLayout& layout, int64_t first_row,
                 int64_t first_col, int8_t* out) {
  for (int64_t row = first_row; row < source.rows; ++row) {
    for (int64_t col = first_col; col < source.cols;) {
      // One index for a whole run, since it takes divisions.
      const int64_t run =
          std::min(layout.block_cols - (col % layout.block_cols), source.cols - col);
      const int8_t* from = source.data + (row * source.row_stride) + (col * source.col_stride);
      int8_t* to = out + TileIndex(layout, row, col);
      for (int64_t i = 0; i < run; ++i) to[i] = Flipped(from[i * source.col_stride], source.flip);
      col += run;
    }
  }
}

using Square = std::array<uint64_t, kWord>;

/// One step of a transposition: in every square of 2 * kDistance words by as many bytes, the upper
/// right quarter changes places with the lower left one.
template <size_t kDistance>
void ExchangeHalves(uint64_t low_bytes, Square* square) {
  for (size_t i = 0; i < square->size(); ++i) {
    if ((i & kDistance) != 0) continue;
    uint64_t& first = (*square)[i];
    uint64_t& second = (*square)[i + kDistance];
    const uint64_t differing = ((first >> (8 * kDistance)) ^ second) & low_bytes;
    second ^= differing;
    first ^= differing << (8 * kDistance);
  }
}

void Transpose(Square* square) {
  // Byte 0 is the lowest of a word, as it is the first in memory.
  static_assert(std::endian::native == std::endian::little);
  ExchangeHalves<4>(0x00000000FFFFFFFF, square);
  ExchangeHalves<2>(0x0000FFFF0000FFFF, square);
  ExchangeHalves<1>(0x00FF00FF00FF00FF, square);
}

/// REQUIRES: row stride 1; runs of the layout are multiples of kWord, or whole rows.
void PackColumns(const TileSource& source, const TileLayout& layout, int8_t* out) {
  const uint64_t flips = InEveryByte(source.flip);
  const int64_t whole_rows = source.rows / kWord * kWord;
  const int64_t whole_cols = source.cols / kWord * kWord;
  const int64_t gap = (layout.block_rows - 1) * layout.block_cols;
  RowStarts row_starts(layout);
  for (int64_t row = 0; row < whole_rows; row += kWord) {
    std::array<int64_t, kWord> starts;
    for (int64_t& start : starts) start = row_starts.Next();
    int64_t left_of_run = layout.block_cols;
    int64_t offset = 0;
    for (int64_t col = 0; col < whole_cols; col += kWord) {
      Square square;
      const int8_t* from = source.data + row + (col * source.col_stride);
      for (size_t i = 0; i < square.size(); ++i) {
        square[i] = LoadWord(from + (static_cast<int64_t>(i) * source.col_stride)) ^ flips;
      }
      Transpose(&square);
      for (size_t i = 0; i < square.size(); ++i) StoreWord(square[i], out + starts[i] + offset);
      offset += kWord;
      left_of_run -= kWord;
      if (left_of_run == 0) {
        left_of_run = layout.block_cols;
        offset += gap;
      }
    }
  }
  PackStrided(source, layout, whole_rows, 0, out);
  TileSource right = source;
  right.rows = whole_rows;
  PackStrided(right, layout, 0, whole_cols, out);
}

// Vectors in the dialect that g++ and clang++ share: at some levels of optimisation neither makes
// them of the plain loop. Unsigned, so that sums wrap: what a device has written need not be part
// of one that fits.
using Sums = uint32_t __attribute__((vector_size(kWord * sizeof(uint32_t))));
using Shorts = int16_t __attribute__((vector_size(kWord * sizeof(int16_t))));
using Bytes = int8_t __attribute__((vector_size(kWord * sizeof(int8_t))));

void LoadValues(const int32_t* from, Sums* values) { std::memcpy(values, from, sizeof(*values)); }

void LoadValues(const int8_t* from, Sums* values) {
  Bytes bytes;
  std::memcpy(&bytes, from, sizeof(bytes));
  // g++ takes one step of four times the width element by element.
  *values = __builtin_convertvector(__builtin_convertvector(bytes, Shorts), Sums);
}

template <bool kOverwrite, typename T>
void AddWord(const T* from, int32_t* sums) {
  Sums results;
  LoadValues(from, &results);
  if (!kOverwrite) {
    Sums before;
    LoadValues(sums, &before);
    results += before;
  }
  std::memcpy(sums, &results, sizeof(results));
}

template <bool kOverwrite, typename T>
void AddOne(T value, int32_t* sum) {
  const uint32_t before = kOverwrite ? 0 : static_cast<uint32_t>(*sum);
  *sum = static_cast<int32_t>(before + static_cast<uint32_t>(value));
}

template <bool kOverwrite, typename T>
void AddTile(const T* tile, const TileLayout& layout, int64_t rows, int64_t cols, int32_t* sums,
             int64_t row_stride) {
  CheckBlocks(layout);
  TW_CHECK_LE(rows, layout.rows);
  TW_CHECK_LE(cols, layout.cols);
  const auto word = [=](int64_t row, int64_t col, int64_t index) {
    AddWord<kOverwrite>(tile + index, sums + (row * row_stride) + col);
  };
  const auto one = [=](int64_t row, int64_t col, int64_t index) {
    AddOne<kOverwrite>(tile[index], sums + (row * row_stride) + col);
  };
  Visit(WithLongestRuns(layout), rows, cols, word, one);
}

}  // namespace

int64_t TileIndex(const TileLayout& layout, int64_t row, int64_t col) {
  const int64_t blocks_before =
      ((row / layout.block_rows) * (layout.cols / layout.block_cols)) + (col / layout.block_cols);
  return (blocks_before * layout.block_rows * layout.block_cols) +
         ((row % layout.block_rows) * layout.block_cols) + (col % layout.block_cols);
}

void PackTile(const TileSource& source, const TileLayout& layout, int8_t* out) {
  CheckBlocks(layout);
  TW_CHECK_LE(source.rows, layout.rows);
  TW_CHECK_LE(source.cols, layout.cols);
  if (source.rows < layout.rows || source.cols < layout.cols) {
    std::memset(out, 0, static_cast<size_t>(layout.elements()));
  }
  const TileLayout runs = WithLongestRuns(layout);
  const bool whole_words = runs.block_rows == 1 || runs.block_cols % kWord == 0;
  if (source.col_stride == 1) {
    PackRows(source, runs, out);
  } else if (source.row_stride == 1 && whole_words) {
    PackColumns(source, runs, out);
  } else {
    PackStrided(source, runs, 0, 0, out);
  }
}

void AddTileS32(const int32_t* tile, const TileLayout& layout, int64_t rows, int64_t cols,
                bool overwrite, int32_t* sums, int64_t row_stride) {
  if (overwrite) {
    AddTile<true>(tile, layout, rows, cols, sums, row_stride);
  } else {
    AddTile<false>(tile, layout, rows, cols, sums, row_stride);
  }
}

void AddTileS8(const int8_t* tile, const TileLayout& layout, int64_t rows, int64_t cols,
               bool overwrite, int32_t* sums, int64_t row_stride) {
  if (overwrite) {
    AddTile<true>(tile, layout, rows, cols, sums, row_stride);
  } else {
    AddTile<false>(tile, layout, rows, cols, sums, row_stride);
  }
}

}  // namespace tilewave::pack
