#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "tilewave/device_info.h"

namespace tilewave::report {

/// The stats of one call as a table of phases and parts, times with their kind.
std::string StatsText(const CallStats& stats);

/// Empty, or a line that says that the device failed before the answer was there: the part of the
/// stats that nobody should have to ask for.
std::string FailureText(const CallStats& stats);

/// {"total_us", "macs", "plan_cached", "phases_us": {...}, "failed_attempts", "failure": null or a
/// text, "parts": [{"device", "kernel", "reason", "launches", "time_us", "time_kind"}]}
nlohmann::json StatsJson(const CallStats& stats);

}  // namespace tilewave::report
