// The composition root: wires registry, device, scheduler and weights behind the public Engine.
// No algorithm lives here.

#include "tilewave/engine.h"

#include <fmt/format.h>

#include <utility>

#include "base/out_of_memory.h"
#include "core/validate.h"
#include "device/registry.h"
#include "device/validating_device.h"
#include "device/vnpu/vnpu_device.h"
#include "device/xrt/binary_directory.h"
#include "device/xrt/xrt_device.h"
#include "engine/array_choices.h"
#include "engine/compose.h"
#include "engine/describe_call.h"
#include "program/lower.h"
#include "runtime/wave_scheduler.h"

namespace tilewave {

/// A submitted call and the scheduler that it goes back to.
struct Handle::State {
  State(runtime::WaveScheduler* owner, std::unique_ptr<runtime::CallState> submitted)
      : scheduler(owner), call(std::move(submitted)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (call != nullptr) scheduler->Release(std::move(call));
  }

  runtime::WaveScheduler* scheduler;
  std::unique_ptr<runtime::CallState> call;
};

/// Member order matters: calls in flight use the scheduler, which uses the device.
class Engine::Impl {
 public:
  /// `reason`: a literal.
  Impl(device::Registry registry, std::unique_ptr<device::Device> device,
       runtime::PlanTarget target, std::string_view reason)
      : registry_(std::move(registry)),
        device_(std::move(device)),
        at_once_(device_->queue().done_when_submitted()),
        scheduler_(std::move(target), reason) {}

  const device::Registry& registry() const { return registry_; }
  device::Device& device() { return *device_; }
  runtime::WaveScheduler& scheduler() { return scheduler_; }

  /// A submitted call, to be waited for and released.
  [[nodiscard]] Result<std::unique_ptr<runtime::CallState>> Start(const Matmul& call,
                                                                  const RunOptions& options) {
    std::unique_ptr<runtime::CallState> state = scheduler_.NewCall();
    Status status = Fill(call, options, state.get());
    if (status.ok() && state->weights != nullptr) state->kept = *state->weights;
    if (status.ok()) status = scheduler_.Submit(state.get());
    if (status.ok()) return state;
    scheduler_.Release(std::move(state));
    return status;
  }

  /// A call on a device that is done with it when it is submitted: nothing of it outlives this.
  [[nodiscard]] Status RunAtOnce(const Matmul& call, const RunOptions& options) {
    runtime::CallState state;
    Status status = Fill(call, options, &state);
    if (status.ok()) status = scheduler_.Submit(&state);
    return status.ok() ? scheduler_.Wait(&state) : status;
  }

  bool at_once() const { return at_once_; }

 private:
  static Status Fill(const Matmul& call, const RunOptions& options, runtime::CallState* state) {
    if (options.stats != nullptr) *options.stats = {};
    if (options.progress != nullptr) options.progress->store(0, std::memory_order_relaxed);
    if (options.time_limit.count() < 0) {
      return {StatusCode::kInvalidArgument, "the time limit is negative; 0 takes the default"};
    }
    if (options.time_limit.count() > 0) state->time_limit = options.time_limit;
    state->progress = options.progress;
    state->stats = options.stats;
    return engine::DescribeCall(call, &state->problem, &state->operands, &state->weights);
  }

  device::Registry registry_;
  std::unique_ptr<device::Device> device_;
  bool at_once_;
  runtime::WaveScheduler scheduler_;
};

Result<Engine> Engine::Create(const EngineOptions& options) {
  return base::WithoutExceptions<Result<Engine>>([&] {
    return engine::Composer::Compose(
        options, engine::StandardRegistry({options.cpu_kernel, options.threads, options.executor}));
  });
}

namespace {

// More than any machine that a product would run on has; a larger number is a mistake.
constexpr int kMostThreads = 1024;

/// The virtual NPU of this name as something to plan for, its programs lowered on demand.
Result<runtime::PlanTarget> VnpuTarget(const std::string& device_name,
                                       const plan::ArrayChoices& choices) {
  Result<device::vnpu::VnpuOptions> options =
      engine::ParseVnpuArgument(device_name.substr(device_name.find(':') + 1));
  if (!options.ok()) return options.status();
  runtime::PlanTarget target;
  target.target = {DeviceKind::kVnpu, std::move(options->profile), choices};
  target.images =
      [](const program::DesignSpec& spec) -> Result<std::unique_ptr<device::ArrayImage>> {
    Result<program::ArrayProgram> program = program::Lower(spec);
    if (!program.ok()) return program.status();
    return std::unique_ptr<device::ArrayImage>(std::make_unique<device::vnpu::ProgramImage>(
        std::make_shared<const program::ArrayProgram>(*std::move(program))));
  };
  return target;
}

/// An NPU as something to plan for, its binaries from a directory. The measured constants are those
/// of the profile that most is known of for its generation.
Result<runtime::PlanTarget> XrtTarget(const std::string& device_name, const device::Device& device,
                                      const plan::ArrayChoices& choices) {
  const size_t colon = device_name.find(':');
  const Result<engine::XrtArgument> argument =
      engine::ParseXrtArgument(colon == std::string::npos ? "" : device_name.substr(colon + 1));
  if (!argument.ok()) return argument.status();
  const bool npu1 = device::xrt::ArchOf(device) == arch::NpuArch::kNpu1;
  Result<profile::Profile> profile = profile::FindProfile(npu1 ? "phoenix" : "strix");
  if (!profile.ok()) return profile.status();
  runtime::PlanTarget target;
  target.target = {DeviceKind::kXrt, *std::move(profile), choices};
  target.images = [directory = argument->directory](const program::DesignSpec& spec) {
    return device::xrt::ReadBinary(directory, spec);
  };
  return target;
}

}  // namespace

Result<Engine> engine::Composer::Compose(const EngineOptions& options, device::Registry registry) {
  const Result<plan::ArrayChoices> choices = ArrayChoicesOf(options.array);
  if (!choices.ok()) return choices.status();
  return Compose(options, std::move(registry), *choices);
}

Result<Engine> engine::Composer::Compose(const EngineOptions& options, device::Registry registry,
                                         const plan::ArrayChoices& choices) {
  if (options.threads < 0 || options.threads > kMostThreads) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("threads is {}; expected 0 to {}", options.threads, kMostThreads));
  }
  const bool automatic = options.device == "auto";
  Result<std::unique_ptr<device::Device>> device =
      registry.Open(automatic ? "host" : options.device);
  if (!device.ok()) return device.status();
  std::unique_ptr<device::Device> opened = *std::move(device);
  runtime::PlanTarget target;
  target.target.kind = opened->info().kind;
  if (target.target.kind == DeviceKind::kVnpu) {
    Result<runtime::PlanTarget> vnpu = VnpuTarget(options.device, choices);
    if (!vnpu.ok()) return vnpu.status();
    target = *std::move(vnpu);
  }
  if (target.target.kind == DeviceKind::kXrt) {
    Result<runtime::PlanTarget> xrt = XrtTarget(options.device, *opened, choices);
    if (!xrt.ok()) return xrt.status();
    target = *std::move(xrt);
  }
  return Compose(options, std::move(registry), std::move(opened), std::move(target),
                 automatic ? "auto: the only device that is no simulation" : "requested");
}

Result<Engine> engine::Composer::Compose(const EngineOptions& options, device::Registry registry,
                                         std::unique_ptr<device::Device> device,
                                         runtime::PlanTarget target, std::string_view reason) {
  if (options.validate_submissions) device = device::MakeValidatingDevice(std::move(device));
  target.device = device.get();
  return Engine(std::make_unique<Engine::Impl>(std::move(registry), std::move(device),
                                               std::move(target), reason));
}

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

Status Engine::Run(const Matmul& call, const RunOptions& options) {
  return base::WithoutExceptions<Status>([&]() -> Status {
    if (impl_->at_once()) return impl_->RunAtOnce(call, options);
    Result<std::unique_ptr<runtime::CallState>> state = impl_->Start(call, options);
    if (!state.ok()) return state.status();
    Status status = impl_->scheduler().Wait(state->get());
    impl_->scheduler().Release(*std::move(state));
    return status;
  });
}

Result<Handle> Engine::Submit(const Matmul& call, const RunOptions& options) {
  return base::WithoutExceptions<Result<Handle>>([&]() -> Result<Handle> {
    Handle handle;
    // The state's memory comes first: nothing may fail between submission and ownership.
    auto state = std::make_unique<Handle::State>(&impl_->scheduler(), nullptr);
    Result<std::unique_ptr<runtime::CallState>> started = impl_->Start(call, options);
    if (!started.ok()) return started.status();
    state->call = *std::move(started);
    handle.state_ = std::move(state);
    return handle;
  });
}

Result<Weights> Engine::Prepare(const ConstMatrix& b, const WeightsOptions& options) {
  return base::WithoutExceptions<Result<Weights>>([&]() -> Result<Weights> {
    core::Problem problem;
    core::Operands operands;
    if (Status s = engine::DescribeWeights(b, options.zero, options.quantise, &problem, &operands);
        !s.ok()) {
      return s;
    }
    if (Status s = core::ValidateProblem(problem); !s.ok()) return s;
    if (Status s = core::ValidateWeightOperands(problem, operands); !s.ok()) return s;
    Result<Weights> weights = runtime::MakeWeights(problem, operands);
    if (!weights.ok()) return weights;
    const auto payload = weights->impl()->PayloadFor(&impl_->device());
    if (!payload.ok()) return payload.status();
    return weights;
  });
}

namespace {
const Status kNoDeviceTensors(StatusCode::kUnimplemented,
                              "device tensors are not implemented yet; use host views");
}  // namespace

Result<DeviceTensor> Engine::Upload(const ConstMatrix& /*matrix*/) { return kNoDeviceTensors; }

Status Engine::Download(const DeviceTensor& /*tensor*/, const Matrix& /*matrix*/) {
  return kNoDeviceTensors;
}

std::vector<DeviceInfo> Engine::Devices() const { return impl_->registry().List(); }

const DeviceInfo& Engine::device() const { return impl_->device().info(); }

Handle::Handle() = default;
Handle::Handle(Handle&&) noexcept = default;

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this != &other) {
    if (state_ != nullptr) static_cast<void>(Wait());
    state_ = std::move(other.state_);
    status_ = std::move(other.status_);
  }
  return *this;
}

Handle::~Handle() {
  if (state_ != nullptr) static_cast<void>(Wait());
}

bool Handle::done() const {
  return state_ == nullptr || state_->scheduler->Done(state_->call.get());
}

Status Handle::Wait() {
  if (state_ == nullptr) return status_;
  return base::WithoutExceptions<Status>([&] {
    Status status = state_->scheduler->Wait(state_->call.get());
    if (state_->call->fence.done) {
      status_ = status;
      state_.reset();
    }
    return status;
  });
}

}  // namespace tilewave
