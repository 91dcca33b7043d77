#pragma once

// One row of `bench --design whole_array`: a product on the virtual NPU in a design that the caller
// describes, timed, and with its data checked unless only its time was asked for.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plan/array_plan.h"
#include "program/design_spec.h"
#include "tilewave/quantisation.h"
#include "tilewave/status.h"

namespace tilewave::cli {

struct WholeArrayRequest {
  std::string device;  ///< "vnpu:PROFILE" with its suffixes.
  int64_t batch = 1;
  int64_t m = 0;
  int64_t k = 0;
  int64_t n = 0;
  plan::ArrayChoices choices;
  RequantShift requant;  ///< Of an s8 output.
  bool timing_only = false;
};

struct WholeArrayRow {
  WholeArrayRequest request;
  program::DesignSpec spec;
  std::string kernel_model;
  int64_t launches = 0;
  double simulated_us = 0;  ///< Of all that was done: with data, the host's copies are part of it.
  double predicted_us = 0;  ///< Of the same, by the planner's formula.
  std::vector<std::pair<std::string, double>> terms_us;  ///< Shares of simulated_us.
  double kernel_us = 0;                                  ///< A core inside kernels, on average.
  std::optional<bool> exact;                             ///< Compared with the host, if data moved.

  double tops() const;
};

/// Simulates one warm call: device, configuration, buffers and prepacked weights are there.
/// Errors: those of the engine; kUnimplemented: data in a design that is for timing only.
[[nodiscard]] Result<WholeArrayRow> MeasureWholeArray(const WholeArrayRequest& request);

}  // namespace tilewave::cli
