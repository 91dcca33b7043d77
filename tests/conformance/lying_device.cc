#include "tests/conformance/lying_device.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace tilewave::conformance {
namespace {

using device::Buffer;
using device::BufferRange;
using device::Device;
using device::Executable;
using device::Fence;
using device::Launch;
using device::SubmitCode;
using device::SyncDirection;
using device::WaitCode;

class LyingBuffer final : public Buffer {
 public:
  LyingBuffer(std::unique_ptr<Buffer> inner, Lie lie) : inner_(std::move(inner)), lie_(lie) {}

  size_t bytes() const override { return inner_->bytes(); }
  std::byte* host() override { return moved_.empty() ? inner_->host() : moved_.back().data(); }
  Buffer* inner() { return inner_.get(); }

  Status Sync(SyncDirection direction, size_t offset, size_t bytes) override {
    if (lie_ == Lie::kNoSync) return {};
    if (lie_ == Lie::kWideSync) return inner_->Sync(direction, 0, inner_->bytes());
    Status s = inner_->Sync(direction, offset, bytes);
    if (lie_ == Lie::kMovingHost) {
      moved_.emplace_back(inner_->host(), inner_->host() + inner_->bytes());
    }
    if (lie_ == Lie::kWrongBits && direction == SyncDirection::kFromDevice && bytes > 0) {
      inner_->host()[offset] ^= std::byte{1};
    }
    return s;
  }

  Result<std::unique_ptr<Buffer>> Slice(size_t offset, size_t bytes) override {
    Result<std::unique_ptr<Buffer>> slice = inner_->Slice(offset, bytes);
    if (!slice.ok()) return slice;
    return std::unique_ptr<Buffer>(std::make_unique<LyingBuffer>(*std::move(slice), lie_));
  }

 private:
  std::unique_ptr<Buffer> inner_;
  Lie lie_;
  std::vector<std::vector<std::byte>> moved_;
};

class LyingExecutable final : public Executable {
 public:
  LyingExecutable(std::unique_ptr<Executable> inner, Lie lie)
      : inner_(std::move(inner)), lie_(lie) {}
  std::string_view kernel_name() const override {
    return lie_ == Lie::kNoName ? "" : inner_->kernel_name();
  }
  const Executable* inner() const { return inner_.get(); }

 private:
  std::unique_ptr<Executable> inner_;
  Lie lie_;
};

class LyingQueue final : public device::Queue {
 public:
  LyingQueue(device::Queue* inner, Lie lie) : inner_(inner), lie_(lie) {}

  SubmitCode TrySubmit(std::span<const Launch> launches, Fence* fence) override {
    if (lie_ == Lie::kLostLaunch && ++submissions_ % 2 == 0) {
      *fence = Fence::Ended({});
      return SubmitCode::kAccepted;
    }
    if (lie_ == Lie::kSwapped && held_fence_ == nullptr) {
      held_.assign(launches.begin(), launches.end());
      held_fence_ = fence;
      *fence = {};
      return SubmitCode::kAccepted;
    }
    const SubmitCode code = Forward(launches, fence);
    ForwardHeld();
    return code;
  }

  bool Poll(Fence* fence) override {
    if (fence == held_fence_) ForwardHeld();
    return fence->done || inner_->Poll(fence);
  }
  WaitCode Wait(Fence* fence, std::chrono::nanoseconds limit) override {
    if (fence == held_fence_) ForwardHeld();
    return fence->done ? WaitCode::kDone : inner_->Wait(fence, limit);
  }
  WaitCode WaitForRoom(std::chrono::nanoseconds limit) override {
    return inner_->WaitForRoom(limit);
  }

 private:
  SubmitCode Forward(std::span<const Launch> launches, Fence* fence) {
    std::vector<Launch> unwrapped(launches.begin(), launches.end());
    std::vector<std::array<BufferRange, device::kMaxLaunchArguments>> arguments(launches.size());
    for (size_t i = 0; i < launches.size(); ++i) {
      unwrapped[i].executable =
          static_cast<const LyingExecutable*>(launches[i].executable)->inner();
      std::transform(launches[i].arguments.begin(), launches[i].arguments.end(),
                     arguments[i].begin(), [](const BufferRange& range) {
                       return BufferRange{static_cast<LyingBuffer*>(range.buffer)->inner(),
                                          range.offset, range.bytes};
                     });
      unwrapped[i].arguments = {arguments[i].data(), launches[i].arguments.size()};
    }
    if (lie_ == Lie::kTurnedChain) std::reverse(unwrapped.begin(), unwrapped.end());
    SubmitCode code = inner_->TrySubmit(unwrapped, fence);
    while (lie_ == Lie::kBlockingSubmit && code == SubmitCode::kQueueFull &&
           inner_->WaitForRoom(std::chrono::minutes(1)) == WaitCode::kDone) {
      code = inner_->TrySubmit(unwrapped, fence);
    }
    return code;
  }

  void ForwardHeld() {
    if (held_fence_ != nullptr) Forward(held_, std::exchange(held_fence_, nullptr));
  }

  device::Queue* inner_;
  Lie lie_;
  int submissions_ = 0;
  std::vector<Launch> held_;
  Fence* held_fence_ = nullptr;
};

class LyingDevice final : public Device {
 public:
  LyingDevice(std::unique_ptr<Device> inner, Lie lie)
      : inner_(std::move(inner)), lie_(lie), queue_(&inner_->queue(), lie) {}

  uint64_t payload_domain() const override {
    static const uint64_t old = device::NewPayloadDomain();
    return lie_ == Lie::kOldDomain ? old : payload_domain_;
  }
  const DeviceInfo& info() const override { return inner_->info(); }
  device::Clock& clock() override { return inner_->clock(); }
  device::Queue& queue() override { return queue_; }

  Result<std::unique_ptr<Buffer>> Allocate(size_t bytes) override {
    if (lie_ == Lie::kSharedMemory) {
      if (shared_ == nullptr) shared_ = *inner_->Allocate(kSharedBytes);
      return Lying(shared_->Slice(0, bytes));
    }
    return Lying(inner_->Allocate(bytes));
  }

  Result<std::unique_ptr<Executable>> Load(const core::Problem& problem) override {
    return inner_->Load(problem);
  }

  Result<std::unique_ptr<Executable>> LoadImage(const device::ArrayImage& image) override {
    Result<std::unique_ptr<Executable>> executable = inner_->LoadImage(image);
    if (!executable.ok()) return executable;
    return std::unique_ptr<Executable>(
        std::make_unique<LyingExecutable>(*std::move(executable), lie_));
  }

  std::string_view WeightsLayout(const core::Problem& problem) const override {
    return inner_->WeightsLayout(problem);
  }

  Result<std::unique_ptr<device::WeightsPayload>> PackWeights(
      const core::Problem& problem, const core::Operands& operands) override {
    return inner_->PackWeights(problem, operands);
  }

 private:
  static constexpr size_t kSharedBytes = size_t{64} << 20;

  Result<std::unique_ptr<Buffer>> Lying(Result<std::unique_ptr<Buffer>> buffer) const {
    if (!buffer.ok()) return buffer;
    return std::unique_ptr<Buffer>(std::make_unique<LyingBuffer>(*std::move(buffer), lie_));
  }

  const uint64_t payload_domain_ = device::NewPayloadDomain();
  std::unique_ptr<Device> inner_;
  Lie lie_;
  LyingQueue queue_;
  std::unique_ptr<Buffer> shared_;  ///< Goes before the device.
};

}  // namespace

std::unique_ptr<Device> MakeLyingDevice(std::unique_ptr<Device> inner, Lie lie) {
  return std::make_unique<LyingDevice>(std::move(inner), lie);
}

}  // namespace tilewave::conformance
