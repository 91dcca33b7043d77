// The virtual NPU with the array's own kernel source in place of its plain loops.

#include "kernels/aie/host_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/random.h"
#include "device/vnpu/array_sim.h"
#include "device/vnpu/kernel_table.h"
#include "profile/profile.h"
#include "program/lower.h"
#include "program/stream.h"

namespace tilewave::kernels::aie {
namespace {

using arch::NpuArch;
using device::vnpu::ArraySim;
using device::vnpu::FindKernel;
using device::vnpu::KernelEntry;
using device::vnpu::KernelTable;
using device::vnpu::KernelWork;
using device::vnpu::PlainKernels;
using program::ArrayProgram;
using program::DesignFamily;
using program::DesignSpec;
using program::Kernel;
using program::TileKernel;
using program::TileOutput;

const HostKernels& Find(const Kernel& kernel) {
  const HostKernels* found =
      FindHostKernelsForTest(kernel.block.rows, kernel.m, kernel.k, kernel.n);
  EXPECT_NE(found, nullptr) << kernel.m << "x" << kernel.k << "x" << kernel.n;
  return *found;
}

int calls = 0;  // Shows that these ran and not the plain ones.

void Zero(const Kernel& kernel, std::span<std::byte* const> arguments,
          std::span<const uint32_t> /*scalars*/) {
  ++calls;
  Find(kernel).zero(reinterpret_cast<int32_t*>(arguments[0]));
}

void Matmul(const Kernel& kernel, std::span<std::byte* const> arguments,
            std::span<const uint32_t> /*scalars*/) {
  ++calls;
  Find(kernel).matmul(reinterpret_cast<const int8_t*>(arguments[0]),
                      reinterpret_cast<const int8_t*>(arguments[1]),
                      reinterpret_cast<int32_t*>(arguments[2]));
}

constexpr KernelEntry kArrayKernels[] = {
    {"zero_s32", KernelWork::kZero, TileKernel::kVector, "s32", Zero},
    {"matmul_vector_s8_s32", KernelWork::kMatmul, TileKernel::kVector, "s32", Matmul},
};

std::vector<DesignSpec> VectorSpecs() {
  std::vector<DesignSpec> specs;
  for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
    for (const int64_t edge : {16, 32, 64}) {
      specs.push_back({DesignFamily::kPackedTile, arch, edge, edge, edge, TileKernel::kVector,
                       TileOutput::kS32, 3328});
    }
    specs.push_back(
        {DesignFamily::kKStream, arch, 64, 64, 64, TileKernel::kVector, TileOutput::kS32, 3328});
  }
  return specs;
}

std::shared_ptr<const ArrayProgram> Lowered(const DesignSpec& spec) {
  Result<ArrayProgram> program = program::Lower(spec);
  EXPECT_TRUE(program.ok()) << program.status().ToString();
  return std::make_shared<const ArrayProgram>(*std::move(program));
}

std::vector<std::byte> RandomBytes(int64_t count, uint64_t seed) {
  base::Random random(seed);
  std::vector<std::byte> bytes(static_cast<size_t>(count));
  for (std::byte& each : bytes) each = static_cast<std::byte>(random.Next() >> 56);
  return bytes;
}

// C as `table` computes it in one launch of random operands.
std::pair<std::vector<std::byte>, int64_t> Launch(const DesignSpec& spec, int64_t k_steps,
                                                  KernelTable table) {
  Result<profile::Profile> profile = profile::FindProfile("phoenix");
  EXPECT_TRUE(profile.ok()) << profile.status().ToString();
  profile->arch = spec.arch;
  const std::shared_ptr<const ArrayProgram> program = Lowered(spec);
  Result<std::unique_ptr<ArraySim>> sim = ArraySim::Make(program, *profile, table);
  EXPECT_TRUE(sim.ok()) << sim.status().ToString();
  Result<program::Sequence> sequence = program::LaunchSequence(*program, k_steps);
  EXPECT_TRUE(sequence.ok()) << sequence.status().ToString();
  const auto words = program::EncodeStream(*sequence, arch::NpuOf(spec.arch));
  EXPECT_TRUE(words.ok()) << words.status().ToString();

  const int64_t a_bytes = spec.tile_m * spec.tile_k * k_steps;
  const int64_t b_bytes = spec.tile_k * spec.tile_n * k_steps;
  std::vector<std::byte> c(static_cast<size_t>(spec.tile_m * spec.tile_n * 4));
  std::vector<std::vector<std::byte>> inputs;
  if (spec.family == DesignFamily::kPackedTile) {
    inputs.push_back(RandomBytes(a_bytes + b_bytes, 1));
  } else {
    inputs.push_back(RandomBytes(a_bytes, 1));
    inputs.push_back(RandomBytes(b_bytes, 2));
  }
  std::vector<ArraySim::Argument> arguments;
  for (std::vector<std::byte>& input : inputs) {
    arguments.push_back({input.data(), static_cast<int64_t>(input.size())});
  }
  arguments.push_back({c.data(), static_cast<int64_t>(c.size())});
  const ArraySim::Outcome outcome = (*sim)->Run(*words, arguments, 0);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.ToString();
  return {c, outcome.end_ps};
}

TEST(AieHostKernelsTest, AreTheKernelsOfEveryVectorDesign) {
  for (const DesignSpec& spec : VectorSpecs()) {
    const std::shared_ptr<const ArrayProgram> program = Lowered(spec);
    for (const Kernel& kernel : program->cores[0].kernels) {
      const KernelEntry* entry = FindKernel(kArrayKernels, kernel.name);
      ASSERT_NE(entry, nullptr) << kernel.name;
      const KernelEntry* plain = FindKernel(PlainKernels(), kernel.name);
      ASSERT_NE(plain, nullptr) << kernel.name;
      EXPECT_EQ(entry->work, plain->work);
      EXPECT_EQ(entry->unit, plain->unit);
      EXPECT_EQ(entry->output, plain->output);
    }
  }
}

TEST(AieHostKernelsTest, LaunchesGiveTheBytesAndTimesOfPlainLoops) {
  for (const DesignSpec& spec : VectorSpecs()) {
    for (const int64_t k_steps : {1, 3}) {
      if (k_steps > 1 && spec.family == DesignFamily::kPackedTile) continue;
      calls = 0;
      const auto array = Launch(spec, k_steps, kArrayKernels);
      EXPECT_GE(calls, k_steps) << program::Name(spec);
      EXPECT_EQ(array, Launch(spec, k_steps, PlainKernels())) << program::Name(spec);
    }
  }
}

}  // namespace
}  // namespace tilewave::kernels::aie
