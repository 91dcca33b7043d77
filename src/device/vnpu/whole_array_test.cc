// whole_array programs on the virtual array: whatever the design and the extents, what comes out is
// the product, computed here in plain loops.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "core/requantise.h"
#include "device/vnpu/array_sim.h"
#include "program/lower.h"
#include "program/stream.h"
#include "program/validate.h"
#include "program/whole_array_launch.h"
#include "tests/support/stream_samples.h"
#include "tests/support/vnpu_samples.h"

namespace tilewave::device::vnpu {
namespace {

using arch::NpuArch;
using program::ArrayProgram;
using program::BLayout;
using program::DesignFamily;
using program::DesignSpec;
using program::ImageLayout;
using program::ProductShape;
using program::TileOutput;
using program::Words;

constexpr int64_t kImageGuards = 64;
constexpr uint8_t kImageGuard = 0xA5;

DesignSpec Spec(NpuArch arch, int columns) {
  DesignSpec spec;
  spec.family = DesignFamily::kWholeArray;
  spec.arch = arch;
  spec.columns = columns;
  spec.tile_m = spec.tile_k = spec.tile_n = 16;
  return spec;
}

// Row-major matrices of a batch; one of them if it is shared.
struct BatchProduct {
  std::vector<int8_t> a;
  std::vector<int8_t> b;
  std::vector<int32_t> sums;
};

BatchProduct RandomBatchProduct(const ProductShape& shape, uint64_t seed) {
  base::Random random(seed);
  BatchProduct product;
  product.a.resize(static_cast<size_t>((shape.a_shared ? 1 : shape.batch) * shape.m * shape.k));
  product.b.resize(static_cast<size_t>((shape.b_shared ? 1 : shape.batch) * shape.k * shape.n));
  for (int8_t& each : product.a) each = static_cast<int8_t>(random.Next() >> 56);
  for (int8_t& each : product.b) each = static_cast<int8_t>(random.Next() >> 56);
  for (int64_t matrix = 0; matrix < shape.batch; ++matrix) {
    const int8_t* a = product.a.data() + (shape.a_shared ? 0 : matrix * shape.m * shape.k);
    const int8_t* b = product.b.data() + (shape.b_shared ? 0 : matrix * shape.k * shape.n);
    for (int64_t i = 0; i < shape.m; ++i) {
      for (int64_t j = 0; j < shape.n; ++j) {
        int32_t sum = 0;
        for (int64_t x = 0; x < shape.k; ++x) sum += a[(i * shape.k) + x] * b[(x * shape.n) + j];
        product.sums.push_back(sum);
      }
    }
  }
  return product;
}

// Where (x, j) of B stands in one matrix's image.
int64_t PlaceOfB(const DesignSpec& spec, const ImageLayout& layout, int64_t x, int64_t j) {
  switch (spec.b_layout) {
    case BLayout::kRowMajor:
      return (x * layout.n_padded) + j;
    case BLayout::kColumnMajor:
      return (j * layout.k_padded) + x;
    case BLayout::kPacked:
      break;
  }
  const auto [r, s, t] = program::BlockShapeOf(spec);
  const int64_t in_strip = j % spec.tile_n;
  const int64_t block = (x / s * (spec.tile_n / t)) + (in_strip / t);
  return (j / spec.tile_n * layout.k_padded * spec.tile_n) + (block * s * t) + (x % s * t) +
         (in_strip % t);
}

// The buffers of a launch in device memory. What lies beyond M and N is anything.
struct Images {
  std::vector<uint8_t> a;
  std::vector<uint8_t> b;
  std::vector<uint8_t> c;

  std::vector<ArraySim::Argument> Arguments() {
    std::vector<ArraySim::Argument> arguments;
    for (std::vector<uint8_t>* image : {&a, &b, &c}) {
      arguments.push_back({reinterpret_cast<std::byte*>(image->data()),
                           static_cast<int64_t>(image->size()) - kImageGuards});
    }
    return arguments;
  }
};

Images ImagesOf(const DesignSpec& spec, const ProductShape& shape, const ImageLayout& layout,
                const BatchProduct& product) {
  base::Random random(99);
  Images images;
  const auto anything = [&](std::vector<uint8_t>* image, int64_t bytes) {
    image->resize(static_cast<size_t>(bytes));
    for (uint8_t& each : *image) each = static_cast<uint8_t>(random.Next() >> 56);
  };
  anything(&images.a, layout.a_bytes * layout.a_matrices);
  anything(&images.b, layout.b_bytes * layout.b_matrices);
  anything(&images.c, layout.c_bytes * layout.c_matrices);
  for (int64_t matrix = 0; matrix < layout.a_matrices; ++matrix) {
    for (int64_t i = 0; i < layout.m_padded; ++i) {
      for (int64_t x = 0; x < layout.k_padded; ++x) {
        uint8_t& to =
            images.a[static_cast<size_t>((matrix * layout.a_bytes) + (i * layout.k_padded) + x)];
        if (x >= shape.k) {
          to = 0;
        } else if (i < shape.m) {
          to = static_cast<uint8_t>(
              product.a[static_cast<size_t>((((matrix * shape.m) + i) * shape.k) + x)]);
        }
      }
    }
  }
  for (int64_t matrix = 0; matrix < layout.b_matrices; ++matrix) {
    for (int64_t x = 0; x < layout.k_padded; ++x) {
      for (int64_t j = 0; j < layout.n_padded; ++j) {
        uint8_t& to =
            images.b[static_cast<size_t>((matrix * layout.b_bytes) + PlaceOfB(spec, layout, x, j))];
        if (x >= shape.k) {
          to = 0;
        } else if (j < shape.n) {
          to = static_cast<uint8_t>(
              product.b[static_cast<size_t>((((matrix * shape.k) + x) * shape.n) + j)]);
        }
      }
    }
  }
  for (std::vector<uint8_t>* image : {&images.a, &images.b, &images.c}) {
    image->resize(image->size() + kImageGuards, kImageGuard);
  }
  return images;
}

int32_t ElementOf(const DesignSpec& spec, const uint8_t* c) {
  if (spec.output == TileOutput::kS8) return static_cast<int8_t>(*c);
  int32_t value = 0;
  std::copy(c, c + sizeof(value), reinterpret_cast<uint8_t*>(&value));
  return value;
}

void ExpectProduct(const DesignSpec& spec, const ProductShape& shape, const ImageLayout& layout,
                   const BatchProduct& product, const Images& images) {
  const int64_t element = program::OutputBytes(spec.output);
  int wrong = 0;
  for (int64_t matrix = 0; matrix < shape.batch; ++matrix) {
    for (int64_t i = 0; i < shape.m; ++i) {
      for (int64_t j = 0; j < shape.n; ++j) {
        const int64_t at = (matrix * layout.c_bytes) + (((i * layout.n_padded) + j) * element);
        const int32_t got = ElementOf(spec, images.c.data() + at);
        int32_t expected =
            product.sums[static_cast<size_t>((((matrix * shape.m) + i) * shape.n) + j)];
        if (spec.output == TileOutput::kS8) {
          expected = core::RequantiseShift(expected, shape.requant, ElementType::kS8);
        }
        if (got == expected) continue;
        if (++wrong <= 3) {
          ADD_FAILURE() << "matrix " << matrix << " (" << i << ", " << j << ") is " << got
                        << "; expected " << expected;
        }
      }
    }
  }
  EXPECT_EQ(wrong, 0);
  for (const std::vector<uint8_t>* image : {&images.a, &images.b, &images.c}) {
    EXPECT_EQ(std::count(image->end() - kImageGuards, image->end(), kImageGuard), kImageGuards);
  }
}

// One array and its launches, one after another, as the runtime makes them.
class WholeArraySim {
 public:
  explicit WholeArraySim(const DesignSpec& spec, DataMode data = DataMode::kMoved)
      : WholeArraySim(spec, data, PhoenixAs(spec.arch)) {}
  WholeArraySim(const DesignSpec& spec, DataMode data, profile::Profile profile)
      : spec_(spec), data_(data), profile_(std::move(profile)) {
    Result<ArrayProgram> program = program::Lower(spec);
    EXPECT_TRUE(program.ok()) << program.status().ToString();
    const Status legal = program::Validate(*program, arch::NpuOf(spec.arch));
    EXPECT_TRUE(legal.ok()) << legal.ToString();
    program_ = std::make_shared<const ArrayProgram>(*std::move(program));
    Result<std::unique_ptr<ArraySim>> sim =
        ArraySim::Make(program_, profile_, PlainKernels(), data);
    EXPECT_TRUE(sim.ok()) << sim.status().ToString();
    sim_ = *std::move(sim);
  }

  Words StreamOf(const ProductShape& shape, const ImageLayout& layout) const {
    const arch::Npu& npu = arch::NpuOf(spec_.arch);
    const Result<program::Sequence> sequence =
        program::WholeArraySequence(*program_, shape, layout);
    EXPECT_TRUE(sequence.ok()) << sequence.status().ToString();
    const int64_t bytes[] = {layout.a_bytes * layout.a_matrices, layout.b_bytes * layout.b_matrices,
                             layout.c_bytes * layout.c_matrices};
    const Status legal = program::Validate(*program_, *sequence, bytes, npu);
    EXPECT_TRUE(legal.ok()) << legal.ToString();
    Result<Words> words = program::EncodeStream(*sequence, npu);
    EXPECT_TRUE(words.ok()) << words.status().ToString();
    return *std::move(words);
  }

  ArraySim::Outcome Multiply(const ProductShape& shape, uint64_t seed) {
    const Result<ImageLayout> layout = program::ImageLayoutOf(spec_, shape);
    EXPECT_TRUE(layout.ok()) << layout.status().ToString();
    const BatchProduct product = RandomBatchProduct(shape, seed);
    Images images = ImagesOf(spec_, shape, *layout, product);
    std::vector<ArraySim::Argument> arguments = images.Arguments();
    if (data_ == DataMode::kTimingOnly) {
      for (ArraySim::Argument& each : arguments) each.data = nullptr;
    }
    const ArraySim::Outcome outcome =
        sim_->Run(StreamOf(shape, *layout), arguments, next_start_ps_);
    EXPECT_TRUE(outcome.status.ok()) << outcome.status.ToString();
    next_start_ps_ = outcome.end_ps;
    if (data_ == DataMode::kMoved && outcome.status.ok()) {
      ExpectProduct(spec_, shape, *layout, product, images);
    }
    return outcome;
  }

 private:
  DesignSpec spec_;
  DataMode data_;
  profile::Profile profile_;
  std::shared_ptr<const ArrayProgram> program_;
  std::unique_ptr<ArraySim> sim_;
  int64_t next_start_ps_ = kStartPs;
};

std::string Text(const DesignSpec& spec, const ProductShape& shape) {
  return fmt::format("{} batch {} of {} x {} x {}, shared A {} B {}", program::Name(spec),
                     shape.batch, shape.m, shape.k, shape.n, shape.a_shared, shape.b_shared);
}

/// Any design of so many columns, none of its sides larger than a few blocks.
DesignSpec RandomSpec(NpuArch arch, int columns, base::Random* random) {
  DesignSpec spec = Spec(arch, columns);
  const auto block = program::BlockShapeOf(spec);
  spec.tile_m = block.rows * random->Between(1, 3);
  spec.tile_k = block.depth * random->Between(1, 3);
  spec.tile_n = block.columns * random->Between(1, 3);
  // A column that feeds all rows has no descriptors for buffers of four tiles.
  spec.k_mt = spec.tile_k << random->Between(0, columns == 1 ? 1 : 2);
  spec.b_layout = static_cast<BLayout>(random->Between(0, 2));
  spec.output = random->Between(0, 1) == 0 ? TileOutput::kS32 : TileOutput::kS8;
  spec.c_buffers = static_cast<int>(random->Between(1, 2));
  return spec;
}

ProductShape RandomShape(const DesignSpec& spec, base::Random* random) {
  ProductShape shape;
  shape.batch = random->Between(0, 1) == 0 ? 1 : 3;
  shape.m = random->Between(1, spec.tile_m * 4 * 2);
  shape.k = random->Between(1, program::MemoryTileK(spec) * 3);
  shape.n = random->Between(1, spec.tile_n * spec.columns * 3);
  shape.a_shared = random->Between(0, 2) == 0;
  shape.b_shared = random->Between(0, 2) == 0;
  shape.requant = {static_cast<int>(random->Between(0, 14)),
                   static_cast<Rounding>(random->Between(8, 13)),
                   random->Between(0, 1) == 0 ? Saturation::kSaturate : Saturation::kNone};
  return shape;
}

class WholeArrayTest : public ::testing::TestWithParam<std::pair<NpuArch, int>> {};

TEST_P(WholeArrayTest, EveryDesignMultiplies) {
  const auto [arch, columns] = GetParam();
  base::Random random(static_cast<uint64_t>(columns));
  for (const BLayout layout : {BLayout::kRowMajor, BLayout::kColumnMajor, BLayout::kPacked}) {
    for (const TileOutput output : {TileOutput::kS32, TileOutput::kS8}) {
      for (const int c_buffers : {1, 2}) {
        DesignSpec spec = RandomSpec(arch, columns, &random);
        spec.b_layout = layout;
        spec.output = output;
        spec.c_buffers = c_buffers;
        WholeArraySim array(spec);
        // State stays from launch to launch: locks, rings, the places in the circles.
        for (uint64_t launch = 0; launch < 3; ++launch) {
          const ProductShape shape = RandomShape(spec, &random);
          SCOPED_TRACE(Text(spec, shape));
          array.Multiply(shape, launch);
          if (HasFailure()) return;
        }
      }
    }
  }
}

TEST_P(WholeArrayTest, ExtentsOnAndBesideTheGranules) {
  const auto [arch, columns] = GetParam();
  DesignSpec spec = Spec(arch, columns);
  spec.k_mt = 32;
  WholeArraySim array(spec);
  for (const int64_t m : {1, 63, 64, 65, 129}) {
    for (const int64_t k : {1, 32, 33}) {
      const ProductShape shape{1, m, k, 16 * columns, false, false, {}};
      SCOPED_TRACE(Text(spec, shape));
      array.Multiply(shape, 5);
    }
  }
}

/// More blocks of columns than one task repeats, and more rounds than may wait.
TEST_P(WholeArrayTest, LongLaunches) {
  const auto [arch, columns] = GetParam();
  DesignSpec spec = Spec(arch, columns);
  spec.tile_m = spec.tile_k = spec.tile_n = 8;
  WholeArraySim array(spec);
  const ProductShape wide{1, 33, 9, (8 * columns * 66) - 3, false, false, {}};
  const ProductShape tall{2, 32 * 9, 17, 8 * columns, false, true, {}};
  array.Multiply(wide, 6);
  array.Multiply(tall, 7);
}

/// Times hang on nothing that bytes could say.
TEST_P(WholeArrayTest, TimingAloneTellsTheSameTimes) {
  const auto [arch, columns] = GetParam();
  base::Random random(static_cast<uint64_t>(columns) + 50);
  for (int round = 0; round < 4; ++round) {
    const DesignSpec spec = RandomSpec(arch, columns, &random);
    WholeArraySim with_data(spec);
    WholeArraySim timed(spec, DataMode::kTimingOnly);
    for (int launch = 0; launch < 2; ++launch) {
      const ProductShape shape = RandomShape(spec, &random);
      SCOPED_TRACE(Text(spec, shape));
      const ArraySim::Outcome a = with_data.Multiply(shape, 1);
      const ArraySim::Outcome b = timed.Multiply(shape, 1);
      EXPECT_EQ(a.end_ps, b.end_ps);
      EXPECT_EQ(a.kernel_ps, b.kernel_ps);
    }
  }
}

// --- The memory behind the array ---

// A spec whose transfers of A are runs of 16 bytes, and all that it reads of a product.
constexpr ProductShape kBound{1, 256, 512, 256, false, false, {}};
constexpr double kReadBytes = (256.0 * 512 * 4) + (512.0 * 256 * 4);  // Either one four times.
constexpr double kWrittenBytes = 256.0 * 256 * 4;

double SimulatedPs(const profile::DdrCosts& ddr, int64_t k_mt = 16) {
  DesignSpec spec = Spec(NpuArch::kNpu1, 4);
  spec.k_mt = k_mt;
  profile::Profile profile = PhoenixAs(NpuArch::kNpu1);
  profile.ddr = ddr;
  WholeArraySim array(spec, DataMode::kTimingOnly, profile);
  return static_cast<double>(array.Multiply(kBound, 1).end_ps - kStartPs);
}

TEST(WholeArrayDdrTest, AllChannelsShareTheReads) {
  const double free_ps = SimulatedPs({1000, 1000, 0});
  for (const double gbps : {0.5, 1.0, 2.0}) {
    const double least_ps = kReadBytes / gbps * 1e3;
    const double ps = SimulatedPs({gbps, 1000, 0});
    EXPECT_GT(ps, least_ps);
    EXPECT_LT(ps, least_ps + free_ps);
  }
  // Writes have their own.
  const double write_ps = kWrittenBytes / 0.1 * 1e3;
  EXPECT_GT(SimulatedPs({1000, 0.1, 0}), write_ps);
  EXPECT_LT(SimulatedPs({1000, 0.1, 0}), write_ps + free_ps);
}

TEST(WholeArrayDdrTest, ShortRunsCostMore) {
  // Half of it is A, in runs 512 bytes apart, an eighth of a page: 16 bytes cost 24, 32 cost 40, 64
  // cost 72. B is packed.
  for (const int64_t k_mt : {16, 32, 64}) {
    const double a_factor = 1 + (64.0 * 512 / 4096 / static_cast<double>(k_mt));
    const double b_factor = 1 + (64.0 / (512 * 16));
    const double least_ps = kReadBytes / 2 * (a_factor + b_factor) / 0.5 * 1e3;
    const double ps = SimulatedPs({0.5, 1000, 64}, k_mt);
    EXPECT_GT(ps, least_ps) << k_mt;
    EXPECT_LT(ps, least_ps * 1.1) << k_mt;
  }
}

TEST(WholeArrayDdrTest, EnoughIsNoBound) {
  EXPECT_EQ(SimulatedPs({1000, 1000, 0}), SimulatedPs({500, 600, 1}));
}

std::vector<std::pair<NpuArch, int>> Arrays() {
  std::vector<std::pair<NpuArch, int>> arrays;
  for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
    for (int columns = 1; columns <= arch::NpuOf(arch).columns; ++columns) {
      arrays.emplace_back(arch, columns);
    }
  }
  return arrays;
}

std::string ArrayName(const ::testing::TestParamInfo<std::pair<NpuArch, int>>& array) {
  return fmt::format("{}_{}", arch::NpuOf(array.param.first).name, array.param.second);
}

INSTANTIATE_TEST_SUITE_P(All, WholeArrayTest, ::testing::ValuesIn(Arrays()), ArrayName);

}  // namespace
}  // namespace tilewave::device::vnpu
