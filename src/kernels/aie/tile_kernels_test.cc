// Built once per core, with the definitions of tile_kernels.cc: the C names are the kernels of the
// size that was asked for.

#include <gtest/gtest.h>

#include <aie_api/aie.hpp>
#include <cstdint>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/random.h"
#include "kernels/aie/host_kernels.h"

// As a core program declares them.
extern "C" {
void zero_s32(int32_t* c);
void matmul_vector_s8_s32(const int8_t* a, const int8_t* b, int32_t* c);
void matmul_vector_s8_s32_bt(const int8_t* a, const int8_t* b, int32_t* c);
void requantise_s32_s8(const int32_t* c, int8_t* out, int32_t shift, int32_t rounding,
                       int32_t saturation);
}

namespace tilewave::kernels::aie {
namespace {

constexpr int64_t kBlockRows = __AIE_ARCH__ == 20 ? 4 : 8;
constexpr size_t kSums = size_t{DIM_M} * DIM_N;

template <typename T>
base::AlignedBuffer Random(size_t count, uint64_t seed) {
  base::Random random(seed);
  base::AlignedBuffer buffer(count * sizeof(T));
  for (size_t i = 0; i < count; ++i) buffer.data<T>()[i] = static_cast<T>(random.Next() >> 32);
  return buffer;
}

template <typename T>
std::vector<T> Values(const base::AlignedBuffer& buffer) {
  return {buffer.data<T>(), buffer.data<T>() + (buffer.bytes() / sizeof(T))};
}

TEST(AieTileKernelsTest, NamesOfOneSize) {
  const HostKernels* kernels = FindHostKernelsForTest(kBlockRows, DIM_M, DIM_K, DIM_N);
  ASSERT_NE(kernels, nullptr);
  ::aie::host_model::ThisCore().vector_bytes = kBlockRows == 4 ? 32 : 64;
  const base::AlignedBuffer a = Random<int8_t>(size_t{DIM_M} * DIM_K, 1);
  const base::AlignedBuffer b = Random<int8_t>(size_t{DIM_K} * DIM_N, 2);
  base::AlignedBuffer expected = Random<int32_t>(kSums, 3);
  base::AlignedBuffer c = Random<int32_t>(kSums, 3);

  kernels->matmul(a.data<int8_t>(), b.data<int8_t>(), expected.data<int32_t>());
  matmul_vector_s8_s32(a.data<int8_t>(), b.data<int8_t>(), c.data<int32_t>());
  EXPECT_EQ(Values<int32_t>(c), Values<int32_t>(expected));

  kernels->matmul_b_transposed(a.data<int8_t>(), b.data<int8_t>(), expected.data<int32_t>());
  matmul_vector_s8_s32_bt(a.data<int8_t>(), b.data<int8_t>(), c.data<int32_t>());
  EXPECT_EQ(Values<int32_t>(c), Values<int32_t>(expected));

  base::AlignedBuffer expected_out = Random<int8_t>(kSums, 4);
  base::AlignedBuffer out = Random<int8_t>(kSums, 5);
  kernels->requantise(c.data<int32_t>(), expected_out.data<int8_t>(), 9, 12, 1);
  requantise_s32_s8(c.data<int32_t>(), out.data<int8_t>(), 9, 12, 1);
  EXPECT_EQ(Values<int8_t>(out), Values<int8_t>(expected_out));

  zero_s32(c.data<int32_t>());
  EXPECT_EQ(Values<int32_t>(c), std::vector<int32_t>(kSums, 0));
}

}  // namespace
}  // namespace tilewave::kernels::aie
