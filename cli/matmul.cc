#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/checked_math.h"
#include "cli/array_flags.h"
#include "cli/commands.h"
#include "cli/memory.h"
#include "cli/npy_file.h"
#include "cli/operands.h"
#include "cli/progress_bar.h"
#include "cli/reference_check.h"
#include "cli/text.h"
#include "device/host/host_device.h"
#include "engine/compose.h"
#include "report/stats.h"
#include "report/units.h"
#include "tilewave/engine.h"

namespace tilewave::cli {
namespace {

/// The command line, unread. What is optional here can also be given empty, which is an error.
struct MatmulOptions {
  std::string a;
  std::string b;
  std::string output;
  std::string device = "auto";
  std::optional<std::string> kernel;
  std::optional<std::string> threads;
  std::optional<std::string> retries;
  bool no_host_fallback = false;
  bool poison_outputs = false;
  ArrayFlags array;
  std::string out;
  std::optional<std::string> scale_a;
  std::optional<std::string> scale_b;
  std::optional<std::string> zero_a;
  std::optional<std::string> zero_b;
  std::optional<std::string> bias;
  std::string activation = "none";
  std::optional<std::string> shift;
  std::string rounding;
  std::string saturation;
  std::optional<std::string> requant_scale;
  std::optional<std::string> zero_c;
  std::optional<std::string> quantise_a;
  std::optional<std::string> quantise_b;
  bool stats = false;
  bool check = false;
};

constexpr int64_t kMinS32 = std::numeric_limits<int32_t>::min();
constexpr int64_t kMaxS32 = std::numeric_limits<int32_t>::max();

/// Everything a call borrows, owned for as long as it runs.
struct Loaded {
  LoadedMatrix a;
  LoadedMatrix b;
  base::AlignedBuffer c;
  LoadedParameter<float> scale_a;
  LoadedParameter<float> scale_b;
  LoadedParameter<int32_t> zero_a;
  LoadedParameter<int32_t> zero_b;
  LoadedParameter<int32_t> bias_s32;
  LoadedParameter<float> bias_f32;
  LoadedParameter<float> requant_scale;
  Matmul call;
};

/// The enumerator whose Name() is `name`, among those given.
template <typename E, size_t kCount>
std::optional<E> ByName(const std::array<E, kCount>& values, const std::string& name) {
  for (E value : values) {
    if (Name(value) == name) return value;
  }
  return std::nullopt;
}

constexpr std::array kOutputs = {ElementType::kS32, ElementType::kS8, ElementType::kU8,
                                 ElementType::kF32, ElementType::kBF16};
constexpr std::array kActivations = {Activation::kNone, Activation::kRelu, Activation::kGelu,
                                     Activation::kSilu};
constexpr std::array kRoundings = {Rounding::kFloor,          Rounding::kCeil,
                                   Rounding::kSymmetricFloor, Rounding::kSymmetricCeil,
                                   Rounding::kNegativeInf,    Rounding::kPositiveInf,
                                   Rounding::kSymmetricZero,  Rounding::kSymmetricInf,
                                   Rounding::kConvEven,       Rounding::kConvOdd};
constexpr std::array kSaturations = {Saturation::kNone, Saturation::kSaturate,
                                     Saturation::kSymmetric};

template <typename E, size_t kCount>
std::vector<std::string> Names(const std::array<E, kCount>& values) {
  std::vector<std::string> names;
  names.reserve(kCount);
  for (E value : values) names.emplace_back(Name(value));
  return names;
}

DynamicQuantisation QuantisationOf(const std::optional<std::string>& name) {
  if (name == "tensor") return DynamicQuantisation::kPerTensor;
  if (name == "asymmetric") return DynamicQuantisation::kAsymmetricPerTensor;
  return DynamicQuantisation::kPerVector;
}

/// The bias file decides by its type which of the two biases it is.
Status LoadBias(const MatmulOptions& o, int64_t n, int64_t batch, Loaded* loaded) {
  if (!o.bias) return {};
  if (o.bias->empty()) return Invalid("--bias is empty; expected a .npy file");
  const Result<NpyArray> peek = ReadNpy(*o.bias);
  if (!peek.ok()) return peek.status();
  if (peek->header.type == ElementType::kF32) {
    Result<LoadedParameter<float>> bias = LoadFloats("--bias", o.bias, n, batch, "columns of B");
    if (!bias.ok()) return bias.status();
    loaded->bias_f32 = *std::move(bias);
    return {};
  }
  Result<LoadedParameter<int32_t>> bias = LoadIntegers("--bias", o.bias, n, batch, "columns of B");
  if (!bias.ok()) return bias.status();
  loaded->bias_s32 = *std::move(bias);
  return {};
}

Status LoadParameters(const MatmulOptions& o, Loaded* loaded) {
  const int64_t m = loaded->a.view.rows;
  const int64_t n = loaded->b.view.cols;
  const int64_t batch = std::max(loaded->a.view.batch, loaded->b.view.batch);
  const auto floats = [&](const char* what, const std::optional<std::string>& text, int64_t count,
                          std::string_view counted, LoadedParameter<float>* out) -> Status {
    Result<LoadedParameter<float>> p = LoadFloats(what, text, count, batch, counted);
    if (!p.ok()) return p.status();
    *out = *std::move(p);
    return {};
  };
  const auto integers = [&](const char* what, const std::optional<std::string>& text, int64_t count,
                            std::string_view counted, LoadedParameter<int32_t>* out) -> Status {
    Result<LoadedParameter<int32_t>> p = LoadIntegers(what, text, count, batch, counted);
    if (!p.ok()) return p.status();
    *out = *std::move(p);
    return {};
  };
  Status s = floats("--scale-a", o.scale_a, m, "rows of A", &loaded->scale_a);
  if (s.ok()) s = floats("--scale-b", o.scale_b, n, "columns of B", &loaded->scale_b);
  if (s.ok()) s = integers("--zero-a", o.zero_a, m, "rows of A", &loaded->zero_a);
  if (s.ok()) s = integers("--zero-b", o.zero_b, n, "columns of B", &loaded->zero_b);
  if (s.ok()) {
    s = floats("--requant-scale", o.requant_scale, n, "columns of B", &loaded->requant_scale);
  }
  if (s.ok()) s = LoadBias(o, n, batch, loaded);
  return s;
}

Result<Requantisation> RequantisationOf(const MatmulOptions& o, const Loaded& loaded) {
  if (o.shift && loaded.requant_scale.parameter.present) {
    return Invalid("--shift and --requant-scale are two ways to the same; give one");
  }
  if (!o.shift && (!o.rounding.empty() || !o.saturation.empty())) {
    return Invalid("--rounding and --saturation belong to --shift, which is missing");
  }
  if (!loaded.requant_scale.parameter.present && o.zero_c) {
    return Invalid("--zero-c belongs to --requant-scale, which is missing");
  }
  if (o.shift) {
    const Result<int64_t> bits = ParseInteger("--shift", *o.shift, 0, 31);
    if (!bits.ok()) return bits.status();
    RequantShift shift{static_cast<int>(*bits)};
    if (!o.rounding.empty()) shift.rounding = *ByName(kRoundings, o.rounding);
    if (!o.saturation.empty()) shift.saturation = *ByName(kSaturations, o.saturation);
    return Requantisation(shift);
  }
  if (loaded.requant_scale.parameter.present) {
    const Result<int64_t> zero = ParseInteger("--zero-c", o.zero_c.value_or("0"), kMinS32, kMaxS32);
    if (!zero.ok()) return zero.status();
    return Requantisation(
        RequantScale{loaded.requant_scale.parameter, static_cast<int32_t>(*zero)});
  }
  return Requantisation();
}

ElementType OutputType(const MatmulOptions& o, const Loaded& loaded) {
  if (!o.out.empty()) return *ByName(kOutputs, o.out);
  const bool dynamic =
      loaded.a.view.type == ElementType::kF32 || loaded.b.view.type == ElementType::kF32;
  return dynamic ? ElementType::kF32 : ElementType::kS32;
}

/// Refuses a way to quantise an operand that is quantised already.
Status CheckQuantise(const char* option, const char* operand, bool given, const ConstMatrix& view) {
  if (!given || view.type == ElementType::kF32) return {};
  return Invalid(
      fmt::format("{} applies to float32 inputs, {} is {}", option, operand, Name(view.type)));
}

Status LoadOperand(const char* operand, const std::string& path, bool with_bar, LoadedMatrix* out) {
  if (path.empty()) return Invalid(fmt::format("{} is empty; expected a .npy file", operand));
  std::error_code unknown;  // Then reading the file says what is wrong with it.
  const auto bytes = static_cast<int64_t>(std::filesystem::file_size(path, unknown));
  ProgressBar bar(FileLabel("read", path), bytes, with_bar);
  Result<LoadedMatrix> matrix = LoadMatrix(path, bar.counter());
  if (!matrix.ok()) return matrix.status();
  *out = *std::move(matrix);
  return {};
}

/// Reads the files and fills in the call. C gets its memory here.
Status Load(const MatmulOptions& o, bool with_bar, Loaded* loaded) {
  if (Status s = LoadOperand("A", o.a, with_bar, &loaded->a); !s.ok()) return s;
  if (Status s = LoadOperand("B", o.b, with_bar, &loaded->b); !s.ok()) return s;
  Status s = CheckQuantise("--quantise-a", "A", o.quantise_a.has_value(), loaded->a.view);
  if (s.ok()) s = CheckQuantise("--quantise-b", "B", o.quantise_b.has_value(), loaded->b.view);
  if (s.ok()) s = LoadParameters(o, loaded);
  if (!s.ok()) return s;
  const Result<Requantisation> requantisation = RequantisationOf(o, *loaded);
  if (!requantisation.ok()) return requantisation.status();

  const ConstMatrix& va = loaded->a.view;
  const ConstMatrix& vb = loaded->b.view;
  const ElementType type = OutputType(o, *loaded);
  const int64_t batch = std::max(va.batch, vb.batch);
  const std::optional<int64_t> bytes =
      base::CheckedProduct({batch, va.rows, vb.cols, static_cast<int64_t>(ElementBytes(type))});
  if (!bytes) return {StatusCode::kOutOfRange, "the bytes of C overflow 63 bits"};
  // Mismatched shapes are refused by the library before C is written, whatever its size.
  Result<base::AlignedBuffer> c =
      Allocate("C", va.cols == vb.rows ? static_cast<size_t>(*bytes) : 1);
  if (!c.ok()) return c.status();
  loaded->c = *std::move(c);
  Matmul& call = loaded->call;
  call.a = va;
  call.b = vb;
  call.c = Matrix{loaded->c.data(), type, va.rows, vb.cols, batch, vb.cols, 1, va.rows * vb.cols};
  call.zero_a = loaded->zero_a.parameter;
  call.zero_b = loaded->zero_b.parameter;
  call.quantise_a = QuantisationOf(o.quantise_a);
  call.quantise_b = QuantisationOf(o.quantise_b);
  call.epilogue.scale_a = loaded->scale_a.parameter;
  call.epilogue.scale_b = loaded->scale_b.parameter;
  call.epilogue.bias_s32 = loaded->bias_s32.parameter;
  call.epilogue.bias_f32 = loaded->bias_f32.parameter;
  call.epilogue.activation = *ByName(kActivations, o.activation);
  call.epilogue.requantisation = *requantisation;
  return {};
}

Status Save(const MatmulOptions& o, const Loaded& loaded, bool with_bar) {
  const auto& c = std::get<Matrix>(loaded.call.c);
  std::vector<int64_t> shape;
  if (loaded.a.batched || loaded.b.batched) shape.push_back(c.batch);
  shape.push_back(c.rows);
  shape.push_back(c.cols);
  ProgressBar bar(FileLabel("write", o.output), static_cast<int64_t>(loaded.c.bytes()), with_bar);
  return WriteNpy(o.output, c.type, shape, {loaded.c.data(), loaded.c.bytes()}, bar.counter());
}

std::string ViewText(const ConstMatrix& m) {
  return fmt::format("{}{}x{} {}", m.batch > 1 ? fmt::format("{}x", m.batch) : "", m.rows, m.cols,
                     Name(m.type));
}

std::string Summary(const MatmulOptions& o, const Loaded& loaded, const CallStats& stats,
                    const std::optional<CheckResult>& check) {
  const CallStats::Part& part = stats.parts[0];
  std::string text =
      fmt::format("{}: {} = {} * {}\nran on {} with {} in {} ({}), {}\n", EscapeControls(o.output),
                  ViewText(std::get<Matrix>(loaded.call.c)), ViewText(loaded.a.view),
                  ViewText(loaded.b.view), part.device, part.kernel, report::FormatUs(part.us),
                  Name(part.time_kind), report::FormatRate(stats.macs, part.us));
  if (o.stats) {
    text += report::StatsText(stats);
  } else {
    text += report::FailureText(stats);
  }
  if (check) {
    text += check->wrong == 0
                ? fmt::format("check: all {} elements equal the reference, bit for bit\n",
                              report::FormatCount(check->elements))
                : fmt::format(
                      "check: {} of {} elements are WRONG, the first is {}, the "
                      "largest error {}\n",
                      report::FormatCount(check->wrong), report::FormatCount(check->elements),
                      check->first_wrong, check->max_abs_error);
  }
  return text;
}

nlohmann::json Json(const MatmulOptions& o, const Loaded& loaded, const CallStats& stats,
                    const std::optional<CheckResult>& check) {
  const auto& c = std::get<Matrix>(loaded.call.c);
  nlohmann::json json = {
      {"output", o.output},
      {"shape", {{"batch", c.batch}, {"m", c.rows}, {"k", loaded.a.view.cols}, {"n", c.cols}}},
      {"types",
       {{"a", Name(loaded.a.view.type)}, {"b", Name(loaded.b.view.type)}, {"c", Name(c.type)}}},
      {"stats", report::StatsJson(stats)},
      {"check", nullptr}};
  if (check) {
    json["check"] = {{"elements", check->elements},
                     {"wrong", check->wrong},
                     {"max_abs_error", check->max_abs_error}};
  }
  return json;
}

void RunMatmul(const MatmulOptions& o, Context* context) {
  const bool with_bars = !context->json;
  if (Status s = CheckOutput(o.output); !s.ok()) return context->Fail(s);
  if (Status s = CheckKernelName(o.kernel); !s.ok()) return context->Fail(s);
  EngineOptions engine_options;
  engine_options.device = o.device;
  engine_options.cpu_kernel = o.kernel.value_or("");
  Status numbers =
      ParseOptional("--threads", o.threads, 0, device::host::kMostThreads, &engine_options.threads);
  if (numbers.ok()) {
    numbers =
        ParseOptional("--retries", o.retries, 0, engine::kMostRetries, &engine_options.retries);
  }
  if (!numbers.ok()) return context->Fail(numbers);
  engine_options.host_fallback = !o.no_host_fallback;
  engine_options.poison_outputs = o.poison_outputs;
  Result<ArrayOptions> array = ArrayOptionsOf(o.array);
  if (!array.ok()) return context->Fail(array.status());
  engine_options.array = *std::move(array);
  Result<Engine> engine = Engine::Create(engine_options);
  if (!engine.ok()) return context->Fail(engine.status());
  if (Status s = CheckArrayFlags(o.array, engine->device()); !s.ok()) return context->Fail(s);
  Loaded loaded;
  if (Status s = Load(o, with_bars, &loaded); !s.ok()) return context->Fail(s);

  CallStats stats;
  const auto& c = std::get<Matrix>(loaded.call.c);
  {
    ProgressBar bar("matmul", c.batch * c.rows * c.cols, with_bars);
    RunOptions run;
    run.stats = &stats;
    run.progress = bar.counter();
    if (Status s = engine->Run(loaded.call, run); !s.ok()) return context->Fail(s);
  }
  std::optional<CheckResult> check;
  if (o.check) {
    ProgressBar bar("check", c.batch * c.rows * c.cols, with_bars);
    Result<CheckResult> result = CheckAgainstReference(loaded.call, bar.counter());
    if (!result.ok()) return context->Fail(result.status());
    check = *std::move(result);
  }
  if (!check || check->wrong == 0) {
    if (Status s = Save(o, loaded, with_bars); !s.ok()) return context->Fail(s);
  } else {
    context->exit_code = ExitCode::kWrongResult;
  }
  context->Succeed(Summary(o, loaded, stats, check), Json(o, loaded, stats, check));
}

/// Those that make integers of floats and floats of integers. CLI11 adds the choices to the help.
void AddQuantisationOptions(CLI::App* command, MatmulOptions* o) {
  AddText(command, "--scale-a", &o->scale_a, "Scale of A: a number, or a file with one per row")
      ->type_name("X");
  AddText(command, "--scale-b", &o->scale_b, "Scale of B: a number, or a file with one per column")
      ->type_name("X");
  AddText(command, "--zero-a", &o->zero_a, "Zero point of A: a number, or a file (per row)")
      ->type_name("X");
  AddText(command, "--zero-b", &o->zero_b, "Zero point of B: a number, or a file (per column)")
      ->type_name("X");
  AddText(command, "--quantise-a", &o->quantise_a,
          "How a float32 A is quantised: vector is per row (default),\n"
          "asymmetric is ONNX's u8")
      ->type_name("HOW")
      ->check(CLI::IsMember({"vector", "tensor", "asymmetric"}));
  AddText(command, "--quantise-b", &o->quantise_b,
          "How a float32 B is quantised: vector is per column (default)")
      ->type_name("HOW")
      ->check(CLI::IsMember({"vector", "tensor"}));
}

/// Those between the accumulator and C.
void AddEpilogueOptions(CLI::App* command, MatmulOptions* o) {
  AddText(command, "--bias", &o->bias, "One per column: int32, or float32 (added after scaling)")
      ->type_name("FILE");
  command->add_option("--activation", o->activation, "Applied last")
      ->type_name("F")
      ->check(CLI::IsMember(Names(kActivations)))
      ->capture_default_str();
  AddText(command, "--shift", &o->shift, "s8/u8: shift right by 0 to 31 (AIE semantics)")
      ->type_name("N");
  command->add_option("--rounding", o->rounding, "With --shift (default conv_even)")
      ->type_name("MODE")
      ->check(CLI::IsMember(Names(kRoundings)));
  command->add_option("--saturation", o->saturation, "With --shift (default saturate)")
      ->type_name("MODE")
      ->check(CLI::IsMember(Names(kSaturations)));
  AddText(command, "--requant-scale", &o->requant_scale,
          "s8/u8: multiply (ONNX semantics) by a number, or a file (per column)")
      ->type_name("X");
  AddText(command, "--zero-c", &o->zero_c, "With --requant-scale: zero point of C (default 0)")
      ->type_name("N");
}

}  // namespace

void AddMatmulCommand(CLI::App* app, Context* context) {
  CLI::App* command = app->add_subcommand("matmul", "Multiply two .npy matrices or batches");
  auto o = std::make_shared<MatmulOptions>();
  command->add_option("A", o->a, "int8, uint8 or float32; M x K, or a batch of them")
      ->type_name("FILE")
      ->required();
  command->add_option("B", o->b, "int8, uint8 or float32; K x N, or a batch of them")
      ->type_name("FILE")
      ->required();
  command->add_option("-o,--output", o->output, "The .npy file to write")
      ->type_name("FILE")
      ->required();
  command->add_option("--device", o->device, "auto, host, vnpu:PROFILE or xrt[:N]")
      ->type_name("NAME")
      ->capture_default_str();
  AddText(command, "--kernel", &o->kernel, "Force a CPU kernel by name (default: the best)")
      ->type_name("NAME");
  AddText(command, "--threads", &o->threads, "CPU threads, 1 to 1024 (default 0: all)")
      ->type_name("N");
  AddArrayFlags(command, &o->array);
  command->add_option("--out", o->out, "Type of C (default s32; f32 if an input is float32)")
      ->type_name("TYPE")
      ->check(CLI::IsMember(Names(kOutputs)));
  AddQuantisationOptions(command, o.get());
  AddEpilogueOptions(command, o.get());
  AddText(command, "--retries", &o->retries, "Runs after an NPU has failed (default 2)")
      ->type_name("N");
  command->add_flag("--no-host-fallback", o->no_host_fallback,
                    "An NPU that fails is an error, not the host's work");
  command->add_flag("--poison-outputs", o->poison_outputs,
                    "Look whether an NPU's launches have written all of C");
  command->add_flag("--stats", o->stats, "Print where the time went");
  command->add_flag("--check", o->check,
                    "Compare every element with the reference (about 1 ns per MAC)");
  command->callback([o, context] { RunMatmul(*o, context); });
}

}  // namespace tilewave::cli
