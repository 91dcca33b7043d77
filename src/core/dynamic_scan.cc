#include "core/dynamic_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/dynamic_quantisation.h"

namespace tilewave::core {
namespace {

const float* VectorStart(const FloatOperand& x, int64_t b, int64_t vector) {
  return x.data + (b * x.batch_stride) + (vector * x.vector_stride);
}

struct Range {
  float low = 0;
  float high = 0;
  // x - x is 0 for every finite x and NaN for the others; the sum stays NaN once it is one.
  float poison = 0;

  bool finite() const { return poison == 0; }
  void Widen(float value) {
    poison += value - value;
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

// Vectors side by side share lines of memory: so many are looked at together.
constexpr int64_t kVectorsTogether = 16;

/// Ranges of vectors [first, first + count), count at most kVectorsTogether.
void FindRanges(const FloatOperand& x, int64_t b, int64_t first, int64_t count, Range* ranges) {
  const float* start = VectorStart(x, b, first);
  std::fill_n(ranges, count, Range());
  if (x.k_stride <= x.vector_stride) {
    for (int64_t v = 0; v < count; ++v) {
      for (int64_t k = 0; k < x.k; ++k) {
        ranges[v].Widen(start[(v * x.vector_stride) + (k * x.k_stride)]);
      }
    }
    return;
  }
  for (int64_t k = 0; k < x.k; ++k) {
    for (int64_t v = 0; v < count; ++v) {
      ranges[v].Widen(start[(k * x.k_stride) + (v * x.vector_stride)]);
    }
  }
}

Status NotFinite(const FloatOperand& x, int64_t b, int64_t vector) {
  const float* start = VectorStart(x, b, vector);
  int64_t k = 0;
  while (std::isfinite(start[k * x.k_stride])) ++k;
  const char* what = std::isnan(start[k * x.k_stride]) ? "NaN" : "infinity";
  const char* kind = x.is_a ? "row" : "column";
  const std::string where = x.batch > 1 ? fmt::format("{} {} of matrix {}", kind, vector, b)
                                        : fmt::format("{} {}", kind, vector);
  return {StatusCode::kInvalidArgument,
          fmt::format("{} of {} holds {} (at k = {}); dynamic quantisation needs finite values",
                      where, x.is_a ? "A" : "B", what, k)};
}

DynamicScale ScaleFor(const FloatOperand& x, const Range& r) {
  if (x.mode == Quantise::kAsymmetricPerTensor) return AsymmetricScale(r.low, r.high);
  return SymmetricScale(std::max(-r.low, r.high));
}

void Store(const DynamicScales& out, int64_t index, const DynamicScale& s) {
  out.scale[index] = s.scale;
  out.inverse[index] = s.inverse;
  out.zero[index] = s.zero;
}

FloatOperand Describe(const void* data, const Problem& p, int64_t vectors, int64_t vector_stride,
                      int64_t k_stride, int64_t batch_stride) {
  FloatOperand x;
  x.data = static_cast<const float*>(data);
  x.batch = batch_stride == 0 ? 1 : p.batch;
  x.vectors = vectors;
  x.k = p.k;
  x.vector_stride = vector_stride;
  x.k_stride = k_stride;
  x.batch_stride = batch_stride;
  return x;
}

}  // namespace

FloatOperand FloatOperandA(const Problem& p, const Operands& o) {
  FloatOperand x = Describe(o.a, p, p.m, p.a.row, p.a.col, p.a.batch);
  x.mode = p.quantise_a;
  x.is_a = true;
  return x;
}

FloatOperand FloatOperandB(const Problem& p, const Operands& o) {
  FloatOperand x = Describe(o.b, p, p.n, p.b.col, p.b.row, p.b.batch);
  x.mode = p.quantise_b;
  x.is_a = false;
  return x;
}

Status ScanDynamicScales(const FloatOperand& x, const DynamicScales& out) {
  Range whole;
  for (int64_t b = 0; b < x.batch; ++b) {
    for (int64_t first = 0; first < x.vectors; first += kVectorsTogether) {
      const int64_t count = std::min(kVectorsTogether, x.vectors - first);
      Range ranges[kVectorsTogether];
      FindRanges(x, b, first, count, ranges);
      for (int64_t v = 0; v < count; ++v) {
        const Range& r = ranges[v];
        if (!r.finite()) return NotFinite(x, b, first + v);
        if (x.mode == Quantise::kPerVector) {
          Store(out, x.scale_index(b, first + v), ScaleFor(x, r));
        } else {
          whole.low = std::min(whole.low, r.low);
          whole.high = std::max(whole.high, r.high);
        }
      }
    }
  }
  if (x.mode != Quantise::kPerVector) Store(out, 0, ScaleFor(x, whole));
  return {};
}

int32_t QuantiseElement(const FloatOperand& x, const DynamicScales& s, int64_t b, int64_t vector,
                        int64_t k) {
  const int64_t index = x.scale_index(b, vector);
  const DynamicScale scale{s.scale[index], s.inverse[index], s.zero[index]};
  const float value = VectorStart(x, x.batch == 1 ? 0 : b, vector)[k * x.k_stride];
  return x.mode == Quantise::kAsymmetricPerTensor ? QuantiseAsymmetric(value, scale)
                                                  : QuantiseSymmetric(value, scale);
}

namespace {

template <typename T>
Parameter<T> ScannedParameter(const FloatOperand& x, const T* data) {
  if (x.mode != Quantise::kPerVector) return {true, T{}, data, 0, 0};
  return {true, T{}, data, 1, x.batch == 1 ? 0 : x.vectors};
}

}  // namespace

void UseScalesA(const FloatOperand& x, const DynamicScales& s, Operands* o) {
  o->scale_a = ScannedParameter(x, s.scale);
  if (x.mode == Quantise::kAsymmetricPerTensor) o->zero_a = ScannedParameter(x, s.zero);
}

void UseScalesB(const FloatOperand& x, const DynamicScales& s, Operands* o) {
  o->scale_b = ScannedParameter(x, s.scale);
}

}  // namespace tilewave::core
