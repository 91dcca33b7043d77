#include "base/check.h"

#include <gtest/gtest.h>

#include <csignal>
#include <stdexcept>
#include <string>

namespace tilewave::base {
namespace {

void Throw(const std::string& text) { throw std::runtime_error(text); }
void Return(const std::string& /*text*/) {}

// Puts the old handler back when a test ends.
class ScopedHandler {
 public:
  explicit ScopedHandler(CheckHandler handler) : old_(SetCheckHandler(handler)) {}
  ~ScopedHandler() { SetCheckHandler(old_); }
  ScopedHandler(const ScopedHandler&) = delete;
  ScopedHandler& operator=(const ScopedHandler&) = delete;

 private:
  CheckHandler old_;
};

template <typename Action>
std::string TextOf(Action action) {
  const ScopedHandler scoped(&Throw);
  try {
    action();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(CheckTest, PassingChecksDoNothingAndEvaluateOnce) {
  int evaluations = 0;
  const auto three = [&] { return ++evaluations, 3; };
  const std::string text = TextOf([&] {
    TW_CHECK(three() == 3);
    TW_CHECK_EQ(three(), 3);
    TW_CHECK_LE(three(), 3);
    TW_CHECK_LE(three(), 4);
    TW_CHECK_LT(three(), 4);
    TW_CHECK_GE(three(), 3);
    TW_CHECK_GE(three(), 2);
  });
  EXPECT_EQ(text, "");
  EXPECT_EQ(evaluations, 7);
}

TEST(CheckTest, FailedChecksNameFileLineExpressionAndValues) {
  const int rows = 3;
  const int limit = 2;
  const int line = __LINE__ + 1;
  const std::string text = TextOf([&] { TW_CHECK_LE(rows, limit); });
  EXPECT_NE(text.find("check_test.cc:" + std::to_string(line) + ": "), std::string::npos) << text;
  EXPECT_NE(text.find("check failed: rows <= limit (3 vs. 2)"), std::string::npos) << text;
  EXPECT_EQ(text.back(), '\n');
}

TEST(CheckTest, EveryComparisonCanFail) {
  const int a = 3;
  const int b = 4;
  EXPECT_NE(TextOf([&] { TW_CHECK(a == b); }).find("check failed: a == b"), std::string::npos);
  EXPECT_NE(TextOf([&] { TW_CHECK_EQ(a, b); }).find("a == b (3 vs. 4)"), std::string::npos);
  EXPECT_NE(TextOf([&] { TW_CHECK_LE(b, a); }).find("b <= a (4 vs. 3)"), std::string::npos);
  EXPECT_NE(TextOf([&] { TW_CHECK_LT(b, a); }).find("b < a (4 vs. 3)"), std::string::npos);
  EXPECT_NE(TextOf([&] { TW_CHECK_LT(a, a); }).find("a < a (3 vs. 3)"), std::string::npos);
  EXPECT_NE(TextOf([&] { TW_CHECK_GE(a, b); }).find("a >= b (3 vs. 4)"), std::string::npos);
}

TEST(CheckTest, SetHandlerReturnsTheOldOne) {
  const CheckHandler original = SetCheckHandler(&Throw);
  EXPECT_NE(original, nullptr);
  EXPECT_EQ(SetCheckHandler(&Return), &Throw);
  EXPECT_EQ(SetCheckHandler(original), &Return);
}

TEST(CheckDeathTest, DefaultHandlerPrintsBothValuesAndAborts) {
  const int left = 3;
  const int right = 4;
  EXPECT_DEATH(TW_CHECK_EQ(left, right),
               "check_test\\.cc:[0-9]+: check failed: left == right \\(3 vs\\. 4\\)");
}

TEST(CheckDeathTest, HandlerThatReturnsStillAborts) {
  const ScopedHandler scoped(&Return);
  EXPECT_EXIT(TW_CHECK(false), ::testing::KilledBySignal(SIGABRT), "");
}

}  // namespace
}  // namespace tilewave::base
