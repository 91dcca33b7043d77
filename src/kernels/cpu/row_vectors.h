#pragma once

// A tile's way from sums to elements of C in vectors, written once for all instruction sets; the
// bits are those of core/epilogue.h. A file that includes this defines first
//   TILEWAVE_ROWS_TARGET  the attribute with its instruction set
// and then hands over a struct V of its instructions (rows_avx512.cc has all):
//   kLanes; Float, Int    registers of kLanes f32 and s32
//   Table                 16 f32; LookUp takes the lowest 4 bits of each index
//   kFloatsAtOnce         registers whose activations run side by side
//   Whole                 says to Load and Store that all lanes are there; other types say less
// Everything here is local to the file that includes it.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/activation.h"
#include "kernels/cpu/row_functions.h"
#include "kernels/cpu/row_steps.h"

// Registers must not be passed through memory.
#define TILEWAVE_ROWS_INLINE TILEWAVE_ROWS_TARGET [[gnu::always_inline]] inline

namespace tilewave::kernels::cpu {
namespace {

/// A few registers of neighbouring columns, whose chains of operations run side by side.
template <typename V, int kCount>
struct Floats {
  typename V::Float at[size_t{kCount}];
};
template <typename V, int kCount>
struct Ints {
  typename V::Int at[size_t{kCount}];
};

template <typename V, int kCount>
TILEWAVE_ROWS_INLINE Floats<V, kCount> Add(const Floats<V, kCount>& a, const Floats<V, kCount>& b) {
  Floats<V, kCount> sum;
#pragma GCC unroll 4
  for (int v = 0; v < kCount; ++v) sum.at[v] = V::Add(a.at[v], b.at[v]);
  return sum;
}

template <typename V, int kCount>
TILEWAVE_ROWS_INLINE Floats<V, kCount> Add(const Floats<V, kCount>& a, float b) {
  Floats<V, kCount> sum;
#pragma GCC unroll 4
  for (int v = 0; v < kCount; ++v) sum.at[v] = V::Add(a.at[v], V::Set(b));
  return sum;
}

template <typename V, int kCount>
TILEWAVE_ROWS_INLINE Floats<V, kCount> Subtract(const Floats<V, kCount>& a,
                                                const Floats<V, kCount>& b) {
  Floats<V, kCount> difference;
#pragma GCC unroll 4
  for (int v = 0; v < kCount; ++v) difference.at[v] = V::Subtract(a.at[v], b.at[v]);
  return difference;
}

template <typename V, int kCount>
TILEWAVE_ROWS_INLINE Floats<V, kCount> Multiply(const Floats<V, kCount>& a,
                                                const Floats<V, kCount>& b) {
  Floats<V, kCount> product;
#pragma GCC unroll 4
  for (int v = 0; v < kCount; ++v) product.at[v] = V::Multiply(a.at[v], b.at[v]);
  return product;
}

template <typename V, int kCount>
TILEWAVE_ROWS_INLINE Floats<V, kCount> Multiply(const Floats<V, kCount>& a, float b) {
  Floats<V, kCount> product;
#pragma GCC unroll 4
  for (int v = 0; v < kCount; ++v) product.at[v] = V::Multiply(a.at[v], V::Set(b));
  return product;
}

template <typename V, int kCount>
TILEWAVE_ROWS_INLINE Floats<V, kCount> Divide(const Floats<V, kCount>& a,
                                              const Floats<V, kCount>& b) {
  Floats<V, kCount> quotient;
#pragma GCC unroll 4
  for (int v = 0; v < kCount; ++v) quotient.at[v] = V::Divide(a.at[v], b.at[v]);
  return quotient;
}

/// p * x + c, rounded twice.
template <typename V, int kCount>
TILEWAVE_ROWS_INLINE Floats<V, kCount> MultiplyThenAdd(const Floats<V, kCount>& p,
                                                       const Floats<V, kCount>& x, float c) {
  return Add(Multiply(p, x), c);
}

template <typename V, int kCount>
TILEWAVE_ROWS_INLINE Floats<V, kCount> AndBits(const Floats<V, kCount>& x, uint32_t mask) {
  Floats<V, kCount> masked;
#pragma GCC unroll 4
  for (int v = 0; v < kCount; ++v) masked.at[v] = V::AndBits(x.at[v], mask);
  return masked;
}

template <typename V, int kCount>
TILEWAVE_ROWS_INLINE Floats<V, kCount> OrBits(const Floats<V, kCount>& x, uint32_t mask) {
  Floats<V, kCount> joined;
#pragma GCC unroll 4
  for (int v = 0; v < kCount; ++v) joined.at[v] = V::OrBits(x.at[v], mask);
  return joined;
}

template <typename V, int kCount>
TILEWAVE_ROWS_INLINE Floats<V, kCount> Relu(const Floats<V, kCount>& x) {
  Floats<V, kCount> result;
#pragma GCC unroll 4
  for (int v = 0; v < kCount; ++v) result.at[v] = V::Relu(x.at[v]);
  return result;
}

template <typename V, int kCount>
TILEWAVE_ROWS_INLINE Floats<V, kCount> ScaleByPowerOfTwo(const Floats<V, kCount>& value,
                                                         const Floats<V, kCount>& shifted) {
  Floats<V, kCount> scaled;
#pragma GCC unroll 4
  for (int v = 0; v < kCount; ++v) {
    const typename V::Int exponent =
        V::ShiftLeft(V::BitsOf(shifted.at[v]), core::activation::kExponentShift);
    scaled.at[v] = V::FloatOf(V::Add(V::BitsOf(value.at[v]), exponent));
  }
  return scaled;
}

/// core::activation::ExpInRange.
template <typename V, int kCount>
TILEWAVE_ROWS_INLINE Floats<V, kCount> ExpInRange(const Floats<V, kCount>& x) {
  namespace act = core::activation;
  const Floats<V, kCount> shifted = Add(Multiply(x, act::kLog2E), act::kRoundMagic);
  const Floats<V, kCount> n = Add(shifted, -act::kRoundMagic);
  const Floats<V, kCount> r =
      Subtract(Subtract(x, Multiply(n, act::kLn2Hi)), Multiply(n, act::kLn2Lo));
  Floats<V, kCount> p = Add(Multiply(r, act::kExpC6), act::kExpC5);
  p = MultiplyThenAdd(p, r, act::kExpC4);
  p = MultiplyThenAdd(p, r, act::kExpC3);
  p = MultiplyThenAdd(p, r, act::kExpC2);
  p = MultiplyThenAdd(p, r, 1.0F);
  p = MultiplyThenAdd(p, r, 1.0F);
  return ScaleByPowerOfTwo(p, shifted);
}

/// core::Silu.
template <typename V, int kCount>
TILEWAVE_ROWS_INLINE Floats<V, kCount> Silu(const Floats<V, kCount>& x) {
  const Floats<V, kCount> minus_abs = OrBits(x, core::activation::kSignMask);
  const Floats<V, kCount> e = ExpInRange(minus_abs);
  Floats<V, kCount> numerator = Multiply(x, e);
#pragma GCC unroll 4
  for (int v = 0; v < kCount; ++v) {
    numerator.at[v] = V::SelectLessEqual(V::Set(0.0F), x.at[v], x.at[v], numerator.at[v]);
  }
  const Floats<V, kCount> inside = Divide(numerator, Add(e, 1.0F));
  const Floats<V, kCount> outside = Relu(x);
  Floats<V, kCount> result;
#pragma GCC unroll 4
  for (int v = 0; v < kCount; ++v) {
    result.at[v] = V::SelectLessEqual(V::Set(-core::kSiluCutoff), minus_abs.at[v], inside.at[v],
                                      outside.at[v]);
  }
  return result;
}

// --- kinds of output -------------------------------------------------------------------------
// Each keeps what is the same for a tile and, after SetColumns, for one strip of kCount registers
// of columns. The struct of each kind says how many keep the processor busy.

inline constexpr int kIntsAtOnce = 4;

/// What an accumulator is at least.
template <typename V>
TILEWAVE_ROWS_INLINE typename V::Int FloorOf(const EpilogueMode& mode) {
  return V::Set(mode.activation == Activation::kRelu ? 0 : INT32_MIN);
}

template <typename V, int kCount>
class S32Output {
 public:
  TILEWAVE_ROWS_INLINE explicit S32Output(const EpilogueMode& mode) : floor_(FloorOf<V>(mode)) {}

  template <typename Lanes>
  TILEWAVE_ROWS_INLINE void SetColumns(const EpilogueTile& /*t*/, int64_t /*j*/, Lanes /*lanes*/) {}

  template <typename Lanes>
  TILEWAVE_ROWS_INLINE void Store(const EpilogueTile& t, int64_t i, int64_t j, Lanes lanes,
                                  const Ints<V, kCount>& acc) const {
    int32_t* c = static_cast<int32_t*>(t.c) + (i * t.c_stride) + j;
#pragma GCC unroll 4
    for (int v = 0; v < kCount; ++v) {
      V::Store(c + (v * V::kLanes), V::Max(acc.at[v], floor_), lanes);
    }
  }

 private:
  typename V::Int floor_;
};
template <typename V>
struct S32Outputs {
  static constexpr int kAtOnce = kIntsAtOnce;
  template <int kCount>
  using Output = S32Output<V, kCount>;
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
template <typename V, ElementType kType, Activation kActivation, int kCount>
class FloatOutput {
 public:
  TILEWAVE_ROWS_INLINE explicit FloatOutput(const EpilogueMode& /*mode*/) {
#pragma GCC unroll 4
    for (int v = 0; v < kCount; ++v) {
      scale_.at[v] = V::Set(1.0F);
      bias_.at[v] = V::Set(-0.0F);
    }
  }

  template <typename Lanes>
  TILEWAVE_ROWS_INLINE void SetColumns(const EpilogueTile& t, int64_t j, Lanes lanes) {
#pragma GCC unroll 4
    for (int v = 0; v < kCount; ++v) {
      const int64_t at = j + (v * V::kLanes);
      if (t.scale_b != nullptr) scale_.at[v] = V::Load(t.scale_b + at, lanes);
      if (t.bias_f32 != nullptr) bias_.at[v] = V::Load(t.bias_f32 + at, lanes);
    }
  }

  TILEWAVE_ROWS_INLINE Floats<V, kCount> ScaleOf(const EpilogueTile& t, int64_t i) const {
    return t.scale_a == nullptr ? scale_ : Multiply(scale_, t.scale_a[i]);
  }
  TILEWAVE_ROWS_INLINE const Floats<V, kCount>& bias() const { return bias_; }

  template <typename Lanes>
  TILEWAVE_ROWS_INLINE void Store(const EpilogueTile& t, int64_t i, int64_t j, Lanes lanes,
                                  const Ints<V, kCount>& acc) const {
    const Floats<V, kCount> scale = ScaleOf(t, i);
    Floats<V, kCount> x;
#pragma GCC unroll 4
    for (int v = 0; v < kCount; ++v) {
      x.at[v] = V::Add(V::Multiply(V::ToFloat(acc.at[v]), scale.at[v]), bias_.at[v]);
    }
    if constexpr (kActivation == Activation::kRelu) x = Relu(x);
    if constexpr (kActivation == Activation::kSilu) x = Silu(x);
    StoreActivated(t, i, j, lanes, x);
  }

  template <typename Lanes>
  TILEWAVE_ROWS_INLINE void StoreActivated(const EpilogueTile& t, int64_t i, int64_t j, Lanes lanes,
                                           const Floats<V, kCount>& x) const {
#pragma GCC unroll 4
    for (int v = 0; v < kCount; ++v) {
      const int64_t index = (i * t.c_stride) + j + (v * V::kLanes);
      if constexpr (kType == ElementType::kF32) {
        V::Store(static_cast<float*>(t.c) + index, x.at[v], lanes);
      } else {
        V::StoreLow16(static_cast<BFloat16*>(t.c) + index, ToBFloat16<V>(x.at[v]), lanes);
      }
    }
  }

 private:
  Floats<V, kCount> scale_;
  Floats<V, kCount> bias_;
};
template <typename V, ElementType kType, Activation kActivation>
struct FloatOutputs {
  static constexpr int kAtOnce = V::kFloatsAtOnce;
  template <int kCount>
  using Output = FloatOutput<V, kType, kActivation, kCount>;
};

/// core::RequantiseShift.
template <typename V, int kCount>
class ShiftOutput {
 public:
  TILEWAVE_ROWS_INLINE explicit ShiftOutput(const EpilogueMode& mode)
      : floor_(FloorOf<V>(mode)), steps_(StepsOf(mode.shift, mode.c_type)) {}

  template <typename Lanes>
  TILEWAVE_ROWS_INLINE void SetColumns(const EpilogueTile& /*t*/, int64_t /*j*/, Lanes /*lanes*/) {}

  template <typename Lanes>
  TILEWAVE_ROWS_INLINE void Store(const EpilogueTile& t, int64_t i, int64_t j, Lanes lanes,
                                  const Ints<V, kCount>& acc) const {
    uint8_t* c = static_cast<uint8_t*>(t.c) + (i * t.c_stride) + j;
#pragma GCC unroll 4
    for (int v = 0; v < kCount; ++v) {
      V::StoreLow8(c + (v * V::kLanes), Requantise(V::Max(acc.at[v], floor_)), lanes);
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
template <typename V>
struct ShiftOutputs {
  static constexpr int kAtOnce = kIntsAtOnce;
  template <int kCount>
  using Output = ShiftOutput<V, kCount>;
};

/// core::RequantiseScale.
template <typename V, int kCount>
class ScaleOutput {
 public:
  TILEWAVE_ROWS_INLINE explicit ScaleOutput(const EpilogueMode& mode)
      : floor_(FloorOf<V>(mode)),
        zero_(V::Set(mode.requant_zero)),
        low_(V::Set(LowestStep(mode))),
        high_(V::Set(HighestStep(mode))),
        scale_{} {}

  template <typename Lanes>
  TILEWAVE_ROWS_INLINE void SetColumns(const EpilogueTile& t, int64_t j, Lanes lanes) {
#pragma GCC unroll 4
    for (int v = 0; v < kCount; ++v) {
      scale_.at[v] = V::Load(t.requant_scale + j + (v * V::kLanes), lanes);
    }
  }

  template <typename Lanes>
  TILEWAVE_ROWS_INLINE void Store(const EpilogueTile& t, int64_t i, int64_t j, Lanes lanes,
                                  const Ints<V, kCount>& acc) const {
    uint8_t* c = static_cast<uint8_t*>(t.c) + (i * t.c_stride) + j;
#pragma GCC unroll 4
    for (int v = 0; v < kCount; ++v) {
      const typename V::Float scaled =
          V::Multiply(V::ToFloat(V::Max(acc.at[v], floor_)), scale_.at[v]);
      const typename V::Int steps = V::ToNearest(V::Min(V::Max(scaled, low_), high_));
      V::StoreLow8(c + (v * V::kLanes), V::Add(steps, zero_), lanes);
    }
  }

 private:
  typename V::Int floor_;
  typename V::Int zero_;
  typename V::Float low_;
  typename V::Float high_;
  Floats<V, kCount> scale_;
};
template <typename V>
struct ScaleOutputs {
  static constexpr int kAtOnce = kIntsAtOnce;
  template <int kCount>
  using Output = ScaleOutput<V, kCount>;
};

// --- tiles -----------------------------------------------------------------------------------

template <typename V, int kCount, typename Lanes>
TILEWAVE_ROWS_INLINE Ints<V, kCount> LoadOrZero(const int32_t* from, int64_t j, Lanes lanes) {
  Ints<V, kCount> x;
#pragma GCC unroll 4
  for (int v = 0; v < kCount; ++v) {
    x.at[v] = from == nullptr ? V::Set(0) : V::Load(from + j + (v * V::kLanes), lanes);
  }
  return x;
}

/// The integer steps of one strip; what is absent is 0.
template <typename V, int kCount>
struct ColumnTerms {
  Ints<V, kCount> column_sums;
  Ints<V, kCount> zero_b;
  Ints<V, kCount> bias;
};

/// acc += row * columns[v].
template <typename V, int kCount>
TILEWAVE_ROWS_INLINE void AddProducts(int32_t row, const Ints<V, kCount>& columns,
                                      Ints<V, kCount>* acc) {
#pragma GCC unroll 4
  for (int v = 0; v < kCount; ++v) {
    acc->at[v] = V::Add(acc->at[v], V::Multiply(V::Set(row), columns.at[v]));
  }
}

template <typename V, int kCount, typename Lanes>
TILEWAVE_ROWS_INLINE Ints<V, kCount> Accumulators(const EpilogueTile& t,
                                                  const ColumnTerms<V, kCount>& terms, int64_t i,
                                                  int64_t j, Lanes lanes) {
  Ints<V, kCount> acc;
#pragma GCC unroll 4
  for (int v = 0; v < kCount; ++v) {
    const int32_t* sums = t.sums + (i * t.sums_stride) + j + (v * V::kLanes);
    acc.at[v] = V::Load(sums, lanes);
    if (t.bias_s32 != nullptr) acc.at[v] = V::Add(acc.at[v], terms.bias.at[v]);
  }
  if (t.row_term != nullptr) AddProducts(t.row_term[i], terms.column_sums, &acc);
  if (t.row_zero_term != nullptr) AddProducts(t.row_zero_term[i], terms.zero_b, &acc);
  return acc;
}

/// Row by row: what a row of C has of a strip is written together, as caches and their look-ahead
/// like it.
template <typename V, int kCount, typename Output, typename Lanes>
TILEWAVE_ROWS_INLINE void StoreRows(const Output& output, const ColumnTerms<V, kCount>& terms,
                                    const EpilogueTile& t, int64_t j, Lanes lanes) {
  for (int64_t i = 0; i < t.rows; ++i) {
    output.Store(t, i, j, lanes, Accumulators(t, terms, i, j, lanes));
  }
}

/// A row on its way through core::Gelu.
template <typename V, int kCount>
struct GeluRow {
  Floats<V, kCount> x;
  Floats<V, kCount> t;
  Floats<V, kCount> shifted;
  Floats<V, kCount> u;

  static constexpr int kSteps = 7;

  TILEWAVE_ROWS_INLINE void Begin(const Ints<V, kCount>& acc, const Floats<V, kCount>& scale,
                                  const Floats<V, kCount>& bias) {
#pragma GCC unroll 4
    for (int v = 0; v < kCount; ++v) {
#pragma GCC unroll 7
      for (int step = 0; step < kSteps; ++step) Step(step, v, acc.at[v], scale.at[v], bias.at[v]);
    }
  }

  /// Takes register `v` from the accumulator to `u` in kSteps steps; returns what has come
  /// of the step.
  TILEWAVE_ROWS_INLINE typename V::Float* Step(int step, int v, typename V::Int acc,
                                               typename V::Float scale, typename V::Float bias) {
    namespace act = core::activation;
    switch (step) {
      case 0:
        x.at[v] = V::ToFloat(acc);
        return &x.at[v];
      case 1:
        x.at[v] = V::Multiply(x.at[v], scale);
        return &x.at[v];
      case 2:
        x.at[v] = V::Add(x.at[v], bias);
        return &x.at[v];
      case 3: {
        // The lesser of bits, which for magnitudes is the same, NaNs included, and has more pipes
        // to run on.
        const typename V::Int magnitude = V::BitsOf(V::AndBits(x.at[v], act::kMagnitudeMask));
        t.at[v] = V::FloatOf(V::Min(magnitude, V::BitsOf(V::Set(act::kGeluLast))));
        return &t.at[v];
      }
      case 4:
        shifted.at[v] = V::Add(t.at[v], V::Set(act::kHalvesMagic));
        return &shifted.at[v];
      case 5:
        u.at[v] = V::Add(shifted.at[v], V::Set(-act::kHalvesMagic));
        return &u.at[v];
      default:
        u.at[v] = V::Subtract(t.at[v], u.at[v]);
        return &u.at[v];
    }
  }
};

/// core::Gelu of one row while the next one begins. What follows on each other takes long, and the
/// processor does not see far enough ahead to find the next row by itself.
template <typename V, ElementType kType, int kCount, typename Lanes>
TILEWAVE_ROWS_INLINE void StoreRows(const FloatOutput<V, kType, Activation::kGelu, kCount>& output,
                                    const ColumnTerms<V, kCount>& terms, const EpilogueTile& t,
                                    int64_t j, Lanes lanes) {
  namespace act = core::activation;
  if (t.rows == 0) return;
  GeluRow<V, kCount> row;
  row.Begin(Accumulators(t, terms, 0, j, lanes), output.ScaleOf(t, 0), output.bias());
  for (int64_t i = 0; i < t.rows; ++i) {
    const int64_t after = std::min(i + 1, t.rows - 1);
    const Ints<V, kCount> acc = Accumulators(t, terms, after, j, lanes);
    const Floats<V, kCount> scale = output.ScaleOf(t, after);
    GeluRow<V, kCount> next;
    Floats<V, kCount> q;
#pragma GCC unroll 6
    for (int d = act::kGeluDegree; d >= 0; --d) {
      const typename V::Table table = V::LoadTable(act::kGeluQ[d]);
#pragma GCC unroll 4
      for (int v = 0; v < kCount; ++v) {
        const typename V::Float c = V::LookUp(table, V::BitsOf(row.shifted.at[v]));
        q.at[v] = d == act::kGeluDegree ? c : V::Add(V::Multiply(q.at[v], row.u.at[v]), c);
        typename V::Float* done =
            next.Step(act::kGeluDegree - d, v, acc.at[v], scale.at[v], output.bias().at[v]);
        // In this order: g++ 12 would look everything up first, and run out of registers.
        asm("" : "+v"(q.at[v]), "+v"(row.shifted.at[v]), "+v"(*done));
      }
    }
#pragma GCC unroll 4
    for (int v = 0; v < kCount; ++v) {
      q.at[v] = V::Subtract(V::Relu(row.x.at[v]), V::Multiply(row.t.at[v], q.at[v]));
      next.Step(act::kGeluDegree + 1, v, acc.at[v], scale.at[v], output.bias().at[v]);
    }
    output.StoreActivated(t, i, j, lanes, q);
    row = next;
  }
}

/// A strip of kCount registers of columns.
template <typename V, int kCount, typename Output, typename Lanes>
TILEWAVE_ROWS_INLINE void StoreStrip(Output output, const EpilogueTile& tile, int64_t j,
                                     Lanes lanes) {
  // A copy of its own, or the compiler reads every pointer again after each store.
  const EpilogueTile t = tile;
  output.SetColumns(t, j, lanes);
  const ColumnTerms<V, kCount> terms{LoadOrZero<V, kCount>(t.column_sums, j, lanes),
                                     LoadOrZero<V, kCount>(t.zero_b, j, lanes),
                                     LoadOrZero<V, kCount>(t.bias_s32, j, lanes)};
  StoreRows(output, terms, t, j, lanes);
}

template <typename V, typename Outputs>
TILEWAVE_ROWS_TARGET void StoreTile(const EpilogueMode& mode, const EpilogueTile& tile) {
  constexpr int kMost = Outputs::kAtOnce;
  const typename Outputs::template Output<kMost> together(mode);
  const typename Outputs::template Output<1> alone(mode);
  int64_t j = 0;
  for (; j + (kMost * V::kLanes) <= tile.columns; j += kMost * V::kLanes) {
    StoreStrip<V, kMost>(together, tile, j, typename V::Whole{});
  }
  for (; j + V::kLanes <= tile.columns; j += V::kLanes) {
    StoreStrip<V, 1>(alone, tile, j, typename V::Whole{});
  }
  if (j < tile.columns) V::StoreRest(mode, alone, tile, j);
}

template <typename V, ElementType kType>
TILEWAVE_ROWS_TARGET void StoreFloats(const EpilogueMode& mode, const EpilogueTile& tile) {
  switch (mode.activation) {
    case Activation::kNone:
      return StoreTile<V, FloatOutputs<V, kType, Activation::kNone>>(mode, tile);
    case Activation::kRelu:
      return StoreTile<V, FloatOutputs<V, kType, Activation::kRelu>>(mode, tile);
    case Activation::kGelu:
      return StoreTile<V, FloatOutputs<V, kType, Activation::kGelu>>(mode, tile);
    case Activation::kSilu:
      return StoreTile<V, FloatOutputs<V, kType, Activation::kSilu>>(mode, tile);
  }
}

/// RowFunctions::store.
template <typename V>
TILEWAVE_ROWS_TARGET void Store(const EpilogueMode& mode, const EpilogueTile& tile) {
  if (mode.c_type == ElementType::kF32) return StoreFloats<V, ElementType::kF32>(mode, tile);
  if (mode.c_type == ElementType::kBF16) return StoreFloats<V, ElementType::kBF16>(mode, tile);
  if (mode.c_type == ElementType::kS32) return StoreTile<V, S32Outputs<V>>(mode, tile);
  if (mode.requant == EpilogueMode::Requant::kShift) {
    return StoreTile<V, ShiftOutputs<V>>(mode, tile);
  }
  StoreTile<V, ScaleOutputs<V>>(mode, tile);
}

/// RowFunctions::stream with the instructions of a struct Line:
///   Stream    a whole line from any place to its place in memory, past the caches
///   CopyPart  less than a line, or nothing
///   Keep      a line from a line's place to another's
template <typename Line>
TILEWAVE_ROWS_TARGET void StreamRows(const StreamedRows& c) {
  constexpr int64_t kLine = StreamedRows::kLineBytes;
  const int64_t bytes = c.bytes;
  const bool first = c.first;
  const bool last = c.last;
  for (int64_t r = 0; r < c.rows; ++r) {
    std::byte* from = c.from + (r * c.from_stride);
    std::byte* to = c.to + (r * c.to_stride);
    std::byte* const end = from + bytes;
    // So many bytes of the line that `to` is in wait before `from`.
    const auto waiting = static_cast<int64_t>(reinterpret_cast<uintptr_t>(to) % kLine);
    if (first && waiting != 0) {
      const int64_t head = std::min(bytes, kLine - waiting);
      Line::CopyPart(from, head, to);
      from += head;
      to += head;
    } else {
      from -= waiting;
      to -= waiting;
    }
    for (; end - from >= kLine; from += kLine, to += kLine) Line::Stream(from, to);
    if (last) {
      Line::CopyPart(from, end - from, to);
    } else {
      Line::Keep(end - kLine, end - bytes - kLine);
    }
  }
}

}  // namespace
}  // namespace tilewave::kernels::cpu
