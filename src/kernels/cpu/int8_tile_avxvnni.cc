#include "kernels/cpu/int8_tile_avxvnni.h"

#if defined(__x86_64__)

#define TILEWAVE_TILE_256_TARGET [[gnu::target("avx2,avxvnni")]]
#include "kernels/cpu/int8_tile_256.h"

namespace tilewave::kernels::cpu {
namespace {

/// Four u8 times four s8. As an instruction rather than the intrinsic because g++ 12 copies each
/// sum before and after that one.
struct DotQuadsVex {
  TILEWAVE_TILE_256_TARGET static inline void Add(__m256i* sum, __m256i u8, __m256i s8) {
    asm("%{vex%} vpdpbusd %[s8], %[u8], %[sum]" : [sum] "+x"(*sum) : [u8] "x"(u8), [s8] "x"(s8));
  }
};

}  // namespace

const TileFunction kAvxVnniTiles6x16[6] = {RunTile256<DotQuadsVex, 1>, RunTile256<DotQuadsVex, 2>,
                                           RunTile256<DotQuadsVex, 3>, RunTile256<DotQuadsVex, 4>,
                                           RunTile256<DotQuadsVex, 5>, RunTile256<DotQuadsVex, 6>};

}  // namespace tilewave::kernels::cpu

#endif
