#pragma once

// The rows of `bench --suite report`: the approaches of a published report on 16x16 tiles, as it
// ran them, and the way out, all on the virtual NPU.

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/array_product.h"
#include "plan/array_plan.h"
#include "tilewave/status.h"

namespace tilewave::cli {

/// One approach at one size.
struct ReportRow {
  int64_t size = 0;  ///< M = K = N.
  std::string profile;
  plan::ArrayChoices choices;
  std::string kernel_model;
  int64_t launches = 0;
  std::optional<int64_t> wave;  ///< Launches between one wait for all and the next, if any is.

  ArrayProduct::Outcome outcome;
  double total_us = 0;
  double speed_up = 0;  ///< Over the first row of this size.
  std::optional<double> report_us;

  bool lossy() const { return choices.output && program::IsLossy(*choices.output); }
  std::optional<double> deviation() const;
  bool whole_array() const { return choices.family == program::DesignFamily::kWholeArray; }
  /// "wave", ...; "one launch" for the whole array.
  std::string mode_text() const;
  double wrong_share() const;
};

struct ReportSuite {
  std::string report_profile;  ///< Of the rows that the report published.
  std::string profile;         ///< Of the others.
  std::vector<ReportRow> rows;
};

/// Which profiles the rows run on.
struct ReportProfiles {
  std::string report = "phoenix-pyxrt";
  std::string other = "phoenix";
};

/// How many rows there will be.
int64_t ReportRowCount();

/// Runs all rows; every element of every product is compared. `progress` counts finished rows.
[[nodiscard]] Result<ReportSuite> RunReportSuite(const ReportProfiles& profiles,
                                                 std::atomic<int64_t>* progress);

}  // namespace tilewave::cli
