// Checks the functions for tiles and for few rows of every kernel that this CPU runs, and the host
// device with it, without a test framework: for CPUs that the build machine does not have (see
// scripts/test_aarch64).
//
// Usage: neon_main [+NAME | -NAME]...  fails also if kernel NAME did not (+) or did (-) run.

#include <cstdio>
#include <set>
#include <string>

#include "arch/cpu.h"
#include "kernels/cpu/kernel_table.h"
#include "tests/support/few_rows_check.h"
#include "tests/support/host_products_check.h"
#include "tests/support/int8_tile_check.h"

namespace {

std::string FirstMismatch(const tilewave::kernels::cpu::Int8Kernel& kernel) {
  std::string mismatch = tilewave::testing::FirstTileMismatch(kernel);
  if (!mismatch.empty()) return "tiles: " + mismatch;
  if (kernel.few_rows != nullptr) {
    mismatch = tilewave::testing::FirstFewRowsMismatch(kernel.few_rows);
    if (!mismatch.empty()) return "few rows: " + mismatch;
  }
  mismatch = tilewave::testing::FirstHostMismatch(kernel.name);
  return mismatch.empty() ? "" : "products: " + mismatch;
}

}  // namespace

int main(int argc, char** argv) {
  using tilewave::kernels::cpu::Int8Kernel;
  const tilewave::arch::Cpu cpu = tilewave::arch::DetectCpu();
  std::printf("CPU features: %s\n", cpu.features.empty() ? "none" : cpu.features.c_str());
  bool good = true;
  std::set<std::string> ran;
  std::set<std::string> known;
  for (const Int8Kernel& kernel : tilewave::kernels::cpu::Int8Kernels()) {
    known.insert(kernel.name);
    if (!tilewave::kernels::cpu::Supported(kernel, cpu)) {
      std::printf("%s: not supported by this CPU\n", kernel.name);
      continue;
    }
    const std::string mismatch = FirstMismatch(kernel);
    std::printf("%s: %s\n", kernel.name, mismatch.empty() ? "ok" : mismatch.c_str());
    good = good && mismatch.empty();
    ran.insert(kernel.name);
  }
  for (int i = 1; i < argc; ++i) {
    const std::string wish = argv[i];
    const std::string name = wish.empty() ? wish : wish.substr(1);
    const bool wants_run = wish.rfind('+', 0) == 0;
    if (known.count(name) == 0) {
      std::printf("%s: no such kernel\n", wish.c_str());
      good = false;
    } else if (ran.count(name) != (wants_run ? 1U : 0U)) {
      std::printf("%s: should %s here\n", name.c_str(), wants_run ? "run" : "not run");
      good = false;
    }
  }
  return good && !ran.empty() ? 0 : 1;
}
