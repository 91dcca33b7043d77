#pragma once

#include "kernels/aie/tile_arch.h"

namespace tilewave::kernels::aie {

/// C = 0 for `elements` sums: one store per cycle, elements / 8 cycles on AIE2, / 16 on AIE2P.
/// REQUIRES: c aligned to Arch::kVectorBytes, here and in all kernels.
template <typename Arch, unsigned elements>
void ZeroS32(int32* __restrict c) {
  constexpr unsigned kLanes = Arch::kVectorBytes / sizeof(int32);
  static_assert(elements % kLanes == 0, "C must be whole vectors");
  const ::aie::vector<int32, kLanes> zeros = ::aie::zeros<int32, kLanes>();
  TW_AIE_PIPELINED
  for (unsigned i = 0; i < elements; i += kLanes) ::aie::store_v(c + i, zeros);
}

}  // namespace tilewave::kernels::aie
