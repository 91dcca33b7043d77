#include "kernels/aie/matmul_s8.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/random.h"
#include "kernels/aie/host_kernels.h"
#include "tests/support/numbers.h"

namespace tilewave::kernels::aie {
namespace {

using ::aie::host_model::Core;
using ::aie::host_model::ThisCore;
using testing::kMaxS32;
using testing::kMinS32;

constexpr int64_t kBlockDepth = 8;
constexpr int64_t kBlockColumns = 8;

// Where (row, col) stands in a grid of blocks, counted out instead of computed.
std::vector<size_t> Places(int64_t rows, int64_t cols, int64_t block_rows, int64_t block_cols) {
  std::vector<size_t> places(static_cast<size_t>(rows * cols));
  size_t next = 0;
  for (int64_t top = 0; top < rows; top += block_rows) {
    for (int64_t left = 0; left < cols; left += block_cols) {
      for (int64_t row = top; row < top + block_rows; ++row) {
        for (int64_t col = left; col < left + block_cols; ++col) {
          places[static_cast<size_t>((row * cols) + col)] = next++;
        }
      }
    }
  }
  return places;
}

// The same with column-major blocks.
std::vector<size_t> PlacesOfTransposed(int64_t rows, int64_t cols, int64_t block_rows,
                                       int64_t block_cols) {
  std::vector<size_t> places(static_cast<size_t>(rows * cols));
  size_t next = 0;
  for (int64_t top = 0; top < rows; top += block_rows) {
    for (int64_t left = 0; left < cols; left += block_cols) {
      for (int64_t col = left; col < left + block_cols; ++col) {
        for (int64_t row = top; row < top + block_rows; ++row) {
          places[static_cast<size_t>((row * cols) + col)] = next++;
        }
      }
    }
  }
  return places;
}

// A row-major matrix as a tile in memory of the array's alignment, and guards behind it.
template <typename T>
class Tile {
 public:
  Tile(const std::vector<T>& row_major, std::vector<size_t> places)
      : places_(std::move(places)), memory_((row_major.size() * sizeof(T)) + kGuards) {
    std::fill_n(memory_.data<uint8_t>(), memory_.bytes(), kGuard);
    for (size_t i = 0; i < places_.size(); ++i) data()[places_[i]] = row_major[i];
  }

  T* data() { return memory_.data<T>(); }

  std::vector<T> RowMajor() {
    const uint8_t* end = memory_.data<uint8_t>() + memory_.bytes();
    EXPECT_EQ(std::count(end - kGuards, end, kGuard), static_cast<ptrdiff_t>(kGuards));
    std::vector<T> row_major;
    for (const size_t place : places_) row_major.push_back(data()[place]);
    return row_major;
  }

 private:
  static constexpr size_t kGuards = 64;
  static constexpr uint8_t kGuard = 0xA5;
  std::vector<size_t> places_;
  base::AlignedBuffer memory_;
};

struct Matrices {
  std::vector<int8_t> a;
  std::vector<int8_t> b;
  std::vector<int32_t> c;
};

Matrices FilledWith(const HostKernels& kernels, int8_t a, int8_t b, int32_t c) {
  return {std::vector<int8_t>(static_cast<size_t>(kernels.m * kernels.k), a),
          std::vector<int8_t>(static_cast<size_t>(kernels.k * kernels.n), b),
          std::vector<int32_t>(static_cast<size_t>(kernels.m * kernels.n), c)};
}

Matrices RandomMatrices(const HostKernels& kernels, uint64_t seed) {
  base::Random random(seed);
  Matrices matrices = FilledWith(kernels, 0, 0, 0);
  for (int8_t& each : matrices.a) each = static_cast<int8_t>(random.Next() >> 56);
  for (int8_t& each : matrices.b) each = static_cast<int8_t>(random.Next() >> 56);
  for (int32_t& each : matrices.c) each = static_cast<int32_t>(random.Next() >> 32);
  return matrices;
}

std::vector<int32_t> NaiveSums(const HostKernels& kernels, const Matrices& matrices) {
  std::vector<int32_t> sums;
  for (int64_t i = 0; i < kernels.m; ++i) {
    for (int64_t j = 0; j < kernels.n; ++j) {
      int64_t sum = matrices.c[static_cast<size_t>((i * kernels.n) + j)];
      for (int64_t x = 0; x < kernels.k; ++x) {
        sum += int64_t{matrices.a[static_cast<size_t>((i * kernels.k) + x)]} *
               matrices.b[static_cast<size_t>((x * kernels.n) + j)];
      }
      sums.push_back(static_cast<int32_t>(static_cast<uint32_t>(sum)));
    }
  }
  return sums;
}

std::string Name(const HostKernels& kernels) {
  return std::to_string(kernels.m) + "x" + std::to_string(kernels.k) + "x" +
         std::to_string(kernels.n) + " in blocks of " + std::to_string(kernels.block_rows);
}

void ExpectMatmul(const HostKernels& kernels, const Matrices& matrices) {
  const int64_t rows = kernels.block_rows;
  const std::vector<int32_t> expected = NaiveSums(kernels, matrices);
  for (const bool b_transposed : {false, true}) {
    const auto places_of_b = b_transposed ? PlacesOfTransposed : Places;
    Tile<int8_t> a(matrices.a, Places(kernels.m, kernels.k, rows, kBlockDepth));
    Tile<int8_t> b(matrices.b, places_of_b(kernels.k, kernels.n, kBlockDepth, kBlockColumns));
    Tile<int32_t> c(matrices.c, Places(kernels.m, kernels.n, rows, kBlockColumns));
    (b_transposed ? kernels.matmul_b_transposed : kernels.matmul)(a.data(), b.data(), c.data());
    EXPECT_EQ(c.RowMajor(), expected) << Name(kernels) << ", B transposed " << b_transposed;
    EXPECT_EQ(a.RowMajor(), matrices.a);
    EXPECT_EQ(b.RowMajor(), matrices.b);
  }
}

const HostKernels& KernelsOf64(int64_t block_rows) {
  const HostKernels* kernels = FindHostKernelsForTest(block_rows, 64, 64, 64);
  EXPECT_NE(kernels, nullptr);
  return *kernels;
}

TEST(AieMatmulS8Test, BothCoresAreBuiltInTheSizesOfTheDesigns) {
  for (const int64_t block_rows : {4, 8}) {
    for (const int64_t edge : {16, 32, 64}) {
      EXPECT_NE(FindHostKernelsForTest(block_rows, edge, edge, edge), nullptr) << edge;
    }
  }
  EXPECT_EQ(FindHostKernelsForTest(4, 64, 64, 72), nullptr);
  EXPECT_EQ(FindHostKernelsForTest(2, 64, 64, 64), nullptr);
}

TEST(AieMatmulS8Test, RandomTilesAreTheNaiveSums) {
  for (const HostKernels& kernels : HostKernelsForTest()) {
    for (uint64_t seed = 0; seed < 3; ++seed) ExpectMatmul(kernels, RandomMatrices(kernels, seed));
  }
}

TEST(AieMatmulS8Test, ExtremesAndSumsThatWrap) {
  for (const HostKernels& kernels : HostKernelsForTest()) {
    ExpectMatmul(kernels, FilledWith(kernels, -128, -128, 0));
    ExpectMatmul(kernels, FilledWith(kernels, -128, 127, kMinS32));
    ExpectMatmul(kernels, FilledWith(kernels, -128, -128, kMaxS32));
    ExpectMatmul(kernels, FilledWith(kernels, 0, -128, kMinS32));
  }
}

TEST(AieMatmulS8Test, ModesThatAnotherKernelLeftHaveNoSay) {
  for (const int64_t block_rows : {4, 8}) {
    const HostKernels& kernels = KernelsOf64(block_rows);
    ::aie::set_rounding(::aie::rounding_mode::symmetric_inf);
    ::aie::set_saturation(::aie::saturation_mode::symmetric);
    ExpectMatmul(kernels, FilledWith(kernels, 0, 1, kMinS32));
    EXPECT_EQ(::aie::get_rounding(), ::aie::rounding_mode::symmetric_inf);
    EXPECT_EQ(::aie::get_saturation(), ::aie::saturation_mode::symmetric);
  }
  ThisCore() = Core{};
}

TEST(AieMatmulS8Test, ZeroClearsTheWholeTileAndNoMore) {
  for (const HostKernels& kernels : HostKernelsForTest()) {
    const Matrices matrices = RandomMatrices(kernels, 7);
    Tile<int32_t> c(matrices.c, Places(kernels.m, kernels.n, 1, 1));
    kernels.zero(c.data());
    EXPECT_EQ(c.RowMajor(), std::vector<int32_t>(matrices.c.size(), 0)) << Name(kernels);
  }
}

// The figures of the schedule in matmul_s8.h, and those of the other two kernels.
struct Figures {
  int64_t block_rows;
  int64_t groups;
  int64_t macs;
  int64_t loads_of_operands;
  int64_t accesses_of_sums;  ///< Loads, and as many stores.
  int64_t shuffles;          ///< If B is transposed.
};
constexpr Figures kFigures[] = {{4, 32, 1024, 1536, 512, 512}, {8, 16, 512, 512, 256, 256}};

TEST(AieMatmulS8Test, DoesWhatItsScheduleCounts) {
  for (const Figures& figures : kFigures) {
    const HostKernels& kernels = KernelsOf64(figures.block_rows);
    const Matrices zeros = FilledWith(kernels, 0, 0, 0);
    Tile<int8_t> a(zeros.a, Places(64, 64, 1, 1));
    Tile<int8_t> b(zeros.b, Places(64, 64, 1, 1));
    Tile<int32_t> c(zeros.c, Places(64, 64, 1, 1));

    for (const bool b_transposed : {false, true}) {
      ThisCore().counts = {};
      (b_transposed ? kernels.matmul_b_transposed : kernels.matmul)(a.data(), b.data(), c.data());
      EXPECT_EQ(ThisCore().counts.macs, figures.macs);
      EXPECT_EQ(ThisCore().counts.loads, figures.loads_of_operands + figures.accesses_of_sums);
      EXPECT_EQ(ThisCore().counts.stores, figures.accesses_of_sums);
      EXPECT_EQ(ThisCore().counts.shuffles, b_transposed ? figures.shuffles : 0);
      EXPECT_EQ(figures.accesses_of_sums, figures.groups * 16);
    }

    ThisCore().counts = {};
    kernels.zero(c.data());
    EXPECT_EQ(ThisCore().counts.stores, figures.accesses_of_sums);
    EXPECT_EQ(ThisCore().counts.loads, 0);

    ThisCore().counts = {};
    kernels.requantise(c.data(), a.data(), 0, 0, 0);
    EXPECT_EQ(ThisCore().counts.loads, figures.accesses_of_sums);
    EXPECT_EQ(ThisCore().counts.stores, figures.accesses_of_sums / 4);
    EXPECT_EQ(ThisCore().counts.macs, 0);
  }
}

TEST(AieMatmulS8DeathTest, PointersOffTheWidestAccessAreRefused) {
  for (const int64_t block_rows : {4, 8}) {
    const HostKernels& kernels = KernelsOf64(block_rows);
    const size_t off = block_rows == 4 ? 16 : 32;
    base::AlignedBuffer a((64 * 64) + off);
    base::AlignedBuffer b((64 * 64) + off);
    base::AlignedBuffer c((64 * 64 * sizeof(int32_t)) + off);
    const size_t off_sums = off / sizeof(int32_t);
    std::fill_n(a.data<int8_t>(), a.bytes(), int8_t{0});
    std::fill_n(b.data<int8_t>(), b.bytes(), int8_t{0});
    std::fill_n(c.data<int8_t>(), c.bytes(), int8_t{0});
    auto* const sums = c.data<int32_t>();
    constexpr const char* kRefusal = "bytes_past_alignment == 0u \\((16|32) vs. 0\\)";
    EXPECT_DEATH(kernels.matmul(a.data<int8_t>() + off, b.data<int8_t>(), sums), kRefusal);
    EXPECT_DEATH(kernels.matmul(a.data<int8_t>(), b.data<int8_t>() + off, sums), kRefusal);
    EXPECT_DEATH(kernels.matmul(a.data<int8_t>(), b.data<int8_t>(), sums + off_sums), kRefusal);
    EXPECT_DEATH(kernels.matmul_b_transposed(a.data<int8_t>(), b.data<int8_t>() + off, sums),
                 kRefusal);
    EXPECT_DEATH(kernels.zero(sums + off_sums), kRefusal);
    EXPECT_DEATH(kernels.requantise(sums, a.data<int8_t>() + off, 0, 0, 0), kRefusal);
    EXPECT_DEATH(kernels.requantise(sums + off_sums, a.data<int8_t>(), 0, 0, 0), kRefusal);
  }
}

// A base that AIE2 may load from and AIE2P may not.
TEST(AieMatmulS8Test, Aie2NeedsNoMoreThanItsOwnAlignment) {
  base::AlignedBuffer c((64 * 64 * sizeof(int32_t)) + 32);
  KernelsOf64(4).zero(c.data<int32_t>() + 8);
}

}  // namespace
}  // namespace tilewave::kernels::aie
