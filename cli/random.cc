#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/aligned_buffer.h"
#include "base/checked_math.h"
#include "base/random.h"
#include "cli/commands.h"
#include "cli/npy.h"
#include "cli/operands.h"
#include "report/units.h"

namespace tilewave::cli {
namespace {

struct RandomOptions {
  std::string shape;
  std::string type;
  std::string output;
  uint64_t seed = 1;
};

/// Integers over the full range of the type; floats normal-ish in [-4, 4] (sum of four uniforms).
void Fill(ElementType type, size_t count, uint64_t seed, base::AlignedBuffer* data) {
  base::Random random(seed);
  if (type == ElementType::kF32) {
    auto* out = data->data<float>();
    for (size_t i = 0; i < count; ++i) {
      const double sum = random.Unit() + random.Unit() + random.Unit() + random.Unit();
      out[i] = static_cast<float>(2 * sum - 4);
    }
    return;
  }
  auto* out = data->data<uint8_t>();
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<uint8_t>(random.Next() >> 56);
}

Status MakeRandom(const RandomOptions& options, nlohmann::json* result) {
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
  base::AlignedBuffer data(static_cast<size_t>(*bytes));
  Fill(type, data.bytes() / ElementBytes(type), options.seed, &data);
  const std::span<const std::byte> span(data.data(), data.bytes());
  if (Status s = WriteNpy(options.output, type, *shape, span); !s.ok()) return s;
  *result = {{"output", options.output},
             {"shape", *shape},
             {"type", options.type},
             {"bytes", *bytes},
             {"seed", options.seed}};
  return {};
}

}  // namespace

void AddRandomCommand(CLI::App* app, Context* context) {
  CLI::App* command = app->add_subcommand("random", "Write a random matrix or batch as .npy");
  auto options = std::make_shared<RandomOptions>();
  command->add_option("shape", options->shape, "ROWSxCOLS or BATCHxROWSxCOLS")->required();
  command->add_option("type", options->type, "s8, u8 (full range) or f32 (within -4 .. 4)")
      ->required()
      ->check(CLI::IsMember({"s8", "u8", "f32"}));
  command->add_option("-o,--output", options->output, "The .npy file to write")->required();
  command->add_option("--seed", options->seed, "Same seed, same numbers")->capture_default_str();
  command->callback([options, context] {
    nlohmann::json result;
    if (Status s = MakeRandom(*options, &result); !s.ok()) return context->Fail(s);
    const auto bytes = result["bytes"].get<int64_t>();
    context->Succeed(fmt::format("{}: {} {}, {}, seed {}\n", options->output, options->shape,
                                 options->type, report::FormatBytes(bytes), options->seed),
                     result);
  });
}

}  // namespace tilewave::cli
