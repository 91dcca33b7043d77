#include "emit/emit_directory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "emit/launch_stream.h"
#include "emit/mlir_parser.h"
#include "program/lower.h"
#include "program/stream.h"
#include "tests/support/designs.h"
#include "tests/support/text_parts.h"

namespace tilewave::emit {
namespace {

using program::ArrayProgram;
using program::DesignFamily;
using program::DesignSpec;
using program::ProductShape;
using testing::Has;

using Files = std::vector<EmittedFile>;

ProductShape Product(int64_t m, int64_t k, int64_t n, int64_t batch = 1) {
  ProductShape shape;
  shape.batch = batch;
  shape.m = m;
  shape.k = k;
  shape.n = n;
  return shape;
}

DesignSpec WholeArray(int columns = 2) {
  DesignSpec spec;
  spec.family = DesignFamily::kWholeArray;
  spec.columns = columns;
  return spec;
}

Files Emitted(const DesignSpec& spec, const ProductShape& shape) {
  const Result<Files> files = EmitDirectory(spec, shape, KernelSources());
  EXPECT_TRUE(files.ok()) << Name(spec) << ": " << files.status().ToString();
  return files.ok() ? *files : Files();
}

std::string BytesOf(const Files& files, const std::string& name) {
  for (const EmittedFile& file : files) {
    if (file.name == name) return file.bytes;
  }
  ADD_FAILURE() << "no file " << name;
  return {};
}

TEST(EmitDirectoryTest, OnlyTheStreamDependsOnTheProduct) {
  const Files small = Emitted(WholeArray(), Product(64, 64, 64));
  const Files large = Emitted(WholeArray(), Product(1000, 3000, 77, 5));
  ASSERT_EQ(small.size(), large.size());
  int different = 0;
  for (size_t i = 0; i < small.size(); ++i) {
    const bool of_product = small[i].name.starts_with("64x64x64");
    if (of_product) ++different;
    EXPECT_EQ(small[i].name == large[i].name, !of_product) << small[i].name;
    EXPECT_EQ(small[i].bytes == large[i].bytes, !of_product) << small[i].name;
  }
  EXPECT_EQ(different, 2);
  EXPECT_TRUE(Has(BytesOf(large, "batch5-1000x3000x77.txt"), "A 1024 x 3008, s8, row-major"));
}

TEST(EmitDirectoryTest, EveryDesignIsEmitted) {
  for (const DesignSpec& spec : testing::EveryDesign()) {
    const Files files = Emitted(spec, Product(100, 200, 50));
    const Result<ArrayProgram> read = ParseMlir(BytesOf(files, "design.mlir"));
    ASSERT_TRUE(read.ok()) << Name(spec);
    EXPECT_EQ(read->spec, spec);
    const std::string stream = BytesOf(files, "100x200x50.stream.bin");
    EXPECT_EQ(stream.size() % 4, 0u);
    // The fourth word of the header is the size.
    EXPECT_EQ(static_cast<uint8_t>(stream[12]) + 256 * static_cast<uint8_t>(stream[13]),
              static_cast<int>(stream.size()) % 65536);
    // The second begins with the columns of the device.
    EXPECT_EQ(stream[4], spec.columns);
  }
}

// Tokens are asked for under the id that the shim tiles have in design.mlir.
TEST(EmitDirectoryTest, StreamAndConfigurationAgreeOnTheControllerId) {
  const Result<ArrayProgram> program = program::Lower(WholeArray());
  const Result<LaunchStream> launch = MakeLaunchStream(*program, Product(64, 64, 64));
  ASSERT_TRUE(launch.ok());
  Result<program::StreamReader> reader = program::StreamReader::Open(launch->words);
  ASSERT_TRUE(reader.ok());
  int mask_writes = 0;
  while (!reader->done()) {
    const Result<program::StreamOp> op = reader->Next();
    ASSERT_TRUE(op.ok());
    const auto* write = std::get_if<program::MaskWrite>(&*op);
    if (write == nullptr) continue;
    ++mask_writes;
    EXPECT_EQ(write->value, uint32_t{arch::kShimControllerId} << 8);
  }
  EXPECT_GT(mask_writes, 0);
}

TEST(EmitDirectoryTest, LaunchesOfSingleCoreDesignsAreCounted) {
  DesignSpec spec;
  spec.family = DesignFamily::kPackedTile;
  spec.tile_m = spec.tile_k = spec.tile_n = 16;
  Result<LaunchStream> launch = MakeLaunchStream(*program::Lower(spec), Product(512, 512, 512));
  ASSERT_TRUE(launch.ok());
  EXPECT_EQ(launch->launches, 32768);
  EXPECT_EQ(launch->argument_bytes, (std::vector<int64_t>{512, 1024}));
  launch = MakeLaunchStream(*program::Lower({}), Product(65, 129, 1, 3));
  ASSERT_TRUE(launch.ok());
  EXPECT_EQ(launch->launches, 6);
  EXPECT_EQ(launch->argument_bytes, (std::vector<int64_t>{3 * 4096, 3 * 4096, 16384}));
}

TEST(EmitDirectoryTest, KernelsAreThereOrAskedFor) {
  const Files own = Emitted(WholeArray(), Product(64, 64, 64));
  EXPECT_TRUE(Has(BytesOf(own, "kernels/aie/tile_kernels.cc"), "void matmul_vector_s8_s32("));
  for (const EmittedFile& file : own) {
    EXPECT_FALSE(Has(file.name, "host_")) << file.name;
    EXPECT_EQ(file.executable, file.name == "build.sh");
  }
  EXPECT_TRUE(Has(BytesOf(own, "build.sh"), "KERNELS=${KERNELS:-kernels/aie/tile_kernels.cc}"));
  EXPECT_FALSE(Has(BytesOf(own, "README.md"), "none: yours"));
  DesignSpec other = WholeArray();
  other.b_layout = program::BLayout::kColumnMajor;
  other.arch = arch::NpuArch::kNpu2;
  const Files asked = Emitted(other, Product(64, 64, 64));
  EXPECT_FALSE(Has(BytesOf(asked, "README.md"), "none: yours"));
  EXPECT_TRUE(Has(BytesOf(asked, "kernels/aie/tile_kernels.cc"), "void matmul_vector_s8_s32_bt("));
  EXPECT_TRUE(Has(BytesOf(asked, "build.sh"), "--target=aie2p-none-unknown-elf"));
  EXPECT_TRUE(Has(BytesOf(asked, "README.md"), "B transposed inside its blocks"));
}

void ExpectRefusal(const DesignSpec& spec, const ProductShape& shape, const std::string& part) {
  const Result<Files> files = EmitDirectory(spec, shape, KernelSources());
  ASSERT_FALSE(files.ok()) << part;
  EXPECT_TRUE(Has(files.status().message(), part)) << files.status().message();
}

// The kernels here take blocks of 4 x 8 two by two: 12 rows are three of them.
TEST(EmitDirectoryTest, OddTilesNeedKernelsOfOnesOwn) {
  DesignSpec spec = WholeArray();
  spec.tile_m = 12;
  const Files files = Emitted(spec, Product(48, 64, 64));
  EXPECT_TRUE(Has(BytesOf(files, "README.md"), "none: yours"));
  EXPECT_TRUE(Has(BytesOf(files, "build.sh"), "no source here defines"));
}

TEST(EmitDirectoryTest, RefusesWhatDoesNotFit) {
  DesignSpec spec = WholeArray();
  spec.tile_m = 63;
  ExpectRefusal(spec, Product(1, 1, 1), "no tile with m = 63");
  spec = WholeArray();
  spec.c_buffers = 2;
  spec.tile_m = spec.tile_n = 96;
  ExpectRefusal(spec, Product(1, 1, 1), "data memory");
  ExpectRefusal(WholeArray(), Product(int64_t{1} << 40, int64_t{1} << 40, 1), "62 bits");
  ExpectRefusal(WholeArray(), Product(int64_t{1} << 30, 64, 64), "rounds of tasks");
  ExpectRefusal({}, Product(1, int64_t{1} << 30, 1), "steps over K");
  ExpectRefusal({}, Product(INT64_MAX, 1, 1), "an extent beyond");
  ExpectRefusal({}, Product(int64_t{1} << 60, 1, int64_t{1} << 60), "overflow 63 bits");
}

}  // namespace
}  // namespace tilewave::emit
