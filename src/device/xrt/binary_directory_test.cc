#include "device/xrt/binary_directory.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>

namespace tilewave::device::xrt {
namespace {

TEST(BinaryDirectoryTest, AMissingBinaryNamesTheCommandThatMakesIt) {
  program::DesignSpec spec;
  spec.family = program::DesignFamily::kWholeArray;
  spec.columns = 4;
  const Status missing = ReadBinary("no-such-directory", spec).status();
  EXPECT_EQ(missing.code(), StatusCode::kNotFound);
  const std::string name = BinaryName(spec);
  const std::string hash = name.substr(0, name.find('.'));
  EXPECT_EQ(hash.size(), 16U);
  EXPECT_EQ(missing.message(),
            "no array binary no-such-directory/" + name + " for " + Name(spec) +
                "; `tilewave emit 64x64x64 --arch npu1 --design whole_array --out s32 --tile "
                "64x64x64 --cols 4 --k-mt 64 --b-layout packed --c-buffers 1 --stack 3328 -o " +
                hash + "` and the build.sh that it writes make it");
}

TEST(BinaryDirectoryTest, ADesignThatCannotBeEmittedHasNoCommand) {
  program::DesignSpec spec;
  spec.kernel = program::TileKernel::kScalar;
  EXPECT_EQ(EmitCommand(spec), "");
  EXPECT_NE(ReadBinary("no-such-directory", spec)
                .status()
                .message()
                .find("tilewave emit does not write this design"),
            std::string::npos);
}

TEST(BinaryDirectoryTest, ReadsWhatBeginsAsAnArrayBinaryAndNothingElse) {
  const program::DesignSpec spec;
  const std::string directory = ::testing::TempDir();
  const std::string path = directory + "/" + BinaryName(spec);
  const auto write = [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    return ReadBinary(directory, spec);
  };
  EXPECT_EQ(write("").status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(write("an ELF or so").status().code(), StatusCode::kDataLoss);
  const Result<std::unique_ptr<ArrayImage>> image = write("xclbin2 and more");
  ASSERT_TRUE(image.ok()) << image.status().message();
  const auto& binary = dynamic_cast<const ArrayBinary&>(**image);
  EXPECT_EQ(binary.spec(), spec);
  EXPECT_EQ(binary.bytes().size(), 16U);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace tilewave::device::xrt
