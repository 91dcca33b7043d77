#include "core/problem.h"

#include <initializer_list>
#include <limits>
#include <tuple>

#include "base/checked_math.h"

namespace tilewave::core {
namespace {

auto Fields(const Problem& p) {
  return std::make_tuple(p.batch, p.m, p.k, p.n, p.a_type, p.b_type, p.c_type, p.a.row, p.a.col,
                         p.a.batch, p.b.row, p.b.col, p.b.batch, p.c.row, p.c.col, p.c.batch,
                         p.quantise_a, p.quantise_b, p.zero_a, p.zero_b, p.scale_a, p.scale_b,
                         p.bias_s32, p.bias_f32, p.activation, p.requant, p.shift.shift,
                         p.shift.rounding, p.shift.saturation, p.requant_scale, p.requant_zero,
                         p.b_prepacked, p.accumulate, p.a_device_bytes, p.c_on_device);
}

uint64_t Mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
  return hash ^ (hash >> 29);
}

uint64_t MixAll(uint64_t hash, std::initializer_list<int64_t> values) {
  for (const int64_t value : values) hash = Mix(hash, static_cast<uint64_t>(value));
  return hash;
}

/// Small values side by side, the first lowest.
template <typename T>
uint64_t Bytes(std::initializer_list<T> values) {
  uint64_t word = 0;
  int shift = 0;
  for (const T value : values) {
    word |= static_cast<uint64_t>(value) << shift;
    shift += 8;
  }
  return word;
}

}  // namespace

bool Problem::operator==(const Problem& other) const { return Fields(*this) == Fields(other); }

size_t HashOf(const Problem& p) {
  // Small fields share words, and two chains do not wait for each other: this is part of every
  // call.
  const uint64_t types = Bytes({p.a_type, p.b_type, p.c_type}) |
                         Bytes({p.quantise_a, p.quantise_b}) << 24 | Bytes({p.activation}) << 40 |
                         Bytes({p.requant}) << 48 | Bytes({p.accumulate}) << 56;
  const uint64_t forms =
      Bytes({p.zero_a, p.zero_b, p.scale_a, p.scale_b, p.bias_s32, p.bias_f32, p.requant_scale}) |
      Bytes({p.b_prepacked}) << 56;
  const uint64_t shift =
      Bytes({p.shift.rounding}) | Bytes({p.shift.saturation}) << 8 | Bytes({p.c_on_device}) << 16;
  uint64_t x = MixAll(types, {p.m, p.k, p.n, p.batch, p.c.row, p.c.col, p.c.batch});
  const uint64_t y = MixAll(forms, {p.a.row, p.a.col, p.a.batch, p.b.row, p.b.col, p.b.batch,
                                    p.requant_zero, p.shift.shift, p.a_device_bytes});
  x = Mix(x, shift);
  return static_cast<size_t>(Mix(x, y));
}

ElementType MultipliedType(ElementType given, Quantise quantise) {
  switch (quantise) {
    case Quantise::kNone:
      return given;
    case Quantise::kPerVector:
    case Quantise::kPerTensor:
      return ElementType::kS8;
    case Quantise::kAsymmetricPerTensor:
      return ElementType::kU8;
  }
  return given;
}

int64_t MacsOf(const Problem& problem) {
  return base::CheckedProduct({problem.batch, problem.m, problem.k, problem.n})
      .value_or(std::numeric_limits<int64_t>::max());
}

}  // namespace tilewave::core
