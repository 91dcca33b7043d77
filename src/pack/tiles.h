#pragma once

// Tiles for the array's cores: a rectangle of an 8-bit matrix, padded with zeros, in the byte
// order that a tile kernel reads; and tiles of C back.

#include <cstdint>
#include <span>

namespace tilewave::pack {

/// Order of a tile's elements: row-major blocks of block_rows x block_cols, each row-major inside.
/// Blocks of 1 x 1 are a plain row-major tile. REQUIRES: blocks divide the tile.
struct TileLayout {
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t block_rows = 1;
  int64_t block_cols = 1;

  int64_t elements() const { return rows * cols; }
};

/// Where element (row, col) of a tile stands.
int64_t TileIndex(const TileLayout& layout, int64_t row, int64_t col);

/// An 8-bit rectangle in host memory. Borrowed. `flip` is XORed to every byte: 0x80 turns u8 into
/// s8 with a zero point that is 128 lower.
struct TileSource {
  const int8_t* data = nullptr;  ///< Of the rectangle's first element.
  int64_t row_stride = 0;        ///< In elements.
  int64_t col_stride = 0;
  int64_t rows = 0;  ///< What there is of the tile; the rest is padded with 0.
  int64_t cols = 0;
  uint8_t flip = 0;
};

/// Writes all of the tile. REQUIRES: rows and cols of the source within the layout.
void PackTile(const TileSource& source, const TileLayout& layout, int8_t* out);

/// Adds the first rows x cols elements of a packed s32 tile to sums (row-major, `row_stride`
/// elements apart), or overwrites them.
void AddTileS32(const int32_t* tile, const TileLayout& layout, int64_t rows, int64_t cols,
                bool overwrite, int32_t* sums, int64_t row_stride);

/// The same for a packed s8 tile.
void AddTileS8(const int8_t* tile, const TileLayout& layout, int64_t rows, int64_t cols,
               bool overwrite, int32_t* sums, int64_t row_stride);

}  // namespace tilewave::pack
