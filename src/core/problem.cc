#include "core/problem.h"

#include <limits>

#include "base/checked_math.h"

#include <tuple>

namespace tilewave::core {
namespace {

// One list of fields serves equality and hash, so that neither can forget one.
auto Fields(const Problem& p) {
  return std::make_tuple(p.batch, p.m, p.k, p.n, p.a_type, p.b_type, p.c_type, p.a.row, p.a.col,
                         p.a.batch, p.b.row, p.b.col, p.b.batch, p.c.row, p.c.col, p.c.batch,
                         p.quantise_a, p.quantise_b, p.zero_a, p.zero_b, p.scale_a, p.scale_b,
                         p.bias_s32, p.bias_f32, p.activation, p.requant, p.shift.shift,
                         p.shift.rounding, p.shift.saturation, p.requant_scale, p.requant_zero,
                         p.b_prepacked, p.accumulate);
}

uint64_t Mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
  return hash ^ (hash >> 29);
}

}  // namespace

bool Problem::operator==(const Problem& other) const { return Fields(*this) == Fields(other); }

size_t HashOf(const Problem& problem) {
  return std::apply(
      [](auto... field) {
        uint64_t hash = 0;
        ((hash = Mix(hash, static_cast<uint64_t>(field))), ...);
        return static_cast<size_t>(hash);
      },
      Fields(problem));
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
