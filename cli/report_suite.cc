#include "cli/report_suite.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "engine/compose.h"

namespace tilewave::cli {
namespace {

using plan::BufferPolicy;
using plan::SubmissionMode;
using program::DesignFamily;
using program::TileKernel;

constexpr std::array<int64_t, 3> kSizes = {64, 128, 512};
constexpr std::array kModes = {SubmissionMode::kSequential, SubmissionMode::kWave,
                               SubmissionMode::kRunlist};

/// An approach of the report, with the totals that it printed for kSizes (0: none). Source:
/// Unicorn-Amanuensis, BATCHED_MATMUL_OPTIMIZATION_REPORT.md, in milliseconds.
struct Published {
  SubmissionMode mode;
  BufferPolicy buffers;
  std::array<double, 3> total_ms;
};
constexpr Published kPublished[] = {
    {SubmissionMode::kSequential, BufferPolicy::kOne, {29.31, 237.88, 15034}},
    {SubmissionMode::kWave, BufferPolicy::kPerTile, {0, 0, 13327}},
    {SubmissionMode::kWave, BufferPolicy::kPool, {26.95, 207.33, 11485}},
};

/// The report's pool.
constexpr int64_t kPublishedPool = 512;

/// A way out: larger tiles, a vector kernel, K on the device.
struct Design {
  DesignFamily family;
  int64_t tile;
  TileKernel kernel;
};
constexpr Design kDesigns[] = {
    {DesignFamily::kPackedTile, 32, TileKernel::kScalar},
    {DesignFamily::kPackedTile, 64, TileKernel::kScalar},
    {DesignFamily::kPackedTile, 64, TileKernel::kVector},
    {DesignFamily::kKStream, 64, TileKernel::kVector},
};

std::vector<ReportRow> RowsOf(size_t size_index, const ReportProfiles& profiles) {
  std::vector<ReportRow> rows;
  for (const Published& published : kPublished) {
    ReportRow row;
    row.profile = profiles.report;
    row.choices.family = DesignFamily::kPackedTile;
    row.choices.tile = 16;
    row.choices.kernel = TileKernel::kScalar;
    row.choices.output = program::TileOutput::kS8Lossy;
    row.choices.mode = published.mode;
    row.choices.buffers = published.buffers;
    row.choices.pool = published.buffers == BufferPolicy::kPool ? kPublishedPool : 0;
    row.choices.batched_syncs = false;
    row.choices.interleave = false;
    const double ms = published.total_ms[size_index];
    if (ms > 0) row.report_us = ms * 1e3;
    rows.push_back(std::move(row));
  }
  for (const Design& design : kDesigns) {
    for (const SubmissionMode mode : kModes) {
      ReportRow row;
      row.profile = profiles.other;
      row.choices.family = design.family;
      row.choices.tile = design.tile;
      row.choices.kernel = design.kernel;
      row.choices.mode = mode;
      row.choices.buffers =
          mode == SubmissionMode::kSequential ? BufferPolicy::kOne : BufferPolicy::kPool;
      rows.push_back(std::move(row));
    }
  }
  ReportRow whole;
  whole.profile = profiles.other;
  whole.choices.family = DesignFamily::kWholeArray;
  rows.push_back(std::move(whole));
  for (ReportRow& row : rows) row.size = kSizes[size_index];
  return rows;
}

Status RunRow(const ArrayProduct& product, ReportRow* row) {
  const Result<device::vnpu::VnpuOptions> vnpu = engine::ParseVnpuArgument(row->profile);
  if (!vnpu.ok()) return vnpu.status();
  row->kernel_model = row->choices.kernel == TileKernel::kScalar ? vnpu->profile.scalar_model
                                                                 : vnpu->profile.vector_model;
  const Result<ArrayProduct::Outcome> outcome =
      product.Run(fmt::format("vnpu:{}", row->profile), row->choices);
  if (!outcome.ok()) return outcome.status();
  row->outcome = *outcome;
  const CallStats::Part& part = row->outcome.stats.parts[0];
  row->launches = part.launches;
  row->total_us = part.us;
  if (row->choices.mode == SubmissionMode::kSequential ||
      row->choices.family == DesignFamily::kWholeArray) {
    row->wave = 1;
  } else if (!row->choices.interleave) {
    const bool pool = row->choices.buffers == BufferPolicy::kPool;
    row->wave = pool ? std::min(row->choices.pool, row->launches) : row->launches;
  }

  return {};
}

}  // namespace

std::optional<double> ReportRow::deviation() const {
  if (!report_us) return std::nullopt;
  return (total_us - *report_us) / *report_us;
}

std::string ReportRow::mode_text() const {
  return choices.mode ? std::string(plan::Name(*choices.mode)) : "one launch";
}

double ReportRow::wrong_share() const {
  return static_cast<double>(outcome.wrong) / static_cast<double>(outcome.elements);
}

int64_t ReportRowCount() {
  return static_cast<int64_t>(kSizes.size() *
                              (std::size(kPublished) + (std::size(kDesigns) * kModes.size()) + 1));
}

Result<ReportSuite> RunReportSuite(const ReportProfiles& profiles, std::atomic<int64_t>* progress) {
  ReportSuite suite{profiles.report, profiles.other, {}};
  for (size_t i = 0; i < kSizes.size(); ++i) {
    const ArrayProduct product(kSizes[i], kSizes[i], kSizes[i]);
    double before_us = 0;
    for (ReportRow& row : RowsOf(i, profiles)) {
      if (Status s = RunRow(product, &row); !s.ok()) return s;
      if (before_us == 0) before_us = row.total_us;
      row.speed_up = before_us / row.total_us;
      suite.rows.push_back(std::move(row));
      if (progress != nullptr) progress->fetch_add(1, std::memory_order_relaxed);
    }
  }
  return suite;
}

}  // namespace tilewave::cli
