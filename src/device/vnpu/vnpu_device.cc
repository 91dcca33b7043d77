#include "device/vnpu/vnpu_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/clock.h"
#include "device/no_payload.h"
#include "device/vnpu/array_sim.h"
#include "device/vnpu/picoseconds.h"
#include "program/stream_reader.h"

namespace tilewave::device::vnpu {
namespace {

constexpr int64_t kLongAgoPs = -(int64_t{1} << 60);

/// A buffer's memory: a host's and a device's copy of every byte, which only syncs make equal. Or
/// only its size.
struct TwoCopies {
  TwoCopies(size_t bytes, DataMode data) {
    if (data == DataMode::kTimingOnly) return;
    host = base::AlignedBuffer(bytes);
    device = base::AlignedBuffer(bytes);
    std::memset(host.data(), kPoisonByte, bytes);
    std::memset(device.data(), kPoisonByte, bytes);
  }
  base::AlignedBuffer host;
  base::AlignedBuffer device;
};

/// A byte range that a launch uses until a moment.
struct Claim {
  const TwoCopies* memory = nullptr;
  size_t begin = 0;
  size_t end = 0;
};

/// One accepted submission, until the host knows that it has ended.
struct InFlight {
  int64_t end_ps = 0;
  std::vector<Claim> claims;  ///< Reused from submission to submission.
};

/// What buffers, queue and executables share. `mutex` guards all but the clock and the profile.
struct Shared {
  Shared(VnpuOptions options)
      : profile(std::move(options.profile)),
        clock(profile.host, options.host_time),
        kernels(options.kernels),
        data(options.timing_only ? DataMode::kTimingOnly : DataMode::kMoved) {
    for (InFlight& each : in_flight) each.end_ps = kLongAgoPs;
  }

  const profile::Profile profile;
  VirtualClock clock;
  const KernelTable kernels;
  const DataMode data;
  std::mutex mutex;
  std::array<InFlight, arch::kMaxInFlight> in_flight;
  int64_t last_end_ps = kLongAgoPs;
  uint64_t last_configuration = 0;  ///< On the array; 0: none yet.
  uint64_t next_configuration = 1;
  uint64_t next_ticket = 1;

  /// Whether a launch still uses a byte of the range. REQUIRES: mutex held.
  bool InUse(const Claim& range) const {
    const int64_t now_ps = clock.NowPs();
    return std::any_of(in_flight.begin(), in_flight.end(), [&](const InFlight& each) {
      return each.end_ps > now_ps &&
             std::any_of(each.claims.begin(), each.claims.end(), [&](const Claim& claim) {
               return claim.memory == range.memory && claim.begin < range.end &&
                      range.begin < claim.end;
             });
    });
  }
};

class VnpuBuffer final : public Buffer {
 public:
  VnpuBuffer(std::shared_ptr<Shared> shared, std::shared_ptr<TwoCopies> memory, size_t offset,
             size_t bytes)
      : shared_(std::move(shared)), memory_(std::move(memory)), offset_(offset), bytes_(bytes) {}

  size_t bytes() const override { return bytes_; }
  std::byte* host() override { return In(&memory_->host); }
  /// Null if bytes are not kept.
  std::byte* device() { return In(&memory_->device); }
  Claim ClaimOf(size_t offset, size_t bytes) const {
    return {memory_.get(), offset_ + offset, offset_ + offset + bytes};
  }
  bool BelongsTo(const Shared* shared) const { return shared_.get() == shared; }

  Status Sync(SyncDirection direction, size_t offset, size_t bytes) override {
    if (offset > bytes_ || bytes > bytes_ - offset) {
      return {StatusCode::kInternal,
              fmt::format("out of bounds: sync of [{}, +{}) in {} bytes", offset, bytes, bytes_)};
    }
    {
      const std::lock_guard<std::mutex> lock(shared_->mutex);
      if (bytes > 0 && shared_->InUse(ClaimOf(offset, bytes))) {
        return {StatusCode::kInternal, "sync of bytes that a launch in flight still uses"};
      }
    }
    if (shared_->data == DataMode::kTimingOnly) return {};
    if (direction == SyncDirection::kToDevice) {
      std::memcpy(device() + offset, host() + offset, bytes);
    } else {
      std::memcpy(host() + offset, device() + offset, bytes);
    }
    return {};
  }

  Result<std::unique_ptr<Buffer>> Slice(size_t offset, size_t bytes) override {
    if (offset > bytes_ || bytes > bytes_ - offset) {
      return Status(StatusCode::kInternal, fmt::format("out of bounds: slice [{}, +{}) of {} bytes",
                                                       offset, bytes, bytes_));
    }
    return std::unique_ptr<Buffer>(
        std::make_unique<VnpuBuffer>(shared_, memory_, offset_ + offset, bytes));
  }

 private:
  std::byte* In(base::AlignedBuffer* copy) const {
    return shared_->data == DataMode::kTimingOnly ? nullptr : copy->data() + offset_;
  }

  std::shared_ptr<Shared> shared_;
  std::shared_ptr<TwoCopies> memory_;
  size_t offset_;
  size_t bytes_;
};

class VnpuExecutable final : public Executable {
 public:
  VnpuExecutable(std::shared_ptr<Shared> shared, std::unique_ptr<ArraySim> sim, uint64_t id)
      : shared_(std::move(shared)), sim_(std::move(sim)), id_(id) {
    name_ = program::Name(sim_->program().spec);
    hash_ = program::ConfigurationHash(sim_->program().spec);
  }
  std::string_view kernel_name() const override { return name_; }
  uint64_t configuration_hash() const override { return hash_; }
  bool BelongsTo(const Shared* shared) const { return shared_.get() == shared; }
  uint64_t id() const { return id_; }
  /// The array's state behind the configuration. REQUIRES: the shared mutex held.
  ArraySim& sim() const { return *sim_; }

 private:
  std::shared_ptr<Shared> shared_;
  std::unique_ptr<ArraySim> sim_;
  uint64_t id_;
  uint64_t hash_ = 0;
  std::string name_;
};

class VnpuQueue final : public Queue {
 public:
  explicit VnpuQueue(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  SubmitCode TrySubmit(std::span<const Launch> launches, Fence* fence) override {
    const std::lock_guard<std::mutex> lock(shared_->mutex);
    const int64_t wall_ns = base::WallNowNs();
    InFlight* free = FindFree();
    if (free == nullptr) return SubmitCode::kQueueFull;
    *fence = {};
    if (Status s = Check(launches); !s.ok()) {
      *fence = Fence::Ended(std::move(s));
      return SubmitCode::kRejected;
    }
    const profile::LaunchCosts& costs = shared_->profile.launch;
    const bool chain = launches.size() > 1;
    shared_->clock.Spend(
        costs.submit_us +
        (chain ? costs.chain_build_us + (costs.chain_run_us * static_cast<double>(launches.size()))
               : 0));
    free->claims.clear();
    Execute(launches, free, fence);
    fence->ticket = shared_->next_ticket++;
    fence->private_ns = free->end_ps / kPsPerNs;
    shared_->clock.Exclude(base::WallNowNs() - wall_ns);
    return SubmitCode::kAccepted;
  }

  bool Poll(Fence* fence) override {
    if (!fence->done && EndPs(*fence) <= shared_->clock.NowPs()) fence->done = true;
    return fence->done;
  }

  WaitCode Wait(Fence* fence, std::chrono::nanoseconds limit) override {
    return WaitUntil(EndPs(*fence), limit, &fence->done);
  }

  WaitCode WaitForRoom(std::chrono::nanoseconds limit) override {
    int64_t earliest_ps = 0;
    {
      const std::lock_guard<std::mutex> lock(shared_->mutex);
      if (FindFree() != nullptr) return WaitCode::kDone;
      earliest_ps =
          std::min_element(shared_->in_flight.begin(), shared_->in_flight.end(),
                           [](const InFlight& a, const InFlight& b) { return a.end_ps < b.end_ps; })
              ->end_ps;
    }
    bool done = false;
    return WaitUntil(earliest_ps, limit, &done);
  }

 private:
  /// Fences carry whole nanoseconds; a launch counts as ended at the next one.
  static int64_t EndPs(const Fence& fence) { return (fence.private_ns + 1) * kPsPerNs; }

  WaitCode WaitUntil(int64_t end_ps, std::chrono::nanoseconds limit, bool* done) {
    const int64_t now_ps = shared_->clock.NowPs();
    // A limit beyond what picoseconds can say is none.
    const int64_t limit_ps =
        std::min(limit.count(), std::numeric_limits<int64_t>::max() / kPsPerNs) * kPsPerNs;
    if (end_ps - now_ps > limit_ps) {
      shared_->clock.AdvanceTo(now_ps + limit_ps);
      return WaitCode::kTimeout;
    }
    shared_->clock.AdvanceTo(end_ps);
    *done = true;
    return WaitCode::kDone;
  }

  InFlight* FindFree() {
    const int64_t now_ps = shared_->clock.NowPs();
    for (InFlight& each : shared_->in_flight) {
      if (each.end_ps <= now_ps) return &each;
    }
    return nullptr;
  }

  Status Check(std::span<const Launch> chain) const {
    const arch::Npu& npu = arch::NpuOf(shared_->profile.arch);
    for (const Launch& launch : chain) {
      if (Status s = Check(launch); !s.ok()) return s;
      // As a run list has one context.
      if (launch.executable != chain.front().executable) {
        return {StatusCode::kInternal, "a chain of launches of different configurations"};
      }
      if (Status s = CheckStream(launch); !s.ok()) return s;
      const auto reader = program::StreamReader::OpenFor(npu, launch.stream);
      if (!reader.ok()) return reader.status();
    }
    return {};
  }

  Status Check(const Launch& launch) const {
    const auto* executable = dynamic_cast<const VnpuExecutable*>(launch.executable);
    if (executable == nullptr || !executable->BelongsTo(shared_.get())) {
      return {StatusCode::kInternal, "a launch without a configuration of this device"};
    }
    if (launch.arguments.size() > kMaxLaunchArguments) {
      return {StatusCode::kInternal, fmt::format("a launch with {} buffers; at most {}",
                                                 launch.arguments.size(), kMaxLaunchArguments)};
    }
    for (const BufferRange& range : launch.arguments) {
      auto* buffer = dynamic_cast<VnpuBuffer*>(range.buffer);
      if (buffer == nullptr || !buffer->BelongsTo(shared_.get())) {
        return {StatusCode::kInternal, "a launch with a buffer of no or another device"};
      }
      if (range.offset > buffer->bytes() || range.bytes > buffer->bytes() - range.offset) {
        return {StatusCode::kInternal,
                fmt::format("out of bounds: a launch with [{}, +{}) of a buffer of {} bytes",
                            range.offset, range.bytes, buffer->bytes())};
      }
    }
    return {};
  }

  /// Runs the launches one after another; the first failure ends the chain.
  void Execute(std::span<const Launch> launches, InFlight* flight, Fence* fence) {
    const profile::LaunchCosts& costs = shared_->profile.launch;
    const bool chain = launches.size() > 1;
    const double queued_us =
        chain ? costs.chain_serial_us + costs.chain_run_serial_us : costs.serial_us;
    int64_t start_ps = std::max(shared_->clock.NowPs() + PsOfUs(costs.latency_us),
                                shared_->last_end_ps + PsOfUs(queued_us));
    int64_t kernel_ps = 0;
    for (const Launch& launch : launches) {
      const auto& executable = static_cast<const VnpuExecutable&>(*launch.executable);
      start_ps += Configure(executable);
      std::array<ArraySim::Argument, kMaxLaunchArguments> arguments;
      for (size_t i = 0; i < launch.arguments.size(); ++i) {
        const BufferRange& range = launch.arguments[i];
        auto& buffer = static_cast<VnpuBuffer&>(*range.buffer);
        std::byte* data =
            shared_->data == DataMode::kTimingOnly ? nullptr : buffer.device() + range.offset;
        arguments[i] = {data, static_cast<int64_t>(range.bytes)};
        flight->claims.push_back(buffer.ClaimOf(range.offset, range.bytes));
      }
      // Until it has ended well, the array is not fit for the next launch: after an error, or an
      // exception on the way, that finds it as after loading.
      shared_->last_configuration = 0;
      const ArraySim::Outcome outcome = executable.sim().Run(
          launch.stream, {arguments.data(), launch.arguments.size()}, start_ps);
      kernel_ps += outcome.kernel_ps;
      shared_->last_end_ps = outcome.end_ps;
      start_ps = outcome.end_ps + PsOfUs(costs.chain_run_serial_us);
      if (!outcome.status.ok()) {
        fence->status = outcome.status;
        break;
      }
      ++fence->good_launches;
      shared_->last_configuration = executable.id();
    }
    fence->kernel_ns = kernel_ps / kPsPerNs;
    flight->end_ps = shared_->last_end_ps;
  }

  /// Makes the executable's configuration the one on the array; the time that this takes.
  int64_t Configure(const VnpuExecutable& executable) {
    if (shared_->last_configuration == executable.id()) return 0;
    const bool replaces = shared_->last_configuration != 0;
    shared_->last_configuration = executable.id();
    executable.sim().Reset();
    return replaces ? PsOfUs(shared_->profile.launch.reconfigure_us) : 0;
  }

  std::shared_ptr<Shared> shared_;
};

class VnpuDevice final : public Device {
 public:
  explicit VnpuDevice(VnpuOptions options)
      : info_(VnpuDeviceInfo(options.profile, options.host_time, options.timing_only)),
        shared_(std::make_shared<Shared>(std::move(options))),
        queue_(shared_) {}

  uint64_t payload_domain() const override { return payload_domain_; }
  const DeviceInfo& info() const override { return info_; }
  Clock& clock() override { return shared_->clock; }
  Queue& queue() override { return queue_; }

  Result<std::unique_ptr<Buffer>> Allocate(size_t bytes) override {
    return std::unique_ptr<Buffer>(std::make_unique<VnpuBuffer>(
        shared_, std::make_shared<TwoCopies>(bytes, shared_->data), 0, bytes));
  }

  Result<std::unique_ptr<Executable>> Load(const core::Problem& /*problem*/) override {
    return Status(StatusCode::kUnimplemented, "an array takes configurations, not whole products");
  }

  Result<std::unique_ptr<Executable>> LoadImage(const ArrayImage& image) override {
    const auto* program = dynamic_cast<const ProgramImage*>(&image);
    if (program == nullptr) {
      return Status(StatusCode::kInvalidArgument, "the virtual NPU loads array programs only");
    }
    Result<std::unique_ptr<ArraySim>> sim =
        ArraySim::Make(program->program(), shared_->profile, shared_->kernels, shared_->data);
    if (!sim.ok()) return sim.status();
    const std::lock_guard<std::mutex> lock(shared_->mutex);
    return std::unique_ptr<Executable>(
        std::make_unique<VnpuExecutable>(shared_, *std::move(sim), shared_->next_configuration++));
  }

  std::string_view WeightsLayout(const core::Problem& /*problem*/) const override {
    return "row_major";
  }

  Result<std::unique_ptr<WeightsPayload>> PackWeights(const core::Problem& /*problem*/,
                                                      const core::Operands& /*operands*/) override {
    return NoPayload::Make();
  }

 private:
  const uint64_t payload_domain_ = NewPayloadDomain();
  DeviceInfo info_;
  std::shared_ptr<Shared> shared_;
  VnpuQueue queue_;
};

}  // namespace

DeviceInfo VnpuDeviceInfo(const profile::Profile& profile, HostTime host_time, bool timing_only) {
  const bool measured = host_time == HostTime::kMeasured;
  return {fmt::format("vnpu:{}{}{}", profile.name, timing_only ? ":timing" : "",
                      measured ? ":host" : ""),
          DeviceKind::kVnpu, true,
          fmt::format("virtual {} at {:.1f} GHz, {}all times simulated{}: {}",
                      arch::NpuOf(profile.arch).name, profile.clock_ghz,
                      timing_only ? "no results, " : "", measured ? " but the host's" : "",
                      profile.description)};
}

std::unique_ptr<Device> OpenVnpu(VnpuOptions options) {
  return std::make_unique<VnpuDevice>(std::move(options));
}

}  // namespace tilewave::device::vnpu
