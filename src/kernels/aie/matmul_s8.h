#pragma once

// C += A B on one tile: s8 by s8 into s32 sums in L1.
//
// The schedule that this is written for. It was never compiled for the array here: the accesses
// below are counted by a test; the cycles follow from them and are not measured.
//
// C is covered by groups of 2 x 2 blocks: each loaded block is used twice, and 4 accumulators are
// live (8 have been seen to spill). One step of the K loop over a group:
//
//                     AIE2, 8 x 16 of C          AIE2P, 16 x 16 of C
//     load A          2 blocks, 2 loads of 32 B  2 blocks, 2 loads of 64 B
//     load B          2 blocks, 4 loads of 32 B  2 blocks, 2 loads of 64 B
//     vmac            4 of 256 MAC               4 of 512 MAC
//     cycles          4 (3 for the loads)        4 (2 for the loads)
//
// with two loads, a store and a vmac per cycle (AM020, AM027). The vmac unit is never idle if a sum
// can be added to again 4 cycles later, and if A and B lie in different banks.
//
// Around the K loop, a group loads and stores its sums once: 16 loads, one per cycle since only
// load unit A reaches the accumulators, and 16 stores. 7 cycles pass from the last load to the
// first vmac, 5 from the last vmac to its store ("Hello XDNA!", tnzr.org/xdna; llvm-aie). For
// 64 x 64 x 64, in one call:
//
//                     AIE2                       AIE2P
//     groups          32                         16
//     vmac            1024                       512
//     loads           1536 of A, B; 512 of C     512 of A, B; 256 of C
//     stores          512                        256
//     K loops         1024 cycles                512 cycles
//     sums            32 * 44 = 1408 cycles      16 * 44 = 704 cycles
//     MAC per cycle   108 of 256                 216 of 512
//
// A K loop of 8 steps is shorter than the way in and out of it, which is 44 / 128 = 0.344 cycles
// per element of C on AIE2, 44 / 256 = 0.172 on AIE2P, whatever K is. (The same reckoning for
// groups of 4 x 2 is 76 / 256 = 0.297, as profiles/phoenix.json has it for mlir-aie's kernel, which
// was measured.) A longer tile along K does better. So does a compiler that moves the sums of one
// group under the vmacs of another: ports and registers allow up to all of 256 and 512.

#include <cstddef>

#include "kernels/aie/tile_arch.h"

namespace tilewave::kernels::aie {

/// A (m x k), B (k x n) and C (m x n) are row-major grids of row-major blocks of Arch::Mmul.
/// Sums wrap modulo 2^32. No mode of the core has a say.
template <typename Arch, unsigned m, unsigned k, unsigned n>
void MatmulS8(const int8* __restrict a, const int8* __restrict b, int32* __restrict c) {
  using Mmul = typename Arch::Mmul;
  static_assert(m > 0 && m % (2 * Mmul::M) == 0, "m must be a multiple of two blocks");
  static_assert(n > 0 && n % (2 * Mmul::N) == 0, "n must be a multiple of two blocks");
  static_assert(k > 0 && k % Mmul::K == 0, "k must be a multiple of a block");
  constexpr unsigned kSteps = k / Mmul::K;
  constexpr unsigned kBlockRowOfA = kSteps * Mmul::size_A;
  constexpr unsigned kBlockRowOfB = (n / Mmul::N) * Mmul::size_B;
  constexpr unsigned kBlockRowOfC = (n / Mmul::N) * Mmul::size_C;

  for (std::size_t i = 0; i < m / Mmul::M; i += 2) {
    for (std::size_t j = 0; j < n / Mmul::N; j += 2) {
      const int8* __restrict a0 = a + (i * kBlockRowOfA);
      const int8* __restrict a1 = a0 + kBlockRowOfA;
      const int8* __restrict b0 = b + (j * Mmul::size_B);
      int32* __restrict c0 = c + (i * kBlockRowOfC) + (j * Mmul::size_C);
      int32* __restrict c1 = c0 + kBlockRowOfC;

      Mmul sums00(::aie::load_v<Mmul::size_C>(c0));
      Mmul sums01(::aie::load_v<Mmul::size_C>(c0 + Mmul::size_C));
      Mmul sums10(::aie::load_v<Mmul::size_C>(c1));
      Mmul sums11(::aie::load_v<Mmul::size_C>(c1 + Mmul::size_C));
      TW_AIE_PIPELINED
      for (unsigned step = 0; step < kSteps; ++step) {
        const auto left0 = ::aie::load_v<Mmul::size_A>(a0);
        const auto left1 = ::aie::load_v<Mmul::size_A>(a1);
        const auto right0 = ::aie::load_v<Mmul::size_B>(b0);
        const auto right1 = ::aie::load_v<Mmul::size_B>(b0 + Mmul::size_B);
        a0 += Mmul::size_A;
        a1 += Mmul::size_A;
        b0 += kBlockRowOfB;
        sums00.mac(left0, right0);
        sums01.mac(left0, right1);
        sums10.mac(left1, right0);
        sums11.mac(left1, right1);
      }
      ::aie::store_v(c0, sums00.template to_vector<int32>());
      ::aie::store_v(c0 + Mmul::size_C, sums01.template to_vector<int32>());
      ::aie::store_v(c1, sums10.template to_vector<int32>());
      ::aie::store_v(c1 + Mmul::size_C, sums11.template to_vector<int32>());
    }
  }
}

}  // namespace tilewave::kernels::aie
