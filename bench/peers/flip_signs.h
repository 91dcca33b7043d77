#pragma once

#include <cstdint>

namespace peers {

/// s8 to u8 = s8 + 128, for libraries whose left operand is unsigned.
#if defined(__x86_64__)
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif
inline void
FlipSigns(const uint8_t* from, uint8_t* to, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] = from[i] ^ 0x80;
}

}  // namespace peers
