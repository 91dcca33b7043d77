#pragma once

// C += A B on one tile: s8 by s8 into s32 sums in L1.
//
// The schedule that this is written for. It was never compiled for the array here: the accesses
// below are counted by a test; the cycles follow from them and are not measured.
//
// C is covered by groups of 2 x 2 blocks: each loaded block is used twice, and 4 accumulators are
// live. One step of the K loop over a group:
//
//                     AIE2, 8 x 16 of C          AIE2P, 16 x 16 of C
//     load A          2 blocks, 2 loads of 32 B  2 blocks, 2 loads of 64 B
//     load B          2 blocks, 4 loads of 32 B  2 blocks, 2 loads of 64 B
//     transpose B     2 shuffles of 64 B, if its blocks are column-major
//     vmac            4 of 256 MAC               4 of 512 MAC
//     cycles          4 (3 for the loads)        4 (2 for the loads)
//
// with two loads, a store, a shuffle and a vmac per cycle (AM020, AM027; llvm-aie has shuffles in
// the slot for moves, which nothing else here wants). The vmac unit is never idle if a sum can be
// added to again 4 cycles later, and if A and B lie in different banks. Transposing is free inside
// the K loop and lengthens the way into it: a shuffle's result can be used 2 cycles later.
//
// Between two K loops, the sums of one group are stored and those of the next loaded: 16 stores,
// and 16 loads, one per cycle since only load unit A reaches the accumulators. 7 cycles pass from
// the last load to the first vmac, 5 from the last vmac to its store ("Hello XDNA!",
// tnzr.org/xdna; llvm-aie). Loads and stores stand block by block in one stretch of code, and the
// compiler is told that they do not meet: a block's loads are in flight while its register is
// stored. C in one bank takes 32 accesses in 32 cycles: 4 loads, 4 stores, 4 loads, ... from the
// cycle after the last vmac on, and the next vmac 7 cycles after the last load, which is the 28th
// access: 35 cycles (37 with a transposed B). Loads beside stores, in different banks, take
// 16 + 7 = 23 (25). One after the other they would take 44 (46), as they do at the two ends of a
// call: half before the first group, half after the last. For 64 x 64 x 64, in one call:
//
//                     AIE2                       AIE2P
//     groups          32                         16
//     vmac            1024                       512
//     loads           1536 of A, B; 512 of C     512 of A, B; 256 of C
//     stores          512                        256
//     shuffles        512 if B is transposed     256 if B is transposed
//     K loops         1024 cycles                512 cycles
//     sums            44 + 31 * 35 = 1129        44 + 15 * 35 = 569
//       transposed B  46 + 31 * 37 = 1193        46 + 15 * 37 = 601
//     MAC per cycle   122 of 256                 243 of 512
//       transposed B  118                        236
//
// A K loop of 8 steps is shorter than the way from one to the next, which is 35 / 128 = 0.273
// cycles per element of C on AIE2, 35 / 256 = 0.137 on AIE2P, whatever K is. (One after the other:
// 44 / 128 = 0.344 and 44 / 256 = 0.172, which is what profiles reckon with until a compiler has
// shown better. For groups of 4 x 2 it is 76 / 256 = 0.297, as profiles/phoenix.json has it for
// mlir-aie's kernel, which was measured.) A longer tile along K does better.
//
// Why the sums do not move under the vmacs: they would need registers of their own, 8 accumulators
// in all around the change of groups. AIE2 has 9, of which Peano has been seen to fill 5 without
// spilling, and to spill with 8; AIE2P has 5 (llvm-aie: 2048 bits each). One more than the 4 could
// take 4 of the 16 loads, and leaves none.

#include "kernels/aie/tile_arch.h"

namespace tilewave::kernels::aie {

/// How the elements of a block of B follow each other.
enum class BlocksOfB { kRowMajor, kColumnMajor };

/// What MatmulS8 is made of: one tile size, cut into groups.
template <typename Arch, unsigned m, unsigned k, unsigned n, BlocksOfB blocks_of_b>
struct MatmulS8Tile {
  using Mmul = typename Arch::Mmul;
  static_assert(m > 0 && m % (2 * Mmul::M) == 0, "m must be a multiple of two blocks");
  static_assert(n > 0 && n % (2 * Mmul::N) == 0, "n must be a multiple of two blocks");
  static_assert(k > 0 && k % Mmul::K == 0, "k must be a multiple of a block");
  static constexpr unsigned kSteps = k / Mmul::K;
  static constexpr unsigned kGroupsInRow = n / (2 * Mmul::N);
  static constexpr unsigned kGroups = m / (2 * Mmul::M) * kGroupsInRow;
  static constexpr unsigned kBlockRowOfA = kSteps * Mmul::size_A;
  static constexpr unsigned kBlockRowPairOfA = 2 * kBlockRowOfA;
  static constexpr unsigned kBlockPairOfB = 2 * Mmul::size_B;
  static constexpr unsigned kBlockPairOfC = 2 * Mmul::size_C;
  static constexpr unsigned kBlockRowOfB = (n / Mmul::N) * Mmul::size_B;
  static constexpr unsigned kBlockRowOfC = (n / Mmul::N) * Mmul::size_C;

  /// Where a group begins in A, B and C. Row after row of groups.
  struct Place {
    const int8* a;
    const int8* b;
    int32* c;
    unsigned group_in_row = 0;

    [[gnu::always_inline]] Place Next() const {
      Place next{a, b + kBlockPairOfB, c + kBlockPairOfC, group_in_row + 1};
      if (next.group_in_row == kGroupsInRow) {
        next = {a + kBlockRowPairOfA, next.b - kBlockRowOfB, next.c + kBlockRowOfC, 0};
      }
      return next;
    }
  };

  [[gnu::always_inline]] static auto LoadB(const int8* b) {
    const auto block = ::aie::load_v<Mmul::size_B>(b);
    if constexpr (blocks_of_b == BlocksOfB::kColumnMajor) {
      return ::aie::transpose(block, Mmul::N, Mmul::K);
    } else {
      return block;
    }
  }

  /// The sums of a group in registers: everything is inlined so that they stay there.
  struct Sums {
    Mmul sums00;
    Mmul sums01;
    Mmul sums10;
    Mmul sums11;

    [[gnu::always_inline]] static Mmul Load(const int32* c) {
      return Mmul(::aie::load_v<Mmul::size_C>(c));
    }
    [[gnu::always_inline]] static void Store(const Mmul& sums, int32* c) {
      ::aie::store_v(c, sums.template to_vector<int32>());
    }

    [[gnu::always_inline]] explicit Sums(const int32* c)
        : sums00(Load(c)),
          sums01(Load(c + Mmul::size_C)),
          sums10(Load(c + kBlockRowOfC)),
          sums11(Load(c + kBlockRowOfC + Mmul::size_C)) {}

    [[gnu::always_inline]] void Add(const int8* __restrict a0, const int8* __restrict b) {
      const int8* __restrict a1 = a0 + kBlockRowOfA;
      TW_AIE_PIPELINED
      for (unsigned step = 0; step < kSteps; ++step) {
        const auto left0 = ::aie::load_v<Mmul::size_A>(a0);
        const auto left1 = ::aie::load_v<Mmul::size_A>(a1);
        const auto right0 = LoadB(b);
        const auto right1 = LoadB(b + Mmul::size_B);
        a0 += Mmul::size_A;
        a1 += Mmul::size_A;
        b += kBlockRowOfB;
        sums00.mac(left0, right0);
        sums01.mac(left0, right1);
        sums10.mac(left1, right0);
        sums11.mac(left1, right1);
      }
    }

    /// Stores this group and becomes the next. Block by block, as only 4 accumulators are live so.
    [[gnu::always_inline]] void Exchange(int32* __restrict done, const int32* __restrict next) {
      Store(sums00, done);
      sums00 = Load(next);
      Store(sums01, done + Mmul::size_C);
      sums01 = Load(next + Mmul::size_C);
      Store(sums10, done + kBlockRowOfC);
      sums10 = Load(next + kBlockRowOfC);
      Store(sums11, done + kBlockRowOfC + Mmul::size_C);
      sums11 = Load(next + kBlockRowOfC + Mmul::size_C);
    }

    [[gnu::always_inline]] void StoreTo(int32* c) const {
      Store(sums00, c);
      Store(sums01, c + Mmul::size_C);
      Store(sums10, c + kBlockRowOfC);
      Store(sums11, c + kBlockRowOfC + Mmul::size_C);
    }
  };
};

/// A (m x k), B (k x n) and C (m x n) are row-major grids of blocks of Arch::Mmul, row-major but
/// for those of B if `blocks_of_b` says so. Sums wrap modulo 2^32. No mode of the core has a say.
template <typename Arch, unsigned m, unsigned k, unsigned n,
          BlocksOfB blocks_of_b = BlocksOfB::kRowMajor>
void MatmulS8(const int8* __restrict a, const int8* __restrict b, int32* __restrict c) {
  using Tile = MatmulS8Tile<Arch, m, k, n, blocks_of_b>;
  typename Tile::Place place{a, b, c};
  typename Tile::Sums sums(place.c);
  for (unsigned group = 1; group < Tile::kGroups; ++group) {
    sums.Add(place.a, place.b);
    const typename Tile::Place next = place.Next();
    sums.Exchange(place.c, next.c);
    place = next;
  }
  sums.Add(place.a, place.b);
  sums.StoreTo(place.c);
}

}  // namespace tilewave::kernels::aie
