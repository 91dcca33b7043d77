#include "pack/panels.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace tilewave::pack {
namespace {

constexpr int64_t kPair = 2;
constexpr int64_t kQuad = 4;

// Neighbouring columns of a row-major source are packed eight at a time, in vectors of g++ and
// clang for what the CPU has.
constexpr int64_t kEight = 8;
using EightBytes [[gnu::vector_size(8)]] = uint8_t;
using EightSigned [[gnu::vector_size(8)]] = int8_t;
using EightPairs [[gnu::vector_size(16)]] = uint8_t;
using EightShorts [[gnu::vector_size(16)]] = int16_t;
using FourSums [[gnu::vector_size(16)]] = int32_t;

int32_t ZeroOf(const int32_t* zeros, int64_t j) { return zeros == nullptr ? 0 : zeros[j]; }

EightBytes LoadBytes(const uint8_t* from) {
  EightBytes bytes;
  std::memcpy(&bytes, from, sizeof(bytes));
  return bytes;
}

EightShorts Widen(EightBytes bytes, bool is_signed) {
  if (is_signed) return __builtin_convertvector(reinterpret_cast<EightSigned>(bytes), EightShorts);
  return __builtin_convertvector(bytes, EightShorts);
}

EightPairs Interleave(EightBytes a, EightBytes b) {
  return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
}

/// Pairs of elements of a and b to `to`.
void StoreInterleaved(EightShorts a, EightShorts b, void* to) {
  const EightShorts both[2] = {__builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11),
                               __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)};
  std::memcpy(to, both, sizeof(both));
}

/// Whole groups of eight columns, as bytes, `step` bytes apart; adds them up as s8.
template <int64_t kGroup>
void PackEightAsBytes(const uint8_t* from, int64_t k_stride, int64_t groups, uint8_t flip,
                      uint8_t* to, int64_t step, int32_t* sums) {
  const EightBytes flips = EightBytes{} + flip;
  FourSums low = {};
  FourSums high = {};
  for (int64_t g = 0; g < groups; ++g) {
    EightBytes row[size_t{kGroup}];
    EightShorts sum = {};
#pragma GCC unroll 4
    for (int64_t e = 0; e < kGroup; ++e) {
      row[e] = LoadBytes(from + (e * k_stride)) ^ flips;
      sum += Widen(row[e], true);
    }
    const EightPairs first = Interleave(row[0], row[1]);
    if constexpr (kGroup == kQuad) {
      StoreInterleaved(reinterpret_cast<EightShorts>(first),
                       reinterpret_cast<EightShorts>(Interleave(row[2], row[3])), to);
    } else {
      std::memcpy(to, &first, sizeof(first));
    }
    low += __builtin_convertvector(__builtin_shufflevector(sum, sum, 0, 1, 2, 3), FourSums);
    high += __builtin_convertvector(__builtin_shufflevector(sum, sum, 4, 5, 6, 7), FourSums);
    from += kGroup * k_stride;
    to += step;
  }
  std::memcpy(sums, &low, sizeof(low));
  std::memcpy(sums + 4, &high, sizeof(high));
}

/// Whole groups of eight columns, as pairs of s16 without their zero points, `step` numbers apart.
void PackEightAsPairs(const uint8_t* from, int64_t k_stride, int64_t groups, bool is_signed,
                      const int16_t* zeros, int16_t* to, int64_t step) {
  EightShorts zero;
  std::memcpy(&zero, zeros, sizeof(zero));
  for (int64_t g = 0; g < groups; ++g) {
    StoreInterleaved(Widen(LoadBytes(from), is_signed) - zero,
                     Widen(LoadBytes(from + k_stride), is_signed) - zero, to);
    from += kPair * k_stride;
    to += step;
  }
}

/// k elements of one column in groups that are `step` elements apart, with zeros behind them.
/// of(byte) makes an element.
template <int64_t kGroup, typename Element, typename Of>
void PackColumn(const uint8_t* from, int64_t k_stride, int64_t k, Element* to, int64_t step,
                Of of) {
  for (; k > 0; k -= kGroup) {
    Element group[size_t{kGroup}] = {};
    for (int64_t e = 0; e < std::min(k, kGroup); ++e) group[e] = of(from[e * k_stride]);
    std::memcpy(to, group, sizeof(group));
    from += kGroup * k_stride;
    to += step;
  }
}

/// Calls eight(j) for columns [j, j + 8) that stand side by side, and one(j, k) for what elements
/// of single columns are left, from k on.
template <typename Eight, typename One>
void ForColumns(const PanelSource& source, int64_t whole_k, int64_t k, int64_t columns, Eight eight,
                One one) {
  int64_t j = 0;
  for (; source.column_stride == 1 && j + kEight <= columns; j += kEight) {
    eight(j);
    for (int64_t c = j; whole_k < k && c < j + kEight; ++c) one(c, whole_k);
  }
  for (; j < columns; ++j) one(j, int64_t{0});
}

template <int64_t kGroup>
void PackGroups(const PanelSource& source, int64_t k, int64_t columns, int64_t nr, uint8_t flip,
                uint8_t* out, int32_t* sums) {
  const int64_t step = nr * kGroup;
  const int64_t groups = k / kGroup;
  std::fill_n(sums, nr, 0);
  ForColumns(
      source, groups * kGroup, k, columns,
      [&](int64_t j) {
        PackEightAsBytes<kGroup>(source.data + j, source.k_stride, groups, flip, out + (j * kGroup),
                                 step, sums + j);
      },
      [&](int64_t j, int64_t first) {
        const uint8_t* from = source.data + (j * source.column_stride) + (first * source.k_stride);
        uint8_t* to = out + (j * kGroup) + (first / kGroup * step);
        int32_t sum = 0;
        PackColumn<kGroup>(from, source.k_stride, k - first, to, step, [&](uint8_t byte) {
          const auto value = static_cast<uint8_t>(byte ^ flip);
          sum += static_cast<int8_t>(value);
          return value;
        });
        sums[j] += sum;
      });
}

}  // namespace

void PackBytes(const PanelSource& source, int64_t k, int64_t columns, int64_t nr, int64_t group,
               uint8_t flip, std::byte* panel, int32_t* sums) {
  TW_CHECK(group == kPair || group == kQuad);
  auto* out = reinterpret_cast<uint8_t*>(panel);
  if (columns < nr) std::memset(out, 0, static_cast<size_t>(base::RoundUp(k, group) * nr));
  const auto pack = group == kQuad ? PackGroups<kQuad> : PackGroups<kPair>;
  pack(source, k, columns, nr, flip, out, sums);
}

void PackPairs(const PanelSource& source, ElementType type, int64_t k, int64_t columns, int64_t nr,
               const int32_t* zeros, std::byte* panel) {
  auto* out = reinterpret_cast<int16_t*>(panel);
  if (columns < nr) std::fill_n(out, base::RoundUp(k, kPair) * nr, int16_t{0});
  const bool is_signed = type == ElementType::kS8;
  const int64_t step = nr * kPair;
  const int64_t groups = k / kPair;
  ForColumns(
      source, groups * kPair, k, columns,
      [&](int64_t j) {
        int16_t zero[kEight];
        for (int64_t c = 0; c < kEight; ++c) zero[c] = static_cast<int16_t>(ZeroOf(zeros, j + c));
        PackEightAsPairs(source.data + j, source.k_stride, groups, is_signed, zero,
                         out + (j * kPair), step);
      },
      [&](int64_t j, int64_t first) {
        const uint8_t* from = source.data + (j * source.column_stride) + (first * source.k_stride);
        int16_t* to = out + (j * kPair) + (first / kPair * step);
        const int32_t zero = ZeroOf(zeros, j);
        PackColumn<kPair>(from, source.k_stride, k - first, to, step, [=](uint8_t byte) {
          const int32_t value = is_signed ? int32_t{static_cast<int8_t>(byte)} : int32_t{byte};
          return static_cast<int16_t>(value - zero);
        });
      });
}

void UnpackBytesForTest(const std::byte* panel, int64_t k, int64_t columns, int64_t nr,
                        int64_t group, uint8_t flip, const PanelSource& shape, uint8_t* out) {
  const auto* packed = reinterpret_cast<const uint8_t*>(panel);
  for (int64_t i = 0; i < k; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      out[(i * shape.k_stride) + (j * shape.column_stride)] =
          static_cast<uint8_t>(packed[(((i / group * nr) + j) * group) + (i % group)] ^ flip);
    }
  }
}

void UnpackPairsForTest(const std::byte* panel, int64_t k, int64_t columns, int64_t nr,
                        const int32_t* zeros, const PanelSource& shape, uint8_t* out) {
  const auto* packed = reinterpret_cast<const int16_t*>(panel);
  for (int64_t i = 0; i < k; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      const int32_t value = packed[(((i / kPair * nr) + j) * kPair) + (i % kPair)];
      out[(i * shape.k_stride) + (j * shape.column_stride)] =
          static_cast<uint8_t>(value + ZeroOf(zeros, j));
    }
  }
}

}  // namespace tilewave::pack
