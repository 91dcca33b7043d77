#pragma once

#include <cstdint>

namespace tilewave::kernels::cpu {

/// Contract: kernel.h. Needs AVX512F, AVX512BW and AVX512_VNNI (vpdpwssd).
void Int8Gemm_avx512vnni_4x4x32(const int16_t* a, const int16_t* b, int64_t k_padded, int32_t* acc);

}  // namespace tilewave::kernels::cpu
