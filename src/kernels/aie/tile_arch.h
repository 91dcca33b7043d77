#pragma once

// What differs between the cores that the tile kernels are written for. As all kernel sources
// here, it includes nothing but the AIE API and its neighbours: the array's compiler reads it.

#include <aie_api/aie.hpp>

// In front of a loop that should run as a software pipeline. Peano pipelines rolled loops by
// itself, and miscompiles the deep K loop of AIE2P when it is unrolled; chess wants to be asked.
#if defined(__chess__)
#define TW_AIE_PIPELINED [[chess::prepare_for_pipelining]]
#elif defined(__AIECC__)
#define TW_AIE_PIPELINED _Pragma("clang loop unroll(disable)")
#else
#define TW_AIE_PIPELINED
#endif

namespace tilewave::kernels::aie {

/// XDNA (npu1).
struct Aie2 {
  using Mmul = ::aie::mmul<4, 8, 8, int8, int8, acc32>;  ///< One vmac.
  static constexpr unsigned kVectorBytes = 32;           ///< Of a load or store.
};

/// XDNA2 (npu2).
struct Aie2p {
  using Mmul = ::aie::mmul<8, 8, 8, int8, int8, acc32>;
  static constexpr unsigned kVectorBytes = 64;
};

}  // namespace tilewave::kernels::aie
