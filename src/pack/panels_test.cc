#include "pack/panels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/random.h"

namespace tilewave::pack {
namespace {

constexpr uint8_t kPoison = 0xA5;
constexpr size_t kGuards = 64;
constexpr int64_t kPanelColumns[] = {1, 5, 16, 32};

struct PanelStrideCase {
  const char* name;
  int64_t k;
  int64_t column;
};

std::vector<PanelStrideCase> PanelStrideCases(int64_t k, int64_t columns) {
  return {{"row-major", columns, 1},
          {"row-major, padded", columns + 3, 1},
          {"column-major", 1, k},
          {"column-major, padded", 1, k + 5},
          {"gaps", 2 * columns + 1, 2},
          {"gaps, column-major", 3, 3 * k + 2},
          {"rows upside down", -columns, 1},
          {"columns from the right", 1, -k},
          {"both backwards", -1, -(k + 1)},
          {"rows repeated", 0, 1},
          {"columns repeated", 1, 0},
          {"one element", 0, 0}};
}

/// Random bytes, not one more than the strides reach, so that a sanitizer sees reads beyond.
struct Matrix {
  Matrix(base::Random* random, int64_t k_count, int64_t column_count,
         const PanelStrideCase& strides)
      : k(k_count), columns(column_count), k_stride(strides.k), column_stride(strides.column) {
    const int64_t along_k = (k - 1) * k_stride;
    const int64_t across = (columns - 1) * column_stride;
    first = -(std::min<int64_t>(0, along_k) + std::min<int64_t>(0, across));
    const int64_t last = first + std::max<int64_t>(0, along_k) + std::max<int64_t>(0, across);
    for (int64_t i = 0; i <= last; ++i) bytes.push_back(static_cast<uint8_t>(random->Next() >> 56));
  }

  size_t Index(int64_t i, int64_t j) const {
    return static_cast<size_t>(first + (i * k_stride) + (j * column_stride));
  }
  uint8_t At(int64_t i, int64_t j) const { return bytes[Index(i, j)]; }
  PanelSource source() const { return {bytes.data() + first, k_stride, column_stride}; }

  int64_t k;
  int64_t columns;
  int64_t k_stride;
  int64_t column_stride;
  int64_t first;
  std::vector<uint8_t> bytes;
};

/// A poisoned array of T with more poison around it.
template <typename T>
class Guarded {
 public:
  explicit Guarded(size_t count) : bytes_((count * sizeof(T)) + (2 * kGuards), kPoison) {}

  T* data() { return reinterpret_cast<T*>(bytes_.data() + kGuards); }
  std::vector<T> Values() const {
    std::vector<T> values((bytes_.size() - (2 * kGuards)) / sizeof(T));
    std::memcpy(values.data(), bytes_.data() + kGuards, values.size() * sizeof(T));
    return values;
  }
  bool GuardsHold() const {
    const auto is_poison = [](uint8_t byte) { return byte == kPoison; };
    return std::all_of(bytes_.begin(), bytes_.begin() + kGuards, is_poison) &&
           std::all_of(bytes_.end() - kGuards, bytes_.end(), is_poison);
  }

 private:
  std::vector<uint8_t> bytes_;
};

/// What a panel holds, by the definition of its layout: element (i, j), `bytes` long, stands in
/// group i / per_group. Elements come from element(i, j).
template <typename T, typename Element>
std::vector<T> ByDefinition(const Matrix& m, int64_t nr, int64_t per_group, Element element) {
  const int64_t groups = (m.k + per_group - 1) / per_group;
  std::vector<T> panel(static_cast<size_t>(groups * nr * per_group), 0);
  for (int64_t i = 0; i < m.k; ++i) {
    for (int64_t j = 0; j < m.columns; ++j) {
      const int64_t at = ((((i / per_group) * nr) + j) * per_group) + (i % per_group);
      panel[static_cast<size_t>(at)] = element(i, j);
    }
  }
  return panel;
}

// Calls visit(matrix, nr) for ragged shapes and all strides.
template <typename Visitor>
void ForEachMatrix(uint64_t seed, Visitor visit) {
  base::Random random(seed);
  for (const int64_t nr : kPanelColumns) {
    for (int64_t k = 1; k <= 70; ++k) {
      for (const int64_t columns : {nr, random.Between(1, nr)}) {
        for (const PanelStrideCase& strides : PanelStrideCases(k, columns)) {
          SCOPED_TRACE(::testing::Message()
                       << strides.name << ": K " << k << ", columns " << columns << " of " << nr);
          visit(Matrix(&random, k, columns, strides), nr);
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
}

constexpr std::array<uint8_t, 3> kFlips = {0, 0x80, 0x5A};
constexpr std::array<int64_t, 2> kGroups = {4, 2};  // Bytes of them.

TEST(PanelLayoutTest, ExtentsOfARaggedMatrix) {
  constexpr PanelLayout kQuads{.k = 9, .columns = 35, .nr = 16, .group_elements = 4};
  EXPECT_EQ(kQuads.groups(), 3);
  EXPECT_EQ(kQuads.panels(), 3);
  EXPECT_EQ(kQuads.columns_padded(), 48);
  EXPECT_EQ(kQuads.panel_bytes(), 3 * 16 * 4);
  EXPECT_EQ(kQuads.bytes(), 3 * 3 * 16 * 4);
  EXPECT_EQ(kQuads.columns_of(0), 16);
  EXPECT_EQ(kQuads.columns_of(1), 16);
  EXPECT_EQ(kQuads.columns_of(2), 3);
  constexpr PanelLayout kPairs{.k = 9, .columns = 35, .nr = 16, .group_elements = 2};
  EXPECT_EQ(kPairs.groups(), 5);
  EXPECT_EQ(kPairs.panel_bytes(), 5 * 16 * 4);
  constexpr PanelLayout kBytePairs{
      .k = 9, .columns = 35, .nr = 16, .group_elements = 2, .group_bytes = 2};
  EXPECT_EQ(kBytePairs.groups(), 5);
  EXPECT_EQ(kBytePairs.panel_bytes(), 5 * 16 * 2);
  EXPECT_EQ(kBytePairs.bytes(), 3 * 5 * 16 * 2);
}

TEST(PanelLayoutTest, ExtentsOfAMatrixThatFits) {
  constexpr PanelLayout kLayout{.k = 8, .columns = 32, .nr = 16, .group_elements = 4};
  EXPECT_EQ(kLayout.groups(), 2);
  EXPECT_EQ(kLayout.panels(), 2);
  EXPECT_EQ(kLayout.columns_padded(), 32);
  EXPECT_EQ(kLayout.columns_of(1), 16);
  constexpr PanelLayout kOne{.k = 1, .columns = 1, .nr = 1, .group_elements = 4};
  EXPECT_EQ(kOne.bytes(), 4);
  EXPECT_EQ(kOne.columns_of(0), 1);
}

TEST(PackBytesTest, SmallExample) {
  // Five rows of two columns, in a panel of three.
  constexpr uint8_t kMatrix[] = {1, 11, 2, 12, 3, 13, 4, 14, 5, 255};
  Guarded<uint8_t> panel(24);
  Guarded<int32_t> sums(3);
  PackBytes({kMatrix, 2, 1}, 5, 2, 3, 4, 0, reinterpret_cast<std::byte*>(panel.data()),
            sums.data());
  EXPECT_EQ(panel.Values(), (std::vector<uint8_t>{1, 2, 3, 4, 11,  12, 13, 14, 0, 0, 0, 0,  //
                                                  5, 0, 0, 0, 255, 0,  0,  0,  0, 0, 0, 0}));
  EXPECT_EQ(sums.Values(), (std::vector<int32_t>{15, 49, 0}));
  EXPECT_TRUE(panel.GuardsHold() && sums.GuardsHold());
}

TEST(PackBytesTest, SmallExampleFlipped) {
  // 0x80 is what flipping turns u8 into s8 with; padding stays 0.
  constexpr uint8_t kColumn[] = {0, 128, 255};
  Guarded<uint8_t> panel(8);
  Guarded<int32_t> sums(2);
  PackBytes({kColumn, 1, 3}, 3, 1, 2, 4, 0x80, reinterpret_cast<std::byte*>(panel.data()),
            sums.data());
  EXPECT_EQ(panel.Values(), (std::vector<uint8_t>{128, 0, 127, 0, 0, 0, 0, 0}));
  EXPECT_EQ(sums.Values(), (std::vector<int32_t>{-1, 0}));
}

TEST(PackBytesTest, SmallExampleInPairs) {
  // Three rows of two columns, in a panel of three.
  constexpr uint8_t kMatrix[] = {1, 11, 2, 12, 3, 255};
  Guarded<uint8_t> panel(12);
  Guarded<int32_t> sums(3);
  PackBytes({kMatrix, 2, 1}, 3, 2, 3, 2, 0, reinterpret_cast<std::byte*>(panel.data()),
            sums.data());
  EXPECT_EQ(panel.Values(), (std::vector<uint8_t>{1, 2, 11, 12, 0, 0,  //
                                                  3, 0, 255, 0, 0, 0}));
  EXPECT_EQ(sums.Values(), (std::vector<int32_t>{6, 22, 0}));
  EXPECT_TRUE(panel.GuardsHold() && sums.GuardsHold());
}

TEST(PackPairsTest, SmallExample) {
  // Three rows of two columns, in a panel of three.
  constexpr uint8_t kMatrix[] = {1, 0x80, 2, 255, 3, 7};
  constexpr int32_t kZeros[] = {10, -100, 77};
  Guarded<int16_t> panel(12);
  auto* bytes = reinterpret_cast<std::byte*>(panel.data());
  PackPairs({kMatrix, 2, 1}, ElementType::kS8, 3, 2, 3, kZeros, bytes);
  EXPECT_EQ(panel.Values(), (std::vector<int16_t>{-9, -8, -28, 99, 0, 0, -7, 0, 107, 0, 0, 0}));
  PackPairs({kMatrix, 2, 1}, ElementType::kU8, 3, 2, 3, kZeros, bytes);
  EXPECT_EQ(panel.Values(), (std::vector<int16_t>{-9, -8, 228, 355, 0, 0, -7, 0, 107, 0, 0, 0}));
  PackPairs({kMatrix, 2, 1}, ElementType::kS8, 3, 2, 3, nullptr, bytes);
  EXPECT_EQ(panel.Values(), (std::vector<int16_t>{1, 2, -128, -1, 0, 0, 3, 0, 7, 0, 0, 0}));
  EXPECT_TRUE(panel.GuardsHold());
}

TEST(PackBytesTest, PanelAndSumsAreTheDefinitions) {
  ForEachMatrix(71, [](const Matrix& m, int64_t nr) {
    for (const uint8_t flip : kFlips) {
      const auto flipped = [&](int64_t i, int64_t j) {
        return static_cast<uint8_t>(m.At(i, j) ^ flip);
      };
      std::vector<int32_t> expected_sums(static_cast<size_t>(nr), 0);
      for (int64_t j = 0; j < m.columns; ++j) {
        for (int64_t i = 0; i < m.k; ++i) {
          expected_sums[static_cast<size_t>(j)] += static_cast<int8_t>(flipped(i, j));
        }
      }
      for (const int64_t group : kGroups) {
        const std::vector<uint8_t> expected = ByDefinition<uint8_t>(m, nr, group, flipped);
        Guarded<uint8_t> panel(expected.size());
        Guarded<int32_t> sums(expected_sums.size());
        PackBytes(m.source(), m.k, m.columns, nr, group, flip,
                  reinterpret_cast<std::byte*>(panel.data()), sums.data());
        ASSERT_EQ(panel.Values(), expected) << "flip " << int{flip} << ", group " << group;
        ASSERT_EQ(sums.Values(), expected_sums) << "flip " << int{flip} << ", group " << group;
        ASSERT_TRUE(panel.GuardsHold() && sums.GuardsHold());
      }
    }
  });
}

/// Zero points of all columns, ends of the type's range among them; those beyond `columns` are not
/// for reading.
std::vector<int32_t> ZerosFor(ElementType type, int64_t columns, int64_t first) {
  const int32_t low = type == ElementType::kS8 ? -128 : 0;
  std::vector<int32_t> zeros;
  for (int64_t j = 0; j < columns; ++j) {
    zeros.push_back(low + static_cast<int32_t>(((first + j) * 85) % 256));
  }
  return zeros;
}

TEST(PackPairsTest, PanelIsTheDefinition) {
  ForEachMatrix(72, [](const Matrix& m, int64_t nr) {
    for (const ElementType type : {ElementType::kS8, ElementType::kU8}) {
      const std::vector<int32_t> zeros = ZerosFor(type, m.columns, m.k);
      for (const bool with_zeros : {false, true}) {
        const std::vector<int16_t> expected =
            ByDefinition<int16_t>(m, nr, 2, [&](int64_t i, int64_t j) {
              const int byte = m.At(i, j);
              const int value = type == ElementType::kS8 && byte >= 128 ? byte - 256 : byte;
              const int zero = with_zeros ? zeros[static_cast<size_t>(j)] : 0;
              return static_cast<int16_t>(value - zero);
            });
        Guarded<int16_t> panel(expected.size());
        PackPairs(m.source(), type, m.k, m.columns, nr, with_zeros ? zeros.data() : nullptr,
                  reinterpret_cast<std::byte*>(panel.data()));
        ASSERT_EQ(panel.Values(), expected) << Name(type);
        ASSERT_TRUE(panel.GuardsHold());
      }
    }
  });
}

/// The memory of `m` if its elements alone were written to a poisoned place.
std::vector<uint8_t> OnlyElements(const Matrix& m) {
  std::vector<uint8_t> bytes(m.bytes.size(), kPoison);
  for (int64_t i = 0; i < m.k; ++i) {
    for (int64_t j = 0; j < m.columns; ++j) bytes[m.Index(i, j)] = m.At(i, j);
  }
  return bytes;
}

TEST(UnpackBytesTest, BringsTheMatrixBackAndTouchesNoGaps) {
  ForEachMatrix(73, [](const Matrix& m, int64_t nr) {
    for (const uint8_t flip : kFlips) {
      for (const int64_t group : kGroups) {
        std::vector<std::byte> panel(static_cast<size_t>((m.k + group - 1) / group * nr * group));
        std::vector<int32_t> sums(static_cast<size_t>(nr));
        PackBytes(m.source(), m.k, m.columns, nr, group, flip, panel.data(), sums.data());
        std::vector<uint8_t> back(m.bytes.size(), kPoison);
        UnpackBytesForTest(panel.data(), m.k, m.columns, nr, group, flip, m.source(),
                           back.data() + m.first);
        ASSERT_EQ(back, OnlyElements(m)) << "flip " << int{flip} << ", group " << group;
      }
    }
  });
}

TEST(UnpackPairsTest, BringsTheMatrixBackAndTouchesNoGaps) {
  ForEachMatrix(74, [](const Matrix& m, int64_t nr) {
    for (const ElementType type : {ElementType::kS8, ElementType::kU8}) {
      // One element seen as several columns has one zero point.
      const bool repeated = m.column_stride == 0;
      const std::vector<int32_t> zeros =
          repeated ? std::vector<int32_t>(static_cast<size_t>(m.columns), 3)
                   : ZerosFor(type, m.columns, m.k);
      for (const int32_t* z : {static_cast<const int32_t*>(nullptr), zeros.data()}) {
        std::vector<std::byte> panel(static_cast<size_t>((m.k + 1) / 2 * nr * 4));
        PackPairs(m.source(), type, m.k, m.columns, nr, z, panel.data());
        std::vector<uint8_t> back(m.bytes.size(), kPoison);
        UnpackPairsForTest(panel.data(), m.k, m.columns, nr, z, m.source(), back.data() + m.first);
        ASSERT_EQ(back, OnlyElements(m)) << Name(type);
      }
    }
  });
}

}  // namespace
}  // namespace tilewave::pack
