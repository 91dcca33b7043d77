#include "arch/npu.h"

#include <gtest/gtest.h>

namespace tilewave::arch {
namespace {

TEST(NpuTest, KindsOfRows) {
  const Npu& npu = NpuOf(NpuArch::kNpu1);
  EXPECT_EQ(Name(npu.KindOf(0)), "shim");
  EXPECT_EQ(Name(npu.KindOf(1)), "memory");
  EXPECT_EQ(Name(npu.KindOf(2)), "core");
  EXPECT_EQ(Name(npu.KindOf(5)), "core");
  EXPECT_EQ(&npu.LimitsOf(0), &npu.shim);
  EXPECT_EQ(&npu.LimitsOf(1), &npu.memory);
  EXPECT_EQ(&npu.LimitsOf(5), &npu.core);
}

TEST(NpuTest, GenerationsDifferInColumnsRateAndStreamOnly) {
  const Npu& npu1 = NpuOf(NpuArch::kNpu1);
  const Npu& npu2 = NpuOf(NpuArch::kNpu2);
  EXPECT_EQ(npu1.name, "npu1");
  EXPECT_EQ(npu2.name, "npu2");
  EXPECT_EQ(npu1.columns, 4);
  EXPECT_EQ(npu2.columns, 8);
  EXPECT_EQ(npu1.stream_generation, 3);
  EXPECT_EQ(npu2.stream_generation, 4);
  EXPECT_EQ(npu1.macs_per_cycle_int8, 256);
  EXPECT_EQ(npu2.macs_per_cycle_int8, 512);
  EXPECT_EQ(npu1.max_contexts, 6);
  EXPECT_EQ(npu2.max_contexts, 16);
  EXPECT_EQ(npu1.rows, npu2.rows);
}

TEST(NpuTest, LimitsOfBothGenerations) {
  for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
    const Npu& npu = NpuOf(arch);
    SCOPED_TRACE(npu.name);
    EXPECT_EQ(npu.rows, 6);
    EXPECT_EQ(npu.max_lock_value, 63);
    EXPECT_EQ(npu.max_repeat, 256);

    EXPECT_EQ(npu.shim.max_wrap, (std::array<int64_t, kMaxDims>{1023, 1023, 0, 0}));
    EXPECT_EQ(npu.shim.max_step_words, 1 << 20);
    EXPECT_EQ(npu.shim.max_length_words, 0xFFFFFFFF);
    EXPECT_EQ(npu.shim.descriptors, 16);
    EXPECT_EQ(npu.shim.descriptor_dims, 3);

    EXPECT_EQ(npu.memory.memory_bytes, 512 * 1024);
    EXPECT_EQ(npu.memory.descriptors, 48);
    EXPECT_EQ(npu.memory.locks, 64);
    EXPECT_EQ(npu.memory.s2mm_channels, 6);
    EXPECT_EQ(npu.memory.mm2s_channels, 6);
    EXPECT_EQ(npu.memory.max_length_words, 131071);

    EXPECT_EQ(npu.core.memory_bytes, 64 * 1024);
    EXPECT_EQ(npu.core.program_bytes, 16 * 1024);
    EXPECT_EQ(npu.core.max_length_words, 16383);
    EXPECT_EQ(npu.core.max_wrap, (std::array<int64_t, kMaxDims>{255, 255, 0, 0}));
    EXPECT_EQ(npu.core.max_step_words, 8192);

    for (const TileLimits* tile : {&npu.shim, &npu.memory, &npu.core}) {
      EXPECT_EQ(tile->task_queue_depth, 4);
      EXPECT_EQ(tile->max_iterations, 64);
    }
    for (const TileLimits* tile : {&npu.shim, &npu.core}) {
      EXPECT_EQ(tile->s2mm_channels, 2);
      EXPECT_EQ(tile->mm2s_channels, 2);
      EXPECT_EQ(tile->locks, 16);
    }
  }
}

TEST(NpuTest, Registers) {
  const TileRegisters& shim = RegistersOf(TileKind::kShim);
  EXPECT_EQ(shim.descriptors, 0x1D000u);
  EXPECT_EQ(shim.s2mm_control, 0x1D200u);
  EXPECT_EQ(shim.s2mm_queue, 0x1D204u);
  EXPECT_EQ(shim.mm2s_control, 0x1D210u);
  EXPECT_EQ(shim.mm2s_queue, 0x1D214u);
  EXPECT_EQ(shim.locks, 0x14000u);
  const TileRegisters& memory = RegistersOf(TileKind::kMemory);
  EXPECT_EQ(memory.descriptors, 0xA0000u);
  EXPECT_EQ(memory.mm2s_queue, 0xA0634u);
  EXPECT_EQ(memory.locks, 0xC0000u);
  const TileRegisters& core = RegistersOf(TileKind::kCore);
  EXPECT_EQ(core.descriptor_words, 6u);
  EXPECT_EQ(core.s2mm_queue, 0x1DE04u);
  EXPECT_EQ(core.locks, 0x1F000u);
}

}  // namespace
}  // namespace tilewave::arch
