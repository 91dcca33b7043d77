#include "kernels/cpu/int8_tile_avx512vl.h"

#if defined(__x86_64__)

#define TILEWAVE_TILE_256_TARGET [[gnu::target("avx2,avx512vl,avx512vnni")]]
#include "kernels/cpu/int8_tile_256.h"

namespace tilewave::kernels::cpu {
namespace {

/// Four u8 times four s8. As an instruction rather than the intrinsic because g++ 12 copies each
/// sum before and after that one.
struct DotQuadsEvex {
  TILEWAVE_TILE_256_TARGET static inline void Add(__m256i* sum, __m256i u8, __m256i s8) {
    asm("vpdpbusd %[s8], %[u8], %[sum]" : [sum] "+v"(*sum) : [u8] "v"(u8), [s8] "v"(s8));
  }
};

}  // namespace

const TileFunction kAvx512VlTiles6x16[6] = {
    RunTile256<DotQuadsEvex, 1>, RunTile256<DotQuadsEvex, 2>, RunTile256<DotQuadsEvex, 3>,
    RunTile256<DotQuadsEvex, 4>, RunTile256<DotQuadsEvex, 5>, RunTile256<DotQuadsEvex, 6>};

}  // namespace tilewave::kernels::cpu

#endif
