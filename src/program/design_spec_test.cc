#include "program/design_spec.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace tilewave::program {
namespace {

TEST(DesignSpecTest, NamesOfEnumerations) {
  EXPECT_EQ(Name(DesignFamily::kPackedTile), "packed_tile");
  EXPECT_EQ(Name(DesignFamily::kKStream), "k_stream");
  EXPECT_EQ(Name(DesignFamily::kWholeArray), "whole_array");
  EXPECT_EQ(Name(TileKernel::kScalar), "scalar");
  EXPECT_EQ(Name(TileKernel::kVector), "vector");
  EXPECT_EQ(Name(TileOutput::kS32), "s32");
  EXPECT_EQ(Name(TileOutput::kS8), "s8");
  EXPECT_EQ(Name(TileOutput::kS16), "s16");
  EXPECT_EQ(Name(TileOutput::kS8Lossy), "s8_lossy");
  EXPECT_EQ(Name(TileOutput::kS16Lossy), "s16_lossy");
  EXPECT_EQ(Name(BLayout::kRowMajor), "row");
  EXPECT_EQ(Name(BLayout::kColumnMajor), "col");
  EXPECT_EQ(Name(BLayout::kPacked), "packed");
}

TEST(DesignSpecTest, NameSaysFamilyTileKernelOutputAndArray) {
  EXPECT_EQ(Name(DesignSpec{}), "k_stream-64x64x64-vector-s32-npu1");
  DesignSpec spec;
  spec.family = DesignFamily::kPackedTile;
  spec.arch = arch::NpuArch::kNpu2;
  spec.tile_m = 16;
  spec.tile_k = 32;
  spec.tile_n = 48;
  spec.kernel = TileKernel::kScalar;
  spec.output = TileOutput::kS8Lossy;
  EXPECT_EQ(Name(spec), "packed_tile-16x32x48-scalar-s8_lossy-npu2");
}

DesignSpec WholeArray() {
  DesignSpec spec;
  spec.family = DesignFamily::kWholeArray;
  spec.columns = 4;
  spec.k_mt = 256;
  return spec;
}

TEST(DesignSpecTest, NameOfAWholeArraySaysColumnsMemoryTilesLayoutAndBuffers) {
  DesignSpec spec = WholeArray();
  EXPECT_EQ(Name(spec), "whole_array-64x64x64-vector-s32-npu1-4col-kmt256-packed-1c");
  spec.columns = 2;
  spec.k_mt = 0;
  spec.b_layout = BLayout::kColumnMajor;
  spec.c_buffers = 2;
  spec.output = TileOutput::kS8;
  EXPECT_EQ(Name(spec), "whole_array-64x64x64-vector-s8-npu1-2col-kmt64-col-2c");
}

TEST(DesignSpecTest, BytesAndKindsOfOutputs) {
  struct {
    TileOutput output;
    int64_t bytes;
    bool lossy;
    bool requantised;
  } const cases[] = {{TileOutput::kS32, 4, false, false},
                     {TileOutput::kS8, 1, false, true},
                     {TileOutput::kS16, 2, false, true},
                     {TileOutput::kS8Lossy, 1, true, false},
                     {TileOutput::kS16Lossy, 2, true, false}};
  for (const auto& c : cases) {
    EXPECT_EQ(OutputBytes(c.output), c.bytes) << Name(c.output);
    EXPECT_EQ(IsLossy(c.output), c.lossy) << Name(c.output);
    EXPECT_EQ(IsRequantised(c.output), c.requantised) << Name(c.output);
  }
}

TEST(DesignSpecTest, BlocksAreThoseOfTheVectorUnit) {
  DesignSpec spec;
  EXPECT_EQ(BlockShapeOf(spec), (BlockShape{4, 8, 8}));
  spec.arch = arch::NpuArch::kNpu2;
  EXPECT_EQ(BlockShapeOf(spec), (BlockShape{8, 8, 8}));
  spec.kernel = TileKernel::kScalar;
  EXPECT_EQ(BlockShapeOf(spec), (BlockShape{1, 1, 1}));
}

TEST(DesignSpecTest, EveryFieldChangesTheHash) {
  using Change = void (*)(DesignSpec*);
  const Change changes[] = {
      [](DesignSpec*) {},
      [](DesignSpec* s) { s->family = DesignFamily::kPackedTile; },
      [](DesignSpec* s) { s->arch = arch::NpuArch::kNpu2; },
      [](DesignSpec* s) { s->tile_m = 32; },
      [](DesignSpec* s) { s->tile_k = 32; },
      [](DesignSpec* s) { s->tile_n = 32; },
      [](DesignSpec* s) { s->kernel = TileKernel::kScalar; },
      [](DesignSpec* s) { s->output = TileOutput::kS8; },
      [](DesignSpec* s) { s->output = TileOutput::kS16; },
      [](DesignSpec* s) { s->output = TileOutput::kS8Lossy; },
      [](DesignSpec* s) { s->output = TileOutput::kS16Lossy; },
      [](DesignSpec* s) { s->stack_bytes = 1024; },
      [](DesignSpec* s) { s->columns = 3; },
      [](DesignSpec* s) { s->k_mt = 128; },
      [](DesignSpec* s) { s->b_layout = BLayout::kRowMajor; },
      [](DesignSpec* s) { s->b_layout = BLayout::kColumnMajor; },
      [](DesignSpec* s) { s->c_buffers = 2; },
  };
  std::set<uint64_t> hashes;
  for (const DesignSpec& base : {DesignSpec(), WholeArray()}) {
    for (const Change change : changes) {
      DesignSpec spec = base;
      change(&spec);
      EXPECT_TRUE(hashes.insert(ConfigurationHash(spec)).second) << Name(spec);
      EXPECT_EQ(ConfigurationHash(spec), ConfigurationHash(DesignSpec(spec)));
    }
  }
  // 0 is another way to say tile_k: the same configuration.
  DesignSpec spec = WholeArray();
  spec.k_mt = 0;
  const uint64_t short_for_tile_k = ConfigurationHash(spec);
  spec.k_mt = spec.tile_k;
  EXPECT_EQ(ConfigurationHash(spec), short_for_tile_k);
}

// Files and caches are named by these numbers. A change of one needs a reason in Lower().
TEST(DesignSpecTest, HashesArePinned) {
  EXPECT_EQ(ConfigurationHash(DesignSpec{}), 0x57E1564CF29A1A5Au);
  EXPECT_EQ(ConfigurationHash(WholeArray()), 0xDC622B6316931A07u);
  DesignSpec spec = WholeArray();
  spec.arch = arch::NpuArch::kNpu2;
  spec.columns = 8;
  spec.output = TileOutput::kS8;
  spec.b_layout = BLayout::kRowMajor;
  spec.c_buffers = 2;
  EXPECT_EQ(ConfigurationHash(spec), 0xD0A556526E2E6F3Au);
}

}  // namespace
}  // namespace tilewave::program
