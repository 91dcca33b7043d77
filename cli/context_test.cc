#include <gtest/gtest.h>
#include <unistd.h>

#include "base/check.h"
#include "cli/commands.h"

namespace tilewave::cli {
namespace {

TEST(ContextDeathTest, FailedCheckIsAnErrorAsJson) {
  const auto fail = [](bool json) {
    ::dup2(STDERR_FILENO, STDOUT_FILENO);  // The only stream that a death test reads.
    ReportFailedChecks(json);
    TW_CHECK_EQ(1, 2);
  };
  EXPECT_EXIT(fail(true), ::testing::ExitedWithCode(6),
              "tilewave: internal error, please report it: .*1 == 2.*\n\\{\n"
              "  \"error\": \\{\n    \"code\": \"internal\",\n"
              "    \"message\": \"internal error.*1 == 2.*\"\n  \\},\n  \"ok\": false\n\\}\n$");
  EXPECT_EXIT(fail(false), ::testing::ExitedWithCode(6), "please report it: .*1 == 2[^\n]*\n$");
}

}  // namespace
}  // namespace tilewave::cli
