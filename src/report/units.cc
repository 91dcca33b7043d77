#include "report/units.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace tilewave::report {
namespace {

/// Decimals for three digits once the value is rounded: 9.996 has one, as 10.0.
int Decimals(double value) { return value >= 99.95 ? 0 : (value >= 9.995 ? 1 : 2); }

std::string ThreeDigits(double value, const char* unit) {
  return fmt::format("{:.{}f} {}", value, Decimals(value), unit);
}

}  // namespace

std::string FormatUs(double us) {
  // What rounds to 1000 of one unit is 1.00 of the next.
  if (us < 999.5) return ThreeDigits(us, "us");
  if (us < 999.5e3) return ThreeDigits(us * 1e-3, "ms");
  return ThreeDigits(us * 1e-6, "s");
}

std::string FormatBytes(int64_t bytes) {
  static constexpr std::array<const char*, 4> kUnits = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return ThreeDigits(value, kUnits[unit]);
}

std::string FormatRate(int64_t macs, double us) {
  if (!(us > 0)) return "-";
  return ThreeDigits(2 * static_cast<double>(macs) / us * 1e-3, "GOP/s");
}

std::string FormatCount(int64_t count) {
  const std::string digits = fmt::format("{}", count);
  std::string grouped;
  for (size_t i = 0; i < digits.size(); ++i) {
    const bool after_digit = i > 0 && digits[i - 1] != '-';
    if (after_digit && (digits.size() - i) % 3 == 0) grouped += ',';
    grouped += digits[i];
  }
  return grouped;
}

}  // namespace tilewave::report
