#include "kernels/cpu/rows_avx512.h"

#if defined(__x86_64__)

#include "kernels/cpu/x86_intrinsics.h"

#include <cstddef>
#include <cstring>

#define TILEWAVE_ROWS_TARGET [[gnu::target("avx512f,avx512bw,avx512vl")]]
#include "kernels/cpu/row_vectors.h"

namespace tilewave::kernels::cpu {
namespace {

constexpr int64_t kLanes = 16;  // Of 32 bits.
constexpr int64_t kBytes = 64;

/// The first `count` lanes, or all. REQUIRES: count > 0.
TILEWAVE_ROWS_INLINE __mmask16 LanesUpTo(int64_t count) {
  return static_cast<__mmask16>(count < kLanes ? (uint32_t{1} << count) - 1 : 0xFFFFu);
}
/// The first `count` bytes, or all. REQUIRES: count > 0.
TILEWAVE_ROWS_INLINE __mmask64 BytesUpTo(int64_t count) {
  return count < kBytes ? (uint64_t{1} << count) - 1 : ~uint64_t{0};
}

// --- rows of A -------------------------------------------------------------------------------

/// The largest of the lanes' bits as s32 is the highest positive float, +infinity or a NaN, and the
/// largest as u32 is the lowest negative float, -infinity or a NaN. Comparing integers finds NaNs
/// on the way, which MINPS and MAXPS drop.
struct Extremes {
  __m512i high;
  __m512i low;
};

TILEWAVE_ROWS_INLINE void Include(__m512i bits, Extremes* e) {
  e->high = _mm512_max_epi32(e->high, bits);
  e->low = _mm512_max_epu32(e->low, bits);
}

/// The bits of 16 floats. g++ 12 would load them again for each use, and loads are what the loops
/// below wait for.
TILEWAVE_ROWS_INLINE __m512i LoadOnce(const float* x) {
  __m512i bits = _mm512_loadu_si512(x);
  asm("" : "+v"(bits));
  return bits;
}

TILEWAVE_ROWS_INLINE FloatRange RangeOf(const Extremes& e) {
  constexpr uint32_t kInfinity = 0x7F800000u;
  constexpr uint32_t kMinusZero = 0x80000000u;
  const auto high = static_cast<uint32_t>(_mm512_reduce_max_epi32(e.high));
  const auto low = static_cast<uint32_t>(_mm512_reduce_max_epu32(e.low));
  FloatRange r{0, 0, false};
  r.finite = high < kInfinity && low < (kInfinity | kMinusZero);
  std::memcpy(&r.high, &high, sizeof(high));
  // 0 and -0 are no lower than the 0 that is there already.
  if (low > kMinusZero) std::memcpy(&r.low, &low, sizeof(low));
  return r;
}

TILEWAVE_ROWS_TARGET FloatRange Range(const float* x, int64_t count) {
  const Extremes none{_mm512_setzero_si512(), _mm512_setzero_si512()};
  Extremes e[4] = {none, none, none, none};
  int64_t i = 0;
  for (; i + (4 * kLanes) <= count; i += 4 * kLanes) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      Include(LoadOnce(x + i + (v * kLanes)), &e[v]);
    }
  }
  for (; i < count; i += kLanes) {
    Include(_mm512_maskz_loadu_epi32(LanesUpTo(count - i), x + i), &e[0]);
  }
  for (int v = 1; v < 4; ++v) {
    e[0].high = _mm512_max_epi32(e[0].high, e[v].high);
    e[0].low = _mm512_max_epu32(e[0].low, e[v].low);
  }
  return RangeOf(e[0]);
}

/// Four times 16 s32 -> 64 s8 in order, saturated.
TILEWAVE_ROWS_INLINE __m512i PackS8(__m512i x0, __m512i x1, __m512i x2, __m512i x3) {
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i bytes = _mm512_packs_epi16(_mm512_packs_epi32(x0, x1), _mm512_packs_epi32(x2, x3));
  return _mm512_permutexvar_epi32(order, bytes);
}

/// nearbyint(x * inverse), at most 127. A product below -2^31 becomes -2^31; what is too low is
/// cut when the lanes are packed. A product that is too high would come out negative; it is cut
/// before, as integer, which leaves negative floats alone and for positive ones is the same.
TILEWAVE_ROWS_INLINE __m512i SymmetricSteps(__m512 x, __m512 inverse) {
  const __m512i most = _mm512_castps_si512(_mm512_set1_ps(127.0F));
  const __m512i product = _mm512_castps_si512(_mm512_mul_ps(x, inverse));
  return _mm512_cvtps_epi32(_mm512_castsi512_ps(_mm512_min_epi32(product, most)));
}

/// What rows are multiplied by: one number or one per column.
struct OneFactor {
  __m512 factor;
  TILEWAVE_ROWS_INLINE __m512 At(int64_t /*i*/) const { return factor; }
  TILEWAVE_ROWS_INLINE __m512 At(int64_t /*i*/, __mmask16 /*lanes*/) const { return factor; }
};
struct ColumnFactors {
  const float* factors;
  TILEWAVE_ROWS_INLINE __m512 At(int64_t i) const { return _mm512_loadu_ps(factors + i); }
  TILEWAVE_ROWS_INLINE __m512 At(int64_t i, __mmask16 lanes) const {
    return _mm512_maskz_loadu_ps(lanes, factors + i);
  }
};

/// What is quantised while these floats are fetched takes about as long as memory does.
constexpr int64_t kColumnsAhead = 4096;

template <typename Factors>
TILEWAVE_ROWS_INLINE void QuantiseBy(Factors factors, const float* x, int64_t count, uint8_t flip,
                                     uint8_t* to, int64_t ahead) {
  const __m512i low = _mm512_set1_epi8(-127);
  const __m512i flips = _mm512_set1_epi8(static_cast<char>(flip));
  int64_t i = 0;
  for (; i + kBytes <= count; i += kBytes) {
    __m512i steps[4];
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      const int64_t at = i + (v * kLanes);
      steps[v] = SymmetricSteps(_mm512_loadu_ps(x + at), factors.At(at));
      // Most often the next rows follow, whose ranges come next: reading them would wait for
      // memory. Into the L2 cache, since an L1 cache keeps only a few misses under way.
      __builtin_prefetch(x + at + ahead, 0, 2);
    }
    const __m512i bytes = PackS8(steps[0], steps[1], steps[2], steps[3]);
    _mm512_storeu_si512(to + i, _mm512_xor_si512(_mm512_max_epi8(bytes, low), flips));
  }
  for (; i < count; i += kLanes) {
    const __mmask16 lanes = LanesUpTo(count - i);
    const __m512 rest = _mm512_maskz_loadu_ps(lanes, x + i);
    const __m128i bytes = _mm512_cvtsepi32_epi8(SymmetricSteps(rest, factors.At(i, lanes)));
    const __m128i cut = _mm_max_epi8(bytes, _mm512_castsi512_si128(low));
    _mm_mask_storeu_epi8(to + i, lanes, _mm_xor_si128(cut, _mm512_castsi512_si128(flips)));
  }
}

TILEWAVE_ROWS_TARGET void QuantiseSymmetric(const float* x, int64_t count, float inverse,
                                            uint8_t flip, uint8_t* to, int64_t ahead) {
  QuantiseBy(OneFactor{_mm512_set1_ps(inverse)}, x, count, flip, to, ahead);
}

TILEWAVE_ROWS_TARGET void QuantiseColumns(const float* x, int64_t count, const float* inverse,
                                          uint8_t flip, uint8_t* to) {
  QuantiseBy(ColumnFactors{inverse}, x, count, flip, to, kColumnsAhead);
}

/// With x first and the bound second MINPS and MAXPS are std::min(bound, x) and
/// std::max(bound, x).
TILEWAVE_ROWS_TARGET bool WidenRanges(const float* x, int64_t count, float* low, float* high) {
  constexpr int32_t kInfinity = 0x7F800000;
  const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF);
  __m512i largest = _mm512_setzero_si512();
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const __m512i bits = LoadOnce(x + i);
    const __m512 value = _mm512_castsi512_ps(bits);
    largest = _mm512_max_epi32(largest, _mm512_and_si512(bits, magnitude));
    _mm512_storeu_ps(low + i, _mm512_min_ps(value, _mm512_loadu_ps(low + i)));
    _mm512_storeu_ps(high + i, _mm512_max_ps(value, _mm512_loadu_ps(high + i)));
  }
  if (i < count) {
    const __mmask16 lanes = LanesUpTo(count - i);
    const __m512 value = _mm512_maskz_loadu_ps(lanes, x + i);
    largest = _mm512_max_epi32(largest, _mm512_and_si512(_mm512_castps_si512(value), magnitude));
    const __m512 lower = _mm512_min_ps(value, _mm512_maskz_loadu_ps(lanes, low + i));
    const __m512 higher = _mm512_max_ps(value, _mm512_maskz_loadu_ps(lanes, high + i));
    _mm512_mask_storeu_ps(low + i, lanes, lower);
    _mm512_mask_storeu_ps(high + i, lanes, higher);
  }
  return _mm512_reduce_max_epi32(largest) < kInfinity;
}

/// nearbyint(x / scale) + zero, to be clamped. Quotients beyond 2^24 end at 0 or 255 whatever the
/// zero point, and are cut so that they fit s32.
TILEWAVE_ROWS_INLINE __m512i AsymmetricSteps(__m512 x, __m512 scale, __m512i zero) {
  const __m512 most = _mm512_set1_ps(0x1p24F);
  const __m512 least = _mm512_set1_ps(-0x1p24F);
  const __m512 quotient = _mm512_div_ps(x, scale);
  const __m512 fitting = _mm512_min_ps(_mm512_max_ps(quotient, least), most);
  return _mm512_add_epi32(_mm512_cvtps_epi32(fitting), zero);
}

/// 16 s32 -> u8, saturated.
TILEWAVE_ROWS_INLINE __m128i PackU8(__m512i x) {
  return _mm512_cvtusepi32_epi8(_mm512_max_epi32(x, _mm512_setzero_si512()));
}

TILEWAVE_ROWS_TARGET void QuantiseAsymmetric(const float* x, int64_t count, float scale,
                                             int32_t zero, uint8_t flip, uint8_t* to) {
  const __m512 divisor = _mm512_set1_ps(scale);
  const __m512i zeros = _mm512_set1_epi32(zero);
  const __m128i flips = _mm_set1_epi8(static_cast<char>(flip));
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const __m128i bytes = PackU8(AsymmetricSteps(_mm512_loadu_ps(x + i), divisor, zeros));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), _mm_xor_si128(bytes, flips));
  }
  if (i == count) return;
  const __mmask16 lanes = LanesUpTo(count - i);
  const __m512 rest = _mm512_maskz_loadu_ps(lanes, x + i);
  const __m128i bytes = PackU8(AsymmetricSteps(rest, divisor, zeros));
  _mm_mask_storeu_epi8(to + i, lanes, _mm_xor_si128(bytes, flips));
}

TILEWAVE_ROWS_TARGET void CopyFlipped(const uint8_t* from, int64_t count, uint8_t flip,
                                      uint8_t* to) {
  const __m512i flips = _mm512_set1_epi8(static_cast<char>(flip));
  int64_t i = 0;
  for (; i + kBytes <= count; i += kBytes) {
    _mm512_storeu_si512(to + i, _mm512_xor_si512(_mm512_loadu_si512(from + i), flips));
  }
  if (i == count) return;
  const __mmask64 bytes = BytesUpTo(count - i);
  const __m512i rest = _mm512_maskz_loadu_epi8(bytes, from + i);
  _mm512_mask_storeu_epi8(to + i, bytes, _mm512_xor_si512(rest, flips));
}

TILEWAVE_ROWS_INLINE __m512i ToS16(__m256i bytes, bool is_signed, __m512i zero) {
  const __m512i wide = is_signed ? _mm512_cvtepi8_epi16(bytes) : _mm512_cvtepu8_epi16(bytes);
  return _mm512_sub_epi16(wide, zero);
}

TILEWAVE_ROWS_TARGET void WidenBytes(const uint8_t* from, int64_t count, bool is_signed,
                                     int32_t zero, int16_t* to) {
  constexpr int64_t kWidth = 32;  // s16 per register.
  const __m512i zeros = _mm512_set1_epi16(static_cast<int16_t>(zero));
  int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i));
    _mm512_storeu_si512(to + i, ToS16(bytes, is_signed, zeros));
  }
  if (i == count) return;
  const auto lanes = static_cast<__mmask32>(BytesUpTo(count - i));
  const __m256i rest = _mm256_maskz_loadu_epi8(lanes, from + i);
  _mm512_mask_storeu_epi16(to + i, lanes, ToS16(rest, is_signed, zeros));
}

/// Sum of (byte XOR flip) as u8; a whole register of `flip` adds nothing. Sums of eight bytes
/// stand in 64-bit lanes, so nothing overflows.
TILEWAVE_ROWS_TARGET uint64_t SumFlipped(const uint8_t* x, int64_t count, char flip) {
  const __m512i flips = _mm512_set1_epi8(flip);
  const __m512i zero = _mm512_setzero_si512();
  __m512i even = zero;
  __m512i odd = zero;
  int64_t i = 0;
  for (; i + (2 * kBytes) <= count; i += 2 * kBytes) {
    const __m512i x0 = _mm512_xor_si512(_mm512_loadu_si512(x + i), flips);
    const __m512i x1 = _mm512_xor_si512(_mm512_loadu_si512(x + i + kBytes), flips);
    even = _mm512_add_epi64(even, _mm512_sad_epu8(x0, zero));
    odd = _mm512_add_epi64(odd, _mm512_sad_epu8(x1, zero));
  }
  for (; i < count; i += kBytes) {
    const __mmask64 bytes = BytesUpTo(count - i);
    const __m512i rest = _mm512_mask_loadu_epi8(flips, bytes, x + i);
    even = _mm512_add_epi64(even, _mm512_sad_epu8(_mm512_xor_si512(rest, flips), zero));
  }
  return static_cast<uint64_t>(_mm512_reduce_add_epi64(_mm512_add_epi64(even, odd)));
}

int32_t SumU8(const uint8_t* x, int64_t count) {
  return static_cast<int32_t>(static_cast<uint32_t>(SumFlipped(x, count, 0)));
}

/// The flipped byte is the signed one plus 128.
int32_t SumS8(const uint8_t* x, int64_t count) {
  const uint64_t sum = SumFlipped(x, count, -128) - (static_cast<uint64_t>(count) * 128);
  return static_cast<int32_t>(static_cast<uint32_t>(sum));
}

// --- sums to elements of C -------------------------------------------------------------------

/// The instructions for row_vectors.h.
struct Avx512 {
  static constexpr int64_t kLanes = 16;
  static constexpr int kFloatsAtOnce = 4;
  using Float = __m512;
  using Int = __m512i;
  using Table = __m512;

  struct Whole {};
  /// Masked stores are many times slower than whole ones.
  struct Some {
    __mmask16 mask;
  };

  // clang-format off
  TILEWAVE_ROWS_INLINE static Float Set(float x) { return _mm512_set1_ps(x); }
  TILEWAVE_ROWS_INLINE static Float Add(Float a, Float b) { return _mm512_add_ps(a, b); }
  TILEWAVE_ROWS_INLINE static Float Subtract(Float a, Float b) { return _mm512_sub_ps(a, b); }
  TILEWAVE_ROWS_INLINE static Float Multiply(Float a, Float b) { return _mm512_mul_ps(a, b); }
  TILEWAVE_ROWS_INLINE static Float Divide(Float a, Float b) { return _mm512_div_ps(a, b); }
  TILEWAVE_ROWS_INLINE static Float Min(Float a, Float b) { return _mm512_min_ps(a, b); }
  TILEWAVE_ROWS_INLINE static Float Max(Float a, Float b) { return _mm512_max_ps(a, b); }
  TILEWAVE_ROWS_INLINE static Float FloatOf(Int bits) { return _mm512_castsi512_ps(bits); }
  TILEWAVE_ROWS_INLINE static Float ToFloat(Int x) { return _mm512_cvtepi32_ps(x); }

  TILEWAVE_ROWS_INLINE static Int Set(int32_t x) { return _mm512_set1_epi32(x); }
  TILEWAVE_ROWS_INLINE static Int Add(Int a, Int b) { return _mm512_add_epi32(a, b); }
  TILEWAVE_ROWS_INLINE static Int Multiply(Int a, Int b) { return _mm512_mullo_epi32(a, b); }
  TILEWAVE_ROWS_INLINE static Int Min(Int a, Int b) { return _mm512_min_epi32(a, b); }
  TILEWAVE_ROWS_INLINE static Int Max(Int a, Int b) { return _mm512_max_epi32(a, b); }
  TILEWAVE_ROWS_INLINE static Int And(Int a, Int b) { return _mm512_and_si512(a, b); }
  TILEWAVE_ROWS_INLINE static Int Or(Int a, Int b) { return _mm512_or_si512(a, b); }
  TILEWAVE_ROWS_INLINE static Int BitsOf(Float x) { return _mm512_castps_si512(x); }
  TILEWAVE_ROWS_INLINE static Int ToNearest(Float x) { return _mm512_cvtps_epi32(x); }
  // clang-format on

  TILEWAVE_ROWS_INLINE static Int ShiftLeft(Int x, int32_t count) {
    return _mm512_sll_epi32(x, _mm_cvtsi32_si128(count));
  }
  TILEWAVE_ROWS_INLINE static Int ShiftRightLogical(Int x, int32_t count) {
    return _mm512_srl_epi32(x, _mm_cvtsi32_si128(count));
  }
  TILEWAVE_ROWS_INLINE static Int ShiftRightArithmetic(Int x, int32_t count) {
    return _mm512_sra_epi32(x, _mm_cvtsi32_si128(count));
  }

  TILEWAVE_ROWS_INLINE static Float AndBits(Float x, uint32_t mask) {
    return FloatOf(And(BitsOf(x), Set(static_cast<int32_t>(mask))));
  }
  TILEWAVE_ROWS_INLINE static Float OrBits(Float x, uint32_t mask) {
    return FloatOf(Or(BitsOf(x), Set(static_cast<int32_t>(mask))));
  }
  /// MAXPS gives its second operand if that is a NaN or both are zero.
  TILEWAVE_ROWS_INLINE static Float Relu(Float x) { return Max(_mm512_setzero_ps(), x); }
  /// a <= b ? yes : no
  TILEWAVE_ROWS_INLINE static Float SelectLessEqual(Float a, Float b, Float yes, Float no) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LE_OQ), no, yes);
  }
  TILEWAVE_ROWS_INLINE static Int SelectNan(Float x, Int yes, Int no) {
    return _mm512_mask_blend_epi32(_mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), no, yes);
  }

  TILEWAVE_ROWS_INLINE static Table LoadTable(const float* from) { return _mm512_load_ps(from); }
  TILEWAVE_ROWS_INLINE static Float LookUp(Table table, Int index) {
    return _mm512_permutexvar_ps(index, table);
  }

  TILEWAVE_ROWS_INLINE static Int Load(const int32_t* from, Whole /*lanes*/) {
    return _mm512_loadu_si512(from);
  }
  TILEWAVE_ROWS_INLINE static Int Load(const int32_t* from, Some lanes) {
    return _mm512_maskz_loadu_epi32(lanes.mask, from);
  }
  TILEWAVE_ROWS_INLINE static Float Load(const float* from, Whole /*lanes*/) {
    return _mm512_loadu_ps(from);
  }
  TILEWAVE_ROWS_INLINE static Float Load(const float* from, Some lanes) {
    return _mm512_maskz_loadu_ps(lanes.mask, from);
  }
  TILEWAVE_ROWS_INLINE static void Store(int32_t* to, Int x, Whole /*lanes*/) {
    _mm512_storeu_si512(to, x);
  }
  TILEWAVE_ROWS_INLINE static void Store(int32_t* to, Int x, Some lanes) {
    _mm512_mask_storeu_epi32(to, lanes.mask, x);
  }
  TILEWAVE_ROWS_INLINE static void Store(float* to, Float x, Whole /*lanes*/) {
    _mm512_storeu_ps(to, x);
  }
  TILEWAVE_ROWS_INLINE static void Store(float* to, Float x, Some lanes) {
    _mm512_mask_storeu_ps(to, lanes.mask, x);
  }
  TILEWAVE_ROWS_INLINE static void StoreLow16(BFloat16* to, Int x, Whole /*lanes*/) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi32_epi16(x));
  }
  TILEWAVE_ROWS_INLINE static void StoreLow16(BFloat16* to, Int x, Some lanes) {
    _mm256_mask_storeu_epi16(to, lanes.mask, _mm512_cvtepi32_epi16(x));
  }
  TILEWAVE_ROWS_INLINE static void StoreLow8(uint8_t* to, Int x, Whole /*lanes*/) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(x));
  }
  TILEWAVE_ROWS_INLINE static void StoreLow8(uint8_t* to, Int x, Some lanes) {
    _mm_mask_storeu_epi8(to, lanes.mask, _mm512_cvtepi32_epi8(x));
  }

  template <typename Output>
  TILEWAVE_ROWS_INLINE static void StoreRest(const EpilogueMode& /*mode*/, const Output& output,
                                             const EpilogueTile& t, int64_t j) {
    const Some lanes{LanesUpTo(t.columns - j)};
    StoreStrip<Avx512, 1>(output, t, j, lanes);
  }
};

struct Line {
  TILEWAVE_ROWS_INLINE static void Stream(const std::byte* from, std::byte* to) {
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to), _mm512_loadu_si512(from));
  }
  TILEWAVE_ROWS_INLINE static void CopyPart(const std::byte* from, int64_t count, std::byte* to) {
    if (count > 0) {
      const __mmask64 wanted = BytesUpTo(count);
      _mm512_mask_storeu_epi8(to, wanted, _mm512_maskz_loadu_epi8(wanted, from));
    }
  }
  TILEWAVE_ROWS_INLINE static void Keep(const std::byte* from, std::byte* to) {
    _mm512_store_si512(to, _mm512_load_si512(from));
  }
};

void EndStream() { _mm_sfence(); }

}  // namespace

const RowFunctions kRowsAvx512 = {
    "avx512",    Range,           QuantiseSymmetric, QuantiseAsymmetric,
    WidenRanges, QuantiseColumns, CopyFlipped,       WidenBytes,
    SumU8,       SumS8,           Store<Avx512>,     StreamRows<Line>,
    EndStream,
};

}  // namespace tilewave::kernels::cpu

#endif
