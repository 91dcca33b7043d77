#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/stream_file.h"
#include "cli/stream_report.h"
#include "program/decoded_stream.h"

namespace tilewave::cli {
namespace {

void DecodeFile(const std::string& path, Context* context) {
  const Result<std::vector<uint32_t>> words = ReadStreamFile(path);
  if (!words.ok()) return context->Fail(words.status());
  const Result<program::DecodedStream> stream = program::DecodeStream(*words);
  if (!stream.ok()) {
    return context->Fail(
        {stream.status().code(), fmt::format("{}: {}", path, stream.status().message())});
  }
  if (context->json) {
    context->Succeed("", StreamJson(*words, *stream));
  } else {
    context->Succeed(StreamText(*words, *stream), nullptr);
  }
}

}  // namespace

void AddStreamCommand(CLI::App* app, Context* context) {
  CLI::App* command = app->add_subcommand("stream", "Look into NPU instruction streams");
  command->require_subcommand(1);
  command->fallthrough();
  CLI::App* decode = command->add_subcommand(
      "decode", "Print a stream: operations, then tasks and what they move");
  auto path = std::make_shared<std::string>();
  decode->add_option("FILE", *path, "Binary, or text with a word of eight hex digits per line")
      ->required();
  decode->callback([path, context] { DecodeFile(*path, context); });
}

}  // namespace tilewave::cli
