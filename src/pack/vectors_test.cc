#include "pack/vectors.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/random.h"

namespace tilewave::pack {
namespace {

constexpr int16_t kGuard = 0x5A5A;
constexpr size_t kGuards = 64;
constexpr uint8_t kGap = 0x77;

// The strides of an operand with `vectors` vectors of `k` elements, and the elements they span.
struct Layout {
  const char* name;
  int64_t vector_stride;
  int64_t k_stride;
  int64_t count(int64_t vectors, int64_t k) const {
    return ((vectors - 1) * vector_stride) + ((k - 1) * k_stride) + 1;
  }
};

std::vector<Layout> Layouts(int64_t vectors, int64_t k) {
  return {{"dense along K", k, 1},        {"padded along K", k + 5, 1},
          {"dense across K", 1, vectors}, {"padded across K", 1, vectors + 3},
          {"gaps in both", 3 * k + 1, 3}, {"gaps, across K", 2, 2 * vectors + 7}};
}

struct Operand {
  std::vector<uint8_t> bytes;
  std::vector<int32_t> zeros;
};

// Random bytes, and zero points within the type with both ends among them.
Operand RandomOperand(base::Random* random, ElementType type, int64_t count, int64_t vectors) {
  Operand operand;
  for (int64_t i = 0; i < count; ++i) operand.bytes.push_back(static_cast<uint8_t>(random->Next()));
  const int32_t low = type == ElementType::kU8 ? 0 : -128;
  for (int64_t v = 0; v < vectors; ++v) {
    const int64_t zero = random->Between(0, 3);
    operand.zeros.push_back(low + static_cast<int32_t>(zero == 0   ? 0
                                                       : zero == 1 ? 255
                                                                   : random->Between(0, 255)));
  }
  return operand;
}

int32_t ElementAt(const Operand& operand, ElementType type, int64_t index) {
  const uint8_t byte = operand.bytes[static_cast<size_t>(index)];
  return type == ElementType::kU8 ? int32_t{byte} : int32_t{static_cast<int8_t>(byte)};
}

std::vector<int16_t> PackGuarded(const VectorSource& source, int64_t k, const Operand& operand,
                                 const VectorLayout& layout) {
  const size_t elements = layout.bytes() / sizeof(int16_t);
  std::vector<int16_t> memory(elements + (2 * kGuards), kGuard);
  PackVectors(source, k, operand.zeros, layout, memory.data() + kGuards);
  for (size_t i = 0; i < kGuards; ++i) {
    EXPECT_EQ(memory[i], kGuard) << "before the layout";
    EXPECT_EQ(memory[kGuards + elements + i], kGuard) << "behind the layout";
  }
  return {memory.begin() + kGuards, memory.end() - kGuards};
}

void ExpectPacked(const std::vector<int16_t>& packed, const VectorLayout& layout, int64_t k,
                  const Operand& operand, const VectorSource& source) {
  const auto vectors = static_cast<int64_t>(operand.zeros.size());
  for (int64_t v = 0; v < layout.vectors_padded; ++v) {
    for (int64_t i = 0; i < layout.k_padded; ++i) {
      int32_t expected = 0;
      if (v < vectors && i < k) {
        expected =
            ElementAt(operand, source.type, (v * source.vector_stride) + (i * source.k_stride)) -
            operand.zeros[static_cast<size_t>(v)];
      }
      ASSERT_EQ(packed[static_cast<size_t>((v * layout.k_padded) + i)], expected)
          << "vector " << v << " element " << i;
    }
  }
}

// The elements come back; what lies between them stays as it was.
void ExpectUnpacked(const std::vector<int16_t>& packed, const VectorLayout& layout, int64_t k,
                    const Operand& operand, const VectorSource& source) {
  std::vector<uint8_t> expected(operand.bytes.size() + kGuards, kGap);
  std::vector<uint8_t> actual = expected;
  for (size_t v = 0; v < operand.zeros.size(); ++v) {
    for (int64_t i = 0; i < k; ++i) {
      const auto index = static_cast<size_t>((static_cast<int64_t>(v) * source.vector_stride) +
                                             (i * source.k_stride));
      expected[index] = operand.bytes[index];
    }
  }
  VectorSource shape = source;
  shape.data = nullptr;
  UnpackVectors(packed.data(), layout, k, operand.zeros, shape, actual.data());
  EXPECT_EQ(actual, expected);
}

TEST(VectorsTest, PackIsExactAndUnpackIsItsInverse) {
  base::Random random(41);
  const int64_t shapes[][2] = {{1, 1},  {1, 17}, {2, 16}, {3, 5},   {7, 33},
                               {63, 3}, {64, 4}, {65, 5}, {130, 9}, {5, 200}};
  const int64_t granules[][2] = {{1, 1}, {4, 16}, {5, 2}, {16, 64}};
  for (const auto& [vectors, k] : shapes) {
    for (const Layout& strides : Layouts(vectors, k)) {
      for (ElementType type : {ElementType::kS8, ElementType::kU8}) {
        const Operand operand = RandomOperand(&random, type, strides.count(vectors, k), vectors);
        const VectorSource source{operand.bytes.data(), type, strides.vector_stride,
                                  strides.k_stride};
        for (const auto& [vector_granule, k_granule] : granules) {
          SCOPED_TRACE(testing::Message()
                       << vectors << " x " << k << ", " << strides.name << ", " << Name(type)
                       << ", granules " << vector_granule << ", " << k_granule);
          const VectorLayout layout = LayoutFor(vectors, k, vector_granule, k_granule);
          const std::vector<int16_t> packed = PackGuarded(source, k, operand, layout);
          ExpectPacked(packed, layout, k, operand, source);
          ExpectUnpacked(packed, layout, k, operand, source);
          if (testing::Test::HasFailure()) return;
        }
      }
    }
  }
}

TEST(VectorsTest, EveryElementWithEveryZeroPoint) {
  for (ElementType type : {ElementType::kS8, ElementType::kU8}) {
    Operand operand;
    for (int i = 0; i < 256; ++i) operand.bytes.push_back(static_cast<uint8_t>(i));
    const int32_t low = type == ElementType::kU8 ? 0 : -128;
    for (int32_t zero = low; zero < low + 256; ++zero) operand.zeros.push_back(zero);
    for (int64_t k_stride : {1, 2}) {
      const int64_t k = k_stride == 1 ? 256 : 128;
      // All vectors read the same elements.
      const VectorSource source{operand.bytes.data(), type, 0, k_stride};
      const VectorLayout layout = LayoutFor(256, k, 1, 1);
      ExpectPacked(PackGuarded(source, k, operand, layout), layout, k, operand, source);
    }
  }
}

TEST(VectorsTest, BroadcastAlongK) {
  const Operand operand{{5, 250}, {1, 2}};
  const VectorSource source{operand.bytes.data(), ElementType::kU8, 1, 0};
  const VectorLayout layout = LayoutFor(2, 3, 1, 4);
  EXPECT_EQ(PackGuarded(source, 3, operand, layout),
            (std::vector<int16_t>{4, 4, 4, 0, 248, 248, 248, 0}));
}

TEST(VectorsTest, LayoutIsTheSmallestMultiple) {
  const VectorLayout layout = LayoutFor(7, 33, 4, 16);
  EXPECT_EQ(layout.vectors_padded, 8);
  EXPECT_EQ(layout.k_padded, 48);
  EXPECT_EQ(layout.bytes(), 8u * 48u * 2u);
  EXPECT_EQ(LayoutFor(8, 48, 4, 16).bytes(), layout.bytes());
}

TEST(VectorsDeathTest, LayoutTooSmall) {
  const Operand operand{{1, 2, 3, 4}, {0, 0}};
  const VectorSource source{operand.bytes.data(), ElementType::kS8, 2, 1};
  int16_t out[8] = {};
  EXPECT_DEATH(PackVectors(source, 2, operand.zeros, {1, 2}, out), "vectors <= ");
  EXPECT_DEATH(PackVectors(source, 2, operand.zeros, {2, 1}, out), "k <= ");
}

}  // namespace
}  // namespace tilewave::pack
