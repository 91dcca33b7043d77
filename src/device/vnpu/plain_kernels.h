#pragma once

// The tile kernels in plain loops, after the contracts of kernel_table.h.

#include <cstddef>
#include <cstdint>
#include <span>

#include "program/array_program.h"

namespace tilewave::device::vnpu {

using KernelArguments = std::span<std::byte* const>;
using KernelScalars = std::span<const uint32_t>;

void ZeroS32(const program::Kernel& kernel, KernelArguments arguments, KernelScalars scalars);
void ZeroS16(const program::Kernel& kernel, KernelArguments arguments, KernelScalars scalars);
void ZeroS8(const program::Kernel& kernel, KernelArguments arguments, KernelScalars scalars);

/// C += A B on tiles of row-major blocks, or with the blocks of B transposed. Sums wrap modulo
/// 2^32, as the vector unit's do.
void MatmulS32(const program::Kernel& kernel, KernelArguments arguments, KernelScalars scalars);

/// The same for row-major tiles, where the blocks are single elements.
void MatmulRowMajorS32(const program::Kernel& kernel, KernelArguments arguments,
                       KernelScalars scalars);

/// C = clamp((A B) >> 7): what the report's kernel does to each tile on its own.
void MatmulRowMajorLossyS8(const program::Kernel& kernel, KernelArguments arguments,
                           KernelScalars scalars);

/// The vector unit's shift, round and saturate, from 32 to 8 bits.
void RequantiseS32S8(const program::Kernel& kernel, KernelArguments arguments,
                     KernelScalars scalars);

// Modes of the vector unit's control register, by its own numbers (AIE API, aie_types.hpp).
inline constexpr uint32_t kMostShift = 31;
bool IsRounding(uint32_t mode);
bool IsSaturation(uint32_t mode);

}  // namespace tilewave::device::vnpu
