#include "kernels/cpu/int8_tile_amx.h"

#if defined(__x86_64__)

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "kernels/cpu/x86_intrinsics.h"

#define TILEWAVE_AMX [[gnu::target("avx512f,avx512bw,amx-tile,amx-int8")]]

namespace tilewave::kernels::cpu {
namespace {

constexpr int kTileRows = 16;
constexpr int64_t kTileBytes = 64;  // Of a row of a tile register.
constexpr int64_t kLineBytes = 64;
constexpr int64_t kLanes = 16;       // s32 in a row of a tile register.
constexpr int64_t kStepGroups = 16;  // Groups along K that one instruction multiplies.
constexpr int64_t kPanelColumns = 2 * kLanes;
constexpr int64_t kPanelGroupBytes = kPanelColumns * kGroupBytes;
constexpr int64_t kStepPanelBytes = kStepGroups * kPanelGroupBytes;
constexpr int kFullRows = 2 * kTileRows;
constexpr int64_t kNumberBytes = sizeof(int32_t);

/// What LDTILECFG reads (Intel's instruction set reference).
struct alignas(64) TileShapes {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};
static_assert(sizeof(TileShapes) == 64);

// Tile registers: 0 to 3 hold sums, 4 the first rows of A, 5 the next or columns of B, 6 and 7
// columns of B.
constexpr int kSums = 4;
constexpr int kA0 = 4;
constexpr int kA1 = 5;
constexpr int kB0 = 6;
constexpr int kB1 = 7;

/// For so many rows: one below the other beyond 16, else all that belongs to A has so many.
constexpr TileShapes ShapesFor(int rows) {
  TileShapes shapes;
  const auto upper = static_cast<uint8_t>(rows < kTileRows ? rows : kTileRows);
  const auto lower = static_cast<uint8_t>(rows - kTileRows);
  for (int i = 0; i < 8; ++i) {
    shapes.row_bytes[i] = kTileBytes;
    shapes.rows[i] = i <= kA0 ? upper : uint8_t{kTileRows};
  }
  if (rows > kTileRows) shapes.rows[2] = shapes.rows[3] = shapes.rows[kA1] = lower;
  return shapes;
}

constexpr std::array<TileShapes, kFullRows> MakeShapes() {
  std::array<TileShapes, kFullRows> shapes;
  for (int rows = 1; rows <= kFullRows; ++rows) {
    shapes[static_cast<size_t>(rows) - 1] = ShapesFor(rows);
  }
  return shapes;
}
constexpr std::array<TileShapes, kFullRows> kShapes = MakeShapes();

// As instructions rather than intrinsics, since those of g++ 12 do not say that they read and write
// memory. Volatile and in order: the compiler knows nothing of tile registers.

TILEWAVE_AMX inline void LoadShapes(const TileShapes& shapes) {
  asm volatile("ldtilecfg %[shapes]" : : [shapes] "m"(shapes));
}

template <int kTile>
TILEWAVE_AMX inline void Load(const void* from, int64_t stride_bytes) {
  asm volatile("tileloadd (%[from],%[stride],1), %%tmm%c[tile]"
               :
               : [from] "r"(from), [stride] "r"(stride_bytes), [tile] "i"(kTile)
               : "memory");
}

template <int kTile>
TILEWAVE_AMX inline void Store(void* to, int64_t stride_bytes) {
  asm volatile("tilestored %%tmm%c[tile], (%[to],%[stride],1)"
               :
               : [to] "r"(to), [stride] "r"(stride_bytes), [tile] "i"(kTile)
               : "memory");
}

/// Sums += A times B, s8 or u8 times s8.
template <bool kSignedA, int kSum, int kA, int kB>
TILEWAVE_AMX inline void DotAdd() {
  if constexpr (kSignedA) {
    asm volatile("tdpbssd %%tmm%c[b], %%tmm%c[a], %%tmm%c[sum]"
                 :
                 : [sum] "i"(kSum), [a] "i"(kA), [b] "i"(kB));
  } else {
    asm volatile("tdpbusd %%tmm%c[b], %%tmm%c[a], %%tmm%c[sum]"
                 :
                 : [sum] "i"(kSum), [a] "i"(kA), [b] "i"(kB));
  }
}

/// The builtin would fetch to read, without a flag for this instruction of all such CPUs.
inline void FetchToWrite(const std::byte* line) {
  asm volatile("prefetchw %[line]" : : [line] "m"(*line));
}

/// Rows of A, columns of B: where the next step reads.
struct Step {
  const std::byte* a;
  int64_t a_stride;
  const std::byte* b;
  int64_t b_next;
};

/// 16 groups along K of a tile: two by two registers of sums, or one by two with at most 16 rows.
template <bool kSignedA, int kRows>
TILEWAVE_AMX inline void TakeStep32(const Step& s) {
  Load<kB0>(s.b, kPanelGroupBytes);
  Load<kA0>(s.a, s.a_stride);
  Load<kB1>(s.b + kTileBytes, kPanelGroupBytes);
  DotAdd<kSignedA, 0, kA0, kB0>();
  if constexpr (kRows > kTileRows) Load<kA1>(s.a + (kTileRows * s.a_stride), s.a_stride);
  DotAdd<kSignedA, 1, kA0, kB1>();
  if constexpr (kRows > kTileRows) {
    DotAdd<kSignedA, 2, kA1, kB0>();
    DotAdd<kSignedA, 3, kA1, kB1>();
  }
}

/// The same, one by four registers.
template <bool kSignedA>
TILEWAVE_AMX inline void TakeStep64(const Step& s) {
  constexpr int kB2 = kA1;
  Load<kA0>(s.a, s.a_stride);
  Load<kB0>(s.b, kPanelGroupBytes);
  Load<kB1>(s.b + kTileBytes, kPanelGroupBytes);
  DotAdd<kSignedA, 0, kA0, kB0>();
  Load<kB2>(s.b + s.b_next, kPanelGroupBytes);
  DotAdd<kSignedA, 1, kA0, kB1>();
  Load<kB0>(s.b + s.b_next + kTileBytes, kPanelGroupBytes);
  DotAdd<kSignedA, 2, kA0, kB2>();
  DotAdd<kSignedA, 3, kA0, kB0>();
}

template <bool kSignedA, int kRows, int kPanels>
TILEWAVE_AMX inline void TakeStep(const Step& s) {
  if constexpr (kPanels == 1) {
    TakeStep32<kSignedA, kRows>(s);
  } else {
    TakeStep64<kSignedA>(s);
  }
}

/// Where the sums of a register stand in a tile.
struct Place {
  int64_t row;
  int64_t column;
};

template <int kPanels>
constexpr Place PlaceOf(int sum) {
  if (kPanels == 2) return {0, sum * kLanes};
  return {int64_t{sum / 2} * kTileRows, sum % 2 * kLanes};
}

/// Registers of sums that a tile has.
template <int kRows, int kPanels>
constexpr int kSumsOf = kPanels == 1 && kRows <= kTileRows ? 2 : kSums;

template <int kPanels, int... kSum>
TILEWAVE_AMX inline void LoadSums(const int32_t* from, int64_t stride,
                                  std::integer_sequence<int, kSum...> /*sums*/) {
  (Load<kSum>(from + (PlaceOf<kPanels>(kSum).row * stride) + PlaceOf<kPanels>(kSum).column,
              stride * kNumberBytes),
   ...);
}

template <int kPanels, int... kSum>
TILEWAVE_AMX inline void StoreSums(int32_t* to, int64_t stride,
                                   std::integer_sequence<int, kSum...> /*sums*/) {
  (Store<kSum>(to + (PlaceOf<kPanels>(kSum).row * stride) + PlaceOf<kPanels>(kSum).column,
               stride * kNumberBytes),
   ...);
}

/// Lines of C that TileArgs names, all within the first steps, a few rows with each. Its other
/// hints are left alone: they hold up the loads of tiles more than they help, measured.
template <int kRows, int kPanels>
inline void FetchWith(const TileArgs& t, int64_t group) {
  constexpr int64_t kFewestRows = 8;
  constexpr int64_t kLines = kPanels * kPanelColumns * kNumberBytes / kLineBytes;
  const int64_t rows = std::max(kFewestRows, kRows * kStepGroups / t.groups);
  const int64_t row = group / kStepGroups * rows;
  for (int64_t r = row; r < row + rows && r < kRows; ++r) {
    for (int64_t line = 0; line < kLines; ++line) {
      FetchToWrite(t.out + (r * t.out_stride) + (line * kLineBytes));
    }
  }
}

/// The last groups along K, fewer than a step has, followed by zeros.
template <bool kSignedA, int kRows, int kPanels>
TILEWAVE_AMX void TakeRest(const TileArgs& t, int64_t done) {
  alignas(kLineBytes) std::byte a[size_t{kRows * kTileBytes}];
  alignas(kLineBytes) std::byte b[size_t{kPanels * kStepPanelBytes}];
  const int64_t groups = t.groups - done;
  const __mmask64 wanted = (uint64_t{1} << (groups * kGroupBytes)) - 1;
  for (int r = 0; r < kRows; ++r) {
    const std::byte* from = t.a + (r * t.a_stride) + (done * kGroupBytes);
    _mm512_store_si512(a + (r * kTileBytes), _mm512_maskz_loadu_epi8(wanted, from));
  }
  for (int p = 0; p < kPanels; ++p) {
    const std::byte* from = t.b + (p * t.b_next) + (done * kPanelGroupBytes);
    std::byte* to = b + (p * kStepPanelBytes);
    for (int64_t at = 0; at < kStepPanelBytes; at += kLineBytes) {
      const bool there = at < groups * kPanelGroupBytes;
      _mm512_store_si512(to + at, there ? _mm512_load_si512(from + at) : _mm512_setzero_si512());
    }
  }
  TakeStep<kSignedA, kRows, kPanels>({a, kTileBytes, b, kStepPanelBytes});
}

/// Where sums go.
struct Sums {
  int32_t* at;
  int64_t stride;  ///< In numbers.
};

/// All of a tile at once.
template <bool kSignedA, int kRows, int kPanels>
TILEWAVE_AMX inline void ComputeWhole(const TileArgs& t, const Sums& to) {
  constexpr std::make_integer_sequence<int, kSumsOf<kRows, kPanels>> kAll;
  LoadSums<kPanels>(t.init, t.init_stride, kAll);
  Step step{t.a, t.a_stride, t.b, t.b_next};
  int64_t group = 0;
  for (; group + kStepGroups <= t.groups; group += kStepGroups) {
    if (t.out != nullptr) FetchWith<kRows, kPanels>(t, group);
    TakeStep<kSignedA, kRows, kPanels>(step);
    step.a += kTileBytes;
    step.b += kStepPanelBytes;
  }
  if (group < t.groups) TakeRest<kSignedA, kRows, kPanels>(t, group);
  StoreSums<kPanels>(to.at, to.stride, kAll);
}

// Pieces of 16 columns have two registers of sums, and the next piece has the two others.
constexpr int UpperSum(int piece) { return piece % 2; }
constexpr int LowerSum(int piece) { return 2 + (piece % 2); }

template <int kPiece>
TILEWAVE_AMX inline void StorePiece(const Sums& to) {
  int32_t* const at = to.at + (kPiece * kLanes);
  Store<UpperSum(kPiece)>(at, to.stride * kNumberBytes);
  Store<LowerSum(kPiece)>(at + (kTileRows * to.stride), to.stride * kNumberBytes);
}

/// 16 columns of the only step, times rows of A that are there already.
template <bool kSignedA, int kPiece>
TILEWAVE_AMX inline void ComputePiece(const TileArgs& t, const Step& step, const Sums& to) {
  constexpr int kB = kPiece % 2 == 0 ? kB0 : kB1;
  const int32_t* init = t.init + (kPiece * kLanes);
  Load<UpperSum(kPiece)>(init, t.init_stride * kNumberBytes);
  Load<LowerSum(kPiece)>(init + (kTileRows * t.init_stride), t.init_stride * kNumberBytes);
  Load<kB>(step.b + (kPiece / 2 * step.b_next) + (kPiece % 2 * kTileBytes), kPanelGroupBytes);
  DotAdd<kSignedA, UpperSum(kPiece), kA0, kB>();
  DotAdd<kSignedA, LowerSum(kPiece), kA1, kB>();
  if constexpr (kPiece > 0) StorePiece<kPiece - 1>(to);
}

/// Two panels with a step of K, a few columns at a time: storing sums, which takes as long as all
/// the rest then, goes on beside the next ones.
template <bool kSignedA, int kRows>
TILEWAVE_AMX inline void ComputePieces(const TileArgs& t, const Sums& to) {
  const Step step{t.a, t.a_stride, t.b, t.b_next};
  if (t.out != nullptr) FetchWith<kRows, 2>(t, 0);
  Load<kA0>(step.a, step.a_stride);
  Load<kA1>(step.a + (kTileRows * step.a_stride), step.a_stride);
  ComputePiece<kSignedA, 0>(t, step, to);
  ComputePiece<kSignedA, 1>(t, step, to);
  ComputePiece<kSignedA, 2>(t, step, to);
  ComputePiece<kSignedA, 3>(t, step, to);
  StorePiece<3>(to);
}

/// Two panels one after the other: for whoever calls with another K.
template <bool kSignedA, int kRows>
TILEWAVE_AMX void ComputeBoth(const TileArgs& t, const Sums& to) {
  ComputeWhole<kSignedA, kRows, 1>(t, to);
  TileArgs second = t;
  second.b += t.b_next;
  second.init += kPanelColumns;
  second.out = nullptr;
  ComputeWhole<kSignedA, kRows, 1>(second, {to.at + kPanelColumns, to.stride});
}

template <bool kSignedA, int kRows, int kPanels>
TILEWAVE_AMX inline void Compute(const TileArgs& t, const Sums& to) {
  if constexpr (kPanels == 2 && kRows > kTileRows) {
    // With any other K nothing is gained by pieces, measured.
    t.groups == kStepGroups ? ComputePieces<kSignedA, kRows>(t, to)
                            : ComputeBoth<kSignedA, kRows>(t, to);
  } else {
    ComputeWhole<kSignedA, kRows, kPanels>(t, to);
  }
}

/// Sums of a tile on lines of their own go to C.
template <int kRows, int kPanels>
TILEWAVE_AMX void CopySums(const int32_t* sums, const TileArgs& t) {
  constexpr int64_t kColumns = kPanels * kPanelColumns;
  // Copies: the compiler cannot know that `t` is no part of C.
  int32_t* const c = t.c;
  const int64_t c_stride = t.c_stride;
  if (t.columns == kColumns) {
    for (int r = 0; r < kRows; ++r) {
      for (int64_t j = 0; j < kColumns; j += kLanes) {
        _mm512_storeu_si512(c + (r * c_stride) + j, _mm512_load_si512(sums + (r * kColumns) + j));
      }
    }
    return;
  }
  const uint64_t wanted = (uint64_t{1} << t.columns) - 1;
  for (int r = 0; r < kRows; ++r) {
    for (int64_t j = 0; j < kColumns; j += kLanes) {
      _mm512_mask_storeu_epi32(c + (r * c_stride) + j, static_cast<__mmask16>(wanted >> j),
                               _mm512_load_si512(sums + (r * kColumns) + j));
    }
  }
}

/// kRows rows by kPanels panels.
template <int kRows, int kPanels>
TILEWAVE_AMX void Run(const TileArgs& t) {
  constexpr bool kOwnShapes = kRows != kTileRows && kRows != kFullRows;
  constexpr int64_t kColumns = kPanels * kPanelColumns;
  if constexpr (kOwnShapes) LoadShapes(kShapes[size_t{kRows} - 1]);
  // Stores of tiles are slow where they cross lines.
  const auto place = static_cast<int64_t>(reinterpret_cast<uintptr_t>(t.c));
  const bool whole_lines = (place | (t.c_stride * kNumberBytes)) % kLineBytes == 0;
  const bool in_place = t.columns == kColumns && whole_lines;
  alignas(kLineBytes) int32_t sums[size_t{kRows * kColumns}];
  const Sums to = in_place ? Sums{t.c, t.c_stride} : Sums{sums, kColumns};
  if (t.a_signed) {
    Compute<true, kRows, kPanels>(t, to);
  } else {
    Compute<false, kRows, kPanels>(t, to);
  }
  if (!in_place) CopySums<kRows, kPanels>(sums, t);
  if constexpr (kOwnShapes) LoadShapes(kShapes[size_t{kFullRows} - 1]);
}

}  // namespace

const TileFunction kAmxTiles32x32[32] = {
    Run<1, 1>,  Run<2, 1>,  Run<3, 1>,  Run<4, 1>,  Run<5, 1>,  Run<6, 1>,  Run<7, 1>,  Run<8, 1>,
    Run<9, 1>,  Run<10, 1>, Run<11, 1>, Run<12, 1>, Run<13, 1>, Run<14, 1>, Run<15, 1>, Run<16, 1>,
    Run<17, 1>, Run<18, 1>, Run<19, 1>, Run<20, 1>, Run<21, 1>, Run<22, 1>, Run<23, 1>, Run<24, 1>,
    Run<25, 1>, Run<26, 1>, Run<27, 1>, Run<28, 1>, Run<29, 1>, Run<30, 1>, Run<31, 1>, Run<32, 1>};

const TileFunction kAmxTiles32x64[32] = {
    Run<1, 2>,  Run<2, 2>,  Run<3, 2>,  Run<4, 2>,  Run<5, 2>,  Run<6, 2>,  Run<7, 2>,  Run<8, 2>,
    Run<9, 2>,  Run<10, 2>, Run<11, 2>, Run<12, 2>, Run<13, 2>, Run<14, 2>, Run<15, 2>, Run<16, 2>,
    Run<17, 2>, Run<18, 2>, Run<19, 2>, Run<20, 2>, Run<21, 2>, Run<22, 2>, Run<23, 2>, Run<24, 2>,
    Run<25, 2>, Run<26, 2>, Run<27, 2>, Run<28, 2>, Run<29, 2>, Run<30, 2>, Run<31, 2>, Run<32, 2>};

TILEWAVE_AMX void BeginAmx() { LoadShapes(kShapes[size_t{kFullRows} - 1]); }

TILEWAVE_AMX void EndAmx() { asm volatile("tilerelease"); }

}  // namespace tilewave::kernels::cpu

#endif
