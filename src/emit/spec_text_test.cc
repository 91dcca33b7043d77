#include "emit/spec_text.h"

#include <gtest/gtest.h>

#include <string>

namespace tilewave::emit {
namespace {

using program::DesignSpec;

DesignSpec EveryFieldChanged() {
  DesignSpec spec;
  spec.family = program::DesignFamily::kWholeArray;
  spec.arch = arch::NpuArch::kNpu2;
  spec.tile_m = 32;
  spec.tile_k = 128;
  spec.tile_n = 16;
  spec.kernel = program::TileKernel::kScalar;
  spec.output = program::TileOutput::kS16Lossy;
  spec.stack_bytes = 2048;
  spec.columns = 8;
  spec.k_mt = 256;
  spec.b_layout = program::BLayout::kColumnMajor;
  spec.c_buffers = 2;
  return spec;
}

constexpr const char* kText =
    "family=whole_array arch=npu2 tile=32x128x16 kernel=scalar output=s16_lossy stack_bytes=2048 "
    "columns=8 k_mt=256 b_layout=col c_buffers=2";

TEST(SpecTextTest, SaysEveryField) {
  EXPECT_EQ(SpecText(EveryFieldChanged()), kText);
  const Result<DesignSpec> read = ParseSpecText(kText);
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(*read, EveryFieldChanged());
  EXPECT_EQ(*ParseSpecText(SpecText({})), DesignSpec());
}

// Replaces a part of a good text and expects a refusal that names the field.
void ExpectRefusal(const std::string& part, const std::string& by, const std::string& field) {
  std::string text = kText;
  text.replace(text.find(part), part.size(), by);
  const Result<DesignSpec> read = ParseSpecText(text);
  ASSERT_FALSE(read.ok()) << text;
  EXPECT_EQ(read.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(read.status().message().find("'" + field + "'"), std::string::npos)
      << read.status().message();
}

TEST(SpecTextTest, RefusesWhatItDidNotWrite) {
  ExpectRefusal("family=whole_array ", "", "family");
  ExpectRefusal("whole_array", "whole", "family");
  ExpectRefusal("arch=", "arch:", "arch");
  ExpectRefusal("32x128x16", "32x128", "tile");
  ExpectRefusal("32x128x16", "32x128x16x1", "tile");
  ExpectRefusal("columns=8", "columns=-8", "columns");
  ExpectRefusal("columns=8", "columns=99999999999", "columns");
  ExpectRefusal("k_mt=256", "k_mt=", "k_mt");
  ExpectRefusal("stack_bytes=2048 columns=8", "columns=8 stack_bytes=2048", "stack_bytes");
  ExpectRefusal("c_buffers=2", "c_buffers=2 x", "nothing");
  ExpectRefusal(" k_mt", "  k_mt", "k_mt");
}

}  // namespace
}  // namespace tilewave::emit
