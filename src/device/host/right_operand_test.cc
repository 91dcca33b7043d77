#include "device/host/right_operand.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/parallel_for.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "kernels/cpu/kernel_table.h"
#include "tests/support/host_operands.h"

namespace tilewave::device::host {
namespace {

using kernels::cpu::Form;
using kernels::cpu::Int8Kernel;

constexpr ElementType kTypes[] = {ElementType::kS8, ElementType::kU8};

struct RightShape {
  int64_t matrices;
  int64_t k;
  int64_t n;
};

struct RightStrideCase {
  const char* name;
  int64_t k;
  int64_t column;
};

std::vector<RightStrideCase> RightStrideCases(const RightShape& shape) {
  return {{"row-major", shape.n, 1},    {"row-major, padded", shape.n + 3, 1},
          {"column-major", 1, shape.k}, {"column-major, padded", 1, shape.k + 5},
          {"gaps", 2 * shape.n + 1, 2}, {"one row repeated", 0, 1},
          {"one element", 0, 0}};
}

enum class Zeros { kAbsent, kOne, kPerColumn, kPerColumnOfEachMatrix };
constexpr Zeros kZeros[] = {Zeros::kAbsent, Zeros::kOne, Zeros::kPerColumn,
                            Zeros::kPerColumnOfEachMatrix};

int32_t Low(ElementType type) { return type == ElementType::kS8 ? -128 : 0; }

/// A batch of matrices B with zero points, and not a byte more than the strides reach, so that a
/// sanitizer sees reads beyond.
struct Right {
  Right(base::Random* random, const RightShape& s, const RightStrideCase& strides, ElementType type,
        Zeros kind)
      : shape(s) {
    source.type = type;
    source.k_stride = strides.k;
    source.column_stride = strides.column;
    source.batch_stride = ((s.k - 1) * strides.k) + ((s.n - 1) * strides.column) + 2;
    for (int64_t i = 0; i < (s.matrices * source.batch_stride) - 1; ++i) {
      bytes.push_back(static_cast<uint8_t>(random->Next() >> 56));
    }
    source.data = bytes.data();
    for (int64_t i = 0; i < s.matrices * s.n; ++i) {
      zeros.push_back(Low(type) + static_cast<int32_t>(random->Between(0, 255)));
    }
    if (kind == Zeros::kOne) source.zero = Parameter<int32_t>::Of(zeros[0]);
    if (kind == Zeros::kPerColumn) source.zero = Parameter<int32_t>::PerElement(zeros.data());
    if (kind == Zeros::kPerColumnOfEachMatrix) {
      source.zero = Parameter<int32_t>::PerElement(zeros.data(), s.n);
    }
  }

  /// The number that element (i, j) stands for.
  int32_t At(int64_t matrix, int64_t i, int64_t j) const {
    const uint8_t byte = bytes[static_cast<size_t>(
        (matrix * source.batch_stride) + (i * source.k_stride) + (j * source.column_stride))];
    return source.type == ElementType::kS8 && byte >= 128 ? byte - 256 : byte;
  }
  int32_t ZeroAt(int64_t matrix, int64_t j) const {
    return source.zero.present ? source.zero.At(matrix, j) : 0;
  }

  RightShape shape;
  std::vector<uint8_t> bytes;
  std::vector<int32_t> zeros;
  RightSource source;
};

void Pack(const Right& right, const Int8Kernel& kernel, const base::Crew& crew,
          PackedRight* packed) {
  packed->Reset(kernel, RightLayout(kernel, right.shape.k, right.shape.n), right.shape.matrices);
  packed->PackAll(right.source, crew);
}

/// Element (i, j) as a kernel of this form reads it, padding too.
int32_t PackedAt(const PackedRight& packed, Form form, int64_t matrix, int64_t i, int64_t j) {
  const int64_t nr = packed.layout().nr;
  const int64_t per_group = GroupElements(form);
  const int64_t group = ((i / per_group) * nr) + (j % nr);
  const std::byte* at = packed.panel_at(matrix, j / nr * nr) + (group * GroupBytesOfB(form));
  if (form != Form::kS16xS16) return static_cast<int8_t>(at[i % per_group]);
  int16_t wide = 0;
  std::memcpy(&wide, at + ((i % per_group) * 2), sizeof(wide));
  return wide;
}

/// What the kernel's sums of column `j` come with.
int32_t SelfProductAt(const PackedRight& packed, const Int8Kernel& kernel, int64_t matrix,
                      int64_t j) {
  if (kernel.self == nullptr) return 0;
  const int64_t per_group = GroupElements(kernel.form);
  int32_t sum = 0;
  for (int64_t g = 0; g + 1 < packed.layout().groups(); g += kernels::cpu::kSelfGroups) {
    for (int64_t i = g * per_group; i < (g + 1) * per_group; ++i) {
      sum += PackedAt(packed, kernel.form, matrix, i, j) *
             PackedAt(packed, kernel.form, matrix, i + per_group, j);
    }
  }
  return sum;
}

/// Every number that is packed, and the arrays, against what their comments promise.
void ExpectDefinition(const PackedRight& packed, const Right& right, const Int8Kernel& kernel) {
  const bool wide = kernel.form == Form::kS16xS16;
  // Bytes are read as s8: u8 have been moved there, their zero points with them.
  const int32_t shift = !wide && right.source.type == ElementType::kU8 ? -128 : 0;
  const pack::PanelLayout& layout = packed.layout();
  const int64_t k_padded = layout.groups() * layout.group_elements;
  for (int64_t matrix = 0; matrix < right.shape.matrices; ++matrix) {
    for (int64_t j = 0; j < layout.columns_padded(); ++j) {
      SCOPED_TRACE(::testing::Message() << "matrix " << matrix << ", column " << j);
      const bool real = j < right.shape.n;
      const int32_t zero = real ? right.ZeroAt(matrix, j) : 0;
      int32_t sum = 0;
      for (int64_t i = 0; i < k_padded; ++i) {
        int32_t expected = 0;
        if (real && i < right.shape.k) {
          expected = right.At(matrix, i, j) + (wide ? -zero : shift);
        }
        ASSERT_EQ(PackedAt(packed, kernel.form, matrix, i, j), expected) << "element " << i;
        sum += expected;
      }
      const auto k = static_cast<int32_t>(right.shape.k);
      const int32_t packed_zero = wide ? 0 : zero + shift;
      ASSERT_EQ(packed.sums(matrix)[j], wide ? 0 : sum);
      ASSERT_EQ(packed.zeros(matrix)[j], packed_zero);
      const int32_t begin = -SelfProductAt(packed, kernel, matrix, j);
      ASSERT_EQ(packed.init_0(matrix)[j], begin);
      ASSERT_EQ(packed.init_128(matrix)[j], wide ? 0 : begin - (128 * (sum - (k * packed_zero))));
    }
  }
}

// Calls visit(right, kernel) for ragged shapes with all strides, types and kinds of zero points.
template <typename Visitor>
void ForEachRight(uint64_t seed, Visitor visit) {
  base::Random random(seed);
  const std::vector<const Int8Kernel*> kernels = Kernels();
  for (const RightShape& shape :
       {RightShape{1, 1, 1}, RightShape{1, 70, 33}, RightShape{2, 7, 5}, RightShape{3, 16, 40},
        RightShape{1, 64, 64}, RightShape{2, 131, 17}}) {
    for (const RightStrideCase& strides : RightStrideCases(shape)) {
      for (const ElementType type : kTypes) {
        for (const Zeros zeros : kZeros) {
          const Right right(&random, shape, strides, type, zeros);
          for (const Int8Kernel* kernel : kernels) {
            SCOPED_TRACE(::testing::Message()
                         << kernel->name << ": " << shape.matrices << " of " << shape.k << " x "
                         << shape.n << ' ' << Name(type) << ", " << strides.name << ", zeros "
                         << static_cast<int>(zeros));
            visit(right, *kernel);
            if (::testing::Test::HasFatalFailure()) return;
          }
        }
      }
    }
  }
}

TEST(PackedRightTest, PanelsAndArraysAreTheirDefinitions) {
  ForEachRight(101, [](const Right& right, const Int8Kernel& kernel) {
    PackedRight packed;
    Pack(right, kernel, {}, &packed);
    ExpectDefinition(packed, right, kernel);
  });
}

// What the arrays are for: with them, sums of packed numbers become sums of (a - za) * (b - zb).
TEST(PackedRightTest, ArraysMakeUpForZeroPoints) {
  base::Random random(102);
  ForEachRight(103, [&](const Right& right, const Int8Kernel& kernel) {
    PackedRight packed;
    Pack(right, kernel, {}, &packed);
    std::vector<int32_t> a;  // A row of s8, with no zero point.
    for (int64_t i = 0; i < right.shape.k; ++i) {
      a.push_back(static_cast<int32_t>(random.Between(-128, 127)));
    }
    const int32_t shift = ShiftOf(FlipOfA(kernel.form, ElementType::kS8), ElementType::kS8);
    const int64_t last = right.shape.matrices - 1;
    const int32_t* init = shift == 0 ? packed.init_0(last) : packed.init_128(last);
    for (int64_t j = 0; j < right.shape.n; ++j) {
      int32_t expected = 0;
      int32_t actual = init[j] + SelfProductAt(packed, kernel, last, j);
      for (int64_t i = 0; i < right.shape.k; ++i) {
        const int32_t original = a[static_cast<size_t>(i)];
        const int32_t multiplied = original + shift;
        expected += original * (right.At(last, i, j) - right.ZeroAt(last, j));
        actual += multiplied * PackedAt(packed, kernel.form, last, i, j);
        actual -= multiplied * packed.zeros(last)[j];
      }
      ASSERT_EQ(actual, expected) << "column " << j;
    }
  });
}

TEST(PackedRightTest, AnyZeroIsWhetherAZeroPointMayRemain) {
  const int32_t numbers[] = {0, 0, 0};
  for (const Int8Kernel* kernel : Kernels()) {
    SCOPED_TRACE(kernel->name);
    const bool bytes = kernel->form != Form::kS16xS16;
    const auto any = [&](ElementType type, const Parameter<int32_t>& zero) {
      RightSource source;
      source.type = type;
      source.zero = zero;
      return PackedRight::AnyZero(source, *kernel);
    };
    EXPECT_FALSE(any(ElementType::kS8, {}));
    EXPECT_FALSE(any(ElementType::kS8, Parameter<int32_t>::Of(0)));
    EXPECT_EQ(any(ElementType::kS8, Parameter<int32_t>::Of(-7)), bytes);
    // Moved to s8, the u8 number 0 becomes -128, and 128 becomes 0.
    EXPECT_EQ(any(ElementType::kU8, {}), bytes);
    EXPECT_EQ(any(ElementType::kU8, Parameter<int32_t>::Of(0)), bytes);
    EXPECT_FALSE(any(ElementType::kU8, Parameter<int32_t>::Of(128)));
    // A vector is not looked through.
    EXPECT_EQ(any(ElementType::kS8, Parameter<int32_t>::PerElement(numbers)), bytes);
  }
}

// A claim that there is none is a promise; the other way round it is only slower.
TEST(PackedRightTest, WithoutAnyZeroAllZerosAreZero) {
  ForEachRight(104, [](const Right& right, const Int8Kernel& kernel) {
    if (PackedRight::AnyZero(right.source, kernel)) return;
    PackedRight packed;
    Pack(right, kernel, {}, &packed);
    for (int64_t matrix = 0; matrix < right.shape.matrices; ++matrix) {
      for (int64_t j = 0; j < right.shape.n; ++j) ASSERT_EQ(packed.zeros(matrix)[j], 0);
    }
  });
}

/// Long and wide: packed in several pieces of K, and a few panels together.
constexpr RightShape kLarge = {2, 301, 150};

TEST(PackedRightTest, LargeMatricesAlongAndAcross) {
  base::Random random(105);
  for (const Int8Kernel* kernel : Kernels()) {
    for (const RightStrideCase& strides : RightStrideCases(kLarge)) {
      SCOPED_TRACE(::testing::Message() << kernel->name << ", " << strides.name);
      const Right right(&random, kLarge, strides, ElementType::kU8, Zeros::kPerColumnOfEachMatrix);
      PackedRight packed;
      Pack(right, *kernel, {}, &packed);
      ExpectDefinition(packed, right, *kernel);
    }
  }
}

TEST(PackedRightTest, PanelsMayBePackedInAnyPortions) {
  base::Random random(106);
  for (const Int8Kernel* kernel : Kernels()) {
    SCOPED_TRACE(kernel->name);
    const Right right(&random, kLarge, RightStrideCases(kLarge)[0], ElementType::kS8, Zeros::kOne);
    PackedRight packed;
    packed.Reset(*kernel, RightLayout(*kernel, kLarge.k, kLarge.n), kLarge.matrices);
    for (int64_t matrix = kLarge.matrices - 1; matrix >= 0; --matrix) {
      for (int64_t end = packed.layout().panels(); end > 0;) {
        const int64_t count = random.Between(1, end);
        end -= count;
        packed.PackPanels(right.source, matrix, end, count);
      }
    }
    ExpectDefinition(packed, right, *kernel);
  }
}

TEST(PackedRightTest, BlocksOfKTakeThePlaceOfThoseBefore) {
  constexpr RightShape kShape = {1, 301, 70};
  constexpr int64_t kHeldGroups = 32;
  base::Random random(109);
  for (const Int8Kernel* kernel : Kernels()) {
    SCOPED_TRACE(kernel->name);
    const Right right(&random, kShape, RightStrideCases(kShape)[0], ElementType::kU8,
                      Zeros::kPerColumn);
    const pack::PanelLayout layout = RightLayout(*kernel, kShape.k, kShape.n);
    PackedRight whole;
    Pack(right, *kernel, {}, &whole);
    PackedRight blocks;
    blocks.Reset(*kernel, layout, 1, kHeldGroups);
    EXPECT_LT(blocks.bytes(), whole.bytes());
    const int64_t block = kHeldGroups * layout.group_elements;
    const auto group_bytes = static_cast<size_t>(layout.nr * layout.group_bytes);
    for (int64_t k = 0; k < kShape.k; k += block) {
      const int64_t count = std::min(block, kShape.k - k);
      blocks.PackBlock(right.source, 0, 0, layout.panels(), k, count);
      const int64_t first = k / layout.group_elements;
      const int64_t end = first + base::CeilDiv(count, layout.group_elements);
      for (int64_t j = 0; j < layout.columns_padded(); j += layout.nr) {
        for (int64_t g = first; g < end; ++g) {
          ASSERT_EQ(std::memcmp(blocks.panel_at(0, j, g), whole.panel_at(0, j, g), group_bytes), 0)
              << "group " << g << " of the panel of column " << j;
        }
      }
    }
    for (int64_t j = 0; j < layout.columns_padded(); ++j) {
      ASSERT_EQ(blocks.sums(0)[j], whole.sums(0)[j]) << j;
      ASSERT_EQ(blocks.zeros(0)[j], whole.zeros(0)[j]) << j;
      ASSERT_EQ(blocks.init_0(0)[j], whole.init_0(0)[j]) << j;
      ASSERT_EQ(blocks.init_128(0)[j], whole.init_128(0)[j]) << j;
    }
  }
}

TEST(PackedRightTest, ManyThreadsPackAtOnce) {
  base::Random random(107);
  base::ThreadPool pool(3, 100);
  for (const Int8Kernel* kernel : Kernels()) {
    SCOPED_TRACE(kernel->name);
    PackedRight packed;
    for (const RightShape& shape : {kLarge, RightShape{3, 37, 300}, RightShape{1, 16, 5}}) {
      for (const size_t strides : {size_t{0}, size_t{2}}) {
        const Right right(&random, shape, RightStrideCases(shape)[strides], ElementType::kU8,
                          Zeros::kPerColumnOfEachMatrix);
        Pack(right, *kernel, {&pool, base::Wake::kAlways}, &packed);
        ExpectDefinition(packed, right, *kernel);
      }
    }
  }
}

TEST(PackedRightTest, MemoryThatIsLargeEnoughIsKept) {
  base::Random random(108);
  const std::vector<const Int8Kernel*> kernels = Kernels();
  PackedRight packed;
  EXPECT_EQ(packed.bytes(), 0u);
  // The largest first, for the kernel with the widest panels, then others in what it has left.
  const RightShape shapes[] = {{4, 200, 200}, {1, 3, 2}, {2, 50, 37}, {1, 70, 33}};
  size_t bytes = 0;
  for (const RightShape& shape : shapes) {
    for (const Int8Kernel* kernel : kernels) {
      if (bytes != 0 && kernel->form == Form::kS16xS16) continue;  // Needs twice the room.
      const Right right(&random, shape, RightStrideCases(shape)[0], ElementType::kU8,
                        Zeros::kPerColumn);
      Pack(right, *kernel, {}, &packed);
      ExpectDefinition(packed, right, *kernel);
      const auto least = static_cast<size_t>(packed.layout().bytes() * shape.matrices) +
                         (4 * sizeof(int32_t) *
                          static_cast<size_t>(packed.layout().columns_padded() * shape.matrices));
      EXPECT_GE(packed.bytes(), least);
      if (bytes != 0) {
        EXPECT_EQ(packed.bytes(), bytes) << kernel->name;
      }
    }
    bytes = packed.bytes();
  }
}

TEST(FlipTest, MovesBytesToWhatTheFormMultiplies) {
  constexpr auto kS8 = ElementType::kS8;
  constexpr auto kU8 = ElementType::kU8;
  EXPECT_EQ(FlipOfA(Form::kU8xS8, kU8), 0);
  EXPECT_EQ(FlipOfA(Form::kU8xS8, kS8), 0x80);
  EXPECT_EQ(FlipOfA(Form::kS8xS8, kS8), 0);
  EXPECT_EQ(FlipOfA(Form::kS8xS8, kU8), 0x80);
  EXPECT_EQ(FlipOfB(Form::kU8xS8, kS8), 0);
  EXPECT_EQ(FlipOfB(Form::kU8xS8, kU8), 0x80);
  EXPECT_EQ(FlipOfB(Form::kS16xS8, kU8), 0x80);
  EXPECT_EQ(FlipOfB(Form::kS16xS8, kS8), 0);
  EXPECT_EQ(FlipOfB(Form::kS8xS8, kS8), 0);
  EXPECT_EQ(FlipOfB(Form::kS8xS8, kU8), 0x80);
  for (const ElementType type : kTypes) {
    EXPECT_EQ(FlipOfA(Form::kS16xS16, type), 0);
    EXPECT_EQ(FlipOfA(Form::kS16xS8, type), 0);
    EXPECT_EQ(FlipOfB(Form::kS16xS16, type), 0);
    EXPECT_EQ(ShiftOf(0, type), 0);
  }
  EXPECT_EQ(ShiftOf(0x80, kS8), 128);
  EXPECT_EQ(ShiftOf(0x80, kU8), -128);
}

}  // namespace
}  // namespace tilewave::device::host
