#pragma once

#include <cstdint>
#include <string>

namespace tilewave::report {

/// "0.8 us", "12.3 us", "4.57 ms", "1.23 s": three significant digits, the unit that fits.
std::string FormatUs(double us);

/// "512 B", "64.0 KiB", "1.50 MiB", "2.00 GiB".
std::string FormatBytes(int64_t bytes);

/// Operations per second of `macs` multiply-adds (two operations each): "31.4 GOP/s".
std::string FormatRate(int64_t macs, double us);

/// 1234567 -> "1,234,567".
std::string FormatCount(int64_t count);

}  // namespace tilewave::report
