#pragma once

// NPUs as they show on the PCI bus.
// Source: amdxdna: pci_ids and amdxdna_ids in amdxdna_pci_drv.c, fw_path and hwctx_limit in
// npu1_regs.c and npu4_regs.c to npu6_regs.c.

#include <array>
#include <cstdint>
#include <string_view>

#include "arch/npu.h"

namespace tilewave::arch {

inline constexpr uint32_t kAmdPciVendor = 0x1022;

/// One kind of NPU, by the ids of its PCI function.
struct NpuPciId {
  uint32_t device = 0;
  uint32_t revision = 0;
  NpuArch arch = NpuArch::kNpu1;
  std::string_view name;  ///< Of the processors that have it.
  /// Under amdnpu/ of the firmware folders; the driver reads the first, older ones the second.
  std::array<std::string_view, 2> firmware_folders;
};

/// Null if tilewave does not know this NPU.
const NpuPciId* FindNpuPciId(uint32_t device, uint32_t revision);

/// Whether this device of AMD's is an NPU, known to tilewave or not: the driver would take it.
bool IsNpuPciDevice(uint32_t device);

}  // namespace tilewave::arch
