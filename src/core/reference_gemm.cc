#include "core/reference_gemm.h"

#include <limits>
#include <vector>

#include "base/check.h"
#include "core/dynamic_scan.h"
#include "core/epilogue.h"

namespace tilewave::core {
namespace {

/// Scales found for an f32 operand, owned.
struct OwnedScales {
  std::vector<float> scale;
  std::vector<float> inverse;
  std::vector<int32_t> zero;

  DynamicScales Resize(int64_t count) {
    const auto n = static_cast<size_t>(count);
    scale.resize(n);
    inverse.resize(n);
    zero.resize(n);
    return {scale.data(), inverse.data(), zero.data()};
  }
};

int32_t IntegerAt(const void* data, ElementType type, int64_t index) {
  return type == ElementType::kU8 ? static_cast<const uint8_t*>(data)[index]
                                  : static_cast<const int8_t*>(data)[index];
}

/// The integers of one matrix as (vectors x K), zero points not subtracted: rows of A, or
/// columns of B.
struct Integers {
  std::vector<int32_t> values;
  int64_t k = 0;
  const int32_t* vector(int64_t i) const { return values.data() + (i * k); }
};

}  // namespace

Status ReferenceGemm(const Problem& problem, const Operands& operands,
                     std::atomic<int64_t>* progress) {
  const Problem& p = problem;
  Operands o = operands;
  OwnedScales owned_a;
  OwnedScales owned_b;
  FloatOperand float_a;
  FloatOperand float_b;
  DynamicScales scales_a;
  DynamicScales scales_b;
  if (p.quantise_a != Quantise::kNone) {
    float_a = FloatOperandA(p, o);
    scales_a = owned_a.Resize(float_a.scale_count());
    if (Status s = ScanDynamicScales(float_a, scales_a); !s.ok()) return s;
    UseScalesA(float_a, scales_a, &o);
  }
  if (p.quantise_b != Quantise::kNone) {
    float_b = FloatOperandB(p, o);
    scales_b = owned_b.Resize(float_b.scale_count());
    if (Status s = ScanDynamicScales(float_b, scales_b); !s.ok()) return s;
    UseScalesB(float_b, scales_b, &o);
  }

  Integers a{std::vector<int32_t>(static_cast<size_t>(p.m * p.k)), p.k};
  Integers b{std::vector<int32_t>(static_cast<size_t>(p.n * p.k)), p.k};
  for (int64_t batch = 0; batch < p.batch; ++batch) {
    for (int64_t i = 0; i < p.m; ++i) {
      for (int64_t k = 0; k < p.k; ++k) {
        const int64_t index = (batch * p.a.batch) + (i * p.a.row) + (k * p.a.col);
        a.values[static_cast<size_t>((i * p.k) + k)] =
            p.quantise_a == Quantise::kNone ? IntegerAt(o.a, p.a_type, index)
                                            : QuantiseElement(float_a, scales_a, batch, i, k);
      }
    }
    for (int64_t j = 0; j < p.n; ++j) {
      for (int64_t k = 0; k < p.k; ++k) {
        const int64_t index = (batch * p.b.batch) + (k * p.b.row) + (j * p.b.col);
        b.values[static_cast<size_t>((j * p.k) + k)] =
            p.quantise_b == Quantise::kNone ? IntegerAt(o.b, p.b_type, index)
                                            : QuantiseElement(float_b, scales_b, batch, j, k);
      }
    }
    for (int64_t i = 0; i < p.m; ++i) {
      for (int64_t j = 0; j < p.n; ++j) {
        const int64_t zero_a = o.zero_a.At(batch, i);
        const int64_t zero_b = o.zero_b.At(batch, j);
        int64_t sum = 0;
        for (int64_t k = 0; k < p.k; ++k) {
          sum += (a.vector(i)[k] - zero_a) * (b.vector(j)[k] - zero_b);
        }
        TW_CHECK_LE(sum, int64_t{std::numeric_limits<int32_t>::max()});
        TW_CHECK_GE(sum, int64_t{std::numeric_limits<int32_t>::min()});
        StoreElement(p, o, batch, i, j, static_cast<int32_t>(sum));
      }
      if (progress != nullptr) progress->fetch_add(p.n, std::memory_order_relaxed);
    }
  }
  return {};
}

}  // namespace tilewave::core
