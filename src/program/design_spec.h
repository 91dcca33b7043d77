#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "arch/npu.h"
#include "tilewave/status.h"

namespace tilewave::program {

/// How the array is used. docs/designs.md draws each.
enum class DesignFamily : uint8_t {
  kPackedTile,  ///< One core, one launch per (i, j, k) tile, A|B in one buffer.
  kKStream,     ///< One core, one launch per output tile, K streamed, accumulator stays in L1.
  kWholeArray,  ///< All cores of some columns, one launch per product or strided batch of them.
};

/// Which of the core's two units does the multiplying; it fixes the order of a tile's bytes.
enum class TileKernel : uint8_t {
  kScalar,  ///< Plain loops, tiles row-major.
  kVector,  ///< aie::mmul 4x8x8 (npu2: 8x8x8), tiles as row-major blocks of that shape.
};

/// What a core hands back per tile.
enum class TileOutput : uint8_t {
  kS32,
  /// The sums over all of K, requantised once on the core: whole_array only.
  kS8,
  kS16,  ///< The same in 16 bits; for timing only.
  /// C kept in the output's type before the sum over K is complete (packed_tile: each tile's sums
  /// shifted right by 7 and clamped; whole_array: between steps over K). Not the product of A and
  /// B when K is more than one tile: for reproducing published tables, never planned.
  kS8Lossy,
  kS16Lossy,  ///< As kS8Lossy of whole_array; for timing only.
};

/// Bits by which packed_tile's kS8Lossy shifts.
inline constexpr int kLossyShift = 7;

/// How the device's image of B is ordered. whole_array only; the other designs pack tiles.
enum class BLayout : uint8_t {
  kRowMajor,
  kColumnMajor,
  kPacked,  ///< Tile after tile in the order and with the blocks that cores take them.
};

/// What the planner and `tilewave emit` give a core of whole_array, whose kernels keep little
/// there.
inline constexpr int64_t kWholeArrayStackBytes = 1024;

/// A design and its parameters. The whole configuration of the array follows from this value
/// alone; extents of a product are run time. Lower() refuses what it cannot build.
struct DesignSpec {
  DesignFamily family = DesignFamily::kKStream;
  arch::NpuArch arch = arch::NpuArch::kNpu1;
  int64_t tile_m = 64;
  int64_t tile_k = 64;
  int64_t tile_n = 64;
  TileKernel kernel = TileKernel::kVector;
  TileOutput output = TileOutput::kS32;
  int64_t stack_bytes = 3328;  ///< What mlir-aie's own matmul designs reserve (0xD00).

  // whole_array only; the other designs have one column and what is here.

  int columns = 1;
  int64_t k_mt =
      0;  ///< K that one pass through a memory tile holds: a multiple of tile_k; 0: that.
  BLayout b_layout = BLayout::kPacked;
  /// Tiles of C that a core holds to be drained: with 1 it waits for the drain before the next
  /// tile. kS8 and kS16 requantise in place with 1, into a buffer beside the sums with 2.
  int c_buffers = 1;

  bool operator==(const DesignSpec&) const = default;
};

/// "packed_tile", "k_stream", "whole_array".
std::string_view Name(DesignFamily family);
/// "scalar", "vector".
std::string_view Name(TileKernel kernel);
/// "s32", "s8", "s16", "s8_lossy", "s16_lossy".
std::string_view Name(TileOutput output);
/// "row", "col", "packed".
std::string_view Name(BLayout layout);

/// Bytes of one element of C as it leaves a core.
int64_t OutputBytes(TileOutput output);
/// Whether C is rounded before the sum over K is complete.
bool IsLossy(TileOutput output);
/// Whether the sums are s32 and requantised once (kS8, kS16).
bool IsRequantised(TileOutput output);

/// For people and for file names: "packed_tile-16x16x16-scalar-s32-npu1",
/// "whole_array-64x64x64-vector-s32-npu1-4col-kmt256-packed-1c".
std::string Name(const DesignSpec& spec);

/// Names the configuration: equal specs have equal hashes, on every machine and in every version
/// that lowers them alike.
uint64_t ConfigurationHash(const DesignSpec& spec);

/// Rows and columns of the blocks in which a vector kernel wants A (rows x depth), B (depth x
/// columns) and C (rows x columns). Scalar kernels take row-major tiles.
struct BlockShape {
  int64_t rows = 1;
  int64_t depth = 1;
  int64_t columns = 1;

  bool operator==(const BlockShape&) const = default;
};
BlockShape BlockShapeOf(const DesignSpec& spec);

/// K that one pass through a memory tile holds: k_mt, or tile_k if that is 0.
int64_t MemoryTileK(const DesignSpec& spec);

}  // namespace tilewave::program
