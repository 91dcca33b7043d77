#pragma once

// What tiles of kernels with 256-bit registers share, and the tile of those that multiply quads of
// bytes: a template over the multiply-add. Every function that uses such registers must carry the
// target of its caller, or it is not inlined; the file that includes this one says which target
// that is. All is in an unnamed namespace: each such file gets a copy of its own, which the linker
// cannot hand to code for other CPUs.

#if defined(__x86_64__)

#if !defined(TILEWAVE_TILE_256_TARGET)
#error "define TILEWAVE_TILE_256_TARGET as [[gnu::target(...)]] before this file"
#endif

#include "kernels/cpu/x86_intrinsics.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/cpu/kernel.h"

namespace tilewave::kernels::cpu {
namespace {

inline constexpr int64_t kTile256Lanes = 8;    // s32 per register.
inline constexpr int64_t kTile256Vectors = 2;  // Registers across a panel.
inline constexpr int64_t kTile256Columns = kTile256Lanes * kTile256Vectors;

/// Group g of one row in every lane.
TILEWAVE_TILE_256_TARGET inline __m256i BroadcastGroup(const std::byte* group) {
  int32_t bytes;
  std::memcpy(&bytes, group, sizeof(bytes));
  return _mm256_set1_epi32(bytes);
}

TILEWAVE_TILE_256_TARGET inline __m256i LoadLanes(const int32_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

TILEWAVE_TILE_256_TARGET inline void StoreLanes(int32_t* to, __m256i lanes) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), lanes);
}

/// The first `columns` of two registers, without a store of lanes behind them: cheaper than masked
/// stores, which take tens of cycles each on some CPUs. columns < kTile256Columns.
TILEWAVE_TILE_256_TARGET inline void StoreColumns(int32_t* to, __m256i low, __m256i high,
                                                  int columns) {
  if ((columns & 8) != 0) {
    StoreLanes(to, low);
    to += 8;
    low = high;
  }
  __m128i rest = _mm256_castsi256_si128(low);
  if ((columns & 4) != 0) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), rest);
    to += 4;
    rest = _mm256_extracti128_si256(low, 1);
  }
  if ((columns & 2) != 0) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), rest);
    to += 2;
    rest = _mm_unpackhi_epi64(rest, rest);
  }
  if ((columns & 1) != 0) *to = _mm_cvtsi128_si32(rest);
}

/// The sums of a tile.
template <int kRows>
using Sums256 = __m256i[size_t{kRows}][size_t{kTile256Vectors}];

/// What sums of rows from `row` on begin with; fetches their lines of C. The loops must be unrolled
/// early, or the sums live in memory.
template <int kRows>
TILEWAVE_TILE_256_TARGET inline void LoadTile(const TileArgs& t, Sums256<kRows>& sum,
                                              int64_t row = 0) {
  if (t.out != nullptr) {
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) __builtin_prefetch(t.out + ((row + r) * t.out_stride));
  }
  if (t.init_stride == 0) {
    const __m256i low = LoadLanes(t.init);
    const __m256i high = LoadLanes(t.init + kTile256Lanes);
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      sum[r][0] = low;
      sum[r][1] = high;
    }
    return;
  }
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
    sum[r][0] = LoadLanes(t.init + ((row + r) * t.init_stride));
    sum[r][1] = LoadLanes(t.init + ((row + r) * t.init_stride) + kTile256Lanes);
  }
}

template <int kRows>
TILEWAVE_TILE_256_TARGET inline void StoreTile(const TileArgs& t, const Sums256<kRows>& sum,
                                               int64_t row = 0) {
  // The compiler cannot know that `t` is no part of C.
  int32_t* const c = t.c + (row * t.c_stride);
  const int64_t c_stride = t.c_stride;
  if (t.columns < kTile256Columns) {
    const int columns = t.columns;
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      StoreColumns(c + (r * c_stride), sum[r][0], sum[r][1], columns);
    }
    return;
  }
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
    StoreLanes(c + (r * c_stride), sum[r][0]);
    StoreLanes(c + (r * c_stride) + kTile256Lanes, sum[r][1]);
  }
}

/// Dot::Add(&sum, a, b) adds the products of four u8 and four s8 in every lane. Six rows by two
/// registers: twelve sums cover the latency of the multiply-adds and leave the sixteen registers
/// room for two of B, one of A, and the bits to flip in A.
template <typename Dot, int kRows>
TILEWAVE_TILE_256_TARGET void RunTile256(const TileArgs& t) {
  constexpr int64_t kVectorBytes = kTile256Lanes * kGroupBytes;
  Sums256<kRows> sum;
  LoadTile<kRows>(t, sum);
  const std::byte* a = t.a;
  const std::byte* b = t.b;
  const int64_t a_stride = t.a_stride;
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(t.flip));
  for (int64_t group = 0; group < t.groups; ++group) {
    __m256i column[size_t{kTile256Vectors}];
#pragma GCC unroll 2
    for (int64_t v = 0; v < kTile256Vectors; ++v) {
      column[v] = _mm256_load_si256(reinterpret_cast<const __m256i*>(b + (v * kVectorBytes)));
    }
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      const __m256i row = _mm256_xor_si256(BroadcastGroup(a + (r * a_stride)), flip);
#pragma GCC unroll 2
      for (int64_t v = 0; v < kTile256Vectors; ++v) Dot::Add(&sum[r][v], row, column[v]);
    }
    a += kGroupBytes;
    b += kTile256Vectors * kVectorBytes;
  }
  StoreTile<kRows>(t, sum);
}

}  // namespace
}  // namespace tilewave::kernels::cpu

#endif
