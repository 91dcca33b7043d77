#include "kernels/cpu/int8_tile_avx512vnni.h"

#if defined(__x86_64__)

#include <algorithm>
#include <cstddef>

#include "kernels/cpu/avx512_vnni.h"

namespace tilewave::kernels::cpu {
namespace {

constexpr int64_t kLanes = 16;  // s32 per register.
constexpr int64_t kLineBytes = 64;
constexpr int kPanelVectors = 2;  // Registers across a panel.
constexpr int64_t kPanelColumns = kLanes * kPanelVectors;
constexpr int64_t kPanelGroupBytes = kPanelColumns * kGroupBytes;

inline void Fetch(const std::byte* line) { __builtin_prefetch(line); }

/// What TileArgs says to come next, a few lines with every group. A burst of them before the tile
/// would hold up its own loads. Always inlined: a call for each group costs a fifth of the time.
template <int kRows, int kVectors>
struct Fetches {
  explicit Fetches(const TileArgs& t)
      : a(t.a_ahead == 0 ? nullptr : t.a + t.a_ahead),
        a_stride(t.a_stride),
        first(t.ahead[0]),
        last(t.ahead[1]),
        step(t.ahead_step),
        shift(t.ahead_shift),
        out(t.out),
        out_stride(t.out_stride),
        out_lines(t.out == nullptr ? 0 : kRows * kVectors) {}

  [[gnu::always_inline]] void With(int64_t group) const {
    // A line of each of eight rows with two groups each: what a block of K has of a row is a
    // line in sixteen groups.
    if (a != nullptr) Fetch(a + (((group / 2) % 8) * a_stride) + (group / 16 * kLineBytes));
    if (first != nullptr) {
      Fetch(first + ((group >> shift) * step));
      Fetch(last + ((group >> shift) * step));
    }
    if (group < out_lines) {
      Fetch(out + (group / kVectors * out_stride) + (group % kVectors * kLineBytes));
    }
  }

  const std::byte* a;
  int64_t a_stride;
  const std::byte* first;
  const std::byte* last;
  int64_t step;
  int shift;
  const std::byte* out;
  int64_t out_stride;
  int64_t out_lines;
};

template <int kRows, int kVectors>
using TileSums = __m512i[size_t{kRows}][size_t{kVectors}];

template <int kRows, int kVectors>
TILEWAVE_AVX512VNNI [[gnu::always_inline]] inline void StoreRow(
    const TileSums<kRows, kVectors>& sum, int row, int32_t* c, int64_t c_stride) {
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) {
    _mm512_storeu_si512(c + (row * c_stride) + (v * kLanes), sum[row][v]);
  }
}

/// Where a group's bytes are.
struct GroupAt {
  const std::byte* a;
  int64_t a_stride;
  const std::byte* b;
  int64_t b_next;
};

/// A group of a tile, of which it is the last one if kLast: then sums go to C.
template <int kRows, int kVectors, bool kFlip, bool kLast>
TILEWAVE_AVX512VNNI [[gnu::always_inline]] inline void MultiplyGroup(
    const GroupAt& at, __m512i flip, int32_t* c, int64_t c_stride,
    TileSums<kRows, kVectors>* sums) {
  // So many rows are loaded before the first of them is multiplied as there are registers for,
  // beside sums, columns and what flips. What a tile begins and ends with then hides behind
  // multiplications on Zen 4 (measured, 4 % of a tile with a K of 64).
  constexpr int kTogether = std::min(kRows, 31 - (kRows * kVectors) - kVectors);
  static_assert(kTogether > 0);
  // Rows are stored so much later, when their sums are done: Zen 4 stores at no cost what has just
  // left the multiplier, and else takes a cycle of it for each register (measured, another 4 %).
  constexpr int kLater = std::min(kRows - 1, 3);
  TileSums<kRows, kVectors>& sum = *sums;
  __m512i column[size_t{kVectors}];
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) {
    const std::byte* from =
        at.b + ((v / kPanelVectors) * at.b_next) + ((v % kPanelVectors) * kLanes * kGroupBytes);
    column[v] = _mm512_load_si512(from);
  }
  __m512i row[size_t{kTogether}];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    if (r % kTogether == 0) {
#pragma GCC unroll 8
      for (int i = 0; i < kTogether; ++i) {
        if (r + i >= kRows) continue;
        row[i] = BroadcastQuad(at.a + ((r + i) * at.a_stride));
        if constexpr (kFlip) row[i] = _mm512_xor_si512(row[i], flip);
      }
    }
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) DotAdd(&sum[r][v], row[r % kTogether], column[v]);
    if constexpr (kLast) {
      if (r >= kLater) StoreRow<kRows, kVectors>(sum, r - kLater, c, c_stride);
    }
  }
  if constexpr (kLast) {
#pragma GCC unroll 8
    for (int r = kRows - kLater; r < kRows; ++r) StoreRow<kRows, kVectors>(sum, r, c, c_stride);
  }
}

/// kRows rows by kVectors registers of columns, in one panel or more. Sixteen sums or more keep the
/// multiplier busy for the four cycles that one multiply-add takes, and the loads of a group fit
/// beside its multiply-adds, best with 6 x 64. The loops must be unrolled early, or the sums live
/// in memory. kFetch: with Fetches on the way. kFlip: A has to be flipped, which is free where
/// vectors have more pipes than multiply-adds (AMD's Zen), but not on Intel's cores.
/// kPart: C ends in the tile.
template <int kRows, int kVectors, bool kFetch, bool kFlip, bool kPart = false>
TILEWAVE_AVX512VNNI void RunTile(const TileArgs& t) {
  TileSums<kRows, kVectors> sum;
  if (t.init_stride == 0) {
    __m512i start[size_t{kVectors}];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) start[v] = _mm512_loadu_si512(t.init + (v * kLanes));
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sum[r][v] = start[v];
    }
  } else {
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        sum[r][v] = _mm512_loadu_si512(t.init + (r * t.init_stride) + (v * kLanes));
      }
    }
  }
  GroupAt at{t.a, t.a_stride, t.b, t.b_next};
  // Copies: the compiler cannot know that `t` is no part of C.
  int32_t* const c = t.c;
  const int64_t c_stride = t.c_stride;
  const int64_t last = t.groups - 1;
  [[maybe_unused]] const int columns = t.columns;
  [[maybe_unused]] const Fetches<kRows, kVectors> fetches(t);
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(t.flip));
  for (int64_t group = 0; group < last; ++group) {
    if constexpr (kFetch) fetches.With(group);
    MultiplyGroup<kRows, kVectors, kFlip, false>(at, flip, c, c_stride, &sum);
    at.a += kGroupBytes;
    at.b += kPanelGroupBytes;
  }
  if constexpr (kFetch) fetches.With(last);
  MultiplyGroup<kRows, kVectors, kFlip, !kPart>(at, flip, c, c_stride, &sum);
  if constexpr (kPart) {
    // Masked stores are many times slower than whole ones.
    const uint64_t wanted = (uint64_t{1} << columns) - 1;
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        _mm512_mask_storeu_epi32(c + (r * c_stride) + (v * kLanes),
                                 static_cast<__mmask16>(wanted >> (v * kLanes)), sum[r][v]);
      }
    }
  }
}

template <int kRows, int kVectors, bool kFlip>
void RunFlipped(const TileArgs& t) {
  if (t.columns < kVectors * kLanes) return RunTile<kRows, kVectors, true, kFlip, true>(t);
  const bool fetches = t.a_ahead != 0 || t.ahead[0] != nullptr || t.out != nullptr;
  fetches ? RunTile<kRows, kVectors, true, kFlip>(t) : RunTile<kRows, kVectors, false, kFlip>(t);
}

template <int kRows, int kVectors>
void Run(const TileArgs& t) {
  // Zen 4 multiplies faster, in tiles of one panel, with something between the load and the
  // product.
  const bool flips = t.flip != 0 || (kVectors == kPanelVectors && t.flips_free);
  flips ? RunFlipped<kRows, kVectors, true>(t) : RunFlipped<kRows, kVectors, false>(t);
}

}  // namespace

const TileFunction kAvx512VnniTiles8x32[8] = {Run<1, 2>, Run<2, 2>, Run<3, 2>, Run<4, 2>,
                                              Run<5, 2>, Run<6, 2>, Run<7, 2>, Run<8, 2>};

const TileFunction kAvx512VnniTiles6x64[6] = {Run<1, 4>, Run<2, 4>, Run<3, 4>,
                                              Run<4, 4>, Run<5, 4>, Run<6, 4>};

void Row_avx512vnni_1x128(const TileArgs& t) { RunTile<1, 8, false, true>(t); }

}  // namespace tilewave::kernels::cpu

#endif
