#include "kernels/cpu/int8_tile_avx2.h"

#if defined(__x86_64__)

#define TILEWAVE_TILE_256_TARGET [[gnu::target("avx2")]]
#include "kernels/cpu/int8_tile_256.h"

namespace tilewave::kernels::cpu {
namespace {

/// Two s16 times two s8, which are widened when they are loaded: at no cost, and B takes half the
/// memory that it would as s16.
struct DotPairs {
  static constexpr bool kFlips = false;
  static constexpr int64_t kGroupBytesOfB = GroupBytesOfB(Form::kS16xS8);

  TILEWAVE_TILE_256_TARGET static inline __m256i Load(const std::byte* b) {
    return _mm256_cvtepi8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(b)));
  }

  TILEWAVE_TILE_256_TARGET static inline void Add(__m256i* sum, __m256i a, __m256i b) {
    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(a, b));
  }
};

}  // namespace

const TileFunction kAvx2Tiles6x16[6] = {RunTile256<DotPairs, 1>, RunTile256<DotPairs, 2>,
                                        RunTile256<DotPairs, 3>, RunTile256<DotPairs, 4>,
                                        RunTile256<DotPairs, 5>, RunTile256<DotPairs, 6>};

}  // namespace tilewave::kernels::cpu

#endif
