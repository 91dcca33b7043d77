#include "program/shim_descriptor.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "program/stream.h"
#include "tests/support/program_samples.h"
#include "tests/support/stream_samples.h"

namespace tilewave::program {
namespace {

using arch::NpuArch;

TEST(ShimDescriptorTest, DescriptorsOfTheWorkedExample) {
  EXPECT_EQ(Registers(RowBlockOfA()),
            (Words{0x00001000, 0, 0, 0x01000000, 0x8200007F, 0x0200000F, 0x00000000, 0x02000000}));
  EXPECT_EQ(Registers(ColumnBlocksOfB()),
            (Words{0x00001000, 0, 0, 0x01000000, 0x8200007F, 0x02000FFF, 0x0070000F, 0x02000000}));
  EXPECT_EQ(Registers(RowBlocksOfC()),
            (Words{0x00002000, 0, 0, 0x02000000, 0x820000FF, 0x0200001F, 0x00101FFF, 0x02000000}));
}

TEST(ShimDescriptorTest, ContiguousDescriptorHasNoWraps) {
  const Words npu1{3072, 0, 0, 0, 0x80000000, 0x02000000, 0, 0x02000000};
  const Words npu2{3072, 0, 0, 0, 0xC0000000, 0x02000000, 0, 0x02000000};
  WriteDescriptor d{kShim, 0, 0, 0, 3072, {}, {1, 1}};
  EXPECT_EQ(Registers(d), npu1);
  EXPECT_EQ(Registers(d, arch::NpuOf(NpuArch::kNpu2)), npu2);
  // The same run in other words; the first would not fit the wrap.
  d.dims = {{3072, 1}};
  EXPECT_EQ(Registers(d), npu1);
  d.dims = {{16, 1}, {1, 7}, {192, 16}};
  EXPECT_EQ(Registers(d), npu1);
}

TEST(ShimDescriptorTest, DescriptorsOfTheWorkedExampleDecode) {
  for (WriteDescriptor expected : {RowBlockOfA(), ColumnBlocksOfB(), RowBlocksOfC()}) {
    Result<WriteDescriptor> decoded = DecodeShimDescriptor(Registers(expected));
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    expected.id = 0;
    expected.argument = 0;
    EXPECT_EQ(*decoded, expected);
  }
}

TEST(ShimDescriptorTest, DecodedDescriptorIsCanonical) {
  const auto dims_of = [](const WriteDescriptor& d) {
    return DecodeShimDescriptor(Registers(d)).value().dims;
  };
  EXPECT_EQ(dims_of(Patterned({{8, 3}, {1, 1}, {1, 1}})), (DimList{{8, 3}}));
  EXPECT_EQ(dims_of(Patterned({{8, 1}, {4, 9}, {1, 5}})), (DimList{{8, 1}, {4, 9}}));
  EXPECT_EQ(dims_of(Patterned({{1, 5}, {1, 6}, {4, 9}})), (DimList{{1, 1}, {1, 1}, {4, 9}}));
  EXPECT_TRUE(dims_of(Patterned({{8, 1}, {4, 8}})).empty());
  EXPECT_TRUE(dims_of(Patterned({{1, 9}})).empty());
  // Compilers write one run with wraps, too.
  Words words = Registers(RowBlockOfA());
  words[4] = 0x80000000 | 32u << 20 | 15u;
  words[5] = 0x02000000 | 511u;
  EXPECT_TRUE(DecodeShimDescriptor(words).value().dims.empty());
  // The step of an iteration that does not happen.
  words[6] = 15;
  EXPECT_EQ(DecodeShimDescriptor(words).value().iteration, (Dim{1, 1}));
}

TEST(ShimDescriptorTest, BadRegistersAreRefused) {
  const struct {
    const char* name;
    size_t word;
    uint32_t value;
  } bad[] = {
      {"no words", 0, 0},
      {"no multiple of the wraps", 0, 4097},
      {"less than the wraps", 0, 511},
      {"packets", 2, 1u << 30},
      {"out-of-order id", 2, 1u << 24},
      {"secure", 3, 0x41000000},
      {"no d0 wrap", 3, 0},
      {"no d0 wrap, a step", 3, 3},
      {"no d1 wrap", 4, 0x8000007F},
      {"iteration under way", 6, 1u << 26},
      {"not valid", 7, 0},
      {"lock to acquire", 7, 0x02000000 | 1u << 12},
      {"lock to release", 7, 0x02000000 | 1u << 18},
      {"chain", 7, 0x02000000 | 1u << 26},
      {"no TLAST", 7, 0x82000000},
  };
  for (const auto& b : bad) {
    SCOPED_TRACE(b.name);
    Words words = Registers(RowBlockOfA());
    ASSERT_TRUE(DecodeShimDescriptor(words).ok());
    words[b.word] = b.value;
    const Status status = DecodeShimDescriptor(words).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status.ToString();
  }
}

TEST(ShimDescriptorTest, DescriptorOfAnotherSizeIsRefused) {
  const Words nine(9, 1);
  for (size_t size = 0; size <= nine.size(); ++size) {
    if (size == 8) continue;
    const Words words(nine.begin(), nine.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_EQ(DecodeShimDescriptor(words).status().code(), StatusCode::kInvalidArgument) << size;
  }
}

TEST(ShimDescriptorTest, AddressRegistersAndBurstDoNotMatter) {
  Words words = Registers(RowBlockOfA());
  const WriteDescriptor expected = DecodeShimDescriptor(words).value();
  words[1] = 0xFFFFFFFC;
  words[2] = 0x0000FFFF;
  words[4] ^= 0xC0000000;
  words[5] ^= 0xFFF00000;
  EXPECT_EQ(DecodeShimDescriptor(words).value(), expected);
}

// A random canonical descriptor with at most 2^32 - 1 words.
WriteDescriptor RandomDescriptor(base::Random* random) {
  const auto step = [random] { return random->Between(1, int64_t{1} << random->Between(0, 20)); };
  WriteDescriptor d;
  if (random->Between(0, 3) == 0) {
    d.length_words = random->Between(1, 0xFFFFFFFF);
  } else {
    const int64_t count = random->Between(1, 3);
    d.length_words = 1;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t size = random->Between(i + 1 == count ? 2 : 1, random->Between(2, 1023));
      d.dims.push_back({size, size == 1 ? 1 : step()});
      d.length_words *= size;
    }
    // A step beyond 1 makes a gap, so that this is no contiguous run.
    const auto first =
        std::find_if(d.dims.begin(), d.dims.end(), [](const Dim& dim) { return dim.size > 1; });
    first->step_words += first->step_words == 1 ? 1 : 0;
  }
  const int64_t executions = random->Between(1, 64);
  d.iteration = {executions, executions == 1 ? 1 : step()};
  return d;
}

TEST(ShimDescriptorTest, RandomDescriptorsRoundTrip) {
  base::Random random(20);
  for (int i = 0; i < 20000; ++i) {
    const WriteDescriptor d = RandomDescriptor(&random);
    const arch::Npu& npu = arch::NpuOf(i % 2 == 0 ? NpuArch::kNpu1 : NpuArch::kNpu2);
    ASSERT_TRUE(EncodeStream({d}, npu).ok()) << EncodeStream({d}, npu).status().ToString();
    const Result<WriteDescriptor> decoded = DecodeShimDescriptor(Registers(d, npu));
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    ASSERT_EQ(*decoded, d) << i;
  }
}

}  // namespace
}  // namespace tilewave::program
