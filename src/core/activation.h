#pragma once

// Float32 activation functions with a fixed bit pattern.
//
// Every backend must return exactly the bits that these functions return. They therefore use only
// operations that IEEE 754 defines to the last bit and that every SIMD instruction set has: float
// add, subtract, multiply, divide, compare and select, 32-bit integer add, shift and bitwise
// logic, and bit casts between the two. A vector kernel repeats the same operations on the same
// operands in the same association; it may only swap the operands of an add or a multiply. There
// is no table, no library call and no fused multiply-add.
//
// What the bits depend on, besides the operation order:
//  * round to nearest even, subnormals neither flushed nor treated as zero (MXCSR FTZ and DAZ
//    clear, FPCR.FZ clear);
//  * no contraction of a * b + c (-ffp-contract=off) and no -ffast-math;
//  * "a < b ? c : d" is false when an operand is NaN.
// Lanes whose result is dropped by the final select may compute infinities, NaNs or wrapped
// integers on the way; nothing here traps.
//
// Error bounds are in units of the last place of the exact result: ulp(y) is the distance of
// consecutive floats in the binade of y, and 2^-149 below the normal range. They were measured
// over all 2^32 inputs against a double precision reference.

#include <bit>
#include <cstdint>

namespace tilewave::core {

// ExpNonPositive: the error is at most kExpMaxUlp for x >= kExpCutoff, the last float whose
// exponential is a normal number. Below it the result is +0.
inline constexpr float kExpCutoff = -87.33654f;
inline constexpr double kExpMaxUlp = 1.2;

// Silu, |x| <= kSiluCutoff: the error is at most kSiluMaxUlpPositive for x >= 0; for x < 0 it is at
// most kSiluMaxUlpNegative and at most kSiluMaxAbsErrorNegative. Beyond the cutoff the result is
// Relu(x), which is exact to 0.5 ulp for x > 0 and off by at most kSiluTailMaxAbsError for x < 0.
inline constexpr float kSiluCutoff = -kExpCutoff;
inline constexpr double kSiluMaxUlpPositive = 1.55;
inline constexpr double kSiluMaxUlpNegative = 3.4;
inline constexpr double kSiluMaxAbsErrorNegative = 5.7e-8;
inline constexpr double kSiluTailMaxAbsError = 1.03e-36;

// Gelu, |x| <= kGeluCutoff: the error is at most kGeluMaxUlpPositive for x >= 0; for x < 0 it is at
// most kGeluMaxUlpNegative and at most kGeluMaxAbsErrorNegative. Beyond the cutoff the result is
// Relu(x), which is exact to 0.5 ulp for x > 0 and off by at most kGeluTailMaxAbsError for x < 0.
// The cutoff keeps x * Phi(x) in the normal range, where arithmetic is fast on every processor.
inline constexpr float kGeluCutoff = 13.14f;
inline constexpr double kGeluMaxUlpPositive = 2.95;
inline constexpr double kGeluMaxUlpNegative = 8.1;
inline constexpr double kGeluMaxAbsErrorNegative = 5.9e-8;
inline constexpr double kGeluTailMaxAbsError = 1.28e-38;

// ExpNonPositive, and Silu and Gelu for x > 0, are monotone up to rounding: where the argument
// moves on, the result steps back by at most this much from any value it has reached.
inline constexpr double kMaxStepBackUlp = 1;

namespace activation {

// Adding 1.5 * 2^23 to a float of magnitude below 2^22 rounds it to an integer, which is then in
// the low bits of the sum; subtracting it again gives the integer as a float.
inline constexpr float kRoundMagic = 12582912.0f;
inline constexpr float kLog2E = 0x1.715476p+0f;

// ln(2) = kLn2Hi + kLn2Lo. kLn2Hi has 15 significant bits, so that its product with an integer of
// up to 9 bits is exact.
inline constexpr float kLn2Hi = 0x1.62e4p-1f;
inline constexpr float kLn2Lo = 0x1.7f7d1cp-20f;

// e^r = 1 + r + kExpC2 r^2 + ... + kExpC6 r^6 on [-0.4325, 0.3467], the range that the reductions
// of ExpNonPositive and Gelu leave. Minimax for the relative error (iteratively reweighted least
// squares in double), rounding the coefficients to float one after the other, lowest degree
// first, and refitting the rest after each. Maximum relative error 6.1e-9.
inline constexpr float kExpC2 = 0x1.ffffe6p-2f;
inline constexpr float kExpC3 = 0x1.555486p-3f;
inline constexpr float kExpC4 = 0x1.556ca4p-5f;
inline constexpr float kExpC5 = 0x1.123e5ap-7f;
inline constexpr float kExpC6 = 0x1.5b0038p-10f;

// 0.5 * erfc(t / sqrt(2)) * e^(t^2 / 2) = N(t) / D(t) on [0, 13.25], N of degree 4 with the
// coefficients kGeluN4 ... kGeluN0, D of degree 5 with the coefficients 1, kGeluD4 ... kGeluD0.
// Minimax for the relative error, fitted and rounded like the exponential (linearised rational
// least squares, iteratively reweighted), with N(0) / D(0) held at exactly 0.5. Maximum relative
// error 1.3e-8. All coefficients are positive, so neither Horner scheme ever cancels.
inline constexpr float kGeluN0 = 0x1.9048f8p+5f;
inline constexpr float kGeluN1 = 0x1.5c27dcp+5f;
inline constexpr float kGeluN2 = 0x1.21501ap+4f;
inline constexpr float kGeluN3 = 0x1.fd6d64p+1f;
inline constexpr float kGeluN4 = 0x1.9885e0p-2f;
inline constexpr float kGeluD0 = 0x1.9048f8p+6f;
inline constexpr float kGeluD1 = 0x1.4dc4bep+7f;
inline constexpr float kGeluD2 = 0x1.dd214ep+6f;
inline constexpr float kGeluD3 = 0x1.7276fcp+5f;
inline constexpr float kGeluD4 = 0x1.3f42b0p+3f;

// Gelu evaluates e^(-s / 2) in s = -2r. The constants below are those above times powers of two,
// which is exact, and save two multiplications by 0.5.
inline constexpr float kMinusHalfLog2E = -0.5f * kLog2E;
inline constexpr float kTwoLn2Hi = 2.0f * kLn2Hi;
inline constexpr float kTwoLn2Lo = 2.0f * kLn2Lo;
inline constexpr float kHalfExpC1 = -0.5f;
inline constexpr float kHalfExpC2 = 0.25f * kExpC2;
inline constexpr float kHalfExpC3 = -0.125f * kExpC3;
inline constexpr float kHalfExpC4 = 0.0625f * kExpC4;
inline constexpr float kHalfExpC5 = -0.03125f * kExpC5;
inline constexpr float kHalfExpC6 = 0.015625f * kExpC6;

inline constexpr std::uint32_t kSignMask = 0x80000000u;
inline constexpr std::uint32_t kMagnitudeMask = 0x7fffffffu;
// Keeps 12 significant bits of a float, whose square is then exact.
inline constexpr std::uint32_t kHighBitsMask = 0xfffff000u;
inline constexpr int kExponentShift = 23;

inline float AndBits(float x, std::uint32_t mask) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & mask);
}

inline float OrBits(float x, std::uint32_t mask) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) | mask);
}

// value * 2^n, where shifted is kRoundMagic + n: the shift leaves just n in the exponent field.
// Right if value and the result are normal.
inline float ScaleByPowerOfTwo(float value, float shifted) {
  const std::uint32_t exponent = std::bit_cast<std::uint32_t>(shifted) << kExponentShift;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) + exponent);
}

// e^x for kExpCutoff <= x <= 0, arbitrary for any other x.
inline float ExpInRange(float x) {
  const float shifted = x * kLog2E + kRoundMagic;
  const float n = shifted - kRoundMagic;
  // The first difference is exact.
  const float r = (x - n * kLn2Hi) - n * kLn2Lo;
  float p = kExpC6;
  p = p * r + kExpC5;
  p = p * r + kExpC4;
  p = p * r + kExpC3;
  p = p * r + kExpC2;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return ScaleByPowerOfTwo(p, shifted);
}

// e^(-t^2 / 2) for 0 <= t <= kGeluCutoff, arbitrary for any other t. Rounding t^2 would cost up to
// 60 ulp for large t; here t^2 = t_hi^2 + (t - t_hi) (t + t_hi), whose first term is exact and
// whose small second term joins after the range reduction.
inline float ExpHalfSquareInRange(float t) {
  const float t_hi = AndBits(t, kHighBitsMask);
  const float square_hi = t_hi * t_hi;
  const float square_lo = (t - t_hi) * (t + t_hi);
  const float shifted = square_hi * kMinusHalfLog2E + kRoundMagic;
  const float n = shifted - kRoundMagic;
  const float s = (square_hi + n * kTwoLn2Hi) + (n * kTwoLn2Lo + square_lo);
  float p = kHalfExpC6;
  p = p * s + kHalfExpC5;
  p = p * s + kHalfExpC4;
  p = p * s + kHalfExpC3;
  p = p * s + kHalfExpC2;
  p = p * s + kHalfExpC1;
  p = p * s + 1.0f;
  return ScaleByPowerOfTwo(p, shifted);
}

inline float GeluNumerator(float t) {
  float n = kGeluN4;
  n = n * t + kGeluN3;
  n = n * t + kGeluN2;
  n = n * t + kGeluN1;
  n = n * t + kGeluN0;
  return n;
}

inline float GeluDenominator(float t) {
  float d = t + kGeluD4;
  d = d * t + kGeluD3;
  d = d * t + kGeluD2;
  d = d * t + kGeluD1;
  d = d * t + kGeluD0;
  return d;
}

}  // namespace activation

// e^x for x <= 0, unspecified for x > 0: the slow twin of ExpInRange, safe for all of x <= 0,
// through which its bounds are tested. The error is at most kExpMaxUlp for x >= kExpCutoff; below,
// including -inf, the result is +0. ExpNonPositive(+-0) is 1 and a NaN is returned as is.
inline float ExpNonPositive(float x) {
  const float tail = x < kExpCutoff ? 0.0f : x;
  return x >= kExpCutoff ? activation::ExpInRange(x) : tail;
}

// max(x, 0), exact; -0 and NaN are returned as they are. The x86 instruction MAXPS with 0 as first
// and x as second source does just that. FMAX of Arm does not, it turns -0 into +0: there, x must
// be cleared where x < 0.
inline float Relu(float x) { return x < 0.0f ? 0.0f : x; }

// x * sigmoid(x) = x / (1 + e^-x); kSiluCutoff gives the bounds. Silu(+-0) is +-0, Silu(inf) is
// inf, Silu(-inf) is +0 and a NaN is returned as is.
inline float Silu(float x) {
  const float minus_abs = activation::OrBits(x, activation::kSignMask);
  const float e = activation::ExpInRange(minus_abs);
  // For x < 0 the fraction is extended by e^x, so that the exponential cannot overflow.
  const float numerator = x < 0.0f ? x * e : x;
  const float result = numerator / (1.0f + e);
  return minus_abs >= -kSiluCutoff ? result : Relu(x);
}

// x * Phi(x) = x * 0.5 * erfc(-x / sqrt(2)), the exact form of GELU; kGeluCutoff gives the
// bounds. Gelu(+-0) is +-0, Gelu(inf) is inf, Gelu(-inf) is +0 and a NaN is returned as is.
//
// With t = |x| and Q = Phi(-t), x * Phi(x) = max(x, 0) - t * Q on both sides of zero, and
// Q = e^(-t^2 / 2) * N(t) / D(t).
inline float Gelu(float x) {
  const float t = activation::AndBits(x, activation::kMagnitudeMask);
  const float e = activation::ExpHalfSquareInRange(t);
  const float ratio = activation::GeluNumerator(t) / activation::GeluDenominator(t);
  // The exponential joins last because its chain of operations is the longest. t * e is larger
  // than the product, hence not subnormal, and so not slow, unless the product is.
  const float loss = ratio * (t * e);
  const float result = Relu(x) - loss;
  return t <= kGeluCutoff ? result : Relu(x);
}

}  // namespace tilewave::core
