#include "cli/whole_array_row.h"

#include <fmt/format.h>

#include <memory>
#include <span>

#include "base/random.h"
#include "cli/array_product.h"
#include "device/vnpu/vnpu_device.h"
#include "engine/compose.h"
#include "plan/cost.h"
#include "plan/whole_array_plan.h"
#include "program/lower.h"
#include "program/lower_whole_array.h"
#include "program/stream.h"
#include "program/validate.h"
#include "tilewave/engine.h"

namespace tilewave::cli {
namespace {

using program::TileOutput;

bool TimingOnly(TileOutput output) {
  return program::IsLossy(output) || output == TileOutput::kS16;
}

core::Problem ProblemOf(const WholeArrayRequest& r, TileOutput output) {
  core::Problem p;
  p.batch = r.batch;
  p.m = r.m;
  p.k = r.k;
  p.n = r.n;
  p.a = {r.k, 1, r.batch > 1 ? r.m * r.k : 0};
  p.b = {r.n, 1, r.batch > 1 ? r.k * r.n : 0};
  p.c = {r.n, 1, r.m * r.n};
  p.b_prepacked = true;
  if (output == TileOutput::kS8) {
    p.c_type = ElementType::kS8;
    p.requant = core::RequantKind::kShift;
    p.shift = r.requant;
  }
  return p;
}

double CoresOf(const program::DesignSpec& spec) {
  return static_cast<double>(spec.columns * program::CoreRows(spec));
}

/// One launch on a device that moves no data.
Status TimeLaunch(device::vnpu::VnpuOptions options, const plan::ArrayPlan& plan,
                  WholeArrayRow* row) {
  const arch::Npu& npu = arch::NpuOf(plan.spec.arch);
  const profile::LaunchCosts launch_costs = options.profile.launch;
  options.timing_only = true;
  const std::unique_ptr<device::Device> device = device::vnpu::OpenVnpu(std::move(options));
  Result<program::ArrayProgram> lowered = program::Lower(plan.spec);
  if (!lowered.ok()) return lowered.status();
  const auto program = std::make_shared<const program::ArrayProgram>(*std::move(lowered));
  Result<program::Sequence> sequence =
      program::WholeArraySequence(*program, plan.shape, plan.images);
  if (!sequence.ok()) return sequence.status();
  const std::vector<int64_t> bytes = plan.images.ArgumentBytes();
  Status s = program::Validate(*program, npu);
  if (s.ok()) s = program::Validate(*program, *sequence, bytes, npu);
  if (!s.ok()) return s;
  const Result<std::vector<uint32_t>> stream = program::EncodeStream(*sequence, npu);
  if (!stream.ok()) return stream.status();
  const Result<std::unique_ptr<device::Executable>> executable =
      device->LoadImage(device::vnpu::ProgramImage(program));
  if (!executable.ok()) return executable.status();
  std::vector<std::unique_ptr<device::Buffer>> buffers;
  std::vector<device::BufferRange> arguments;
  for (const int64_t each : bytes) {
    Result<std::unique_ptr<device::Buffer>> buffer = device->Allocate(static_cast<size_t>(each));
    if (!buffer.ok()) return buffer.status();
    buffers.push_back(*std::move(buffer));
    arguments.push_back({buffers.back().get(), 0, static_cast<size_t>(each)});
  }
  device::Launch launch;
  launch.executable = executable->get();
  launch.stream = *stream;
  launch.arguments = arguments;
  device::Fence fence;
  const int64_t start_ns = device->clock().NowNs();
  if (device->queue().TrySubmit({&launch, 1}, &fence) != device::SubmitCode::kAccepted) {
    return fence.status;
  }
  if (device->queue().Wait(&fence, std::chrono::hours(1)) != device::WaitCode::kDone) {
    return {StatusCode::kDeadlineExceeded, "the launch has not ended within an hour of its time"};
  }
  if (!fence.status.ok()) return fence.status;
  row->launches = 1;
  row->simulated_us = static_cast<double>(device->clock().NowNs() - start_ns) / 1e3;
  row->kernel_us = static_cast<double>(fence.kernel_ns) / 1e3 / CoresOf(plan.spec);
  const double array_us = row->simulated_us - launch_costs.submit_us - launch_costs.latency_us;
  row->terms_us = {{"submit", launch_costs.submit_us},
                   {"latency", launch_costs.latency_us},
                   {"kernel", row->kernel_us},
                   {"dma", array_us - row->kernel_us}};
  return {};
}

/// The call of a request on any engine; C is s8 or s32.
class Product {
 public:
  Product(const WholeArrayRequest& r, TileOutput output)
      : r_(r),
        output_(output),
        a_(base::RandomBytes(r.batch * r.m * r.k, 1)),
        b_(base::RandomBytes(r.batch * r.k * r.n, 2)) {}

  ConstMatrix b() const { return RowMajor(b_.data(), r_.k, r_.n, r_.batch); }

  /// Fills `c` with what an engine computes.
  Status Run(Engine* engine, const Weights& weights, std::vector<std::byte>* c,
             CallStats* stats) const {
    const bool narrow = output_ == TileOutput::kS8;
    const int64_t elements = r_.batch * r_.m * r_.n;
    c->assign(static_cast<size_t>(elements * (narrow ? 1 : 4)), std::byte{0x5A});
    Matmul call;
    call.a = RowMajor(a_.data(), r_.m, r_.k, r_.batch);
    call.b = weights;
    if (narrow) {
      call.c = RowMajor(reinterpret_cast<int8_t*>(c->data()), r_.m, r_.n, r_.batch);
      call.epilogue.requantisation = r_.requant;
    } else {
      call.c = RowMajor(reinterpret_cast<int32_t*>(c->data()), r_.m, r_.n, r_.batch);
    }
    return engine->Run(call, {.stats = stats});
  }

 private:
  const WholeArrayRequest& r_;
  TileOutput output_;
  const std::vector<int8_t> a_;
  const std::vector<int8_t> b_;
};

/// A warm call with data, compared with the host's.
Status RunWithData(const plan::ArrayPlan& plan, WholeArrayRow* row) {
  const WholeArrayRequest& r = row->request;
  EngineOptions options;
  options.device = r.device;
  plan::ArrayChoices choices = r.choices;
  choices.family = program::DesignFamily::kWholeArray;
  Result<Engine> engine =
      engine::Composer::Compose(options, engine::StandardRegistry({.threads = 1}), choices);
  if (!engine.ok()) return engine.status();
  Result<Engine> host = Engine::Create({.device = "host"});
  if (!host.ok()) return host.status();
  const Product product(r, plan.spec.output);
  const Result<Weights> weights = engine->Prepare(product.b());
  if (!weights.ok()) return weights.status();
  std::vector<std::byte> c;
  std::vector<std::byte> expected;
  CallStats stats;
  Status s = product.Run(&*engine, *weights, &c, &stats);
  if (s.ok()) s = product.Run(&*engine, *weights, &c, &stats);
  if (s.ok()) s = product.Run(&*host, *weights, &expected, nullptr);
  if (!s.ok()) return s;
  row->exact = c == expected;
  row->launches = stats.parts[0].launches;
  row->simulated_us = stats.parts[0].us;
  row->kernel_us = stats.kernel_us / CoresOf(plan.spec);
  const PhaseTimes& p = stats.phases;
  row->terms_us = {{"call", p.call_us},
                   {"allocate", p.allocate_us},
                   {"pack", p.pack_us},
                   {"write", p.write_us},
                   {"sync", p.sync_in_us + p.sync_out_us},
                   {"submit", p.launch_us},
                   {"kernel", row->kernel_us},
                   {"dma and latency", p.wait_us - row->kernel_us},
                   {"read", p.read_us},
                   {"finish", p.finish_us}};
  return {};
}

}  // namespace

double WholeArrayRow::tops() const {
  const double macs = static_cast<double>(request.batch) * static_cast<double>(request.m) *
                      static_cast<double>(request.k) * static_cast<double>(request.n);
  return 2 * macs / simulated_us / 1e6;
}

Result<WholeArrayRow> MeasureWholeArray(const WholeArrayRequest& request) {
  if (!request.device.starts_with(engine::kVnpuScheme)) {
    return Status(
        StatusCode::kInvalidArgument,
        fmt::format("device '{}' is no virtual NPU; expected vnpu:PROFILE", request.device));
  }
  Result<device::vnpu::VnpuOptions> options =
      engine::ParseVnpuArgument(request.device.substr(engine::kVnpuScheme.size()));
  if (!options.ok()) return options.status();
  WholeArrayRow row;
  row.request = request;
  const TileOutput output = request.choices.output.value_or(TileOutput::kS32);
  if (!request.timing_only && TimingOnly(output)) {
    return Status(StatusCode::kUnimplemented,
                  fmt::format("a whole_array with {} output is for timing only (--timing-only): "
                              "its arithmetic is not the product of A and B, or not built",
                              program::Name(output)));
  }
  const core::Problem problem = ProblemOf(request, output);
  Result<plan::ArrayPlan> plan =
      plan::MakeWholeArrayPlan(problem, options->profile, request.choices);
  if (!plan.ok()) return plan.status();
  row.spec = plan->spec;
  row.kernel_model = options->profile.vector_model;
  const Result<plan::Cost> cost = plan::PredictCost(problem, *plan, options->profile);
  if (!cost.ok()) return cost.status();
  if (request.timing_only) {
    for (const plan::Term term :
         {plan::Term::kSubmit, plan::Term::kLatency, plan::Term::kKernel, plan::Term::kDma}) {
      row.predicted_us += cost->of(term).us;
    }
    if (Status s = TimeLaunch(*std::move(options), *plan, &row); !s.ok()) return s;
    return row;
  }
  row.predicted_us = cost->total_us - cost->of(plan::Term::kAllocate).us;
  if (Status s = RunWithData(*plan, &row); !s.ok()) return s;
  return row;
}

}  // namespace tilewave::cli
