#pragma once

// A tile's way from sums to elements of C in vectors, written once for all instruction sets; the
// bits are those of core/epilogue.h. A file that includes this defines first
//   TILEWAVE_ROWS_TARGET  the attribute with its instruction set
// and then hands over a struct V of its instructions (rows_avx512.cc has all):
//   kLanes; Float, Int    registers of kLanes f32 and s32
//   Table                 16 f32; LookUp takes the lowest 4 bits of each index
//   kFloatRowsAtOnce      rows whose activations run side by side, as registers allow
//   Whole                 says to Load and Store that all lanes are there; other types say less
// Everything here is local to the file that includes it.

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "core/activation.h"
#include "kernels/cpu/row_functions.h"
#include "kernels/cpu/row_steps.h"

// Registers must not be passed through memory.
#define TILEWAVE_ROWS_INLINE TILEWAVE_ROWS_TARGET [[gnu::always_inline]] inline

namespace tilewave::kernels::cpu {
namespace {

/// The same columns of a few rows, whose chains of operations run side by side.
template <typename V, int kRows>
struct Floats {
  typename V::Float row[size_t{kRows}];
};
template <typename V, int kRows>
struct Ints {
  typename V::Int row[size_t{kRows}];
};

template <typename V, int kRows>
TILEWAVE_ROWS_INLINE Floats<V, kRows> Add(const Floats<V, kRows>& a, const Floats<V, kRows>& b) {
  Floats<V, kRows> sum;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) sum.row[r] = V::Add(a.row[r], b.row[r]);
  return sum;
}

template <typename V, int kRows>
TILEWAVE_ROWS_INLINE Floats<V, kRows> Add(const Floats<V, kRows>& a, float b) {
  Floats<V, kRows> sum;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) sum.row[r] = V::Add(a.row[r], V::Set(b));
  return sum;
}

template <typename V, int kRows>
TILEWAVE_ROWS_INLINE Floats<V, kRows> Subtract(const Floats<V, kRows>& a,
                                               const Floats<V, kRows>& b) {
  Floats<V, kRows> difference;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) difference.row[r] = V::Subtract(a.row[r], b.row[r]);
  return difference;
}

template <typename V, int kRows>
TILEWAVE_ROWS_INLINE Floats<V, kRows> Multiply(const Floats<V, kRows>& a,
                                               const Floats<V, kRows>& b) {
  Floats<V, kRows> product;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) product.row[r] = V::Multiply(a.row[r], b.row[r]);
  return product;
}

template <typename V, int kRows>
TILEWAVE_ROWS_INLINE Floats<V, kRows> Multiply(const Floats<V, kRows>& a, float b) {
  Floats<V, kRows> product;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) product.row[r] = V::Multiply(a.row[r], V::Set(b));
  return product;
}

template <typename V, int kRows>
TILEWAVE_ROWS_INLINE Floats<V, kRows> Divide(const Floats<V, kRows>& a, const Floats<V, kRows>& b) {
  Floats<V, kRows> quotient;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) quotient.row[r] = V::Divide(a.row[r], b.row[r]);
  return quotient;
}

/// p * x + c, rounded twice.
template <typename V, int kRows>
TILEWAVE_ROWS_INLINE Floats<V, kRows> MultiplyThenAdd(const Floats<V, kRows>& p,
                                                      const Floats<V, kRows>& x, float c) {
  return Add(Multiply(p, x), c);
}

template <typename V, int kRows>
TILEWAVE_ROWS_INLINE Floats<V, kRows> AndBits(const Floats<V, kRows>& x, uint32_t mask) {
  Floats<V, kRows> masked;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) masked.row[r] = V::AndBits(x.row[r], mask);
  return masked;
}

template <typename V, int kRows>
TILEWAVE_ROWS_INLINE Floats<V, kRows> OrBits(const Floats<V, kRows>& x, uint32_t mask) {
  Floats<V, kRows> joined;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) joined.row[r] = V::OrBits(x.row[r], mask);
  return joined;
}

template <typename V, int kRows>
TILEWAVE_ROWS_INLINE Floats<V, kRows> Relu(const Floats<V, kRows>& x) {
  Floats<V, kRows> result;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) result.row[r] = V::Relu(x.row[r]);
  return result;
}

template <typename V, int kRows>
TILEWAVE_ROWS_INLINE Floats<V, kRows> ScaleByPowerOfTwo(const Floats<V, kRows>& value,
                                                        const Floats<V, kRows>& shifted) {
  Floats<V, kRows> scaled;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    const typename V::Int exponent =
        V::ShiftLeft(V::BitsOf(shifted.row[r]), core::activation::kExponentShift);
    scaled.row[r] = V::FloatOf(V::Add(V::BitsOf(value.row[r]), exponent));
  }
  return scaled;
}

/// core::activation::ExpInRange.
template <typename V, int kRows>
TILEWAVE_ROWS_INLINE Floats<V, kRows> ExpInRange(const Floats<V, kRows>& x) {
  namespace act = core::activation;
  const Floats<V, kRows> shifted = Add(Multiply(x, act::kLog2E), act::kRoundMagic);
  const Floats<V, kRows> n = Add(shifted, -act::kRoundMagic);
  const Floats<V, kRows> r =
      Subtract(Subtract(x, Multiply(n, act::kLn2Hi)), Multiply(n, act::kLn2Lo));
  Floats<V, kRows> p = Add(Multiply(r, act::kExpC6), act::kExpC5);
  p = MultiplyThenAdd(p, r, act::kExpC4);
  p = MultiplyThenAdd(p, r, act::kExpC3);
  p = MultiplyThenAdd(p, r, act::kExpC2);
  p = MultiplyThenAdd(p, r, 1.0F);
  p = MultiplyThenAdd(p, r, 1.0F);
  return ScaleByPowerOfTwo(p, shifted);
}

/// core::activation::GeluTail.
template <typename V, int kRows>
TILEWAVE_ROWS_INLINE Floats<V, kRows> GeluTail(const Floats<V, kRows>& t) {
  namespace act = core::activation;
  Floats<V, kRows> shifted = Add(t, act::kHalvesMagic);
  const Floats<V, kRows> u = Subtract(t, Add(shifted, -act::kHalvesMagic));
  Floats<V, kRows> q;
#pragma GCC unroll 6
  for (int d = act::kGeluDegree; d >= 0; --d) {
    const typename V::Table table = V::LoadTable(act::kGeluQ[d]);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const typename V::Float c = V::LookUp(table, V::BitsOf(shifted.row[r]));
      q.row[r] = d == act::kGeluDegree ? c : V::Add(V::Multiply(q.row[r], u.row[r]), c);
      // g++ 12 would look everything up first, for which there are not enough registers.
      asm("" : "+v"(q.row[r]), "+v"(shifted.row[r]));
    }
  }
  return q;
}

/// core::Gelu.
template <typename V, int kRows>
TILEWAVE_ROWS_INLINE Floats<V, kRows> Gelu(const Floats<V, kRows>& x) {
  Floats<V, kRows> t = AndBits(x, core::activation::kMagnitudeMask);
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    // Of bits, which for magnitudes is the same, NaNs included, and has more pipes to run on.
    const typename V::Int last = V::BitsOf(V::Set(core::activation::kGeluLast));
    t.row[r] = V::FloatOf(V::Min(V::BitsOf(t.row[r]), last));
  }
  return Subtract(Relu(x), Multiply(t, GeluTail(t)));
}

/// core::Silu.
template <typename V, int kRows>
TILEWAVE_ROWS_INLINE Floats<V, kRows> Silu(const Floats<V, kRows>& x) {
  const Floats<V, kRows> minus_abs = OrBits(x, core::activation::kSignMask);
  const Floats<V, kRows> e = ExpInRange(minus_abs);
  Floats<V, kRows> numerator = Multiply(x, e);
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    numerator.row[r] = V::SelectLessEqual(V::Set(0.0F), x.row[r], x.row[r], numerator.row[r]);
  }
  const Floats<V, kRows> inside = Divide(numerator, Add(e, 1.0F));
  const Floats<V, kRows> outside = Relu(x);
  Floats<V, kRows> result;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    result.row[r] = V::SelectLessEqual(V::Set(-core::kSiluCutoff), minus_abs.row[r], inside.row[r],
                                       outside.row[r]);
  }
  return result;
}

// --- kinds of output -------------------------------------------------------------------------
// Each keeps what is the same for a tile and, after SetColumns, for one strip of kLanes columns.
// kRowsAtOnce is how many rows it takes to keep the processor busy.

/// What an accumulator is at least.
template <typename V>
TILEWAVE_ROWS_INLINE typename V::Int FloorOf(const EpilogueMode& mode) {
  return V::Set(mode.activation == Activation::kRelu ? 0 : INT32_MIN);
}

template <typename V>
class S32Output {
 public:
  static constexpr int kRowsAtOnce = 2;

  TILEWAVE_ROWS_INLINE explicit S32Output(const EpilogueMode& mode) : floor_(FloorOf<V>(mode)) {}

  template <typename Lanes>
  TILEWAVE_ROWS_INLINE void SetColumns(const EpilogueTile& /*t*/, int64_t /*j*/, Lanes /*lanes*/) {}

  template <int kRows, typename Lanes>
  TILEWAVE_ROWS_INLINE void Store(const EpilogueTile& t, int64_t i, int64_t j, Lanes lanes,
                                  const Ints<V, kRows>& acc) const {
    int32_t* c = static_cast<int32_t*>(t.c) + (i * t.c_stride) + j;
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      V::Store(c + (r * t.c_stride), V::Max(acc.row[r], floor_), lanes);
    }
  }

 private:
  typename V::Int floor_;
};

/// The low 16 bits are core::ToBFloat16. A NaN comes out of an operation and so is quiet already.
template <typename V>
TILEWAVE_ROWS_INLINE typename V::Int ToBFloat16(typename V::Float x) {
  const typename V::Int bits = V::BitsOf(x);
  const typename V::Int high = V::ShiftRightLogical(bits, 16);
  const typename V::Int up = V::Add(V::And(high, V::Set(1)), V::Set(0x7FFF));
  const typename V::Int rounded = V::ShiftRightLogical(V::Add(bits, up), 16);
  return V::SelectNan(x, high, rounded);
}

/// f32 and bf16. An absent scale is 1 and an absent bias -0, with which the operations that the
/// definition leaves out change no bit.
template <typename V, ElementType kType, Activation kActivation>
class FloatOutput {
 public:
  static constexpr int kRowsAtOnce = V::kFloatRowsAtOnce;

  TILEWAVE_ROWS_INLINE explicit FloatOutput(const EpilogueMode& /*mode*/)
      : scale_(V::Set(1.0F)), bias_(V::Set(-0.0F)) {}

  template <typename Lanes>
  TILEWAVE_ROWS_INLINE void SetColumns(const EpilogueTile& t, int64_t j, Lanes lanes) {
    if (t.scale_b != nullptr) scale_ = V::Load(t.scale_b + j, lanes);
    if (t.bias_f32 != nullptr) bias_ = V::Load(t.bias_f32 + j, lanes);
  }

  template <int kRows, typename Lanes>
  TILEWAVE_ROWS_INLINE void Store(const EpilogueTile& t, int64_t i, int64_t j, Lanes lanes,
                                  const Ints<V, kRows>& acc) const {
    Floats<V, kRows> x;
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const typename V::Float scale =
          t.scale_a == nullptr ? scale_ : V::Multiply(V::Set(t.scale_a[i + r]), scale_);
      x.row[r] = V::Add(V::Multiply(V::ToFloat(acc.row[r]), scale), bias_);
    }
    if constexpr (kActivation == Activation::kRelu) x = Relu(x);
    if constexpr (kActivation == Activation::kGelu) x = Gelu(x);
    if constexpr (kActivation == Activation::kSilu) x = Silu(x);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const int64_t index = ((i + r) * t.c_stride) + j;
      if constexpr (kType == ElementType::kF32) {
        V::Store(static_cast<float*>(t.c) + index, x.row[r], lanes);
      } else {
        V::StoreLow16(static_cast<BFloat16*>(t.c) + index, ToBFloat16<V>(x.row[r]), lanes);
      }
    }
  }

 private:
  typename V::Float scale_;
  typename V::Float bias_;
};

/// core::RequantiseShift.
template <typename V>
class ShiftOutput {
 public:
  static constexpr int kRowsAtOnce = 2;

  TILEWAVE_ROWS_INLINE explicit ShiftOutput(const EpilogueMode& mode)
      : floor_(FloorOf<V>(mode)), steps_(StepsOf(mode.shift, mode.c_type)) {}

  template <typename Lanes>
  TILEWAVE_ROWS_INLINE void SetColumns(const EpilogueTile& /*t*/, int64_t /*j*/, Lanes /*lanes*/) {}

  template <int kRows, typename Lanes>
  TILEWAVE_ROWS_INLINE void Store(const EpilogueTile& t, int64_t i, int64_t j, Lanes lanes,
                                  const Ints<V, kRows>& acc) const {
    uint8_t* c = static_cast<uint8_t*>(t.c) + (i * t.c_stride) + j;
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      V::StoreLow8(c + (r * t.c_stride), Requantise(V::Max(acc.row[r], floor_)), lanes);
    }
  }

 private:
  TILEWAVE_ROWS_INLINE typename V::Int Requantise(typename V::Int acc) const {
    const typename V::Int decider =
        V::ShiftRightArithmetic(V::ShiftLeft(acc, steps_.decider_shift), 31);
    const typename V::Int offset =
        V::Add(V::Set(static_cast<int32_t>(steps_.base)),
               V::And(decider, V::Set(static_cast<int32_t>(steps_.delta))));
    const typename V::Int below = V::And(acc, V::Set(static_cast<int32_t>(steps_.below)));
    const typename V::Int up = V::ShiftRightLogical(V::Add(below, offset), steps_.shift);
    const typename V::Int rounded = V::Add(V::ShiftRightArithmetic(acc, steps_.shift), up);
    return V::Min(V::Max(rounded, V::Set(steps_.low)), V::Set(steps_.high));
  }

  typename V::Int floor_;
  ShiftSteps steps_;
};

/// core::RequantiseScale.
template <typename V>
class ScaleOutput {
 public:
  static constexpr int kRowsAtOnce = 2;

  TILEWAVE_ROWS_INLINE explicit ScaleOutput(const EpilogueMode& mode)
      : floor_(FloorOf<V>(mode)),
        zero_(V::Set(mode.requant_zero)),
        low_(V::Set(LowestStep(mode))),
        high_(V::Set(HighestStep(mode))),
        scale_(V::Set(0.0F)) {}

  template <typename Lanes>
  TILEWAVE_ROWS_INLINE void SetColumns(const EpilogueTile& t, int64_t j, Lanes lanes) {
    scale_ = V::Load(t.requant_scale + j, lanes);
  }

  template <int kRows, typename Lanes>
  TILEWAVE_ROWS_INLINE void Store(const EpilogueTile& t, int64_t i, int64_t j, Lanes lanes,
                                  const Ints<V, kRows>& acc) const {
    uint8_t* c = static_cast<uint8_t*>(t.c) + (i * t.c_stride) + j;
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const typename V::Float scaled = V::Multiply(V::ToFloat(V::Max(acc.row[r], floor_)), scale_);
      const typename V::Int steps = V::ToNearest(V::Min(V::Max(scaled, low_), high_));
      V::StoreLow8(c + (r * t.c_stride), V::Add(steps, zero_), lanes);
    }
  }

 private:
  typename V::Int floor_;
  typename V::Int zero_;
  typename V::Float low_;
  typename V::Float high_;
  typename V::Float scale_;
};

// --- tiles -----------------------------------------------------------------------------------

/// The integer steps of one strip; what is absent is 0.
template <typename V>
struct ColumnTerms {
  typename V::Int column_sums;
  typename V::Int zero_b;
  typename V::Int bias;
};

template <typename V, typename Lanes>
TILEWAVE_ROWS_INLINE typename V::Int LoadOrZero(const int32_t* from, int64_t j, Lanes lanes) {
  return from == nullptr ? V::Set(0) : V::Load(from + j, lanes);
}

template <typename V, int kRows, typename Lanes>
TILEWAVE_ROWS_INLINE Ints<V, kRows> Accumulators(const EpilogueTile& t, const ColumnTerms<V>& terms,
                                                 int64_t i, int64_t j, Lanes lanes) {
  Ints<V, kRows> acc;
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    acc.row[r] = V::Add(V::Load(t.sums + ((i + r) * t.sums_stride) + j, lanes), terms.bias);
    if (t.row_term != nullptr) {
      acc.row[r] = V::Add(acc.row[r], V::Multiply(V::Set(t.row_term[i + r]), terms.column_sums));
    }
    if (t.row_zero_term != nullptr) {
      acc.row[r] = V::Add(acc.row[r], V::Multiply(V::Set(t.row_zero_term[i + r]), terms.zero_b));
    }
  }
  return acc;
}

template <typename V, typename Output, typename Lanes>
TILEWAVE_ROWS_INLINE void StoreStrip(Output output, const EpilogueTile& tile, int64_t j,
                                     Lanes lanes) {
  constexpr int kRows = std::is_same_v<Lanes, typename V::Whole> ? Output::kRowsAtOnce : 1;
  // A copy of its own, or the compiler reads every pointer again after each store.
  const EpilogueTile t = tile;
  output.SetColumns(t, j, lanes);
  const ColumnTerms<V> terms{LoadOrZero<V>(t.column_sums, j, lanes),
                             LoadOrZero<V>(t.zero_b, j, lanes),
                             LoadOrZero<V>(t.bias_s32, j, lanes)};
  int64_t i = 0;
  for (; i + kRows <= t.rows; i += kRows) {
    output.Store(t, i, j, lanes, Accumulators<V, kRows>(t, terms, i, j, lanes));
  }
  if constexpr (kRows > 1) {
    for (; i < t.rows; ++i) {
      output.Store(t, i, j, lanes, Accumulators<V, 1>(t, terms, i, j, lanes));
    }
  }
}

template <typename V, typename Output>
TILEWAVE_ROWS_TARGET void StoreTile(const EpilogueMode& mode, const EpilogueTile& tile) {
  const Output output(mode);
  int64_t j = 0;
  for (; j + V::kLanes <= tile.columns; j += V::kLanes) {
    StoreStrip<V, Output>(output, tile, j, typename V::Whole{});
  }
  if (j < tile.columns) V::template StoreRest<Output>(mode, output, tile, j);
}

template <typename V, ElementType kType>
TILEWAVE_ROWS_TARGET void StoreFloats(const EpilogueMode& mode, const EpilogueTile& tile) {
  switch (mode.activation) {
    case Activation::kNone:
      return StoreTile<V, FloatOutput<V, kType, Activation::kNone>>(mode, tile);
    case Activation::kRelu:
      return StoreTile<V, FloatOutput<V, kType, Activation::kRelu>>(mode, tile);
    case Activation::kGelu:
      return StoreTile<V, FloatOutput<V, kType, Activation::kGelu>>(mode, tile);
    case Activation::kSilu:
      return StoreTile<V, FloatOutput<V, kType, Activation::kSilu>>(mode, tile);
  }
}

/// RowFunctions::store.
template <typename V>
TILEWAVE_ROWS_TARGET void Store(const EpilogueMode& mode, const EpilogueTile& tile) {
  if (mode.c_type == ElementType::kF32) return StoreFloats<V, ElementType::kF32>(mode, tile);
  if (mode.c_type == ElementType::kBF16) return StoreFloats<V, ElementType::kBF16>(mode, tile);
  if (mode.c_type == ElementType::kS32) return StoreTile<V, S32Output<V>>(mode, tile);
  if (mode.requant == EpilogueMode::Requant::kShift) {
    return StoreTile<V, ShiftOutput<V>>(mode, tile);
  }
  StoreTile<V, ScaleOutput<V>>(mode, tile);
}

}  // namespace
}  // namespace tilewave::kernels::cpu
