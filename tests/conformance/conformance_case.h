#pragma once

// What a suite's file is made of: cases, each run on every backend.

#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tests/conformance/backend.h"
#include "tests/conformance/expectations.h"

namespace tilewave::conformance {

/// One property of a backend, checked with GoogleTest's assertions.
struct Case {
  std::string_view suite;
  std::string_view name;
  void (*body)(const Backend& backend) = nullptr;
  const char* file = nullptr;
  int line = 0;
};

/// All cases that have been registered.
std::span<const Case> Cases();

/// Makes the test suite/backend.name for every backend. Always true, to be called before main.
bool Register(const Case& registered);

/// Runs a case as a test: skips what is unsupported, and turns an expected failure around.
/// `expectation`: null if it is to pass.
void RunCase(const Case& run, const Backend& backend, const Expectation* expectation);

enum class Ending : uint8_t { kPassed, kFailed, kSkipped };

/// How a body ended; none of its failures reach the test that calls.
struct Captured {
  Ending ending = Ending::kPassed;
  std::string message;  ///< Of the first failure, or why it was skipped.
};
Captured RunCaptured(const Case& run, const Backend& backend);

}  // namespace tilewave::conformance

// NOLINTBEGIN(bugprone-macro-parentheses): they declare.

/// CONFORMANCE_CASE(suite, Name) { ... } defines a case; `backend` is what it runs on.
#define CONFORMANCE_CASE(suite, name)                                \
  static void suite##_##name(const Backend& backend);                \
  [[maybe_unused]] static const bool suite##_##name##_registered =   \
      Register({#suite, #name, suite##_##name, __FILE__, __LINE__}); \
  static void suite##_##name(const Backend& backend)

/// Skips the case if an array binary is not here, fails it if the status is another error.
#define CONFORMANCE_OK(expression)                                         \
  do {                                                                     \
    const Status conformance_status = (expression);                        \
    if (IsAbsentBinary(backend, conformance_status)) {                     \
      GTEST_SKIP() << conformance_status.message();                        \
    }                                                                      \
    ASSERT_TRUE(conformance_status.ok()) << conformance_status.ToString(); \
  } while (false)

/// Declares `variable` as the value of a Result, or ends the case as CONFORMANCE_OK does.
#define CONFORMANCE_TAKE(variable, expression) \
  auto variable##_result = (expression);       \
  CONFORMANCE_OK(variable##_result.status());  \
  auto variable = *std::move(variable##_result)

/// The same for what opens a device, which may be absent, too.
#define CONFORMANCE_OPEN(variable, expression)               \
  auto variable##_result = (expression);                     \
  if (IsAbsentDevice(backend, variable##_result.status())) { \
    GTEST_SKIP() << variable##_result.status().message();    \
  }                                                          \
  CONFORMANCE_OK(variable##_result.status());                \
  auto variable = *std::move(variable##_result)

// NOLINTEND(bugprone-macro-parentheses)
