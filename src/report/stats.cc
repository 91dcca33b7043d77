#include "report/stats.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "report/table.h"
#include "report/units.h"

namespace tilewave::report {
namespace {

std::vector<std::pair<const char*, double>> Phases(const PhaseTimes& p) {
  return {{"call", p.call_us},       {"allocate", p.allocate_us},
          {"pack", p.pack_us},       {"write", p.write_us},
          {"sync_in", p.sync_in_us}, {"launch", p.launch_us},
          {"wait", p.wait_us},       {"sync_out", p.sync_out_us},
          {"read", p.read_us},       {"accumulate", p.accumulate_us},
          {"finish", p.finish_us}};
}

std::vector<std::pair<const char*, int64_t>> Counts(const PhaseCounts& c) {
  return {{"buffers", c.buffers},         {"writes", c.writes},       {"syncs_in", c.syncs_in},
          {"submissions", c.submissions}, {"syncs_out", c.syncs_out}, {"reads", c.reads},
          {"bytes_in", c.bytes_in},       {"bytes_out", c.bytes_out}};
}

}  // namespace

std::string FailureText(const CallStats& stats) {
  if (stats.failed_attempts == 0) return "";
  return fmt::format("before that, the NPU failed {}, at first: {}\n",
                     stats.failed_attempts == 1
                         ? "once"
                         : fmt::format("{} times", FormatCount(stats.failed_attempts)),
                     stats.failure.ToString());
}

std::string StatsText(const CallStats& stats) {
  Table parts;
  parts.AddColumn("device");
  parts.AddColumn("kernel");
  parts.AddColumn("launches", Table::Align::kRight);
  parts.AddColumn("time", Table::Align::kRight);
  parts.AddColumn("kind");
  parts.AddColumn("why here");
  for (int i = 0; i < stats.part_count; ++i) {
    const CallStats::Part& part = stats.parts[static_cast<size_t>(i)];
    parts.AddRow({std::string(part.device), std::string(part.kernel), FormatCount(part.launches),
                  FormatUs(part.us), std::string(Name(part.time_kind)), std::string(part.reason)});
  }
  std::string text = parts.ToString();
  text += fmt::format("call: {} in all (measured), {} MACs, plan {}\n", FormatUs(stats.total_us),
                      FormatCount(stats.macs), stats.plan_cached ? "cached" : "made for this call");
  text += FailureText(stats);
  for (const auto& [name, us] : Phases(stats.phases)) {
    if (us > 0) text += fmt::format("  {:<10} {}\n", name, FormatUs(us));
  }
  if (stats.kernel_us > 0) {
    text += fmt::format("  of launch and wait, {} inside kernels\n", FormatUs(stats.kernel_us));
  }
  std::string counts;
  for (const auto& [name, count] : Counts(stats.counts)) {
    if (count > 0)
      counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", FormatCount(count), name);
  }
  if (!counts.empty()) text += fmt::format("  counts: {}\n", counts);
  return text;
}

nlohmann::json StatsJson(const CallStats& stats) {
  nlohmann::json phases = nlohmann::json::object();
  for (const auto& [name, us] : Phases(stats.phases)) phases[name] = us;
  nlohmann::json counts = nlohmann::json::object();
  for (const auto& [name, count] : Counts(stats.counts)) counts[name] = count;
  nlohmann::json parts = nlohmann::json::array();
  for (int i = 0; i < stats.part_count; ++i) {
    const CallStats::Part& part = stats.parts[static_cast<size_t>(i)];
    parts.push_back({{"device", part.device},
                     {"kernel", part.kernel},
                     {"reason", part.reason},
                     {"launches", part.launches},
                     {"time_us", part.us},
                     {"time_kind", Name(part.time_kind)}});
  }
  return {{"total_us", stats.total_us},
          {"macs", stats.macs},
          {"plan_cached", stats.plan_cached},
          {"phases_us", phases},
          {"counts", counts},
          {"kernel_us", stats.kernel_us},
          {"failed_attempts", stats.failed_attempts},
          {"failure",
           stats.failure.ok() ? nlohmann::json(nullptr) : nlohmann::json(stats.failure.ToString())},
          {"parts", parts}};
}

}  // namespace tilewave::report
