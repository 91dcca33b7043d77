#include "device/vnpu/kernel_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "device/vnpu/plain_kernels.h"

namespace tilewave::device::vnpu {
namespace {

using program::TileKernel;

constexpr KernelEntry kPlain[] = {
    {"zero_s32", KernelWork::kZero, TileKernel::kVector, "s32", ZeroS32},
    {"zero_s16", KernelWork::kZero, TileKernel::kVector, "s16", ZeroS16},
    {"zero_s8", KernelWork::kZero, TileKernel::kVector, "s8", ZeroS8},
    {"matmul_scalar_s8_s32", KernelWork::kMatmul, TileKernel::kScalar, "s32", MatmulRowMajorS32},
    {"matmul_vector_s8_s32", KernelWork::kMatmul, TileKernel::kVector, "s32", MatmulS32},
    {"matmul_vector_s8_s32_bt", KernelWork::kMatmul, TileKernel::kVector, "s32", MatmulS32},
    {"matmul_scalar_s8_s8_lossy", KernelWork::kMatmul, TileKernel::kScalar, "s8",
     MatmulRowMajorLossyS8},
    {"requantise_s32_s8", KernelWork::kRequantise, TileKernel::kVector, "s8", RequantiseS32S8},
    // Only how long they take is of interest.
    {"matmul_vector_s8_s8_lossy", KernelWork::kMatmul, TileKernel::kVector, "s8", nullptr},
    {"matmul_vector_s8_s16_lossy", KernelWork::kMatmul, TileKernel::kVector, "s16", nullptr},
    {"requantise_s32_s16", KernelWork::kRequantise, TileKernel::kVector, "s16", nullptr},
};

constexpr int64_t BytesOf(std::string_view type) {
  return type == "s32" ? 4 : type == "s16" ? 2 : 1;
}

}  // namespace

int64_t KernelEntry::ArgumentBytes(const program::Kernel& kernel, int argument) const {
  if (Writes(argument)) return kernel.m * kernel.n * BytesOf(output);
  if (work == KernelWork::kRequantise) return kernel.m * kernel.n * BytesOf("s32");
  return argument == 0 ? kernel.m * kernel.k : kernel.k * kernel.n;
}

Status KernelEntry::CheckScalars(std::span<const uint32_t> scalars) const {
  const auto bad = [this](std::string_view what, uint32_t value, std::string_view expected) {
    return Status(
        StatusCode::kInternal,
        fmt::format("kernel {} is called with {} = {}; expected {}", name, what, value, expected));
  };
  if (work != KernelWork::kRequantise) return {};
  if (scalars[0] > kMostShift) return bad("shift", scalars[0], "0 to 31");
  if (!IsRounding(scalars[1])) return bad("rounding", scalars[1], "0 to 3 or 8 to 13");
  if (!IsSaturation(scalars[2])) return bad("saturation", scalars[2], "0, 1 or 3");
  return {};
}

const KernelEntry* FindKernel(KernelTable table, std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(),
                                  [name](const KernelEntry& entry) { return entry.name == name; });
  return found == table.end() ? nullptr : &*found;
}

KernelTable PlainKernels() { return kPlain; }

}  // namespace tilewave::device::vnpu
