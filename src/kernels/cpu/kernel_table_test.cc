#include "kernels/cpu/kernel_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/random.h"

namespace tilewave::kernels::cpu {
namespace {

constexpr int32_t kPoison = 0x5A5A5A5A;
// The longest sum of products of 255 x 255 that fits 32 bits.
constexpr int64_t kLongest = 33025;

enum class Fill { kRandom, kAllPlus, kAllMinus, kOpposite, kRandomSigns };

int16_t Element(Fill fill, bool is_a, base::Random* random) {
  switch (fill) {
    case Fill::kRandom:
      return static_cast<int16_t>(random->Between(-255, 255));
    case Fill::kAllPlus:
      return 255;
    case Fill::kAllMinus:
      return -255;
    case Fill::kOpposite:
      return is_a ? 255 : -255;
    case Fill::kRandomSigns:
      return random->Between(0, 1) == 0 ? 255 : -255;
  }
  return 0;
}

base::AlignedBuffer Vectors(int count, int64_t k_padded, Fill fill, bool is_a,
                            base::Random* random) {
  const int64_t elements = count * k_padded;
  base::AlignedBuffer buffer(static_cast<size_t>(elements) * sizeof(int16_t));
  for (int64_t i = 0; i < elements; ++i) buffer.data<int16_t>()[i] = Element(fill, is_a, random);
  return buffer;
}

void ExpectBlock(const Int8Kernel& kernel, int64_t k_padded, Fill fill, base::Random* random) {
  const base::AlignedBuffer a = Vectors(kernel.mr, k_padded, fill, true, random);
  const base::AlignedBuffer b = Vectors(kernel.nr, k_padded, fill, false, random);
  const int block = kernel.mr * kernel.nr;
  base::AlignedBuffer acc(static_cast<size_t>(kMaxBlock + 16) * sizeof(int32_t));
  int32_t* out = acc.data<int32_t>();
  std::fill(out, out + kMaxBlock + 16, kPoison);
  kernel.run(a.data<int16_t>(), b.data<int16_t>(), k_padded, out);
  for (int r = 0; r < kernel.mr; ++r) {
    for (int c = 0; c < kernel.nr; ++c) {
      int64_t sum = 0;
      for (int64_t k = 0; k < k_padded; ++k) {
        sum += int64_t{a.data<int16_t>()[(r * k_padded) + k]} *
               int64_t{b.data<int16_t>()[(c * k_padded) + k]};
      }
      ASSERT_EQ(out[(r * kernel.nr) + c], sum) << "row " << r << " column " << c;
    }
  }
  for (int i = block; i < kMaxBlock + 16; ++i) ASSERT_EQ(out[i], kPoison) << "behind the block";
}

TEST(KernelTableTest, EveryKernelEqualsTheNaiveProduct) {
  const arch::Cpu cpu = arch::DetectCpu();
  base::Random random(51);
  for (const Int8Kernel& kernel : Int8Kernels()) {
    if (!Supported(kernel, cpu)) continue;
    const int64_t granule = kernel.k_granule;
    for (int64_t k_padded : {granule, 2 * granule, 3 * granule, 7 * granule, 32 * granule,
                             kLongest / granule * granule}) {
      for (Fill fill :
           {Fill::kRandom, Fill::kAllPlus, Fill::kAllMinus, Fill::kOpposite, Fill::kRandomSigns}) {
        SCOPED_TRACE(testing::Message()
                     << kernel.name << ", K " << k_padded << ", fill " << static_cast<int>(fill));
        ExpectBlock(kernel, k_padded, fill, &random);
        if (testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

// One element at a time, so that a product in the wrong lane cannot hide in a sum.
TEST(KernelTableTest, EveryPositionAlongKCounts) {
  const arch::Cpu cpu = arch::DetectCpu();
  for (const Int8Kernel& kernel : Int8Kernels()) {
    if (!Supported(kernel, cpu)) continue;
    const int64_t k_padded = 3 * kernel.k_granule;
    for (int64_t k = 0; k < k_padded; ++k) {
      std::vector<int32_t> expected;
      base::Random random(0);
      base::AlignedBuffer a = Vectors(kernel.mr, k_padded, Fill::kRandom, true, &random);
      base::AlignedBuffer b = Vectors(kernel.nr, k_padded, Fill::kRandom, false, &random);
      for (int64_t i = 0; i < kernel.mr * k_padded; ++i) {
        a.data<int16_t>()[i] =
            i % k_padded == k ? static_cast<int16_t>(1 + (i / k_padded)) : int16_t{0};
      }
      for (int64_t r = 0; r < kernel.mr; ++r) {
        for (int64_t c = 0; c < kernel.nr; ++c) {
          const int32_t value = b.data<int16_t>()[(c * k_padded) + k];
          expected.push_back(static_cast<int32_t>(r + 1) * value);
        }
      }
      std::vector<int32_t> acc(static_cast<size_t>(kMaxBlock), kPoison);
      kernel.run(a.data<int16_t>(), b.data<int16_t>(), k_padded, acc.data());
      acc.resize(expected.size());
      ASSERT_EQ(acc, expected) << kernel.name << " at k = " << k;
    }
  }
}

TEST(KernelTableTest, NamesAreUniqueAndSayTheShape) {
  std::set<std::string> names;
  for (const Int8Kernel& kernel : Int8Kernels()) {
    const std::string name = kernel.name;
    EXPECT_TRUE(names.insert(name).second) << name;
    const std::string prefix = "Int8Gemm_";
    const std::string shape = "_" + std::to_string(kernel.mr) + "x" + std::to_string(kernel.nr) +
                              "x" + std::to_string(kernel.k_granule);
    ASSERT_GT(name.size(), prefix.size() + shape.size()) << name;
    EXPECT_EQ(name.substr(0, prefix.size()), prefix);
    EXPECT_EQ(name.substr(name.size() - shape.size()), shape);
    const std::string isa = name.substr(prefix.size(), name.size() - prefix.size() - shape.size());
    EXPECT_EQ(isa.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string::npos)
        << name;
    EXPECT_LE(kernel.mr * kernel.nr, kMaxBlock) << name;
    EXPECT_GE(kernel.k_granule, 1) << name;
  }
}

TEST(ChooseInt8KernelTest, DefaultRunsHereAndIsNotForTests) {
  for (const arch::Cpu& cpu : {arch::DetectCpu(), arch::Cpu{}}) {
    const Result<const Int8Kernel*> chosen = ChooseInt8Kernel("", cpu);
    ASSERT_TRUE(chosen.ok()) << chosen.status().ToString();
    EXPECT_FALSE((*chosen)->test_only);
    EXPECT_TRUE(Supported(**chosen, cpu));
    // The best one: nothing that would do stands before it.
    for (const Int8Kernel& kernel : Int8Kernels()) {
      if (&kernel == *chosen) break;
      EXPECT_TRUE(kernel.test_only || !Supported(kernel, cpu)) << kernel.name;
    }
  }
}

TEST(ChooseInt8KernelTest, EveryNameGivesThatKernelOrSaysWhyNot) {
  for (const arch::Cpu& cpu : {arch::DetectCpu(), arch::Cpu{}}) {
    for (const Int8Kernel& kernel : Int8Kernels()) {
      const Result<const Int8Kernel*> chosen = ChooseInt8Kernel(kernel.name, cpu);
      if (Supported(kernel, cpu)) {
        ASSERT_TRUE(chosen.ok()) << kernel.name;
        EXPECT_EQ(*chosen, &kernel);
      } else {
        EXPECT_EQ(chosen.status().code(), StatusCode::kUnavailable) << kernel.name;
        EXPECT_NE(chosen.status().message().find(kernel.name), std::string::npos);
      }
    }
  }
}

TEST(ChooseInt8KernelTest, UnknownNameIsNotFoundAndListsAll) {
  for (const char* name : {"Int8Gemm", "int8gemm_portable_2x4x16", "Int8Gemm_portable_2x4x16 "}) {
    const Result<const Int8Kernel*> chosen = ChooseInt8Kernel(name, arch::Cpu{});
    ASSERT_FALSE(chosen.ok());
    EXPECT_EQ(chosen.status().code(), StatusCode::kNotFound);
    const std::string& message = chosen.status().message();
    EXPECT_NE(message.find("'" + std::string(name) + "'"), std::string::npos) << message;
    for (const Int8Kernel& kernel : Int8Kernels()) {
      EXPECT_NE(message.find(kernel.name), std::string::npos) << message;
    }
  }
}

}  // namespace
}  // namespace tilewave::kernels::cpu
