#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "base/check.h"
#include "cli/commands.h"
#include "cli/text.h"

namespace tilewave::cli {
namespace {

void PrintJson(const nlohmann::json& json) {
  fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

bool failed_checks_as_json = false;  // A check handler is a bare function, so it reads this.

void OnFailedCheck(const std::string& text) {
  const std::string line = text.substr(0, text.find_last_not_of('\n') + 1);
  Context context{failed_checks_as_json};
  context.Fail({StatusCode::kInternal, "internal error, please report it: " + line});
  // Leaves at once, without running anything that may rely on what has just proved wrong.
  std::fflush(stdout);
  std::_Exit(static_cast<int>(context.exit_code));
}

}  // namespace

void Context::Fail(const Status& status) {
  fmt::print(stderr, "tilewave: {}\n", EscapeControls(status.message()));
  if (json) {
    PrintJson(
        {{"ok", false}, {"error", {{"code", Name(status.code())}, {"message", status.message()}}}});
  }
  exit_code = ExitCodeOf(status.code());
}

void Context::Succeed(const std::string& text, nlohmann::json result) {
  if (!json) {
    fmt::print("{}", text);
    return;
  }
  result["ok"] = exit_code == ExitCode::kOk;
  PrintJson(result);
}

void ReportFailedChecks(bool json) {
  failed_checks_as_json = json;
  base::SetCheckHandler(OnFailedCheck);
}

CLI::Option* AddText(CLI::App* command, const std::string& name, std::optional<std::string>* text,
                     const std::string& help) {
  // Bound to an optional, CLI11 would read an empty text as none.
  return command->add_option_function<std::string>(
      name, [text](const std::string& given) { *text = given; }, help);
}

}  // namespace tilewave::cli
