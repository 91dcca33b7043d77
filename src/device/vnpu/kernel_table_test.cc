#include "device/vnpu/kernel_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/random.h"
#include "program/lower.h"

namespace tilewave::device::vnpu {
namespace {

using program::BlockShape;
using program::Kernel;

constexpr BlockShape kNpu1Blocks{4, 8, 8};
constexpr BlockShape kNpu2Blocks{8, 8, 8};
constexpr size_t kGuards = 16;
constexpr std::byte kGuard{0xA5};

const KernelEntry& Entry(std::string_view name) {
  const KernelEntry* entry = FindKernel(PlainKernels(), name);
  EXPECT_NE(entry, nullptr) << name;
  return *entry;
}

// Where (row, col) of a tile of row-major blocks stands, counted out instead of computed.
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

template <typename T>
std::vector<T> Permuted(const std::vector<T>& row_major, const std::vector<size_t>& places) {
  std::vector<T> tile(row_major.size());
  for (size_t i = 0; i < places.size(); ++i) tile[places[i]] = row_major[i];
  return tile;
}

struct Tiles {
  std::vector<int8_t> a;  ///< Row-major, as all here.
  std::vector<int8_t> b;
  std::vector<int32_t> c;  ///< Before the call.
};

std::vector<int8_t> RandomBytes(base::Random* random, int64_t count) {
  std::vector<int8_t> bytes(static_cast<size_t>(count));
  for (int8_t& each : bytes) each = static_cast<int8_t>(random->Next() >> 56);
  return bytes;
}

Tiles RandomTiles(const Kernel& kernel, uint64_t seed) {
  base::Random random(seed);
  Tiles tiles{RandomBytes(&random, kernel.m * kernel.k), RandomBytes(&random, kernel.k * kernel.n),
              std::vector<int32_t>(static_cast<size_t>(kernel.m * kernel.n))};
  for (int32_t& each : tiles.c) each = static_cast<int32_t>(random.Between(-1000000, 1000000));
  return tiles;
}

// C + A B with sums that cannot overflow, row-major.
std::vector<int64_t> NaiveSums(const Kernel& kernel, const Tiles& tiles) {
  std::vector<int64_t> sums;
  for (int64_t i = 0; i < kernel.m; ++i) {
    for (int64_t j = 0; j < kernel.n; ++j) {
      int64_t sum = tiles.c[static_cast<size_t>((i * kernel.n) + j)];
      for (int64_t x = 0; x < kernel.k; ++x) {
        sum += int64_t{tiles.a[static_cast<size_t>((i * kernel.k) + x)]} *
               tiles.b[static_cast<size_t>((x * kernel.n) + j)];
      }
      sums.push_back(sum);
    }
  }
  return sums;
}

// What a kernel makes of tiles in its own layout. C comes back as bytes, guards checked.
std::vector<std::byte> Call(const KernelEntry& entry, const Kernel& kernel,
                            const std::vector<std::vector<std::byte>>& arguments) {
  std::vector<std::vector<std::byte>> guarded;
  std::vector<std::byte*> pointers;
  for (size_t i = 0; i < arguments.size(); ++i) {
    EXPECT_EQ(static_cast<int64_t>(arguments[i].size()),
              entry.ArgumentBytes(kernel, static_cast<int>(i)));
    guarded.emplace_back(arguments[i].size() + kGuards, kGuard);
    std::copy(arguments[i].begin(), arguments[i].end(), guarded[i].begin());
    pointers.push_back(guarded[i].data());
  }
  entry.run(kernel, pointers);
  for (size_t i = 0; i < arguments.size(); ++i) {
    const auto end = guarded[i].begin() + static_cast<ptrdiff_t>(arguments[i].size());
    EXPECT_EQ(std::count(end, guarded[i].end(), kGuard), kGuards) << "past argument " << i;
    if (i + 1 == arguments.size()) return {guarded[i].begin(), end};
    EXPECT_TRUE(std::equal(guarded[i].begin(), end, arguments[i].begin()))
        << "argument " << i << " is not the output";
  }
  return {};
}

template <typename T>
std::vector<std::byte> BytesOf(const std::vector<T>& values) {
  const auto* data = reinterpret_cast<const std::byte*>(values.data());
  return {data, data + (values.size() * sizeof(T))};
}

template <typename T>
std::vector<T> FromBytes(const std::vector<std::byte>& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::byte*>(values.data()));
  return values;
}

// A kernel with s32 output against the naive sums, modulo 2^32.
void ExpectMatmul(const KernelEntry& entry, const Kernel& kernel, const Tiles& tiles) {
  const auto [r, s, t] = kernel.block;
  const std::vector<size_t> c_places = Places(kernel.m, kernel.n, r, t);
  const std::vector<int32_t> got =
      FromBytes<int32_t>(Call(entry, kernel,
                              {BytesOf(Permuted(tiles.a, Places(kernel.m, kernel.k, r, s))),
                               BytesOf(Permuted(tiles.b, Places(kernel.k, kernel.n, s, t))),
                               BytesOf(Permuted(tiles.c, c_places))}));
  const std::vector<int64_t> sums = NaiveSums(kernel, tiles);
  std::vector<int32_t> expected;
  for (const int64_t sum : sums) {
    expected.push_back(static_cast<int32_t>(static_cast<uint32_t>(sum)));
  }
  EXPECT_EQ(got, Permuted(expected, c_places))
      << entry.name << " " << kernel.m << "x" << kernel.k << "x" << kernel.n;
}

std::vector<Kernel> VectorShapes() {
  std::vector<Kernel> shapes;
  for (const BlockShape& block : {kNpu1Blocks, kNpu2Blocks}) {
    for (const int64_t edge : {16, 32, 64}) shapes.push_back({"", edge, edge, edge, block});
    shapes.push_back({"", 8, 24, 16, block});
    shapes.push_back({"", 24, 8, 40, block});
    shapes.push_back({"", block.rows, block.depth, block.columns, block});
  }
  return shapes;
}

std::vector<Kernel> ScalarShapes() {
  return {{"", 16, 16, 16, {}}, {"", 32, 32, 32, {}}, {"", 64, 64, 64, {}},
          {"", 3, 5, 7, {}},    {"", 1, 9, 2, {}},    {"", 1, 1, 1, {}}};
}

Tiles Extremes(const Kernel& kernel, int8_t a, int8_t b, int32_t c) {
  return {std::vector<int8_t>(static_cast<size_t>(kernel.m * kernel.k), a),
          std::vector<int8_t>(static_cast<size_t>(kernel.k * kernel.n), b),
          std::vector<int32_t>(static_cast<size_t>(kernel.m * kernel.n), c)};
}

TEST(VnpuKernelTableTest, VectorMatmulOnBlocks) {
  for (const Kernel& kernel : VectorShapes()) {
    ExpectMatmul(Entry("matmul_vector_s8_s32"), kernel, RandomTiles(kernel, 11));
  }
}

TEST(VnpuKernelTableTest, ScalarMatmulOnRows) {
  for (const Kernel& kernel : ScalarShapes()) {
    ExpectMatmul(Entry("matmul_scalar_s8_s32"), kernel, RandomTiles(kernel, 12));
  }
}

TEST(VnpuKernelTableTest, ExtremesAndSumsThatWrap) {
  for (const Kernel& kernel : VectorShapes()) {
    for (const auto& [a, b, c] :
         {std::tuple{-128, -128, 0}, std::tuple{-128, 127, 0}, std::tuple{127, 127, 7},
          std::tuple{-128, -128, std::numeric_limits<int32_t>::max()},
          std::tuple{-128, 127, std::numeric_limits<int32_t>::min()}}) {
      const Tiles tiles = Extremes(kernel, static_cast<int8_t>(a), static_cast<int8_t>(b), c);
      ExpectMatmul(Entry("matmul_vector_s8_s32"), kernel, tiles);
      Kernel scalar = kernel;
      scalar.block = {};
      ExpectMatmul(Entry("matmul_scalar_s8_s32"), scalar, tiles);
    }
  }
}

TEST(VnpuKernelTableTest, ZeroClearsAllOfC) {
  for (const Kernel& kernel : {Kernel{"", 16, 64, 16, kNpu1Blocks}, Kernel{"", 3, 8, 5, {}}}) {
    const Tiles tiles = RandomTiles(kernel, 13);
    const std::vector<std::byte> c = Call(Entry("zero_s32"), kernel, {BytesOf(tiles.c)});
    EXPECT_EQ(c, std::vector<std::byte>(static_cast<size_t>(kernel.m * kernel.n) * 4));
  }
}

// --- The lossy kernel ---

// floor(sum / 2^7), then clamped.
int8_t Lossy(int64_t sum) {
  const double shifted = std::floor(static_cast<double>(sum) / 128);
  return static_cast<int8_t>(std::clamp(shifted, -128.0, 127.0));
}

std::vector<int8_t> CallLossy(const Kernel& kernel, const Tiles& tiles) {
  // It does not accumulate, so whatever C holds must not matter.
  const std::vector<int8_t> stale(static_cast<size_t>(kernel.m * kernel.n), 99);
  return FromBytes<int8_t>(Call(Entry("matmul_scalar_s8_s8_lossy"), kernel,
                                {BytesOf(tiles.a), BytesOf(tiles.b), BytesOf(stale)}));
}

TEST(VnpuKernelTableTest, LossyMatmulShiftsBySevenAndClamps) {
  for (const Kernel& kernel : ScalarShapes()) {
    Tiles tiles = RandomTiles(kernel, 14);
    std::fill(tiles.c.begin(), tiles.c.end(), 0);
    std::vector<int8_t> expected;
    for (const int64_t sum : NaiveSums(kernel, tiles)) expected.push_back(Lossy(sum));
    EXPECT_EQ(CallLossy(kernel, tiles), expected) << kernel.m << "x" << kernel.k << "x" << kernel.n;
  }
}

TEST(VnpuKernelTableTest, LossyMatmulAtItsEdges) {
  const Kernel kernel{"", 1, 2, 1, {}};
  const auto of = [&](int a0, int b0, int a1, int b1) {
    return int{CallLossy(kernel, {{static_cast<int8_t>(a0), static_cast<int8_t>(a1)},
                                  {static_cast<int8_t>(b0), static_cast<int8_t>(b1)},
                                  {0}})[0]};
  };
  EXPECT_EQ(of(1, 127, 0, 0), 0);
  EXPECT_EQ(of(1, 127, 1, 1), 1);
  EXPECT_EQ(of(-1, 1, 0, 0), -1);        // -1 / 128 goes down, not to zero.
  EXPECT_EQ(of(-1, 127, -1, 1), -1);     // -128
  EXPECT_EQ(of(-1, 127, -2, 1), -2);     // -129
  EXPECT_EQ(of(127, 127, 2, 127), 127);  // 16383: the last before the clamp matters
  EXPECT_EQ(of(-128, -128, 0, 0), 127);  // 16384: 128 without the clamp
  EXPECT_EQ(of(-128, -128, -128, -128), 127);
  EXPECT_EQ(of(-128, 127, -128, 1), -128);  // -16384: just -128
  EXPECT_EQ(of(-128, 127, -128, 2), -128);  // -16512: -129 without the clamp
}

// --- The table ---

TEST(VnpuKernelTableTest, KnowsEveryKernelThatLowerCalls) {
  using program::DesignFamily;
  using program::TileKernel;
  using program::TileOutput;
  for (const arch::NpuArch arch : {arch::NpuArch::kNpu1, arch::NpuArch::kNpu2}) {
    for (const auto& [family, edge] :
         {std::pair<DesignFamily, int64_t>{DesignFamily::kPackedTile, 16},
          {DesignFamily::kPackedTile, 32},
          {DesignFamily::kPackedTile, 64},
          {DesignFamily::kKStream, 64}}) {
      for (const auto& [unit, output] : {std::pair{TileKernel::kScalar, TileOutput::kS32},
                                         std::pair{TileKernel::kVector, TileOutput::kS32},
                                         std::pair{TileKernel::kScalar, TileOutput::kS8Lossy}}) {
        if (output == TileOutput::kS8Lossy && family == DesignFamily::kKStream) continue;
        const program::DesignSpec spec{family, arch, edge, edge, edge, unit, output, 3328};
        const Result<program::ArrayProgram> program = program::Lower(spec);
        ASSERT_TRUE(program.ok()) << program.status().ToString();
        for (const Kernel& kernel : program->cores[0].kernels) {
          const KernelEntry& entry = Entry(kernel.name);
          EXPECT_EQ(entry.output, output == TileOutput::kS32 ? "s32" : "s8");
          EXPECT_TRUE(entry.work == KernelWork::kZero || entry.unit == unit) << program::Name(spec);
        }
      }
    }
  }
}

TEST(VnpuKernelTableTest, ArgumentsOfAnEntry) {
  const Kernel kernel{"", 2, 3, 5, {}};
  const KernelEntry& matmul = Entry("matmul_scalar_s8_s32");
  ASSERT_EQ(matmul.argument_count(), 3);
  EXPECT_EQ(matmul.ArgumentBytes(kernel, 0), 6);
  EXPECT_EQ(matmul.ArgumentBytes(kernel, 1), 15);
  EXPECT_EQ(matmul.ArgumentBytes(kernel, 2), 40);
  EXPECT_FALSE(matmul.Writes(0));
  EXPECT_FALSE(matmul.Writes(1));
  EXPECT_TRUE(matmul.Writes(2));
  EXPECT_EQ(Entry("matmul_scalar_s8_s8_lossy").ArgumentBytes(kernel, 2), 10);
  const KernelEntry& zero = Entry("zero_s32");
  ASSERT_EQ(zero.argument_count(), 1);
  EXPECT_EQ(zero.ArgumentBytes(kernel, 0), 40);
  EXPECT_TRUE(zero.Writes(0));
}

TEST(VnpuKernelTableTest, UnknownNamesAreNull) {
  EXPECT_EQ(FindKernel(PlainKernels(), "matmul"), nullptr);
  EXPECT_EQ(FindKernel(PlainKernels(), ""), nullptr);
  EXPECT_EQ(FindKernel({}, "zero_s32"), nullptr);
}

}  // namespace
}  // namespace tilewave::device::vnpu
