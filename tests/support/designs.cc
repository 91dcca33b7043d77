#include "tests/support/designs.h"

namespace tilewave::testing {
namespace {

using program::BLayout;
using program::DesignFamily;
using program::DesignSpec;
using program::TileKernel;
using program::TileOutput;

void AddSingleCoreDesigns(arch::NpuArch arch, std::vector<DesignSpec>* specs) {
  DesignSpec spec;
  spec.arch = arch;
  for (const TileKernel kernel : {TileKernel::kScalar, TileKernel::kVector}) {
    spec.kernel = kernel;
    spec.family = DesignFamily::kKStream;
    spec.tile_m = spec.tile_k = spec.tile_n = 64;
    specs->push_back(spec);
    spec.family = DesignFamily::kPackedTile;
    for (const int64_t tile : {16, 32, 64}) {
      spec.tile_m = spec.tile_k = spec.tile_n = tile;
      specs->push_back(spec);
    }
  }
  spec.kernel = TileKernel::kScalar;
  spec.output = TileOutput::kS8Lossy;
  specs->push_back(spec);
}

void AddWholeArrays(arch::NpuArch arch, std::vector<DesignSpec>* specs) {
  DesignSpec spec;
  spec.family = DesignFamily::kWholeArray;
  spec.arch = arch;
  spec.tile_m = 32;
  spec.tile_k = 64;
  spec.tile_n = 32;
  for (const BLayout layout : {BLayout::kRowMajor, BLayout::kColumnMajor, BLayout::kPacked}) {
    for (const TileOutput output : {TileOutput::kS32, TileOutput::kS8, TileOutput::kS16,
                                    TileOutput::kS8Lossy, TileOutput::kS16Lossy}) {
      for (const int c_buffers : {1, 2}) {
        spec.b_layout = layout;
        spec.output = output;
        spec.c_buffers = c_buffers;
        spec.columns = 1 + (static_cast<int>(specs->size()) % arch::NpuOf(arch).columns);
        spec.k_mt = specs->size() % 2 == 0 ? 0 : 128;
        specs->push_back(spec);
      }
    }
  }
}

}  // namespace

std::vector<DesignSpec> EveryDesign() {
  std::vector<DesignSpec> specs;
  for (const arch::NpuArch arch : {arch::NpuArch::kNpu1, arch::NpuArch::kNpu2}) {
    AddSingleCoreDesigns(arch, &specs);
    AddWholeArrays(arch, &specs);
  }
  return specs;
}

}  // namespace tilewave::testing
