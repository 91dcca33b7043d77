#include "kernels/cpu/rows_avx2.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstring>

#define TILEWAVE_ROWS_TARGET [[gnu::target("avx2")]]
#include "kernels/cpu/row_vectors.h"
#include "kernels/cpu/rows_portable.h"

namespace tilewave::kernels::cpu {
namespace {

// What does not fill a register is left to kRowsPortable.
constexpr int64_t kLanes = 8;  // Of 32 bits.
constexpr int64_t kBytes = 32;

TILEWAVE_ROWS_INLINE __m256i LoadBytes(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}

TILEWAVE_ROWS_INLINE void StoreBytes(void* to, __m256i x) {
  _mm256_storeu_si256(static_cast<__m256i*>(to), x);
}

// --- rows of A -------------------------------------------------------------------------------

/// The largest of the lanes' bits as s32 is the highest positive float, +infinity or a NaN, and the
/// largest as u32 is the lowest negative float, -infinity or a NaN. Comparing integers finds NaNs
/// on the way, which MINPS and MAXPS drop.
struct Extremes {
  __m256i high;
  __m256i low;
};

TILEWAVE_ROWS_INLINE void Include(__m256i high_bits, __m256i low_bits, Extremes* e) {
  e->high = _mm256_max_epi32(e->high, high_bits);
  e->low = _mm256_max_epu32(e->low, low_bits);
}

TILEWAVE_ROWS_INLINE FloatRange RangeOf(const Extremes& e) {
  constexpr uint32_t kInfinity = 0x7F800000u;
  constexpr uint32_t kMinusZero = 0x80000000u;
  uint32_t highs[kLanes];
  uint32_t lows[kLanes];
  StoreBytes(highs, e.high);
  StoreBytes(lows, e.low);
  uint32_t high = 0;
  uint32_t low = 0;
  for (int64_t i = 0; i < kLanes; ++i) {
    high = highs[i] > high ? highs[i] : high;
    low = lows[i] > low ? lows[i] : low;
  }
  FloatRange r{0, 0, false};
  r.finite = high < kInfinity && low < (kInfinity | kMinusZero);
  std::memcpy(&r.high, &high, sizeof(high));
  // 0 and -0 are no lower than the 0 that is there already.
  if (low > kMinusZero) std::memcpy(&r.low, &low, sizeof(low));
  return r;
}

TILEWAVE_ROWS_TARGET FloatRange Range(const float* x, int64_t count) {
  const Extremes none{_mm256_setzero_si256(), _mm256_setzero_si256()};
  Extremes e[4] = {none, none, none, none};
  int64_t i = 0;
  for (; i + (4 * kLanes) <= count; i += 4 * kLanes) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      const __m256i bits = LoadBytes(x + i + (v * kLanes));
      Include(bits, bits, &e[v]);
    }
  }
  for (int v = 1; v < 4; ++v) Include(e[v].high, e[v].low, &e[0]);
  FloatRange r = RangeOf(e[0]);
  const FloatRange rest = kRowsPortable.range(x + i, count - i);
  r.low = rest.low < r.low ? rest.low : r.low;
  r.high = rest.high > r.high ? rest.high : r.high;
  r.finite = r.finite && rest.finite;
  return r;
}

/// Four times 8 s32 -> four pieces of 8 s16 or 32 s8 in order: packing works in halves of 16 bytes.
TILEWAVE_ROWS_INLINE __m256i InOrder(__m256i packed) {
  return _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

/// nearbyint(x * inverse), at most 127. A product below -2^31 becomes -2^31; what is too low is
/// cut when the lanes are packed. A product that is too high would come out negative; it is cut
/// before, as integer, which leaves negative floats alone and for positive ones is the same.
TILEWAVE_ROWS_INLINE __m256i SymmetricSteps(__m256 x, __m256 inverse) {
  const __m256i most = _mm256_castps_si256(_mm256_set1_ps(127.0F));
  const __m256i product = _mm256_castps_si256(_mm256_mul_ps(x, inverse));
  return _mm256_cvtps_epi32(_mm256_castsi256_ps(_mm256_min_epi32(product, most)));
}

/// What rows are multiplied by: one number or one per column.
struct OneFactor {
  __m256 factor;
  TILEWAVE_ROWS_INLINE __m256 At(int64_t /*i*/) const { return factor; }
};
struct ColumnFactors {
  const float* factors;
  TILEWAVE_ROWS_INLINE __m256 At(int64_t i) const { return _mm256_loadu_ps(factors + i); }
};

/// Returns how many numbers it has done.
template <typename Factors>
TILEWAVE_ROWS_INLINE int64_t QuantiseBy(Factors factors, const float* x, int64_t count,
                                        uint8_t flip, uint8_t* to) {
  const __m256i low = _mm256_set1_epi8(-127);
  const __m256i flips = _mm256_set1_epi8(static_cast<char>(flip));
  int64_t i = 0;
  for (; i + kBytes <= count; i += kBytes) {
    __m256i steps[4];
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      const int64_t at = i + (v * kLanes);
      steps[v] = SymmetricSteps(_mm256_loadu_ps(x + at), factors.At(at));
    }
    const __m256i bytes = InOrder(_mm256_packs_epi16(_mm256_packs_epi32(steps[0], steps[1]),
                                                     _mm256_packs_epi32(steps[2], steps[3])));
    StoreBytes(to + i, _mm256_xor_si256(_mm256_max_epi8(bytes, low), flips));
  }
  return i;
}

TILEWAVE_ROWS_TARGET void QuantiseSymmetric(const float* x, int64_t count, float inverse,
                                            uint8_t flip, uint8_t* to, int64_t ahead) {
  const int64_t done = QuantiseBy(OneFactor{_mm256_set1_ps(inverse)}, x, count, flip, to);
  kRowsPortable.quantise_symmetric(x + done, count - done, inverse, flip, to + done, ahead);
}

TILEWAVE_ROWS_TARGET void QuantiseColumns(const float* x, int64_t count, const float* inverse,
                                          uint8_t flip, uint8_t* to) {
  const int64_t done = QuantiseBy(ColumnFactors{inverse}, x, count, flip, to);
  kRowsPortable.quantise_columns(x + done, count - done, inverse + done, flip, to + done);
}

/// With x first and the bound second MINPS and MAXPS are std::min(bound, x) and
/// std::max(bound, x).
TILEWAVE_ROWS_TARGET bool WidenRanges(const float* x, int64_t count, float* low, float* high) {
  const __m256i magnitude = _mm256_set1_epi32(0x7FFFFFFF);
  const __m256i largest_finite = _mm256_set1_epi32(0x7F7FFFFF);
  __m256i largest = _mm256_setzero_si256();
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const __m256i bits = LoadBytes(x + i);
    const __m256 value = _mm256_castsi256_ps(bits);
    largest = _mm256_max_epi32(largest, _mm256_and_si256(bits, magnitude));
    _mm256_storeu_ps(low + i, _mm256_min_ps(value, _mm256_loadu_ps(low + i)));
    _mm256_storeu_ps(high + i, _mm256_max_ps(value, _mm256_loadu_ps(high + i)));
  }
  const __m256i beyond = _mm256_cmpgt_epi32(largest, largest_finite);
  const bool rest = kRowsPortable.widen_ranges(x + i, count - i, low + i, high + i);
  return rest && _mm256_testz_si256(beyond, beyond) != 0;
}

/// nearbyint(x / scale) + zero, to be clamped. Quotients beyond 2^24 end at 0 or 255 whatever the
/// zero point, and are cut so that they fit s32.
TILEWAVE_ROWS_INLINE __m256i AsymmetricSteps(__m256 x, __m256 scale, __m256i zero) {
  const __m256 most = _mm256_set1_ps(0x1p24F);
  const __m256 least = _mm256_set1_ps(-0x1p24F);
  const __m256 quotient = _mm256_div_ps(x, scale);
  const __m256 fitting = _mm256_min_ps(_mm256_max_ps(quotient, least), most);
  return _mm256_add_epi32(_mm256_cvtps_epi32(fitting), zero);
}

TILEWAVE_ROWS_TARGET void QuantiseAsymmetric(const float* x, int64_t count, float scale,
                                             int32_t zero, uint8_t flip, uint8_t* to) {
  const __m256 divisor = _mm256_set1_ps(scale);
  const __m256i zeros = _mm256_set1_epi32(zero);
  const __m256i flips = _mm256_set1_epi8(static_cast<char>(flip));
  int64_t i = 0;
  for (; i + kBytes <= count; i += kBytes) {
    __m256i steps[4];
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      steps[v] = AsymmetricSteps(_mm256_loadu_ps(x + i + (v * kLanes)), divisor, zeros);
    }
    const __m256i bytes = InOrder(_mm256_packus_epi16(_mm256_packs_epi32(steps[0], steps[1]),
                                                      _mm256_packs_epi32(steps[2], steps[3])));
    StoreBytes(to + i, _mm256_xor_si256(bytes, flips));
  }
  kRowsPortable.quantise_asymmetric(x + i, count - i, scale, zero, flip, to + i);
}

TILEWAVE_ROWS_TARGET void CopyFlipped(const uint8_t* from, int64_t count, uint8_t flip,
                                      uint8_t* to) {
  const __m256i flips = _mm256_set1_epi8(static_cast<char>(flip));
  int64_t i = 0;
  for (; i + kBytes <= count; i += kBytes) {
    StoreBytes(to + i, _mm256_xor_si256(LoadBytes(from + i), flips));
  }
  kRowsPortable.copy_flipped(from + i, count - i, flip, to + i);
}

TILEWAVE_ROWS_TARGET void WidenBytes(const uint8_t* from, int64_t count, bool is_signed,
                                     int32_t zero, int16_t* to) {
  constexpr int64_t kWidth = 16;  // s16 per register.
  const __m256i zeros = _mm256_set1_epi16(static_cast<int16_t>(zero));
  int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
    const __m256i wide = is_signed ? _mm256_cvtepi8_epi16(bytes) : _mm256_cvtepu8_epi16(bytes);
    StoreBytes(to + i, _mm256_sub_epi16(wide, zeros));
  }
  kRowsPortable.widen(from + i, count - i, is_signed, zero, to + i);
}

struct PartialSum {
  uint32_t sum;
  int64_t count;
};

/// Sum of (byte XOR flip) as u8 over whole registers, modulo 2^32. Sums of eight bytes stand in
/// 64-bit lanes, so nothing overflows.
TILEWAVE_ROWS_TARGET PartialSum SumFlipped(const uint8_t* x, int64_t count, char flip) {
  const __m256i flips = _mm256_set1_epi8(flip);
  const __m256i zero = _mm256_setzero_si256();
  __m256i even = zero;
  __m256i odd = zero;
  int64_t i = 0;
  for (; i + (2 * kBytes) <= count; i += 2 * kBytes) {
    const __m256i x0 = _mm256_xor_si256(LoadBytes(x + i), flips);
    const __m256i x1 = _mm256_xor_si256(LoadBytes(x + i + kBytes), flips);
    even = _mm256_add_epi64(even, _mm256_sad_epu8(x0, zero));
    odd = _mm256_add_epi64(odd, _mm256_sad_epu8(x1, zero));
  }
  uint64_t sums[4];
  StoreBytes(sums, _mm256_add_epi64(even, odd));
  return {static_cast<uint32_t>(sums[0] + sums[1] + sums[2] + sums[3]), i};
}

int32_t SumU8(const uint8_t* x, int64_t count) {
  const PartialSum part = SumFlipped(x, count, 0);
  const int32_t rest = kRowsPortable.sum_u8(x + part.count, count - part.count);
  return static_cast<int32_t>(part.sum + static_cast<uint32_t>(rest));
}

/// The flipped byte is the signed one plus 128.
int32_t SumS8(const uint8_t* x, int64_t count) {
  const PartialSum part = SumFlipped(x, count, -128);
  const int32_t rest = kRowsPortable.sum_s8(x + part.count, count - part.count);
  const uint32_t added = static_cast<uint32_t>(part.count) * 128;
  return static_cast<int32_t>(part.sum - added + static_cast<uint32_t>(rest));
}

// --- sums to elements of C -------------------------------------------------------------------

/// The instructions for row_vectors.h.
struct Avx2 {
  static constexpr int64_t kLanes = 8;
  static constexpr int kFloatsAtOnce = 2;
  using Float = __m256;
  using Int = __m256i;
  struct Table {
    __m256 low;
    __m256 high;
  };

  struct Whole {};

  // clang-format off
  TILEWAVE_ROWS_INLINE static Float Set(float x) { return _mm256_set1_ps(x); }
  TILEWAVE_ROWS_INLINE static Float Add(Float a, Float b) { return _mm256_add_ps(a, b); }
  TILEWAVE_ROWS_INLINE static Float Subtract(Float a, Float b) { return _mm256_sub_ps(a, b); }
  TILEWAVE_ROWS_INLINE static Float Multiply(Float a, Float b) { return _mm256_mul_ps(a, b); }
  TILEWAVE_ROWS_INLINE static Float Divide(Float a, Float b) { return _mm256_div_ps(a, b); }
  TILEWAVE_ROWS_INLINE static Float Min(Float a, Float b) { return _mm256_min_ps(a, b); }
  TILEWAVE_ROWS_INLINE static Float Max(Float a, Float b) { return _mm256_max_ps(a, b); }
  TILEWAVE_ROWS_INLINE static Float FloatOf(Int bits) { return _mm256_castsi256_ps(bits); }
  TILEWAVE_ROWS_INLINE static Float ToFloat(Int x) { return _mm256_cvtepi32_ps(x); }

  TILEWAVE_ROWS_INLINE static Int Set(int32_t x) { return _mm256_set1_epi32(x); }
  TILEWAVE_ROWS_INLINE static Int Add(Int a, Int b) { return _mm256_add_epi32(a, b); }
  TILEWAVE_ROWS_INLINE static Int Multiply(Int a, Int b) { return _mm256_mullo_epi32(a, b); }
  TILEWAVE_ROWS_INLINE static Int Min(Int a, Int b) { return _mm256_min_epi32(a, b); }
  TILEWAVE_ROWS_INLINE static Int Max(Int a, Int b) { return _mm256_max_epi32(a, b); }
  TILEWAVE_ROWS_INLINE static Int And(Int a, Int b) { return _mm256_and_si256(a, b); }
  TILEWAVE_ROWS_INLINE static Int Or(Int a, Int b) { return _mm256_or_si256(a, b); }
  TILEWAVE_ROWS_INLINE static Int BitsOf(Float x) { return _mm256_castps_si256(x); }
  TILEWAVE_ROWS_INLINE static Int ToNearest(Float x) { return _mm256_cvtps_epi32(x); }
  // clang-format on

  TILEWAVE_ROWS_INLINE static Int ShiftLeft(Int x, int32_t count) {
    return _mm256_sll_epi32(x, _mm_cvtsi32_si128(count));
  }
  TILEWAVE_ROWS_INLINE static Int ShiftRightLogical(Int x, int32_t count) {
    return _mm256_srl_epi32(x, _mm_cvtsi32_si128(count));
  }
  TILEWAVE_ROWS_INLINE static Int ShiftRightArithmetic(Int x, int32_t count) {
    return _mm256_sra_epi32(x, _mm_cvtsi32_si128(count));
  }

  TILEWAVE_ROWS_INLINE static Float AndBits(Float x, uint32_t mask) {
    return FloatOf(And(BitsOf(x), Set(static_cast<int32_t>(mask))));
  }
  TILEWAVE_ROWS_INLINE static Float OrBits(Float x, uint32_t mask) {
    return FloatOf(Or(BitsOf(x), Set(static_cast<int32_t>(mask))));
  }
  /// MAXPS gives its second operand if that is a NaN or both are zero.
  TILEWAVE_ROWS_INLINE static Float Relu(Float x) { return Max(_mm256_setzero_ps(), x); }
  /// a <= b ? yes : no
  TILEWAVE_ROWS_INLINE static Float SelectLessEqual(Float a, Float b, Float yes, Float no) {
    return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, b, _CMP_LE_OQ));
  }
  TILEWAVE_ROWS_INLINE static Int SelectNan(Float x, Int yes, Int no) {
    return _mm256_blendv_epi8(no, yes, BitsOf(_mm256_cmp_ps(x, x, _CMP_UNORD_Q)));
  }

  TILEWAVE_ROWS_INLINE static Table LoadTable(const float* from) {
    return {_mm256_load_ps(from), _mm256_load_ps(from + kLanes)};
  }
  TILEWAVE_ROWS_INLINE static Float LookUp(Table table, Int index) {
    const __m256 in_low = _mm256_permutevar8x32_ps(table.low, index);
    const __m256 in_high = _mm256_permutevar8x32_ps(table.high, index);
    return _mm256_blendv_ps(in_low, in_high, FloatOf(ShiftLeft(index, 28)));
  }

  TILEWAVE_ROWS_INLINE static Int Load(const int32_t* from, Whole /*lanes*/) {
    return LoadBytes(from);
  }
  TILEWAVE_ROWS_INLINE static Float Load(const float* from, Whole /*lanes*/) {
    return _mm256_loadu_ps(from);
  }
  TILEWAVE_ROWS_INLINE static void Store(int32_t* to, Int x, Whole /*lanes*/) { StoreBytes(to, x); }
  TILEWAVE_ROWS_INLINE static void Store(float* to, Float x, Whole /*lanes*/) {
    _mm256_storeu_ps(to, x);
  }
  TILEWAVE_ROWS_INLINE static void StoreLow16(BFloat16* to, Int x, Whole /*lanes*/) {
    const __m256i low = And(x, Set(0xFFFF));
    const __m128i packed =
        _mm_packus_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), packed);
  }
  TILEWAVE_ROWS_INLINE static void StoreLow8(uint8_t* to, Int x, Whole /*lanes*/) {
    const __m256i low = And(x, Set(0xFF));
    const __m128i wide =
        _mm_packus_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packus_epi16(wide, wide));
  }

  template <typename Output>
  TILEWAVE_ROWS_INLINE static void StoreRest(const EpilogueMode& mode, const Output& /*output*/,
                                             const EpilogueTile& t, int64_t j) {
    kRowsPortable.store(mode, ColumnsFrom(t, mode.c_type, j));
  }
};

struct Line {
  TILEWAVE_ROWS_INLINE static void Stream(const std::byte* from, std::byte* to) {
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to), LoadBytes(from));
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to + kBytes), LoadBytes(from + kBytes));
  }
  TILEWAVE_ROWS_INLINE static void CopyPart(const std::byte* from, int64_t count, std::byte* to) {
    std::memcpy(to, from, static_cast<size_t>(count));
  }
  TILEWAVE_ROWS_INLINE static void Keep(const std::byte* from, std::byte* to) {
    std::memcpy(to, from, StreamedRows::kLineBytes);
  }
};

void EndStream() { _mm_sfence(); }

}  // namespace

const RowFunctions kRowsAvx2 = {
    "avx2",      Range,           QuantiseSymmetric, QuantiseAsymmetric,
    WidenRanges, QuantiseColumns, CopyFlipped,       WidenBytes,
    SumU8,       SumS8,           Store<Avx2>,       StreamRows<Line>,
    EndStream,
};

}  // namespace tilewave::kernels::cpu

#endif
