#include "kernels/cpu/kernel_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/cpu/few_rows_avx2.h"
#include "kernels/cpu/few_rows_avx512.h"
#include "kernels/cpu/few_rows_neondot.h"
#include "kernels/cpu/few_rows_portable.h"
#include "kernels/cpu/int8_tile_amx.h"
#include "kernels/cpu/int8_tile_avx2.h"
#include "kernels/cpu/int8_tile_avx512vl.h"
#include "kernels/cpu/int8_tile_avx512vnni.h"
#include "kernels/cpu/int8_tile_avxvnni.h"
#include "kernels/cpu/int8_tile_neondot.h"
#include "kernels/cpu/int8_tile_portable.h"
#include "kernels/cpu/pack_bytes_avx2.h"
#include "kernels/cpu/pack_quads_avx512.h"
#include "kernels/cpu/rows_avx2.h"
#include "kernels/cpu/rows_avx512.h"
#include "kernels/cpu/rows_portable.h"

namespace tilewave::kernels::cpu {
namespace {

// clang-format off
// For each kernel: name, ISA, for tests only, form, mr, nr; its functions; what not all have.
constexpr Int8Kernel kInt8Kernels[] = {
#if defined(__x86_64__)
    {"Int8Gemm_amx_32x32", Isa::kAmxInt8, false, Form::kAnyxS8, 32, 32,
     kAmxTiles32x32, &kRowsAvx512, PackQuads32_avx512, false, kAmxTiles32x64, 32, 32, 16,
     nullptr, 0, FewRows_avx512, BeginAmx, EndAmx, true, false, 4, 16},
    {"Int8Gemm_avx512vnni_8x32", Isa::kAvx512Vnni, false, Form::kU8xS8, 8, 32,
     kAvx512VnniTiles8x32, &kRowsAvx512, PackQuads32_avx512, true, kAvx512VnniTiles6x64, 6, 6, 0,
     Row_avx512vnni_1x128, 4, FewRows_avx512, nullptr, nullptr, false, true},
    {"Int8Gemm_avx512vl_6x16", Isa::kAvx512Vnni, false, Form::kU8xS8, 6, 16,
     kAvx512VlTiles6x16, &kRowsAvx512, PackQuads16_avx2, true, nullptr, 0, 0, 0, nullptr, 0,
     FewRows_avx2},
    {"Int8Gemm_avxvnni_6x16", Isa::kAvxVnni, false, Form::kU8xS8, 6, 16,
     kAvxVnniTiles6x16, &kRowsAvx2, PackQuads16_avx2, true, nullptr, 0, 0, 0, nullptr, 0,
     FewRows_avx2},
    {"Int8Gemm_avx2_8x16", Isa::kAvx2, false, Form::kS16xS8, 8, 16,
     kAvx2Tiles8x16, &kRowsAvx2, PackPairs16_avx2, false, nullptr, 0, 0, 0, nullptr, 0,
     FewRows_avx2, nullptr, nullptr, false, false, 1, 0, &kAvx2SelfProducts},
#elif defined(__aarch64__)
    {"Int8Gemm_neondot_6x16", Isa::kNeonDot, false, Form::kS8xS8, 6, 16,
     kNeonDotTiles6x16, &kRowsPortable, nullptr, false, nullptr, 0, 0, 0, nullptr, 0,
     FewRows_neondot},
#endif
    {"Int8Gemm_portable_4x8", Isa::kBaseline, false, Form::kS16xS16, 4, 8,
     kPortableTiles4x8, &kRowsPortable, nullptr, false, nullptr, 0, 0, 0, nullptr, 0,
     FewRows_portable},
    {"Int8Gemm_portable_3x5", Isa::kBaseline, true, Form::kS8xS8, 3, 5,
     kPortableTiles3x5, &kRowsPortable},
    {"Int8Gemm_portable_1x1", Isa::kBaseline, true, Form::kU8xS8, 1, 1,
     kPortableTiles1x1, &kRowsPortable, nullptr, true},
};
// clang-format on

constexpr bool TilesFit() {
  for (const Int8Kernel& kernel : kInt8Kernels) {
    if (kernel.row_panels * kernel.nr > kMaxTile || kernel.mr * kernel.nr > kMaxTile ||
        kernel.wide_most * 2 * kernel.nr > kMaxTile || kernel.nr > kMaxColumns ||
        std::max(2, kernel.row_panels) * kernel.nr > kMaxTileColumns)
      return false;
  }
  return true;
}
static_assert(TilesFit());

}  // namespace

std::span<const Int8Kernel> Int8Kernels() { return kInt8Kernels; }

bool Supported(const Int8Kernel& kernel, const arch::Cpu& cpu) {
  switch (kernel.isa) {
    case Isa::kBaseline:
      return true;
    case Isa::kNeonDot:
      return cpu.neon_dot;
    case Isa::kAvxVnni:
      return cpu.avx_vnni;
    case Isa::kAvx2:
      return cpu.avx2;
    case Isa::kAvx512Vnni:
      return cpu.avx512_vnni;
    case Isa::kAmxInt8:
      return cpu.amx_int8 && cpu.avx512_vnni && arch::AllowAmx();
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
