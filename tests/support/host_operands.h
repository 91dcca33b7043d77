#pragma once

// What the tests of operands on the host share.

#include <cstddef>
#include <vector>

#include "arch/cpu.h"
#include "kernels/cpu/kernel_table.h"

namespace tilewave::device::host {

/// What stands where nothing may be written.
inline constexpr std::byte kPoison{0xA5};

/// Kernels of the table that run here, which have all forms and all ways to pack.
inline std::vector<const kernels::cpu::Int8Kernel*> Kernels() {
  std::vector<const kernels::cpu::Int8Kernel*> kernels;
  for (const kernels::cpu::Int8Kernel& kernel : kernels::cpu::Int8Kernels()) {
    if (Supported(kernel, arch::DetectCpu())) kernels.push_back(&kernel);
  }
  return kernels;
}

}  // namespace tilewave::device::host
