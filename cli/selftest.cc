#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "cli/commands.h"
#include "cli/operands.h"
#include "cli/progress_bar.h"
#include "cli/reference_check.h"
#include "cli/text.h"
#include "tilewave/engine.h"

namespace tilewave::cli {
namespace {

constexpr int64_t kMaxCases = 1000000;

struct SelftestOptions {
  std::string device = "auto";
  std::optional<std::string> kernel;
  std::string cases = "60";
  std::string seed = "1";
  std::string faults = "0";
};

/// One random problem with its data.
struct SelftestCase {
  std::vector<uint8_t> a;
  std::vector<uint8_t> b;
  std::vector<float> a_f32;
  std::vector<uint8_t> c;
  std::vector<float> scale;
  std::vector<int32_t> bias;
  Matmul call;
  std::string name;
};

void FillBytes(base::Random* random, std::vector<uint8_t>* bytes) {
  // Every fourth value is an extreme of s8 or u8, where sign and saturation bugs live.
  static constexpr uint8_t kExtremes[] = {0x80, 0x7F, 0xFF, 0x00};
  for (uint8_t& byte : *bytes) {
    const uint64_t bits = random->Next();
    byte = (bits & 3) == 0 ? kExtremes[(bits >> 2) & 3] : static_cast<uint8_t>(bits >> 56);
  }
}

/// Output type and what leads to it, cycling so that every kind comes up.
void ChooseOutput(int64_t kind, base::Random* random, SelftestCase* t, Matrix* c) {
  Epilogue& e = t->call.epilogue;
  const auto columns = static_cast<size_t>(c->cols);
  switch (kind) {
    case 0:
      c->type = ElementType::kS32;
      break;
    case 1:
      c->type = ElementType::kS8;
      e.requantisation = RequantShift{static_cast<int>(random->Between(0, 12))};
      break;
    case 2:
      c->type = ElementType::kU8;
      for (size_t j = 0; j < columns; ++j) {
        t->scale.push_back(static_cast<float>(random->Unit()) * 0.01F);
      }
      e.requantisation = RequantScale{Parameter<float>::PerElement(t->scale.data()), 128};
      break;
    default:
      c->type = kind == 3 ? ElementType::kF32 : ElementType::kBF16;
      for (size_t j = 0; j < columns; ++j) {
        t->scale.push_back(static_cast<float>(random->Unit()) * 0.02F);
      }
      e.scale_b = Parameter<float>::PerElement(t->scale.data());
      e.activation = static_cast<Activation>(random->Between(0, 3));
      break;
  }
  if (random->Between(0, 1) == 1) {
    for (size_t j = 0; j < columns; ++j) {
      t->bias.push_back(static_cast<int32_t>(random->Between(-100000, 100000)));
    }
    e.bias_s32 = Parameter<int32_t>::PerElement(t->bias.data());
  }
}

std::unique_ptr<SelftestCase> MakeCase(int64_t index, base::Random* random) {
  auto t = std::make_unique<SelftestCase>();
  const int64_t batch = index % 5 == 4 ? random->Between(2, 4) : 1;
  const int64_t m = random->Between(1, 90);
  const int64_t k = random->Between(1, 200);
  const int64_t n = random->Between(1, 90);
  t->a.resize(static_cast<size_t>(batch * m * k));
  t->b.resize(static_cast<size_t>(batch * k * n));
  t->c.assign(static_cast<size_t>(batch * m * n) * sizeof(float), 0xA5);
  FillBytes(random, &t->a);
  FillBytes(random, &t->b);
  Matrix c = RowMajor(reinterpret_cast<int32_t*>(t->c.data()), m, n, batch);
  ChooseOutput(index % 5, random, t.get(), &c);
  t->call.c = c;

  ConstMatrix a = RowMajor(static_cast<const uint8_t*>(t->a.data()), m, k, batch);
  ConstMatrix b = index % 2 == 0
                      ? RowMajor(static_cast<const uint8_t*>(t->b.data()), k, n, batch)
                      : ColumnMajor(static_cast<const uint8_t*>(t->b.data()), k, n, batch);
  a.type = index % 3 == 0 ? ElementType::kU8 : ElementType::kS8;
  b.type = ElementType::kS8;
  if (index % 10 == 3) {
    for (uint8_t byte : t->a) t->a_f32.push_back((static_cast<float>(byte) - 100.0F) * 0.03F);
    a = RowMajor(static_cast<const float*>(t->a_f32.data()), m, k, batch);
  } else if (index % 3 == 0) {
    t->call.zero_a = Parameter<int32_t>::Of(static_cast<int32_t>(random->Between(0, 255)));
  }
  t->call.a = a;
  t->call.b = b;
  t->name = fmt::format("{}x{}x{}x{} {} * {} -> {}", batch, m, k, n, Name(a.type), Name(b.type),
                        Name(c.type));
  return t;
}

void RunSelftest(const SelftestOptions& o, Context* context) {
  const Result<int64_t> cases = ParseInteger("--cases", o.cases, 1, kMaxCases);
  if (!cases.ok()) return context->Fail(cases.status());
  const Result<uint64_t> seed = ParseSeed(o.seed);
  if (!seed.ok()) return context->Fail(seed.status());
  if (Status s = CheckKernelName(o.kernel); !s.ok()) return context->Fail(s);
  EngineOptions options;
  options.device = o.device;
  options.cpu_kernel = o.kernel.value_or("");
  options.validate_submissions = true;
  double faults = 0;
  if (!ParseNumber(o.faults, &faults) || !(faults >= 0 && faults <= 1)) {
    return context->Fail(
        {StatusCode::kInvalidArgument, fmt::format("--faults is '{}'; expected 0 to 1", o.faults)});
  }
  options.fault_rate = faults;
  options.fault_seed = *seed;
  options.poison_outputs = faults > 0;
  if (faults == 0) {
    // What the device computes is what is tested.
    options.retries = 0;
    options.host_fallback = false;
  }
  Result<Engine> engine = Engine::Create(options);
  if (!engine.ok()) return context->Fail(engine.status());
  base::Random random(*seed);
  std::string text;
  nlohmann::json failures = nlohmann::json::array();
  int64_t elements = 0;
  int64_t run_again = 0;
  int64_t by_host = 0;
  {
    ProgressBar bar("selftest", *cases, !context->json);
    for (int64_t i = 0; i < *cases; ++i) {
      const std::unique_ptr<SelftestCase> t = MakeCase(i, &random);
      CallStats stats;
      const Status ran = engine->Run(t->call, {.stats = &stats});
      if (!ran.ok()) return context->Fail(ran);
      if (stats.failed_attempts > 0) ++(stats.parts[0].device == "host" ? by_host : run_again);
      const Result<CheckResult> check = CheckAgainstReference(t->call);
      if (!check.ok()) return context->Fail(check.status());
      elements += check->elements;
      if (check->wrong > 0) {
        text += fmt::format("WRONG: {}: {} of {} elements, the first is {}\n", t->name,
                            check->wrong, check->elements, check->first_wrong);
        failures.push_back({{"case", t->name}, {"wrong", check->wrong}});
      }
      bar.counter()->fetch_add(1, std::memory_order_relaxed);
    }
  }
  if (!failures.empty()) context->exit_code = ExitCode::kWrongResult;
  text += fmt::format(
      "selftest on {}: {} random products, {} elements compared with the reference, {} wrong\n",
      engine->device().name, *cases, elements, failures.empty() ? "none" : "some");
  if (faults > 0) {
    text += fmt::format(
        "faults at {} % of the device's calls: {} products were run again, {} more computed by the "
        "host\n",
        100 * faults, run_again, by_host);
  }
  context->Succeed(text, {{"device", engine->device().name},
                          {"cases", *cases},
                          {"elements", elements},
                          {"fault_rate", faults},
                          {"run_again", run_again},
                          {"by_host", by_host},
                          {"failures", failures}});
}

}  // namespace

void AddSelftestCommand(CLI::App* app, Context* context) {
  CLI::App* command =
      app->add_subcommand("selftest", "Compare random products with the reference, bit for bit");
  auto options = std::make_shared<SelftestOptions>();
  command->add_option("--device", options->device, "auto, host, vnpu:PROFILE or xrt[:N]")
      ->type_name("NAME")
      ->capture_default_str();
  AddText(command, "--kernel", &options->kernel, "Force a CPU kernel by name")->type_name("NAME");
  command->add_option("--cases", options->cases, "How many products")
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--seed", options->seed, "Same seed, same products")
      ->type_name("N")
      ->capture_default_str();
  command
      ->add_option("--faults", options->faults,
                   "Let the device's calls fail so often, 0 to 1; not the host's")
      ->type_name("RATE")
      ->capture_default_str();
  command->callback([options, context] { RunSelftest(*options, context); });
}

}  // namespace tilewave::cli
