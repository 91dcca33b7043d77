#pragma once

#include "kernels/aie/tile_arch.h"

namespace tilewave::kernels::aie {

/// out[i] = saturate(round(c[i] / 2^shift)): RequantShift on `elements` sums, block order kept.
/// `rounding` and `saturation` are the values of ::aie::rounding_mode and saturation_mode; the
/// kernel sets both, since the core keeps what the last kernel has left. shift in [0, 31].
/// 4 loads into accumulators and 1 store in 4 cycles, never compiled for the array here:
/// elements / 8 cycles on AIE2, / 16 on AIE2P.
template <typename Arch, unsigned elements>
void RequantiseS8(const int32* __restrict c, int8* __restrict out, int32 shift, int32 rounding,
                  int32 saturation) {
  constexpr unsigned kLanes = Arch::kVectorBytes / sizeof(int8);
  static_assert(elements % kLanes == 0, "C must be whole vectors");
  ::aie::set_rounding(static_cast<::aie::rounding_mode>(rounding));
  ::aie::set_saturation(static_cast<::aie::saturation_mode>(saturation));
  TW_AIE_PIPELINED
  for (unsigned i = 0; i < elements; i += kLanes) {
    ::aie::accum<acc32, kLanes> sums;
    sums.from_vector(::aie::load_v<kLanes>(c + i));
    ::aie::store_v(out + i, sums.template to_vector<int8>(shift));
  }
}

}  // namespace tilewave::kernels::aie
