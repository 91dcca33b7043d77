#pragma once

#include <cstdint>

#include "arch/cpu.h"

namespace tilewave::testing {

inline constexpr int64_t kTinyL3Bytes = 4096;
inline constexpr int64_t kAmpleL3Bytes = int64_t{1} << 30;

/// This CPU with caches so small that small products have many blocks. An L3 cache is as large as
/// said: outputs beyond it are written past the caches.
inline arch::Cpu TinyCaches(int64_t l3_bytes) {
  arch::Cpu cpu = arch::DetectCpu();
  cpu.l1_bytes = 2048;
  cpu.l2_bytes = 16384;
  cpu.l3_bytes = l3_bytes;
  return cpu;
}

}  // namespace tilewave::testing
