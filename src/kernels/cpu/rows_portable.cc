#include "kernels/cpu/rows_portable.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/activation.h"
#include "core/bf16.h"
#include "core/dynamic_quantisation.h"
#include "core/requantise.h"

namespace tilewave::kernels::cpu {
namespace {

FloatRange Range(const float* x, int64_t count) {
  FloatRange r;
  // x - x is 0 for every finite x and NaN for the others; the sum stays NaN once it is one.
  float poison = 0;
  for (int64_t i = 0; i < count; ++i) {
    poison += x[i] - x[i];
    r.low = std::min(r.low, x[i]);
    r.high = std::max(r.high, x[i]);
  }
  r.finite = poison == 0;
  return r;
}

uint8_t Flipped(int32_t value, uint8_t flip) {
  return static_cast<uint8_t>((static_cast<uint32_t>(value) & 0xFFu) ^ flip);
}

void QuantiseSymmetric(const float* x, int64_t count, float inverse, uint8_t flip, uint8_t* to,
                       int64_t /*ahead*/) {
  const core::DynamicScale scale{.inverse = inverse};
  for (int64_t i = 0; i < count; ++i) to[i] = Flipped(core::QuantiseSymmetric(x[i], scale), flip);
}

void QuantiseAsymmetric(const float* x, int64_t count, float scale, int32_t zero, uint8_t flip,
                        uint8_t* to) {
  const core::DynamicScale s{.scale = scale, .zero = zero};
  for (int64_t i = 0; i < count; ++i) to[i] = Flipped(core::QuantiseAsymmetric(x[i], s), flip);
}

bool WidenRanges(const float* x, int64_t count, float* low, float* high) {
  bool finite = true;
  for (int64_t i = 0; i < count; ++i) {
    finite = finite && std::isfinite(x[i]);
    low[i] = std::min(low[i], x[i]);
    high[i] = std::max(high[i], x[i]);
  }
  return finite;
}

void QuantiseColumns(const float* x, int64_t count, const float* inverse, uint8_t flip,
                     uint8_t* to) {
  for (int64_t i = 0; i < count; ++i) QuantiseSymmetric(x + i, 1, inverse[i], flip, to + i, 0);
}

void CopyFlipped(const uint8_t* from, int64_t count, uint8_t flip, uint8_t* to) {
  for (int64_t i = 0; i < count; ++i) to[i] = Flipped(from[i], flip);
}

void Widen(const uint8_t* from, int64_t count, bool is_signed, int32_t zero, int16_t* to) {
  const auto wrapped_zero = static_cast<uint32_t>(zero);
  for (int64_t i = 0; i < count; ++i) {
    const int32_t value = is_signed ? static_cast<int8_t>(from[i]) : from[i];
    to[i] = static_cast<int16_t>(static_cast<uint32_t>(value) - wrapped_zero);
  }
}

int32_t SumU8(const uint8_t* x, int64_t count) {
  uint32_t sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += x[i];
  return static_cast<int32_t>(sum);
}

int32_t SumS8(const uint8_t* x, int64_t count) {
  uint32_t sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += static_cast<uint32_t>(static_cast<int8_t>(x[i]));
  return static_cast<int32_t>(sum);
}

int32_t Accumulator(const EpilogueTile& t, int64_t i, int64_t j) {
  auto acc = static_cast<uint32_t>(t.sums[(i * t.sums_stride) + j]);
  if (t.row_term != nullptr) {
    acc += static_cast<uint32_t>(t.row_term[i]) * static_cast<uint32_t>(t.column_sums[j]);
  }
  if (t.row_zero_term != nullptr) {
    acc += static_cast<uint32_t>(t.row_zero_term[i]) * static_cast<uint32_t>(t.zero_b[j]);
  }
  if (t.bias_s32 != nullptr) acc += static_cast<uint32_t>(t.bias_s32[j]);
  return static_cast<int32_t>(acc);
}

float ScaledAndBiased(const EpilogueTile& t, int64_t i, int64_t j) {
  auto value = static_cast<float>(Accumulator(t, i, j));
  if (t.scale_a != nullptr && t.scale_b != nullptr) {
    value = value * (t.scale_a[i] * t.scale_b[j]);
  } else if (t.scale_a != nullptr) {
    value = value * t.scale_a[i];
  } else if (t.scale_b != nullptr) {
    value = value * t.scale_b[j];
  }
  if (t.bias_f32 != nullptr) value = value + t.bias_f32[j];
  return value;
}

float Activated(Activation activation, float value) {
  switch (activation) {
    case Activation::kNone:
      return value;
    case Activation::kRelu:
      return core::Relu(value);
    case Activation::kGelu:
      return core::Gelu(value);
    case Activation::kSilu:
      return core::Silu(value);
  }
  return value;
}

uint8_t Requantised(const EpilogueMode& mode, const EpilogueTile& t, int64_t j, int32_t acc) {
  const int32_t q =
      mode.requant == EpilogueMode::Requant::kShift
          ? core::RequantiseShift(acc, mode.shift, mode.c_type)
          : core::RequantiseScale(acc, t.requant_scale[j], mode.requant_zero, mode.c_type);
  return static_cast<uint8_t>(q & 0xFF);
}

void StoreRow(const EpilogueMode& mode, const EpilogueTile& t, int64_t i) {
  const int64_t start = i * t.c_stride;
  if (mode.c_type == ElementType::kF32) {
    float* c = static_cast<float*>(t.c) + start;
    for (int64_t j = 0; j < t.columns; ++j) {
      c[j] = Activated(mode.activation, ScaledAndBiased(t, i, j));
    }
    return;
  }
  if (mode.c_type == ElementType::kBF16) {
    BFloat16* c = static_cast<BFloat16*>(t.c) + start;
    for (int64_t j = 0; j < t.columns; ++j) {
      c[j] = core::ToBFloat16(Activated(mode.activation, ScaledAndBiased(t, i, j)));
    }
    return;
  }
  const int32_t floor =
      mode.activation == Activation::kRelu ? 0 : std::numeric_limits<int32_t>::min();
  if (mode.c_type == ElementType::kS32) {
    int32_t* c = static_cast<int32_t*>(t.c) + start;
    for (int64_t j = 0; j < t.columns; ++j) c[j] = std::max(Accumulator(t, i, j), floor);
    return;
  }
  uint8_t* c = static_cast<uint8_t*>(t.c) + start;
  for (int64_t j = 0; j < t.columns; ++j) {
    c[j] = Requantised(mode, t, j, std::max(Accumulator(t, i, j), floor));
  }
}

void Store(const EpilogueMode& mode, const EpilogueTile& tile) {
  for (int64_t i = 0; i < tile.rows; ++i) StoreRow(mode, tile, i);
}

/// Nothing waits: there is no way past the caches.
void Stream(const StreamedRows& c) {
  for (int64_t r = 0; r < c.rows; ++r) {
    std::memcpy(c.to + (r * c.to_stride), c.from + (r * c.from_stride),
                static_cast<size_t>(c.bytes));
  }
}

void EndStream() {}

}  // namespace

const RowFunctions kRowsPortable = {
    "portable",
    Range,
    QuantiseSymmetric,
    QuantiseAsymmetric,
    WidenRanges,
    QuantiseColumns,
    CopyFlipped,
    Widen,
    SumU8,
    SumS8,
    Store,
    Stream,
    EndStream,
};

}  // namespace tilewave::kernels::cpu
