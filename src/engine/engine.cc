// The composition root: wires registry, device, scheduler and weights behind the public Engine.
// No algorithm lives here.

#include "tilewave/engine.h"

#include <fmt/format.h>

#include <utility>

#include "arch/cpu.h"
#include "base/float_environment.h"
#include "base/out_of_memory.h"
#include "core/validate.h"
#include "device/faulty_device.h"
#include "device/registry.h"
#include "device/validating_device.h"
#include "device/vnpu/vnpu_device.h"
#include "device/xrt/binary_directory.h"
#include "device/xrt/xrt_device.h"
#include "engine/array_choices.h"
#include "engine/compose.h"
#include "engine/describe_call.h"
#include "kernels/cpu/kernel_table.h"
#include "program/lower.h"
#include "runtime/product_scheduler.h"
#include "runtime/tensor_binding.h"
#include "runtime/tensor_copy.h"
#include "runtime/wave_scheduler.h"

namespace tilewave {
namespace {

/// The body of a public call computes as if nobody had changed the floating-point environment, and
/// lets no exception out.
template <typename T, typename Body>
T PublicCall(Body body) {
  const base::DefaultFloatEnvironment environment;
  return base::WithoutExceptions<T>(body);
}

}  // namespace

/// A submitted call and the scheduler that it goes back to: one of a device that takes whole
/// products, or one of an array.
struct Handle::State {
  State(runtime::ProductScheduler* owner, std::unique_ptr<runtime::CallState> submitted)
      : products(owner), call(std::move(submitted)) {}
  State(runtime::WaveScheduler* owner, std::shared_ptr<runtime::ArrayCall> submitted)
      : waves(owner), array_call(std::move(submitted)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (call != nullptr) products->Release(std::move(call));
    if (array_call != nullptr) waves->Abandon(array_call.get());
  }

  bool Done() const {
    return waves != nullptr ? waves->Done(array_call.get()) : products->Done(call.get());
  }
  /// Whether there is nothing more to wait for is said by `ended`.
  Status Wait(bool* ended) const {
    if (waves != nullptr) {
      *ended = true;
      return waves->Wait(array_call.get());
    }
    Status status = products->Wait(call.get());
    *ended = call->fence.done;
    return status;
  }

  runtime::ProductScheduler* products = nullptr;
  std::unique_ptr<runtime::CallState> call;
  runtime::WaveScheduler* waves = nullptr;
  std::shared_ptr<runtime::ArrayCall> array_call;
};

/// Member order matters: calls in flight use the schedulers, which use the devices.
class Engine::Impl {
 public:
  /// `reason`: a literal. `host`: computes what an array could not; null if nothing does.
  Impl(device::Registry registry, std::unique_ptr<device::Device> device,
       std::unique_ptr<device::Device> host, runtime::PlanTarget target,
       const runtime::WaveOptions& waves, std::string_view reason)
      : registry_(std::move(registry)), device_(std::move(device)), host_(std::move(host)) {
    at_once_ = device_->queue().done_when_submitted();
    if (target.target.kind == DeviceKind::kHost) {
      products_.emplace(std::move(target), reason);
      return;
    }
    if (host_ != nullptr) {
      products_.emplace(runtime::PlanTarget{host_.get(), {}, {}}, "requested");
    }
    waves_.emplace(std::move(target), waves, reason, products_.has_value() ? &*products_ : nullptr);
  }

  const device::Registry& registry() const { return registry_; }
  device::Device& device() { return *device_; }
  bool is_array() const { return waves_.has_value(); }

  [[nodiscard]] Status Run(const Matmul& call, const RunOptions& options) {
    if (is_array()) {
      runtime::ArrayCall state;
      DeviceTensor c;
      Status status = Fill(call, options, &state, &c);
      if (status.ok()) status = waves_->Run(&state);
      if (status.ok()) SetTensor(call, c);
      return status;
    }
    if (at_once_) {
      // Nothing of such a call outlives this.
      runtime::CallState state;
      DeviceTensor c;
      Status status = Fill(call, options, &state, &c);
      if (status.ok()) status = products_->Submit(&state);
      if (status.ok()) status = products_->Wait(&state);
      if (status.ok()) SetTensor(call, c);
      return status;
    }
    Result<std::unique_ptr<runtime::CallState>> state = Start(call, options);
    if (!state.ok()) return state.status();
    Status status = products_->Wait(state->get());
    products_->Release(*std::move(state));
    return status;
  }

  [[nodiscard]] Result<std::unique_ptr<Handle::State>> Submit(const Matmul& call,
                                                              const RunOptions& options) {
    if (is_array()) {
      size_t index = 0;
      Result<std::vector<std::unique_ptr<Handle::State>>> all =
          SubmitAll({{call, options}}, &index);
      if (!all.ok()) return all.status();
      return std::move(all->front());
    }
    // The state's memory comes first: nothing may fail between submission and ownership.
    auto state = std::make_unique<Handle::State>(&*products_, nullptr);
    Result<std::unique_ptr<runtime::CallState>> started = Start(call, options);
    if (!started.ok()) return started.status();
    state->call = *std::move(started);
    return state;
  }

  /// `index`: of the call that is bad. Those before it have ended then, and tensors are what they
  /// were.
  [[nodiscard]] Result<std::vector<std::unique_ptr<Handle::State>>> SubmitAll(
      const std::vector<SubmittedCall>& calls, size_t* index) {
    std::vector<DeviceTensor> tensors;
    tensors.reserve(calls.size());
    for (const SubmittedCall& each : calls) tensors.push_back(TensorOf(each.call));
    auto states = is_array() ? SubmitToArray(calls, index) : SubmitToHost(calls, index);
    if (states.ok()) return states;
    for (size_t i = calls.size(); i-- > 0;) SetTensor(calls[i].call, tensors[i]);
    return states;
  }

  /// Waits for the call that makes a tensor. kFailedPrecondition if it failed, or if the tensor is
  /// one of another device.
  [[nodiscard]] Status WaitFor(const DeviceTensor& tensor) {
    runtime::CallTensors tensors;
    tensors.a = tensor;
    if (Status s = runtime::CheckDomain(tensors, device_->payload_domain()); !s.ok()) return s;
    return is_array() ? waves_->WaitFor(tensor) : Status();
  }

 private:
  using States = std::vector<std::unique_ptr<Handle::State>>;

  [[nodiscard]] Result<States> SubmitToHost(const std::vector<SubmittedCall>& calls,
                                            size_t* index) {
    States states;
    states.reserve(calls.size());
    for (*index = 0; *index < calls.size(); ++*index) {
      auto state = Submit(calls[*index].call, calls[*index].options);
      if (!state.ok()) return state.status();
      states.push_back(*std::move(state));
    }
    return states;
  }

  [[nodiscard]] Result<States> SubmitToArray(const std::vector<SubmittedCall>& calls,
                                             size_t* index) {
    States states;
    std::vector<std::shared_ptr<runtime::ArrayCall>> array_calls;
    Status bad;
    for (const SubmittedCall& each : calls) {
      auto state = std::make_shared<runtime::ArrayCall>();
      DeviceTensor c;
      bad = Fill(each.call, each.options, state.get(), &c);
      if (!bad.ok()) break;
      // A later one of these calls may name it.
      SetTensor(each.call, c);
      array_calls.push_back(std::move(state));
      states.push_back(std::make_unique<Handle::State>(&*waves_, array_calls.back()));
    }
    if (Status s = waves_->SubmitAll(array_calls, index); !s.ok()) return s;
    if (bad.ok()) return states;
    for (const auto& each : array_calls) static_cast<void>(waves_->Wait(each.get()));
    return bad;
  }

  /// What the call's output is now, if that is a tensor.
  static DeviceTensor TensorOf(const Matmul& call) {
    const auto* output = std::get_if<DeviceOutput>(&call.c);
    return output == nullptr || output->tensor == nullptr ? DeviceTensor() : *output->tensor;
  }

  /// A submitted call of a device that takes whole products.
  [[nodiscard]] Result<std::unique_ptr<runtime::CallState>> Start(const Matmul& call,
                                                                  const RunOptions& options) {
    std::unique_ptr<runtime::CallState> state = products_->NewCall();
    DeviceTensor c;
    Status status = Fill(call, options, state.get(), &c);
    if (status.ok() && state->weights != nullptr) state->kept = *state->weights;
    if (status.ok()) status = products_->Submit(state.get());
    if (status.ok()) {
      SetTensor(call, c);
      return state;
    }
    products_->Release(std::move(state));
    return status;
  }

  static void SetTensor(const Matmul& call, const DeviceTensor& c) {
    const auto* output = std::get_if<DeviceOutput>(&call.c);
    if (output != nullptr && output->tensor != nullptr) *output->tensor = c;
  }

  /// What both kinds of call have.
  template <typename Call>
  [[nodiscard]] Status FillOptions(const RunOptions& options, Call* state) {
    if (options.stats != nullptr) *options.stats = {};
    if (options.progress != nullptr) options.progress->store(0, std::memory_order_relaxed);
    if (options.time_limit.count() < 0) {
      return {StatusCode::kInvalidArgument, "the time limit is negative; 0 takes the default"};
    }
    if (options.time_limit.count() > 0) state->time_limit = options.time_limit;
    state->progress = options.progress;
    state->stats = options.stats;
    return {};
  }

  [[nodiscard]] Status Fill(const Matmul& call, const RunOptions& options,
                            runtime::ArrayCall* state, DeviceTensor* c) {
    if (Status s = FillOptions(options, state); !s.ok()) return s;
    const Weights* weights = nullptr;
    Status s = engine::DescribeCall(call, device_->payload_domain(), &state->problem,
                                    &state->operands, &weights, &state->tensors);
    if (s.ok() && weights != nullptr) state->weights = *weights;
    if (state->tensors.c != nullptr) *c = DeviceTensor(state->tensors.c);
    return s;
  }

  /// Tensors of such a device are host memory.
  [[nodiscard]] Status Fill(const Matmul& call, const RunOptions& options,
                            runtime::CallState* state, DeviceTensor* c) {
    if (Status s = FillOptions(options, state); !s.ok()) return s;
    runtime::CallTensors tensors;
    Status s = engine::DescribeCall(call, device_->payload_domain(), &state->problem,
                                    &state->operands, &state->weights, &tensors);
    if (!s.ok() || tensors.empty()) return s;
    return runtime::BindOnHost(tensors, device_->payload_domain(), &state->problem,
                               &state->operands, c);
  }

  device::Registry registry_;
  std::unique_ptr<device::Device> device_;
  std::unique_ptr<device::Device> host_;
  bool at_once_ = false;
  std::optional<runtime::ProductScheduler> products_;
  std::optional<runtime::WaveScheduler> waves_;
};

Result<Engine> Engine::Create(const EngineOptions& options) {
  return PublicCall<Result<Engine>>([&] {
    return engine::Composer::Compose(
        options, engine::StandardRegistry({options.cpu_kernel, options.threads, options.executor}));
  });
}

namespace {

constexpr int kMostPendingCalls = 4096;

Status CheckFaultRate(double rate, DeviceKind kind) {
  if (!(rate >= 0 && rate <= 1)) {
    return {StatusCode::kInvalidArgument, fmt::format("fault_rate is {}; expected 0 to 1", rate)};
  }
  if (rate == 0 || kind != DeviceKind::kHost) return {};
  return {StatusCode::kInvalidArgument,
          "fault_rate is for an NPU: the host is part of the program, and nothing takes its place"};
}

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
  if (options.threads < 0 || options.threads > device::host::kMostThreads) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("threads is {}; expected 0 to {}", options.threads,
                              device::host::kMostThreads));
  }
  if (!options.cpu_kernel.empty()) {
    // Also where the CPU computes nothing.
    const auto kernel = kernels::cpu::ChooseInt8Kernel(options.cpu_kernel, arch::DetectCpu());
    if (!kernel.ok()) return kernel.status();
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
                 automatic ? "auto: an NPU is taken by name only" : "requested");
}

Result<Engine> engine::Composer::Compose(const EngineOptions& options, device::Registry registry,
                                         std::unique_ptr<device::Device> device,
                                         runtime::PlanTarget target, std::string_view reason) {
  if (options.retries < 0 || options.retries > engine::kMostRetries) {
    return Status(StatusCode::kInvalidArgument, fmt::format("retries is {}; expected 0 to {}",
                                                            options.retries, engine::kMostRetries));
  }
  if (options.pending_calls < 1 || options.pending_calls > kMostPendingCalls) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("pending_calls is {}; expected 1 to {}", options.pending_calls,
                              kMostPendingCalls));
  }
  if (Status s = CheckFaultRate(options.fault_rate, target.target.kind); !s.ok()) return s;
  if (options.fault_rate > 0) {
    device = device::MakeFaultyDevice(std::move(device),
                                      std::make_shared<device::FaultInjector>(device::FaultOptions{
                                          .seed = options.fault_seed, .rate = options.fault_rate}));
  }
  if (options.validate_submissions) device = device::MakeValidatingDevice(std::move(device));
  target.device = device.get();
  std::unique_ptr<device::Device> host;
  if (options.host_fallback && target.target.kind != DeviceKind::kHost) {
    Result<std::unique_ptr<device::Device>> opened =
        device::host::OpenHostDevice({options.cpu_kernel, options.threads, options.executor});
    if (!opened.ok()) return opened.status();
    host = *std::move(opened);
  }
  return Engine(std::make_unique<Engine::Impl>(
      std::move(registry), std::move(device), std::move(host), std::move(target),
      runtime::WaveOptions{options.retries, options.poison_outputs,
                           static_cast<size_t>(options.pending_calls)},
      reason));
}

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

Status Engine::Run(const Matmul& call, const RunOptions& options) {
  return PublicCall<Status>([&] { return impl_->Run(call, options); });
}

Result<Handle> Engine::Submit(const Matmul& call, const RunOptions& options) {
  return PublicCall<Result<Handle>>([&]() -> Result<Handle> {
    Result<std::unique_ptr<Handle::State>> state = impl_->Submit(call, options);
    if (!state.ok()) return state.status();
    Handle handle;
    handle.state_ = *std::move(state);
    return handle;
  });
}

Result<std::vector<Handle>> Engine::SubmitAll(const std::vector<SubmittedCall>& calls) {
  using Handles = Result<std::vector<Handle>>;
  return PublicCall<Handles>([&]() -> Handles {
    std::vector<Handle> handles(calls.size());
    size_t index = 0;
    Result<std::vector<std::unique_ptr<Handle::State>>> states = impl_->SubmitAll(calls, &index);
    if (!states.ok()) {
      return Status(states.status().code(), fmt::format("call {} of {}: {}", index + 1,
                                                        calls.size(), states.status().message()));
    }
    for (size_t i = 0; i < handles.size(); ++i) handles[i].state_ = std::move((*states)[i]);
    return handles;
  });
}

Result<Weights> Engine::Prepare(const ConstMatrix& b, const WeightsOptions& options) {
  return PublicCall<Result<Weights>>([&]() -> Result<Weights> {
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

Result<DeviceTensor> Engine::Upload(const ConstMatrix& matrix) {
  return PublicCall<Result<DeviceTensor>>(
      [&] { return runtime::UploadTensor(&impl_->device(), impl_->is_array(), matrix); });
}

Status Engine::Download(const DeviceTensor& tensor, const Matrix& matrix) {
  return PublicCall<Status>([&]() -> Status {
    if (tensor.empty()) return {StatusCode::kInvalidArgument, "an empty DeviceTensor"};
    if (Status s = impl_->WaitFor(tensor); !s.ok()) return s;
    return runtime::DownloadTensor(&impl_->device(), tensor, matrix);
  });
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
  const base::DefaultFloatEnvironment environment;
  return state_ == nullptr || state_->Done();
}

Status Handle::Wait() {
  if (state_ == nullptr) return status_;
  return PublicCall<Status>([&] {
    bool ended = false;
    Status status = state_->Wait(&ended);
    if (ended) {
      status_ = status;
      state_.reset();
    }
    return status;
  });
}

}  // namespace tilewave
