#include "core/activation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "tests/support/numbers.h"

namespace tilewave::core {
namespace {

using testing::FromBits;
using testing::kInf;
using testing::kMaxFloat;

constexpr float kMinSubnormal = std::numeric_limits<float>::denorm_min();
constexpr std::uint32_t kInfBits = 0x7f800000u;
constexpr std::uint32_t kSignBit = 0x80000000u;
// Prime, so that the sweep meets all patterns of low bits. About 2.1 million values per sign.
constexpr std::uint32_t kSweepStride = 1009;

std::uint32_t Bits(float x) { return std::bit_cast<std::uint32_t>(x); }

// Distance of consecutive floats in the binade of y.
double UlpOf(double y) {
  const double magnitude = std::max(std::fabs(y), 0x1p-126);
  return std::ldexp(1.0, std::ilogb(magnitude) - 23);
}

double ReferenceSilu(double x) {
  const double e = std::exp(-std::fabs(x));
  return (x < 0.0 ? x * e : x) / (1.0 + e);
}

double ReferenceGelu(double x) { return 0.5 * x * std::erfc(-x * 0.70710678118654752440); }

struct Worst {
  double error = 0.0;
  float input = 0.0f;

  void Update(double candidate, float x) {
    // Written so that a NaN error is kept.
    if (!(candidate <= error)) {
      error = candidate;
      input = x;
    }
  }
};

// Calls visit(x) for the finite floats of the given sign from zero away, kSweepStride bits apart.
template <typename Visitor>
void SweepFinite(bool negative, Visitor visit) {
  for (std::uint32_t bits = 0; bits < kInfBits; bits += kSweepStride) {
    visit(FromBits(negative ? bits | kSignBit : bits));
  }
}

// The form of the bounds that Silu and Gelu share.
struct Bounds {
  float cutoff;
  double max_ulp_positive;
  double max_ulp_negative;
  double max_abs_error_negative;
  double tail_max_abs_error;
};

template <typename Function, typename Reference>
void ExpectWithinBounds(Function function, Reference reference, const Bounds& bounds) {
  Worst positive_ulp;
  Worst negative_ulp;
  Worst negative_abs;
  Worst tail_abs;
  int tail_mismatches = 0;
  const auto visit = [&](float x) {
    const float y = function(x);
    const double exact = reference(static_cast<double>(x));
    const double error = std::fabs(static_cast<double>(y) - exact);
    if (std::fabs(x) > bounds.cutoff) {
      tail_mismatches += Bits(y) == Bits(x < 0.0f ? 0.0f : x) ? 0 : 1;
      if (x < 0.0f) tail_abs.Update(error, x);
    } else if (x < 0.0f) {
      negative_ulp.Update(error / UlpOf(exact), x);
      negative_abs.Update(error, x);
    } else {
      positive_ulp.Update(error / UlpOf(exact), x);
    }
  };
  SweepFinite(false, visit);
  SweepFinite(true, visit);
  // The tail error is largest right at the cutoff.
  visit(-std::nextafter(bounds.cutoff, kInf));
  visit(-bounds.cutoff);
  visit(bounds.cutoff);
  EXPECT_LE(positive_ulp.error, bounds.max_ulp_positive) << "at x = " << positive_ulp.input;
  EXPECT_LE(negative_ulp.error, bounds.max_ulp_negative) << "at x = " << negative_ulp.input;
  EXPECT_LE(negative_abs.error, bounds.max_abs_error_negative) << "at x = " << negative_abs.input;
  EXPECT_LE(tail_abs.error, bounds.tail_max_abs_error) << "at x = " << tail_abs.input;
  EXPECT_EQ(tail_mismatches, 0);
}

// Both functions stay between zero and x.
template <typename Function>
void ExpectInRange(Function function) {
  int violations = 0;
  SweepFinite(false, [&](float x) {
    const float positive = function(x);
    const float negative = function(-x);
    violations += positive >= 0.0f && positive <= x ? 0 : 1;
    violations += negative <= 0.0f && negative >= -x ? 0 : 1;
  });
  EXPECT_EQ(violations, 0);
}

// For positive x: no decrease at all between the values of a coarse sweep, and none above
// max_step_back_ulp between adjacent floats.
template <typename Function>
void ExpectMonotone(Function function, double max_step_back_ulp) {
  int violations = 0;
  float previous = 0.0f;
  SweepFinite(false, [&](float x) {
    const float y = function(x);
    violations += y >= previous ? 0 : 1;
    previous = y;
  });
  EXPECT_EQ(violations, 0);

  // Floats from 0.5, 1, 2 and 4 on, where the function bends most, and where the intervals of Gelu
  // meet: a quarter of a million adjacent ones each.
  Worst step_back;
  for (const float start : {0.245f, 0.5f, 0.745f, 1.0f, 1.245f, 1.745f, 2.0f, 2.24f, 4.0f}) {
    double highest = 0.0;
    for (std::uint32_t i = 0; i < 250000; ++i) {
      const float x = FromBits(Bits(start) + i);
      const double y = static_cast<double>(function(x));
      step_back.Update((highest - y) / UlpOf(y), x);
      highest = std::max(highest, y);
    }
  }
  EXPECT_LE(step_back.error, max_step_back_ulp) << "at x = " << step_back.input;
}

template <typename Function>
void ExpectSpecialValues(Function function) {
  EXPECT_EQ(Bits(function(0.0f)), 0u);
  EXPECT_EQ(Bits(function(-0.0f)), kSignBit);
  EXPECT_EQ(Bits(function(kInf)), kInfBits);
  EXPECT_EQ(Bits(function(-kInf)), 0u);
  EXPECT_EQ(Bits(function(kMaxFloat)), Bits(kMaxFloat));
  EXPECT_EQ(Bits(function(-kMaxFloat)), 0u);
  // Quiet NaNs of both signs, one with a payload that would spill into the exponent arithmetic.
  for (const std::uint32_t nan : {0x7fc00000u, 0xffc00000u, 0x7fc12345u, 0xffffffffu}) {
    EXPECT_EQ(Bits(function(FromBits(nan))), nan);
  }
}

struct Golden {
  std::uint32_t input;
  std::uint32_t output;
};

// The golden bits were computed by this implementation. They guard the contract between the
// backends: a compiler that contracts, reorders or flushes subnormals changes some of them.
template <typename Function, std::size_t kCount>
void ExpectGolden(Function function, const Golden (&table)[kCount]) {
  for (const Golden& golden : table) {
    EXPECT_EQ(Bits(function(FromBits(golden.input))), golden.output)
        << std::hexfloat << "at x = " << FromBits(golden.input);
  }
}

TEST(ExpNonPositive, StaysWithinDocumentedBound) {
  Worst worst;
  int nonzero_tail = 0;
  int order_violations = 0;
  float previous = 1.0f;
  SweepFinite(true, [&](float x) {
    const float y = ExpNonPositive(x);
    order_violations += y <= previous ? 0 : 1;
    previous = y;
    if (x < kExpCutoff) {
      nonzero_tail += Bits(y) == 0u ? 0 : 1;
      return;
    }
    const double exact = std::exp(static_cast<double>(x));
    worst.Update(std::fabs(static_cast<double>(y) - exact) / UlpOf(exact), x);
  });
  EXPECT_LE(worst.error, kExpMaxUlp) << "at x = " << worst.input;
  EXPECT_EQ(nonzero_tail, 0);
  EXPECT_EQ(order_violations, 0);
}

TEST(ExpNonPositive, SpecialValues) {
  EXPECT_EQ(Bits(ExpNonPositive(0.0f)), 0x3f800000u);
  EXPECT_EQ(Bits(ExpNonPositive(-0.0f)), 0x3f800000u);
  EXPECT_EQ(Bits(ExpNonPositive(-kMinSubnormal)), 0x3f800000u);
  EXPECT_EQ(Bits(ExpNonPositive(-kMaxFloat)), 0u);
  EXPECT_EQ(Bits(ExpNonPositive(-kInf)), 0u);
  for (const std::uint32_t nan : {0x7fc00000u, 0xffc00000u, 0x7fc12345u, 0xffffffffu}) {
    EXPECT_EQ(Bits(ExpNonPositive(FromBits(nan))), nan);
  }
}

TEST(ExpNonPositive, CutoffSeparatesNormalFromZero) {
  // The cutoff is the last float whose exponential is normal.
  EXPECT_GE(std::exp(static_cast<double>(kExpCutoff)), 0x1p-126);
  EXPECT_LT(std::exp(static_cast<double>(std::nextafter(kExpCutoff, -kInf))), 0x1p-126);
  EXPECT_GE(ExpNonPositive(kExpCutoff), 0x1p-126f);
  EXPECT_GE(ExpNonPositive(std::nextafter(kExpCutoff, 0.0f)), ExpNonPositive(kExpCutoff));
  EXPECT_EQ(Bits(ExpNonPositive(std::nextafter(kExpCutoff, -kInf))), 0u);
}

TEST(ExpNonPositive, GoldenBits) {
  constexpr Golden kTable[] = {
      {0x80000000u, 0x3f800000u},  // -0
      {0x800116c2u, 0x3f800000u},  // -9.9999461e-41
      {0x9e3ce508u, 0x3f800000u},  // -9.99999968e-21
      {0xba83126fu, 0x3f7fbe7fu},  // -0.00100000005
      {0xbdcccccdu, 0x3f67a36du},  // -0.100000001
      {0xbe800000u, 0x3f475f7du},  // -0.25
      {0xbf000000u, 0x3f1b4598u},  // -0.5
      {0xbf333333u, 0x3efe406eu},  // -0.699999988
      {0xbf800000u, 0x3ebc5ab2u},  // -1
      {0xbfc00000u, 0x3e647c3bu},  // -1.5
      {0xc0000000u, 0x3e0a9555u},  // -2
      {0xc02df854u, 0x3d8724bdu},  // -2.71828175
      {0xc0490fdbu, 0x3d310113u},  // -3.14159274
      {0xc0900000u, 0x3c360282u},  // -4.5
      {0xc0c00000u, 0x3b227290u},  // -6
      {0xc0f80000u, 0x39e1d549u},  // -7.75
      {0xc1200000u, 0x383e6bceu},  // -10
      {0xc14e6666u, 0x3627a432u},  // -12.8999996
      {0xc1500000u, 0x3617b02au},  // -13
      {0xc1a00000u, 0x310da433u},  // -20
      {0xc229b261u, 0x20de0fe9u},  // -42.4241982
      {0xc2ae999au, 0x0084c38bu},  // -87.3000031
  };
  ExpectGolden(ExpNonPositive, kTable);
}

TEST(Relu, IsExact) {
  int mismatches = 0;
  SweepFinite(false, [&](float x) {
    mismatches += Bits(Relu(x)) == Bits(x) ? 0 : 1;
    mismatches += x == 0.0f || Bits(Relu(-x)) == 0u ? 0 : 1;
  });
  EXPECT_EQ(mismatches, 0);
  EXPECT_EQ(Bits(Relu(kMinSubnormal)), 1u);
  EXPECT_EQ(Bits(Relu(-kMinSubnormal)), 0u);
  ExpectSpecialValues(Relu);
}

TEST(Silu, StaysWithinDocumentedBounds) {
  ExpectWithinBounds(Silu, ReferenceSilu,
                     {kSiluCutoff, kSiluMaxUlpPositive, kSiluMaxUlpNegative,
                      kSiluMaxAbsErrorNegative, kSiluTailMaxAbsError});
}

TEST(Silu, StaysBetweenZeroAndInput) { ExpectInRange(Silu); }

TEST(Silu, IsMonotoneForPositiveInput) { ExpectMonotone(Silu, kMaxStepBackUlp); }

TEST(Silu, SpecialValues) {
  ExpectSpecialValues(Silu);
  // Half of the smallest subnormal is a tie, which rounds to the even zero.
  EXPECT_EQ(Bits(Silu(kMinSubnormal)), 0u);
  EXPECT_EQ(Bits(Silu(-kMinSubnormal)), kSignBit);
}

TEST(Silu, CutoffSeparatesFormulaFromRelu) {
  const float beyond = std::nextafter(kSiluCutoff, kInf);
  const float before = std::nextafter(kSiluCutoff, 0.0f);
  EXPECT_EQ(Silu(beyond), beyond);
  EXPECT_EQ(Bits(Silu(-beyond)), 0u);
  EXPECT_EQ(Silu(kSiluCutoff), kSiluCutoff);
  EXPECT_LT(Silu(-kSiluCutoff), 0.0f);
  EXPECT_GE(Silu(-kSiluCutoff), Silu(-before));
  EXPECT_EQ(Silu(before), before);
}

TEST(Silu, GoldenBits) {
  constexpr Golden kTable[] = {
      {0x80000000u, 0x80000000u},  // -0
      {0x000116c2u, 0x00008b61u},  // 9.9999461e-41
      {0x800116c2u, 0x80008b61u},  // -9.9999461e-41
      {0x1e3ce508u, 0x1dbce508u},  // 9.99999968e-21
      {0x9e3ce508u, 0x9dbce508u},  // -9.99999968e-21
      {0x3a83126fu, 0x3a032336u},  // 0.00100000005
      {0xba83126fu, 0xba0301a7u},  // -0.00100000005
      {0x3dcccccdu, 0x3d57080fu},  // 0.100000001
      {0xbdcccccdu, 0xbd42918cu},  // -0.100000001
      {0x3e800000u, 0x3e0feacdu},  // 0.25
      {0xbe800000u, 0xbde02a67u},  // -0.25
      {0x3f000000u, 0x3e9f597fu},  // 0.5
      {0xbf000000u, 0xbe414d03u},  // -0.5
      {0x3f333333u, 0x3eef7a7eu},  // 0.699999988
      {0xbf333333u, 0xbe6dd7ceu},  // -0.699999988
      {0x3f800000u, 0x3f3b26a8u},  // 1
      {0xbf800000u, 0xbe89b2b1u},  // -1
      {0x3fc00000u, 0x3f9cf96cu},  // 1.5
      {0xbfc00000u, 0xbe8c1a51u},  // -1.5
      {0x40000000u, 0x3fe17beau},  // 2
      {0xc0000000u, 0xbe7420a9u},  // -2
      {0x402df854u, 0x40233363u},  // 2.71828175
      {0xc02df854u, 0xbe2c4f0au},  // -2.71828175
      {0x40490fdbu, 0x4040bbb1u},  // 3.14159274
      {0xc0490fdbu, 0xbe054294u},  // -3.14159274
      {0x40900000u, 0x408e6afau},  // 4.5
      {0xc0900000u, 0xbd4a82e6u},  // -4.5
      {0x40c00000u, 0x40bf8678u},  // 6
      {0xc0c00000u, 0xbc73119bu},  // -6
      {0x40f80000u, 0x40f7e4abu},  // 7.75
      {0xc0f80000u, 0xbb5aae82u},  // -7.75
      {0x41200000u, 0x411ffe24u},  // 10
      {0xc1200000u, 0xb9ee03feu},  // -10
      {0x414e6666u, 0x414e6644u},  // 12.8999996
      {0xc14e6666u, 0xb8072918u},  // -12.8999996
      {0x41500000u, 0x414fffe1u},  // 13
      {0xc1500000u, 0xb7f67e1fu},  // -13
      {0xc1a00000u, 0xb3310d40u},  // -20
      {0xc229b261u, 0xa393333cu},  // -42.4241982
      {0xc2ae999au, 0x83b51922u},  // -87.3000031
  };
  ExpectGolden(Silu, kTable);
}

TEST(Gelu, StaysWithinDocumentedBounds) {
  ExpectWithinBounds(Gelu, ReferenceGelu,
                     {kGeluCutoff, kGeluMaxUlpPositive, kGeluMaxUlpNegative,
                      kGeluMaxAbsErrorNegative, kGeluTailMaxAbsError});
}

TEST(Gelu, StaysBetweenZeroAndInput) { ExpectInRange(Gelu); }

TEST(Gelu, IsMonotoneForPositiveInput) { ExpectMonotone(Gelu, 0); }

TEST(Gelu, SpecialValues) {
  ExpectSpecialValues(Gelu);
  // Here t * Q is the tie. Zero minus zero is +0 and not -0, unlike in Silu.
  EXPECT_EQ(Bits(Gelu(kMinSubnormal)), 1u);
  EXPECT_EQ(Bits(Gelu(-kMinSubnormal)), 0u);
}

TEST(Gelu, CutoffSeparatesFormulaFromRelu) {
  const float beyond = std::nextafter(kGeluCutoff, kInf);
  const float before = std::nextafter(kGeluCutoff, 0.0f);
  EXPECT_EQ(Gelu(beyond), beyond);
  EXPECT_EQ(Bits(Gelu(-beyond)), 0u);
  EXPECT_EQ(Gelu(kGeluCutoff), kGeluCutoff);
  EXPECT_LT(Gelu(-kGeluCutoff), 0.0f);
  EXPECT_GE(Gelu(-kGeluCutoff), Gelu(-before));
  EXPECT_EQ(Gelu(before), before);
}

TEST(Gelu, GoldenBits) {
  constexpr Golden kTable[] = {
      {0x80000000u, 0x80000000u},  // -0
      {0x000116c2u, 0x00008b61u},  // 9.9999461e-41
      {0x800116c2u, 0x80008b61u},  // -9.9999461e-41
      {0x1e3ce508u, 0x1dbce508u},  // 9.99999968e-21
      {0x9e3ce508u, 0x9dbce508u},  // -9.99999968e-21
      {0x3a83126fu, 0x3a032d35u},  // 0.00100000005
      {0xba83126fu, 0xba02f7a9u},  // -0.00100000005
      {0x3dcccccdu, 0x3d5d1d0du},  // 0.100000001
      {0xbdcccccdu, 0xbd3c7c8du},  // -0.100000001
      {0x3e800000u, 0x3e1944d2u},  // 0.25
      {0xbe800000u, 0xbdcd765du},  // -0.25
      {0x3f000000u, 0x3eb103aeu},  // 0.5
      {0xbf000000u, 0xbe1df8a3u},  // -0.5
      {0x3f333333u, 0x3f07d711u},  // 0.699999988
      {0xbf333333u, 0xbe2d7087u},  // -0.699999988
      {0x3f800000u, 0x3f57625eu},  // 1
      {0xbf800000u, 0xbe227687u},  // -1
      {0x3fc00000u, 0x3fb32c4bu},  // 1.5
      {0xbfc00000u, 0xbdcd3b51u},  // -1.5
      {0x40000000u, 0x3ffa2d0cu},  // 2
      {0xc0000000u, 0xbd3a5e77u},  // -2
      {0x402df854u, 0x402d6633u},  // 2.71828175
      {0xc02df854u, 0xbc1220bfu},  // -2.71828175
      {0x40490fdbu, 0x4048e49cu},  // 3.14159274
      {0xc0490fdbu, 0xbb2cfa54u},  // -3.14159274
      {0x40900000u, 0x408fffe0u},  // 4.5
      {0xc0900000u, 0xb78042c9u},  // -4.5
      {0x40c00000u, 0x40c00000u},  // 6
      {0xc0c00000u, 0xb1cb688fu},  // -6
      {0x40f80000u, 0x40f80000u},  // 7.75
      {0xc0f80000u, 0x00000000u},  // -7.75
      {0x41200000u, 0x41200000u},  // 10
      {0xc1200000u, 0x00000000u},  // -10
      {0x414e6666u, 0x414e6666u},  // 12.8999996
      {0xc14e6666u, 0x00000000u},  // -12.8999996
      {0x41500000u, 0x41500000u},  // 13
      {0xc1500000u, 0x00000000u},  // -13
      {0xc1a00000u, 0x00000000u},  // -20
  };
  ExpectGolden(Gelu, kTable);
}

}  // namespace
}  // namespace tilewave::core
