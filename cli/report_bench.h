#pragma once

#include <optional>
#include <string>

#include "cli/commands.h"

namespace tilewave::cli {

struct ReportBenchOptions {
  std::optional<std::string> device;  ///< vnpu:PROFILE for all rows.
  std::optional<std::string> plot;    ///< An SVG file to draw into.
};

/// `bench --suite report`: table, JSON, plot.
void RunReportBench(const ReportBenchOptions& options, Context* context);

}  // namespace tilewave::cli
