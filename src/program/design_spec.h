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
};

/// Which of the core's two units does the multiplying; it fixes the order of a tile's bytes.
enum class TileKernel : uint8_t {
  kScalar,  ///< Plain loops, tiles row-major.
  kVector,  ///< aie::mmul 4x8x8 (npu2: 8x8x8), tiles as row-major blocks of that shape.
};

/// What a core hands back per tile.
enum class TileOutput : uint8_t {
  kS32,
  /// The tile's sums shifted right by 7 and clamped to s8, before the sum over K is complete. Not
  /// the product of A and B when K is more than one tile: a baseline for reproducing published
  /// tables, never planned.
  kS8Lossy,
};

/// Bits by which kS8Lossy shifts.
inline constexpr int kLossyShift = 7;

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

  bool operator==(const DesignSpec&) const = default;
};

/// "packed_tile", "k_stream".
std::string_view Name(DesignFamily family);
/// "scalar", "vector".
std::string_view Name(TileKernel kernel);

/// For people and for file names: "packed_tile-16x16x16-scalar-s32-npu1".
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

}  // namespace tilewave::program
