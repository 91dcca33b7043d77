#include "arch/npu.h"

namespace tilewave::arch {
namespace {

// AIETargetModel::getNumBDs, getNumLocks, getDmaTaskQueueDepth (aie-rt: XAIE_DMA_MAX_QUEUE_SIZE),
// and the field widths of AM025 noc_module/dma/bd: 32-bit length, 10-bit wraps, 20-bit steps,
// 6-bit iteration. The third dimension of a shim descriptor has no wrap: its length implies it.
constexpr TileLimits kShim = {.memory_bytes = 0,
                              .program_bytes = 0,
                              .descriptors = 16,
                              .s2mm_channels = 2,
                              .mm2s_channels = 2,
                              .locks = 16,
                              .task_queue_depth = 4,
                              .descriptor_dims = 3,
                              .max_length_words = (int64_t{1} << 32) - 1,
                              .max_wrap = {1023, 1023, 0, 0},
                              .max_step_words = int64_t{1} << 20,
                              .max_iterations = 64,
                              .max_padding = {0, 0, 0},
                              .bank_bytes = 0,
                              .ports = {6, 4, 6, 8, 4, 4}};

// AM025 memory_tile_module/dma/bd: 17-bit length and steps, 10-bit wraps; the fourth has none;
// 6, 5 and 4 bits of padding. Banks: AIETargetModel::getNumBanks. Ports of all tiles:
// AIETargetModel::getNumDestSwitchboxConnections and getNumSourceSwitchboxConnections.
constexpr TileLimits kMemory = {.memory_bytes = 0x80000,
                                .program_bytes = 0,
                                .descriptors = 48,
                                .s2mm_channels = 6,
                                .mm2s_channels = 6,
                                .locks = 64,
                                .task_queue_depth = 4,
                                .descriptor_dims = 4,
                                .max_length_words = (1 << 17) - 1,
                                .max_wrap = {1023, 1023, 1023, 0},
                                .max_step_words = 1 << 17,
                                .max_iterations = 64,
                                .max_padding = {63, 31, 15},
                                .bank_bytes = 0x10000,
                                .ports = {6, 4, 4, 6, 0, 0}};

// AM025 memory_module/dma/bd: 14-bit length, 8-bit wraps, 13-bit steps; the third has no wrap.
constexpr TileLimits kCore = {.memory_bytes = 0x10000,
                              .program_bytes = 0x4000,
                              .descriptors = 16,
                              .s2mm_channels = 2,
                              .mm2s_channels = 2,
                              .locks = 16,
                              .task_queue_depth = 4,
                              .descriptor_dims = 3,
                              .max_length_words = (1 << 14) - 1,
                              .max_wrap = {255, 255, 0, 0},
                              .max_step_words = 1 << 13,
                              .max_iterations = 64,
                              .max_padding = {0, 0, 0},
                              .bank_bytes = 0x4000,
                              .ports = {6, 4, 4, 6, 4, 4}};

// 6-bit lock values (AM020 ch. 2), 8-bit repeat counts stored minus one (AM025 start_queue),
// default stack of mlir-aie, DevGen of the transaction header (aie-rt xaie_txn.h). Some toolchains
// (IREE's) count the fifth column of Phoenix, which has no way to memory, in that header.
// Bursts of 256 bytes, on npu2 512 (AM025 noc_module/dma/bd word 4; what mlir-aie writes).
// Contexts: amdxdna's hwctx_limit (npu1_regs.c, npu4_regs.c).
constexpr Npu kNpu1 = {"npu1", 4, 6, kShim, kMemory, kCore, 63, 256, 1024, 3, 256, 5, 2, 6};
constexpr Npu kNpu2 = {"npu2", 8, 6, kShim, kMemory, kCore, 63, 256, 1024, 4, 512, 8, 3, 16};

// AM025 register offsets; the same on npu2.
constexpr TileRegisters kShimRegisters = {0x1D000, 8, 0x1D200, 0x1D204, 0x1D210, 0x1D214, 0x14000};
constexpr TileRegisters kMemoryRegisters = {0xA0000, 8,       0xA0600, 0xA0604,
                                            0xA0630, 0xA0634, 0xC0000};
constexpr TileRegisters kCoreRegisters = {0x1D000, 6, 0x1DE00, 0x1DE04, 0x1DE10, 0x1DE14, 0x1F000};

}  // namespace

std::string_view Name(TileKind kind) {
  switch (kind) {
    case TileKind::kShim:
      return "shim";
    case TileKind::kMemory:
      return "memory";
    case TileKind::kCore:
      return "core";
  }
  return "unknown";
}

const Npu& NpuOf(NpuArch arch) { return arch == NpuArch::kNpu1 ? kNpu1 : kNpu2; }

const TileRegisters& RegistersOf(TileKind kind) {
  switch (kind) {
    case TileKind::kShim:
      return kShimRegisters;
    case TileKind::kMemory:
      return kMemoryRegisters;
    case TileKind::kCore:
      break;
  }
  return kCoreRegisters;
}

}  // namespace tilewave::arch
