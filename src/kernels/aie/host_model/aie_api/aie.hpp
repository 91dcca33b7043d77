#pragma once

// The part of the AIE API that the tile kernels use, for this machine: names, signatures and
// results as in the real header of this name, which the array's compiler brings along. So the same
// kernel source runs here, and its results can be compared bit by bit.
//
// Written from the documented behaviour, on purpose without core/requantise.h: each is a check of
// the other. What it is stricter about than the array: alignment, modes and shifts out of range,
// which are undefined there, end in TW_CHECK.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/check.h"

using int8 = std::int8_t;
using int32 = std::int32_t;

/// Names accumulators of 32 bits per lane.
struct acc32 {};

namespace aie {

enum class saturation_mode : unsigned { none = 0, saturate = 1, symmetric = 3 };

enum class rounding_mode : unsigned {
  floor = 0,
  ceil = 1,
  symmetric_floor = 2,
  symmetric_ceil = 3,
  negative_inf = 8,
  positive_inf = 9,
  symmetric_zero = 10,
  symmetric_inf = 11,
  conv_even = 12,
  conv_odd = 13,
};

namespace host_model {

/// What a core has done: accesses to data memory, each as wide as a load unit, shuffles and vector
/// multiply-accumulates.
struct Counts {
  std::int64_t loads = 0;
  std::int64_t stores = 0;
  std::int64_t shuffles = 0;
  std::int64_t macs = 0;
};

/// The state of one core that outlives a kernel. The rounding and saturation modes begin as after
/// a reset.
struct Core {
  unsigned vector_bytes = 64;  ///< Widest access: 32 on AIE2, 64 on AIE2P.
  rounding_mode rounding = rounding_mode::floor;
  saturation_mode saturation = saturation_mode::none;
  Counts counts = {};
};

/// Each thread is a core.
inline Core& ThisCore() {
  thread_local Core core;
  return core;
}

/// How many accesses `bytes` take, checked for alignment: to the whole up to the widest access.
template <unsigned bytes>
std::int64_t AccessesAt(const void* address) {
  static_assert(bytes >= 16 && (bytes & (bytes - 1)) == 0, "no vector of the array is like that");
  const unsigned width = std::min(bytes, ThisCore().vector_bytes);
  const auto bytes_past_alignment = reinterpret_cast<std::uintptr_t>(address) % width;
  TW_CHECK_EQ(bytes_past_alignment, 0u);
  return bytes / width;
}

/// value / 2^shift as an accumulator leaves for a vector of int8 (shift, round, saturate). Of a
/// rounding mode's number, bit 3 says to the nearest or not, bits 1 and 2 what decides (nothing,
/// the sign, the lowest bit kept), and bit 0 turns the decision around.
inline int8 ShiftRoundSaturate(int32 value, int shift) {
  TW_CHECK_GE(shift, 0);
  TW_CHECK_LE(shift, 31);
  const std::int64_t wide = value;
  const std::int64_t kept = wide >> shift;
  const std::int64_t dropped = wide - (kept << shift);
  const std::int64_t half = shift == 0 ? 0 : std::int64_t{1} << (shift - 1);
  const bool guard = shift > 0 && dropped >= half;
  const bool sticky = guard ? dropped > half : dropped > 0;

  const auto mode = static_cast<unsigned>(ThisCore().rounding);
  bool decides = false;
  if ((mode & 6u) == 2u) decides = value < 0;
  if ((mode & 6u) == 4u) decides = (kept & 1) != 0;
  if ((mode & 1u) != 0) decides = !decides;
  const bool up = (mode & 8u) != 0 ? guard && (decides || sticky) : decides && (guard || sticky);

  const std::int64_t rounded = kept + (up ? 1 : 0);
  const std::int64_t highest = std::numeric_limits<int8>::max();
  switch (ThisCore().saturation) {
    case saturation_mode::none:
      return static_cast<int8>(static_cast<std::uint8_t>(rounded & 0xFF));
    case saturation_mode::saturate:
      return static_cast<int8>(std::clamp(rounded, -highest - 1, highest));
    case saturation_mode::symmetric:
      return static_cast<int8>(std::clamp(rounded, -highest, highest));
  }
  return 0;
}

}  // namespace host_model

inline void set_rounding(rounding_mode mode) {
  const auto number = static_cast<unsigned>(mode);
  TW_CHECK(number <= 3 || (number >= 8 && number <= 13));
  host_model::ThisCore().rounding = mode;
}
inline rounding_mode get_rounding() { return host_model::ThisCore().rounding; }

inline void set_saturation(saturation_mode mode) {
  const auto number = static_cast<unsigned>(mode);
  TW_CHECK(number <= 1 || number == 3);
  host_model::ThisCore().saturation = mode;
}
inline saturation_mode get_saturation() { return host_model::ThisCore().saturation; }

template <typename T, unsigned Elems>
struct vector {
  std::array<T, Elems> data;
};

template <typename T, unsigned Elems>
vector<T, Elems> zeros() {
  return {};
}

template <unsigned Elems, typename T>
vector<T, Elems> load_v(const T* ptr) {
  host_model::ThisCore().counts.loads += host_model::AccessesAt<Elems * sizeof(T)>(ptr);
  vector<T, Elems> loaded;
  std::memcpy(loaded.data.data(), ptr, Elems * sizeof(T));
  return loaded;
}

template <typename T, unsigned Elems>
T* store_v(T* ptr, const vector<T, Elems>& v) {
  host_model::ThisCore().counts.stores += host_model::AccessesAt<Elems * sizeof(T)>(ptr);
  std::memcpy(ptr, v.data.data(), Elems * sizeof(T));
  return ptr;
}

/// `v` as a row-major matrix of Row x Col, turned over. Of 64 bytes in 8 rows: one shuffle, on both
/// cores.
template <typename T, unsigned Elems>
vector<T, Elems> transpose(const vector<T, Elems>& v, unsigned Row, unsigned Col) {
  static_assert(Elems * sizeof(T) == 64 && sizeof(T) == 1, "other vectors take other shuffles");
  TW_CHECK_EQ(Row, 8u);
  TW_CHECK_EQ(Col, 8u);
  ++host_model::ThisCore().counts.shuffles;
  vector<T, Elems> turned;
  for (unsigned row = 0; row < Row; ++row) {
    for (unsigned col = 0; col < Col; ++col) {
      turned.data[(col * Row) + row] = v.data[(row * Col) + col];
    }
  }
  return turned;
}

template <typename Tag, unsigned Elems>
class accum {
  static_assert(std::is_same_v<Tag, acc32>);

 public:
  void from_vector(const vector<int32, Elems>& v) { lanes_ = v.data; }

  /// 32 bits to 32 bits is a move of registers: no mode applies, and the real API drops the shift.
  template <typename T>
  vector<T, Elems> to_vector(int shift = 0) const {
    static_assert(std::is_same_v<T, int32> || std::is_same_v<T, int8>);
    vector<T, Elems> v;
    if constexpr (std::is_same_v<T, int32>) {
      TW_CHECK_EQ(shift, 0);
      v.data = lanes_;
    } else {
      for (unsigned i = 0; i < Elems; ++i) {
        v.data[i] = host_model::ShiftRoundSaturate(lanes_[i], shift);
      }
    }
    return v;
  }

 private:
  std::array<int32, Elems> lanes_;
};

/// A block of C that blocks of A times B are added to; all three row-major. Sums wrap modulo 2^32.
template <unsigned M_Elems, unsigned K_Elems, unsigned N_Elems, typename TypeA, typename TypeB,
          typename AccumTag>
struct mmul {
  static_assert((M_Elems == 4 || M_Elems == 8) && K_Elems == 8 && N_Elems == 8,
                "not a shape that one instruction of AIE2 or AIE2P multiplies");
  static_assert(std::is_same_v<TypeA, int8> && std::is_same_v<TypeB, int8> &&
                std::is_same_v<AccumTag, acc32>);

  static constexpr unsigned M = M_Elems;
  static constexpr unsigned K = K_Elems;
  static constexpr unsigned N = N_Elems;
  static constexpr unsigned size_A = M * K;
  static constexpr unsigned size_B = K * N;
  static constexpr unsigned size_C = M * N;

  mmul(const vector<int32, size_C>& v) : sums_(v) {}  // NOLINT(google-explicit-constructor)

  void mac(const vector<int8, size_A>& a, const vector<int8, size_B>& b) {
    ++host_model::ThisCore().counts.macs;
    for (unsigned i = 0; i < M; ++i) {
      for (unsigned j = 0; j < N; ++j) {
        auto sum = static_cast<std::uint32_t>(sums_.data[(i * N) + j]);
        for (unsigned x = 0; x < K; ++x) {
          const int32 product = int32{a.data[(i * K) + x]} * int32{b.data[(x * N) + j]};
          sum += static_cast<std::uint32_t>(product);
        }
        sums_.data[(i * N) + j] = static_cast<int32>(sum);
      }
    }
  }

  template <typename T>
  vector<T, size_C> to_vector(int shift = 0) const {
    accum<acc32, size_C> sums;
    sums.from_vector(sums_);
    return sums.template to_vector<T>(shift);
  }

 private:
  vector<int32, size_C> sums_;
};

}  // namespace aie
