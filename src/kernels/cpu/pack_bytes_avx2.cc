#include "kernels/cpu/pack_bytes_avx2.h"

#if defined(__x86_64__)

#include <algorithm>
#include <cstring>

#include "kernels/cpu/avx2.h"

namespace tilewave::kernels::cpu {
namespace {

constexpr int64_t kColumns = 16;          // Of a panel.
constexpr int64_t kElementsPerTurn = 16;  // Of K, in a transposition.
// Pairs whose sums as s16 can be added without a wrap: a pair has at least -256.
constexpr int64_t kPairsAdded = 127;

/// The first `count` <= 16 bytes, and zeros.
TILEWAVE_AVX2 inline __m128i LoadFirst(const uint8_t* from, int64_t count) {
  alignas(16) uint8_t bytes[16] = {};
  std::memcpy(bytes, from, static_cast<size_t>(count));
  return _mm_load_si128(reinterpret_cast<const __m128i*>(bytes));
}

/// `flip` in the first `count` <= 16 bytes, and zeros.
TILEWAVE_AVX2 inline __m128i FlipsOf(uint8_t flip, int64_t count) {
  alignas(16) uint8_t bytes[16] = {};
  std::fill_n(bytes, count, flip);
  return _mm_load_si128(reinterpret_cast<const __m128i*>(bytes));
}

TILEWAVE_AVX2 inline void Store(std::byte* to, __m256i x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), x);
}

/// Sums of 16 columns, in order. kGroup: bytes of a group.
template <int64_t kGroup>
class ColumnSums;

template <>
class ColumnSums<4> {
 public:
  /// Adds the groups of eight columns.
  TILEWAVE_AVX2 inline void Add(int half, __m256i quads) {
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), quads);
    sums_[half] = _mm256_add_epi32(sums_[half], _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  TILEWAVE_AVX2 inline void StoreTo(int32_t* to) {
    Store(reinterpret_cast<std::byte*>(to), sums_[0]);
    Store(reinterpret_cast<std::byte*>(to + 8), sums_[1]);
  }

 private:
  __m256i sums_[2] = {};
};

template <>
class ColumnSums<2> {
 public:
  /// Adds the groups of all columns.
  TILEWAVE_AVX2 inline void Add(__m256i pairs) {
    narrow_ = _mm256_add_epi16(narrow_, _mm256_maddubs_epi16(_mm256_set1_epi8(1), pairs));
    if (++added_ == kPairsAdded) Widen();
  }
  TILEWAVE_AVX2 inline void StoreTo(int32_t* to) {
    Widen();
    Store(reinterpret_cast<std::byte*>(to), sums_[0]);
    Store(reinterpret_cast<std::byte*>(to + 8), sums_[1]);
  }

 private:
  TILEWAVE_AVX2 inline void Widen() {
    const __m128i low = _mm256_castsi256_si128(narrow_);
    const __m128i high = _mm256_extracti128_si256(narrow_, 1);
    sums_[0] = _mm256_add_epi32(sums_[0], _mm256_cvtepi16_epi32(low));
    sums_[1] = _mm256_add_epi32(sums_[1], _mm256_cvtepi16_epi32(high));
    narrow_ = _mm256_setzero_si256();
    added_ = 0;
  }

  __m256i sums_[2] = {};
  __m256i narrow_ = {};
  int64_t added_ = 0;
};

/// Rows of a source whose columns stand side by side.
struct Rows {
  const uint8_t* from;
  int64_t step;
  int64_t columns;
  __m128i flips;
};

/// Row `i`, zeros if there are not that many left. kWhole: all 16 columns are there.
template <bool kWhole>
TILEWAVE_AVX2 inline __m128i LoadRow(const Rows& rows, int64_t i, int64_t left) {
  if (i >= left) return _mm_setzero_si128();
  const uint8_t* from = rows.from + (i * rows.step);
  const __m128i bytes = kWhole ? Load16(from) : LoadFirst(from, rows.columns);
  return _mm_xor_si128(bytes, rows.flips);
}

/// Row `i` of a group in the low half, and of the next group in the high one.
template <int64_t kGroup, bool kWhole>
TILEWAVE_AVX2 inline __m256i LoadTwo(const Rows& rows, int64_t i, int64_t left) {
  return _mm256_set_m128i(LoadRow<kWhole>(rows, i + kGroup, left), LoadRow<kWhole>(rows, i, left));
}

/// Two groups, of which the second is written if `both`.
template <bool kWhole>
TILEWAVE_AVX2 inline void PackTwo(const Rows& rows, int64_t left, bool both, std::byte* panel,
                                  ColumnSums<4>* sums) {
  const __m256i row0 = LoadTwo<4, kWhole>(rows, 0, left);
  const __m256i row1 = LoadTwo<4, kWhole>(rows, 1, left);
  const __m256i row2 = LoadTwo<4, kWhole>(rows, 2, left);
  const __m256i row3 = LoadTwo<4, kWhole>(rows, 3, left);
  const __m256i low01 = _mm256_unpacklo_epi8(row0, row1);
  const __m256i high01 = _mm256_unpackhi_epi8(row0, row1);
  const __m256i low23 = _mm256_unpacklo_epi8(row2, row3);
  const __m256i high23 = _mm256_unpackhi_epi8(row2, row3);
  // Four columns of either group each.
  const __m256i at0 = _mm256_unpacklo_epi16(low01, low23);
  const __m256i at4 = _mm256_unpackhi_epi16(low01, low23);
  const __m256i at8 = _mm256_unpacklo_epi16(high01, high23);
  const __m256i at12 = _mm256_unpackhi_epi16(high01, high23);
  const __m256i first[2] = {_mm256_permute2x128_si256(at0, at4, 0x20),
                            _mm256_permute2x128_si256(at8, at12, 0x20)};
  const __m256i second[2] = {_mm256_permute2x128_si256(at0, at4, 0x31),
                             _mm256_permute2x128_si256(at8, at12, 0x31)};
  constexpr int64_t kHalfBytes = 32;
  constexpr int64_t kGroupBytes = 2 * kHalfBytes;
  for (int half = 0; half < 2; ++half) {
    Store(panel + (half * kHalfBytes), first[half]);
    if (both) Store(panel + kGroupBytes + (half * kHalfBytes), second[half]);
    sums->Add(half, first[half]);
    sums->Add(half, second[half]);
  }
}

template <bool kWhole>
TILEWAVE_AVX2 inline void PackTwo(const Rows& rows, int64_t left, bool both, std::byte* panel,
                                  ColumnSums<2>* sums) {
  const __m256i row0 = LoadTwo<2, kWhole>(rows, 0, left);
  const __m256i row1 = LoadTwo<2, kWhole>(rows, 1, left);
  const __m256i low = _mm256_unpacklo_epi8(row0, row1);
  const __m256i high = _mm256_unpackhi_epi8(row0, row1);
  const __m256i first = _mm256_permute2x128_si256(low, high, 0x20);
  const __m256i second = _mm256_permute2x128_si256(low, high, 0x31);
  Store(panel, first);
  if (both) Store(panel + 32, second);
  sums->Add(first);
  sums->Add(second);
}

template <int64_t kGroup, bool kWhole>
TILEWAVE_AVX2 void PackAcross(Rows rows, int64_t k, std::byte* panel, int32_t* all_sums) {
  ColumnSums<kGroup> sums;
  constexpr int64_t kTurn = 2 * kGroup;
  for (int64_t left = k; left > 0; left -= kTurn) {
    if (left >= kTurn) {
      PackTwo<kWhole>(rows, kTurn, true, panel, &sums);
    } else {
      PackTwo<kWhole>(rows, left, left > kGroup, panel, &sums);
    }
    rows.from += kTurn * rows.step;
    panel += kTurn * kColumns;
  }
  sums.StoreTo(all_sums);
}

/// Columns of a source whose elements of K stand side by side.
struct Columns {
  const uint8_t* from;
  int64_t step;
  int64_t count;
  uint8_t flip;
};

/// `left` elements of column `j`, at most 16, from element i on.
TILEWAVE_AVX2 inline __m128i LoadColumn(const Columns& columns, int64_t j, int64_t i,
                                        int64_t left) {
  if (j >= columns.count) return _mm_setzero_si128();
  const uint8_t* from = columns.from + (j * columns.step) + i;
  if (left >= kElementsPerTurn) {
    return _mm_xor_si128(Load16(from), _mm_set1_epi8(static_cast<char>(columns.flip)));
  }
  return _mm_xor_si128(LoadFirst(from, left), FlipsOf(columns.flip, left));
}

/// 16 elements of each of some columns, x[c], become groups: x[g] is group g of all of them.
TILEWAVE_AVX2 inline void TransposeQuads(__m128i x[4]) {
  const __m128i low01 = _mm_unpacklo_epi32(x[0], x[1]);
  const __m128i high01 = _mm_unpackhi_epi32(x[0], x[1]);
  const __m128i low23 = _mm_unpacklo_epi32(x[2], x[3]);
  const __m128i high23 = _mm_unpackhi_epi32(x[2], x[3]);
  x[0] = _mm_unpacklo_epi64(low01, low23);
  x[1] = _mm_unpackhi_epi64(low01, low23);
  x[2] = _mm_unpacklo_epi64(high01, high23);
  x[3] = _mm_unpackhi_epi64(high01, high23);
}

TILEWAVE_AVX2 inline void TransposePairs(__m128i x[8]) {
  __m128i y[8];
  for (int64_t i = 0; i < 4; ++i) {
    y[i] = _mm_unpacklo_epi16(x[2 * i], x[(2 * i) + 1]);
    y[i + 4] = _mm_unpackhi_epi16(x[2 * i], x[(2 * i) + 1]);
  }
  // y[i], y[i + 4]: the first and the last four pairs of columns 2 * i and 2 * i + 1.
  for (int i = 0; i < 8; i += 4) {
    __m128i even[4] = {y[i], y[i + 1], y[i + 2], y[i + 3]};
    TransposeQuads(even);
    for (int pair = 0; pair < 4; ++pair) x[i + pair] = even[pair];
  }
}

/// Groups of 4 columns, or of 8, which as s16 are 16 bytes: at once in a register.
template <int64_t kGroup>
TILEWAVE_AVX2 void PackAlong(const Columns& columns, int64_t k, std::byte* panel,
                             int32_t* all_sums) {
  constexpr int64_t kTogether = 16 / kGroup;  // Columns, and also groups of a turn.
  for (int64_t j = 0; j < kColumns; j += kTogether) {
    int32_t sums[size_t{kTogether}] = {};
    for (int64_t i = 0; i < k; i += kElementsPerTurn) {
      __m128i x[size_t{kTogether}];
      for (int64_t c = 0; c < kTogether; ++c) x[c] = LoadColumn(columns, j + c, i, k - i);
      if constexpr (kGroup == 4) {
        TransposeQuads(x);
      } else {
        TransposePairs(x);
      }
      // Sums of 16 elements fit s16, and so do those of either form's lanes.
      __m128i narrow = _mm_setzero_si128();
      std::byte* to = panel + (i * kColumns) + (j * kGroup);
      const int64_t groups = std::min(kTogether, (k - i + kGroup - 1) / kGroup);
      for (int64_t g = 0; g < groups; ++g) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to + (g * kColumns * kGroup)), x[g]);
        narrow = _mm_add_epi16(narrow, _mm_maddubs_epi16(_mm_set1_epi8(1), x[g]));
      }
      alignas(16) int16_t lanes[8];
      _mm_store_si128(reinterpret_cast<__m128i*>(lanes), narrow);
      for (int64_t lane = 0; lane < 8; ++lane) sums[lane * 2 / kGroup] += lanes[lane];
    }
    std::copy_n(sums, kTogether, all_sums + j);
  }
}

template <int64_t kGroup>
void Pack(const pack::PanelSource& source, int64_t k, int64_t columns, uint8_t flip,
          std::byte* panel, int32_t* sums) {
  if (source.column_stride == 1) {
    const Rows rows{source.data, source.k_stride, columns, FlipsOf(flip, columns)};
    auto* const across = columns == kColumns ? PackAcross<kGroup, true> : PackAcross<kGroup, false>;
    across(rows, k, panel, sums);
  } else if (source.k_stride == 1) {
    PackAlong<kGroup>({source.data, source.column_stride, columns, flip}, k, panel, sums);
  } else {
    pack::PackBytes(source, k, columns, kColumns, kGroup, flip, panel, sums);
  }
}

}  // namespace

void PackQuads16_avx2(const pack::PanelSource& source, int64_t k, int64_t columns, uint8_t flip,
                      std::byte* panel, int32_t* sums) {
  Pack<4>(source, k, columns, flip, panel, sums);
}

void PackPairs16_avx2(const pack::PanelSource& source, int64_t k, int64_t columns, uint8_t flip,
                      std::byte* panel, int32_t* sums) {
  Pack<2>(source, k, columns, flip, panel, sums);
}

}  // namespace tilewave::kernels::cpu

#endif
