#include "arch/npu_pci.h"

#include <algorithm>

namespace tilewave::arch {
namespace {

constexpr std::array<NpuPciId, 4> kNpuPciIds = {{
    {0x1502, 0x00, NpuArch::kNpu1, "Phoenix or Hawk Point", {"1502_00", "1502_00"}},
    {0x17f0, 0x10, NpuArch::kNpu2, "Strix", {"17f0_10", "17f0_10"}},
    {0x17f0, 0x11, NpuArch::kNpu2, "Strix Halo", {"17f0_11", "17f0_11"}},
    {0x17f0, 0x20, NpuArch::kNpu2, "Krackan", {"17f0_10", "17f0_20"}},
}};

// 0x17f1 to 0x17f3 are of a later generation, which needs other programs.
constexpr std::array<uint32_t, 5> kNpuPciDevices = {0x1502, 0x17f0, 0x17f1, 0x17f2, 0x17f3};

}  // namespace

const NpuPciId* FindNpuPciId(uint32_t device, uint32_t revision) {
  const auto* const found = std::find_if(
      kNpuPciIds.begin(), kNpuPciIds.end(),
      [&](const NpuPciId& id) { return id.device == device && id.revision == revision; });
  return found == kNpuPciIds.end() ? nullptr : found;
}

bool IsNpuPciDevice(uint32_t device) {
  return std::find(kNpuPciDevices.begin(), kNpuPciDevices.end(), device) != kNpuPciDevices.end();
}

}  // namespace tilewave::arch
