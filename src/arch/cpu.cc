#include "arch/cpu.h"

#include <sched.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include <algorithm>
#include <fstream>

#include "arch/cpu_quota.h"

namespace tilewave::arch {
namespace {

constexpr int kMostCaches = 8;
constexpr int64_t kLargestCacheKiB = int64_t{1} << 30;  // Larger is no size of a cache.

std::string FirstWord(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

/// What the kernel says about a cache of the first CPU, 0 if nothing. The C library's answer comes
/// second: of an L3 it names all that a package has, not what one core can use.
int64_t KernelCacheBytes(const std::string& level) {
  for (int i = 0; i < kMostCaches; ++i) {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i) + "/";
    if (FirstWord(folder + "level") != level || FirstWord(folder + "type") == "Instruction") {
      continue;
    }
    // "48K" or "32M".
    std::ifstream file(folder + "size");
    int64_t bytes = 0;
    char unit = 'B';
    if (!(file >> bytes) || bytes <= 0 || bytes > kLargestCacheKiB) return 0;
    file >> unit;
    return unit == 'K' ? bytes << 10 : unit == 'M' ? bytes << 20 : bytes;
  }
  return 0;
}

int64_t CacheBytes(const char* level, int name, int64_t otherwise) {
  const int64_t from_kernel = KernelCacheBytes(level);
  if (from_kernel > 0) return from_kernel;
  const long bytes = sysconf(name);
  return bytes > 0 ? static_cast<int64_t>(bytes) : otherwise;
}

std::string ModelName() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::string line;
  while (std::getline(cpuinfo, line)) {
    if (line.rfind("model name", 0) != 0) continue;
    const size_t colon = line.find(':');
    if (colon != std::string::npos && colon + 2 <= line.size()) return line.substr(colon + 2);
  }
  return "unknown CPU";
}

int UsableThreads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  const int count = std::max(1, CPU_COUNT(&set));
  const int quota = QuotaCpus("");
  return quota == 0 ? count : std::min(count, quota);
}

void AddFeature(bool present, const char* name, std::string* features) {
  if (!present) return;
  if (!features->empty()) *features += ' ';
  *features += name;
}

#if defined(__x86_64__)
/// Leaf 7, subleaf 1, EAX bit 4. __builtin_cpu_supports of clang 14 does not know it.
bool CpuidHasAvxVnni() {
  unsigned eax = 0;  // Of subleaf 0: the highest subleaf.
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || eax < 1) return false;
  return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax & (1u << 4)) != 0;
}

// Of the Linux kernel's interface (asm/prctl.h, Documentation/arch/x86/xstate.rst); the C library's
// headers may be older.
constexpr long kGetSupportedStates = 0x1021;
constexpr long kRequestState = 0x1023;
constexpr long kTileData = 18;

/// Leaf 0: "GenuineIntel".
bool CpuidIsIntel() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return __get_cpuid(0, &eax, &ebx, &ecx, &edx) != 0 && ebx == signature_INTEL_ebx &&
         ecx == signature_INTEL_ecx && edx == signature_INTEL_edx;
}

/// Leaf 7, subleaf 0, EDX bits 24 and 25.
bool CpuidHasAmxInt8() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  constexpr unsigned kBits = (1u << 24) | (1u << 25);
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || (edx & kBits) != kBits) return false;
  uint64_t states = 0;
  return syscall(SYS_arch_prctl, kGetSupportedStates, &states) == 0 &&
         (states >> kTileData & 1) != 0;
}
#endif

}  // namespace

Cpu DetectCpu() {
  Cpu cpu;
  cpu.model = ModelName();
  cpu.l1_bytes = CacheBytes("1", _SC_LEVEL1_DCACHE_SIZE, kDefaultL1Bytes);
  cpu.l2_bytes = CacheBytes("2", _SC_LEVEL2_CACHE_SIZE, kDefaultL2Bytes);
  cpu.l3_bytes = CacheBytes("3", _SC_LEVEL3_CACHE_SIZE, kDefaultL3Bytes);
  cpu.threads = UsableThreads();
#if defined(__x86_64__)
  __builtin_cpu_init();
  cpu.avx2 = __builtin_cpu_supports("avx2") != 0;
  cpu.avx_vnni = cpu.avx2 && CpuidHasAvxVnni();
  cpu.avx512_vnni =
      __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
      __builtin_cpu_supports("avx512vnni") != 0;
  cpu.amx_int8 = CpuidHasAmxInt8();
  cpu.few_vector_ports = CpuidIsIntel();
  // AMD's family 19h is Zen 3, which has no AVX512, and Zen 4 (AMD, "Software Optimization Guide
  // for the AMD Zen4 Microarchitecture", 57647), whose pipes are 256 bits wide.
  cpu.halves_vectors = cpu.avx512_vnni && __builtin_cpu_is("amdfam19h") != 0;
#elif defined(__aarch64__)
  cpu.neon_dot = (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#endif
  AddFeature(cpu.avx2, "avx2", &cpu.features);
  AddFeature(cpu.avx_vnni, "avx_vnni", &cpu.features);
  AddFeature(cpu.avx512_vnni, "avx512_vnni", &cpu.features);
  AddFeature(cpu.amx_int8, "amx_int8", &cpu.features);
  AddFeature(cpu.neon_dot, "neon_dot", &cpu.features);
  return cpu;
}

bool AllowAmx() {
#if defined(__x86_64__)
  static const bool kAllowed = syscall(SYS_arch_prctl, kRequestState, kTileData) == 0;
  return kAllowed;
#else
  return false;
#endif
}

}  // namespace tilewave::arch
