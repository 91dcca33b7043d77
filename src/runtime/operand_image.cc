#include "runtime/operand_image.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "core/dynamic_scan.h"
#include "core/epilogue.h"

namespace tilewave::runtime {
namespace {

// u8 and s8 of the same bits, with this one exchanged, differ by 128.
constexpr uint8_t kSignBit = 0x80;

/// An f32 operand and the scales found for it.
struct Floats {
  core::FloatOperand operand;
  core::DynamicScales scales;
};

Status Scan(base::AlignedBuffer* memory, Floats* floats) {
  const auto count = static_cast<size_t>(floats->operand.scale_count());
  memory->Reserve(count * (2 * sizeof(float) + sizeof(int32_t)));
  auto* scale = memory->data<float>();
  floats->scales = {scale, scale + count, reinterpret_cast<int32_t*>(scale + (2 * count))};
  return core::ScanDynamicScales(floats->operand, floats->scales);
}

OperandImage Quantised(const Floats& floats, base::AlignedBuffer* memory) {
  const core::FloatOperand& x = floats.operand;
  const int64_t rows = x.is_a ? x.vectors : x.k;
  const int64_t cols = x.is_a ? x.k : x.vectors;
  const int32_t flip = x.mode == core::Quantise::kAsymmetricPerTensor ? kSignBit : 0;
  memory->Reserve(static_cast<size_t>(x.batch * rows * cols));
  auto* to = memory->data<int8_t>();
  for (int64_t batch = 0; batch < x.batch; ++batch) {
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t col = 0; col < cols; ++col) {
        const int64_t vector = x.is_a ? row : col;
        const int64_t k = x.is_a ? col : row;
        const int32_t q = core::QuantiseElement(x, floats.scales, batch, vector, k);
        *to++ = static_cast<int8_t>(q ^ flip);
      }
    }
  }
  return {memory->data<int8_t>(), cols, 1, x.batch == 1 ? 0 : rows * cols, 0, true};
}

OperandImage View(const void* data, ElementType type, const core::Strides& strides) {
  const uint8_t flip = type == ElementType::kU8 ? kSignBit : uint8_t{0};
  return {static_cast<const int8_t*>(data), strides.row, strides.col, strides.batch, flip, false};
}

/// Zero points of the signed bytes that stand for elements of `type`.
BatchVector ZerosOf(const Parameter<int32_t>& zero, ElementType type, int64_t batch, int64_t count,
                    base::AlignedBuffer* memory) {
  const int32_t lowered = type == ElementType::kU8 ? 128 : 0;
  if (core::FormOf(zero) != core::ParameterForm::kVector && zero.At(0, 0) == lowered) return {};
  const int64_t batches = zero.data == nullptr || zero.batch_stride == 0 ? 1 : batch;
  memory->Reserve(static_cast<size_t>(batches * count) * sizeof(int32_t));
  auto* zeros = memory->data<int32_t>();
  bool all_are_zero = true;
  for (int64_t b = 0; b < batches; ++b) {
    for (int64_t i = 0; i < count; ++i) {
      const int32_t value = zero.At(b, i) - lowered;
      zeros[(b * count) + i] = value;
      all_are_zero = all_are_zero && value == 0;
    }
  }
  if (all_are_zero) return {};
  return {zeros, batches == 1 ? 0 : count};
}

/// An image seen as vectors along K: rows of A, or columns of B.
struct Vectors {
  const int8_t* data;
  int64_t count;
  int64_t k;
  int64_t vector_stride;
  int64_t k_stride;
  uint8_t flip;

  int32_t At(int64_t vector, int64_t i) const {
    return static_cast<int8_t>(data[(vector * vector_stride) + (i * k_stride)] ^ flip);
  }
};

void SumVectors(const Vectors& x, int32_t* sums) {
  if (x.k_stride <= x.vector_stride) {
    for (int64_t v = 0; v < x.count; ++v) {
      int32_t sum = 0;
      for (int64_t i = 0; i < x.k; ++i) sum += x.At(v, i);
      sums[v] = sum;
    }
    return;
  }
  std::fill(sums, sums + x.count, 0);
  for (int64_t i = 0; i < x.k; ++i) {
    for (int64_t v = 0; v < x.count; ++v) sums[v] += x.At(v, i);
  }
}

BatchVector SumsOf(const Vectors& x, int64_t batch, int64_t batch_stride,
                   base::AlignedBuffer* memory) {
  const int64_t batches = batch_stride == 0 ? 1 : batch;
  memory->Reserve(static_cast<size_t>(batches * x.count) * sizeof(int32_t));
  auto* sums = memory->data<int32_t>();
  for (int64_t b = 0; b < batches; ++b) {
    Vectors matrix = x;
    matrix.data += b * batch_stride;
    SumVectors(matrix, sums + (b * x.count));
  }
  return {sums, batches == 1 ? 0 : x.count};
}

}  // namespace

Status MakeImages(const core::Problem& problem, core::Operands* operands, ImageMemory* memory,
                  Images* out) {
  const core::Problem& p = problem;
  core::Operands& o = *operands;
  const bool quantise_a = p.quantise_a != core::Quantise::kNone;
  const bool quantise_b = p.quantise_b != core::Quantise::kNone;
  Floats a;
  Floats b;
  if (quantise_a) {
    a.operand = core::FloatOperandA(p, o);
    if (Status s = Scan(&memory->a.scales, &a); !s.ok()) return s;
  }
  if (quantise_b) {
    b.operand = core::FloatOperandB(p, o);
    if (Status s = Scan(&memory->b.scales, &b); !s.ok()) return s;
  }
  if (quantise_a) core::UseScalesA(a.operand, a.scales, &o);
  if (quantise_b) core::UseScalesB(b.operand, b.scales, &o);
  out->a = quantise_a ? Quantised(a, &memory->a.bytes) : View(o.a, p.a_type, p.a);
  out->b = quantise_b ? Quantised(b, &memory->b.bytes) : View(o.b, p.b_type, p.b);

  ZeroCorrection correction;
  correction.k = p.k;
  correction.zero_a = ZerosOf(o.zero_a, MultipliedA(p), p.batch, p.m, &memory->a.zeros);
  correction.zero_b = ZerosOf(o.zero_b, MultipliedB(p), p.batch, p.n, &memory->b.zeros);
  if (correction.zero_b.present()) {
    const OperandImage& x = out->a;
    const Vectors rows{x.data, p.m, p.k, x.row_stride, x.col_stride, x.flip};
    correction.row_sums_a = SumsOf(rows, p.batch, x.batch_stride, &memory->a.sums);
  }
  if (correction.zero_a.present()) {
    const OperandImage& x = out->b;
    const Vectors columns{x.data, p.n, p.k, x.col_stride, x.row_stride, x.flip};
    correction.column_sums_b = SumsOf(columns, p.batch, x.batch_stride, &memory->b.sums);
  }
  out->correction = correction;
  return {};
}

namespace {

/// Whether C is the products as they are, row by row.
bool IsPlainCopy(const core::Problem& p, const core::Operands& o, const Images& images) {
  return p.c_type == ElementType::kS32 && p.c.col == 1 && p.activation == Activation::kNone &&
         !o.bias_s32.present && !images.correction.needed();
}

}  // namespace

OperandImage ViewOfB(const core::Problem& problem, const core::Operands& operands) {
  return View(operands.b, problem.b_type, problem.b);
}

void FinishProduct(const core::Problem& problem, const core::Operands& operands,
                   const Images& images, const ArrayResults<int32_t>& products) {
  const core::Problem& p = problem;
  const bool plain_copy = IsPlainCopy(p, operands, images);
  const bool corrected = images.correction.needed();
  for (int64_t batch = 0; batch < p.batch; ++batch) {
    for (int64_t i = 0; i < p.m; ++i) {
      const int32_t* from = products.Row(batch, i);
      if (plain_copy) {
        auto* to = static_cast<int32_t*>(operands.c) + (batch * p.c.batch) + (i * p.c.row);
        std::memcpy(to, from, static_cast<size_t>(p.n) * sizeof(int32_t));
        continue;
      }
      for (int64_t j = 0; j < p.n; ++j) {
        const int32_t sum = corrected ? Correct(images.correction, batch, i, j, from[j]) : from[j];
        core::StoreElement(p, operands, batch, i, j, sum);
      }
    }
  }
}

void StoreRequantised(const core::Problem& problem, const core::Operands& operands,
                      const ArrayResults<int8_t>& results) {
  const core::Problem& p = problem;
  for (int64_t batch = 0; batch < p.batch; ++batch) {
    for (int64_t i = 0; i < p.m; ++i) {
      const int8_t* from = results.Row(batch, i);
      auto* to = static_cast<int8_t*>(operands.c) + (batch * p.c.batch) + (i * p.c.row);
      if (p.c.col == 1) {
        std::memcpy(to, from, static_cast<size_t>(p.n));
        continue;
      }
      for (int64_t j = 0; j < p.n; ++j) to[j * p.c.col] = from[j];
    }
  }
}

}  // namespace tilewave::runtime
