#pragma once

#include <vector>

#include "arch/cpu.h"
#include "kernels/cpu/kernel_table.h"

namespace tilewave::testing {

/// Of all kernels that run here.
inline std::vector<const char*> KernelNames() {
  std::vector<const char*> names;
  for (const kernels::cpu::Int8Kernel& kernel : kernels::cpu::Int8Kernels()) {
    if (kernels::cpu::Supported(kernel, arch::DetectCpu())) names.push_back(kernel.name);
  }
  return names;
}

}  // namespace tilewave::testing
