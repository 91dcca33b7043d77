#pragma once

#include <cstddef>
#include <cstdint>

#include "pack/panels.h"

namespace tilewave::kernels::cpu {

// pack::PackBytes for panels of 16 columns, fast where the columns or the elements of K are
// contiguous. Need AVX2.

/// In groups of four bytes.
void PackQuads16_avx2(const pack::PanelSource& source, int64_t k, int64_t columns, uint8_t flip,
                      std::byte* panel, int32_t* sums);

/// In groups of two bytes.
void PackPairs16_avx2(const pack::PanelSource& source, int64_t k, int64_t columns, uint8_t flip,
                      std::byte* panel, int32_t* sums);

}  // namespace tilewave::kernels::cpu
