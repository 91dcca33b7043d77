#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <nlohmann/json.hpp>
#include <string_view>

#include "cli/commands.h"
#include "tilewave/engine.h"

namespace tilewave::cli {

namespace {

constexpr const char* kFooter =
    "Exit codes: 0 ok; 1 a check found wrong elements; 2 bad command line; 3 bad input;\n"
    "4 no such file, device or kernel, or no access; 5 device or feature not available;\n"
    "6 out of memory or disk, out of time, or a bug. docs/cli.md has every option with examples.";

int ReportUsageError(const CLI::App& app, const CLI::ParseError& error, Context* context) {
  // --help arrives as an error with code 0. help() is that of the subcommand, if there is one.
  if (error.get_exit_code() == 0) {
    context->Succeed(app.help(), {{"help", app.help()}});
    return static_cast<int>(ExitCode::kOk);
  }
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

/// The option of a "--zero-a=" without a value, for which CLI11 would take the next argument.
std::string_view EmptyOption(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view text(argv[i]);
    if (text.starts_with("--") && text.find('=') == text.size() - 1) {
      return text.substr(0, text.size() - 1);
    }
  }
  return {};
}

int Main(int argc, char** argv) {
  Context context;
  context.json = AsksForJson(argc, argv);
  ReportFailedChecks(context.json);
  if (const std::string_view option = EmptyOption(argc, argv); !option.empty()) {
    context.Fail({StatusCode::kInvalidArgument, fmt::format("{} is empty", option)});
    return static_cast<int>(context.exit_code);
  }
  CLI::App app{"tilewave: exact INT8 matrix multiplication for Ryzen AI NPUs and the CPU"};
  app.footer(kFooter);
  app.set_version_flag("--version", fmt::format("tilewave {}", Version()));
  app.add_flag("--json", context.json, "Print the result as JSON");
  app.require_subcommand(1);
  app.fallthrough();
  AddMatmulCommand(&app, &context);
  AddRandomCommand(&app, &context);
  AddDevicesCommand(&app, &context);
  AddDoctorCommand(&app, &context);
  AddBenchCommand(&app, &context);
  AddExplainCommand(&app, &context);
  AddEmitCommand(&app, &context);
  AddSelftestCommand(&app, &context);
  AddStreamCommand(&app, &context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForVersion&) {
    context.Succeed(fmt::format("tilewave {}\n", Version()), {{"version", Version()}});
  } catch (const CLI::ParseError& error) {
    return ReportUsageError(app, error, &context);
  } catch (const std::bad_alloc&) {
    context.Fail({StatusCode::kResourceExhausted, "out of memory"});
  } catch (const std::exception& error) {
    context.Fail({StatusCode::kInternal, error.what()});
  }
  return static_cast<int>(context.exit_code);
}

}  // namespace
}  // namespace tilewave::cli

int main(int argc, char** argv) {
  // A file beyond the limit on its size is then an error of write(), not the end of the process.
  std::signal(SIGXFSZ, SIG_IGN);
  const int code = tilewave::cli::Main(argc, argv);
  // What stdout still holds must reach the disk, or the caller must know that it did not.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    std::fputs("tilewave: standard output could not be written\n", stderr);
    return static_cast<int>(tilewave::cli::ExitCode::kFailed);
  }
  return code;
}
