#include "kernels/cpu/kernel_table.h"

#include <fmt/format.h>

#include "kernels/cpu/int8_gemm_avx2.h"
#include "kernels/cpu/int8_gemm_avx512vnni.h"
#include "kernels/cpu/int8_gemm_portable.h"

namespace tilewave::kernels::cpu {
namespace {

// clang-format off
constexpr Int8Kernel kInt8Kernels[] = {
    // name                          isa                test   mr nr  k  function
#if defined(__x86_64__)
    {"Int8Gemm_avx512vnni_4x4x32", Isa::kAvx512Vnni, false, 4, 4, 32, Int8Gemm_avx512vnni_4x4x32},
    {"Int8Gemm_avx2_3x4x16",       Isa::kAvx2,       false, 3, 4, 16, Int8Gemm_avx2_3x4x16},
#endif
    {"Int8Gemm_portable_2x4x16",   Isa::kBaseline,   false, 2, 4, 16, Int8Gemm_portable_2x4x16},
    {"Int8Gemm_portable_3x5x2",    Isa::kBaseline,   true,  3, 5,  2, Int8Gemm_portable_3x5x2},
    {"Int8Gemm_portable_1x1x1",    Isa::kBaseline,   true,  1, 1,  1, Int8Gemm_portable_1x1x1},
};
// clang-format on

constexpr bool BlocksFit() {
  for (const Int8Kernel& kernel : kInt8Kernels) {
    if (kernel.mr * kernel.nr > kMaxBlock) return false;
  }
  return true;
}
static_assert(BlocksFit());

}  // namespace

std::span<const Int8Kernel> Int8Kernels() { return kInt8Kernels; }

bool Supported(const Int8Kernel& kernel, const arch::Cpu& cpu) {
  switch (kernel.isa) {
    case Isa::kBaseline:
      return true;
    case Isa::kAvx2:
      return cpu.avx2;
    case Isa::kAvx512Vnni:
      return cpu.avx512_vnni;
  }
  return false;
}

Result<const Int8Kernel*> ChooseInt8Kernel(std::string_view forced, const arch::Cpu& cpu) {
  std::string names;
  for (const Int8Kernel& kernel : Int8Kernels()) {
    if (forced.empty() && !kernel.test_only && Supported(kernel, cpu)) return &kernel;
    if (forced == kernel.name) {
      if (Supported(kernel, cpu)) return &kernel;
      return Status(StatusCode::kUnavailable,
                    fmt::format("this CPU ({}) cannot run kernel {}", cpu.model, forced));
    }
    names += names.empty() ? kernel.name : fmt::format(", {}", kernel.name);
  }
  return Status(StatusCode::kNotFound,
                fmt::format("no CPU kernel '{}'; expected one of {}", forced, names));
}

}  // namespace tilewave::kernels::cpu
