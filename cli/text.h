#pragma once

// Numbers and names on their way between the user and the program.

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "tilewave/status.h"

namespace tilewave::cli {

/// What the user gave is wrong.
[[nodiscard]] inline Status Invalid(std::string text) {
  return {StatusCode::kInvalidArgument, std::move(text)};
}

/// The whole text as a decimal number, or false: no white space, no 0x, no octal. A '+' may stand
/// before a digit or a dot, not before another sign or a word.
template <typename T>
bool ParseNumber(std::string_view text, T* value) {
  if (text.size() > 1 && text[0] == '+' && (text[1] == '.' || (text[1] >= '0' && text[1] <= '9'))) {
    text.remove_prefix(1);
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size();
}

/// The integer in `text`, or "<what> is '0x3'; expected an integer from <low> to <high>".
[[nodiscard]] Result<int64_t> ParseInteger(std::string_view what, std::string_view text,
                                           int64_t low, int64_t high);

/// The same for an option that may not be given; then `out` stays as it is.
template <typename T>
[[nodiscard]] Status ParseOptional(std::string_view option, const std::optional<std::string>& text,
                                   int64_t low, int64_t high, T* out) {
  if (!text) return {};
  const Result<int64_t> value = ParseInteger(option, *text, low, high);
  if (!value.ok()) return value.status();
  *out = static_cast<T>(*value);
  return {};
}

/// The same over all of uint64_t, for --seed.
[[nodiscard]] Result<uint64_t> ParseSeed(std::string_view text);

/// `text` fit for one line of a terminal: bytes below 0x20 and 0x7f become "\x1b" and the like.
std::string EscapeControls(std::string_view text);

}  // namespace tilewave::cli
