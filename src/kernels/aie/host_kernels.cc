#include "kernels/aie/host_kernels.h"

#include <algorithm>

#include "kernels/aie/matmul_s8.h"
#include "kernels/aie/requantise_s8.h"
#include "kernels/aie/zero_s32.h"

namespace tilewave::kernels::aie {
namespace {

/// The calling thread as a core of that kind. Its modes stay as the last kernel left them.
template <typename Arch>
void BecomeCore() {
  ::aie::host_model::ThisCore().vector_bytes = Arch::kVectorBytes;
}

template <typename Arch, unsigned m, unsigned k, unsigned n>
struct OnHost {
  static void Zero(int32_t* c) {
    BecomeCore<Arch>();
    ZeroS32<Arch, m * n>(c);
  }
  static void Matmul(const int8_t* a, const int8_t* b, int32_t* c) {
    BecomeCore<Arch>();
    MatmulS8<Arch, m, k, n>(a, b, c);
  }
  static void MatmulBTransposed(const int8_t* a, const int8_t* b, int32_t* c) {
    BecomeCore<Arch>();
    MatmulS8<Arch, m, k, n, BlocksOfB::kColumnMajor>(a, b, c);
  }
  static void Requantise(const int32_t* c, int8_t* out, int32_t shift, int32_t rounding,
                         int32_t saturation) {
    BecomeCore<Arch>();
    RequantiseS8<Arch, m * n>(c, out, shift, rounding, saturation);
  }
  static constexpr HostKernels kKernels{Arch::Mmul::M,     m,         k, n, Zero, Matmul,
                                        MatmulBTransposed, Requantise};
};

// The tiles of the designs, then such as meet every loop with another count.
constexpr HostKernels kBuilt[] = {
    OnHost<Aie2, 16, 16, 16>::kKernels,  OnHost<Aie2, 32, 32, 32>::kKernels,
    OnHost<Aie2, 64, 64, 64>::kKernels,  OnHost<Aie2, 64, 128, 64>::kKernels,
    OnHost<Aie2, 16, 32, 64>::kKernels,  OnHost<Aie2, 64, 16, 32>::kKernels,
    OnHost<Aie2, 32, 64, 16>::kKernels,  OnHost<Aie2, 48, 32, 96>::kKernels,
    OnHost<Aie2, 8, 8, 16>::kKernels,    OnHost<Aie2, 24, 40, 48>::kKernels,
    OnHost<Aie2p, 16, 16, 16>::kKernels, OnHost<Aie2p, 32, 32, 32>::kKernels,
    OnHost<Aie2p, 64, 64, 64>::kKernels, OnHost<Aie2p, 64, 128, 64>::kKernels,
    OnHost<Aie2p, 16, 32, 64>::kKernels, OnHost<Aie2p, 64, 16, 32>::kKernels,
    OnHost<Aie2p, 32, 64, 16>::kKernels, OnHost<Aie2p, 48, 32, 96>::kKernels,
    OnHost<Aie2p, 16, 8, 16>::kKernels,  OnHost<Aie2p, 48, 40, 16>::kKernels,
};

}  // namespace

std::span<const HostKernels> HostKernelsForTest() { return kBuilt; }

const HostKernels* FindHostKernelsForTest(int64_t block_rows, int64_t m, int64_t k, int64_t n) {
  const auto* found = std::find_if(std::begin(kBuilt), std::end(kBuilt), [&](const auto& built) {
    return built.block_rows == block_rows && built.m == m && built.k == k && built.n == n;
  });
  return found == std::end(kBuilt) ? nullptr : found;
}

}  // namespace tilewave::kernels::aie
