#include "bench/peers/probe.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <chrono>
#include <vector>

namespace peers {
namespace {

using Clock = std::chrono::steady_clock;

double Nanoseconds(Clock::duration time) {
  return static_cast<double>(std::chrono::nanoseconds(time).count());
}

/// Runs `rounds` rounds of independent dot products in registers.
using Loop = void (*)(int64_t rounds);

struct Instruction {
  const char* name = "";
  Loop loop = nullptr;
  double operations = 0;  ///< Of one round.
};

#if defined(__x86_64__)
// 24 accumulators: more than any machine has such instructions under way. Assembly, so that no
// compiler finds a shorter way to the same nothing.
#define TW_DOT(n) "vpdpbusd %%zmm30, %%zmm31, %%zmm" #n "\n\t"
void DotsOfZmm(int64_t rounds) {
  asm volatile(
      "vpxord %%zmm30, %%zmm30, %%zmm30\n\t"
      "vpxord %%zmm31, %%zmm31, %%zmm31\n\t"
      "1:\n\t" TW_DOT(0) TW_DOT(1) TW_DOT(2) TW_DOT(3) TW_DOT(4) TW_DOT(5) TW_DOT(6) TW_DOT(7)
          TW_DOT(8) TW_DOT(9) TW_DOT(10) TW_DOT(11) TW_DOT(12) TW_DOT(13) TW_DOT(14) TW_DOT(15)
              TW_DOT(16) TW_DOT(17) TW_DOT(18) TW_DOT(19) TW_DOT(20) TW_DOT(21) TW_DOT(22)
                  TW_DOT(23) "dec %[rounds]\n\t"
      "jnz 1b\n\t"
      "vzeroupper\n\t"
      : [rounds] "+r"(rounds)
      :
      : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
        "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}
#undef TW_DOT

#define TW_DOT(n) "%{vex%} vpdpbusd %%ymm14, %%ymm15, %%ymm" #n "\n\t"
void DotsOfYmm(int64_t rounds) {
  asm volatile(
      "vpxor %%ymm14, %%ymm14, %%ymm14\n\t"
      "vpxor %%ymm15, %%ymm15, %%ymm15\n\t"
      "1:\n\t" TW_DOT(0) TW_DOT(1) TW_DOT(2) TW_DOT(3) TW_DOT(4) TW_DOT(5) TW_DOT(6) TW_DOT(7)
          TW_DOT(8) TW_DOT(9) TW_DOT(10) TW_DOT(11) "dec %[rounds]\n\t"
      "jnz 1b\n\t"
      "vzeroupper\n\t"
      : [rounds] "+r"(rounds)
      :
      : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
        "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}
#undef TW_DOT

// 16 rows of 64 bytes by 16 columns; six sums are more than are under way.
#define TW_DOT(n) "tdpbssd %%tmm7, %%tmm6, %%tmm" #n "\n\t"
void DotsOfTiles(int64_t rounds) {
  struct alignas(64) Shapes {
    uint8_t palette = 1;
    uint8_t reserved[15] = {};
    uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  };
  const Shapes shapes;
  asm volatile(
      "ldtilecfg %[shapes]\n\t"  // All tiles are 0 then.
      "1:\n\t" TW_DOT(0) TW_DOT(1) TW_DOT(2) TW_DOT(3) TW_DOT(4) TW_DOT(5) "dec %[rounds]\n\t"
      "jnz 1b\n\t"
      "tilerelease\n\t"
      : [rounds] "+r"(rounds)
      : [shapes] "m"(shapes)
      : "cc");
}
#undef TW_DOT

/// Whether this CPU has AMX and this process may use it, which has to be asked for (arch_prctl).
bool MayUseTiles() {
  constexpr unsigned kAmxBits = (1u << 24) | (1u << 25);
  constexpr long kRequestState = 0x1023;
  constexpr long kTileData = 18;
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & kAmxBits) == kAmxBits &&
         syscall(SYS_arch_prctl, kRequestState, kTileData) == 0;
}

// Without VNNI: the pair that replaces it exactly, on 16-bit elements.
#define TW_DOT(n) \
  "vpmaddwd %%ymm14, %%ymm15, %%ymm13\n\tvpaddd %%ymm13, %%ymm" #n ", %%ymm" #n "\n\t"
void PairsOfYmm(int64_t rounds) {
  asm volatile(
      "vpxor %%ymm14, %%ymm14, %%ymm14\n\t"
      "vpxor %%ymm15, %%ymm15, %%ymm15\n\t"
      "1:\n\t" TW_DOT(0) TW_DOT(1) TW_DOT(2) TW_DOT(3) TW_DOT(4) TW_DOT(5) TW_DOT(6) TW_DOT(7)
          TW_DOT(8) TW_DOT(9) TW_DOT(10) TW_DOT(11) "dec %[rounds]\n\t"
      "jnz 1b\n\t"
      "vzeroupper\n\t"
      : [rounds] "+r"(rounds)
      :
      : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
        "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}
#undef TW_DOT
#endif

Instruction Choose() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512vnni")) {
    return {"vpdpbusd zmm", DotsOfZmm, 24 * 16 * 4 * 2.0};
  }
  unsigned a = 0, b = 0, c = 0, d = 0;
  // Not by name: older compilers do not know it.
  const bool avx_vnni = __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & (1u << 4)) != 0;
  if (__builtin_cpu_supports("avx2") && avx_vnni)
    return {"vpdpbusd ymm", DotsOfYmm, 12 * 8 * 4 * 2.0};
  if (__builtin_cpu_supports("avx2")) return {"vpmaddwd ymm", PairsOfYmm, 12 * 8 * 2 * 2.0};
#endif
  return {};
}

const Instruction& Chosen() {
  static const Instruction kInstruction = Choose();
  return kInstruction;
}

double RateOf(const Instruction& instruction, Team& team, double microseconds) {
  if (instruction.loop == nullptr) return 0;
  // In slices, so that the wanted time is met on a slow machine too.
  constexpr int64_t kSlice = 200;
  std::vector<double> rates(static_cast<size_t>(team.size()));
  team.Run([&](int index) {
    instruction.loop(kSlice);  // Wakes the wide units up.
    int64_t rounds = 0;
    const Clock::time_point start = Clock::now();
    double time = 0;
    while (time < microseconds * 1e3) {
      instruction.loop(kSlice);
      rounds += kSlice;
      time = Nanoseconds(Clock::now() - start);
    }
    rates[static_cast<size_t>(index)] = static_cast<double>(rounds) * instruction.operations / time;
  });
  double sum = 0;
  for (const double rate : rates) sum += rate;
  return sum;
}

}  // namespace

std::string ProbeInstruction() { return Chosen().name; }

double Probe(Team& team, double microseconds) { return RateOf(Chosen(), team, microseconds); }

double ProbeTiles(Team& team, double microseconds) {
#if defined(__x86_64__)
  static const bool kMayUseTiles = MayUseTiles();
  if (!kMayUseTiles) return 0;
  return RateOf({"tdpbssd", DotsOfTiles, 6 * 16 * 16 * 64 * 2.0}, team, microseconds);
#else
  (void)team;
  (void)microseconds;
  return 0;
#endif
}

}  // namespace peers
