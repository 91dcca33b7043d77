#include "device/vnpu/access_pattern.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/random.h"

namespace tilewave::device::vnpu {
namespace {

using program::Dim;

constexpr uint32_t kUntouched = 0xCBCBCBCB;

// The x-th word of a pattern as AM025 counts it: wraps innermost first, the last dimension none.
std::vector<int64_t> NaiveWords(int64_t length_words, const std::vector<Dim>& dims) {
  std::vector<int64_t> words;
  std::vector<int64_t> counters(std::max<size_t>(dims.size(), 1), 0);
  while (static_cast<int64_t>(words.size()) < length_words) {
    int64_t word = dims.empty() ? counters[0] : 0;
    for (size_t d = 0; d < dims.size(); ++d) word += counters[d] * dims[d].step_words;
    words.push_back(word);
    ++counters[0];
    for (size_t d = 0; d + 1 < dims.size() && counters[d] == dims[d].size; ++d) {
      counters[d] = 0;
      ++counters[d + 1];
    }
  }
  return words;
}

// Memory in which every word is different, or none is.
std::vector<uint32_t> Numbered(int64_t words) {
  std::vector<uint32_t> memory(static_cast<size_t>(words));
  for (size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<uint32_t>(i) * 0x01000193u;
  return memory;
}
std::vector<uint32_t> Untouched(int64_t words) {
  return std::vector<uint32_t>(static_cast<size_t>(words), kUntouched);
}

std::byte* Bytes(std::vector<uint32_t>* memory) {
  return reinterpret_cast<std::byte*>(memory->data());
}

void Move(AccessPattern* from, AccessPattern* to, int64_t words) {
  std::vector<uint32_t> scratch(static_cast<size_t>(words));
  to->Put(from->Take(words, Bytes(&scratch)), words);
}

struct Shape {
  std::vector<Dim> dims;
  int64_t base = 0;
  int64_t words = 0;  ///< Of the memory around it.

  AccessPattern Over(std::vector<uint32_t>* memory, int64_t length) const {
    return {Bytes(memory) + (base * arch::kWordBytes), length, dims};
  }
};

int64_t WordsIn(const std::vector<Dim>& dims) {
  int64_t product = 1;
  for (const Dim& dim : dims) product *= dim.size;
  return product;
}

// Any dims for `length` words: the last is what the others leave of it, whole or not.
Shape RandomShape(base::Random* random, int64_t length) {
  Shape shape;
  for (int64_t left = random->Between(0, arch::kMaxDims); left > 0; --left) {
    const int64_t size = random->Between(1, 9);
    const int64_t step = random->Between(0, 2) == 0 ? 1 : random->Between(1, 40);
    shape.dims.push_back({size, step});
  }
  if (!shape.dims.empty()) {
    const int64_t inner = WordsIn(shape.dims) / shape.dims.back().size;
    shape.dims.back().size = (length + inner - 1) / inner;
  }
  const std::vector<int64_t> words = NaiveWords(length, shape.dims);
  shape.base = random->Between(0, 5);
  shape.words = shape.base + *std::max_element(words.begin(), words.end()) + 1 + 5;
  return shape;
}

std::vector<uint32_t> NaiveMove(const std::vector<uint32_t>& from, const Shape& from_shape,
                                const Shape& to_shape, int64_t length) {
  std::vector<uint32_t> to = Untouched(to_shape.words);
  const std::vector<int64_t> source = NaiveWords(length, from_shape.dims);
  const std::vector<int64_t> target = NaiveWords(length, to_shape.dims);
  for (size_t i = 0; i < source.size(); ++i) {
    to[static_cast<size_t>(to_shape.base + target[i])] =
        from[static_cast<size_t>(from_shape.base + source[i])];
  }
  return to;
}

// --- What a pattern is ---

// The words that a pattern visits, in its order.
std::vector<uint32_t> Visited(int64_t length, const std::vector<Dim>& dims) {
  std::vector<uint32_t> memory(200);
  for (size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<uint32_t>(i);
  std::vector<uint32_t> order = Untouched(length);
  AccessPattern from(Bytes(&memory), length, dims);
  AccessPattern to(Bytes(&order), length, {});
  Move(&from, &to, length);
  return order;
}

TEST(AccessPatternTest, WorkedExamples) {
  using Order = std::vector<uint32_t>;
  EXPECT_EQ(Visited(5, {}), (Order{0, 1, 2, 3, 4}));
  EXPECT_EQ(Visited(4, {{4, 3}}), (Order{0, 3, 6, 9}));
  EXPECT_EQ(Visited(6, {{2, 1}, {3, 10}}), (Order{0, 1, 10, 11, 20, 21}));
  EXPECT_EQ(Visited(6, {{3, 10}, {2, 1}}), (Order{0, 10, 20, 1, 11, 21}));
  EXPECT_EQ(Visited(12, {{2, 1}, {3, 4}, {2, 100}}),
            (Order{0, 1, 4, 5, 8, 9, 100, 101, 104, 105, 108, 109}));
  EXPECT_EQ(Visited(16, {{2, 1}, {2, 10}, {2, 50}, {2, 100}}),
            (Order{0, 1, 10, 11, 50, 51, 60, 61, 100, 101, 110, 111, 150, 151, 160, 161}));
  EXPECT_EQ(Visited(4, {{1, 7}, {4, 2}}), (Order{0, 2, 4, 6}));
}

TEST(AccessPatternTest, LastDimensionGoesOnUntilTheLength) {
  using Order = std::vector<uint32_t>;
  EXPECT_EQ(Visited(5, {{2, 3}}), (Order{0, 3, 6, 9, 12}));
  EXPECT_EQ(Visited(5, {{2, 1}}), (Order{0, 1, 2, 3, 4}));
  EXPECT_EQ(Visited(7, {{2, 1}, {2, 10}}), (Order{0, 1, 10, 11, 20, 21, 30}));
}

TEST(AccessPatternTest, RereadsWhatStepsOverlap) {
  EXPECT_EQ(Visited(6, {{3, 1}, {2, 1}}), (std::vector<uint32_t>{0, 1, 2, 1, 2, 3}));
}

TEST(AccessPatternTest, CountsWhatRemains) {
  std::vector<uint32_t> memory = Numbered(20);
  AccessPattern pattern(Bytes(&memory), 10, {});
  EXPECT_EQ(pattern.remaining_words(), 10);
  std::vector<uint32_t> scratch(3);
  EXPECT_EQ(pattern.Take(3, Bytes(&scratch)), Bytes(&memory)) << "one run is not copied";
  EXPECT_EQ(pattern.remaining_words(), 7);
  std::vector<uint32_t> out = Untouched(2);
  AccessPattern to(Bytes(&out), 2, {});
  Move(&pattern, &to, 2);
  EXPECT_EQ(out, (std::vector<uint32_t>{memory[3], memory[4]}));
  EXPECT_EQ(pattern.remaining_words(), 5);
  EXPECT_EQ(to.remaining_words(), 0);
  EXPECT_EQ(AccessPattern().remaining_words(), 0);
}

// --- Padding ---

using program::Padding;

// As Visited, with the zeros in between.
std::vector<uint32_t> VisitedPadded(int64_t length, const std::vector<Dim>& dims,
                                    const std::vector<Padding>& padding, int64_t piece) {
  std::vector<uint32_t> memory(200);
  for (size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<uint32_t>(i) + 1;
  AccessPattern from(Bytes(&memory), length, dims, padding);
  const int64_t words = AccessPattern::StreamWords(length, dims, padding);
  EXPECT_EQ(from.remaining_words(), words);
  std::vector<uint32_t> order = Untouched(words);
  AccessPattern to(Bytes(&order), words, {});
  while (from.remaining_words() > 0) Move(&from, &to, std::min(piece, from.remaining_words()));
  return order;
}

TEST(AccessPatternTest, PadsEachDimension) {
  using Order = std::vector<uint32_t>;
  for (const int64_t piece : {1, 2, 3, 100}) {
    EXPECT_EQ(VisitedPadded(3, {}, {{1, 2}}, piece), (Order{0, 1, 2, 3, 0, 0}));
    EXPECT_EQ(VisitedPadded(4, {{2, 1}, {2, 10}}, {{1, 0}}, piece), (Order{0, 1, 2, 0, 11, 12}));
    EXPECT_EQ(VisitedPadded(4, {{2, 1}, {2, 2}}, {{0, 1}, {1, 1}}, piece),
              (Order{0, 0, 0, 1, 2, 0, 3, 4, 0, 0, 0, 0}));
    EXPECT_EQ(VisitedPadded(4, {{1, 1}, {2, 4}, {2, 20}}, {{}, {0, 1}, {1, 0}}, piece),
              (Order{0, 0, 0, 1, 5, 0, 21, 25, 0}));
    // A dimension that is not there is one round.
    EXPECT_EQ(VisitedPadded(2, {{2, 3}}, {{}, {1, 1}}, piece), (Order{0, 0, 1, 4, 0, 0}));
    // The fourth has no padding of its own and repeats what lies below.
    EXPECT_EQ(VisitedPadded(4, {{1, 1}, {1, 1}, {2, 3}, {2, 50}}, {{1, 0}, {}, {0, 1}}, piece),
              (Order{0, 1, 0, 4, 0, 0, 0, 51, 0, 54, 0, 0}));
    EXPECT_EQ(VisitedPadded(3, {{3, 1}}, {{}, {}, {}}, piece), (Order{1, 2, 3}));
  }
}

// --- Against the naive model ---

TEST(AccessPatternTest, RandomMovesInRandomPieces) {
  base::Random random(1);
  for (int round = 0; round < 2000; ++round) {
    const int64_t length = random.Between(1, 300);
    const Shape from_shape = RandomShape(&random, length);
    const Shape to_shape = RandomShape(&random, length);
    std::vector<uint32_t> from_memory = Numbered(from_shape.words);
    std::vector<uint32_t> to_memory = Untouched(to_shape.words);
    AccessPattern from = from_shape.Over(&from_memory, length);
    AccessPattern to = to_shape.Over(&to_memory, length);
    for (int64_t left = length; left > 0;) {
      const int64_t piece = random.Between(1, random.Between(1, left));
      Move(&from, &to, piece);
      left -= piece;
      ASSERT_EQ(from.remaining_words(), left);
      ASSERT_EQ(to.remaining_words(), left);
    }
    ASSERT_EQ(from_memory, Numbered(from_shape.words)) << "round " << round;
    ASSERT_EQ(to_memory, NaiveMove(from_memory, from_shape, to_shape, length)) << "round " << round;
  }
}

TEST(AccessPatternTest, RandomBroadcastsInRandomPieces) {
  constexpr size_t kReceivers = 3;
  base::Random random(2);
  for (int round = 0; round < 500; ++round) {
    const int64_t length = random.Between(1, 300);
    const Shape from_shape = RandomShape(&random, length);
    std::vector<uint32_t> from_memory = Numbered(from_shape.words);
    AccessPattern from = from_shape.Over(&from_memory, length);
    std::vector<Shape> shapes;
    std::vector<std::vector<uint32_t>> memories;
    std::vector<AccessPattern> to;
    for (size_t r = 0; r < kReceivers; ++r) {
      shapes.push_back(RandomShape(&random, length));
      memories.push_back(Untouched(shapes[r].words));
      to.push_back(shapes[r].Over(&memories[r], length));
    }
    for (int64_t left = length; left > 0;) {
      const int64_t piece = random.Between(1, left);
      std::vector<uint32_t> scratch(static_cast<size_t>(piece));
      const std::byte* words = from.Take(piece, Bytes(&scratch));
      left -= piece;
      for (AccessPattern& each : to) {
        each.Put(words, piece);
        ASSERT_EQ(each.remaining_words(), left);
      }
    }
    for (size_t r = 0; r < kReceivers; ++r) {
      ASSERT_EQ(memories[r], NaiveMove(from_memory, from_shape, shapes[r], length))
          << "round " << round << ", receiver " << r;
    }
  }
}

}  // namespace
}  // namespace tilewave::device::vnpu
