#pragma once

// What the XDNA arrays can do, as tables: the limits of tiles, DMA descriptors and queues.
// Sources: mlir-aie's AIETargetModel, AM020 (AIE-ML architecture) and AM025 (register reference),
// aie-rt's reginit tables; npu2's model inherits the values of npu1 (only columns differ).

#include <array>
#include <cstdint>
#include <string_view>

namespace tilewave::arch {

enum class TileKind : uint8_t { kShim, kMemory, kCore };

/// "shim", "memory", "core".
std::string_view Name(TileKind kind);

/// Most dimensions of a descriptor, without iteration: a memory tile has four.
inline constexpr int kMaxDims = 4;

/// Ports of a tile's stream switch: streams that leave to (out) and come from (in) a neighbour.
struct PortCounts {
  int north_out = 0;
  int north_in = 0;
  int south_out = 0;
  int south_in = 0;
  int east_out = 0;  ///< East and west: in as many as out; none at the edge of the array.
  int west_out = 0;
};

/// Limits of one kind of tile. 0 where a tile has no such thing.
struct TileLimits {
  int64_t memory_bytes = 0;
  int64_t program_bytes = 0;
  int descriptors = 0;
  int s2mm_channels = 0;  ///< Stream to memory.
  int mm2s_channels = 0;  ///< Memory to stream.
  int locks = 0;
  int task_queue_depth = 0;                  ///< Waiting tasks per channel; one more is dropped.
  int descriptor_dims = 0;                   ///< Without iteration.
  int64_t max_length_words = 0;              ///< Of one execution of a descriptor.
  std::array<int64_t, kMaxDims> max_wrap{};  ///< Per dimension, innermost first; 0: no limit.
  int64_t max_step_words = 0;                ///< Of every dimension and of the iteration.
  int64_t max_iterations = 0;
  std::array<int, 3> max_padding{};  ///< Around d0 (words), d1, d2; on each side, MM2S only.
  int64_t bank_bytes = 0;            ///< As the toolchain's allocator counts banks.
  PortCounts ports;
};

/// One generation of the array.
struct Npu {
  std::string_view name;  ///< "npu1", "npu2".
  int columns = 0;
  int rows = 0;  ///< Row 0 shim, row 1 memory tiles, cores above.
  TileLimits shim;
  TileLimits memory;
  TileLimits core;
  int max_lock_value = 0;
  int max_repeat = 0;               ///< Executions of one task, the first included.
  int64_t min_stack_bytes = 0;      ///< What the toolchain reserves if nobody says more.
  int stream_generation = 0;        ///< DevGen of the header of an instruction stream.
  int64_t macs_per_cycle_int8 = 0;  ///< Dense s8 x s8 of one core's vector unit.
  int stream_columns = 0;           ///< Most that the header of a stream may name.
  uint32_t burst_code = 0;          ///< Of the longest bursts of a shim descriptor.
  int max_contexts = 0;             ///< Hardware contexts at a time, of all processes.

  TileKind KindOf(int row) const {
    return row == 0 ? TileKind::kShim : row == 1 ? TileKind::kMemory : TileKind::kCore;
  }
  const TileLimits& LimitsOf(int row) const { return row == 0 ? shim : row == 1 ? memory : core; }
};

/// Which generation a design or a profile is for.
enum class NpuArch : uint8_t { kNpu1, kNpu2 };

const Npu& NpuOf(NpuArch arch);

/// The bank of a tile's memory at an address.
inline int64_t BankOf(const TileLimits& limits, int64_t address) {
  return limits.bank_bytes == 0 ? 0 : address / limits.bank_bytes;
}

/// DMA words are 4 bytes; every offset, stride and length is a multiple of that.
inline constexpr int64_t kWordBytes = 4;

/// Of submissions per hardware context (amdxdna: HWCTX_MAX_CMDS); a further one waits or is
/// refused.
inline constexpr int kMaxInFlight = 4;

/// Pages in which the array's addresses are translated, those of the host.
inline constexpr int64_t kPageBytes = 4096;

/// The device memory that holds the streams of a context, whole (amdxdna: AIE2_DEVM_SIZE).
inline constexpr int64_t kInstructionHeapBytes = int64_t{64} << 20;

/// What is taken from it begins at a multiple of this (amdxdna: dev_mem_buf_shift).
inline constexpr int64_t kHeapGranuleBytes = int64_t{32} << 10;

/// Buffers of chained submissions that each context holds there.
inline constexpr int kChainBuffers = 4;

/// Most runs of one chained submission (XRT splits longer run lists).
inline constexpr int kMaxChainRuns = 24;

/// Lines of the host's cache that a sync flushes whole: buffers that both sides write keep apart.
inline constexpr int64_t kCacheLineBytes = 64;

// --- Register map of a tile, as offsets in its 1 MiB window (column << 25 | row << 20) ---

inline constexpr int kColumnShift = 25;
inline constexpr int kRowShift = 20;

/// Where the registers of one kind of tile stand.
struct TileRegisters {
  uint32_t descriptors = 0;       ///< First descriptor.
  uint32_t descriptor_words = 0;  ///< Registers of one; they stand 0x20 apart.
  uint32_t s2mm_control = 0;      ///< Channel c at + 8 c.
  uint32_t s2mm_queue = 0;        ///< Channel c at + 8 c.
  uint32_t mm2s_control = 0;
  uint32_t mm2s_queue = 0;
  uint32_t locks = 0;  ///< Lock i at + 0x10 i.
};
inline constexpr uint32_t kDescriptorStride = 0x20;
inline constexpr uint32_t kChannelStride = 8;
inline constexpr uint32_t kLockStride = 0x10;

const TileRegisters& RegistersOf(TileKind kind);

/// Packet id of a shim tile's completion tokens: what mlir-aie assigns to all shim tiles
/// (AIEGenerateColumnControlOverlay), and so what a channel's Controller_ID must say.
inline constexpr int kShimControllerId = 15;

}  // namespace tilewave::arch
