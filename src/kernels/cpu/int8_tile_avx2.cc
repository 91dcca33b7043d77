#include "kernels/cpu/int8_tile_avx2.h"

#if defined(__x86_64__)

#include <algorithm>

#define TILEWAVE_TILE_256_TARGET [[gnu::target("avx2")]]
#include "kernels/cpu/int8_tile_256.h"

namespace tilewave::kernels::cpu {
namespace {

// CPUs without VNNI have fewer vector pipes that multiply than such that add: two of four (Zen 3),
// one of three (Zen, Zen 2), one beside two (Haswell). SelfProducts trade half of the
// multiplications for additions, at as many instructions in all.

constexpr int kRowsTogether = 4;
constexpr int64_t kPanelGroupBytes = kTile256Columns * GroupBytesOfB(Form::kS16xS8);
constexpr int64_t kVectorBytes = kTile256Lanes * GroupBytesOfB(Form::kS16xS8);

/// A group of eight columns, two s8 in each lane, widened when loaded: B takes half the memory that
/// it would as s16.
TILEWAVE_TILE_256_TARGET inline __m256i LoadPairs(const std::byte* b) {
  return _mm256_cvtepi8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(b)));
}

TILEWAVE_TILE_256_TARGET inline __m256i MultiplyAdd(__m256i sum, __m256i a, __m256i b) {
  return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
}

/// Which hints of TileArgs are followed on the way, with every second group. Fetching rows of A,
/// too, has brought nothing.
enum class Fetch { kNothing, kLines, kColumns };

/// Rows from `row` on. Four rows by two registers: eight sums, four registers of B for two groups,
/// two of A and two for what is on its way fill the sixteen. The loops must be unrolled early, or
/// the sums live in memory.
template <int kRows, Fetch kFetch>
TILEWAVE_TILE_256_TARGET inline void RunBySums(const TileArgs& t, int64_t row) {
  Sums256<kRows> sum;
  const std::byte* a = t.a + (row * t.a_stride);
  const std::byte* b = t.b;
  const int64_t a_stride = t.a_stride;
  [[maybe_unused]] const int64_t b_ahead = t.b_ahead;
  LoadTile<kRows>(t, sum, row);
  if (t.row_start != 0) {
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const __m256i start = BroadcastGroup(a + (r * a_stride) + t.row_start);
#pragma GCC unroll 2
      for (int64_t v = 0; v < kTile256Vectors; ++v) sum[r][v] = _mm256_add_epi32(sum[r][v], start);
    }
  }
  int64_t group = 0;
  for (; group + kSelfGroups <= t.groups; group += kSelfGroups) {
    if constexpr (kFetch == Fetch::kColumns) __builtin_prefetch(b + b_ahead);
    if constexpr (kFetch == Fetch::kLines) {
      for (const std::byte* line : t.ahead) {
        __builtin_prefetch(line + ((group >> t.ahead_shift) * t.ahead_step));
      }
    }
    __m256i first[size_t{kTile256Vectors}];
    __m256i second[size_t{kTile256Vectors}];
#pragma GCC unroll 2
    for (int64_t v = 0; v < kTile256Vectors; ++v) {
      first[v] = LoadPairs(b + (v * kVectorBytes));
      second[v] = LoadPairs(b + kPanelGroupBytes + (v * kVectorBytes));
    }
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const __m256i first_of_row = BroadcastGroup(a + (r * a_stride));
      const __m256i second_of_row = BroadcastGroup(a + (r * a_stride) + kGroupBytes);
#pragma GCC unroll 2
      for (int64_t v = 0; v < kTile256Vectors; ++v) {
        sum[r][v] = MultiplyAdd(sum[r][v], _mm256_add_epi16(first_of_row, second[v]),
                                _mm256_add_epi16(second_of_row, first[v]));
      }
    }
    a += kSelfGroups * kGroupBytes;
    b += kSelfGroups * kPanelGroupBytes;
  }
  if (group < t.groups) {
#pragma GCC unroll 2
    for (int64_t v = 0; v < kTile256Vectors; ++v) {
      const __m256i last = LoadPairs(b + (v * kVectorBytes));
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        sum[r][v] = MultiplyAdd(sum[r][v], BroadcastGroup(a + (r * a_stride)), last);
      }
    }
  }
  StoreTile<kRows>(t, sum, row);
}

/// Up to four rows and then the others, since a call for each four would take a while where K is
/// short.
template <int kRows>
TILEWAVE_TILE_256_TARGET void Run(const TileArgs& t) {
  constexpr int kFirst = std::min(kRows, kRowsTogether);
  if (t.ahead[0] != nullptr) {
    RunBySums<kFirst, Fetch::kLines>(t, 0);
  } else if (t.b_ahead != 0) {
    RunBySums<kFirst, Fetch::kColumns>(t, 0);
  } else {
    RunBySums<kFirst, Fetch::kNothing>(t, 0);
  }
  if constexpr (kRows > kFirst) RunBySums<kRows - kFirst, Fetch::kNothing>(t, kFirst);
}

/// Self products of four rows, which may be the same.
TILEWAVE_TILE_256_TARGET inline __m128i SelfProductsOfRows(
    const std::byte* const rows[kRowsTogether], int64_t groups) {
  constexpr int64_t kGroupsTogether = 8;
  __m256i sum[kRowsTogether] = {};
  int64_t at = 0;
  for (; groups >= kGroupsTogether; groups -= kGroupsTogether) {
#pragma GCC unroll 4
    for (int r = 0; r < kRowsTogether; ++r) {
      const __m256i all = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[r] + at));
      // Every second group meets the one before it, the others zeros.
      sum[r] = MultiplyAdd(sum[r], all, _mm256_srli_epi64(all, 32));
    }
    at += kGroupsTogether * kGroupBytes;
  }
  for (; groups >= kSelfGroups; groups -= kSelfGroups) {
#pragma GCC unroll 4
    for (int r = 0; r < kRowsTogether; ++r) {
      const __m128i two = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(rows[r] + at));
      sum[r] = MultiplyAdd(sum[r], _mm256_zextsi128_si256(two),
                           _mm256_zextsi128_si256(_mm_srli_epi64(two, 32)));
    }
    at += kSelfGroups * kGroupBytes;
  }
  const __m256i halves =
      _mm256_hadd_epi32(_mm256_hadd_epi32(sum[0], sum[1]), _mm256_hadd_epi32(sum[2], sum[3]));
  return _mm_add_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
}

TILEWAVE_TILE_256_TARGET void StartRows(std::byte* rows, int64_t stride, int64_t count,
                                        int64_t groups) {
  for (int64_t first = 0; first < count; first += kRowsTogether) {
    const std::byte* together[kRowsTogether];
    for (int64_t r = 0; r < kRowsTogether; ++r)
      together[r] = rows + (std::min(first + r, count - 1) * stride);
    alignas(16) int32_t starts[kRowsTogether];
    _mm_store_si128(reinterpret_cast<__m128i*>(starts),
                    _mm_sub_epi32(_mm_setzero_si128(), SelfProductsOfRows(together, groups)));
    for (int64_t r = 0; r < kRowsTogether && first + r < count; ++r) {
      std::memcpy(rows + ((first + r) * stride) + (groups * kGroupBytes), &starts[r],
                  sizeof(int32_t));
    }
  }
}

TILEWAVE_TILE_256_TARGET void SubtractSelfProductsOfColumns(const std::byte* panel, int64_t groups,
                                                            int32_t* init) {
  __m256i sum[size_t{kTile256Vectors}] = {};
  for (; groups >= kSelfGroups; groups -= kSelfGroups) {
#pragma GCC unroll 2
    for (int64_t v = 0; v < kTile256Vectors; ++v) {
      sum[v] = MultiplyAdd(sum[v], LoadPairs(panel + (v * kVectorBytes)),
                           LoadPairs(panel + kPanelGroupBytes + (v * kVectorBytes)));
    }
    panel += kSelfGroups * kPanelGroupBytes;
  }
  for (int64_t v = 0; v < kTile256Vectors; ++v) {
    int32_t* const to = init + (v * kTile256Lanes);
    StoreLanes(to, _mm256_sub_epi32(LoadLanes(to), sum[v]));
  }
}

}  // namespace

const TileFunction kAvx2Tiles8x16[8] = {Run<1>, Run<2>, Run<3>, Run<4>,
                                        Run<5>, Run<6>, Run<7>, Run<8>};
const SelfProducts kAvx2SelfProducts = {StartRows, SubtractSelfProductsOfColumns};

}  // namespace tilewave::kernels::cpu

#endif
