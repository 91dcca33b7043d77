#include "tests/support/int8_tile_check.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/checked_math.h"
#include "base/random.h"

namespace tilewave::testing {
namespace {

using base::Random;
using kernels::cpu::Form;
using kernels::cpu::Int8Kernel;
using kernels::cpu::kGroupBytes;
using kernels::cpu::kSelfGroups;
using kernels::cpu::TileArgs;

enum class Fill { kRandom, kMostNegative, kMostPositive, kExtremes };
constexpr Fill kFills[] = {Fill::kRandom, Fill::kMostNegative, Fill::kMostPositive,
                           Fill::kExtremes};

/// How a tile begins and where.
enum class Init { kOneRow, kOwnRows, kFromC };
constexpr Init kInits[] = {Init::kOneRow, Init::kOwnRows, Init::kFromC};

/// One call of a tile function.
struct Case {
  int rows = 1;
  int columns = 1;
  int panels = 1;  ///< 2: a wide tile; more: a row tile.
  int64_t groups = 1;
  Fill fill = Fill::kRandom;
  Init init = Init::kOneRow;
  uint8_t flip = 0;
  bool a_signed = false;  ///< kAnyxS8.
};

/// What bytes of A are.
bool IsUnsigned(Form form, bool a_signed) {
  return form == Form::kU8xS8 || (form == Form::kAnyxS8 && !a_signed);
}

/// The elements that make the sums of a fill what it is called.
struct Extremes {
  int32_t low;
  int32_t high;
};

/// Whether elements are s16.
bool IsWide(Form form, bool is_a) {
  return form == Form::kS16xS16 || (is_a && form == Form::kS16xS8);
}

Extremes ExtremesOf(Form form, bool is_a, bool is_unsigned) {
  if (is_a && form == Form::kS16xS8) return {-32639, 32639};
  if (IsWide(form, is_a)) return {-32768, 32767};
  if (is_unsigned) return {0, 255};
  return {-128, 127};
}

int32_t ElementFor(Fill fill, Form form, bool is_a, bool a_signed, Random* random) {
  const bool a_unsigned = IsUnsigned(form, a_signed);
  const auto [low, high] = ExtremesOf(form, is_a, is_a && a_unsigned);
  switch (fill) {
    case Fill::kRandom:
      return static_cast<int32_t>(random->Between(low, high));
    case Fill::kMostNegative:
      return is_a ? high : low;
    case Fill::kMostPositive:
      return low < 0 && !a_unsigned ? low : high;
    case Fill::kExtremes:
      return random->Between(0, 1) == 0 ? low : high;
  }
  return 0;
}

int ElementBytes(Form form, bool is_a) { return IsWide(form, is_a) ? 2 : 1; }

void WriteElement(Form form, bool is_a, int32_t value, uint8_t flip, std::byte* to) {
  if (IsWide(form, is_a)) {
    const auto element = static_cast<int16_t>(value);
    std::memcpy(to, &element, sizeof(element));
  } else {
    *to = static_cast<std::byte>(static_cast<uint8_t>(value) ^ flip);
  }
}

int64_t ReadElement(bool wide, bool is_unsigned, uint8_t flip, const std::byte* from) {
  if (wide) {
    int16_t value;
    std::memcpy(&value, from, sizeof(value));
    return value;
  }
  const auto byte = static_cast<uint8_t>(static_cast<uint8_t>(*from) ^ flip);
  return is_unsigned ? int64_t{byte} : int64_t{static_cast<int8_t>(byte)};
}

/// The memory of one call. A stands at an odd address with an odd stride and ends with its memory,
/// so that an address sanitizer sees reads behind it; all that surrounds the rows is random.
class Call {
 public:
  Call(const Int8Kernel& kernel, const Case& each, Random* random)
      : kernel_(kernel), case_(each), flip_(kernel.flips ? each.flip : uint8_t{0}) {
    FillA(random);
    FillB(random);
    FillC(random);
    args_.groups = case_.groups;
    args_.columns = case_.columns;
    args_.flip = case_.flip;
    args_.a_signed = case_.a_signed;
    if (random->Between(0, 1) == 1) {  // Lines, and anything behind them.
      args_.ahead[0] = b_.data();
      args_.ahead[1] = b_.data() + kLineBytes;
      args_.ahead_step = kLineBytes * random->Between(1, 100);
      args_.ahead_shift = static_cast<int>(random->Between(0, 2));
    } else if (random->Between(0, 1) == 1) {
      args_.b_ahead = kLineBytes * random->Between(1, 100);
    }
  }

  std::string Run(Random* random) {
    const std::vector<int32_t> expected = Expected();
    if (kernel_.begin != nullptr) kernel_.begin();
    if (case_.panels > 2) {
      kernel_.run_row(args_);
    } else {
      const auto& functions = case_.panels == 2 ? kernel_.run_wide : kernel_.run;
      functions[case_.rows - 1](args_);
    }
    if (kernel_.end != nullptr) kernel_.end();
    if (std::string text = CheckSelfProducts(random); !text.empty()) return text;
    for (size_t i = 0; i < expected.size(); ++i) {
      if (c_[i] != expected[i]) return Describe(static_cast<int64_t>(i), expected[i]);
    }
    return "";
  }

 private:
  static constexpr int64_t kGuard = 64;  ///< Numbers before and behind C.
  static constexpr int64_t kLineBytes = 64;
  static constexpr int64_t kLineNumbers = kLineBytes / sizeof(int32_t);

  int Width() const { return case_.panels * kernel_.nr; }

  void FillA(Random* random) {
    const int64_t row_bytes = case_.groups * kGroupBytes;
    int64_t start = 1 + (2 * random->Between(0, 31));
    args_.a_stride = row_bytes + 1 + (2 * random->Between(0, 20));
    int64_t start_bytes = 0;
    if (kernel_.self != nullptr && random->Between(0, 1) == 1) {
      start_bytes = sizeof(int32_t);
      args_.row_start = row_bytes;
      args_.a_stride = row_bytes + (4 * random->Between(1, 9));
      start = 4 * random->Between(0, 15);
    }
    a_.resize(
        static_cast<size_t>(start + ((case_.rows - 1) * args_.a_stride) + row_bytes + start_bytes));
    for (std::byte& byte : a_) byte = static_cast<std::byte>(random->Between(0, 255));
    for (int r = 0; r < case_.rows; ++r) {
      for (int64_t i = 0; i < row_bytes; i += ElementBytes(kernel_.form, true)) {
        WriteElement(kernel_.form, true,
                     ElementFor(case_.fill, kernel_.form, true, case_.a_signed, random), flip_,
                     a_.data() + start + (r * args_.a_stride) + i);
      }
    }
    args_.a = a_.data() + start;
  }

  void FillB(Random* random) {
    const int64_t panel_bytes = case_.groups * kernel_.nr * GroupBytesOfB(kernel_.form);
    const int64_t to_align = (64 - (panel_bytes % 64)) % 64;
    args_.b_next = panel_bytes + to_align + (64 * random->Between(0, 2));
    const int64_t bytes = ((case_.panels - 1) * args_.b_next) + panel_bytes;
    b_ = base::AlignedBuffer(static_cast<size_t>(bytes));
    for (int64_t i = 0; i < bytes; i += ElementBytes(kernel_.form, false)) {
      WriteElement(kernel_.form, false,
                   ElementFor(case_.fill, kernel_.form, false, case_.a_signed, random), 0,
                   b_.data() + i);
    }
    args_.b = b_.data();
  }

  void FillC(Random* random) {
    const int64_t row = case_.init == Init::kFromC ? Width() : case_.columns;
    args_.c_stride = row + random->Between(0, 5);
    int64_t start = kGuard + random->Between(0, 15);
    // Some kernels have a way of their own to write whole lines.
    const bool whole_lines = random->Between(0, 1) == 1;
    if (whole_lines) args_.c_stride = base::RoundUp(args_.c_stride, kLineNumbers);
    c_.resize(static_cast<size_t>(start + kLineNumbers + ((case_.rows - 1) * args_.c_stride) + row +
                                  kGuard));
    while (whole_lines && reinterpret_cast<uintptr_t>(c_.data() + start) % kLineBytes != 0) ++start;
    for (int32_t& number : c_) number = RandomNumber(random);
    args_.c = c_.data() + start;
    if (random->Between(0, 1) == 1) {
      args_.out = reinterpret_cast<const std::byte*>(args_.c);
      args_.out_stride = args_.c_stride * static_cast<int64_t>(sizeof(int32_t));
    }
    if (case_.init == Init::kFromC) {
      args_.init = args_.c;
      args_.init_stride = args_.c_stride;
      return;
    }
    const int64_t init_start = random->Between(0, 3);
    args_.init_stride = case_.init == Init::kOneRow ? 0 : Width() + random->Between(0, 3);
    init_.resize(
        static_cast<size_t>(init_start + ((case_.rows - 1) * args_.init_stride) + Width()));
    for (int32_t& number : init_) number = RandomNumber(random);
    args_.init = init_.data() + init_start;
  }

  /// Often near the ends of the range, so that sums wrap.
  static int32_t RandomNumber(Random* random) {
    const auto offset = static_cast<int32_t>(random->Between(0, 1000));
    switch (random->Between(0, 3)) {
      case 0:
        return std::numeric_limits<int32_t>::max() - offset;
      case 1:
        return std::numeric_limits<int32_t>::min() + offset;
      default:
        return static_cast<int32_t>(static_cast<uint32_t>(random->Next()));
    }
  }

  /// Element `i` of a group of row r.
  int64_t ElementOfA(int r, int64_t group, int i) const {
    const bool wide = IsWide(kernel_.form, true);
    return ReadElement(wide, IsUnsigned(kernel_.form, case_.a_signed), flip_,
                       args_.a + (r * args_.a_stride) + (group * kGroupBytes) +
                           (i * ElementBytes(kernel_.form, true)));
  }
  /// The same of column j.
  int64_t ElementOfB(int j, int64_t group, int i) const {
    const bool wide = IsWide(kernel_.form, false);
    const std::byte* panel = args_.b + ((j / kernel_.nr) * args_.b_next);
    const int64_t at = ((group * kernel_.nr) + (j % kernel_.nr)) * GroupBytesOfB(kernel_.form);
    return ReadElement(wide, false, 0, panel + at + (i * ElementBytes(kernel_.form, false)));
  }

  int64_t Product(int r, int j) const {
    int64_t sum = 0;
    for (int64_t group = 0; group < case_.groups; ++group) {
      for (int i = 0; i < GroupElements(kernel_.form); ++i) {
        sum += ElementOfA(r, group, i) * ElementOfB(j, group, i);
      }
    }
    return sum;
  }

  /// What the self products of row r and column j add.
  uint64_t SelfProducts(int r, int j) const {
    if (kernel_.self == nullptr) return 0;
    int64_t sum = 0;
    for (int64_t group = 0; group + kSelfGroups <= case_.groups; group += kSelfGroups) {
      for (int i = 0; i < GroupElements(kernel_.form); ++i) {
        sum += ElementOfA(r, group, i) * ElementOfA(r, group + 1, i);
        sum += ElementOfB(j, group, i) * ElementOfB(j, group + 1, i);
      }
    }
    return static_cast<uint64_t>(sum);
  }

  /// Whether the kernel's own functions for self products agree with the definition.
  std::string CheckSelfProducts(Random* random) {
    if (kernel_.self == nullptr || args_.row_start == 0) return "";
    std::vector<int32_t> init(static_cast<size_t>(kernel_.nr));
    for (int32_t& number : init) number = RandomNumber(random);
    const std::vector<int32_t> init_before = init;
    kernel_.self->subtract_columns(args_.b, case_.groups, init.data());
    const std::vector<std::byte> before = a_;
    const int64_t first = args_.a - a_.data();
    kernel_.self->start_rows(a_.data() + first, args_.a_stride, case_.rows, case_.groups);
    for (int r = 0; r < case_.rows; ++r) {
      std::byte* const at = a_.data() + first + (r * args_.a_stride) + args_.row_start;
      const int32_t start = StartOf(r);
      for (int j = 0; j < kernel_.nr; ++j) {
        const uint64_t all = SelfProducts(r, j) + static_cast<uint64_t>(int64_t{start}) +
                             static_cast<uint64_t>(int64_t{init[static_cast<size_t>(j)]}) -
                             static_cast<uint64_t>(int64_t{init_before[static_cast<size_t>(j)]});
        if (static_cast<uint32_t>(all) != 0) {
          return std::string(kernel_.name) + ": self products of row " + std::to_string(r) +
                 " and column " + std::to_string(j) + ", " + std::to_string(case_.groups) +
                 " groups";
        }
      }
      std::memcpy(at, before.data() + (at - a_.data()), sizeof(start));
    }
    return a_ == before ? "" : std::string(kernel_.name) + ": a row has changed";
  }

  int32_t StartOf(int r) const {
    if (args_.row_start == 0) return 0;
    int32_t start;
    std::memcpy(&start, args_.a + (r * args_.a_stride) + args_.row_start, sizeof(start));
    return start;
  }

  /// All of c_ as it must be after the call.
  std::vector<int32_t> Expected() const {
    std::vector<int32_t> expected = c_;
    int32_t* sums = expected.data() + (args_.c - c_.data());
    for (int r = 0; r < case_.rows; ++r) {
      for (int j = 0; j < case_.columns; ++j) {
        const int64_t begin = args_.init[(r * args_.init_stride) + j];
        const auto sum = static_cast<uint64_t>(begin) + static_cast<uint64_t>(Product(r, j)) +
                         SelfProducts(r, j) + static_cast<uint64_t>(int64_t{StartOf(r)});
        sums[(r * args_.c_stride) + j] = static_cast<int32_t>(static_cast<uint32_t>(sum));
      }
    }
    return expected;
  }

  std::string Describe(int64_t index, int32_t expected) const {
    const int64_t offset = index - (args_.c - c_.data());
    const int64_t row = offset < 0 ? -1 : offset / args_.c_stride;
    const int64_t column = offset < 0 ? offset : offset % args_.c_stride;
    const bool inside = row >= 0 && row < case_.rows && column < case_.columns;
    return std::string(kernel_.name) + ", " + std::to_string(case_.rows) + " rows, " +
           std::to_string(case_.columns) + " columns, " + std::to_string(case_.groups) +
           " groups, fill " + std::to_string(static_cast<int>(case_.fill)) + ", init " +
           std::to_string(static_cast<int>(case_.init)) + ", flip " + std::to_string(case_.flip) +
           (case_.a_signed ? ", A signed" : "") + ": " +
           (inside ? "sum" : "number outside the tile") + " at row " + std::to_string(row) +
           ", column " + std::to_string(column) + " is " +
           std::to_string(c_[static_cast<size_t>(index)]) + ", not " + std::to_string(expected);
  }

  const Int8Kernel& kernel_;
  Case case_;
  uint8_t flip_;  ///< What the kernel must apply.
  TileArgs args_ = {};
  std::vector<std::byte> a_;
  base::AlignedBuffer b_;
  std::vector<int32_t> c_;
  std::vector<int32_t> init_;
};

template <typename T, size_t kCount>
T AnyOf(const T (&values)[kCount], Random* random) {
  return values[random->Between(0, static_cast<int64_t>(kCount) - 1)];
}

/// All shapes of tiles of one kind, each with some group counts and fills, and the largest one with
/// every kind of data and a long K.
std::string FirstOfShapes(const Int8Kernel& kernel, int panels, int most_rows, Random* random) {
  constexpr int64_t kGroups[] = {1, 2, 3, 4, 5, 7, 8, 16, 33};
  constexpr uint8_t kFlips[] = {0, 0x80, 0x5A};
  const int least_columns = panels > 2 ? panels * kernel.nr : ((panels - 1) * kernel.nr) + 1;
  const int most_columns = panels * kernel.nr;
  for (int rows = 1; rows <= most_rows; ++rows) {
    for (int columns = least_columns; columns <= most_columns; ++columns) {
      for (int64_t groups : kGroups) {
        const Case each = {.rows = rows,
                           .columns = columns,
                           .panels = panels,
                           .groups = groups,
                           .fill = AnyOf(kFills, random),
                           .init = AnyOf(kInits, random),
                           .flip = AnyOf(kFlips, random),
                           .a_signed = random->Between(0, 1) == 1};
        if (std::string text = Call(kernel, each, random).Run(random); !text.empty()) return text;
      }
    }
  }
  for (Fill fill : kFills) {
    for (Init init : kInits) {
      for (uint8_t flip : kFlips) {
        const Case each = {.rows = most_rows,
                           .columns = most_columns,
                           .panels = panels,
                           .groups = 131,
                           .fill = fill,
                           .init = init,
                           .flip = flip,
                           .a_signed = flip != 0};
        if (std::string text = Call(kernel, each, random).Run(random); !text.empty()) return text;
      }
    }
  }
  return "";
}

}  // namespace

std::string FirstTileMismatch(const Int8Kernel& kernel) {
  Random random(51);
  std::string text = FirstOfShapes(kernel, 1, kernel.mr, &random);
  if (text.empty() && kernel.run_wide != nullptr) {
    text = FirstOfShapes(kernel, 2, kernel.wide_most, &random);
  }
  if (text.empty() && kernel.run_row != nullptr) {
    text = FirstOfShapes(kernel, kernel.row_panels, 1, &random);
  }
  return text;
}

}  // namespace tilewave::testing
