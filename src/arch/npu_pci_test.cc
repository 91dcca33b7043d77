#include "arch/npu_pci.h"

#include <gtest/gtest.h>

namespace tilewave::arch {
namespace {

TEST(NpuPciTest, DeviceAndRevisionNameAnNpu) {
  const NpuPciId* const phoenix = FindNpuPciId(0x1502, 0);
  ASSERT_NE(phoenix, nullptr);
  EXPECT_EQ(phoenix->arch, NpuArch::kNpu1);
  const NpuPciId* const halo = FindNpuPciId(0x17f0, 0x11);
  ASSERT_NE(halo, nullptr);
  EXPECT_EQ(halo->arch, NpuArch::kNpu2);
  EXPECT_EQ(halo->name, "Strix Halo");
  EXPECT_EQ(FindNpuPciId(0x17f0, 0x12), nullptr);
  EXPECT_EQ(FindNpuPciId(0x17f1, 0x10), nullptr);
}

TEST(NpuPciTest, LaterNpusAreNpusAllTheSame) {
  EXPECT_TRUE(IsNpuPciDevice(0x1502));
  EXPECT_TRUE(IsNpuPciDevice(0x17f1));
  EXPECT_FALSE(IsNpuPciDevice(0x15e4));  // AMD's sensor hub, of the same PCI class.
}

}  // namespace
}  // namespace tilewave::arch
