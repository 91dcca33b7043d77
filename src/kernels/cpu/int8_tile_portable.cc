#include "kernels/cpu/int8_tile_portable.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/cpu/portable_vectors.h"

namespace tilewave::kernels::cpu {
namespace {

/// A's group times B's, modulo 2^32: all sums are kept unsigned, where wrapping is defined.
template <Form kForm>
uint32_t GroupProduct(const std::byte* a, const std::byte* b) {
  static_assert(kForm != Form::kS16xS16);
  uint32_t sum = 0;
  for (int i = 0; i < kGroupBytes; ++i) {
    const auto from_a = static_cast<uint8_t>(a[i]);
    const int32_t left =
        kForm == Form::kU8xS8 ? int32_t{from_a} : int32_t{static_cast<int8_t>(from_a)};
    sum += static_cast<uint32_t>(left * int32_t{static_cast<int8_t>(b[i])});
  }
  return sum;
}

template <int kRows, int kColumns, Form kForm>
void RunQuads(const TileArgs& t) {
  uint32_t sum[size_t{kRows}][size_t{kColumns}];
  for (int r = 0; r < kRows; ++r) {
    for (int64_t j = 0; j < kColumns; ++j) {
      sum[r][j] = static_cast<uint32_t>(t.init[(r * t.init_stride) + j]);
    }
  }
  for (int64_t group = 0; group < t.groups; ++group) {
    const std::byte* b = t.b + (group * kColumns * kGroupBytes);
    for (int r = 0; r < kRows; ++r) {
      std::byte a[size_t{kGroupBytes}];
      std::memcpy(a, t.a + (r * t.a_stride) + (group * kGroupBytes), sizeof(a));
      if constexpr (kForm == Form::kU8xS8) {
        for (std::byte& each : a) each ^= std::byte{t.flip};
      }
      for (int64_t j = 0; j < kColumns; ++j) {
        sum[r][j] += GroupProduct<kForm>(a, b + (j * kGroupBytes));
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int64_t j = 0; j < kColumns; ++j) {
      if (j < t.columns) t.c[(r * t.c_stride) + j] = static_cast<int32_t>(sum[r][j]);
    }
  }
}

/// kRows rows by two registers of columns: eight sums, two of B, one of A and one product fit the
/// sixteen registers of SSE2. The loops must be unrolled early, or the sums live in memory.
template <int kRows>
void RunPairs(const TileArgs& t) {
  constexpr int64_t kVectors = 2;
  constexpr int64_t kColumns = kLanes * kVectors;
  Sums sum[size_t{kRows}][size_t{kVectors}];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int64_t v = 0; v < kVectors; ++v) {
      sum[r][v] = LoadSums(t.init + (r * t.init_stride) + (v * kLanes));
    }
  }
  const std::byte* a = t.a;
  const std::byte* b = t.b;
  const int64_t a_stride = t.a_stride;
  for (int64_t group = 0; group < t.groups; ++group) {
    Pairs column[size_t{kVectors}];
#pragma GCC unroll 2
    for (int64_t v = 0; v < kVectors; ++v) column[v] = LoadPairs(b + (v * kLanes * kGroupBytes));
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const Pairs row = LoadPair(a + (r * a_stride));
#pragma GCC unroll 2
      for (int64_t v = 0; v < kVectors; ++v) sum[r][v] = MultiplyAdd(sum[r][v], row, column[v]);
    }
    a += kGroupBytes;
    b += kColumns * kGroupBytes;
  }
  int32_t* const c = t.c;  // The compiler cannot know that `t` is no part of C.
  const int64_t c_stride = t.c_stride;
  const int columns = t.columns;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    if (columns == kColumns) {
#pragma GCC unroll 2
      for (int64_t v = 0; v < kVectors; ++v)
        StoreSums(sum[r][v], c + (r * c_stride) + (v * kLanes));
    } else {
      int32_t row[size_t{kColumns}];
#pragma GCC unroll 2
      for (int64_t v = 0; v < kVectors; ++v) StoreSums(sum[r][v], row + (v * kLanes));
      std::memcpy(c + (r * c_stride), row, static_cast<size_t>(columns) * sizeof(int32_t));
    }
  }
}

}  // namespace

const TileFunction kPortableTiles4x8[4] = {RunPairs<1>, RunPairs<2>, RunPairs<3>, RunPairs<4>};

const TileFunction kPortableTiles3x5[3] = {
    RunQuads<1, 5, Form::kS8xS8>, RunQuads<2, 5, Form::kS8xS8>, RunQuads<3, 5, Form::kS8xS8>};
const TileFunction kPortableTiles1x1[1] = {RunQuads<1, 1, Form::kU8xS8>};

}  // namespace tilewave::kernels::cpu
