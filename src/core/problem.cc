#include "core/problem.h"

#include <array>
#include <bit>
#include <initializer_list>
#include <limits>

#include "base/checked_math.h"

namespace tilewave::core {
namespace {

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

/// Numbers without a pattern: the first results of splitmix64 (Steele, Lea and Flood, 2014), made
/// odd.
constexpr uint64_t kFactors[] = {0xE220A8397B1DCDAFu, 0x6E789E6AA1B965F5u, 0x06C45D188009454Fu,
                                 0xF88BB8A8724C81EDu, 0x1B39896A51A8749Bu, 0x53CB9F0C747EA2EBu,
                                 0x2C829ABE1F4532E1u};

/// Words in which small numbers do not meet.
uint64_t Together(uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
  return a ^ std::rotl(b, 16) ^ std::rotl(c, 32) ^ std::rotl(d, 48);
}

}  // namespace

ProblemKey KeyOf(const Problem& p) {
  const auto word = [](int64_t value) { return static_cast<uint64_t>(value); };
  const uint64_t types = Bytes({p.a_type, p.b_type, p.c_type}) |
                         Bytes({p.quantise_a, p.quantise_b}) << 24 | Bytes({p.activation}) << 40 |
                         Bytes({p.requant}) << 48 | Bytes({p.accumulate}) << 56;
  const uint64_t forms =
      Bytes({p.zero_a, p.zero_b, p.scale_a, p.scale_b, p.bias_s32, p.bias_f32, p.requant_scale}) |
      Bytes({p.b_prepacked}) << 56;
  const uint64_t requant =
      static_cast<uint32_t>(p.shift.shift) | word(static_cast<uint32_t>(p.requant_zero)) << 32;
  const uint64_t rest =
      Bytes({p.shift.rounding}) | Bytes({p.shift.saturation}) << 8 | Bytes({p.c_on_device}) << 16;
  return {{word(p.batch), word(p.m), word(p.k), word(p.n), word(p.a.row), word(p.a.col),
           word(p.a.batch), word(p.b.row), word(p.b.col), word(p.b.batch), word(p.c.row),
           word(p.c.col), word(p.c.batch), word(p.a_device_bytes), types, forms, requant, rest}};
}

bool Problem::operator==(const Problem& other) const { return KeyOf(*this) == KeyOf(other); }

size_t HashOf(const ProblemKey& key) {
  // Products that do not wait for each other, unlike a chain of them.
  const auto& w = key.words;
  static_assert(std::tuple_size_v<decltype(ProblemKey::words)> == 18);
  uint64_t sum = Together(w[0], w[1], w[2], w[3]) * kFactors[0];
  sum += Together(w[4], w[5], w[6], w[7]) * kFactors[1];
  sum += Together(w[8], w[9], w[10], w[11]) * kFactors[2];
  sum += Together(w[12], w[13], w[17], 0) * kFactors[3];
  sum += w[14] * kFactors[4] + w[15] * kFactors[5] + w[16] * kFactors[6];
  sum = (sum ^ (sum >> 32)) * kFactors[0];
  return static_cast<size_t>(sum ^ (sum >> 29));
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
