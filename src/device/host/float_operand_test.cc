#include "device/host/float_operand.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <string>
#include <vector>

#include "arch/cpu.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "kernels/cpu/rows_avx2.h"
#include "kernels/cpu/rows_avx512.h"
#include "kernels/cpu/rows_portable.h"

namespace tilewave::device::host {
namespace {

using core::FloatOperand;
using core::Quantise;
using kernels::cpu::RowFunctions;

constexpr Quantise kModes[] = {Quantise::kPerVector, Quantise::kPerTensor,
                               Quantise::kAsymmetricPerTensor};
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Those that run here.
std::vector<const RowFunctions*> Sets() {
  std::vector<const RowFunctions*> sets = {&kernels::cpu::kRowsPortable};
#if defined(__x86_64__)
  const arch::Cpu cpu = arch::DetectCpu();
  if (cpu.avx2) sets.push_back(&kernels::cpu::kRowsAvx2);
  if (cpu.avx512_vnni) sets.push_back(&kernels::cpu::kRowsAvx512);
#endif
  return sets;
}

struct FloatShape {
  int64_t batch;
  int64_t vectors;
  int64_t k;
};

struct FloatStrideCase {
  const char* name;
  int64_t vector;
  int64_t k;
};

std::vector<FloatStrideCase> FloatStrideCases(const FloatShape& s) {
  return {{"along K", s.k, 1},           {"along K, padded", s.k + 3, 1},
          {"across", 1, s.vectors},      {"across, padded", 1, s.vectors + 5},
          {"gaps", 2 * s.k + 1, 2},      {"gaps, across", 2, 2 * s.vectors + 3},
          {"one vector repeated", 0, 1}, {"one element of each vector repeated", 1, 0},
          {"one element", 0, 0},         {"overlapping", 1, 1}};
}

float Ordinary(base::Random* random) { return static_cast<float>((random->Unit() - 0.4) * 300); }

/// Some values that make scales of 1, and ranges and quotients that overflow.
float WithExtremes(base::Random* random) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  constexpr float kExtremes[] = {0.0F, -0.0F, 1e-38F, -1e-45F, 127.5F, -3e38F, 3e38F, kLargest};
  const int64_t kind = random->Between(0, 99);
  return kind < 8 ? kExtremes[kind] : Ordinary(random);
}

/// Matrices with not an element more than the strides reach, so that a sanitizer sees reads beyond.
struct Input {
  Input(base::Random* random, const FloatShape& shape, const FloatStrideCase& strides,
        Quantise mode) {
    x.batch = shape.batch;
    x.vectors = shape.vectors;
    x.k = shape.k;
    x.vector_stride = strides.vector;
    x.k_stride = strides.k;
    x.mode = mode;
    x.is_a = random->Between(0, 1) == 0;
    const int64_t reach = ((x.vectors - 1) * x.vector_stride) + ((x.k - 1) * x.k_stride) + 1;
    // A batch of one matrix has a stride of no meaning: core::FloatOperandA makes it 0.
    x.batch_stride = shape.batch == 1 ? 0 : reach + 2;
    // Not in all, since next to an extreme everything else of a tensor becomes 0.
    const bool extremes = random->Between(0, 3) == 0;
    for (int64_t i = 0; i < ((x.batch - 1) * x.batch_stride) + reach; ++i) {
      values.push_back(extremes ? WithExtremes(random) : Ordinary(random));
    }
    x.data = values.data();
  }

  float& At(int64_t b, int64_t vector, int64_t k) {
    return values[static_cast<size_t>((b * x.batch_stride) + (vector * x.vector_stride) +
                                      (k * x.k_stride))];
  }

  FloatOperand x;
  std::vector<float> values;
};

/// Arrays of scales with memory of their own.
struct Scales {
  explicit Scales(int64_t count)
      : scale(static_cast<size_t>(count)), inverse(scale.size()), zero(scale.size()) {}
  core::DynamicScales view() { return {scale.data(), inverse.data(), zero.data()}; }

  std::vector<float> scale;
  std::vector<float> inverse;
  std::vector<int32_t> zero;
};

/// What results are left in, from call to call.
struct Memory {
  base::AlignedBuffer scales;
  base::AlignedBuffer bytes;
};

void ExpectDefinition(const FloatOperand& x, const ByteForm& form, const RowFunctions& rows,
                      const base::Crew& crew, Memory* memory) {
  Scales expected(x.scale_count());
  ASSERT_TRUE(core::ScanDynamicScales(x, expected.view()).ok());
  core::DynamicScales scales;
  ByteOperand out;
  const Status status =
      QuantiseOperand(x, form, rows, crew, &memory->scales, &memory->bytes, &scales, &out);
  ASSERT_TRUE(status.ok()) << status.ToString();
  for (int64_t i = 0; i < x.scale_count(); ++i) {
    const auto at = static_cast<size_t>(i);
    ASSERT_EQ(std::bit_cast<uint32_t>(scales.scale[i]), std::bit_cast<uint32_t>(expected.scale[at]))
        << "scale " << i;
    ASSERT_EQ(std::bit_cast<uint32_t>(scales.inverse[i]),
              std::bit_cast<uint32_t>(expected.inverse[at]))
        << "inverse " << i;
    ASSERT_EQ(scales.zero[i], expected.zero[at]) << "zero " << i;
  }
  for (int64_t b = 0; b < x.batch; ++b) {
    for (int64_t v = 0; v < x.vectors; ++v) {
      for (int64_t k = 0; k < x.k; ++k) {
        const int32_t q = core::QuantiseElement(x, expected.view(), b, v, k);
        const int byte =
            out.data[(b * out.batch_stride) + (v * out.vector_stride) + (k * out.k_stride)];
        ASSERT_EQ(byte, (q & 0xFF) ^ form.flip)
            << "matrix " << b << ", vector " << v << ", k " << k;
      }
    }
  }
  if (form.vector_stride != 0 && x.k_stride == 1) {
    ASSERT_EQ(out.vector_stride, form.vector_stride);
  }
  if (x.batch == 1) {
    ASSERT_EQ(out.batch_stride, 0) << "one matrix may be read as many";
  }
}

::testing::Message Describe(const FloatShape& shape, const FloatStrideCase& strides, Quantise mode,
                            const RowFunctions& rows) {
  return ::testing::Message() << rows.name << ", " << strides.name << ", mode "
                              << static_cast<int>(mode) << ": " << shape.batch << " of "
                              << shape.vectors << " vectors of " << shape.k;
}

// Calls visit(input, rows) for all strides, modes and row functions.
template <typename Visitor>
void ForEachInput(uint64_t seed, const std::vector<FloatShape>& shapes, Visitor visit) {
  base::Random random(seed);
  for (const FloatShape& shape : shapes) {
    for (const FloatStrideCase& strides : FloatStrideCases(shape)) {
      for (const Quantise mode : kModes) {
        for (const RowFunctions* rows : Sets()) {
          SCOPED_TRACE(Describe(shape, strides, mode, *rows));
          visit(Input(&random, shape, strides, mode), *rows);
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
}

std::vector<FloatShape> SmallShapes() {
  return {{1, 1, 1},  {1, 1, 17},  {1, 33, 1}, {3, 5, 1},  {2, 7, 16},
          {1, 9, 70}, {3, 17, 33}, {2, 64, 5}, {4, 1, 31}, {1, 20, 129}};
}

/// Several tasks in each direction, with a rest: more vectors than are taken together, and more
/// elements than a task takes.
std::vector<FloatShape> LargeShapes() { return {{1, 1100, 37}, {2, 600, 60}, {1, 3, 20000}}; }

TEST(QuantiseOperandTest, AloneItIsTheDefinition) {
  Memory memory;  // Kept, so that one call's bytes are not taken for the next one's.
  ForEachInput(111, SmallShapes(), [&](const Input& input, const RowFunctions& rows) {
    ExpectDefinition(input.x, {}, rows, {}, &memory);
    ExpectDefinition(input.x, {0x80, input.x.k + 7}, rows, {}, &memory);
  });
}

TEST(QuantiseOperandTest, WithACrewItIsTheDefinition) {
  base::ThreadPool pool(3, 100);
  Memory memory;
  const auto visit = [&](const Input& input, const RowFunctions& rows) {
    ExpectDefinition(input.x, {0x80}, rows, {&pool, base::Wake::kAlways}, &memory);
    ExpectDefinition(input.x, {0, input.x.k + 64}, rows, {&pool, base::Wake::kAlways}, &memory);
  };
  ForEachInput(112, SmallShapes(), visit);
  ForEachInput(113, LargeShapes(), visit);
}

TEST(QuantiseOperandTest, MatricesOfZerosAndOfTinyValues) {
  Memory memory;
  for (const float value : {0.0F, -0.0F, 1e-45F, -1e-40F, 3.6e-37F, -5.0F, 5.0F}) {
    ForEachInput(114, {{2, 6, 19}}, [&](const Input& input, const RowFunctions& rows) {
      Input same = input;
      same.values.assign(same.values.size(), value);
      same.x.data = same.values.data();
      ExpectDefinition(same.x, {}, rows, {}, &memory);
    });
  }
}

/// The bad value is refused with the words of the slow twin.
void ExpectRefused(const FloatOperand& x, const RowFunctions& rows, const base::Crew& crew) {
  Scales unused(x.scale_count());
  const Status expected = core::ScanDynamicScales(x, unused.view());
  ASSERT_FALSE(expected.ok());
  Memory memory;
  core::DynamicScales scales;
  ByteOperand out;
  const Status actual =
      QuantiseOperand(x, {}, rows, crew, &memory.scales, &memory.bytes, &scales, &out);
  ASSERT_EQ(actual.code(), StatusCode::kInvalidArgument);
  ASSERT_EQ(actual.message(), expected.message());
}

TEST(QuantiseOperandTest, ValuesThatAreNotFiniteAreRefusedWhereverTheyAre) {
  base::Random random(115);
  for (const RowFunctions* rows : Sets()) {
    const FloatShape shape{2, 5, 19};
    for (const FloatStrideCase& strides : FloatStrideCases(shape)) {
      for (const Quantise mode : kModes) {
        SCOPED_TRACE(Describe(shape, strides, mode, *rows));
        Input input(&random, shape, strides, mode);
        for (int64_t at = 0; at < shape.batch * shape.vectors * shape.k; ++at) {
          const int64_t vector = at / shape.k;
          float& value = input.At(vector / shape.vectors, vector % shape.vectors, at % shape.k);
          const float good = value;
          value = at % 3 == 0 ? kNaN : (at % 3 == 1 ? kInfinity : -kInfinity);
          ExpectRefused(input.x, *rows, {});
          if (HasFatalFailure()) return;
          value = good;
        }
      }
    }
  }
}

// Whichever thread meets one of them first, the first one in order is named.
TEST(QuantiseOperandTest, TheFirstOfSeveralIsNamed) {
  base::ThreadPool pool(3, 100);
  base::Random random(116);
  int64_t refused = 0;
  ForEachInput(117, {{2, 600, 60}, {3, 6, 10}}, [&](const Input& input, const RowFunctions& rows) {
    Input bad = input;
    bad.x.data = bad.values.data();
    for (int i = 0; i < 3; ++i) {
      bad.At(random.Between(0, bad.x.batch - 1), random.Between(0, bad.x.vectors - 1),
             random.Between(0, bad.x.k - 1)) = i == 1 ? kNaN : kInfinity;
    }
    ExpectRefused(bad.x, rows, {&pool, base::Wake::kAlways});
    ++refused;
  });
  EXPECT_GT(refused, 0);
}

TEST(QuantiseOperandTest, MemoryThatIsLargeEnoughIsKept) {
  base::Random random(118);
  Memory memory;
  const FloatShape shapes[] = {{1, 40, 50}, {1, 3, 7}, {1, 20, 100}};
  const std::byte* bytes = nullptr;
  for (const FloatShape& shape : shapes) {
    const Input input(&random, shape, FloatStrideCases(shape)[0], Quantise::kPerVector);
    ExpectDefinition(input.x, {}, kernels::cpu::kRowsPortable, {}, &memory);
    if (bytes != nullptr) {
      EXPECT_EQ(memory.bytes.data(), bytes);
    }
    bytes = memory.bytes.data();
  }
}

}  // namespace
}  // namespace tilewave::device::host
