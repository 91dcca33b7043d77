#include "tests/support/fake_device.h"

#include <map>
#include <mutex>
#include <utility>

#include "base/aligned_buffer.h"
#include "base/clock.h"

namespace tilewave::testing {
namespace {

class FakeClock final : public device::Clock {
 public:
  int64_t NowNs() override { return base::WallNowNs(); }
  void ChargeHost(device::HostWork, int64_t, int64_t) override {}
  TimeKind kind() const override { return TimeKind::kSimulated; }
};

class FakeBuffer final : public device::Buffer {
 public:
  FakeBuffer(std::byte* data, size_t bytes) : data_(data), bytes_(bytes) {}
  explicit FakeBuffer(size_t bytes) : owned_(bytes), data_(owned_.data()), bytes_(bytes) {}
  size_t bytes() const override { return bytes_; }
  std::byte* host() override { return data_; }
  Status Sync(device::SyncDirection, size_t, size_t) override { return {}; }
  Result<std::unique_ptr<device::Buffer>> Slice(size_t offset, size_t bytes) override {
    return std::unique_ptr<device::Buffer>(std::make_unique<FakeBuffer>(data_ + offset, bytes));
  }

 private:
  base::AlignedBuffer owned_;
  std::byte* data_;
  size_t bytes_;
};

class FakeExecutable final : public device::Executable {
 public:
  std::string_view kernel_name() const override { return "fake_kernel"; }
};

class FakePayload final : public device::WeightsPayload {
 public:
  size_t bytes() const override { return 100; }
};

class FakeQueue final : public device::Queue {
 public:
  explicit FakeQueue(std::shared_ptr<FakeBehaviour> behaviour) : behaviour_(std::move(behaviour)) {}

  device::SubmitCode TrySubmit(std::span<const device::Launch> launches,
                               device::Fence* fence) override {
    if (behaviour_->always_full || behaviour_->full_before_accept > 0) {
      --behaviour_->full_before_accept;
      return device::SubmitCode::kQueueFull;
    }
    const auto ticket = static_cast<uint64_t>(++behaviour_->submissions);
    *fence = {};
    fence->ticket = ticket;
    const std::lock_guard<std::mutex> lock(mutex_);
    running_[ticket] = launches[0];
    return device::SubmitCode::kAccepted;
  }

  bool Poll(device::Fence* fence) override {
    if (behaviour_->hold || behaviour_->waits_before_done > 0) return false;
    Complete(fence);
    return true;
  }

  device::WaitCode Wait(device::Fence* fence, std::chrono::nanoseconds) override {
    if (behaviour_->hold) return device::WaitCode::kTimeout;
    if (behaviour_->waits_before_done > 0) {
      --behaviour_->waits_before_done;
      return device::WaitCode::kTimeout;
    }
    Complete(fence);
    return device::WaitCode::kDone;
  }

  device::WaitCode WaitForRoom(std::chrono::nanoseconds) override {
    return behaviour_->always_full ? device::WaitCode::kTimeout : device::WaitCode::kDone;
  }

 private:
  void Complete(device::Fence* fence) {
    if (fence->done) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    const device::Launch launch = running_.at(fence->ticket);
    running_.erase(fence->ticket);
    behaviour_->touched += static_cast<int64_t>(launch.executable->kernel_name().size());
    if (launch.operands->c != nullptr) ++behaviour_->touched;
    fence->done = true;
    fence->status = behaviour_->outcome;
  }

  std::mutex mutex_;
  std::map<uint64_t, device::Launch> running_;  // Guarded by mutex_.
  std::shared_ptr<FakeBehaviour> behaviour_;
};

class FakeDevice final : public device::Device {
 public:
  explicit FakeDevice(std::shared_ptr<FakeBehaviour> behaviour)
      : behaviour_(std::move(behaviour)), queue_(behaviour_) {}

  uint64_t payload_domain() const override { return payload_domain_; }
  const DeviceInfo& info() const override { return info_; }
  device::Clock& clock() override { return clock_; }
  device::Queue& queue() override { return queue_; }
  Result<std::unique_ptr<device::Buffer>> Allocate(size_t bytes) override {
    return std::unique_ptr<device::Buffer>(std::make_unique<FakeBuffer>(bytes));
  }
  Result<std::unique_ptr<device::Executable>> Load(const core::Problem&) override {
    ++behaviour_->loads;
    if (!behaviour_->load.ok()) return behaviour_->load;
    return std::unique_ptr<device::Executable>(std::make_unique<FakeExecutable>());
  }
  Result<std::unique_ptr<device::Executable>> LoadImage(const device::ArrayImage&) override {
    return Status(StatusCode::kUnimplemented, "the fake device takes whole products");
  }
  std::string_view WeightsLayout(const core::Problem& problem) const override {
    return problem.b_type == ElementType::kU8 ? "fake_u8" : "fake_s8";
  }
  Result<std::unique_ptr<device::WeightsPayload>> PackWeights(const core::Problem&,
                                                              const core::Operands&) override {
    ++behaviour_->packs;
    return std::unique_ptr<device::WeightsPayload>(std::make_unique<FakePayload>());
  }

 private:
  const uint64_t payload_domain_ = device::NewPayloadDomain();
  DeviceInfo info_{"fake", DeviceKind::kHost, true, "computes nothing"};
  std::shared_ptr<FakeBehaviour> behaviour_;
  FakeClock clock_;
  FakeQueue queue_;
};

}  // namespace

std::unique_ptr<device::Device> MakeFakeDevice(std::shared_ptr<FakeBehaviour> behaviour) {
  return std::make_unique<FakeDevice>(std::move(behaviour));
}

device::Registry FakeRegistry(std::shared_ptr<FakeBehaviour> behaviour) {
  device::Registry registry;
  registry.Register(
      "host", "host", [behaviour](const std::string&) { return MakeFakeDevice(behaviour); },
      [] { return std::vector<DeviceInfo>{}; });
  return registry;
}

}  // namespace tilewave::testing
