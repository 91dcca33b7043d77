#include "device/host/host_device.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "arch/cpu.h"
#include "base/clock.h"
#include "base/slot_pool.h"
#include "device/host/host_gemm.h"
#include "device/host/workspace.h"
#include "kernels/cpu/kernel_table.h"

namespace tilewave::device::host {
namespace {

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
    *fence = {0, true, {}, 0, 0};
    std::unique_ptr<Workspace> workspace = workspaces_.Take();
    for (const Launch& launch : launches) {
      const auto& gemm = static_cast<const HostGemm&>(*launch.executable);
      fence->status =
          gemm.Execute(*launch.operands, static_cast<const HostWeights*>(launch.weights),
                       launch.progress, workspace.get());
      if (!fence->status.ok()) break;
    }
    workspaces_.GiveBack(std::move(workspace));
    return SubmitCode::kAccepted;
  }

  bool Poll(Fence* /*fence*/) override { return true; }

  WaitCode Wait(Fence* /*fence*/, std::chrono::nanoseconds /*limit*/) override {
    return WaitCode::kDone;
  }

  WaitCode WaitForRoom(std::chrono::nanoseconds /*limit*/) override { return WaitCode::kDone; }

 private:
  base::SlotPool<Workspace> workspaces_;
};

std::string Describe(const arch::Cpu& cpu) {
  return fmt::format("{}, {} CPUs{}{}", cpu.model, cpu.threads, cpu.features.empty() ? "" : ", ",
                     cpu.features);
}

class HostDevice final : public Device {
 public:
  HostDevice(arch::Cpu cpu, const kernels::cpu::Int8Kernel& kernel)
      : cpu_(std::move(cpu)),
        kernel_(kernel),
        info_{"host", DeviceKind::kHost, true, Describe(cpu_)} {}

  uint64_t payload_domain() const override { return kHostPayloadDomain; }
  const DeviceInfo& info() const override { return info_; }
  Clock& clock() override { return clock_; }
  Queue& queue() override { return queue_; }

  Result<std::unique_ptr<Buffer>> Allocate(size_t bytes) override {
    return std::unique_ptr<Buffer>(std::make_unique<HostBuffer>(bytes));
  }

  Result<std::unique_ptr<Executable>> Load(const core::Problem& problem) override {
    return std::unique_ptr<Executable>(std::make_unique<HostGemm>(problem, kernel_, cpu_));
  }

  Result<std::unique_ptr<Executable>> LoadImage(const ArrayImage& /*image*/) override {
    return Status(StatusCode::kUnimplemented, "the host device is no array");
  }

  std::string_view WeightsLayout(const core::Problem& /*problem*/) const override {
    return kernel_.name;
  }

  Result<std::unique_ptr<WeightsPayload>> PackWeights(const core::Problem& problem,
                                                      const core::Operands& operands) override {
    const pack::VectorLayout layout = WeightsLayoutFor(problem, kernel_);
    const int64_t batches = problem.b.batch == 0 ? 1 : problem.batch;
    auto weights = std::make_unique<HostWeights>(layout, batches);
    std::vector<int32_t> zeros(static_cast<size_t>(problem.n));
    for (int64_t batch = 0; batch < batches; ++batch) {
      for (int64_t j = 0; j < problem.n; ++j) {
        zeros[static_cast<size_t>(j)] = operands.zero_b.present ? operands.zero_b.At(batch, j) : 0;
      }
      const auto* start = static_cast<const std::byte*>(operands.b) + (batch * problem.b.batch);
      pack::PackVectors({start, problem.b_type, problem.b.col, problem.b.row}, problem.k, zeros,
                        layout, weights->matrix(batch));
    }
    return std::unique_ptr<WeightsPayload>(std::move(weights));
  }

 private:
  arch::Cpu cpu_;
  const kernels::cpu::Int8Kernel& kernel_;
  DeviceInfo info_;
  WallClock clock_;
  HostQueue queue_;
};

}  // namespace

Result<std::unique_ptr<Device>> OpenHostDevice(const std::string& kernel) {
  arch::Cpu cpu = arch::DetectCpu();
  const Result<const kernels::cpu::Int8Kernel*> chosen =
      kernels::cpu::ChooseInt8Kernel(kernel, cpu);
  if (!chosen.ok()) return chosen.status();
  return std::unique_ptr<Device>(std::make_unique<HostDevice>(std::move(cpu), **chosen));
}

DeviceInfo HostDeviceInfo() {
  return {"host", DeviceKind::kHost, true, Describe(arch::DetectCpu())};
}

}  // namespace tilewave::device::host
