#pragma once

#include <cstddef>
#include <cstdint>

#include "pack/panels.h"

namespace tilewave::kernels::cpu {

/// pack::PackBytes for panels of 32 columns in groups of four, fast where the columns or the
/// elements of K are contiguous. Needs AVX512 F, BW, VL and VNNI.
void PackQuads32_avx512(const pack::PanelSource& source, int64_t k, int64_t columns, uint8_t flip,
                        std::byte* panel, int32_t* sums);

}  // namespace tilewave::kernels::cpu
