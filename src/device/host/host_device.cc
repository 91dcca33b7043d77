#include "device/host/host_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "arch/cpu.h"
#include "base/clock.h"
#include "base/thread_pool.h"
#include "device/host/executor_workers.h"
#include "device/host/host_gemm.h"
#include "kernels/cpu/kernel_table.h"

namespace tilewave::device::host {
namespace {

// How long a worker looks for the next call before it sleeps: the pause between two layers of a
// model, and a small part of the time slice that it would otherwise leave to others.
constexpr int64_t kSpinUs = 100;

// Bytes that one thread packs before another has woken up (some 50 us).
constexpr int64_t kSmallestSharedPacking = int64_t{1} << 17;

class WallClock final : public Clock {
 public:
  int64_t NowNs() override { return base::WallNowNs(); }
  void ChargeHost(HostWork /*kind*/, int64_t /*bytes*/, int64_t /*count*/) override {}
  TimeKind kind() const override { return TimeKind::kMeasured; }
};

/// Plain memory: host and device see the same bytes.
class HostBuffer final : public Buffer {
 public:
  explicit HostBuffer(size_t bytes) : owned_(bytes), data_(owned_.data()), bytes_(bytes) {}
  HostBuffer(std::byte* window, size_t bytes) : data_(window), bytes_(bytes) {}

  size_t bytes() const override { return bytes_; }
  std::byte* host() override { return data_; }
  Status Sync(SyncDirection /*direction*/, size_t /*offset*/, size_t /*bytes*/) override {
    return {};
  }
  Result<std::unique_ptr<Buffer>> Slice(size_t offset, size_t bytes) override {
    return std::unique_ptr<Buffer>(std::make_unique<HostBuffer>(data_ + offset, bytes));
  }

 private:
  base::AlignedBuffer owned_;
  std::byte* data_;
  size_t bytes_;
};

/// Computes at submission.
class HostQueue final : public Queue {
 public:
  SubmitCode TrySubmit(std::span<const Launch> launches, Fence* fence) override {
    *fence = Fence();
    fence->done = true;
    for (const Launch& launch : launches) {
      const auto& gemm = static_cast<const HostGemm&>(*launch.executable);
      fence->status =
          gemm.Execute(*launch.operands, static_cast<const HostWeights*>(launch.weights),
                       launch.progress, launch.timed ? &fence->pack_ns : nullptr);
      if (!fence->status.ok()) break;
      ++fence->good_launches;
    }
    return SubmitCode::kAccepted;
  }

  bool done_when_submitted() const override { return true; }

  bool Poll(Fence* /*fence*/) override { return true; }

  WaitCode Wait(Fence* /*fence*/, std::chrono::nanoseconds /*limit*/) override {
    return WaitCode::kDone;
  }

  WaitCode WaitForRoom(std::chrono::nanoseconds /*limit*/) override { return WaitCode::kDone; }
};

std::string Describe(const arch::Cpu& cpu) {
  return fmt::format("{}, {} CPUs{}{}", cpu.model, cpu.threads, cpu.features.empty() ? "" : ", ",
                     cpu.features);
}

Result<std::unique_ptr<base::Workers>> WorkersFor(const HostOptions& options,
                                                  const arch::Cpu& cpu) {
  if (options.executor == nullptr) {
    const int threads = options.threads == 0 ? cpu.threads : options.threads;
    return std::unique_ptr<base::Workers>(std::make_unique<base::ThreadPool>(threads, kSpinUs));
  }
  const int given = options.executor->threads();
  if (given < 1 || given > kMostThreads) {
    return Status(
        StatusCode::kInvalidArgument,
        fmt::format("the executor has {} threads; expected 1 to {}", given, kMostThreads));
  }
  const int threads = options.threads == 0 ? given : std::min(given, options.threads);
  return std::unique_ptr<base::Workers>(
      std::make_unique<ExecutorWorkers>(options.executor, threads));
}

class HostDevice final : public Device {
 public:
  HostDevice(const arch::Cpu& cpu, const kernels::cpu::Int8Kernel& kernel,
             std::unique_ptr<base::Workers> workers)
      : workers_(std::move(workers)),
        resources_{kernel, cpu, workers_->threads() == 1 ? nullptr : workers_.get(), {}},
        info_{"host", DeviceKind::kHost, true, Describe(cpu)} {}

  uint64_t payload_domain() const override { return kHostPayloadDomain; }
  const DeviceInfo& info() const override { return info_; }
  Clock& clock() override { return clock_; }
  Queue& queue() override { return queue_; }

  Result<std::unique_ptr<Buffer>> Allocate(size_t bytes) override {
    return std::unique_ptr<Buffer>(std::make_unique<HostBuffer>(bytes));
  }

  Result<std::unique_ptr<Executable>> Load(const core::Problem& problem) override {
    return std::unique_ptr<Executable>(std::make_unique<HostGemm>(problem, &resources_));
  }

  Result<std::unique_ptr<Executable>> LoadImage(const ArrayImage& /*image*/) override {
    return Status(StatusCode::kUnimplemented, "the host device is no array");
  }

  std::string_view WeightsLayout(const core::Problem& /*problem*/) const override {
    return layout_;
  }

  Result<std::unique_ptr<WeightsPayload>> PackWeights(const core::Problem& problem,
                                                      const core::Operands& operands) override {
    const kernels::cpu::Int8Kernel& kernel = resources_.kernel;
    const int64_t matrices = problem.b.batch == 0 ? 1 : problem.batch;
    auto weights = std::make_unique<HostWeights>();
    PackedRight* packed = weights->mutable_packed();
    packed->Reset(kernel, RightLayout(kernel, problem.k, problem.n), matrices);
    const bool large = matrices * problem.k * problem.n >= kSmallestSharedPacking;
    packed->PackAll(RightSourceOf(problem, operands),
                    {large ? resources_.workers : nullptr, base::Wake::kAlways});
    return std::unique_ptr<WeightsPayload>(std::move(weights));
  }

 private:
  std::unique_ptr<base::Workers> workers_;
  HostResources resources_;
  std::string_view layout_{resources_.kernel.name};
  DeviceInfo info_;
  WallClock clock_;
  HostQueue queue_;
};

}  // namespace

Result<std::unique_ptr<Device>> OpenHostDevice(const HostOptions& options) {
  const arch::Cpu cpu = options.cpu ? *options.cpu : arch::DetectCpu();
  const Result<const kernels::cpu::Int8Kernel*> chosen =
      kernels::cpu::ChooseInt8Kernel(options.kernel, cpu);
  if (!chosen.ok()) return chosen.status();
  Result<std::unique_ptr<base::Workers>> workers = WorkersFor(options, cpu);
  if (!workers.ok()) return workers.status();
  return std::unique_ptr<Device>(std::make_unique<HostDevice>(cpu, **chosen, *std::move(workers)));
}

DeviceInfo HostDeviceInfo() {
  return {"host", DeviceKind::kHost, true, Describe(arch::DetectCpu())};
}

}  // namespace tilewave::device::host
