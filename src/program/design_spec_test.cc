#include "program/design_spec.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace tilewave::program {
namespace {

TEST(DesignSpecTest, NamesOfEnumerations) {
  EXPECT_EQ(Name(DesignFamily::kPackedTile), "packed_tile");
  EXPECT_EQ(Name(DesignFamily::kKStream), "k_stream");
  EXPECT_EQ(Name(TileKernel::kScalar), "scalar");
  EXPECT_EQ(Name(TileKernel::kVector), "vector");
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
      [](DesignSpec* s) { s->output = TileOutput::kS8Lossy; },
      [](DesignSpec* s) { s->stack_bytes = 1024; },
  };
  std::set<uint64_t> hashes;
  for (const Change change : changes) {
    DesignSpec spec;
    change(&spec);
    EXPECT_TRUE(hashes.insert(ConfigurationHash(spec)).second) << Name(spec);
    EXPECT_EQ(ConfigurationHash(spec), ConfigurationHash(DesignSpec(spec)));
  }
}

// Files and caches are named by this number. A change of it needs a reason in Lower().
TEST(DesignSpecTest, HashOfTheDefaultIsPinned) {
  EXPECT_EQ(ConfigurationHash(DesignSpec{}), 0xB9DA78A165B9A29Bu);
}

}  // namespace
}  // namespace tilewave::program
