#pragma once

// Float32 activation functions with a fixed bit pattern.
//
// Every backend must return exactly the bits that these functions return. They therefore use only
// operations that IEEE 754 defines to the last bit and that every SIMD instruction set has: float
// add, subtract, multiply, divide, compare and select, 32-bit integer add, shift and bitwise
// logic, and bit casts between the two. A vector kernel repeats the same operations on the same
// operands in the same association; it may only swap the operands of an add or a multiply. Gelu
// also looks numbers up in tables of 16, which a vector register holds. There is no library call
// and no fused multiply-add.
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
// most kGeluMaxAbsErrorNegative, and kGeluMaxUlpNegative, a thousandth of the result: it grows with
// -x, and is below 3 ulp for x >= -1. Beyond the cutoff the result is Relu(x), which is exact to
// 0.5 ulp for x > 0 and off by at most kGeluTailMaxAbsError for x < 0.
inline constexpr float kGeluCutoff = 7.25f;
inline constexpr double kGeluMaxUlpPositive = 1.93;
inline constexpr double kGeluMaxUlpNegative = 15700;
inline constexpr double kGeluMaxAbsErrorNegative = 4.2e-8;
inline constexpr double kGeluTailMaxAbsError = 1.52e-12;

// ExpNonPositive, and Silu for x > 0, are monotone up to rounding: where the argument moves on, the
// result steps back by at most this much from any value it has reached. Gelu for x > 0 does not
// step back at all.
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

// e^r = 1 + r + kExpC2 r^2 + ... + kExpC6 r^6 on [-0.4325, 0.3467], more than the reduction of
// ExpNonPositive leaves. Minimax for the relative error (iteratively reweighted least
// squares in double), rounding the coefficients to float one after the other, lowest degree
// first, and refitting the rest after each. Maximum relative error 6.1e-9.
inline constexpr float kExpC2 = 0x1.ffffe6p-2f;
inline constexpr float kExpC3 = 0x1.555486p-3f;
inline constexpr float kExpC4 = 0x1.556ca4p-5f;
inline constexpr float kExpC5 = 0x1.123e5ap-7f;
inline constexpr float kExpC6 = 0x1.5b0038p-10f;

// Phi(-t) = 0.5 * erfc(t / sqrt(2)) = the sum of kGeluQ[d][i] u^d on the interval i, where
// t = i / 2 + u and |u| <= 1/4. Minimax for the relative error (iteratively reweighted least
// squares in double), fitted and rounded like the exponential; Phi(0) is held at exactly 0.5.
// Maximum error 3.7e-8 in all, 1e-3 of the result. The last interval is zero: it is where all
// larger t are sent.
inline constexpr int kGeluDegree = 5;
inline constexpr int kGeluIntervals = 16;
alignas(64) inline constexpr float kGeluQ[kGeluDegree + 1][kGeluIntervals] = {
    {0x1.000000p-1f, 0x1.3bf146p-2f, 0x1.44ed0ep-3f, 0x1.11a46cp-4f, 0x1.74bceep-6f, 0x1.96f4d8p-8f,
     0x1.61de28p-10f, 0x1.e7dc3ep-13f, 0x1.09ae38p-15f, 0x1.c809e6p-19f, 0x1.33cd6cp-22f,
     0x1.46420cp-26f, 0x1.0f3614p-30f, 0x1.614640p-35f, 0x1.683d2ap-40f, 0.0f},
    {-0x1.988452p-2f, -0x1.6883d4p-2f, -0x1.ef8e58p-3f, -0x1.09408ap-3f, -0x1.ba4b74p-5f,
     -0x1.1f2f32p-6f, -0x1.2271cep-8f, -0x1.c98676p-11f, -0x1.18a3c6p-13f, -0x1.0c1c76p-16f,
     -0x1.8eee5ep-20f, -0x1.ce3876p-24f, -0x1.a10266p-28f, -0x1.24ed88p-32f, -0x1.406696p-37f,
     0.0f},
    {-0x1.2ad8ecp-20f, 0x1.687b3ap-4f, 0x1.ef89e4p-4f, 0x1.8de22cp-4f, 0x1.ba50f4p-5f,
     0x1.66ff1ep-6f, 0x1.b3a7e8p-8f, 0x1.904284p-10f, 0x1.188314p-12f, 0x1.2d5fc8p-15f,
     0x1.f203c6p-19f, 0x1.3d3256p-22f, 0x1.3806d4p-26f, 0x1.dab488p-31f, 0x1.1789b4p-35f, 0.0f},
    {0x1.106d2ep-4f, 0x1.6891bep-5f, -0x1.3732bap-20f, -0x1.ba0524p-6f, -0x1.ba3074p-6f,
     -0x1.f67f1cp-7f, -0x1.835788p-8f, -0x1.ad54dap-10f, -0x1.5f8e9cp-12f, -0x1.afd604p-15f,
     -0x1.91a284p-18f, -0x1.1ca348p-21f, -0x1.34cf30p-25f, -0x1.014d12p-29f, -0x1.4a210ap-34f,
     0.0f},
    {-0x1.311f6ap-13f, -0x1.4566d0p-6f, -0x1.4757e6p-6f, -0x1.91b7f2p-8f, 0x1.1ee254p-8f,
     0x1.81d4b8p-8f, 0x1.b4e66ap-9f, 0x1.38b85ap-10f, 0x1.3786f8p-12f, 0x1.c1964cp-15f,
     0x1.e003d8p-18f, 0x1.7fff9ap-21f, 0x1.d02896p-25f, 0x1.aa50dcp-29f, 0x1.2ac2fap-33f, 0.0f},
    {-0x1.39a1ecp-7f, -0x1.31b650p-8f, 0x1.06b330p-8f, 0x1.7a7a14p-8f, 0x1.1c8f42p-9f,
     -0x1.63fb6ep-11f, -0x1.1cc082p-10f, -0x1.25cdecp-11f, -0x1.6d63b8p-13f, -0x1.34e820p-15f,
     -0x1.749670p-18f, -0x1.48a84ep-21f, -0x1.ae70b8p-25f, -0x1.a6aba8p-29f, -0x1.3950d0p-33f,
     0.0f},
};
inline constexpr float kGeluLast = 7.5f;
// Adding 1.5 * 2^22 to a float of magnitude below 2^21 rounds it to a half of an integer, which is
// then, doubled, in the low bits of the sum.
inline constexpr float kHalvesMagic = 6291456.0f;

inline constexpr std::uint32_t kSignMask = 0x80000000u;
inline constexpr std::uint32_t kMagnitudeMask = 0x7fffffffu;
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

// Phi(-t) for 0 <= t <= kGeluLast.
inline float GeluTail(float t) {
  const float shifted = t + kHalvesMagic;
  const std::uint32_t i = std::bit_cast<std::uint32_t>(shifted) % kGeluIntervals;
  // Both differences are exact.
  const float u = t - (shifted - kHalvesMagic);
  float q = kGeluQ[kGeluDegree][i];
  for (int d = kGeluDegree - 1; d >= 0; --d) q = q * u + kGeluQ[d][i];
  return q;
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
// bounds. Gelu(+-0) is +-0, Gelu(inf) is inf, Gelu(-inf) is +0 and a quiet NaN is returned as is.
//
// With t = |x| and Q = Phi(-t), x * Phi(x) = max(x, 0) - t * Q on both sides of zero. Where t is
// large, or x a NaN, what is subtracted is 0.
inline float Gelu(float x) {
  const float magnitude = activation::AndBits(x, activation::kMagnitudeMask);
  const float t = magnitude < activation::kGeluLast ? magnitude : activation::kGeluLast;
  return Relu(x) - t * activation::GeluTail(t);
}

}  // namespace tilewave::core
