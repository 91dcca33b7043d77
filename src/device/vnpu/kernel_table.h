#pragma once

// What a call of a tile kernel does to bytes. The virtual NPU takes a table by injection: plain
// loops here, or another build of the same contracts in tests. Never the CPU backend's kernels,
// whose mistakes it would share.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "program/array_program.h"
#include "tilewave/status.h"

namespace tilewave::device::vnpu {

enum class KernelWork : uint8_t { kZero, kMatmul, kRequantise };

/// One kernel. Arguments are those of the call in a core program: zero {C}; matmul {A, B, C};
/// requantise {sums, C}, which may be the same buffer, with scalars {shift, rounding, saturation}.
struct KernelEntry {
  std::string_view name;
  KernelWork work = KernelWork::kMatmul;
  program::TileKernel unit = program::TileKernel::kVector;
  std::string_view output;  ///< "s32", "s16" or "s8": C's type, and which cycle model holds.
  /// Computes on the bytes; null: nobody does, the kernel can only be timed.
  /// REQUIRES: arguments as large as ArgumentBytes says, scalars that CheckScalars accepts.
  void (*run)(const program::Kernel& kernel, std::span<std::byte* const> arguments,
              std::span<const uint32_t> scalars) = nullptr;

  int argument_count() const {
    return work == KernelWork::kZero ? 1 : work == KernelWork::kMatmul ? 3 : 2;
  }
  int scalar_count() const { return work == KernelWork::kRequantise ? 3 : 0; }
  /// The last argument is written, the others are read.
  bool Writes(int argument) const { return argument == argument_count() - 1; }
  int64_t ArgumentBytes(const program::Kernel& kernel, int argument) const;

  /// kInternal, naming the value and what is expected, if the kernel has no such mode.
  /// REQUIRES: scalar_count() of them.
  [[nodiscard]] Status CheckScalars(std::span<const uint32_t> scalars) const;
};

using KernelTable = std::span<const KernelEntry>;

/// Null if there is none of that name.
const KernelEntry* FindKernel(KernelTable table, std::string_view name);

/// Every kernel that Lower() calls, with plain loops for those whose results anybody wants.
KernelTable PlainKernels();

}  // namespace tilewave::device::vnpu
