#pragma once

// Checks for bugs in tilewave itself. What can happen in the field is a Status instead.

#include <sstream>
#include <string>

namespace tilewave::base {

/// Receives the text of a failed check. Must not return; the default aborts.
using CheckHandler = void (*)(const std::string& text);

/// Sets the handler for the whole process and returns the old one. Thread-safe. For test
/// programs and embedders that want their own crash report; it is the only process-wide setting.
CheckHandler SetCheckHandler(CheckHandler handler);

/// Ends the program through the handler.
[[noreturn]] void FailCheck(const char* file, int line, const std::string& what);

/// Builds "a == b (3 vs. 4)"; out of line from the macro so that the passing path stays small.
template <typename A, typename B>
std::string DescribeComparison(const char* expression, const A& a, const B& b) {
  std::ostringstream text;
  text << expression << " (" << a << " vs. " << b << ")";
  return text.str();
}

}  // namespace tilewave::base

#define TW_CHECK(condition)                                                        \
  do {                                                                             \
    if (!(condition)) ::tilewave::base::FailCheck(__FILE__, __LINE__, #condition); \
  } while (false)

// The operands are evaluated once, whether the check passes or not.
#define TW_CHECK_OP_(op, a, b)                                                              \
  do {                                                                                      \
    const auto& tw_check_a = (a);                                                           \
    const auto& tw_check_b = (b);                                                           \
    if (!(tw_check_a op tw_check_b))                                                        \
      ::tilewave::base::FailCheck(                                                          \
          __FILE__, __LINE__,                                                               \
          ::tilewave::base::DescribeComparison(#a " " #op " " #b, tw_check_a, tw_check_b)); \
  } while (false)

#define TW_CHECK_EQ(a, b) TW_CHECK_OP_(==, a, b)
#define TW_CHECK_LE(a, b) TW_CHECK_OP_(<=, a, b)
#define TW_CHECK_LT(a, b) TW_CHECK_OP_(<, a, b)
#define TW_CHECK_GE(a, b) TW_CHECK_OP_(>=, a, b)
