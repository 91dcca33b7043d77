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
#include "program/stream.h"
#include "program/whole_array_launch.h"
#include "tests/support/program_samples.h"
#include "tests/support/vnpu_samples.h"

namespace tilewave::kernels::aie {
namespace {

using arch::NpuArch;
using device::vnpu::ArraySim;
using device::vnpu::FindKernel;
using device::vnpu::KernelEntry;
using device::vnpu::KernelTable;
using device::vnpu::KernelWork;
using device::vnpu::PhoenixAs;
using device::vnpu::PlainKernels;
using program::ArrayProgram;
using program::BLayout;
using program::DesignFamily;
using program::DesignSpec;
using program::ImageLayout;
using program::Kernel;
using program::ProductShape;
using program::SharedProgram;
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
  const HostKernels& kernels = Find(kernel);
  const auto matmul = kernel.b_transposed ? kernels.matmul_b_transposed : kernels.matmul;
  matmul(reinterpret_cast<const int8_t*>(arguments[0]),
         reinterpret_cast<const int8_t*>(arguments[1]), reinterpret_cast<int32_t*>(arguments[2]));
}

void Requantise(const Kernel& kernel, std::span<std::byte* const> arguments,
                std::span<const uint32_t> scalars) {
  ++calls;
  Find(kernel).requantise(reinterpret_cast<const int32_t*>(arguments[0]),
                          reinterpret_cast<int8_t*>(arguments[1]), static_cast<int32_t>(scalars[0]),
                          static_cast<int32_t>(scalars[1]), static_cast<int32_t>(scalars[2]));
}

constexpr KernelEntry kArrayKernels[] = {
    {"zero_s32", KernelWork::kZero, TileKernel::kVector, "s32", Zero},
    {"matmul_vector_s8_s32", KernelWork::kMatmul, TileKernel::kVector, "s32", Matmul},
    {"matmul_vector_s8_s32_bt", KernelWork::kMatmul, TileKernel::kVector, "s32", Matmul},
    {"requantise_s32_s8", KernelWork::kRequantise, TileKernel::kVector, "s8", Requantise},
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

// Arrays whose columns feed two rows of cores each, one, or some of them two; B in every order,
// sums drained as they are, requantised in place and beside.
std::vector<DesignSpec> WholeArraySpecs() {
  std::vector<DesignSpec> specs;
  const std::pair<NpuArch, int> arrays[] = {
      {NpuArch::kNpu1, 2}, {NpuArch::kNpu1, 4}, {NpuArch::kNpu2, 3}};
  for (const auto& [arch, columns] : arrays) {
    for (const BLayout layout : {BLayout::kRowMajor, BLayout::kColumnMajor, BLayout::kPacked}) {
      for (const TileOutput output : {TileOutput::kS32, TileOutput::kS8}) {
        for (const int c_buffers : {1, 2}) {
          DesignSpec spec;
          spec.family = DesignFamily::kWholeArray;
          spec.arch = arch;
          spec.tile_m = arch == NpuArch::kNpu1 ? 24 : 48;
          spec.tile_k = 40;
          spec.tile_n = arch == NpuArch::kNpu1 ? 48 : 16;
          spec.output = output;
          spec.columns = columns;
          spec.k_mt = 80;
          spec.b_layout = layout;
          spec.c_buffers = c_buffers;
          specs.push_back(spec);
        }
      }
    }
  }
  return specs;
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
  const std::shared_ptr<const ArrayProgram> program = SharedProgram(spec);
  const profile::Profile profile = PhoenixAs(spec.arch);
  Result<std::unique_ptr<ArraySim>> sim = ArraySim::Make(program, profile, table);
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

// C's image and the end of each of several launches, as `table` computes them. What lies in the
// images is random to their ends: what is beyond the product is multiplied as well.
std::vector<std::pair<std::vector<std::byte>, int64_t>> LaunchWholeArray(
    const DesignSpec& spec, const std::vector<ProductShape>& shapes, KernelTable table) {
  const std::shared_ptr<const ArrayProgram> program = SharedProgram(spec);
  const profile::Profile profile = PhoenixAs(spec.arch);
  Result<std::unique_ptr<ArraySim>> sim = ArraySim::Make(program, profile, table);
  EXPECT_TRUE(sim.ok()) << sim.status().ToString();
  std::vector<std::pair<std::vector<std::byte>, int64_t>> launches;
  int64_t start_ps = 0;
  for (const ProductShape& shape : shapes) {
    const Result<ImageLayout> layout = program::ImageLayoutOf(spec, shape);
    EXPECT_TRUE(layout.ok()) << layout.status().ToString();
    const Result<program::Sequence> sequence =
        program::WholeArraySequence(*program, shape, *layout);
    EXPECT_TRUE(sequence.ok()) << sequence.status().ToString();
    const auto words = program::EncodeStream(*sequence, arch::NpuOf(spec.arch));
    EXPECT_TRUE(words.ok()) << words.status().ToString();
    std::vector<std::byte> a = RandomBytes(layout->a_bytes * layout->a_matrices, 1);
    std::vector<std::byte> b = RandomBytes(layout->b_bytes * layout->b_matrices, 2);
    std::vector<std::byte> c = RandomBytes(layout->c_bytes * layout->c_matrices, 3);
    std::vector<ArraySim::Argument> arguments;
    for (std::vector<std::byte>* image : {&a, &b, &c}) {
      arguments.push_back({image->data(), static_cast<int64_t>(image->size())});
    }
    const ArraySim::Outcome outcome = (*sim)->Run(*words, arguments, start_ps);
    EXPECT_TRUE(outcome.status.ok()) << outcome.status.ToString();
    start_ps = outcome.end_ps;
    launches.emplace_back(std::move(c), outcome.end_ps);
  }
  return launches;
}

TEST(AieHostKernelsTest, AreTheKernelsOfEveryVectorDesign) {
  std::vector<DesignSpec> specs = VectorSpecs();
  for (const DesignSpec& spec : WholeArraySpecs()) specs.push_back(spec);
  for (const DesignSpec& spec : specs) {
    const std::shared_ptr<const ArrayProgram> program = SharedProgram(spec);
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

TEST(AieHostKernelsTest, WholeArraysGiveTheBytesAndTimesOfPlainLoops) {
  for (const DesignSpec& spec : WholeArraySpecs()) {
    const RequantShift to_nearest{9, Rounding::kConvEven, Saturation::kSaturate};
    const RequantShift down{3, Rounding::kFloor, Saturation::kNone};
    const std::vector<ProductShape> shapes = {
        {2, (spec.tile_m * 4) + 5, 81, (spec.tile_n * spec.columns) + 3, false, false, to_nearest},
        {1, 1, 1, 1, false, false, down},
        {2, 37, 200, 29, true, false, down},
    };
    calls = 0;
    const auto array = LaunchWholeArray(spec, shapes, kArrayKernels);
    EXPECT_GT(calls, 0) << program::Name(spec);
    EXPECT_EQ(array, LaunchWholeArray(spec, shapes, PlainKernels())) << program::Name(spec);
  }
}

}  // namespace
}  // namespace tilewave::kernels::aie
