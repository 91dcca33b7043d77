#include "device/validating_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace tilewave::device {
namespace {

constexpr size_t kGuardBytes = 64;

Status Bug(std::string what) { return {StatusCode::kInternal, std::move(what)}; }

/// Whether [offset, offset + bytes) lies inside `size`, without overflow.
bool InRange(size_t offset, size_t bytes, size_t size) {
  return offset <= size && bytes <= size - offset;
}

class ValidatingBuffer final : public Buffer {
 public:
  /// `guarded`: the inner buffer is kGuardBytes longer than what is shown.
  ValidatingBuffer(std::unique_ptr<Buffer> inner, bool guarded)
      : inner_(std::move(inner)), guarded_(guarded) {
    if (HasGuard()) std::memset(inner_->host(), kPoisonByte, inner_->bytes());
  }

  size_t bytes() const override { return inner_->bytes() - (guarded_ ? kGuardBytes : 0); }
  std::byte* host() override { return inner_->host(); }
  Buffer* inner() { return inner_.get(); }

  Status Sync(SyncDirection direction, size_t offset, size_t bytes) override {
    if (!InRange(offset, bytes, this->bytes())) {
      return Bug(
          fmt::format("sync of [{}, +{}) in a buffer of {} bytes", offset, bytes, this->bytes()));
    }
    if (Status s = CheckGuard(); !s.ok()) return s;
    return inner_->Sync(direction, offset, bytes);
  }

  Result<std::unique_ptr<Buffer>> Slice(size_t offset, size_t bytes) override {
    if (!InRange(offset, bytes, this->bytes())) {
      return Bug(
          fmt::format("slice [{}, +{}) of a buffer of {} bytes", offset, bytes, this->bytes()));
    }
    if (offset % kWindowAlignment != 0) {
      return Bug(fmt::format("a slice at byte {} of a buffer; expected a multiple of {}", offset,
                             kWindowAlignment));
    }
    Result<std::unique_ptr<Buffer>> slice = inner_->Slice(offset, bytes);
    if (!slice.ok()) return slice;
    return std::unique_ptr<Buffer>(
        std::make_unique<ValidatingBuffer>(*std::move(slice), /*guarded=*/false));
  }

 private:
  /// A device that only times has no bytes to guard.
  bool HasGuard() { return guarded_ && inner_->host() != nullptr; }

  Status CheckGuard() {
    if (!HasGuard()) return {};
    const std::byte* guard = inner_->host() + bytes();
    const bool intact = std::all_of(guard, guard + kGuardBytes,
                                    [](std::byte b) { return b == std::byte{kPoisonByte}; });
    return intact ? Status() : Bug("a write ran past the end of a device buffer");
  }

  std::unique_ptr<Buffer> inner_;
  bool guarded_;
};

/// What a launch of an executable must bring.
enum class Brings : uint8_t { kOperands, kOperandsAndWeights, kStream };

class ValidatingExecutable final : public Executable {
 public:
  ValidatingExecutable(std::unique_ptr<Executable> inner, const Device* owner, Brings brings)
      : inner_(std::move(inner)), owner_(owner), brings_(brings) {}
  std::string_view kernel_name() const override { return inner_->kernel_name(); }
  uint64_t configuration_hash() const override { return inner_->configuration_hash(); }
  const Executable* inner() const { return inner_.get(); }
  const Device* owner() const { return owner_; }
  Brings brings() const { return brings_; }

 private:
  std::unique_ptr<Executable> inner_;
  const Device* owner_;
  Brings brings_;
};

class ValidatingPayload final : public WeightsPayload {
 public:
  ValidatingPayload(std::unique_ptr<WeightsPayload> inner, const Device* owner)
      : inner_(std::move(inner)), owner_(owner) {}
  size_t bytes() const override { return inner_->bytes(); }
  const WeightsPayload* inner() const { return inner_.get(); }
  const Device* owner() const { return owner_; }

 private:
  std::unique_ptr<WeightsPayload> inner_;
  const Device* owner_;
};

class ValidatingQueue final : public Queue {
 public:
  ValidatingQueue(Queue* inner, const Device* owner) : inner_(inner), owner_(owner) {}

  SubmitCode TrySubmit(std::span<const Launch> launches, Fence* fence) override {
    if (fence == nullptr || launches.empty()) {
      if (fence != nullptr) *fence = Fence::Ended(Bug("a submission without launches"));
      return SubmitCode::kRejected;
    }
    if (fence->ticket != 0 && !fence->done) {
      *fence = Fence::Ended(Bug("a fence was used again while its submission was pending"));
      return SubmitCode::kRejected;
    }
    if (launches.size() > kMaxChainLaunches) {
      *fence = Fence::Ended(Bug(
          fmt::format("a chain of {} launches; at most {}", launches.size(), kMaxChainLaunches)));
      return SubmitCode::kRejected;
    }
    // Unwrapped one by one into a chain on the stack: nothing is allocated.
    Launch unwrapped[kMaxChainLaunches];
    Arguments arguments[kMaxChainLaunches];
    for (size_t i = 0; i < launches.size(); ++i) {
      if (Status s = Unwrap(launches[i], &unwrapped[i], &arguments[i]); !s.ok()) {
        *fence = Fence::Ended(std::move(s));
        return SubmitCode::kRejected;
      }
    }
    return inner_->TrySubmit({unwrapped, launches.size()}, fence);
  }

  bool done_when_submitted() const override { return inner_->done_when_submitted(); }

  bool Poll(Fence* fence) override { return inner_->Poll(fence); }

  WaitCode Wait(Fence* fence, std::chrono::nanoseconds limit) override {
    return inner_->Wait(fence, limit);
  }

  WaitCode WaitForRoom(std::chrono::nanoseconds limit) override {
    return inner_->WaitForRoom(limit);
  }

 private:
  using Arguments = std::array<BufferRange, kMaxLaunchArguments>;

  static Status UnwrapArguments(const Launch& launch, Arguments* out) {
    if (launch.arguments.size() > kMaxLaunchArguments) {
      return Bug(fmt::format("a launch with {} arguments; at most {}", launch.arguments.size(),
                             kMaxLaunchArguments));
    }
    for (size_t i = 0; i < launch.arguments.size(); ++i) {
      const BufferRange& range = launch.arguments[i];
      auto* buffer = dynamic_cast<ValidatingBuffer*>(range.buffer);
      if (buffer == nullptr) return Bug("a launch with an argument that is no buffer of a device");
      if (!InRange(range.offset, range.bytes, buffer->bytes())) {
        return Bug(fmt::format("a launch with argument [{}, +{}) of a buffer of {} bytes",
                               range.offset, range.bytes, buffer->bytes()));
      }
      (*out)[i] = {buffer->inner(), range.offset, range.bytes};
    }
    return {};
  }

  /// `arguments` is the memory behind out->arguments.
  Status Unwrap(const Launch& launch, Launch* out, Arguments* arguments) const {
    const auto* executable = dynamic_cast<const ValidatingExecutable*>(launch.executable);
    if (executable == nullptr || executable->owner() != owner_) {
      return Bug("a launch without an executable of this device");
    }
    if (executable->brings() == Brings::kStream) {
      if (launch.stream.empty()) return Bug("a launch without a stream");
    } else if (launch.operands == nullptr) {
      return Bug("a launch without operands");
    }
    const auto* payload = dynamic_cast<const ValidatingPayload*>(launch.weights);
    if (launch.weights != nullptr && (payload == nullptr || payload->owner() != owner_)) {
      return Bug("a launch with weights packed for another device");
    }
    if ((executable->brings() == Brings::kOperandsAndWeights) != (payload != nullptr)) {
      return Bug("a launch whose weights do not match its executable");
    }
    if (Status s = UnwrapArguments(launch, arguments); !s.ok()) return s;
    *out = launch;
    out->arguments = {arguments->data(), launch.arguments.size()};
    out->executable = executable->inner();
    out->weights = payload == nullptr ? nullptr : payload->inner();
    return {};
  }

  Queue* inner_;
  const Device* owner_;
};

class ValidatingDevice final : public Device {
 public:
  explicit ValidatingDevice(std::unique_ptr<Device> inner)
      : inner_(std::move(inner)), queue_(&inner_->queue(), this) {}

  uint64_t payload_domain() const override { return payload_domain_; }
  const DeviceInfo& info() const override { return inner_->info(); }
  Clock& clock() override { return inner_->clock(); }
  Queue& queue() override { return queue_; }

  Result<std::unique_ptr<Buffer>> Allocate(size_t bytes) override {
    Result<std::unique_ptr<Buffer>> buffer = inner_->Allocate(bytes + kGuardBytes);
    if (!buffer.ok()) return buffer;
    return std::unique_ptr<Buffer>(
        std::make_unique<ValidatingBuffer>(*std::move(buffer), /*guarded=*/true));
  }

  Result<std::unique_ptr<Executable>> Load(const core::Problem& problem) override {
    Result<std::unique_ptr<Executable>> executable = inner_->Load(problem);
    if (!executable.ok()) return executable;
    return std::unique_ptr<Executable>(std::make_unique<ValidatingExecutable>(
        *std::move(executable), this,
        problem.b_prepacked ? Brings::kOperandsAndWeights : Brings::kOperands));
  }

  Result<std::unique_ptr<Executable>> LoadImage(const ArrayImage& image) override {
    Result<std::unique_ptr<Executable>> executable = inner_->LoadImage(image);
    if (!executable.ok()) return executable;
    return std::unique_ptr<Executable>(
        std::make_unique<ValidatingExecutable>(*std::move(executable), this, Brings::kStream));
  }

  std::string_view WeightsLayout(const core::Problem& problem) const override {
    return inner_->WeightsLayout(problem);
  }

  Result<std::unique_ptr<WeightsPayload>> PackWeights(const core::Problem& problem,
                                                      const core::Operands& operands) override {
    Result<std::unique_ptr<WeightsPayload>> payload = inner_->PackWeights(problem, operands);
    if (!payload.ok()) return payload;
    return std::unique_ptr<WeightsPayload>(
        std::make_unique<ValidatingPayload>(*std::move(payload), this));
  }

 private:
  // Not the inner device's: a payload wrapped here means nothing to the device alone.
  const uint64_t payload_domain_ = NewPayloadDomain();
  std::unique_ptr<Device> inner_;
  ValidatingQueue queue_;
};

}  // namespace

std::unique_ptr<Device> MakeValidatingDevice(std::unique_ptr<Device> inner) {
  return std::make_unique<ValidatingDevice>(std::move(inner));
}

}  // namespace tilewave::device
