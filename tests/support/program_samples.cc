#include "tests/support/program_samples.h"

#include <gtest/gtest.h>

#include "program/lower.h"
#include "tilewave/status.h"

namespace tilewave::program {

DesignSpec SingleCoreSpec(DesignFamily family, int64_t tile, TileKernel kernel, TileOutput output,
                          arch::NpuArch arch) {
  DesignSpec spec;
  spec.family = family;
  spec.arch = arch;
  spec.tile_m = spec.tile_k = spec.tile_n = tile;
  spec.kernel = kernel;
  spec.output = output;
  return spec;
}

std::vector<DesignSpec> AllSingleCoreSpecs() {
  constexpr TileOutput kS32 = TileOutput::kS32;
  std::vector<DesignSpec> specs;
  for (const arch::NpuArch arch : {arch::NpuArch::kNpu1, arch::NpuArch::kNpu2}) {
    for (const int64_t tile : {16, 32, 64}) {
      specs.push_back(SingleCoreSpec(kPacked, tile, TileKernel::kScalar, kS32, arch));
      specs.push_back(SingleCoreSpec(kPacked, tile, TileKernel::kVector, kS32, arch));
      specs.push_back(
          SingleCoreSpec(kPacked, tile, TileKernel::kScalar, TileOutput::kS8Lossy, arch));
    }
    specs.push_back(SingleCoreSpec(kStream, 64, TileKernel::kScalar, kS32, arch));
    specs.push_back(SingleCoreSpec(kStream, 64, TileKernel::kVector, kS32, arch));
  }
  return specs;
}

ArrayProgram Lowered(const DesignSpec& spec) {
  const Result<ArrayProgram> program = Lower(spec);
  EXPECT_TRUE(program.ok()) << Name(spec) << ": " << program.status().ToString();
  return program.ok() ? *program : ArrayProgram();
}

std::shared_ptr<const ArrayProgram> SharedProgram(const DesignSpec& spec) {
  return std::make_shared<const ArrayProgram>(Lowered(spec));
}

Sequence SequenceOf(const ArrayProgram& program, int64_t k_steps) {
  const Result<Sequence> sequence = LaunchSequence(program, k_steps);
  EXPECT_TRUE(sequence.ok()) << sequence.status().ToString();
  return sequence.ok() ? *sequence : Sequence();
}

ArrayProgram KStream(arch::NpuArch arch) {
  DesignSpec spec;
  spec.arch = arch;
  return Lowered(spec);
}

}  // namespace tilewave::program
