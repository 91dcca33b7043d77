#include "kernels/cpu/row_functions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "arch/cpu.h"
#include "base/random.h"
#include "core/dynamic_quantisation.h"
#include "core/epilogue.h"
#include "kernels/cpu/rows_avx2.h"
#include "kernels/cpu/rows_avx512.h"
#include "kernels/cpu/rows_portable.h"

namespace tilewave::kernels::cpu {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kLargest = std::numeric_limits<float>::max();
constexpr float kSmallestNormal = std::numeric_limits<float>::min();
constexpr float kSmallest = std::numeric_limits<float>::denorm_min();
constexpr int32_t kLowestInt = std::numeric_limits<int32_t>::min();
constexpr int32_t kHighestInt = std::numeric_limits<int32_t>::max();

/// Those that run here.
std::vector<const RowFunctions*> Sets() {
  std::vector<const RowFunctions*> sets = {&kRowsPortable};
#if defined(__x86_64__)
  const arch::Cpu cpu = arch::DetectCpu();
  if (cpu.avx2) sets.push_back(&kRowsAvx2);
  if (cpu.avx512_vnni) sets.push_back(&kRowsAvx512);
#endif
  return sets;
}

/// All up to four registers and more, then some that end at and beside a multiple of a register.
std::vector<int64_t> Counts() {
  std::vector<int64_t> counts(71);
  for (size_t i = 0; i < counts.size(); ++i) counts[i] = static_cast<int64_t>(i);
  for (int64_t count : {127, 128, 129, 191, 256, 257, 1000, 4099}) counts.push_back(count);
  return counts;
}

/// Elements at an odd place with nothing allowed behind them and marked ones around them.
template <typename T>
class Guarded {
 public:
  explicit Guarded(int64_t count) : bytes_((static_cast<size_t>(count) * sizeof(T)) + kBefore) {
    std::memset(bytes_.data(), kMark, bytes_.size());
    bytes_.resize(bytes_.size() + kBefore, kMark);
  }

  T* data() { return reinterpret_cast<T*>(bytes_.data() + kBefore); }

  /// Whether only `count` elements have been written, these being equal to `expected` in bits.
  ::testing::AssertionResult Holds(const std::vector<T>& expected) {
    Guarded other(static_cast<int64_t>(expected.size()));
    if (!expected.empty()) {
      std::memcpy(other.data(), expected.data(), expected.size() * sizeof(T));
    }
    const auto [here, there] = std::mismatch(bytes_.begin(), bytes_.end(), other.bytes_.begin());
    if (here == bytes_.end()) return ::testing::AssertionSuccess();
    const auto at = (here - bytes_.begin()) - static_cast<int64_t>(kBefore);
    return ::testing::AssertionFailure()
           << "byte " << at << " is " << int{*here} << ", expected " << int{*there};
  }

 private:
  // Elements stand on a multiple of their size and of nothing more.
  static constexpr size_t kBefore = 64 + sizeof(T);
  static constexpr uint8_t kMark = 0xA5;
  std::vector<uint8_t> bytes_;
};

/// Inputs begin one element behind their block's start and end with it, so that a sanitizer sees
/// what is read behind them.
template <typename T>
class Input {
 public:
  template <typename Make>
  Input(int64_t count, Make make) : values_(static_cast<size_t>(count) + 1) {
    for (size_t i = 1; i < values_.size(); ++i) values_[i] = make();
  }

  const T* data() const { return values_.data() + 1; }
  T* data() { return values_.data() + 1; }

 private:
  std::vector<T> values_;
};

float FloatOfBits(uint32_t bits) { return std::bit_cast<float>(bits); }

uint8_t AnyByte(base::Random* random) { return static_cast<uint8_t>(random->Next() & 0xFF); }

int32_t AnyInt(base::Random* random) {
  return static_cast<int32_t>(static_cast<uint32_t>(random->Next() >> 32));
}

/// Finite; a few are zeros, subnormal or huge.
float AnyFinite(base::Random* random) {
  constexpr float kSpecial[] = {0.0F,       -0.0F,     kSmallest, -kSmallest, kSmallestNormal,
                                -kSmallest, -kLargest, kLargest,  1e30F,      -1e30F};
  const int64_t kind = random->Between(0, 19);
  if (kind < 10) return kSpecial[kind];
  return static_cast<float>((random->Unit() - 0.5) * 300);
}

uint8_t ByteOf(int32_t value, uint8_t flip) { return static_cast<uint8_t>((value & 0xFF) ^ flip); }

// --- rows of A -------------------------------------------------------------------------------

TEST(RowFunctionsTest, RangeHoldsZeroAndAllValues) {
  base::Random random(1);
  for (const RowFunctions* set : Sets()) {
    for (int64_t count : Counts()) {
      // Ordinary values too: with extremes alone most counts would give the same range.
      for (const bool extremes : {true, false}) {
        const Input<float> x(count, [&] {
          return extremes ? AnyFinite(&random) : static_cast<float>(random.Unit() - 0.3);
        });
        FloatRange expected;
        for (int64_t i = 0; i < count; ++i) {
          expected.low = std::min(expected.low, x.data()[i]);
          expected.high = std::max(expected.high, x.data()[i]);
        }
        const FloatRange r = set->range(x.data(), count);
        ASSERT_EQ(std::bit_cast<uint32_t>(r.low), std::bit_cast<uint32_t>(expected.low))
            << set->name << ' ' << count;
        ASSERT_EQ(std::bit_cast<uint32_t>(r.high), std::bit_cast<uint32_t>(expected.high))
            << set->name << ' ' << count;
        ASSERT_TRUE(r.finite) << set->name << ' ' << count;
      }
    }
  }
}

TEST(RowFunctionsTest, RangeOfOneSignKeepsZero) {
  for (const RowFunctions* set : Sets()) {
    for (const float value : {-0.0F, 2.5F, -2.5F, kSmallest, -kSmallest, kLargest, -kLargest}) {
      const Input<float> x(100, [&] { return value; });
      const FloatRange r = set->range(x.data(), 100);
      const float low = value < 0 ? value : 0.0F;
      const float high = value > 0 ? value : 0.0F;
      EXPECT_EQ(std::bit_cast<uint32_t>(r.low), std::bit_cast<uint32_t>(low)) << set->name;
      EXPECT_EQ(std::bit_cast<uint32_t>(r.high), std::bit_cast<uint32_t>(high)) << set->name;
      EXPECT_TRUE(r.finite) << set->name;
    }
  }
}

std::vector<float> NotFinite() {
  return {kInfinity,
          -kInfinity,
          std::numeric_limits<float>::quiet_NaN(),
          -std::numeric_limits<float>::quiet_NaN(),
          FloatOfBits(0x7F800001u),
          FloatOfBits(0xFFFFFFFFu)};
}

TEST(RowFunctionsTest, RangeSeesWhatIsNotFiniteAnywhere) {
  base::Random random(2);
  for (const RowFunctions* set : Sets()) {
    for (int64_t count : {1, 7, 8, 9, 16, 17, 31, 64, 70, 150}) {
      Input<float> x(count, [&] { return AnyFinite(&random); });
      for (int64_t at = 0; at < count; ++at) {
        for (const float bad : NotFinite()) {
          const float good = x.data()[at];
          x.data()[at] = bad;
          ASSERT_FALSE(set->range(x.data(), count).finite)
              << set->name << ' ' << bad << " at " << at << " of " << count;
          x.data()[at] = good;
        }
      }
    }
  }
}

TEST(RowFunctionsTest, WidenRangesTakesEachColumnAlone) {
  base::Random random(3);
  for (const RowFunctions* set : Sets()) {
    for (int64_t count : Counts()) {
      const Input<float> x(count, [&] { return AnyFinite(&random); });
      Guarded<float> low(count);
      Guarded<float> high(count);
      std::vector<float> expected_low;
      std::vector<float> expected_high;
      for (int64_t i = 0; i < count; ++i) {
        low.data()[i] = static_cast<float>(-random.Unit());
        high.data()[i] = static_cast<float>(random.Unit());
        expected_low.push_back(std::min(low.data()[i], x.data()[i]));
        expected_high.push_back(std::max(high.data()[i], x.data()[i]));
      }
      ASSERT_TRUE(set->widen_ranges(x.data(), count, low.data(), high.data()));
      ASSERT_TRUE(low.Holds(expected_low)) << set->name << ' ' << count;
      ASSERT_TRUE(high.Holds(expected_high)) << set->name << ' ' << count;
    }
  }
}

TEST(RowFunctionsTest, WidenRangesSeesWhatIsNotFiniteAnywhere) {
  base::Random random(4);
  for (const RowFunctions* set : Sets()) {
    for (int64_t count : {1, 7, 8, 9, 16, 17, 70}) {
      Input<float> x(count, [&] { return AnyFinite(&random); });
      for (int64_t at = 0; at < count; ++at) {
        for (const float bad : NotFinite()) {
          std::vector<float> low(static_cast<size_t>(count));
          std::vector<float> high(static_cast<size_t>(count));
          const float good = x.data()[at];
          x.data()[at] = bad;
          ASSERT_FALSE(set->widen_ranges(x.data(), count, low.data(), high.data()))
              << set->name << ' ' << bad << " at " << at << " of " << count;
          x.data()[at] = good;
        }
      }
    }
  }
}

constexpr float kInverses[] = {0.0F,   0.5F,  1.0F,      0.4233333F, 127.0F / 150.0F,
                               1e-20F, 1e20F, kSmallest, kLargest};

TEST(RowFunctionsTest, QuantiseSymmetricIsTheDefinition) {
  base::Random random(5);
  for (const RowFunctions* set : Sets()) {
    for (int64_t count : Counts()) {
      for (const float inverse : kInverses) {
        const uint8_t flip = AnyByte(&random);
        // Halves are ties if the inverse is 1.
        const Input<float> x(count, [&] {
          return random.Between(0, 1) == 0 ? AnyFinite(&random)
                                           : static_cast<float>(random.Between(-260, 260)) / 2;
        });
        std::vector<uint8_t> expected;
        for (int64_t i = 0; i < count; ++i) {
          expected.push_back(
              ByteOf(core::QuantiseSymmetric(x.data()[i], {.inverse = inverse}), flip));
        }
        Guarded<uint8_t> to(count);
        set->quantise_symmetric(x.data(), count, inverse, flip, to.data(), 4096);
        ASSERT_TRUE(to.Holds(expected)) << set->name << ' ' << count << ' ' << inverse;
      }
    }
  }
}

TEST(RowFunctionsTest, QuantiseColumnsIsTheDefinition) {
  base::Random random(6);
  for (const RowFunctions* set : Sets()) {
    for (int64_t count : Counts()) {
      const uint8_t flip = AnyByte(&random);
      const Input<float> x(count, [&] { return AnyFinite(&random); });
      const Input<float> inverse(count, [&] { return kInverses[random.Between(0, 8)]; });
      std::vector<uint8_t> expected;
      for (int64_t i = 0; i < count; ++i) {
        expected.push_back(
            ByteOf(core::QuantiseSymmetric(x.data()[i], {.inverse = inverse.data()[i]}), flip));
      }
      Guarded<uint8_t> to(count);
      set->quantise_columns(x.data(), count, inverse.data(), flip, to.data());
      ASSERT_TRUE(to.Holds(expected)) << set->name << ' ' << count;
    }
  }
}

TEST(RowFunctionsTest, QuantiseAsymmetricIsTheDefinition) {
  base::Random random(7);
  for (const RowFunctions* set : Sets()) {
    for (int64_t count : Counts()) {
      for (const float scale : {kSmallestNormal, 0.25F, 0.7F, 1.0F, 1e30F, kLargest}) {
        for (const int32_t zero : {0, 1, 100, 255}) {
          const uint8_t flip = AnyByte(&random);
          const Input<float> x(count, [&] { return AnyFinite(&random); });
          std::vector<uint8_t> expected;
          for (int64_t i = 0; i < count; ++i) {
            const core::DynamicScale s{.scale = scale, .zero = zero};
            expected.push_back(ByteOf(core::QuantiseAsymmetric(x.data()[i], s), flip));
          }
          Guarded<uint8_t> to(count);
          set->quantise_asymmetric(x.data(), count, scale, zero, flip, to.data());
          ASSERT_TRUE(to.Holds(expected)) << set->name << ' ' << count << ' ' << scale;
        }
      }
    }
  }
}

TEST(RowFunctionsTest, BytesAreFlippedWidenedAndSummed) {
  base::Random random(8);
  for (const RowFunctions* set : Sets()) {
    for (int64_t count : Counts()) {
      SCOPED_TRACE(::testing::Message() << set->name << ", count " << count);
      const Input<uint8_t> x(count, [&] { return AnyByte(&random); });
      const uint8_t flip = AnyByte(&random);
      const auto zero = static_cast<int32_t>(random.Between(-128, 255));
      std::vector<uint8_t> flipped;
      std::vector<int16_t> widened_u8;
      std::vector<int16_t> widened_s8;
      int32_t sum_u8 = 0;
      int32_t sum_s8 = 0;
      for (int64_t i = 0; i < count; ++i) {
        const int32_t u8 = x.data()[i];
        const int32_t s8 = static_cast<int8_t>(x.data()[i]);
        flipped.push_back(ByteOf(u8, flip));
        widened_u8.push_back(static_cast<int16_t>(u8 - zero));
        widened_s8.push_back(static_cast<int16_t>(s8 - zero));
        sum_u8 += u8;
        sum_s8 += s8;
      }
      Guarded<uint8_t> bytes(count);
      set->copy_flipped(x.data(), count, flip, bytes.data());
      ASSERT_TRUE(bytes.Holds(flipped));
      Guarded<int16_t> wide(count);
      set->widen(x.data(), count, false, zero, wide.data());
      ASSERT_TRUE(wide.Holds(widened_u8));
      set->widen(x.data(), count, true, zero, wide.data());
      ASSERT_TRUE(wide.Holds(widened_s8));
      ASSERT_EQ(set->sum_u8(x.data(), count), sum_u8);
      ASSERT_EQ(set->sum_s8(x.data(), count), sum_s8);
    }
  }
}

TEST(RowFunctionsTest, SumsOfEqualBytes) {
  for (const RowFunctions* set : Sets()) {
    for (const int32_t byte : {0, 1, 127, 128, 255}) {
      const Input<uint8_t> x(20'000, [&] { return static_cast<uint8_t>(byte); });
      EXPECT_EQ(set->sum_u8(x.data(), 20'000), 20'000 * byte) << set->name;
      EXPECT_EQ(set->sum_s8(x.data(), 20'000), 20'000 * int32_t{static_cast<int8_t>(byte)})
          << set->name;
    }
  }
}

// --- sums to elements of C -------------------------------------------------------------------

/// Which of the terms a tile has.
struct Terms {
  bool row_term = false;
  bool row_zero_term = false;
  bool bias_s32 = false;
  bool scale_a = false;
  bool scale_b = false;
  bool bias_f32 = false;

  static constexpr uint32_t kCombinations = 64;
  static Terms Combination(uint32_t bits) {
    return {(bits & 1) != 0, (bits & 2) != 0,  (bits & 4) != 0,
            (bits & 8) != 0, (bits & 16) != 0, (bits & 32) != 0};
  }
};

constexpr int64_t kStrideExcess = 5;  // Columns between rows that belong to someone else.

/// A tile with numbers for all terms, to be changed by the test before it looks.
struct Tile {
  template <typename Sum, typename Number>
  Tile(int64_t tile_rows, int64_t tile_columns, Sum sum, Number number)
      : rows(tile_rows),
        columns(tile_columns),
        sums(tile_rows * (tile_columns + kStrideExcess), sum),
        row_term(tile_rows, sum),
        column_sums(tile_columns, sum),
        row_zero_term(tile_rows, sum),
        zero_b(tile_columns, sum),
        bias_s32(tile_columns, sum),
        scale_a(tile_rows, number),
        scale_b(tile_columns, number),
        bias_f32(tile_columns, number),
        requant_scale(tile_columns, number) {}

  EpilogueTile View(const Terms& terms, void* c) const {
    EpilogueTile t;
    t.sums = sums.data();
    t.sums_stride = columns + kStrideExcess;
    t.rows = rows;
    t.columns = columns;
    t.c = c;
    t.c_stride = columns + kStrideExcess;
    t.row_term = terms.row_term ? row_term.data() : nullptr;
    t.column_sums = terms.row_term ? column_sums.data() : nullptr;
    t.row_zero_term = terms.row_zero_term ? row_zero_term.data() : nullptr;
    t.zero_b = terms.row_zero_term ? zero_b.data() : nullptr;
    t.bias_s32 = terms.bias_s32 ? bias_s32.data() : nullptr;
    t.scale_a = terms.scale_a ? scale_a.data() : nullptr;
    t.scale_b = terms.scale_b ? scale_b.data() : nullptr;
    t.bias_f32 = terms.bias_f32 ? bias_f32.data() : nullptr;
    t.requant_scale = requant_scale.data();
    return t;
  }

  int64_t rows;
  int64_t columns;
  Input<int32_t> sums;
  Input<int32_t> row_term;
  Input<int32_t> column_sums;
  Input<int32_t> row_zero_term;
  Input<int32_t> zero_b;
  Input<int32_t> bias_s32;
  Input<float> scale_a;
  Input<float> scale_b;
  Input<float> bias_f32;
  Input<float> requant_scale;
};

core::Problem ProblemOf(const EpilogueMode& mode, const EpilogueTile& t) {
  core::Problem p;
  p.m = t.rows;
  p.n = t.columns;
  p.c_type = mode.c_type;
  p.c = {.row = t.c_stride, .col = 1, .batch = 0};
  p.activation = mode.activation;
  p.requant = mode.requant == EpilogueMode::Requant::kShift   ? core::RequantKind::kShift
              : mode.requant == EpilogueMode::Requant::kScale ? core::RequantKind::kScale
                                                              : core::RequantKind::kNone;
  p.shift = mode.shift;
  p.requant_zero = mode.requant_zero;
  return p;
}

template <typename T>
Parameter<T> ParameterOf(const T* data) {
  return data == nullptr ? Parameter<T>{} : Parameter<T>::PerElement(data);
}

/// All integer steps but the bias, modulo 2^32.
uint32_t ProductsOf(const EpilogueTile& t, int64_t i, int64_t j) {
  auto acc = static_cast<uint32_t>(t.sums[(i * t.sums_stride) + j]);
  if (t.row_term != nullptr) {
    acc += static_cast<uint32_t>(t.row_term[i]) * static_cast<uint32_t>(t.column_sums[j]);
  }
  if (t.row_zero_term != nullptr) {
    acc += static_cast<uint32_t>(t.row_zero_term[i]) * static_cast<uint32_t>(t.zero_b[j]);
  }
  return acc;
}

/// What core::StoreElement makes of the tile. It adds the bias itself where the sum fits.
void StoreByDefinition(const EpilogueMode& mode, const EpilogueTile& t) {
  const core::Problem p = ProblemOf(mode, t);
  core::Operands o;
  o.c = t.c;
  o.scale_a = ParameterOf(t.scale_a);
  o.scale_b = ParameterOf(t.scale_b);
  o.bias_f32 = ParameterOf(t.bias_f32);
  o.requant_scale = ParameterOf(t.requant_scale);
  for (int64_t i = 0; i < t.rows; ++i) {
    for (int64_t j = 0; j < t.columns; ++j) {
      uint32_t acc = ProductsOf(t, i, j);
      o.bias_s32 = ParameterOf(t.bias_s32);
      if (t.bias_s32 != nullptr) {
        const int64_t sum = int64_t{static_cast<int32_t>(acc)} + t.bias_s32[j];
        if (sum < kLowestInt || sum > kHighestInt) {
          acc += static_cast<uint32_t>(t.bias_s32[j]);
          o.bias_s32 = {};
        }
      }
      core::StoreElement(p, o, 0, i, j, static_cast<int32_t>(acc));
    }
  }
}

/// All sets against the definition; nothing but the tile is written.
void ExpectDefinition(const EpilogueMode& mode, const Tile& tile, const Terms& terms) {
  // In words, for the alignment of the largest elements.
  const auto element = static_cast<int64_t>(ElementBytes(mode.c_type));
  const int64_t words = ((tile.rows * (tile.columns + kStrideExcess) * element) + 3) / 4;
  Guarded<int32_t> expected(words);
  StoreByDefinition(mode, tile.View(terms, expected.data()));
  const std::vector<int32_t> copy(expected.data(), expected.data() + words);
  for (const RowFunctions* set : Sets()) {
    Guarded<int32_t> c(words);
    set->store(mode, tile.View(terms, c.data()));
    ASSERT_TRUE(c.Holds(copy)) << set->name << ": " << tile.rows << " x " << tile.columns
                               << ", type " << Name(mode.c_type) << ", activation "
                               << Name(mode.activation);
  }
}

constexpr Activation kActivations[] = {Activation::kNone, Activation::kRelu, Activation::kGelu,
                                       Activation::kSilu};

/// All types with every activation and requantisation that they can have.
std::vector<EpilogueMode> Modes() {
  std::vector<EpilogueMode> modes;
  for (const Activation activation : kActivations) {
    modes.push_back({.c_type = ElementType::kF32, .activation = activation});
    modes.push_back({.c_type = ElementType::kBF16, .activation = activation});
    if (activation == Activation::kGelu || activation == Activation::kSilu) continue;
    modes.push_back({.c_type = ElementType::kS32, .activation = activation});
    for (const ElementType type : {ElementType::kS8, ElementType::kU8}) {
      modes.push_back({.c_type = type,
                       .activation = activation,
                       .requant = EpilogueMode::Requant::kShift,
                       .shift = {.shift = 6}});
      modes.push_back({.c_type = type,
                       .activation = activation,
                       .requant = EpilogueMode::Requant::kScale,
                       .requant_zero = 17});
    }
  }
  return modes;
}

bool IsFloat(const EpilogueMode& mode) {
  return mode.c_type == ElementType::kF32 || mode.c_type == ElementType::kBF16;
}

Tile OrdinaryTile(int64_t rows, int64_t columns, base::Random* random) {
  return {rows, columns, [=] { return static_cast<int32_t>(random->Between(-3000, 3000)); },
          [=] { return static_cast<float>((random->Unit() - 0.4) * 0.01); }};
}

TEST(RowFunctionsTest, StoreOfEveryShape) {
  base::Random random(9);
  constexpr Terms kAll{true, true, true, true, true, true};
  constexpr Terms kScales{false, false, false, true, true, true};
  for (const EpilogueMode& mode : Modes()) {
    for (int64_t columns = 0; columns <= 70; ++columns) {
      const int64_t rows = columns % 6;
      const Tile tile = OrdinaryTile(rows == 0 ? 8 : rows, columns, &random);
      ExpectDefinition(mode, tile, kAll);
      ExpectDefinition(mode, tile, kScales);
      if (HasFatalFailure()) return;
    }
    for (int64_t rows = 0; rows <= 13; ++rows) {
      ExpectDefinition(mode, OrdinaryTile(rows, 35, &random), kAll);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(RowFunctionsTest, StoreWithEveryChoiceOfTerms) {
  base::Random random(10);
  for (const EpilogueMode& mode : Modes()) {
    const uint32_t combinations = IsFloat(mode) ? Terms::kCombinations : 8;
    for (uint32_t bits = 0; bits < combinations; ++bits) {
      SCOPED_TRACE(bits);
      ExpectDefinition(mode, OrdinaryTile(3, 37, &random), Terms::Combination(bits));
      if (HasFatalFailure()) return;
    }
  }
}

TEST(RowFunctionsTest, IntegerTermsWrap) {
  base::Random random(11);
  for (EpilogueMode mode : Modes()) {
    mode.shift.shift = 24;
    for (uint32_t bits = 0; bits < 8; ++bits) {
      const Tile tile(
          5, 39, [&] { return AnyInt(&random); },
          [&] { return static_cast<float>((random.Unit() - 0.5) * 1e-7); });
      ExpectDefinition(mode, tile, Terms::Combination(bits | 8 | 16 | 32));
      if (HasFatalFailure()) return;
    }
  }
}

TEST(RowFunctionsTest, MinusZeroPassesAnAbsentBias) {
  const Tile tile(
      2, 37, [] { return 0; }, [] { return -0.5F; });
  for (const EpilogueMode& mode : Modes()) {
    if (!IsFloat(mode)) continue;
    ExpectDefinition(mode, tile, {.scale_a = true});
    ExpectDefinition(mode, tile, {.scale_b = true});
    ExpectDefinition(mode, tile, {});
    if (HasFatalFailure()) return;
  }
}

/// Passes floats through bias_f32: -0 + x is x for every x.
void ExpectActivations(const std::vector<float>& x) {
  const auto columns = static_cast<int64_t>(x.size());
  Tile tile(
      1, columns, [] { return 0; }, [] { return -1.0F; });
  std::copy(x.begin(), x.end(), tile.bias_f32.data());
  for (const Activation activation : kActivations) {
    for (const ElementType type : {ElementType::kF32, ElementType::kBF16}) {
      ExpectDefinition({.c_type = type, .activation = activation}, tile,
                       {.scale_a = true, .bias_f32 = true});
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(RowFunctionsTest, ActivationsOfSpecialFloats) {
  std::vector<float> x = NotFinite();
  for (const float value :
       {0.0F, 1.0F, 0.5F, kSmallest, kSmallestNormal, kLargest, core::kGeluCutoff,
        core::kSiluCutoff, 1e-20F, 1e20F, FloatOfBits(0x3F808000u), FloatOfBits(0x3F818000u),
        FloatOfBits(0x7F7F8000u), FloatOfBits(0x007FFFFFu), FloatOfBits(0x00008000u)}) {
    for (const float sign : {1.0F, -1.0F}) {
      const float signed_value = sign * value;
      x.push_back(signed_value);
      x.push_back(std::nextafter(signed_value, kInfinity));
      x.push_back(std::nextafter(signed_value, -kInfinity));
    }
  }
  // In every lane.
  for (int turn = 0; turn < 16; ++turn) {
    ExpectActivations(x);
    if (HasFatalFailure()) return;
    std::rotate(x.begin(), x.begin() + 1, x.end());
  }
}

TEST(RowFunctionsTest, ActivationsOfFloatsOfAllMagnitudes) {
  constexpr uint64_t kStride = 4'099;  // Prime, so that the sweep meets all patterns of low bits.
  std::vector<float> x;
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += kStride) {
    x.push_back(FloatOfBits(static_cast<uint32_t>(bits)));
  }
  ExpectActivations(x);
}

/// Around the steps of a shift, its ties and both ends of the results.
std::vector<int32_t> ShiftInputs(int shift) {
  std::vector<int32_t> inputs = {kLowestInt,     kLowestInt + 1,  kHighestInt, kHighestInt - 1,
                                 kLowestInt / 2, kHighestInt / 2, 0x55555555,  -0x55555556};
  const int64_t half = shift == 0 ? 0 : int64_t{1} << (shift - 1);
  for (const int64_t quotient : {-257, -256, -130, -129, -128, -127, -4,  -3,  -2,  -1,
                                 0,    1,    2,    3,    126,  127,  128, 254, 255, 256}) {
    for (const int64_t offset : {int64_t{-1}, int64_t{0}, int64_t{1}, half - 1, half, half + 1}) {
      const int64_t value = (quotient * (int64_t{1} << shift)) + offset;
      if (value >= kLowestInt && value <= kHighestInt) {
        inputs.push_back(static_cast<int32_t>(value));
      }
    }
  }
  return inputs;
}

TEST(RowFunctionsTest, RequantisationByEveryShift) {
  constexpr Rounding kRoundings[] = {Rounding::kFloor,          Rounding::kCeil,
                                     Rounding::kSymmetricFloor, Rounding::kSymmetricCeil,
                                     Rounding::kNegativeInf,    Rounding::kPositiveInf,
                                     Rounding::kSymmetricZero,  Rounding::kSymmetricInf,
                                     Rounding::kConvEven,       Rounding::kConvOdd};
  for (int shift = 0; shift <= 31; ++shift) {
    const std::vector<int32_t> inputs = ShiftInputs(shift);
    Tile tile(
        1, static_cast<int64_t>(inputs.size()), [] { return 0; }, [] { return 0.0F; });
    std::copy(inputs.begin(), inputs.end(), tile.sums.data());
    for (const Rounding rounding : kRoundings) {
      for (const Saturation saturation :
           {Saturation::kNone, Saturation::kSaturate, Saturation::kSymmetric}) {
        SCOPED_TRACE(::testing::Message()
                     << "shift " << shift << ' ' << Name(rounding) << ' ' << Name(saturation));
        for (EpilogueMode mode : Modes()) {
          if (mode.requant != EpilogueMode::Requant::kShift) continue;
          mode.shift = {shift, rounding, saturation};
          ExpectDefinition(mode, tile, {});
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST(RowFunctionsTest, RequantisationByEveryKindOfScale) {
  std::vector<int32_t> sums = {kLowestInt, kLowestInt + 1, kHighestInt, 16'777'217, -16'777'217};
  for (int32_t sum = -520; sum <= 520; ++sum) sums.push_back(sum);
  const auto columns = static_cast<int64_t>(sums.size());
  for (const float scale : {0.0F, -0.0F, 1.0F, -1.0F, 0.5F, -0.5F, 0.25F, 0.12345F, 1e-7F, 1e-30F,
                            kSmallest, -kSmallest, 1e10F, 1e30F, kLargest, -kLargest}) {
    Tile tile(
        1, columns, [] { return 0; }, [&] { return scale; });
    std::copy(sums.begin(), sums.end(), tile.sums.data());
    for (EpilogueMode mode : Modes()) {
      if (mode.requant != EpilogueMode::Requant::kScale) continue;
      const core::Range8 range = core::RangeOf(mode.c_type);
      for (const int32_t zero : {range.low, range.low + 1, 0, 1, range.high - 1, range.high}) {
        SCOPED_TRACE(::testing::Message() << "scale " << scale << " zero " << zero);
        mode.requant_zero = zero;
        ExpectDefinition(mode, tile, {});
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(RowFunctionsTest, RequantisationScalesEachColumn) {
  base::Random random(12);
  for (EpilogueMode mode : Modes()) {
    if (mode.requant != EpilogueMode::Requant::kScale) continue;
    for (int turn = 0; turn < 50; ++turn) {
      mode.requant_zero = static_cast<int32_t>(random.Between(0, 127));
      const Tile tile(
          7, 53, [&] { return static_cast<int32_t>(random.Between(-40'000, 40'000)); },
          [&] { return static_cast<float>((random.Unit() - 0.2) * 0.01); });
      ExpectDefinition(mode, tile, {.bias_s32 = true});
      if (HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace tilewave::kernels::cpu
