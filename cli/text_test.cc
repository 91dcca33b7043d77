#include "cli/text.h"

#include <gtest/gtest.h>

#include <string>

#include "cli/progress_bar.h"

namespace tilewave::cli {
namespace {

TEST(NumberTest, OnlyWholeDecimalTexts) {
  int32_t value = 0;
  EXPECT_TRUE(ParseNumber("010", &value));
  EXPECT_EQ(value, 10);
  EXPECT_TRUE(ParseNumber("+7", &value));
  EXPECT_EQ(value, 7);
  for (const char* bad :
       {"", "+", "-", "+-1", "-+1", "++1", "0x3", " 1", "1 ", "1e2", "2147483648", "-2147483649"}) {
    EXPECT_FALSE(ParseNumber(bad, &value)) << bad;
  }
  float real = 0;
  EXPECT_TRUE(ParseNumber("+.5", &real));
  EXPECT_EQ(real, 0.5F);
  EXPECT_FALSE(ParseNumber("+inf", &real));
}

TEST(NumberTest, IntegersHaveANameAndARange) {
  EXPECT_EQ(*ParseInteger("--shift", "31", 0, 31), 31);
  EXPECT_EQ(*ParseInteger("--zero-c", "-5", -128, 127), -5);
  for (const char* bad : {"32", "-1", "0x3", "3.0"}) {
    const Status status = ParseInteger("--shift", bad, 0, 31).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message(),
              "--shift is '" + std::string(bad) + "'; expected an integer from 0 to 31");
  }
  EXPECT_EQ(ParseInteger("--shift", "", 0, 31).status().message(),
            "--shift is empty; expected an integer from 0 to 31");
  EXPECT_EQ(*ParseSeed("18446744073709551615"), 18446744073709551615U);
  EXPECT_FALSE(ParseSeed("18446744073709551616").ok());
  EXPECT_FALSE(ParseSeed("-1").ok());
}

TEST(TextTest, ControlCharactersAreSpelled) {
  EXPECT_EQ(EscapeControls("a\nb\x1b[31m\x7f\t"), "a\\x0ab\\x1b[31m\\x7f\\x09");
  EXPECT_EQ(EscapeControls("\xc3\xa9 ~"), "\xc3\xa9 ~");  // UTF-8 stays.
}

TEST(TextTest, LabelsOfFilesAreShort) {
  EXPECT_EQ(FileLabel("read", "folder/A.npy"), "read A.npy");
  EXPECT_EQ(FileLabel("write", "C\n.npy"), "write C\\x0a.npy");
  EXPECT_EQ(FileLabel("read", std::string(30, 'n')), "read " + std::string(24, 'n') + "...");
  // 23 bytes and then a character of two: it is not cut in halves.
  EXPECT_EQ(FileLabel("read", std::string(23, 'n') + "\xc3\xa9.npy"),
            "read " + std::string(23, 'n') + "...");
}

}  // namespace
}  // namespace tilewave::cli
