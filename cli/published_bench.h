#pragma once

#include <vector>

#include "cli/commands.h"
#include "cli/published_rows.h"
#include "tilewave/status.h"

namespace tilewave::cli {

/// A published figure beside the simulation of the same thing, in the row's unit.
struct PublishedOutcome {
  const PublishedRow* row = nullptr;
  double simulated = 0;

  double error() const { return (simulated - row->published) / row->published; }
};

/// Simulates every row, timing only. Errors: those of MeasureWholeArray.
[[nodiscard]] Result<std::vector<PublishedOutcome>> RunPublishedRows();

/// Median and largest of the errors' magnitudes. REQUIRES: not empty.
struct ErrorSummary {
  double median = 0;
  double worst = 0;
};
ErrorSummary Summarise(const std::vector<PublishedOutcome>& outcomes);

/// `bench --suite published`: table and JSON.
void RunPublishedBench(Context* context);

}  // namespace tilewave::cli
