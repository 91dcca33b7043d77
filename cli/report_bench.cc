#include "cli/report_bench.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "cli/atomic_file.h"
#include "cli/operands.h"
#include "cli/progress_bar.h"
#include "cli/report_suite.h"
#include "engine/compose.h"
#include "report/bar_chart.h"
#include "report/table.h"
#include "report/units.h"

namespace tilewave::cli {
namespace {

using report::FormatCount;
using report::FormatUs;

double SyncUs(const PhaseTimes& p) { return p.sync_in_us + p.sync_out_us; }

/// Submitting and waiting: what the host sees of the device's work.
double LaunchUs(const PhaseTimes& p) { return p.launch_us + p.wait_us; }

std::string DesignText(const ReportRow& row) {
  if (row.whole_array()) return std::string(program::Name(*row.choices.family));
  return fmt::format("{} {}", program::Name(*row.choices.family), row.choices.tile);
}

program::TileKernel KernelOf(const ReportRow& row) {
  return row.choices.kernel.value_or(program::TileKernel::kVector);
}

plan::BufferPolicy BuffersOf(const ReportRow& row) {
  return row.choices.buffers.value_or(plan::BufferPolicy::kPool);
}

/// Three digits, and no exponent.
std::string SpeedUpText(double speed_up) {
  if (speed_up >= 1000) return FormatCount(std::llround(speed_up));
  return fmt::format("{:.3g}", speed_up);
}

std::string ExactText(const ReportRow& row) {
  if (row.outcome.wrong == 0) return "exact";
  return fmt::format("{}: {:.1f} % wrong, by up to {}", row.lossy() ? "lossy" : "WRONG",
                     100 * row.wrong_share(), FormatCount(row.outcome.max_abs_error));
}

std::string SuiteTable(const ReportSuite& suite, int64_t size) {
  report::Table table;
  table.AddColumn("design");
  table.AddColumn("kernel model");
  table.AddColumn("mode");
  table.AddColumn("buffers");
  for (const char* head : {"launches", "allocate", "sync", "launch", "kernel", "total", "speed-up",
                           "report", "deviation"}) {
    table.AddColumn(head, report::Table::Align::kRight);
  }
  table.AddColumn("result");
  for (const ReportRow& row : suite.rows) {
    if (row.size != size) continue;
    const PhaseTimes& p = row.outcome.stats.phases;
    table.AddRow({DesignText(row), row.kernel_model, row.mode_text(),
                  std::string(plan::Name(BuffersOf(row))), FormatCount(row.launches),
                  FormatUs(p.allocate_us), FormatUs(SyncUs(p)), FormatUs(LaunchUs(p)),
                  FormatUs(row.outcome.stats.kernel_us), FormatUs(row.total_us),
                  fmt::format("{}x", SpeedUpText(row.speed_up)),
                  row.report_us ? FormatUs(*row.report_us) : "",
                  row.report_us ? fmt::format("{:+.1f} %", 100 * *row.deviation()) : "",
                  ExactText(row)});
  }
  return table.ToString();
}

/// One wave of the report's pool, beside the phases that it printed.
std::string WaveText(const ReportSuite& suite) {
  for (const ReportRow& row : suite.rows) {
    if (row.size != 512 || !row.lossy() || row.choices.buffers != plan::BufferPolicy::kPool) {
      continue;
    }
    const double waves = static_cast<double>(row.launches) / static_cast<double>(*row.wave);
    const PhaseTimes& p = row.outcome.stats.phases;
    return fmt::format(
        "One wave of {} at 512: write {}, sync in {}, launch {}, wait {}, sync out {}, read {}\n"
        "    the report printed: write 1.3 ms, sync in 1.6 ms, launch 165 ms, wait 0.6 ms, "
        "sync out 0.2 ms, read 1.0 ms\n",
        *row.wave, FormatUs(p.write_us / waves), FormatUs(p.sync_in_us / waves),
        FormatUs(p.launch_us / waves), FormatUs(p.wait_us / waves), FormatUs(p.sync_out_us / waves),
        FormatUs(p.read_us / waves));
  }
  return "";
}

std::string SuiteText(const ReportSuite& suite) {
  std::string text = fmt::format(
      "Every time is simulated (no silicon). Rows with 16x16 tiles run as in the report, on "
      "vnpu:{};\nthe others on vnpu:{}. Launch is submitting and waiting; kernel (all cores, "
      "summed) runs inside.\n"
      "Totals are of a first call: buffers are allocated, device and configuration are there.\n",
      suite.report_profile, suite.profile);
  for (const int64_t size : {64, 128, 512}) {
    text += fmt::format("\n{0} x {0} x {0}\n{1}", size, SuiteTable(suite, size));
  }
  text += "\n" + WaveText(suite);
  text +=
      "\nLossy rows are the report's arithmetic: each tile shifted right by 7 and clamped to s8, "
      "then summed over K.\nThey are compared with the exact product shifted once.\n";
  return text;
}

nlohmann::json RowJson(const ReportRow& row) {
  const PhaseTimes& p = row.outcome.stats.phases;
  nlohmann::json json = {{"size", row.size},
                         {"profile", row.profile},
                         {"design", program::Name(*row.choices.family)},
                         {"tile", row.choices.tile},
                         {"kernel", program::Name(KernelOf(row))},
                         {"kernel_model", row.kernel_model},
                         {"mode", row.mode_text()},
                         {"buffers", plan::Name(BuffersOf(row))},
                         {"launches", row.launches},
                         {"launches_per_wave", nullptr},
                         {"total_us", row.total_us},
                         {"time_kind", Name(TimeKind::kSimulated)},
                         {"speed_up", row.speed_up},
                         {"phases_us",
                          {{"call", p.call_us},
                           {"allocate", p.allocate_us},
                           {"pack", p.pack_us},
                           {"write", p.write_us},
                           {"sync_in", p.sync_in_us},
                           {"launch", p.launch_us},
                           {"wait", p.wait_us},
                           {"sync_out", p.sync_out_us},
                           {"read", p.read_us},
                           {"accumulate", p.accumulate_us},
                           {"finish", p.finish_us}}},
                         {"kernel_us", row.outcome.stats.kernel_us},
                         {"report_us", nullptr},
                         {"deviation", nullptr},
                         {"exact", row.outcome.wrong == 0},
                         {"max_abs_error", row.outcome.max_abs_error},
                         {"wrong_share", row.wrong_share()}};
  if (row.wave) json["launches_per_wave"] = *row.wave;
  if (row.report_us) {
    json["report_us"] = *row.report_us;
    json["deviation"] = *row.deviation();
  }
  return json;
}

/// The colour of a row: who published it, or the kernel that it runs.
enum PlotGroup : uint8_t { kReportGroup, kScalarGroup, kVectorGroup };

report::BarChart SuiteChart(const ReportSuite& suite) {
  report::BarChart chart;
  chart.title = "One INT8 product, 16x16 tiles to few launches";
  chart.subtitle = fmt::format(
      "simulated on the virtual NPU (no silicon): the report's rows on {}, the others "
      "on {}",
      suite.report_profile, suite.profile);
  chart.groups = {"as in the report, lossy", "scalar kernel, exact", "vector kernel, exact"};
  chart.reference_name = "report";
  for (const ReportRow& row : suite.rows) {
    const std::string title = fmt::format("{0} x {0} x {0}", row.size);
    if (chart.panels.empty() || chart.panels.back().title != title) {
      chart.panels.push_back({title, {}});
    }
    const bool scalar = row.choices.kernel == program::TileKernel::kScalar;
    chart.panels.back().bars.push_back(
        {fmt::format("{}, {}, {}", DesignText(row), scalar ? "scalar" : "vector",
                     row.choices.buffers == plan::BufferPolicy::kPerTile ? "a set per tile"
                                                                         : row.mode_text()),
         row.total_us,
         fmt::format("{} launch{}", FormatCount(row.launches), row.launches == 1 ? "" : "es"),
         row.report_us,
         row.lossy() ? kReportGroup
         : scalar    ? kScalarGroup
                     : kVectorGroup});
  }
  return chart;
}

Status WritePlot(const std::string& path, const ReportSuite& suite) {
  const std::string svg = report::ToSvg(SuiteChart(suite));
  Result<AtomicFile> file = AtomicFile::Create(path);
  if (!file.ok()) return file.status();
  if (Status s = file->Write(std::as_bytes(std::span(svg))); !s.ok()) return s;
  return file->Commit();
}

}  // namespace

void RunReportBench(const ReportBenchOptions& options, Context* context) {
  if (options.plot) {
    if (Status s = CheckOutput(*options.plot); !s.ok()) return context->Fail(s);
  }
  ReportProfiles profiles;
  if (options.device) {
    if (!options.device->starts_with(engine::kVnpuScheme)) {
      return context->Fail(
          {StatusCode::kInvalidArgument,
           fmt::format("device '{}' cannot run the report's suite; expected vnpu:PROFILE",
                       *options.device)});
    }
    profiles.report = profiles.other = options.device->substr(engine::kVnpuScheme.size());
  }
  Result<ReportSuite> suite = [&] {
    ProgressBar bar("bench", ReportRowCount(), !context->json);
    return RunReportSuite(profiles, bar.counter());
  }();
  if (!suite.ok()) return context->Fail(suite.status());
  nlohmann::json rows = nlohmann::json::array();
  for (const ReportRow& row : suite->rows) {
    rows.push_back(RowJson(row));
    if (row.outcome.wrong > 0 && !row.lossy()) context->exit_code = ExitCode::kWrongResult;
  }
  if (options.plot) {
    if (Status s = WritePlot(*options.plot, *suite); !s.ok()) return context->Fail(s);
  }
  context->Succeed(SuiteText(*suite), {{"suite", "report"},
                                       {"profile", suite->profile},
                                       {"report_profile", suite->report_profile},
                                       {"rows", rows}});
}

}  // namespace tilewave::cli
