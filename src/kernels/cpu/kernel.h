#pragma once

// The contract of a CPU microkernel. Plain data only, so that kernel files need nothing else.

#include <cstdint>

namespace tilewave::kernels::cpu {

/// acc[r][c] = sum over k of a[r][k] * b[c][k], for mr rows of A and nr columns of B.
///   a, b   packed s16 vectors (pack/vectors.h), k_padded elements apart, 64-byte aligned if
///          k_padded * 2 is a multiple of 64; k_padded is a multiple of the kernel's k_granule
///   acc    mr x nr, row-major, written, not read
/// The caller guarantees that no sum leaves 32 bits. The caller trims edges: the kernel always
/// computes the full block.
using Int8KernelFunction = void (*)(const int16_t* a, const int16_t* b, int64_t k_padded,
                                    int32_t* acc);

/// What a kernel needs of the CPU.
enum class Isa : uint8_t { kBaseline, kAvx2, kAvx512Vnni };

/// One row of the table.
struct Int8Kernel {
  const char* name;  ///< Int8Gemm_<isa>_<mr>x<nr>x<k_granule>
  Isa isa;
  bool test_only;  ///< Odd shapes that keep the generic code honest; never chosen by itself.
  int mr;
  int nr;
  int k_granule;
  Int8KernelFunction run;
};

/// Largest mr * nr of the table: the size of the accumulator block that callers provide.
inline constexpr int kMaxBlock = 64;

}  // namespace tilewave::kernels::cpu
