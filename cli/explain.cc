#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/array_product.h"
#include "cli/commands.h"
#include "cli/operands.h"
#include "engine/compose.h"
#include "report/explain.h"

namespace tilewave::cli {
namespace {

struct ExplainOptions {
  std::string shape;
  std::string device = "vnpu:phoenix";
};

/// Rows and columns of the product on which the lossy arithmetic is tried.
constexpr int64_t kLossySize = 64;
/// Its K is cut to this, which takes a second.
constexpr int64_t kLossyMaxK = 16384;

core::Problem DenseProblem(int64_t m, int64_t k, int64_t n) {
  core::Problem p;
  p.m = m;
  p.k = k;
  p.n = n;
  p.a = {k, 1, m * k};
  p.b = {n, 1, k * n};
  p.c = {n, 1, m * n};
  return p;
}

Result<report::Explanation> MakeExplanation(const ExplainOptions& options) {
  if (!options.device.starts_with(engine::kVnpuScheme)) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("device '{}' has no profile to explain with; expected vnpu:PROFILE",
                              options.device));
  }
  const Result<std::vector<int64_t>> shape = ParseShape(options.shape);
  if (!shape.ok() || shape->size() != 3) {
    return Status(
        StatusCode::kInvalidArgument,
        fmt::format("'{}' is no product; expected MxKxN, each at least 1", options.shape));
  }
  const Result<device::vnpu::VnpuOptions> vnpu =
      engine::ParseVnpuArgument(options.device.substr(engine::kVnpuScheme.size()));
  if (!vnpu.ok()) return vnpu.status();
  const int64_t m = (*shape)[0];
  const int64_t k = (*shape)[1];
  const int64_t n = (*shape)[2];
  Result<report::Explanation> explanation = report::Explain(DenseProblem(m, k, n), vnpu->profile);
  if (!explanation.ok()) return explanation;
  plan::ArrayChoices choices;
  choices.family = program::DesignFamily::kPackedTile;
  choices.tile = 16;
  choices.kernel = program::TileKernel::kScalar;
  choices.output = program::TileOutput::kS8Lossy;
  const int64_t tried_m = std::min(m, kLossySize);
  const int64_t tried_k = std::min(k, kLossyMaxK);
  const int64_t tried_n = std::min(n, kLossySize);
  const ArrayProduct product(tried_m, tried_k, tried_n);
  const Result<ArrayProduct::Outcome> lossy = product.Run(options.device, choices);
  if (!lossy.ok()) return lossy.status();
  explanation->lossy = {tried_m,         tried_k,      tried_n,
                        lossy->elements, lossy->wrong, lossy->max_abs_error};
  return explanation;
}

void RunExplain(const ExplainOptions& options, Context* context) {
  const Result<report::Explanation> explanation = MakeExplanation(options);
  if (!explanation.ok()) return context->Fail(explanation.status());
  context->Succeed(report::ExplanationText(*explanation), report::ExplanationJson(*explanation));
}

}  // namespace

void AddExplainCommand(CLI::App* app, Context* context) {
  CLI::App* command =
      app->add_subcommand("explain", "Say where the time of a product goes, and what removes it");
  auto options = std::make_shared<ExplainOptions>();
  command->add_option("SHAPE", options->shape, "M x K x N, as 512x512x512")
      ->type_name("MxKxN")
      ->required();
  command->add_option("--device", options->device, "vnpu:PROFILE, whose constants to use")
      ->type_name("NAME")
      ->capture_default_str();
  command->callback([options, context] { RunExplain(*options, context); });
}

}  // namespace tilewave::cli
