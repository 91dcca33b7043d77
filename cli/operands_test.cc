#include "cli/operands.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tilewave::cli {
namespace {

class OperandsTest : public ::testing::Test {
 protected:
  OperandsTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("tilewave_operands_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~OperandsTest() override { std::filesystem::remove_all(folder_); }

  template <typename T>
  std::string Write(const std::vector<int64_t>& shape, const std::vector<T>& values) {
    const std::string path = folder_ / "x.npy";
    EXPECT_TRUE(WriteNpy(path, ElementTypeOf<T>(), shape, std::as_bytes(std::span(values))).ok());
    return path;
  }

  std::filesystem::path folder_;
};

TEST(ShapeTest, ReadsTwoOrThreeExtents) {
  EXPECT_EQ(*ParseShape("3x4"), (std::vector<int64_t>{3, 4}));
  EXPECT_EQ(*ParseShape("8x1500x64"), (std::vector<int64_t>{8, 1500, 64}));
  for (const char* bad : {"", "3", "x", "3x", "x4", "3x4x5x6", "3x-4", "0x4", "3x4 ", "3X4", "axb",
                          "+4x+4", "99999999999999999999x2", "3.5x2"}) {
    const Status status = ParseShape(bad).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << bad;
    EXPECT_NE(status.message().find("ROWSxCOLS"), std::string::npos) << bad;
  }
}

TEST_F(OperandsTest, NumbersAndTheirTypos) {
  EXPECT_FALSE(LoadFloats("--scale-a", std::nullopt, 3, 1, "rows")->parameter.present);
  EXPECT_EQ(LoadFloats("--scale-a", "", 3, 1, "rows").status().message(),
            "--scale-a is empty; expected a number or a .npy file");
  EXPECT_EQ(LoadFloats("--scale-a", "0.25", 3, 1, "rows")->parameter.At(0, 2), 0.25F);
  EXPECT_EQ(LoadFloats("--scale-a", "+1e-3", 3, 1, "rows")->parameter.At(0, 0), 1e-3F);
  EXPECT_EQ(LoadIntegers("--zero-a", "-128", 3, 1, "rows")->parameter.At(0, 0), -128);
  EXPECT_NE(LoadIntegers("--zero-a", "1.5", 3, 1, "rows")
                .status()
                .message()
                .find("--zero-a is '1.5', which is no 32-bit integer"),
            std::string::npos);
  EXPECT_NE(LoadIntegers("--zero-a", "99999999999", 3, 1, "rows")
                .status()
                .message()
                .find("no 32-bit integer"),
            std::string::npos);
  EXPECT_EQ(LoadFloats("--scale-a", "missing.npy", 3, 1, "rows").status().code(),
            StatusCode::kNotFound);
}

TEST_F(OperandsTest, OnePerMatrixWhenTheCountIsOne) {
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{4, 1}, std::vector<int64_t>{4}, std::vector<int64_t>{1, 4}}) {
    const auto one_column = LoadFloats("s", Write<float>(shape, {1, 2, 3, 4}), 1, 4, "columns");
    ASSERT_TRUE(one_column.ok()) << one_column.status().message();
    for (int64_t b = 0; b < 4; ++b) {
      EXPECT_EQ(one_column->parameter.At(b, 0), static_cast<float>(b + 1));
    }
    EXPECT_FALSE(LoadFloats("s", Write<float>(shape, {1, 2, 3, 4}), 1, 3, "columns").ok());
    EXPECT_FALSE(LoadFloats("s", Write<float>(shape, {1, 2, 3, 4}), 1, 1, "columns").ok());
  }
  // As many rows as matrices: one per row, the same for each matrix.
  const auto square = LoadFloats("s", Write<float>({4, 1}, {1, 2, 3, 4}), 4, 4, "rows");
  EXPECT_EQ(square->parameter.At(2, 3), 4);
  EXPECT_EQ(square->parameter.At(3, 0), 1);
}

TEST_F(OperandsTest, OutputsThatWereMeantAsOptions) {
  EXPECT_EQ(CheckOutput("").message(), "--output is empty; expected the name of a .npy file");
  EXPECT_EQ(CheckOutput("--json").message(),
            "--output is '--json', which begins with '-' (a file of that name: ./--json)");
  EXPECT_TRUE(CheckOutput(folder_ / "new.npy").ok());
}

TEST_F(OperandsTest, FilesWithOneOrMany) {
  EXPECT_EQ(LoadFloats("s", Write<float>({}, {2.5F}), 3, 2, "rows")->parameter.At(1, 2), 2.5F);
  EXPECT_EQ(LoadFloats("s", Write<float>({3}, {1, 2, 3}), 3, 2, "rows")->parameter.At(1, 2), 3);
  EXPECT_EQ(LoadFloats("s", Write<float>({3, 1}, {1, 2, 3}), 3, 2, "rows")->parameter.At(0, 1), 2);
  const auto batch = LoadFloats("s", Write<float>({2, 3}, {1, 2, 3, 4, 5, 6}), 3, 2, "rows");
  EXPECT_EQ(batch->parameter.At(1, 2), 6);
  EXPECT_EQ(batch->parameter.At(0, 2), 3);
  EXPECT_EQ(LoadIntegers("z", Write<uint8_t>({3}, {1, 2, 200}), 3, 1, "rows")->parameter.At(0, 2),
            200);
  const Status wrong_count =
      LoadFloats("s", Write<float>({4}, {1, 2, 3, 4}), 3, 2, "rows of A").status();
  EXPECT_NE(wrong_count.message().find("expected one number, or 3 (the rows of A), or 2x3"),
            std::string::npos)
      << wrong_count.message();
  EXPECT_NE(LoadFloats("s", Write<int8_t>({3}, {1, 2, 3}), 3, 1, "rows")
                .status()
                .message()
                .find("holds s8; expected float32"),
            std::string::npos);
  EXPECT_NE(LoadIntegers("z", Write<float>({3}, {1, 2, 3}), 3, 1, "rows")
                .status()
                .message()
                .find("expected int8, uint8 or int32"),
            std::string::npos);
}

TEST_F(OperandsTest, MatricesHaveTwoOrThreeDimensions) {
  const Result<LoadedMatrix> matrix = LoadMatrix(Write<int8_t>({2, 3}, {1, 2, 3, 4, 5, 6}));
  ASSERT_TRUE(matrix.ok());
  EXPECT_FALSE(matrix->batched);
  EXPECT_EQ(matrix->view.rows, 2);
  EXPECT_EQ(matrix->view.cols, 3);
  EXPECT_EQ(matrix->view.row_stride, 3);
  const Result<LoadedMatrix> batch = LoadMatrix(Write<uint8_t>({1, 2, 3}, {1, 2, 3, 4, 5, 6}));
  ASSERT_TRUE(batch.ok());
  EXPECT_TRUE(batch->batched);
  const auto refusal = [](const std::string& path) { return LoadMatrix(path).status().message(); };
  EXPECT_NE(refusal(Write<int8_t>({6}, {1, 2, 3, 4, 5, 6})).find("has 1 dimensions"),
            std::string::npos);
  EXPECT_NE(refusal(Write<int8_t>({0, 3}, {})).find("every extent must be at least 1"),
            std::string::npos);
  EXPECT_NE(refusal(Write<int32_t>({1, 1}, {1})).find("holds int32"), std::string::npos);
}

}  // namespace
}  // namespace tilewave::cli
