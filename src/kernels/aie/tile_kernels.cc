// The kernels of one tile size under the names that an ArrayProgram has for them; a core program
// declares and calls these. One object per size: -DDIM_M=64 -DDIM_K=64 -DDIM_N=64. For the array,
// with src/ and mlir-aie's headers among the include paths:
//   clang++ -O2 -std=c++20 --target=aie2-none-unknown-elf -c tile_kernels.cc

#include <aie_api/aie.hpp>

#include "kernels/aie/matmul_s8.h"
#include "kernels/aie/requantise_s8.h"
#include "kernels/aie/zero_s32.h"

#if !defined(DIM_M) || !defined(DIM_K) || !defined(DIM_N)
#error "say which tile: -DDIM_M=64 -DDIM_K=64 -DDIM_N=64"
#endif

namespace {

using tilewave::kernels::aie::BlocksOfB;

#if __AIE_ARCH__ == 20
using Arch = tilewave::kernels::aie::Aie2;
#elif __AIE_ARCH__ == 21
using Arch = tilewave::kernels::aie::Aie2p;
#else
#error "neither AIE2 nor AIE2P: __AIE_ARCH__ must be 20 or 21"
#endif

}  // namespace

// NOLINTBEGIN(readability-identifier-naming)
extern "C" {

/// C = 0.
void zero_s32(int32* c);

/// C += A B on row-major blocks: A of 4x8, B of 8x8, C of 4x8; on AIE2P all of 8x8.
void matmul_vector_s8_s32(const int8* a, const int8* b, int32* c);

/// The same with column-major blocks of B: what a core calls for Kernel::b_transposed.
void matmul_vector_s8_s32_bt(const int8* a, const int8* b, int32* c);

/// out = C requantised as RequantShift{shift, rounding, saturation} says; modes by their numbers.
/// out may be C's own buffer.
void requantise_s32_s8(const int32* c, int8* out, int32 shift, int32 rounding, int32 saturation);

void zero_s32(int32* c) { tilewave::kernels::aie::ZeroS32<Arch, DIM_M * DIM_N>(c); }

void matmul_vector_s8_s32(const int8* a, const int8* b, int32* c) {
  tilewave::kernels::aie::MatmulS8<Arch, DIM_M, DIM_K, DIM_N>(a, b, c);
}

void matmul_vector_s8_s32_bt(const int8* a, const int8* b, int32* c) {
  tilewave::kernels::aie::MatmulS8<Arch, DIM_M, DIM_K, DIM_N, BlocksOfB::kColumnMajor>(a, b, c);
}

void requantise_s32_s8(const int32* c, int8* out, int32 shift, int32 rounding, int32 saturation) {
  tilewave::kernels::aie::RequantiseS8<Arch, DIM_M * DIM_N>(c, out, shift, rounding, saturation);
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming)
