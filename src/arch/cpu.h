#pragma once

// What this CPU is and has. The only place that asks the processor.

#include <cstdint>
#include <string>

namespace tilewave::arch {

/// Read once at start-up from cpuid (x86-64) or the kernel (AArch64) and the system's cache report.
struct Cpu {
  std::string model;     ///< As the system names it, or "unknown CPU".
  std::string features;  ///< Space separated, those that int8 kernels care about.
  bool avx2 = false;
  bool avx_vnni = false;     ///< With AVX2.
  bool avx512_vnni = false;  ///< With AVX512 F, BW, DQ and VL.
  bool amx_int8 = false;     ///< AMX-TILE and AMX-INT8, and a system that knows them.
  /// Those that multiply bytes in 512-bit vectors do all else to such vectors, too: Intel's cores.
  bool few_vector_ports = false;
  /// Computes 512-bit vectors in halves, one after the other: AMD's Zen 4.
  bool halves_vectors = false;
  bool neon_dot = false;
  int64_t l1_bytes = 0;
  int64_t l2_bytes = 0;
  int64_t l3_bytes = 0;
  int threads = 1;  ///< CPUs that this process may use at a time.
};

/// Detects; never fails: what cannot be found out takes the defaults below.
Cpu DetectCpu();

/// Asks the system once to let this process use the tile registers of AMX, which Linux does only on
/// request (arch_prctl, since 5.16): signal frames grow by 8 KiB with them. False if it does not,
/// for instance because a signal stack is too small for that.
bool AllowAmx();

/// Used where the system does not report caches (some containers and virtual machines): the
/// smallest of the last ten years' x86-64 and ARMv8 server, desktop and laptop cores
/// (vendors' data sheets: Intel Skylake client 32 KiB / 256 KiB, Neoverse N1 64 KiB / 512 KiB).
inline constexpr int64_t kDefaultL1Bytes = int64_t{32} * 1024;
inline constexpr int64_t kDefaultL2Bytes = int64_t{256} * 1024;
inline constexpr int64_t kDefaultL3Bytes = int64_t{4} * 1024 * 1024;

}  // namespace tilewave::arch
