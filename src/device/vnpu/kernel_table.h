#pragma once

// What a call of a tile kernel does to bytes. The virtual NPU takes a table by injection: plain
// loops here, or another build of the same contracts in tests. Never the CPU backend's kernels,
// whose mistakes it would share.

#include <cstddef>
#include <span>
#include <string_view>

#include "program/array_program.h"

namespace tilewave::device::vnpu {

enum class KernelWork : uint8_t { kZero, kMatmul };

/// One kernel. Arguments are those of the call in a core program: zero {C}; matmul {A, B, C}.
struct KernelEntry {
  std::string_view name;
  KernelWork work = KernelWork::kMatmul;
  program::TileKernel unit = program::TileKernel::kVector;
  std::string_view output;  ///< "s32" or "s8": which cycle model of the profile holds.
  /// Computes on the bytes. REQUIRES: arguments as large as ArgumentBytes says.
  void (*run)(const program::Kernel& kernel, std::span<std::byte* const> arguments) = nullptr;

  int argument_count() const { return work == KernelWork::kZero ? 1 : 3; }
  /// The last argument is written, the others are read.
  bool Writes(int argument) const { return argument == argument_count() - 1; }
  int64_t ArgumentBytes(const program::Kernel& kernel, int argument) const;
};

using KernelTable = std::span<const KernelEntry>;

/// Null if there is none of that name.
const KernelEntry* FindKernel(KernelTable table, std::string_view name);

/// Plain loops for every kernel that Lower() calls.
KernelTable PlainKernels();

}  // namespace tilewave::device::vnpu
