#pragma once

#include "kernels/aie/tile_arch.h"

namespace tilewave::kernels::aie {

/// out[i] = saturate(round(c[i] / 2^shift)): RequantShift on `elements` sums, block order kept.
/// `rounding` and `saturation` are the values of ::aie::rounding_mode and saturation_mode; the
/// kernel sets both, since the core keeps what the last kernel has left. shift in [0, 31].
///
/// In place if `out` is where `c` begins, which is why neither is __restrict: a vector is stored
/// after the loads of its own sums and of the next three vectors', over sums that have been loaded.
///
/// Never compiled for the array here. A vector is 4 loads into accumulators and 1 store, with 4
/// accumulators live. For all that the compiler knows, a store and the loads on both its sides may
/// meet, and a store with its shift reaches memory 2 cycles later than a load (llvm-aie for AIE2):
/// so 5 cycles from one vector to the next, elements * 5 / 32 on AIE2, / 64 on AIE2P. What a vector
/// waits for itself, 3 to its last load, 7 to the store and 3 to the load that follows, is within
/// the 20 cycles of four vectors.
template <typename Arch, unsigned elements>
void RequantiseS8(const int32* c, int8* out, int32 shift, int32 rounding, int32 saturation) {
  constexpr unsigned kLanes = Arch::kVectorBytes / sizeof(int8);
  constexpr unsigned kStride = 4 * kLanes;
  static_assert(elements > 0 && elements % kStride == 0, "C must be whole vectors, in fours");
  using Sums = ::aie::accum<acc32, kLanes>;
  const auto load = [c](Sums* sums, unsigned at) {
    sums->from_vector(::aie::load_v<kLanes>(c + at));
  };
  const auto store = [out, shift](const Sums& sums, unsigned at) {
    ::aie::store_v(out + at, sums.template to_vector<int8>(shift));
  };
  ::aie::set_rounding(static_cast<::aie::rounding_mode>(rounding));
  ::aie::set_saturation(static_cast<::aie::saturation_mode>(saturation));
  Sums sums0;
  Sums sums1;
  Sums sums2;
  Sums sums3;
  load(&sums0, 0);
  load(&sums1, kLanes);
  load(&sums2, 2 * kLanes);
  load(&sums3, 3 * kLanes);
  TW_AIE_PIPELINED
  for (unsigned done = 0; done < elements - kStride; done += kStride) {
    const unsigned next = done + kStride;
    store(sums0, done);
    load(&sums0, next);
    store(sums1, done + kLanes);
    load(&sums1, next + kLanes);
    store(sums2, done + (2 * kLanes));
    load(&sums2, next + (2 * kLanes));
    store(sums3, done + (3 * kLanes));
    load(&sums3, next + (3 * kLanes));
  }
  constexpr unsigned kLast = elements - kStride;
  store(sums0, kLast);
  store(sums1, kLast + kLanes);
  store(sums2, kLast + (2 * kLanes));
  store(sums3, kLast + (3 * kLanes));
}

}  // namespace tilewave::kernels::aie
