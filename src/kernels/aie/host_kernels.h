#pragma once

// The tile kernels built for this machine over the host model of the AIE API, in a few sizes: what
// tests compare, and a second opinion to the virtual NPU's plain loops.

#include <cstdint>
#include <span>

namespace tilewave::kernels::aie {

/// The kernels of one core and tile size. Pointers are aligned to 64 bytes on AIE2P, to 32 on AIE2;
/// the kernels check that. Tiles lie as MatmulS8 says.
struct HostKernels {
  int64_t block_rows = 0;  ///< Of blocks of A and C: 4 is AIE2, 8 is AIE2P.
  int64_t m = 0;
  int64_t k = 0;
  int64_t n = 0;
  void (*zero)(int32_t* c) = nullptr;
  void (*matmul)(const int8_t* a, const int8_t* b, int32_t* c) = nullptr;
  void (*matmul_b_transposed)(const int8_t* a, const int8_t* b, int32_t* c) = nullptr;
  /// `out` may be where `c` begins.
  void (*requantise)(const int32_t* c, int8_t* out, int32_t shift, int32_t rounding,
                     int32_t saturation) = nullptr;
};

/// All that were built.
std::span<const HostKernels> HostKernelsForTest();

/// Null if that size was not built.
const HostKernels* FindHostKernelsForTest(int64_t block_rows, int64_t m, int64_t k, int64_t n);

}  // namespace tilewave::kernels::aie
