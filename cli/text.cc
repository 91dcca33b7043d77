#include "cli/text.h"

#include <fmt/format.h>

#include <limits>

namespace tilewave::cli {
namespace {

template <typename T>
Result<T> ParseWithin(std::string_view what, std::string_view text, T low, T high) {
  T value{};
  if (ParseNumber(text, &value) && value >= low && value <= high) return value;
  const std::string given = text.empty() ? "empty" : fmt::format("'{}'", text);
  return Status(StatusCode::kInvalidArgument,
                fmt::format("{} is {}; expected an integer from {} to {}", what, given, low, high));
}

}  // namespace

Result<int64_t> ParseInteger(std::string_view what, std::string_view text, int64_t low,
                             int64_t high) {
  return ParseWithin<int64_t>(what, text, low, high);
}

Result<uint64_t> ParseSeed(std::string_view text) {
  return ParseWithin<uint64_t>("--seed", text, 0, std::numeric_limits<uint64_t>::max());
}

std::string EscapeControls(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace tilewave::cli
