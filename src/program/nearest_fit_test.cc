// The nearest design that fits is legal, and nothing nearer is: judged by Validate, step by step.

#include "program/nearest_fit.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "program/lower.h"
#include "program/validate.h"

namespace tilewave::program {
namespace {

using arch::NpuArch;

DesignSpec SpecOfTile(int64_t m, int64_t k, int64_t n, int columns = 4, int64_t k_mt = 0) {
  DesignSpec spec;
  spec.family = DesignFamily::kWholeArray;
  spec.columns = columns;
  spec.tile_m = m;
  spec.tile_k = k;
  spec.tile_n = n;
  spec.k_mt = k_mt;
  return spec;
}

std::string Judged(const DesignSpec& spec) {
  const Result<ArrayProgram> program = Lower(spec);
  EXPECT_TRUE(program.ok()) << program.status().ToString();
  if (!program.ok()) return "";
  return std::string(Validate(*program, arch::NpuOf(spec.arch)).message());
}

bool IsLegal(const DesignSpec& spec) {
  const Result<ArrayProgram> program = Lower(spec);
  return program.ok() && Violations(*program, arch::NpuOf(spec.arch)).empty();
}

// --- What Validate says ---

TEST(NearestFitTest, TheRefusalNamesIt) {
  // 3328 of stack, 8 of parameters, 2 x (64 + 64) x 192 and 16384 of sums.
  EXPECT_EQ(Judged(SpecOfTile(64, 192, 64)),
            "core (0,2): data memory bytes is 68872, at most 65536 (and 15 more); the nearest tile "
            "that fits is 64x176x64");
  // Two circles of 16 descriptors for the row of A, and six that do not depend on k_mt.
  EXPECT_EQ(Judged(SpecOfTile(64, 64, 64, 4, 1024)).substr(0, 61),
            "memory (0,1) even channels: descriptors is 38, at most 24 (an");
  const std::string descriptors = Judged(SpecOfTile(64, 64, 64, 4, 1024));
  EXPECT_NE(descriptors.find("more); the nearest tile that fits is 64x64x64 with k_mt 576"),
            std::string::npos)
      << descriptors;
}

TEST(NearestFitTest, NothingIsSaidOfDesignsThatFitOrThatNoTileSaves) {
  EXPECT_EQ(Judged(SpecOfTile(64, 64, 64)), "");
  EXPECT_EQ(NearestFit(SpecOfTile(64, 64, 64)), std::nullopt);
  DesignSpec stack = SpecOfTile(64, 64, 64);
  stack.stack_bytes = 65472;
  EXPECT_EQ(NearestFit(stack), std::nullopt);
  EXPECT_EQ(Judged(stack).find("nearest"), std::string::npos) << Judged(stack);
  DesignSpec small_stack = SpecOfTile(64, 64, 64);
  small_stack.stack_bytes = 512;
  EXPECT_EQ(Judged(small_stack), "core (0,2): stack bytes is 512, at least 1024 (and 15 more)");
  DesignSpec other = SpecOfTile(64, 64, 64);
  other.family = DesignFamily::kKStream;
  other.columns = 1;
  other.stack_bytes = 60000;
  EXPECT_EQ(Judged(other), "core (0,2): data memory bytes is 92772, at most 65536");
  EXPECT_EQ(NearestFit(other), std::nullopt);
  // Lower's to refuse.
  EXPECT_EQ(NearestFit(SpecOfTile(64, 192, 60)), std::nullopt);
  EXPECT_EQ(NearestFit(SpecOfTile(64, 192, 64, 9)), std::nullopt);
}

// --- What changes, by hand ---

TEST(NearestFitTest, FirstLessOfKInTheMemoryTiles) {
  // One column feeds four rows: 12 + 4 descriptors of even channels for each tile of K.
  EXPECT_EQ(NearestFit(SpecOfTile(64, 64, 64, 1, 384)), SpecOfTile(64, 64, 64, 1, 192));
  // 2 x (4 x 160 + 16) bytes of inputs for each of K, beside 40960 of C: at most 368.
  EXPECT_EQ(NearestFit(SpecOfTile(160, 128, 16, 1, 384)), SpecOfTile(160, 128, 16, 1, 256));
  EXPECT_EQ(NearestFit(SpecOfTile(64, 64, 64, 2, 1024)), SpecOfTile(64, 64, 64, 2, 512));
}

TEST(NearestFitTest, ThenLessOfKInTheTile) {
  EXPECT_EQ(NearestFit(SpecOfTile(64, 192, 64)), SpecOfTile(64, 176, 64));
  // k_mt stays as near as it can: the largest multiple of the new tile_k.
  EXPECT_EQ(NearestFit(SpecOfTile(64, 192, 64, 4, 384)), SpecOfTile(64, 176, 64, 4, 352));
  // 192 is a multiple of 96, too.
  EXPECT_EQ(NearestFit(SpecOfTile(96, 192, 64, 4, 192)), SpecOfTile(96, 112, 64, 4, 112));
  DesignSpec lossy = SpecOfTile(64, 512, 64, 4, 512);
  lossy.output = TileOutput::kS8Lossy;
  DesignSpec fits = SpecOfTile(64, 224, 64, 4, 448);
  fits.output = TileOutput::kS8Lossy;
  EXPECT_EQ(NearestFit(lossy), fits);
}

TEST(NearestFitTest, ThenTheLongerSideOfTheTile) {
  // 4 m n of sums and 128 (m + n) of inputs, beside 3392.
  EXPECT_EQ(NearestFit(SpecOfTile(256, 64, 256)), SpecOfTile(96, 64, 96));
  EXPECT_EQ(NearestFit(SpecOfTile(64, 64, 512)), SpecOfTile(64, 64, 136));
  EXPECT_EQ(NearestFit(SpecOfTile(512, 64, 64)), SpecOfTile(140, 64, 64));
  DesignSpec npu2 = SpecOfTile(512, 64, 64);
  npu2.arch = NpuArch::kNpu2;
  DesignSpec fits = SpecOfTile(136, 64, 64);
  fits.arch = NpuArch::kNpu2;
  EXPECT_EQ(NearestFit(npu2), fits) << "blocks of npu2 have eight rows";
}

TEST(NearestFitTest, AtLastTheLongestOfTheThree) {
  const std::optional<DesignSpec> found = NearestFit(SpecOfTile(1024, 8192, 1024));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(fmt::format("{}x{}x{}", found->tile_m, found->tile_k, found->tile_n), "88x88x88");
}

// --- The nearest, by the only judge ---

// One step back towards what was asked, of each side that has changed.
std::vector<DesignSpec> Nearer(const DesignSpec& found, const DesignSpec& asked) {
  std::vector<DesignSpec> nearer;
  const BlockShape block = BlockShapeOf(asked);
  const bool same_tile =
      found.tile_m == asked.tile_m && found.tile_k == asked.tile_k && found.tile_n == asked.tile_n;
  const auto add = [&](const std::function<void(DesignSpec*)>& change) {
    nearer.push_back(found);
    change(&nearer.back());
    // Without anything of K that could be given up instead.
    if (!same_tile && found.k_mt != 0) nearer.back().k_mt = nearer.back().tile_k;
  };
  if (same_tile) add([](DesignSpec* s) { s->k_mt += s->tile_k; });
  if (found.tile_k < asked.tile_k) add([&](DesignSpec* s) { s->tile_k += block.depth; });
  if (found.tile_m < asked.tile_m && found.tile_m <= found.tile_n) {
    add([&](DesignSpec* s) { s->tile_m += block.rows; });
  }
  if (found.tile_n < asked.tile_n && found.tile_n <= found.tile_m) {
    add([&](DesignSpec* s) { s->tile_n += block.columns; });
  }
  return nearer;
}

TEST(NearestFitTest, WhatIsFoundIsLegalAndNothingNearerIs) {
  int refused = 0;
  const auto judge = [&refused](const DesignSpec& spec) {
    const std::optional<DesignSpec> found = NearestFit(spec);
    if (IsLegal(spec)) {
      EXPECT_EQ(found, std::nullopt) << Name(spec);
      return;
    }
    ++refused;
    ASSERT_TRUE(found.has_value()) << Name(spec);
    EXPECT_TRUE(IsLegal(*found)) << Name(spec) << " -> " << Name(*found);
    for (const DesignSpec& nearer : Nearer(*found, spec)) {
      EXPECT_FALSE(IsLegal(nearer))
          << Name(spec) << " -> " << Name(*found) << ", but " << Name(nearer);
    }
  };
  for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
    for (const int columns : {1, 2, 3, 4}) {
      for (const TileOutput output : {TileOutput::kS32, TileOutput::kS8, TileOutput::kS16Lossy}) {
        for (const int c_buffers : {1, 2}) {
          for (const auto& [m, k, n] : {std::tuple{64, 64, 64}, std::tuple{64, 200, 72},
                                        std::tuple{48, 504, 40}, std::tuple{136, 64, 128}}) {
            for (const int64_t tiles : {0, 1, 4, 12}) {
              DesignSpec spec = SpecOfTile(m, k, n, columns, tiles * k);
              spec.arch = arch;
              spec.output = output;
              spec.c_buffers = c_buffers;
              judge(spec);
            }
          }
        }
      }
    }
  }
  EXPECT_GT(refused, 200);
}

}  // namespace
}  // namespace tilewave::program
