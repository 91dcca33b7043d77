#include "core/overlap.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <ostream>
#include <vector>

#include "base/random.h"

namespace tilewave::core {

// Found by GoogleTest through the namespace of Footprint.
void PrintTo(const Footprint& f, std::ostream* out);
void PrintTo(const Footprint& f, std::ostream* out) {
  *out << "start " << reinterpret_cast<uintptr_t>(f.start) << " extents " << f.batch << "x"
       << f.rows << "x" << f.cols << " of " << f.element_bytes << " bytes, strides "
       << f.strides.batch << ", " << f.strides.row << ", " << f.strides.col;
}

namespace {

// Footprints are only ever computed with, so that any address will do.
constexpr uintptr_t kBase = 4096;

const void* Address(int64_t offset) {
  return reinterpret_cast<const void*>(kBase + static_cast<uintptr_t>(offset));
}

Footprint Make(int64_t offset, std::array<int64_t, 3> extents, std::array<int64_t, 3> strides,
               int64_t element_bytes = 1) {
  return {Address(offset), extents[0],    extents[1],
          extents[2],      element_bytes, {strides[1], strides[2], strides[0]}};
}

template <typename Visit>
void ForEachElement(const Footprint& f, Visit visit) {
  for (int64_t b = 0; b < f.batch; ++b) {
    for (int64_t r = 0; r < f.rows; ++r) {
      for (int64_t c = 0; c < f.cols; ++c) {
        visit((b * f.strides.batch) + (r * f.strides.row) + (c * f.strides.col));
      }
    }
  }
}

bool BruteForceInjective(const Footprint& f) {
  uint64_t seen = 0;  // Bit i: element i.
  bool injective = true;
  ForEachElement(f, [&](int64_t element) {
    ASSERT_LT(element, 64);
    const uint64_t bit = uint64_t{1} << element;
    injective = injective && (seen & bit) == 0;
    seen |= bit;
  });
  return injective;
}

constexpr size_t kMemory = 1024;

std::array<bool, kMemory> BytesOf(const Footprint& f) {
  std::array<bool, kMemory> bytes = {};
  const auto start = static_cast<int64_t>(reinterpret_cast<uintptr_t>(f.start) - kBase);
  ForEachElement(f, [&](int64_t element) {
    for (int64_t byte = 0; byte < f.element_bytes; ++byte) {
      bytes.at(static_cast<size_t>(start + (element * f.element_bytes) + byte)) = true;
    }
  });
  return bytes;
}

bool BruteForceOverlap(const Footprint& x, const Footprint& y) {
  const auto x_bytes = BytesOf(x);
  const auto y_bytes = BytesOf(y);
  for (size_t i = 0; i < kMemory; ++i) {
    if (x_bytes[i] && y_bytes[i]) return true;
  }
  return false;
}

TEST(SpanBytesTest, CountsFromTheFirstToTheLastElement) {
  int64_t bytes = 0;
  ASSERT_TRUE(SpanBytes(Make(0, {1, 1, 1}, {9, 9, 9}, 4), &bytes));
  EXPECT_EQ(bytes, 4);
  ASSERT_TRUE(SpanBytes(Make(0, {2, 3, 5}, {100, 7, 1}, 2), &bytes));
  EXPECT_EQ(bytes, 2 * (100 + 14 + 4 + 1));
  ASSERT_TRUE(SpanBytes(Make(0, {8, 8, 8}, {0, 0, 0}), &bytes));
  EXPECT_EQ(bytes, 1);
}

TEST(SpanBytesTest, SaysWhenItOverflows) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  int64_t bytes = 0;
  EXPECT_TRUE(SpanBytes(Make(0, {1, 2, 1}, {0, kMax - 1, 0}), &bytes));
  EXPECT_EQ(bytes, kMax);
  EXPECT_FALSE(SpanBytes(Make(0, {1, 2, 1}, {0, kMax, 0}), &bytes));
  EXPECT_FALSE(SpanBytes(Make(0, {1, 3, 1}, {0, kMax / 2 + 1, 0}), &bytes));
  EXPECT_FALSE(SpanBytes(Make(0, {2, 2, 1}, {kMax / 2 + 1, kMax / 2 + 1, 0}), &bytes));
  EXPECT_FALSE(SpanBytes(Make(0, {1, 2, 1}, {0, kMax / 4 + 1, 0}, 4), &bytes));
}

TEST(IsInjectiveTest, TrueOnlyIfNoElementIsNamedTwice) {
  int accepted = 0;
  int refused = 0;
  for (int64_t code = 0; code < 3 * 3 * 4 * 8 * 8 * 8; ++code) {
    int64_t rest = code;
    const auto take = [&rest](int64_t count) {
      const int64_t digit = rest % count;
      rest /= count;
      return digit;
    };
    const std::array<int64_t, 3> extents = {take(3) + 1, take(3) + 1, take(4) + 1};
    const std::array<int64_t, 3> strides = {take(8), take(8), take(8)};
    const Footprint f = Make(0, extents, strides);
    const bool brute = BruteForceInjective(f);
    if (IsInjective(f)) {
      ++accepted;
      ASSERT_TRUE(brute) << ::testing::PrintToString(f);
    } else if (brute) {
      ++refused;
    }
  }
  EXPECT_GT(accepted, 1000);
  // Cautious, but not often: most injective views nest.
  EXPECT_LT(refused, accepted / 2);
}

TEST(IsInjectiveTest, TrueForEveryLayoutThatOneWouldMake) {
  for (int64_t batch : {1, 2, 5}) {
    for (int64_t rows : {1, 2, 7}) {
      for (int64_t cols : {1, 3, 8}) {
        const std::array<int64_t, 3> extents = {batch, rows, cols};
        for (int64_t pad : {0, 1, 9}) {
          const int64_t pitch = cols + pad;
          const int64_t tall = rows + pad;
          const Footprint layouts[] = {
              Make(0, extents, {rows * pitch, pitch, 1}),          // Row-major.
              Make(0, extents, {rows * pitch + pad, pitch, 1}),    // Gaps between matrices.
              Make(0, extents, {cols * tall, 1, tall}),            // Column-major.
              Make(0, extents, {cols, batch * pitch, 1}),          // Heads side by side.
              Make(0, extents, {1, cols * batch + pad, batch}),    // Batch innermost.
              Make(0, extents, {rows * pitch * 2, pitch * 2, 2}),  // Every second element.
          };
          for (const Footprint& f : layouts) {
            EXPECT_TRUE(IsInjective(f)) << ::testing::PrintToString(f);
          }
        }
      }
    }
  }
}

TEST(IsInjectiveTest, FalseForRepeats) {
  EXPECT_FALSE(IsInjective(Make(0, {1, 2, 3}, {0, 0, 1})));
  EXPECT_FALSE(IsInjective(Make(0, {1, 2, 3}, {0, 3, 0})));
  EXPECT_FALSE(IsInjective(Make(0, {2, 2, 3}, {0, 3, 1})));
  EXPECT_FALSE(IsInjective(Make(0, {1, 2, 3}, {0, 2, 1})));
  EXPECT_FALSE(IsInjective(Make(0, {2, 2, 3}, {5, 3, 1})));
  EXPECT_TRUE(IsInjective(Make(0, {1, 1, 3}, {0, 0, 1})));
}

Footprint RandomFootprint(base::Random* random) {
  const int64_t bytes = int64_t{1} << random->Between(0, 2);
  return Make(random->Between(0, 60),
              {random->Between(1, 3), random->Between(1, 4), random->Between(1, 4)},
              {random->Between(0, 20), random->Between(0, 16), random->Between(0, 3)}, bytes);
}

TEST(MayOverlapTest, FalseOnlyIfNoByteIsShared) {
  base::Random random(31);
  int apart = 0;
  for (int i = 0; i < 60000; ++i) {
    const Footprint x = RandomFootprint(&random);
    const Footprint y = RandomFootprint(&random);
    const bool may = MayOverlap(x, y);
    ASSERT_EQ(may, MayOverlap(y, x)) << ::testing::PrintToString(x) << ::testing::PrintToString(y);
    if (may) continue;
    ++apart;
    ASSERT_FALSE(BruteForceOverlap(x, y))
        << ::testing::PrintToString(x) << " / " << ::testing::PrintToString(y);
  }
  EXPECT_GT(apart, 1000);
}

// Pitched views of one buffer, with element types of different sizes and bands that wrap around
// the end of a pitch.
TEST(MayOverlapTest, SoundForPitchedBatches) {
  base::Random random(32);
  int interleaved = 0;
  for (int i = 0; i < 60000; ++i) {
    const int64_t pitch = 4 * random.Between(2, 6);
    const auto make = [&] {
      const int64_t bytes = int64_t{1} << random.Between(0, 2);
      const int64_t in_pitch = pitch / bytes;
      return Make(random.Between(0, 3 * pitch),
                  {random.Between(1, 2), random.Between(1, 4), random.Between(1, in_pitch)},
                  {in_pitch * random.Between(0, 5), in_pitch, 1}, bytes);
    };
    const Footprint x = make();
    const Footprint y = make();
    const bool shared = BruteForceOverlap(x, y);
    if (!MayOverlap(x, y)) {
      ASSERT_FALSE(shared) << ::testing::PrintToString(x) << " / " << ::testing::PrintToString(y);
      int64_t x_bytes = 0;
      ASSERT_TRUE(SpanBytes(x, &x_bytes));
      const auto* x_end = static_cast<const char*>(x.start) + x_bytes;
      const bool ranges_meet = x.start <= y.start && y.start < x_end;
      interleaved += ranges_meet ? 1 : 0;
    } else if (x.batch == 1 && y.batch == 1 && x.rows > 1 && y.rows > 1) {
      ASSERT_TRUE(shared) << ::testing::PrintToString(x) << " / " << ::testing::PrintToString(y);
    }
  }
  EXPECT_GT(interleaved, 1000);
}

TEST(MayOverlapTest, FalseForNeighbours) {
  const Footprint x = Make(16, {2, 3, 4}, {12, 4, 1}, 2);  // Bytes [16, 64).
  EXPECT_FALSE(MayOverlap(x, Make(64, {1, 1, 8}, {0, 0, 1})));
  EXPECT_FALSE(MayOverlap(x, Make(8, {1, 1, 8}, {0, 0, 1})));
  EXPECT_TRUE(MayOverlap(x, Make(63, {1, 1, 8}, {0, 0, 1})));
  EXPECT_TRUE(MayOverlap(x, Make(9, {1, 1, 8}, {0, 0, 1})));
  EXPECT_TRUE(MayOverlap(x, x));
}

TEST(MayOverlapTest, ColumnSlicesOfOnePitchedBuffer) {
  constexpr int64_t kTokens = 5;
  constexpr int64_t kWidth = 8;
  constexpr int64_t kPitch = 3 * kWidth + 2;
  for (int64_t bytes : {1, 2, 4}) {
    for (int64_t batch : {1, 3}) {
      std::vector<Footprint> slices;  // Q, K and V.
      for (int64_t slice = 0; slice < 3; ++slice) {
        slices.push_back(Make(slice * kWidth * bytes, {batch, kTokens, kWidth},
                              {kTokens * kPitch, kPitch, 1}, bytes));
      }
      for (size_t i = 0; i < 3; ++i) {
        for (size_t j = 0; j < 3; ++j) {
          EXPECT_EQ(MayOverlap(slices[i], slices[j]), i == j) << i << " " << j;
        }
      }
      Footprint wide = slices[0];
      wide.cols = kWidth + 1;
      EXPECT_TRUE(MayOverlap(wide, slices[1]));
      EXPECT_FALSE(MayOverlap(wide, slices[2]));
    }
  }
}

}  // namespace
}  // namespace tilewave::core
