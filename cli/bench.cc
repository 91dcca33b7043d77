// The subcommand `bench`: a suite, or one product in a design of the whole array.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/array_flags.h"
#include "cli/commands.h"
#include "cli/operands.h"
#include "cli/published_bench.h"
#include "cli/report_bench.h"
#include "cli/text.h"
#include "cli/whole_array_row.h"
#include "engine/array_choices.h"
#include "report/table.h"
#include "report/units.h"
#include "tilewave/device_info.h"

namespace tilewave::cli {
namespace {

constexpr int64_t kMostBatch = int64_t{1} << 20;
constexpr int kDefaultShift = 8;

struct BenchOptions {
  std::optional<std::string> suite;
  std::optional<std::string> device;
  std::optional<std::string> plot;
  ArrayFlags array;
  std::optional<std::string> shape;
  std::optional<std::string> batch;
  std::string out = "s32";
  std::string c_type = "int32";
  std::optional<std::string> kernel_model;
  std::optional<std::string> shift;
  bool timing_only = false;
};

program::TileOutput OutputOf(const BenchOptions& options) {
  using program::TileOutput;
  const bool kept = options.c_type == "output";
  if (options.out == "s32") return TileOutput::kS32;
  if (options.out == "s16") return kept ? TileOutput::kS16Lossy : TileOutput::kS16;
  return kept ? TileOutput::kS8Lossy : TileOutput::kS8;
}

Result<WholeArrayRequest> RequestOf(const BenchOptions& options) {
  WholeArrayRequest request;
  const Result<ArrayOptions> array = ArrayOptionsOf(options.array);
  if (!array.ok()) return array.status();
  if (array->design != "whole_array") {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("bench runs single products of whole_array only, not '{}'; expected "
                              "--design whole_array, or --suite",
                              array->design));
  }
  const Result<plan::ArrayChoices> choices = engine::ArrayChoicesOf(*array);
  if (!choices.ok()) return choices.status();
  request.choices = *choices;
  request.choices.output = OutputOf(options);
  const Result<std::vector<int64_t>> shape = ParseShape(options.shape.value_or(""));
  if (!shape.ok() || shape->size() != 3) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("--shape is '{}'; expected MxKxN, each at least 1",
                              options.shape.value_or("")));
  }
  request.m = (*shape)[0];
  request.k = (*shape)[1];
  request.n = (*shape)[2];
  if (options.batch) {
    const Result<int64_t> batch = ParseInteger("--batch", *options.batch, 1, kMostBatch);
    if (!batch.ok()) return batch.status();
    request.batch = *batch;
  }
  request.requant.shift = kDefaultShift;
  if (options.shift) {
    const Result<int64_t> shift = ParseInteger("--shift", *options.shift, 0, 31);
    if (!shift.ok()) return shift.status();
    request.requant.shift = static_cast<int>(*shift);
  }
  request.device = options.device.value_or("vnpu:phoenix");
  if (options.kernel_model) request.device += ":kernel=" + *options.kernel_model;
  request.timing_only = options.timing_only;
  return request;
}

std::string ShapeText(const WholeArrayRequest& r) {
  const std::string product = fmt::format("{}x{}x{}", r.m, r.k, r.n);
  return r.batch > 1 ? fmt::format("{} x {}", r.batch, product) : product;
}

std::string TileText(const program::DesignSpec& spec) {
  return fmt::format("{}x{}x{}", spec.tile_m, spec.tile_k, spec.tile_n);
}

std::string RowText(const WholeArrayRow& row) {
  const bool lossy = program::IsLossy(row.spec.output);
  std::string text = fmt::format(
      "{} on {}: {} launch, {} simulated ({:.2f} TOPS), {} predicted by the planner. Nothing here "
      "ran on silicon.\n  design: {}, kernel model {}\n",
      ShapeText(row.request), row.request.device, row.launches, report::FormatUs(row.simulated_us),
      row.tops(), report::FormatUs(row.predicted_us), program::Name(row.spec), row.kernel_model);
  if (lossy) {
    text += "  lossy: C is rounded between steps over K; this is not the product of A and B\n";
  }
  report::Table table;
  table.AddColumn("term");
  table.AddColumn("simulated", report::Table::Align::kRight);
  for (const auto& [name, us] : row.terms_us) table.AddRow({name, report::FormatUs(us)});
  text += table.ToString();
  if (!row.exact) return text + "timing only: no data moved\n";
  return text + (*row.exact ? "exact: every element equals the host's\n"
                            : "WRONG: elements differ from the host's\n");
}

nlohmann::json RowJson(const WholeArrayRow& row) {
  nlohmann::json terms = nlohmann::json::object();
  for (const auto& [name, us] : row.terms_us) terms[name] = us;
  nlohmann::json json = {
      {"shape", fmt::format("{}x{}x{}", row.request.m, row.request.k, row.request.n)},
      {"batch", row.request.batch},
      {"device", row.request.device},
      {"design", program::Name(row.spec.family)},
      {"configuration", program::Name(row.spec)},
      {"tile", TileText(row.spec)},
      {"k_mt", program::MemoryTileK(row.spec)},
      {"kernel_model", row.kernel_model},
      {"lossy", program::IsLossy(row.spec.output)},
      {"launches", row.launches},
      {"simulated_us", row.simulated_us},
      {"time_kind", Name(TimeKind::kSimulated)},
      {"predicted_us", row.predicted_us},
      {"terms_us", terms},
      {"tops", row.tops()},
      {"exact", nullptr}};
  if (row.exact) json["exact"] = *row.exact;
  return json;
}

void RunRow(const BenchOptions& options, Context* context) {
  if (options.plot) {
    return context->Fail({StatusCode::kInvalidArgument, "--plot draws suites, not one product"});
  }
  const Result<WholeArrayRequest> request = RequestOf(options);
  if (!request.ok()) return context->Fail(request.status());
  const Result<WholeArrayRow> row = MeasureWholeArray(*request);
  if (!row.ok()) return context->Fail(row.status());
  if (row->exact == false) context->exit_code = ExitCode::kWrongResult;
  nlohmann::json rows = nlohmann::json::array();
  rows.push_back(RowJson(*row));
  context->Succeed(RowText(*row), {{"rows", rows}});
}

void RunBench(const BenchOptions& options, Context* context) {
  if (!options.suite) return RunRow(options, context);
  if (options.array.design || options.shape) {
    return context->Fail({StatusCode::kInvalidArgument,
                          "--suite runs its own designs and shapes; expected one of --suite and "
                          "--design"});
  }
  if (*options.suite == "published") return RunPublishedBench(context);
  RunReportBench({options.device, options.plot}, context);
}

}  // namespace

void AddBenchCommand(CLI::App* app, Context* context) {
  CLI::App* command = app->add_subcommand(
      "bench", "Run a suite, or one product on the whole array, and say what each took");
  auto options = std::make_shared<BenchOptions>();
  AddText(command, "--suite", &options->suite,
          "report: a published report on 16x16 tiles, and the way out; published: int8 figures\n"
          "that others measured, beside the simulation")
      ->type_name("NAME")
      ->check(CLI::IsMember({"report", "published"}));
  AddText(command, "--device", &options->device,
          "vnpu:PROFILE (default vnpu:phoenix; suite report: its own for each row)")
      ->type_name("NAME");
  AddText(command, "--plot", &options->plot, "Draw the totals of --suite report as SVG")
      ->type_name("FILE");
  AddText(command, "--shape", &options->shape, "With --design whole_array: the product")
      ->type_name("MxKxN");
  AddText(command, "--batch", &options->batch, "That many products in one launch (default 1)")
      ->type_name("N");
  command->add_option("--out", options->out, "Type of C: s32, s16 (timing only), s8")
      ->type_name("TYPE")
      ->check(CLI::IsMember({"s32", "s16", "s8"}))
      ->capture_default_str();
  command
      ->add_option("--c-type", options->c_type,
                   "C between steps over K: int32, or output (as published designs; lossy, timing\n"
                   "only)")
      ->type_name("NAME")
      ->check(CLI::IsMember({"int32", "output"}))
      ->capture_default_str();
  AddText(command, "--shift", &options->shift, "Of an exact s8 C (default 8)")->type_name("N");
  AddText(command, "--kernel-model", &options->kernel_model,
          "chess, peano-mm, scalar16 or ours (default: the profile's)")
      ->type_name("NAME");
  command->add_flag("--timing-only", options->timing_only, "Move no data");
  AddArrayFlags(command, &options->array);
  command->callback([options, context] { RunBench(*options, context); });
}

}  // namespace tilewave::cli
