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
#include "tests/support/vnpu_samples.h"

namespace tilewave::device::vnpu {
namespace {

using program::BlockShape;
using program::Kernel;

constexpr BlockShape kNpu1Blocks{4, 8, 8};
constexpr BlockShape kNpu2Blocks{8, 8, 8};

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

// The same for B with its blocks transposed inside.
std::vector<size_t> PlacesOfTransposed(const Kernel& kernel) {
  const auto [r, s, t] = kernel.block;
  std::vector<size_t> places(static_cast<size_t>(kernel.k * kernel.n));
  size_t next = 0;
  for (int64_t top = 0; top < kernel.k; top += s) {
    for (int64_t left = 0; left < kernel.n; left += t) {
      for (int64_t col = left; col < left + t; ++col) {
        for (int64_t row = top; row < top + s; ++row) {
          places[static_cast<size_t>((row * kernel.n) + col)] = next++;
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
                            const std::vector<std::vector<std::byte>>& arguments,
                            const std::vector<uint32_t>& scalars = {}) {
  std::vector<std::vector<std::byte>> guarded;
  std::vector<std::byte*> pointers;
  for (size_t i = 0; i < arguments.size(); ++i) {
    EXPECT_EQ(static_cast<int64_t>(arguments[i].size()),
              entry.ArgumentBytes(kernel, static_cast<int>(i)));
    guarded.emplace_back(arguments[i].size() + kGuards, kGuard);
    std::copy(arguments[i].begin(), arguments[i].end(), guarded[i].begin());
    pointers.push_back(guarded[i].data());
  }
  entry.run(kernel, pointers, scalars);
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
  const std::vector<size_t> b_places =
      kernel.b_transposed ? PlacesOfTransposed(kernel) : Places(kernel.k, kernel.n, s, t);
  const std::vector<int32_t> got = FromBytes<int32_t>(
      Call(entry, kernel,
           {BytesOf(Permuted(tiles.a, Places(kernel.m, kernel.k, r, s))),
            BytesOf(Permuted(tiles.b, b_places)), BytesOf(Permuted(tiles.c, c_places))}));
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
    shapes.push_back({"", 72, 136, 80, block});  // More than one panel of each.
  }
  shapes.push_back({"", 6, 10, 21, {3, 5, 7}});
  shapes.push_back({"", 70, 6, 70, {70, 3, 35}});  // No block fits a panel.
  shapes.push_back({"", 4, 390, 4, {2, 130, 2}});
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
    Kernel transposed = kernel;
    transposed.b_transposed = true;
    ExpectMatmul(Entry("matmul_vector_s8_s32"), transposed, RandomTiles(transposed, 15));
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
    const auto elements = static_cast<size_t>(kernel.m * kernel.n);
    for (const auto& [name, bytes] : {std::pair{"zero_s8", elements}, {"zero_s16", elements * 2}}) {
      EXPECT_EQ(Call(Entry(name), kernel, {std::vector<std::byte>(bytes, std::byte{7})}),
                std::vector<std::byte>(bytes));
    }
  }
}

// --- Requantisation ---

// sum / 2^shift in one of the vector unit's modes, by the definitions of the modes instead of
// guard and sticky bits.
int64_t Rounded(int64_t sum, uint32_t shift, uint32_t mode) {
  const double value = std::ldexp(static_cast<double>(sum), -static_cast<int>(shift));
  const double floor = std::floor(value);
  const double ceil = std::ceil(value);
  if (mode == 0) return static_cast<int64_t>(floor);
  if (mode == 1) return static_cast<int64_t>(ceil);
  if (mode == 2) return static_cast<int64_t>(std::trunc(value));
  if (mode == 3) return static_cast<int64_t>(sum < 0 ? floor : ceil);
  if (value - floor != 0.5) return static_cast<int64_t>(std::floor(value + 0.5));
  const bool floor_is_even = std::fmod(floor, 2) == 0;
  const bool down = mode == 8    ? true
                    : mode == 9  ? false
                    : mode == 10 ? sum >= 0
                    : mode == 11 ? sum < 0
                    : mode == 12 ? floor_is_even
                                 : !floor_is_even;
  return static_cast<int64_t>(down ? floor : ceil);
}

int8_t Saturated(int64_t value, uint32_t mode) {
  if (mode == 0) return static_cast<int8_t>(static_cast<uint8_t>(value & 0xFF));
  return static_cast<int8_t>(std::clamp<int64_t>(value, mode == 3 ? -127 : -128, 127));
}

constexpr uint32_t kRoundings[] = {0, 1, 2, 3, 8, 9, 10, 11, 12, 13};
constexpr uint32_t kSaturations[] = {0, 1, 3};

TEST(VnpuKernelTableTest, RequantisesInEveryMode) {
  const Kernel kernel{"", 32, 8, 48, kNpu1Blocks};
  base::Random random(16);
  std::vector<int32_t> sums(static_cast<size_t>(kernel.m * kernel.n));
  for (size_t i = 0; i < sums.size(); ++i) {
    // Small ones for the ties, large ones for the clamps, and the ends.
    const int64_t most = int64_t{1} << (i % 31);
    sums[i] = static_cast<int32_t>(random.Between(-most, most));
  }
  sums[0] = std::numeric_limits<int32_t>::min();
  sums[1] = std::numeric_limits<int32_t>::max();
  const std::vector<std::byte> stale(sums.size(), std::byte{99});
  for (uint32_t shift = 0; shift <= 31; ++shift) {
    for (const uint32_t rounding : kRoundings) {
      for (const uint32_t saturation : kSaturations) {
        std::vector<int8_t> expected;
        for (const int32_t sum : sums) {
          expected.push_back(Saturated(Rounded(sum, shift, rounding), saturation));
        }
        const std::vector<uint32_t> scalars = {shift, rounding, saturation};
        ASSERT_EQ(FromBytes<int8_t>(
                      Call(Entry("requantise_s32_s8"), kernel, {BytesOf(sums), stale}, scalars)),
                  expected)
            << shift << " " << rounding << " " << saturation;
      }
    }
  }
}

TEST(VnpuKernelTableTest, RequantisesInPlace) {
  const Kernel kernel{"", 8, 8, 8, kNpu1Blocks};
  std::vector<int32_t> sums;
  for (int32_t i = 0; i < 64; ++i) sums.push_back((i - 32) * 5);
  std::vector<std::byte> buffer = BytesOf(sums);
  const std::vector<std::byte*> both(2, buffer.data());
  const std::vector<uint32_t> scalars = {1, 0, 1};
  Entry("requantise_s32_s8").run(kernel, both, scalars);
  for (size_t i = 0; i < sums.size(); ++i) {
    EXPECT_EQ(static_cast<int8_t>(buffer[i]), Saturated(Rounded(sums[i], 1, 0), 1)) << i;
  }
}

TEST(VnpuKernelTableTest, RefusesModesThatTheUnitDoesNotHave) {
  const auto message = [](std::vector<uint32_t> scalars) {
    return Entry("requantise_s32_s8").CheckScalars(scalars).message();
  };
  EXPECT_EQ(message({31, 13, 3}), "");
  EXPECT_EQ(message({32, 0, 1}),
            "kernel requantise_s32_s8 is called with shift = 32; expected 0 to 31");
  for (const uint32_t rounding : {4u, 7u, 14u, 0xCBCBCBCBu}) {
    EXPECT_NE(message({0, rounding, 1}).find("rounding = "), std::string::npos);
  }
  for (const uint32_t saturation : {2u, 4u}) {
    EXPECT_NE(message({0, 0, saturation}).find("expected 0, 1 or 3"), std::string::npos);
  }
  EXPECT_TRUE(Entry("matmul_vector_s8_s32").CheckScalars({}).ok());
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
  EXPECT_EQ(Entry("zero_s16").ArgumentBytes(kernel, 0), 20);
  for (const auto& [name, bytes] :
       {std::pair{"requantise_s32_s8", 10}, {"requantise_s32_s16", 20}}) {
    const KernelEntry& requantise = Entry(name);
    ASSERT_EQ(requantise.argument_count(), 2);
    EXPECT_EQ(requantise.scalar_count(), 3);
    EXPECT_EQ(requantise.ArgumentBytes(kernel, 0), 40);
    EXPECT_EQ(requantise.ArgumentBytes(kernel, 1), bytes);
    EXPECT_FALSE(requantise.Writes(0));
    EXPECT_TRUE(requantise.Writes(1));
  }
}

TEST(VnpuKernelTableTest, UnknownNamesAreNull) {
  EXPECT_EQ(FindKernel(PlainKernels(), "matmul"), nullptr);
  EXPECT_EQ(FindKernel(PlainKernels(), ""), nullptr);
  EXPECT_EQ(FindKernel({}, "zero_s32"), nullptr);
}

}  // namespace
}  // namespace tilewave::device::vnpu
