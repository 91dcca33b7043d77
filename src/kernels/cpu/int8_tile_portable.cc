#include "kernels/cpu/int8_tile_portable.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

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

// Four sums and one step of them. With SSE2, which every x86-64 CPU has, as the one instruction
// that multiplies pairs and adds the two products: g++ 12 does not find it in any plain loop.
constexpr int64_t kLanes = 4;

#if defined(__SSE2__)

using Sums = __m128i;
using PairOfA = __m128i;
using PairsOfB = __m128i;

inline Sums LoadSums(const int32_t* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}
inline void StoreSums(Sums sums, int32_t* to) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), sums);
}
inline PairOfA LoadPairOfA(const std::byte* group) {
  int32_t pair;
  std::memcpy(&pair, group, sizeof(pair));
  return _mm_set1_epi32(pair);
}
inline PairsOfB LoadPairsOfB(const std::byte* groups) {
  return _mm_load_si128(reinterpret_cast<const __m128i*>(groups));
}
inline Sums MultiplyAdd(Sums sums, PairOfA a, PairsOfB b) {
  return _mm_add_epi32(sums, _mm_madd_epi16(a, b));
}

#else

// Vectors of g++ and clang, for what the CPU has. The halves of a pair change places with the byte
// order, in A and B alike.
using Sums [[gnu::vector_size(16)]] = uint32_t;
using SignedLanes [[gnu::vector_size(16)]] = int32_t;
struct PairOfA {
  uint32_t low;
  uint32_t high;
};
struct PairsOfB {
  Sums low;
  Sums high;
};

inline Sums LoadSums(const int32_t* from) {
  Sums sums;
  std::memcpy(&sums, from, sizeof(sums));
  return sums;
}
inline void StoreSums(Sums sums, int32_t* to) { std::memcpy(to, &sums, sizeof(sums)); }
inline PairOfA LoadPairOfA(const std::byte* group) {
  int32_t pair;
  std::memcpy(&pair, group, sizeof(pair));
  return {static_cast<uint32_t>(static_cast<int16_t>(pair)), static_cast<uint32_t>(pair >> 16)};
}
inline PairsOfB LoadPairsOfB(const std::byte* groups) {
  Sums pairs;
  std::memcpy(&pairs, groups, sizeof(pairs));
  const auto high = reinterpret_cast<SignedLanes>(pairs) >> 16;
  const auto low = reinterpret_cast<SignedLanes>(pairs << 16) >> 16;
  return {reinterpret_cast<Sums>(low), reinterpret_cast<Sums>(high)};
}
inline Sums MultiplyAdd(Sums sums, PairOfA a, PairsOfB b) {
  return sums + (b.low * a.low) + (b.high * a.high);
}

#endif

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
    PairsOfB column[size_t{kVectors}];
#pragma GCC unroll 2
    for (int64_t v = 0; v < kVectors; ++v) column[v] = LoadPairsOfB(b + (v * kLanes * kGroupBytes));
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const PairOfA row = LoadPairOfA(a + (r * a_stride));
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
