#include "bench/peers/bandwidth.h"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "bench/peers/buffer.h"

namespace peers {
namespace {

using Clock = std::chrono::steady_clock;

/// Reads everything, eight cache lines at a time. The vector type keeps the sums in registers.
#if defined(__x86_64__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
uint64_t
Read(const uint64_t* data, int64_t count) {
  using Line = uint64_t __attribute__((vector_size(64)));
  const Line* lines = reinterpret_cast<const Line*>(data);
  Line s0 = {}, s1 = {}, s2 = {}, s3 = {}, s4 = {}, s5 = {}, s6 = {}, s7 = {};
  for (int64_t i = 0; i + 8 <= count / 8; i += 8) {
    s0 ^= lines[i];
    s1 ^= lines[i + 1];
    s2 ^= lines[i + 2];
    s3 ^= lines[i + 3];
    s4 ^= lines[i + 4];
    s5 ^= lines[i + 5];
    s6 ^= lines[i + 6];
    s7 ^= lines[i + 7];
  }
  const Line all = s0 ^ s1 ^ s2 ^ s3 ^ s4 ^ s5 ^ s6 ^ s7;
  return all[0] ^ all[1] ^ all[2] ^ all[3] ^ all[4] ^ all[5] ^ all[6] ^ all[7];
}

/// GB/s of all threads, each over its own `bytes`.
double BestOf(Team& team, std::vector<Buffer<uint64_t>>& buffers, int64_t bytes, int repeats) {
  std::vector<double> rates(buffers.size());
  const int64_t count = bytes / 8;
  // Small buffers are read several times within one measurement.
  const int64_t passes = std::max<int64_t>(1, (int64_t{16} << 20) / bytes);
  double best = 0;
  for (int repeat = 0; repeat < repeats; ++repeat) {
    team.Run([&](int index) {
      const uint64_t* data = buffers[static_cast<size_t>(index)].data();
      uint64_t sum = Read(data, count);
      const Clock::time_point start = Clock::now();
      for (int64_t pass = 0; pass < passes; ++pass) sum ^= Read(data, count);
      const double time = std::chrono::duration<double, std::nano>(Clock::now() - start).count();
      asm volatile("" : : "r"(sum));  // The reads have a use.
      rates[static_cast<size_t>(index)] = static_cast<double>(bytes * passes) / time;
    });
    double sum = 0;
    for (const double rate : rates) sum += rate;
    best = std::max(best, sum);
  }
  return best;
}

}  // namespace

int64_t CacheBytes(int level, int64_t otherwise) {
  // Not sysconf: in a virtual machine it gives the whole L3 of the host.
  for (int index = 0; index < 8; ++index) {
    const std::string folder =
        "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    std::ifstream level_file(folder + "level");
    std::ifstream size_file(folder + "size");
    int found = 0;
    int64_t kibibytes = 0;
    if (level_file >> found && found == level && size_file >> kibibytes) return kibibytes * 1024;
  }
  return otherwise;
}

Bandwidths MeasureBandwidths(Team& team) {
  const int64_t l2 = CacheBytes(2, int64_t{1} << 20);
  const int64_t l3 = CacheBytes(3, int64_t{32} << 20);
  const int64_t dram = std::clamp<int64_t>(4 * l3, int64_t{128} << 20, int64_t{1} << 30);
  std::vector<Buffer<uint64_t>> buffers;
  for (int i = 0; i < team.size(); ++i) {
    buffers.emplace_back(dram / 8);
    // It is the memory that is measured, not the page tables.
    const uintptr_t page = uintptr_t{2} << 20;
    const uintptr_t start =
        (reinterpret_cast<uintptr_t>(buffers.back().data()) + page - 1) & ~(page - 1);
    madvise(reinterpret_cast<void*>(start), static_cast<size_t>(dram) - page, MADV_HUGEPAGE);
    std::memset(buffers.back().data(), i, static_cast<size_t>(dram));
  }
  Bandwidths result;
  result.dram = BestOf(team, buffers, dram, 5);
  // Well inside the level that is meant, well outside the one before.
  const int64_t in_l3 = std::max(2 * l2, l3 / 4 / team.size());
  result.l3 = BestOf(team, buffers, in_l3 / 4096 * 4096, 20) / team.size();
  result.l2 = BestOf(team, buffers, l2 / 2, 20) / team.size();
  return result;
}

}  // namespace peers
