#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/checked_math.h"
#include "base/random.h"
#include "cli/commands.h"
#include "cli/memory.h"
#include "cli/npy_file.h"
#include "cli/operands.h"
#include "cli/progress_bar.h"
#include "cli/text.h"
#include "report/units.h"

namespace tilewave::cli {
namespace {

struct RandomOptions {
  std::string shape;
  std::string type;
  std::string output;
  std::string seed = "1";
};

constexpr size_t kReportEvery = size_t{1} << 20;

/// Integers over the full range of the type; floats normal-ish in [-4, 4] (sum of four uniforms).
void Fill(ElementType type, size_t count, uint64_t seed, base::AlignedBuffer* data,
          std::atomic<int64_t>* progress) {
  base::Random random(seed);
  const auto report = [progress](size_t i) {
    if (i % kReportEvery == 0) progress->store(static_cast<int64_t>(i), std::memory_order_relaxed);
  };
  if (type == ElementType::kF32) {
    auto* out = data->data<float>();
    for (size_t i = 0; i < count; ++i) {
      report(i);
      const double sum = random.Unit() + random.Unit() + random.Unit() + random.Unit();
      out[i] = static_cast<float>(2 * sum - 4);
    }
    return;
  }
  auto* out = data->data<uint8_t>();
  for (size_t i = 0; i < count; ++i) {
    report(i);
    out[i] = static_cast<uint8_t>(random.Next() >> 56);
  }
}

Status MakeRandom(const RandomOptions& options, bool with_bar, nlohmann::json* result) {
  const Result<uint64_t> seed = ParseSeed(options.seed);
  if (!seed.ok()) return seed.status();
  const Result<std::vector<int64_t>> shape = ParseShape(options.shape);
  if (!shape.ok()) return shape.status();
  const ElementType type = options.type == "s8"   ? ElementType::kS8
                           : options.type == "u8" ? ElementType::kU8
                                                  : ElementType::kF32;
  std::optional<int64_t> bytes = static_cast<int64_t>(ElementBytes(type));
  for (int64_t extent : *shape) {
    if (bytes) bytes = base::CheckedMul(*bytes, extent);
  }
  if (!bytes) {
    return {StatusCode::kOutOfRange,
            fmt::format("shape {} overflows: its bytes must fit 63 bits", options.shape)};
  }
  if (Status s = CheckOutput(options.output); !s.ok()) return s;
  Result<base::AlignedBuffer> data = Allocate(options.output, static_cast<size_t>(*bytes));
  if (!data.ok()) return data.status();
  {
    const size_t count = data->bytes() / ElementBytes(type);
    ProgressBar bar(FileLabel("fill", options.output), static_cast<int64_t>(count), with_bar);
    Fill(type, count, *seed, &*data, bar.counter());
  }
  {
    ProgressBar bar(FileLabel("write", options.output), *bytes, with_bar);
    const std::span<const std::byte> span(data->data(), data->bytes());
    if (Status s = WriteNpy(options.output, type, *shape, span, bar.counter()); !s.ok()) return s;
  }
  *result = {{"output", options.output},
             {"shape", *shape},
             {"type", options.type},
             {"bytes", *bytes},
             {"seed", *seed}};
  return {};
}

}  // namespace

void AddRandomCommand(CLI::App* app, Context* context) {
  CLI::App* command = app->add_subcommand("random", "Write a random matrix or batch as .npy");
  auto options = std::make_shared<RandomOptions>();
  command->add_option("shape", options->shape, "ROWSxCOLS or BATCHxROWSxCOLS")->required();
  command
      ->add_option("type", options->type, "Integers over their full range, floats within -4 .. 4")
      ->required()
      ->type_name("TYPE")
      ->check(CLI::IsMember({"s8", "u8", "f32"}));
  command->add_option("-o,--output", options->output, "The .npy file to write")
      ->type_name("FILE")
      ->required();
  command->add_option("--seed", options->seed, "Same seed, same numbers")
      ->type_name("N")
      ->capture_default_str();
  command->callback([options, context] {
    nlohmann::json result;
    if (Status s = MakeRandom(*options, !context->json, &result); !s.ok()) return context->Fail(s);
    const auto bytes = result["bytes"].get<int64_t>();
    context->Succeed(
        fmt::format("{}: {} {}, {}, seed {}\n", EscapeControls(options->output),
                    ShapeText(result["shape"].get<std::vector<int64_t>>()), options->type,
                    report::FormatBytes(bytes), result["seed"].get<uint64_t>()),
        result);
  });
}

}  // namespace tilewave::cli
