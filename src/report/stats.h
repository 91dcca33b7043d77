#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "tilewave/device_info.h"

namespace tilewave::report {

/// The stats of one call as a table of phases and parts, times with their kind.
std::string StatsText(const CallStats& stats);

/// {"total_us", "macs", "plan_cached", "phases_us": {...}, "parts": [{"device", "kernel",
/// "reason", "launches", "time_us", "time_kind"}]}
nlohmann::json StatsJson(const CallStats& stats);

}  // namespace tilewave::report
