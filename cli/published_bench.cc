#include "cli/published_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/whole_array_row.h"
#include "plan/whole_array_cost.h"
#include "profile/profile.h"
#include "report/table.h"
#include "tilewave/device_info.h"

namespace tilewave::cli {
namespace {

std::string_view UnitText(PublishedUnit unit) {
  return unit == PublishedUnit::kTops ? "TOPS" : "MAC/cycle";
}

Result<double> SimulateKernel(const PublishedRow& row) {
  const Result<profile::Profile> profile = profile::FindProfile(std::string(row.profile));
  if (!profile.ok()) return profile.status();
  const std::string_view output = plan::ModelOutput(row.output);
  const profile::KernelModel* model = profile->FindModel(row.kernel_model, output);
  if (model == nullptr) {
    return Status(StatusCode::kNotFound,
                  fmt::format("profile {} has no kernel model '{}' with {} output", row.profile,
                              row.kernel_model, output));
  }
  const auto macs = static_cast<double>(row.tile_m * row.tile_k * row.tile_n);
  return macs / model->CyclesOf(row.tile_m, row.tile_k, row.tile_n);
}

Result<double> SimulateProduct(const PublishedRow& row) {
  WholeArrayRequest request;
  request.device = fmt::format("vnpu:{}:kernel={}", row.profile, row.kernel_model);
  request.m = row.m;
  request.k = row.k;
  request.n = row.n;
  request.choices.tile_m = row.tile_m;
  request.choices.tile_k = row.tile_k;
  request.choices.tile_n = row.tile_n;
  request.choices.k_mt = row.k_mt;
  request.choices.b_layout = row.b_layout;
  request.choices.c_buffers = row.c_buffers;
  request.choices.output = row.output;
  request.timing_only = true;
  const Result<WholeArrayRow> measured = MeasureWholeArray(request);
  if (!measured.ok()) return measured.status();
  return measured->tops();
}

std::string OutputText(program::TileOutput output) {
  return fmt::format("i8-i{}", 8 * program::OutputBytes(output));
}

std::string TextOf(const std::vector<PublishedOutcome>& outcomes) {
  report::Table table;
  for (const char* head : {"profile", "types", "tile", "k_mt", "B", "product"}) {
    table.AddColumn(head);
  }
  for (const char* head : {"published", "simulated", "error"}) {
    table.AddColumn(head, report::Table::Align::kRight);
  }
  table.AddColumn("unit");
  table.AddColumn("source");
  std::string notes;
  for (const PublishedOutcome& outcome : outcomes) {
    const PublishedRow& r = *outcome.row;
    const bool product = r.unit == PublishedUnit::kTops;
    std::string tile = fmt::format("{}x{}x{}", r.tile_m, r.tile_k, r.tile_n);
    if (r.c_buffers == 2) tile += ", 2 C";
    table.AddRow({std::string(r.profile), OutputText(r.output), tile,
                  r.k_mt > 0 ? fmt::format("{}", r.k_mt) : "",
                  product ? std::string(program::Name(r.b_layout)) : "",
                  product ? fmt::format("{}x{}x{}", r.m, r.k, r.n) : "kernel",
                  fmt::format("{:.4g}", r.published), fmt::format("{:.4g}", outcome.simulated),
                  fmt::format("{:+.1f} %", 100 * outcome.error()), std::string(UnitText(r.unit)),
                  std::string(r.source)});
  }
  const ErrorSummary summary = Summarise(outcomes);
  std::string text = fmt::format(
      "Published figures, measured by others on silicon, beside the virtual NPU. Simulated from "
      "the constants\nof the profiles; this project has never run on silicon. Products are "
      "launches without the host's copies,\nC kept in its own type between steps over K (lossy for "
      "i8 and i16), B column-major unless a row says so.\n\n{}\nerror: median {:.1f} %, worst "
      "{:.1f} %, {} rows\n\n",
      table.ToString(), 100 * summary.median, 100 * summary.worst, outcomes.size());
  for (const PublishedOutcome& outcome : outcomes) {
    if (outcome.row->note.empty()) continue;
    notes += fmt::format("{} {:.4g}: {}\n", outcome.row->source, outcome.row->published,
                         outcome.row->note);
  }
  text += notes + "\nLeft out:\n";
  for (const LeftOut& left : PublishedLeftOut()) {
    text += fmt::format("{}: {}\n", left.what, left.why);
  }
  return text;
}

nlohmann::json JsonOf(const std::vector<PublishedOutcome>& outcomes) {
  nlohmann::json rows = nlohmann::json::array();
  for (const PublishedOutcome& outcome : outcomes) {
    const PublishedRow& r = *outcome.row;
    nlohmann::json json = {{"source", r.source},
                           {"profile", r.profile},
                           {"kernel_model", r.kernel_model},
                           {"types", OutputText(r.output)},
                           {"tile", fmt::format("{}x{}x{}", r.tile_m, r.tile_k, r.tile_n)},
                           {"unit", UnitText(r.unit)},
                           {"shape", nullptr},
                           {"published", r.published},
                           {"simulated", outcome.simulated},
                           {"error", outcome.error()},
                           {"note", r.note}};
    if (r.unit == PublishedUnit::kTops) {
      json["shape"] = fmt::format("{}x{}x{}", r.m, r.k, r.n);
      json["b_layout"] = program::Name(r.b_layout);
    }
    rows.push_back(std::move(json));
  }
  const ErrorSummary summary = Summarise(outcomes);
  return {{"suite", "published"},
          {"time_kind", Name(TimeKind::kSimulated)},
          {"rows", rows},
          {"median_error", summary.median},
          {"worst_error", summary.worst}};
}

}  // namespace

Result<std::vector<PublishedOutcome>> RunPublishedRows() {
  std::vector<PublishedOutcome> outcomes;
  for (const PublishedRow& row : PublishedRows()) {
    const Result<double> simulated =
        row.unit == PublishedUnit::kTops ? SimulateProduct(row) : SimulateKernel(row);
    if (!simulated.ok()) return simulated.status();
    outcomes.push_back({&row, *simulated});
  }
  return outcomes;
}

ErrorSummary Summarise(const std::vector<PublishedOutcome>& outcomes) {
  std::vector<double> errors;
  errors.reserve(outcomes.size());
  for (const PublishedOutcome& outcome : outcomes) errors.push_back(std::abs(outcome.error()));
  std::sort(errors.begin(), errors.end());
  const size_t half = errors.size() / 2;
  const double median =
      errors.size() % 2 == 1 ? errors[half] : (errors[half - 1] + errors[half]) / 2;
  return {median, errors.back()};
}

void RunPublishedBench(Context* context) {
  const Result<std::vector<PublishedOutcome>> outcomes = RunPublishedRows();
  if (!outcomes.ok()) return context->Fail(outcomes.status());
  context->Succeed(TextOf(*outcomes), JsonOf(*outcomes));
}

}  // namespace tilewave::cli
