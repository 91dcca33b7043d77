#include "tilewave/status.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <utility>

namespace tilewave {
namespace {

constexpr StatusCode kAllCodes[] = {StatusCode::kOk,
                                    StatusCode::kInvalidArgument,
                                    StatusCode::kOutOfRange,
                                    StatusCode::kFailedPrecondition,
                                    StatusCode::kNotFound,
                                    StatusCode::kUnimplemented,
                                    StatusCode::kUnavailable,
                                    StatusCode::kResourceExhausted,
                                    StatusCode::kDeadlineExceeded,
                                    StatusCode::kDataLoss,
                                    StatusCode::kPermissionDenied,
                                    StatusCode::kInternal};

TEST(StatusTest, DefaultIsOk) {
  const Status status;
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.code(), StatusCode::kOk);
  EXPECT_EQ(status.message(), "");
  EXPECT_EQ(status.ToString(), "ok");
}

TEST(StatusTest, ErrorCarriesCodeAndMessage) {
  const Status status(StatusCode::kOutOfRange, "K is 7");
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.code(), StatusCode::kOutOfRange);
  EXPECT_EQ(status.message(), "K is 7");
  EXPECT_EQ(status.ToString(), "out_of_range: K is 7");
}

TEST(StatusTest, EveryErrorCodeIsKept) {
  for (StatusCode code : kAllCodes) {
    if (code == StatusCode::kOk) continue;
    EXPECT_EQ(Status(code, "text").code(), code);
    EXPECT_EQ(Status(code, "text").ToString(), std::string(Name(code)) + ": text");
  }
}

TEST(StatusTest, CopyOutlivesTheOriginal) {
  auto original = std::make_unique<Status>(StatusCode::kNotFound, "no device 'x'");
  const Status copy = *original;
  original.reset();
  EXPECT_EQ(copy.ToString(), "not_found: no device 'x'");
}

TEST(StatusTest, AssignmentReplaces) {
  Status status(StatusCode::kNotFound, "gone");
  status = Status();
  EXPECT_TRUE(status.ok());
  status = Status(StatusCode::kInternal, "bug");
  EXPECT_EQ(status.ToString(), "internal: bug");
}

TEST(StatusTest, NamesAreUniqueAndStable) {
  std::set<std::string_view> names;
  for (StatusCode code : kAllCodes) names.insert(Name(code));
  EXPECT_EQ(names.size(), std::size(kAllCodes));
  EXPECT_EQ(names.count("unknown"), 0u);
  EXPECT_EQ(Name(StatusCode::kInvalidArgument), "invalid_argument");
  EXPECT_EQ(Name(StatusCode::kFailedPrecondition), "failed_precondition");
  EXPECT_EQ(Name(static_cast<StatusCode>(99)), "unknown");
}

TEST(StatusDeathTest, OkWithAMessageIsABug) {
  EXPECT_DEATH(static_cast<void>(Status(StatusCode::kOk, "fine")),
               "check failed: code != StatusCode::kOk");
}

TEST(ResultTest, HoldsAValue) {
  Result<std::string> result(std::string("abc"));
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result.status().ok());
  EXPECT_EQ(result.value(), "abc");
  EXPECT_EQ(*result, "abc");
  EXPECT_EQ(result->size(), 3u);
  result->push_back('d');
  const Result<std::string>& as_const = result;
  EXPECT_EQ(*as_const, "abcd");
  EXPECT_EQ(as_const->size(), 4u);
}

TEST(ResultTest, MovesOutAMoveOnlyValue) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(5));
  ASSERT_TRUE(result.ok());
  const std::unique_ptr<int> value = *std::move(result);
  ASSERT_NE(value, nullptr);
  EXPECT_EQ(*value, 5);
}

TEST(ResultTest, HoldsAnError) {
  const Result<int> result(Status(StatusCode::kUnavailable, "asleep"));
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(result.status().ToString(), "unavailable: asleep");
}

TEST(ResultDeathTest, AValueThatIsNotThereIsNotRead) {
  Result<int> result(Status(StatusCode::kNotFound, "no such thing"));
  EXPECT_DEATH(static_cast<void>(*result), "without a value was read: .*no such thing");
  EXPECT_DEATH(static_cast<void>(std::as_const(result).value()), "no such thing");
  Result<std::string> text(Status(StatusCode::kNotFound, "no such text"));
  EXPECT_DEATH(static_cast<void>(text->size()), "no such text");
  EXPECT_DEATH(static_cast<void>(*std::move(text)), "no such text");
}

TEST(ResultTest, OkStatusInPlaceOfAValueIsInternal) {
  const Result<int> result{Status()};
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(result.status().code(), StatusCode::kInternal);
}

}  // namespace
}  // namespace tilewave
