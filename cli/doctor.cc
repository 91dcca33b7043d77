#include <fmt/format.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/commands.h"
#include "cli/doctor_findings.h"
#include "cli/doctor_state.h"

namespace tilewave::cli {
namespace {

/// As the text has it.
std::string_view Mark(FindingState state) {
  return state == FindingState::kNotApplicable ? "-" : Name(state);
}

/// A line for each finding, and one below it for what mends it.
std::string DiagnosisText(const Diagnosis& diagnosis) {
  std::string text;
  for (const Finding& finding : diagnosis.findings) {
    text += fmt::format("{:<8} {:<18} {}\n", Mark(finding.state), finding.check, finding.seen);
    if (finding.mend.empty()) continue;
    const bool mends = finding.state == FindingState::kTrouble;
    text += fmt::format("{:<8} {}: {}\n", "", mends ? "mend" : "find out", finding.mend);
  }
  return text + diagnosis.summary + "\n";
}

void RunDoctor(const std::optional<std::string>& root, Context* context) {
  if (root) {
    struct stat info = {};
    if (::stat(root->c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
      return context->Fail({StatusCode::kNotFound, fmt::format("--root '{}' is no folder", *root)});
    }
  }
  const Diagnosis diagnosis = Diagnose(ReadSystemState(root.value_or("")));
  nlohmann::json checks = nlohmann::json::array();
  for (const Finding& finding : diagnosis.findings) {
    checks.push_back({{"name", finding.check},
                      {"state", Name(finding.state)},
                      {"seen", finding.seen},
                      {"mend", finding.mend}});
  }
  if (diagnosis.troubles() > 0) context->exit_code = ExitCode::kNotAvailable;
  context->Succeed(
      DiagnosisText(diagnosis),
      {{"checks", checks}, {"usable", diagnosis.usable}, {"summary", diagnosis.summary}});
}

}  // namespace

void AddDoctorCommand(CLI::App* app, Context* context) {
  CLI::App* command = app->add_subcommand(
      "doctor", "Say what stands between this machine and a working NPU, and what mends it");
  auto root = std::make_shared<std::optional<std::string>>();
  AddText(command, "--root", root.get(),
          "Judge a recorded system, whose /proc, /sys, ... are in it")
      ->type_name("DIR");
  command->callback([root, context] { RunDoctor(*root, context); });
}

}  // namespace tilewave::cli
