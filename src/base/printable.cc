#include "base/printable.h"

#include <fmt/format.h>

#include <cstddef>

namespace tilewave::base {
namespace {

constexpr size_t kMaxQuoted = 48;

}  // namespace

std::string Printable(std::string_view text) {
  std::string result;
  for (const char c : text.substr(0, kMaxQuoted)) {
    if (c >= 0x20 && c < 0x7f) {
      result += c;
    } else {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  if (text.size() > kMaxQuoted) result += "...";
  return result;
}

}  // namespace tilewave::base
