#pragma once

// One Add...Command per subcommand, each in a file of its own. A command registers its options
// with CLI11 and a callback that fills in the process's exit code.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "cli/exit_code.h"
#include "tilewave/status.h"

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's.
class App;
class Option;
}  // namespace CLI

namespace tilewave::cli {

/// Shared by all commands of one process.
struct Context {
  bool json = false;
  ExitCode exit_code = ExitCode::kOk;

  /// Says what went wrong: the sentence on stderr, on one line whatever it quotes, and with --json
  /// also
  /// {"ok": false, "error": {"code", "message"}} on stdout. Sets the exit code.
  void Fail(const Status& status);

  /// Prints the result of a command: the text, or with --json the object with "ok" added.
  void Succeed(const std::string& text, nlohmann::json result);
};

/// From here on a failed TW_CHECK is reported like any other error, with or without --json, and
/// ends the process with kFailed.
void ReportFailedChecks(bool json);

/// Adds an option that keeps its text as given, so that an empty one is not taken for none.
CLI::Option* AddText(CLI::App* command, const std::string& name, std::optional<std::string>* text,
                     const std::string& help);

void AddMatmulCommand(CLI::App* app, Context* context);
void AddRandomCommand(CLI::App* app, Context* context);
void AddDevicesCommand(CLI::App* app, Context* context);
void AddDoctorCommand(CLI::App* app, Context* context);
void AddBenchCommand(CLI::App* app, Context* context);
void AddExplainCommand(CLI::App* app, Context* context);
void AddEmitCommand(CLI::App* app, Context* context);
void AddSelftestCommand(CLI::App* app, Context* context);
void AddStreamCommand(CLI::App* app, Context* context);

}  // namespace tilewave::cli
