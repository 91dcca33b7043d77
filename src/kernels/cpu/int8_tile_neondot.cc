#include "kernels/cpu/int8_tile_neondot.h"

#if defined(__aarch64__)

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/cpu/neon_dot.h"

namespace tilewave::kernels::cpu {
namespace {

constexpr int64_t kLanes = 4;    // s32 per register.
constexpr int64_t kVectors = 4;  // Registers across a panel.
constexpr int64_t kColumns = kLanes * kVectors;

/// Group g of one row in the lowest lane, as the type whose loads go straight to such a register.
TILEWAVE_NEONDOT inline float32_t LoadGroup(const std::byte* group) {
  float32_t bytes;
  std::memcpy(&bytes, group, sizeof(bytes));
  return bytes;
}

/// Twenty-four sums, four registers of B and some of A: the largest tile that fits 32 registers.
/// Sixteen bytes of A at a time would be fewer loads, but then g++ 12 keeps sums in memory; ten
/// loads hide behind twenty-four multiply-adds. The loops must be unrolled early, or all sums live
/// in memory.
template <int kRows>
TILEWAVE_NEONDOT void RunTile(const TileArgs& t) {
  int32x4_t sum[size_t{kRows}][size_t{kVectors}];
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int64_t v = 0; v < kVectors; ++v) {
      sum[r][v] = vld1q_s32(t.init + (r * t.init_stride) + (v * kLanes));
    }
  }
  const std::byte* a = t.a;
  const std::byte* b = t.b;
  const int64_t a_stride = t.a_stride;
  for (int64_t group = 0; group < t.groups; ++group) {
    uint8x16_t column[size_t{kVectors}];
#pragma GCC unroll 4
    for (int64_t v = 0; v < kVectors; ++v) {
      column[v] = vld1q_u8(reinterpret_cast<const uint8_t*>(b + (v * kLanes * kGroupBytes)));
    }
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      const float32_t row = LoadGroup(a + (r * a_stride));
#pragma GCC unroll 4
      for (int64_t v = 0; v < kVectors; ++v) {
        sum[r][v] = DotAddLane<true, 0>(sum[r][v], column[v], row);
      }
    }
    a += kGroupBytes;
    b += kColumns * kGroupBytes;
  }
  int32_t* const c = t.c;  // The compiler cannot know that `t` is no part of C.
  const int64_t c_stride = t.c_stride;
  const int columns = t.columns;
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
    if (columns == kColumns) {
#pragma GCC unroll 4
      for (int64_t v = 0; v < kVectors; ++v)
        vst1q_s32(c + (r * c_stride) + (v * kLanes), sum[r][v]);
    } else {
      int32_t row[size_t{kColumns}];
#pragma GCC unroll 4
      for (int64_t v = 0; v < kVectors; ++v) vst1q_s32(row + (v * kLanes), sum[r][v]);
      std::memcpy(c + (r * c_stride), row, static_cast<size_t>(columns) * sizeof(int32_t));
    }
  }
}

}  // namespace

const TileFunction kNeonDotTiles6x16[6] = {RunTile<1>, RunTile<2>, RunTile<3>,
                                           RunTile<4>, RunTile<5>, RunTile<6>};

}  // namespace tilewave::kernels::cpu

#endif
