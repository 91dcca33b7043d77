#pragma once

#include <cstdint>

namespace tilewave::kernels::cpu {

/// Portable C++, any CPU. Contract in kernel.h.
void Int8Gemm_portable_2x4x16(const int16_t* a, const int16_t* b, int64_t k_padded, int32_t* acc);

/// Test-only block shapes of the same code.
void Int8Gemm_portable_1x1x1(const int16_t* a, const int16_t* b, int64_t k_padded, int32_t* acc);
void Int8Gemm_portable_3x5x2(const int16_t* a, const int16_t* b, int64_t k_padded, int32_t* acc);

}  // namespace tilewave::kernels::cpu
