#include "tests/support/null_device.h"

#include <algorithm>
#include <utility>

#include "base/aligned_buffer.h"
#include "base/clock.h"

namespace tilewave::testing {
namespace {

class NullClock final : public device::Clock {
 public:
  int64_t NowNs() override { return base::WallNowNs(); }
  void ChargeHost(device::HostWork, int64_t, int64_t) override {}
  TimeKind kind() const override { return TimeKind::kMeasured; }
};

class NullBuffer final : public device::Buffer {
 public:
  explicit NullBuffer(size_t bytes) : owned_(bytes), data_(owned_.data()), bytes_(bytes) {}
  NullBuffer(std::byte* data, size_t bytes) : data_(data), bytes_(bytes) {}
  size_t bytes() const override { return bytes_; }
  std::byte* host() override { return data_; }
  Status Sync(device::SyncDirection, size_t, size_t) override { return {}; }
  Result<std::unique_ptr<device::Buffer>> Slice(size_t offset, size_t bytes) override {
    return std::unique_ptr<device::Buffer>(std::make_unique<NullBuffer>(data_ + offset, bytes));
  }

 private:
  base::AlignedBuffer owned_;
  std::byte* data_;
  size_t bytes_;
};

class NullExecutable final : public device::Executable {
 public:
  std::string_view kernel_name() const override { return "null"; }
};

/// Fence::private_ns counts the polls that a submission has seen.
class NullQueue final : public device::Queue {
 public:
  explicit NullQueue(std::shared_ptr<NullBehaviour> behaviour) : behaviour_(std::move(behaviour)) {}

  device::SubmitCode TrySubmit(std::span<const device::Launch> launches,
                               device::Fence* fence) override {
    NullBehaviour& b = *behaviour_;
    if (in_flight_ == b.depth) return device::SubmitCode::kQueueFull;
    const int64_t index = b.submissions++;
    if (index == b.reject_at) {
      *fence = device::Fence::Ended(Status(StatusCode::kUnavailable, "rejected on purpose"));
      return device::SubmitCode::kRejected;
    }
    *fence = {};
    fence->ticket = static_cast<uint64_t>(index) + 1;
    if (index == b.fail_at) fence->status = {StatusCode::kInternal, "failed on purpose"};
    b.most_in_flight = std::max<int64_t>(b.most_in_flight, ++in_flight_);
    if (b.record) Record(launches);
    return device::SubmitCode::kAccepted;
  }

  bool Poll(device::Fence* fence) override {
    if (fence->done) return true;
    if (behaviour_->stuck || fence->private_ns++ == 0) return false;
    return End(fence);
  }

  device::WaitCode Wait(device::Fence* fence, std::chrono::nanoseconds) override {
    if (behaviour_->stuck) return device::WaitCode::kTimeout;
    End(fence);
    return device::WaitCode::kDone;
  }

  device::WaitCode WaitForRoom(std::chrono::nanoseconds) override {
    if (behaviour_->stuck) return device::WaitCode::kTimeout;
    --in_flight_;  // Somebody's submission has ended; its fence has yet to hear of it.
    ++ended_unheard_;
    return device::WaitCode::kDone;
  }

 private:
  bool End(device::Fence* fence) {
    if (fence->done) return true;
    fence->done = true;
    if (ended_unheard_ > 0) {
      --ended_unheard_;
    } else {
      --in_flight_;
    }
    return true;
  }

  void Record(std::span<const device::Launch> launches) {
    behaviour_->chains.push_back(launches.size());
    std::vector<const void*> inputs;
    for (const device::Launch& launch : launches) {
      const device::BufferRange& range = launch.arguments[0];
      inputs.push_back(range.buffer->host() + range.offset);
    }
    behaviour_->first_inputs.push_back(std::move(inputs));
  }

  std::shared_ptr<NullBehaviour> behaviour_;
  int in_flight_ = 0;
  int ended_unheard_ = 0;
};

class NullDevice final : public device::Device {
 public:
  explicit NullDevice(std::shared_ptr<NullBehaviour> behaviour) : queue_(std::move(behaviour)) {}
  uint64_t payload_domain() const override { return payload_domain_; }
  const DeviceInfo& info() const override { return info_; }
  device::Clock& clock() override { return clock_; }
  device::Queue& queue() override { return queue_; }
  Result<std::unique_ptr<device::Buffer>> Allocate(size_t bytes) override {
    return std::unique_ptr<device::Buffer>(std::make_unique<NullBuffer>(bytes));
  }
  Result<std::unique_ptr<device::Executable>> Load(const core::Problem&) override {
    return std::unique_ptr<device::Executable>(std::make_unique<NullExecutable>());
  }
  Result<std::unique_ptr<device::Executable>> LoadImage(const device::ArrayImage&) override {
    return std::unique_ptr<device::Executable>(std::make_unique<NullExecutable>());
  }
  std::string_view WeightsLayout(const core::Problem&) const override { return "null"; }
  Result<std::unique_ptr<device::WeightsPayload>> PackWeights(const core::Problem&,
                                                              const core::Operands&) override {
    return Status(StatusCode::kUnimplemented, "the null device packs nothing");
  }

 private:
  const uint64_t payload_domain_ = device::NewPayloadDomain();
  DeviceInfo info_{"null", DeviceKind::kVnpu, true, "does nothing at once"};
  NullClock clock_;
  NullQueue queue_;
};

}  // namespace

std::unique_ptr<device::Device> MakeNullDevice(std::shared_ptr<NullBehaviour> behaviour) {
  return std::make_unique<NullDevice>(std::move(behaviour));
}

}  // namespace tilewave::testing
