#include "report/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "report/table.h"
#include "report/units.h"

namespace tilewave::report {
namespace {

using plan::BufferPolicy;
using plan::SubmissionMode;
using plan::Term;
using program::DesignFamily;
using program::TileKernel;

/// Indices into Explanation::strategies, in the order of kWays; the last may be missing there.
enum Way : uint8_t {
  kBefore,
  kWaves,
  kLargeScalar,
  kLargeVector,
  kStreamWaves,
  kStreamRunlist,
  kWholeArray
};

struct WayChoices {
  const char* name;
  DesignFamily family;
  int64_t tile;
  TileKernel kernel;
  std::optional<SubmissionMode> mode;
  std::optional<BufferPolicy> buffers;
  bool interleave;
};
constexpr WayChoices kWays[] = {
    {"16x16 tiles, one at a time", DesignFamily::kPackedTile, 16, TileKernel::kScalar,
     SubmissionMode::kSequential, BufferPolicy::kOne, false},
    {"16x16 tiles, waves", DesignFamily::kPackedTile, 16, TileKernel::kScalar,
     SubmissionMode::kWave, BufferPolicy::kPool, false},
    {"64x64 tiles, waves", DesignFamily::kPackedTile, 64, TileKernel::kScalar,
     SubmissionMode::kWave, BufferPolicy::kPool, true},
    {"64x64 tiles, vector kernel, waves", DesignFamily::kPackedTile, 64, TileKernel::kVector,
     SubmissionMode::kWave, BufferPolicy::kPool, true},
    {"K on the device, vector kernel, waves", DesignFamily::kKStream, 64, TileKernel::kVector,
     SubmissionMode::kWave, BufferPolicy::kPool, true},
    {"K on the device, vector kernel, run lists", DesignFamily::kKStream, 64, TileKernel::kVector,
     SubmissionMode::kRunlist, BufferPolicy::kPool, true},
    {"the whole array, one launch",
     DesignFamily::kWholeArray,
     0,
     TileKernel::kVector,
     {},
     {},
     true},
};

constexpr Term kHostTerms[] = {Term::kCall, Term::kAllocate, Term::kPack,       Term::kWrite,
                               Term::kSync, Term::kRead,     Term::kAccumulate, Term::kFinish};

double HostUs(const plan::Cost& cost) {
  double us = 0;
  for (const Term term : kHostTerms) us += cost.of(term).us;
  return us;
}

double HiddenUs(const plan::Cost& cost) {
  double us = 0;
  for (const plan::CostTerm& term : cost.terms) us += term.hidden_us;
  return us;
}

std::string Percent(double part, double whole) {
  const double percent = whole > 0 ? 100 * part / whole : 0;
  return percent < 10 ? fmt::format("{:.1f} %", percent) : fmt::format("{:.0f} %", percent);
}

std::string LaunchesText(int64_t launches) {
  return fmt::format("{} launch{}", FormatCount(launches), launches == 1 ? "" : "es");
}

/// Breaks a paragraph at blanks into lines of at most kLineWidth, the second and later ones
/// indented by `indent`. Ends in a new line.
std::string Wrap(std::string_view paragraph, size_t indent) {
  constexpr size_t kLineWidth = 96;
  std::string text;
  size_t column = 0;
  while (!paragraph.empty()) {
    const size_t end = std::min(paragraph.find(' '), paragraph.size());
    const std::string_view word = paragraph.substr(0, end);
    paragraph.remove_prefix(std::min(end + 1, paragraph.size()));
    if (column > 0 && column + 1 + word.size() > kLineWidth) {
      text += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > 0) {
      text += ' ';
      ++column;
    }
    text += word;
    column += word.size();
  }
  return text + "\n";
}

/// The sums of a row add up to its total.
std::string StrategyTable(const Explanation& e) {
  Table table;
  table.AddColumn("strategy");
  for (const char* head :
       {"launches", "host", "submit", "latency", "serial", "dma", "kernel", "total"}) {
    table.AddColumn(head, Table::Align::kRight);
  }
  for (const StrategyCost& s : e.strategies) {
    table.AddRow({s.name, FormatCount(s.plan.launches), FormatUs(HostUs(s.cost)),
                  FormatUs(s.cost.of(Term::kSubmit).us), FormatUs(s.cost.of(Term::kLatency).us),
                  FormatUs(s.cost.of(Term::kSerial).us), FormatUs(s.cost.of(Term::kDma).us),
                  FormatUs(s.cost.of(Term::kKernel).us), FormatUs(s.cost.total_us)});
  }
  return table.ToString();
}

/// One paragraph: the wall, what removes it, what is then left.
std::string WallText(const StrategyCost& s) {
  const plan::CostTerm& wall = s.cost.wall();
  std::string text = fmt::format(
      "{}: {} in {}. The wall is {} ({}, {}); what removes it: {}. Without it {} would be "
      "left.",
      s.name, FormatUs(s.cost.total_us), LaunchesText(s.plan.launches), plan::Name(wall.term),
      FormatUs(wall.us), Percent(wall.us, s.cost.total_us), plan::Remedy(wall.term),
      FormatUs(s.cost.total_us - wall.us));
  if (const double hidden_us = HiddenUs(s.cost); hidden_us > 0) {
    text += fmt::format(" {} of host work hides behind the array.", FormatUs(hidden_us));
  }
  return Wrap(text, 2);
}

std::string LaunchCountText(const Explanation& e) {
  const plan::ArrayPlan& large = e.strategies[kLargeVector].plan;
  const plan::ArrayPlan& stream = e.strategies[kStreamRunlist].plan;
  const std::string whole =
      e.strategies.size() > kWholeArray
          ? fmt::format("whole_array, {} in all", FormatUs(e.strategies[kWholeArray].cost.total_us))
          : "whole_array, if the device had the memory for all of this product";
  return fmt::format(
      "1. Launches. 64x64 tiles of this product are {} x {} x {} = {}, not {} x {} = {}: "
      "for that the loop over K has to run on the device, as in k_stream. One launch for all of "
      "it needs cores that go on to the next output tile by themselves, and all of them to make "
      "that launch fast: {}.",
      large.tiles_m, large.tiles_n, large.tiles_k, LaunchesText(large.launches), stream.tiles_m,
      stream.tiles_n, FormatCount(stream.launches), whole);
}

std::string KernelText(const Explanation& e) {
  const StrategyCost& waves = e.strategies[kWaves];
  const auto launches = static_cast<double>(waves.plan.launches);
  const double kernel_us = waves.cost.of(Term::kKernel).us / launches;
  const double serial_us = waves.cost.of(Term::kSerial).us / launches;
  const double dma_us = waves.cost.of(Term::kDma).us / launches;
  return fmt::format(
      "2. Launch overhead. In waves a launch of a 16x16 tile takes {}: {} of it is the scalar "
      "kernel, one after another on one core; {} lies between launches, and {} is controller and "
      "DMA. Waves hide the latency and leave the kernel. The same MACs in 64x64 scalar tiles "
      "still take {}; a vector kernel does them in {} of kernel time.",
      FormatUs(kernel_us + serial_us + dma_us), FormatUs(kernel_us), FormatUs(serial_us),
      FormatUs(dma_us), FormatUs(e.strategies[kLargeScalar].cost.total_us),
      FormatUs(e.strategies[kLargeVector].cost.of(Term::kKernel).us));
}

std::string LossText(const Explanation& e) {
  std::string text =
      "3. Arithmetic. A kernel that shifts each tile by 7 and clamps it to s8 rounds before the "
      "sum "
      "over K is complete; beyond one tile along K that is not the product of A and B.";
  if (e.lossy) {
    text += fmt::format(
        " Tried on a random {}x{}x{}, {} of {} elements differ from the exact product shifted "
        "once, by up to {}.",
        e.lossy->m, e.lossy->k, e.lossy->n, FormatCount(e.lossy->wrong),
        FormatCount(e.lossy->elements), FormatCount(e.lossy->max_abs_error));
  }
  return text + " tilewave keeps s32 sums over all of K and requantises once.";
}

std::string SyncText(const Explanation& e) {
  const StrategyCost& before = e.strategies[kBefore];
  const StrategyCost& waves = e.strategies[kWaves];
  const double syncs = 2 * static_cast<double>(before.plan.launches);
  const double sync_us = before.cost.of(Term::kSync).us;
  const double hidden_us = before.cost.of(Term::kSubmit).us + before.cost.of(Term::kLatency).us;
  return fmt::format(
      "4. Syncs. {:.0f} syncs at {} each are {} in all, {} of the total; one for each wave instead "
      "would make that {}. What waves win is the latency of launches: {} when each is waited for, "
      "of which they leave {} between queued launches.",
      syncs, FormatUs(sync_us / syncs), FormatUs(sync_us), Percent(sync_us, before.cost.total_us),
      FormatUs(e.batched_sync_us), FormatUs(hidden_us), FormatUs(waves.cost.of(Term::kSerial).us));
}

/// The plan of a way to run the product.
Result<plan::Plan> PlanOf(const core::Problem& problem, const profile::Profile& profile,
                          const WayChoices& way, bool batched_syncs) {
  plan::Target target{DeviceKind::kVnpu, profile, {}};
  target.choices.family = way.family;
  target.choices.tile = way.tile;
  target.choices.kernel = way.kernel;
  target.choices.mode = way.mode;
  target.choices.buffers = way.buffers;
  target.choices.interleave = way.interleave;
  target.choices.batched_syncs = batched_syncs;
  return plan::MakePlan(problem, target);
}

}  // namespace

Result<Explanation> Explain(const core::Problem& problem, const profile::Profile& profile) {
  Explanation explanation{problem, profile, {}, 0, std::nullopt};
  for (const WayChoices& way : kWays) {
    Result<plan::Plan> plan = PlanOf(problem, profile, way, way.interleave);
    // One launch needs the whole product on the device, which not every product fits.
    const bool optional = way.family == DesignFamily::kWholeArray;
    if (optional && plan.status().code() == StatusCode::kOutOfRange) continue;
    if (!plan.ok()) return plan.status();
    explanation.strategies.push_back({way.name, std::move(plan->array), std::move(plan->cost)});
  }
  const Result<plan::Plan> batched = PlanOf(problem, profile, kWays[kWaves], true);
  if (!batched.ok()) return batched.status();
  explanation.batched_sync_us = batched->cost.of(Term::kSync).us;
  return explanation;
}

std::string ExplanationText(const Explanation& e) {
  const core::Problem& p = e.problem;
  std::string text = fmt::format(
      "{}{}x{}x{} ({} MACs) on {}: {}.\nEvery time is predicted by the planner for a first call, "
      "from profile constants; nothing here ran on silicon.\n\n",
      p.batch > 1 ? fmt::format("{} x ", p.batch) : "", p.m, p.k, p.n, FormatCount(core::MacsOf(p)),
      e.profile.name, e.profile.description);
  text += StrategyTable(e) + "\n";
  for (const StrategyCost& s : e.strategies) text += WallText(s);
  text += "\nFour slips that make launches look like the wall\n";
  for (const std::string& slip : {LaunchCountText(e), KernelText(e), LossText(e), SyncText(e)}) {
    text += Wrap(slip, 3);
  }
  return text;
}

nlohmann::json ExplanationJson(const Explanation& e) {
  nlohmann::json strategies = nlohmann::json::array();
  for (const StrategyCost& s : e.strategies) {
    nlohmann::json terms = nlohmann::json::object();
    nlohmann::json hidden = nlohmann::json::object();
    for (const plan::CostTerm& term : s.cost.terms) {
      terms[std::string(plan::Name(term.term))] = term.us;
      if (term.hidden_us > 0) hidden[std::string(plan::Name(term.term))] = term.hidden_us;
    }
    const plan::CostTerm& wall = s.cost.wall();
    strategies.push_back(
        {{"name", s.name},
         {"design", program::Name(s.plan.spec)},
         {"configuration", fmt::format("{:016x}", program::ConfigurationHash(s.plan.spec))},
         {"mode", plan::Name(s.plan.mode)},
         {"buffers", plan::Name(s.plan.buffers)},
         {"launches", s.plan.launches},
         {"terms_us", terms},
         {"hidden_us", hidden},
         {"total_us", s.cost.total_us},
         {"wall", plan::Name(wall.term)},
         {"remedy", plan::Remedy(wall.term)},
         {"left_us", s.cost.total_us - wall.us}});
  }
  nlohmann::json json = {{"m", e.problem.m},
                         {"k", e.problem.k},
                         {"n", e.problem.n},
                         {"profile", e.profile.name},
                         {"time_kind", Name(TimeKind::kPredicted)},
                         {"strategies", strategies},
                         {"lossy", nullptr}};
  if (e.lossy) {
    json["lossy"] = {{"m", e.lossy->m},         {"k", e.lossy->k},
                     {"n", e.lossy->n},         {"elements", e.lossy->elements},
                     {"wrong", e.lossy->wrong}, {"max_abs_error", e.lossy->max_abs_error}};
  }
  return json;
}

}  // namespace tilewave::report
