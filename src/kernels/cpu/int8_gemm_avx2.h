#pragma once

#include <cstdint>

namespace tilewave::kernels::cpu {

/// Contract: kernel.h. Needs AVX2 (vpmaddwd).
void Int8Gemm_avx2_3x4x16(const int16_t* a, const int16_t* b, int64_t k_padded, int32_t* acc);

}  // namespace tilewave::kernels::cpu
