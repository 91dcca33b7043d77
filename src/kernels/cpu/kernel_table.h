#pragma once

#include <span>
#include <string>
#include <string_view>

#include "arch/cpu.h"
#include "kernels/cpu/kernel.h"
#include "tilewave/status.h"

namespace tilewave::kernels::cpu {

/// All kernels, best first.
std::span<const Int8Kernel> Int8Kernels();

/// Whether this CPU can run it.
bool Supported(const Int8Kernel& kernel, const arch::Cpu& cpu);

/// The kernel of that name, or with an empty name the first one in the table that the CPU runs.
/// Errors: kNotFound (the message lists the names), kUnavailable (the CPU lacks the ISA).
[[nodiscard]] Result<const Int8Kernel*> ChooseInt8Kernel(std::string_view forced,
                                                         const arch::Cpu& cpu);

}  // namespace tilewave::kernels::cpu
