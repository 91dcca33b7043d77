#pragma once

// Designs, the programs that they lower to and the launches of those, which tests share.

#include <cstdint>
#include <memory>
#include <vector>

#include "arch/npu.h"
#include "program/array_program.h"
#include "program/design_spec.h"
#include "program/sequence.h"

namespace tilewave::program {

inline constexpr Direction kS2mm = Direction::kS2mm;
inline constexpr Direction kMm2s = Direction::kMm2s;
inline constexpr DesignFamily kPacked = DesignFamily::kPackedTile;
inline constexpr DesignFamily kStream = DesignFamily::kKStream;

/// The tiles of the designs of one core, and the memory tile between them.
inline constexpr Tile kShim{0, 0};
inline constexpr Tile kMemory{0, 1};
inline constexpr Tile kCore{0, 2};

inline const arch::Npu& Npu1() { return arch::NpuOf(arch::NpuArch::kNpu1); }

DesignSpec SingleCoreSpec(DesignFamily family, int64_t tile, TileKernel kernel,
                          TileOutput output = TileOutput::kS32,
                          arch::NpuArch arch = arch::NpuArch::kNpu1);

/// All designs of one core that are built, for both arrays.
std::vector<DesignSpec> AllSingleCoreSpecs();

/// What these give; the test fails where they refuse.
ArrayProgram Lowered(const DesignSpec& spec);
std::shared_ptr<const ArrayProgram> SharedProgram(const DesignSpec& spec);
Sequence SequenceOf(const ArrayProgram& program, int64_t k_steps);

/// Buffers a_0, a_1, b_0, b_1 of 4096 bytes from 3328 on, c_0 at 19712 of 16384, parameter k_steps
/// at 36096; locks a_empty 0, a_full 1, b_empty 2, b_full 3, c_empty 4, c_full 5, start 6; channels
/// S2MM 0 with descriptors 0 and 1, S2MM 1 with 2 and 3, MM2S 0 with 4.
ArrayProgram KStream(arch::NpuArch arch);

}  // namespace tilewave::program
