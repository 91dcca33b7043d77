#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "cli/commands.h"
#include "tilewave/engine.h"

namespace tilewave::cli {

void Context::Fail(const Status& status) {
  fmt::print(stderr, "tilewave: {}\n", status.message());
  if (json) {
    const nlohmann::json error = {
        {"ok", false}, {"error", {{"code", Name(status.code())}, {"message", status.message()}}}};
    fmt::print("{}\n", error.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  }
  exit_code = ExitCodeOf(status.code());
}

void Context::Succeed(const std::string& text, nlohmann::json result) {
  if (!json) {
    fmt::print("{}", text);
    return;
  }
  result["ok"] = exit_code == ExitCode::kOk;
  fmt::print("{}\n", result.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

namespace {

constexpr const char* kFooter =
    "\nExit codes: 0 ok; 1 a check found wrong elements; 2 bad command line; 3 bad input;\n"
    "4 no such file, device or kernel, or no access; 5 device or feature not available;\n"
    "6 out of memory, out of time, or a bug. docs/cli.md has every option with examples.";

int ReportUsageError(const CLI::App& app, const CLI::ParseError& error, Context* context) {
  // --help and --version arrive as errors with code 0; CLI11 prints them.
  if (error.get_exit_code() == 0) return app.exit(error);
  context->Fail(
      {StatusCode::kInvalidArgument, fmt::format("{} (see tilewave --help)", error.what())});
  return static_cast<int>(ExitCode::kUsage);
}

/// Whether --json was asked for, even if the rest of the line cannot be read.
bool AsksForJson(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--json") return true;
  }
  return false;
}

int Main(int argc, char** argv) {
  Context context;
  context.json = AsksForJson(argc, argv);
  CLI::App app{"tilewave: exact INT8 matrix multiplication for Ryzen AI NPUs and the CPU"};
  app.footer(kFooter);
  app.set_version_flag("--version", fmt::format("tilewave {}", Version()));
  app.add_flag("--json", context.json, "Print the result as JSON");
  app.require_subcommand(1);
  app.fallthrough();
  AddMatmulCommand(&app, &context);
  AddRandomCommand(&app, &context);
  AddDevicesCommand(&app, &context);
  AddSelftestCommand(&app, &context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return ReportUsageError(app, error, &context);
  }
  return static_cast<int>(context.exit_code);
}

}  // namespace
}  // namespace tilewave::cli

int main(int argc, char** argv) {
  tilewave::base::SetCheckHandler([](const std::string& text) {
    // A bug in tilewave: leave at once, without running anything that may rely on it.
    std::fprintf(stderr, "tilewave: internal error, please report it: %s", text.c_str());
    std::_Exit(static_cast<int>(tilewave::cli::ExitCode::kFailed));
  });
  try {
    const int code = tilewave::cli::Main(argc, argv);
    // What stdout still holds must reach the disk, or the caller must know that it did not.
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      std::fputs("tilewave: standard output could not be written\n", stderr);
      return static_cast<int>(tilewave::cli::ExitCode::kFailed);
    }
    return code;
  } catch (const std::bad_alloc&) {
    std::fputs("tilewave: out of memory\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tilewave: %s\n", error.what());
  }
  return static_cast<int>(tilewave::cli::ExitCode::kFailed);
}
