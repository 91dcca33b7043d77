#include "kernels/cpu/int8_tile_avx512vnni.h"

#if defined(__x86_64__)

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

/// kRows rows by kVectors registers of columns, in one panel or more. Sixteen sums or more keep the
/// multiplier busy for the four cycles that one multiply-add takes, and the loads of a group fit
/// beside its multiply-adds, best with 6 x 64. The loops must be unrolled early, or the sums live
/// in memory. kFetch: with Fetches on the way. kFlip: A has to be flipped, which is free where
/// vectors have more pipes than multiply-adds (AMD's Zen), but not on Intel's cores.
template <int kRows, int kVectors, bool kFetch, bool kFlip>
TILEWAVE_AVX512VNNI void RunTile(const TileArgs& t) {
  __m512i sum[size_t{kRows}][size_t{kVectors}];
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
  const std::byte* a = t.a;
  const std::byte* b = t.b;
  const int64_t a_stride = t.a_stride;
  const int64_t b_next = t.b_next;
  [[maybe_unused]] const Fetches<kRows, kVectors> fetches(t);
  [[maybe_unused]] const __m512i flip = _mm512_set1_epi8(static_cast<char>(t.flip));
  for (int64_t group = 0; group < t.groups; ++group) {
    if constexpr (kFetch) fetches.With(group);
    __m512i column[size_t{kVectors}];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      const std::byte* from =
          b + ((v / kPanelVectors) * b_next) + ((v % kPanelVectors) * kLanes * kGroupBytes);
      column[v] = _mm512_load_si512(from);
    }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      __m512i row = BroadcastQuad(a + (r * a_stride));
      if constexpr (kFlip) row = _mm512_xor_si512(row, flip);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) DotAdd(&sum[r][v], row, column[v]);
    }
    a += kGroupBytes;
    b += kPanelGroupBytes;
  }
  // Copies: the compiler cannot know that `t` is no part of C.
  int32_t* const c = t.c;
  const int64_t c_stride = t.c_stride;
  // Row tiles, the widest, take whole panels alone.
  if constexpr (kVectors <= 2 * kPanelVectors) {
    if (t.columns < kVectors * kLanes) {
      // Masked stores are many times slower than whole ones.
      const uint64_t wanted = (uint64_t{1} << t.columns) - 1;
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) {
          _mm512_mask_storeu_epi32(c + (r * c_stride) + (v * kLanes),
                                   static_cast<__mmask16>(wanted >> (v * kLanes)), sum[r][v]);
        }
      }
      return;
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      _mm512_storeu_si512(c + (r * c_stride) + (v * kLanes), sum[r][v]);
    }
  }
}

template <int kRows, int kVectors>
void Run(const TileArgs& t) {
  const bool fetches = t.a_ahead != 0 || t.ahead[0] != nullptr || t.out != nullptr;
  if (t.flip != 0) {
    fetches ? RunTile<kRows, kVectors, true, true>(t) : RunTile<kRows, kVectors, false, true>(t);
  } else {
    fetches ? RunTile<kRows, kVectors, true, false>(t) : RunTile<kRows, kVectors, false, false>(t);
  }
}

}  // namespace

const TileFunction kAvx512VnniTiles8x32[8] = {Run<1, 2>, Run<2, 2>, Run<3, 2>, Run<4, 2>,
                                              Run<5, 2>, Run<6, 2>, Run<7, 2>, Run<8, 2>};

const TileFunction kAvx512VnniTiles6x64[6] = {Run<1, 4>, Run<2, 4>, Run<3, 4>,
                                              Run<4, 4>, Run<5, 4>, Run<6, 4>};

void Row_avx512vnni_1x128(const TileArgs& t) { RunTile<1, 8, false, true>(t); }

}  // namespace tilewave::kernels::cpu

#endif
