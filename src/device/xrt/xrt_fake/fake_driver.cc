#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/checked_math.h"
#include "device/xrt/xrt_fake/fake_state.h"
#include "device/xrt/xrt_fake/fake_xrt.h"

namespace tilewave::device::xrt {
namespace {

using Shared = std::shared_ptr<FakeState>;
using Lock = std::lock_guard<std::mutex>;

constexpr std::string_view kKernelName = "MLIR_AIE";

int64_t HeapBytes(size_t bytes) {
  return base::RoundUp(static_cast<int64_t>(bytes), arch::kHeapGranuleBytes);
}

Status Misuse(std::string what) { return {StatusCode::kFailedPrecondition, std::move(what)}; }

class FakeBuffer final : public DriverBuffer {
 public:
  FakeBuffer(Shared state, std::shared_ptr<FakeMemory> memory, size_t offset, size_t bytes)
      : state_(std::move(state)), memory_(std::move(memory)), offset_(offset), bytes_(bytes) {}

  size_t bytes() const override { return bytes_; }
  std::byte* host() override { return memory_->host() + offset_; }
  FakeAddress address() const { return {memory_, offset_, bytes_}; }

  Status Sync(SyncDirection direction, size_t offset, size_t bytes) override {
    if (Status s = state_->Enter(FakeCall::kSync); !s.ok()) return s;
    // As XRT does, checked against the memory: a sub-buffer's sync may run past its own end.
    if (offset > memory_->bytes() - offset_ || bytes > memory_->bytes() - offset_ - offset) {
      return {StatusCode::kOutOfRange,
              fmt::format("sync of [{}, +{}) of a buffer of {} bytes", offset, bytes, bytes_)};
    }
    const Lock lock(state_->mutex);
    if (state_->InUse(memory_.get(), offset_ + offset, bytes)) {
      return {StatusCode::kInternal, "sync of bytes that a submission in flight still uses"};
    }
    memory_->Copy(direction, offset_ + offset, bytes);
    return {};
  }

  Result<std::unique_ptr<DriverBuffer>> Slice(size_t offset, size_t bytes) override {
    if (Status s = state_->Enter(FakeCall::kSlice); !s.ok()) return s;
    if (offset > bytes_ || bytes > bytes_ - offset) {
      return Status(StatusCode::kOutOfRange,
                    fmt::format("sub-buffer [{}, +{}) of {} bytes", offset, bytes, bytes_));
    }
    return std::unique_ptr<DriverBuffer>(
        std::make_unique<FakeBuffer>(state_, memory_, offset_ + offset, bytes));
  }

 private:
  Shared state_;
  std::shared_ptr<FakeMemory> memory_;
  size_t offset_;
  size_t bytes_;
};

class FakeRun final : public DriverRun {
 public:
  FakeRun(Shared state, std::shared_ptr<FakeContextState> context)
      : state_(std::move(state)),
        context_(std::move(context)),
        run_(std::make_shared<FakeRunState>()) {}
  FakeRun(const FakeRun&) = delete;
  FakeRun& operator=(const FakeRun&) = delete;
  /// A command in flight keeps its runs; that a run keeps its command, too, ends here.
  ~FakeRun() override {
    const Lock lock(state_->mutex);
    run_->command = nullptr;
  }

  const std::shared_ptr<FakeRunState>& run() const { return run_; }
  const std::shared_ptr<FakeContextState>& context() const { return context_; }

  Status SetInstructions(DriverBuffer* instructions, uint32_t words) override {
    if (Status s = state_->Enter(FakeCall::kArgument); !s.ok()) return s;
    const Lock lock(state_->mutex);
    if (InFlight()) return Misuse("arguments of a run in flight");
    const auto& buffer = static_cast<const FakeBuffer&>(*instructions);
    if (words * sizeof(uint32_t) > buffer.bytes()) {
      return {StatusCode::kOutOfRange, "more instructions than their buffer has"};
    }
    run_->instructions = buffer.address();
    run_->words = words;
    return {};
  }

  Status SetBuffer(int index, DriverBuffer* buffer) override {
    if (Status s = state_->Enter(FakeCall::kArgument); !s.ok()) return s;
    const Lock lock(state_->mutex);
    if (InFlight()) return Misuse("arguments of a run in flight");
    const auto i = static_cast<size_t>(index);
    if (i >= kMaxLaunchArguments) return {StatusCode::kOutOfRange, "no such argument"};
    run_->buffers[i] = static_cast<const FakeBuffer&>(*buffer).address();
    run_->buffer_count = std::max(run_->buffer_count, i + 1);
    return {};
  }

  Status Start() override {
    if (Status s = state_->Enter(FakeCall::kStart); !s.ok()) return s;
    const Lock lock(state_->mutex);
    if (run_->in_list) return Misuse("start of a run that is in a list");
    if (InFlight()) return Misuse("start of a run in flight");
    if (run_->overwritten) return Misuse("start of a run whose command was written over");
    auto command = std::make_shared<FakeCommand>();
    command->context = context_;
    command->runs = {run_};
    return state_->Submit(command);
  }

  Result<Outcome> Poll() override {
    if (Status s = state_->Enter(FakeCall::kPoll); !s.ok()) return s;
    const Lock lock(state_->mutex);
    if (run_->command == nullptr) return Outcome{false, run_->state, 0, {}};
    return state_->Poll(run_->command);
  }

  Result<Outcome> Wait(std::chrono::milliseconds /*limit*/) override {
    if (Status s = state_->Enter(FakeCall::kWait); !s.ok()) return s;
    const Lock lock(state_->mutex);
    if (run_->command == nullptr) return Misuse("wait for a run that was not started");
    return state_->Wait(run_->command);
  }

 private:
  bool InFlight() const { return run_->command != nullptr && !run_->command->outcome.ended; }

  Shared state_;
  std::shared_ptr<FakeContextState> context_;
  std::shared_ptr<FakeRunState> run_;
};

class FakeRunList final : public DriverRunList {
 public:
  FakeRunList(Shared state, std::shared_ptr<FakeContextState> context)
      : state_(std::move(state)), context_(std::move(context)) {}
  FakeRunList(const FakeRunList&) = delete;
  FakeRunList& operator=(const FakeRunList&) = delete;
  ~FakeRunList() override {
    const Lock lock(state_->mutex);
    for (const auto& run : runs_) run->in_list = false;
  }

  Status Add(DriverRun* run) override {
    if (Status s = state_->Enter(FakeCall::kAdd); !s.ok()) return s;
    const Lock lock(state_->mutex);
    const auto& added = static_cast<const FakeRun&>(*run);
    if (Running()) return Misuse("a run for a list that is running");
    if (added.run()->in_list) return Misuse("a run that is in a list already");
    if (added.context() != context_) return Misuse("a run of another context");
    added.run()->in_list = true;
    runs_.push_back(added.run());
    return {};
  }

  Status Execute() override {
    if (Status s = state_->Enter(FakeCall::kStart); !s.ok()) return s;
    const Lock lock(state_->mutex);
    if (Running()) return Misuse("execution of a list that is running");
    if (runs_.empty()) return {};
    for (const auto& run : runs_) {
      if (run->overwritten) return Misuse("start of a run whose command was written over");
    }
    command_ = std::make_shared<FakeCommand>();
    command_->context = context_;
    command_->runs = runs_;
    command_->submissions =
        static_cast<int>(base::CeilDiv(static_cast<int64_t>(runs_.size()), arch::kMaxChainRuns));
    Status s = state_->Submit(command_);
    if (!s.ok()) command_ = nullptr;
    return s;
  }

  Result<Outcome> Poll() override {
    if (Status s = state_->Enter(FakeCall::kPoll); !s.ok()) return s;
    const Lock lock(state_->mutex);
    return command_ == nullptr ? Idle() : state_->Poll(command_);
  }

  Result<Outcome> Wait(std::chrono::milliseconds /*limit*/) override {
    if (Status s = state_->Enter(FakeCall::kWait); !s.ok()) return s;
    const Lock lock(state_->mutex);
    return command_ == nullptr ? Idle() : state_->Wait(command_);
  }

  Status Reset() override {
    if (Status s = state_->Enter(FakeCall::kReset); !s.ok()) return s;
    const Lock lock(state_->mutex);
    if (Running()) return Misuse("reset of a list that is running");
    for (const auto& run : runs_) run->in_list = false;
    runs_.clear();
    command_ = nullptr;
    return {};
  }

 private:
  bool Running() const { return command_ != nullptr && !command_->outcome.ended; }
  /// Of a list with nothing submitted.
  static Outcome Idle() { return {true, RunState::kCompleted, 0, {}}; }

  Shared state_;
  std::shared_ptr<FakeContextState> context_;
  std::vector<std::shared_ptr<FakeRunState>> runs_;
  std::shared_ptr<FakeCommand> command_;
};

class FakeKernel final : public DriverKernel {
 public:
  FakeKernel(Shared state, std::shared_ptr<FakeContextState> context)
      : state_(std::move(state)), context_(std::move(context)) {}

  std::string_view name() const override { return kKernelName; }

  Result<std::unique_ptr<DriverBuffer>> NewInstructions(size_t bytes) override {
    if (Status s = state_->Enter(FakeCall::kInstructions); !s.ok()) return s;
    const Lock lock(state_->mutex);
    const int64_t heap = HeapBytes(bytes);
    if (state_->heap_bytes + heap > arch::kInstructionHeapBytes) {
      return Status(StatusCode::kResourceExhausted,
                    fmt::format("{} bytes of instructions; the heap has {} of {} left", bytes,
                                arch::kInstructionHeapBytes - state_->heap_bytes,
                                arch::kInstructionHeapBytes));
    }
    auto memory = std::make_shared<FakeMemory>(bytes, &state_->heap_bytes, heap);
    return std::unique_ptr<DriverBuffer>(
        std::make_unique<FakeBuffer>(state_, std::move(memory), 0, bytes));
  }

  Result<std::unique_ptr<DriverRun>> NewRun() override {
    if (Status s = state_->Enter(FakeCall::kRun); !s.ok()) return s;
    return std::unique_ptr<DriverRun>(std::make_unique<FakeRun>(state_, context_));
  }

 private:
  Shared state_;
  std::shared_ptr<FakeContextState> context_;
};

class FakeContext final : public DriverContext {
 public:
  FakeContext(Shared state, std::shared_ptr<FakeContextState> context)
      : state_(std::move(state)), context_(std::move(context)) {}
  FakeContext(const FakeContext&) = delete;
  FakeContext& operator=(const FakeContext&) = delete;
  ~FakeContext() override {
    const Lock lock(state_->mutex);
    FakeState::EndAll(context_.get(), RunState::kAbort, "the context is gone");
    std::erase(state_->living, context_);
    if (state_->loaded == context_.get()) state_->loaded = nullptr;
    --state_->contexts;
    state_->heap_bytes -= kHeapBytes;
  }

  /// What a context takes from the heap for itself.
  static constexpr int64_t kHeapBytes = arch::kChainBuffers * arch::kHeapGranuleBytes;

  Result<std::unique_ptr<DriverKernel>> OpenKernel() override {
    if (Status s = state_->Enter(FakeCall::kKernel); !s.ok()) return s;
    return std::unique_ptr<DriverKernel>(std::make_unique<FakeKernel>(state_, context_));
  }

  Result<std::unique_ptr<DriverRunList>> NewRunList() override {
    if (Status s = state_->Enter(FakeCall::kList); !s.ok()) return s;
    return std::unique_ptr<DriverRunList>(std::make_unique<FakeRunList>(state_, context_));
  }

 private:
  Shared state_;
  std::shared_ptr<FakeContextState> context_;
};

class FakeDevice final : public DriverDevice {
 public:
  explicit FakeDevice(Shared state) : state_(std::move(state)) {}

  std::string_view name() const override { return "fake NPU"; }
  arch::NpuArch arch() const override { return state_->arch; }

  Result<BinaryId> RegisterBinary(std::span<const std::byte> binary) override {
    if (Status s = state_->Enter(FakeCall::kRegister); !s.ok()) return s;
    Result<std::unique_ptr<FakeArray>> array = state_->loader(binary);
    if (!array.ok()) return array.status();
    const Lock lock(state_->mutex);
    state_->binaries.emplace_back(*std::move(array));
    return static_cast<BinaryId>(state_->binaries.size() - 1);
  }

  Result<std::unique_ptr<DriverContext>> NewContext(BinaryId binary) override {
    if (Status s = state_->Enter(FakeCall::kContext); !s.ok()) return s;
    const Lock lock(state_->mutex);
    const int limit = arch::NpuOf(state_->arch).max_contexts;
    if (state_->refused_contexts > 0) {
      --state_->refused_contexts;
      return Status(StatusCode::kUnavailable, "context refused");
    }
    if (state_->contexts + state_->taken_contexts >= limit) {
      return Status(StatusCode::kResourceExhausted,
                    fmt::format("all {} hardware contexts are taken", limit));
    }
    if (state_->heap_bytes + FakeContext::kHeapBytes > arch::kInstructionHeapBytes) {
      return Status(StatusCode::kResourceExhausted, "no heap left for a context");
    }
    auto context = std::make_shared<FakeContextState>();
    context->array = state_->binaries[static_cast<size_t>(binary)];
    state_->living.push_back(context);
    state_->most_contexts = std::max(state_->most_contexts, ++state_->contexts);
    state_->heap_bytes += FakeContext::kHeapBytes;
    return std::unique_ptr<DriverContext>(
        std::make_unique<FakeContext>(state_, std::move(context)));
  }

  Result<std::unique_ptr<DriverBuffer>> NewData(size_t bytes) override {
    if (Status s = state_->Enter(FakeCall::kData); !s.ok()) return s;
    const Lock lock(state_->mutex);
    if (state_->refused_data > 0) {
      --state_->refused_data;
      return Status(StatusCode::kResourceExhausted, "no memory that may be locked");
    }
    auto memory = std::make_shared<FakeMemory>(bytes, &state_->data_buffers, 1);
    return std::unique_ptr<DriverBuffer>(
        std::make_unique<FakeBuffer>(state_, std::move(memory), 0, bytes));
  }

 private:
  Shared state_;
};

class FakeDriver final : public Driver {
 public:
  explicit FakeDriver(Shared state) : state_(std::move(state)) {}

  std::string_view version() const override { return "a fake of XRT"; }

  Result<std::unique_ptr<DriverDevice>> Open(int index) override {
    if (Status s = state_->Enter(FakeCall::kOpen); !s.ok()) return s;
    if (index != 0) {
      return Status(StatusCode::kNotFound, fmt::format("no NPU {}; there is one, 0", index));
    }
    return std::unique_ptr<DriverDevice>(std::make_unique<FakeDevice>(state_));
  }

 private:
  Shared state_;
};

}  // namespace

FakeXrt::FakeXrt(arch::NpuArch arch, FakeLoader loader)
    : state_(std::make_shared<FakeState>(arch, std::move(loader))) {}

std::unique_ptr<Driver> FakeXrt::MakeDriver() const { return std::make_unique<FakeDriver>(state_); }

void FakeXrt::PlanFault(FakeFault fault, size_t run) {
  const Lock lock(state_->mutex);
  state_->planned.push_back({fault, run, 0, true});
}

void FakeXrt::RefuseContexts(int count) {
  const Lock lock(state_->mutex);
  state_->refused_contexts = count;
}

void FakeXrt::RefuseData(int count) {
  const Lock lock(state_->mutex);
  state_->refused_data = count;
}

void FakeXrt::RefuseSubmissions(int count) {
  const Lock lock(state_->mutex);
  state_->refused_submissions = count;
}

void FakeXrt::RefuseLooks(int count) {
  const Lock lock(state_->mutex);
  state_->refused_looks = count;
}

void FakeXrt::TakeContexts(int count) {
  const Lock lock(state_->mutex);
  state_->taken_contexts = count;
}

void FakeXrt::Hold(bool held) {
  const Lock lock(state_->mutex);
  state_->held = held;
}

void FakeXrt::Release() {
  const Lock lock(state_->mutex);
  for (const auto& context : state_->living) {
    for (const auto& command : context->in_flight) {
      if (command->fate.fault == FakeFault::kHang) command->fate = {};
    }
    if (context->in_flight.empty()) continue;
    // A share of its own: the queue lets go of a command that has ended.
    const std::shared_ptr<FakeCommand> last = context->in_flight.back();
    state_->Advance(last);
  }
}

void FakeXrt::TimeOut() {
  const Lock lock(state_->mutex);
  for (const auto& context : state_->living) {
    if (context->in_flight.empty()) continue;
    const std::shared_ptr<FakeCommand> oldest = context->in_flight.front();
    if (oldest->fate.fault == FakeFault::kHang) state_->TimeOut(oldest);
  }
}

void FakeXrt::InjectAtRandom(uint64_t seed, double rate, bool lies) {
  const Lock lock(state_->mutex);
  state_->faults.Start(seed, rate, lies);
}

int64_t FakeXrt::faults() const {
  const Lock lock(state_->mutex);
  return state_->faults.count();
}

int64_t FakeXrt::faults(FakeFault fault) const {
  const Lock lock(state_->mutex);
  return state_->faults.count(fault);
}

int64_t FakeXrt::faults(FakeCall call) const {
  const Lock lock(state_->mutex);
  return state_->faults.count(call);
}

int64_t FakeXrt::calls() const { return state_->AllCalls(); }

int64_t FakeXrt::calls(FakeCall call) const { return state_->calls[static_cast<size_t>(call)]; }

int FakeXrt::contexts() const {
  const Lock lock(state_->mutex);
  return state_->contexts;
}

int FakeXrt::most_contexts() const {
  const Lock lock(state_->mutex);
  return state_->most_contexts;
}

int FakeXrt::most_in_flight() const {
  const Lock lock(state_->mutex);
  return state_->most_in_flight;
}

int FakeXrt::blocked_starts() const {
  const Lock lock(state_->mutex);
  return state_->blocked_starts;
}

int64_t FakeXrt::heap_bytes() const { return state_->heap_bytes; }

int64_t FakeXrt::data_buffers() const { return state_->data_buffers; }

}  // namespace tilewave::device::xrt
