#pragma once

// Four sums and one step of them, for kernels without instructions of their own. With SSE2, which
// every x86-64 CPU has, as the one instruction that multiplies pairs and adds the two products:
// g++ 12 does not find it in any plain loop. Else vectors of g++ and clang, for what the CPU has;
// the halves of a pair then change places with the byte order, in A and B alike. Functions are in
// an unnamed namespace: each file gets a copy of its own.

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <cstdint>
#include <cstring>

namespace tilewave::kernels::cpu {

inline constexpr int64_t kLanes = 4;

namespace {

#if defined(__SSE2__)

using Sums = __m128i;
using Pairs = __m128i;  ///< Two s16 in each lane.

inline Sums LoadSums(const int32_t* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}
inline void StoreSums(Sums sums, int32_t* to) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), sums);
}
/// One pair in every lane.
inline Pairs LoadPair(const void* from) {
  int32_t pair;
  std::memcpy(&pair, from, sizeof(pair));
  return _mm_set1_epi32(pair);
}
/// A pair for each lane; aligned to 16 bytes.
inline Pairs LoadPairs(const void* from) {
  return _mm_load_si128(static_cast<const __m128i*>(from));
}
inline Sums MultiplyAdd(Sums sums, Pairs a, Pairs b) {
  return _mm_add_epi32(sums, _mm_madd_epi16(a, b));
}

#else

using Sums [[gnu::vector_size(16)]] = uint32_t;
using SignedLanes [[gnu::vector_size(16)]] = int32_t;
struct Pairs {
  Sums low;
  Sums high;
};

inline Sums LoadSums(const int32_t* from) {
  Sums sums;
  std::memcpy(&sums, from, sizeof(sums));
  return sums;
}
inline void StoreSums(Sums sums, int32_t* to) { std::memcpy(to, &sums, sizeof(sums)); }
/// One pair in every lane.
inline Pairs LoadPair(const void* from) {
  int32_t pair;
  std::memcpy(&pair, from, sizeof(pair));
  return {Sums{} + static_cast<uint32_t>(static_cast<int16_t>(pair)),
          Sums{} + static_cast<uint32_t>(pair >> 16)};
}
/// A pair for each lane.
inline Pairs LoadPairs(const void* from) {
  Sums pairs;
  std::memcpy(&pairs, from, sizeof(pairs));
  const auto high = reinterpret_cast<SignedLanes>(pairs) >> 16;
  const auto low = reinterpret_cast<SignedLanes>(pairs << 16) >> 16;
  return {reinterpret_cast<Sums>(low), reinterpret_cast<Sums>(high)};
}
inline Sums MultiplyAdd(Sums sums, Pairs a, Pairs b) {
  return sums + (b.low * a.low) + (b.high * a.high);
}

#endif

}  // namespace
}  // namespace tilewave::kernels::cpu
