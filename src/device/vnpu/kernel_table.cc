#include "device/vnpu/kernel_table.h"

#include <algorithm>
#include <cstring>

namespace tilewave::device::vnpu {
namespace {

void ZeroS32(const program::Kernel& kernel, std::span<std::byte* const> arguments) {
  std::memset(arguments[0], 0, static_cast<size_t>(kernel.m * kernel.n) * sizeof(int32_t));
}

/// C += A B on tiles of row-major blocks. Sums wrap modulo 2^32, as the vector unit's do.
void MatmulS32(const program::Kernel& kernel, std::span<std::byte* const> arguments) {
  const auto* a = reinterpret_cast<const int8_t*>(arguments[0]);
  const auto* b = reinterpret_cast<const int8_t*>(arguments[1]);
  auto* c = reinterpret_cast<uint32_t*>(arguments[2]);
  const auto [r, s, t] = kernel.block;
  const int64_t k_blocks = kernel.k / s;
  const int64_t n_blocks = kernel.n / t;
  for (int64_t bi = 0; bi < kernel.m / r; ++bi) {
    for (int64_t bj = 0; bj < n_blocks; ++bj) {
      uint32_t* c_block = c + (((bi * n_blocks) + bj) * r * t);
      for (int64_t bk = 0; bk < k_blocks; ++bk) {
        const int8_t* a_block = a + (((bi * k_blocks) + bk) * r * s);
        const int8_t* b_block = b + (((bk * n_blocks) + bj) * s * t);
        for (int64_t i = 0; i < r; ++i) {
          for (int64_t x = 0; x < s; ++x) {
            const int8_t left = a_block[(i * s) + x];
            for (int64_t j = 0; j < t; ++j) {
              c_block[(i * t) + j] += static_cast<uint32_t>(left * b_block[(x * t) + j]);
            }
          }
        }
      }
    }
  }
}

/// The same for row-major tiles, where the blocks are single elements.
void MatmulRowMajorS32(const program::Kernel& kernel, std::span<std::byte* const> arguments) {
  const auto* a = reinterpret_cast<const int8_t*>(arguments[0]);
  const auto* b = reinterpret_cast<const int8_t*>(arguments[1]);
  auto* c = reinterpret_cast<uint32_t*>(arguments[2]);
  for (int64_t i = 0; i < kernel.m; ++i) {
    for (int64_t x = 0; x < kernel.k; ++x) {
      const int8_t left = a[(i * kernel.k) + x];
      for (int64_t j = 0; j < kernel.n; ++j) {
        c[(i * kernel.n) + j] += static_cast<uint32_t>(left * b[(x * kernel.n) + j]);
      }
    }
  }
}

/// C = clamp((A B) >> 7): what the report's kernel does to each tile on its own.
void MatmulRowMajorLossyS8(const program::Kernel& kernel, std::span<std::byte* const> arguments) {
  const auto* a = reinterpret_cast<const int8_t*>(arguments[0]);
  const auto* b = reinterpret_cast<const int8_t*>(arguments[1]);
  auto* c = reinterpret_cast<int8_t*>(arguments[2]);
  for (int64_t i = 0; i < kernel.m; ++i) {
    for (int64_t j = 0; j < kernel.n; ++j) {
      int32_t sum = 0;
      for (int64_t x = 0; x < kernel.k; ++x) {
        sum += a[(i * kernel.k) + x] * b[(x * kernel.n) + j];
      }
      c[(i * kernel.n) + j] =
          static_cast<int8_t>(std::clamp(sum >> program::kLossyShift, -128, 127));
    }
  }
}

constexpr KernelEntry kPlain[] = {
    {"zero_s32", KernelWork::kZero, program::TileKernel::kVector, "s32", ZeroS32},
    {"matmul_scalar_s8_s32", KernelWork::kMatmul, program::TileKernel::kScalar, "s32",
     MatmulRowMajorS32},
    {"matmul_vector_s8_s32", KernelWork::kMatmul, program::TileKernel::kVector, "s32", MatmulS32},
    {"matmul_scalar_s8_s8_lossy", KernelWork::kMatmul, program::TileKernel::kScalar, "s8",
     MatmulRowMajorLossyS8},
};

}  // namespace

int64_t KernelEntry::ArgumentBytes(const program::Kernel& kernel, int argument) const {
  if (Writes(argument)) return kernel.m * kernel.n * (output == "s32" ? 4 : 1);
  return argument == 0 ? kernel.m * kernel.k : kernel.k * kernel.n;
}

const KernelEntry* FindKernel(KernelTable table, std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(),
                                  [name](const KernelEntry& entry) { return entry.name == name; });
  return found == table.end() ? nullptr : &*found;
}

KernelTable PlainKernels() { return kPlain; }

}  // namespace tilewave::device::vnpu
