#include "device/vnpu/vnpu_device.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <initializer_list>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "device/vnpu/array_sim.h"
#include "device/vnpu/picoseconds.h"
#include "program/stream.h"
#include "tests/support/program_samples.h"
#include "tests/support/stream_samples.h"
#include "tests/support/vnpu_samples.h"

namespace tilewave::device::vnpu {
namespace {

using program::ArrayProgram;
using program::DesignFamily;
using program::DesignSpec;
using program::Sequence;
using program::SharedProgram;
using program::Words;
using std::chrono::nanoseconds;

constexpr DesignSpec kLarger{DesignFamily::kPackedTile, arch::NpuArch::kNpu1, 32, 32, 32};
// A|B and C of kPacked.
constexpr size_t kInBytes = 512;
constexpr size_t kOutBytes = 1024;
constexpr nanoseconds kLong = std::chrono::hours(1);
// Where nobody has written.
constexpr auto kPoison = static_cast<int8_t>(kPoisonByte);
constexpr auto kPoisonWord = static_cast<int32_t>(0xCBCBCBCB);

const profile::LaunchCosts& Costs() { return Phoenix().launch; }

std::unique_ptr<Device> Opened() { return OpenVnpu({Phoenix(), HostTime::kCharged}); }

std::unique_ptr<Executable> Loaded(Device* device, const DesignSpec& spec = kPacked) {
  Result<std::unique_ptr<Executable>> executable =
      device->LoadImage(ProgramImage(SharedProgram(spec)));
  EXPECT_TRUE(executable.ok()) << executable.status().ToString();
  return *std::move(executable);
}

std::unique_ptr<Buffer> Allocated(Device* device, size_t bytes) {
  Result<std::unique_ptr<Buffer>> buffer = device->Allocate(bytes);
  EXPECT_TRUE(buffer.ok()) << buffer.status().ToString();
  return *std::move(buffer);
}

Words StreamOf(const Sequence& sequence) {
  return *program::EncodeStream(sequence, arch::NpuOf(arch::NpuArch::kNpu1));
}
// Never ends: the core waits for the rest of its input.
Words StuckStream() {
  Sequence sequence = *program::LaunchSequence(*SharedProgram(kPacked), 1);
  std::get<program::WriteDescriptor>(sequence[0]).length_words = 100;
  return StreamOf(sequence);
}

// The buffers of one launch, and the launch. All of A is `a`, all of B is `b`.
class Job {
 public:
  Job(Device* device, const Executable* executable, const DesignSpec& spec = kPacked)
      : stream_(GoodStream(spec)),
        tile_(static_cast<size_t>(spec.tile_m * spec.tile_k)),
        in_(Allocated(device, 2 * tile_)),
        out_(Allocated(device, tile_ * sizeof(int32_t))),
        arguments_{BufferRange{in_.get(), 0, in_->bytes()},
                   BufferRange{out_.get(), 0, out_->bytes()}} {
    launch_ = {executable, nullptr, nullptr, nullptr, stream_, arguments_};
  }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  void Write(int8_t a, int8_t b) {
    std::memset(in_->host(), a, tile_);
    std::memset(in_->host() + tile_, b, tile_);
  }
  Status SyncIn() { return in_->Sync(SyncDirection::kToDevice, 0, in_->bytes()); }
  Status SyncOut() { return out_->Sync(SyncDirection::kFromDevice, 0, out_->bytes()); }

  /// What the host sees of C.
  std::vector<int32_t> C() const {
    std::vector<int32_t> c(tile_);
    std::memcpy(c.data(), out_->host(), out_->bytes());
    return c;
  }

  void SetStream(Words stream) {
    stream_ = std::move(stream);
    launch_.stream = stream_;
  }

  Launch& launch() { return launch_; }
  std::array<BufferRange, 2>& arguments() { return arguments_; }
  Buffer* in() { return in_.get(); }
  Buffer* out() { return out_.get(); }

 private:
  Words stream_;
  size_t tile_;
  std::unique_ptr<Buffer> in_;
  std::unique_ptr<Buffer> out_;
  std::array<BufferRange, 2> arguments_;
  Launch launch_;
};

std::vector<int32_t> AllOf(int32_t value, size_t count = 256) {
  return std::vector<int32_t>(count, value);
}

SubmitCode Submit(Device* device, Job* job, Fence* fence) {
  return device->queue().TrySubmit({&job->launch(), 1}, fence);
}

void SubmitAndWait(Device* device, Job* job, Fence* fence) {
  ASSERT_EQ(Submit(device, job, fence), SubmitCode::kAccepted);
  ASSERT_EQ(device->queue().Wait(fence, kLong), WaitCode::kDone);
}

// How long the array is busy with the good launch of kPacked; the same for each.
int64_t ArrayPs() {
  static const int64_t ps = [] {
    Result<std::unique_ptr<ArraySim>> sim =
        ArraySim::Make(SharedProgram(kPacked), Phoenix(), PlainKernels());
    std::vector<std::byte> in(kInBytes);
    std::vector<std::byte> out(kOutBytes);
    const ArraySim::Argument arguments[] = {{in.data(), kInBytes}, {out.data(), kOutBytes}};
    const ArraySim::Outcome outcome = (*sim)->Run(GoodStream(), arguments, PsOfUs(1));
    EXPECT_TRUE(outcome.status.ok()) << outcome.status.ToString();
    return outcome.end_ps - PsOfUs(1);
  }();
  return ps;
}

// The host sees a launch's end at the next whole nanosecond.
int64_t SeenNs(int64_t end_ps) { return (end_ps / kPsPerNs) + 1; }

class VnpuDeviceTest : public ::testing::Test {
 protected:
  int64_t NowNs() { return device_->clock().NowNs(); }

  std::unique_ptr<Device> device_ = Opened();
  std::unique_ptr<Executable> executable_ = Loaded(device_.get());
};

// --- What it is ---

TEST_F(VnpuDeviceTest, SaysWhatItIs) {
  const DeviceInfo& info = device_->info();
  EXPECT_EQ(info.name, "vnpu:phoenix");
  EXPECT_EQ(info.kind, DeviceKind::kVnpu);
  EXPECT_TRUE(info.usable);
  EXPECT_NE(info.description.find("virtual npu1 at 1.0 GHz, all times simulated:"),
            std::string::npos)
      << info.description;
  EXPECT_EQ(VnpuDeviceInfo(Phoenix(), HostTime::kMeasured).name, "vnpu:phoenix:host");
  EXPECT_EQ(device_->clock().kind(), TimeKind::kSimulated);
  EXPECT_EQ(executable_->kernel_name(), "packed_tile-16x16x16-vector-s32-npu1");
  EXPECT_NE(device_->payload_domain(), Opened()->payload_domain());
}

TEST_F(VnpuDeviceTest, LoadsArrayProgramsOnly) {
  class OtherImage final : public ArrayImage {};
  EXPECT_EQ(device_->LoadImage(OtherImage()).status().code(), StatusCode::kInvalidArgument);
  DesignSpec npu2 = kPacked;
  npu2.arch = arch::NpuArch::kNpu2;
  EXPECT_EQ(device_->LoadImage(ProgramImage(SharedProgram(npu2))).status().code(),
            StatusCode::kInvalidArgument);
  ArrayProgram unknown = *SharedProgram(kPacked);
  unknown.cores[0].kernels[0].name = "one_s32";
  EXPECT_EQ(device_->LoadImage(ProgramImage(std::make_shared<const ArrayProgram>(unknown)))
                .status()
                .code(),
            StatusCode::kNotFound);
  // Whole products and their weights are for others.
  EXPECT_EQ(device_->Load(core::Problem()).status().code(), StatusCode::kUnimplemented);
  Result<std::unique_ptr<WeightsPayload>> payload = device_->PackWeights(core::Problem(), {});
  ASSERT_TRUE(payload.ok()) << payload.status().ToString();
  EXPECT_EQ((*payload)->bytes(), 0u);
}

// --- Memory ---

TEST_F(VnpuDeviceTest, FreshMemoryIsPoisonOnBothSides) {
  const std::unique_ptr<Buffer> buffer = Allocated(device_.get(), 100);
  const auto poisoned = [&] {
    return std::count(buffer->host(), buffer->host() + 100, std::byte{0xCB});
  };
  EXPECT_EQ(poisoned(), 100);
  std::memset(buffer->host(), 0, 100);
  ASSERT_TRUE(buffer->Sync(SyncDirection::kFromDevice, 0, 100).ok());
  EXPECT_EQ(poisoned(), 100);
}

TEST_F(VnpuDeviceTest, ALaunchBetweenTwoSyncsMultiplies) {
  Job job(device_.get(), executable_.get());
  job.Write(3, -7);
  ASSERT_TRUE(job.SyncIn().ok());
  Fence fence;
  SubmitAndWait(device_.get(), &job, &fence);
  EXPECT_TRUE(fence.status.ok()) << fence.status.ToString();
  ASSERT_TRUE(job.SyncOut().ok());
  EXPECT_EQ(job.C(), AllOf(16 * 3 * -7));
}

TEST_F(VnpuDeviceTest, AForgottenSyncInMultipliesPoison) {
  Job job(device_.get(), executable_.get());
  job.Write(3, -7);
  Fence fence;
  SubmitAndWait(device_.get(), &job, &fence);
  ASSERT_TRUE(job.SyncOut().ok());
  EXPECT_EQ(job.C(), AllOf(16 * kPoison * kPoison));
  // With half of it in, half of it is known.
  ASSERT_TRUE(job.in()->Sync(SyncDirection::kToDevice, 0, kInBytes / 2).ok());
  SubmitAndWait(device_.get(), &job, &fence);
  ASSERT_TRUE(job.SyncOut().ok());
  EXPECT_EQ(job.C(), AllOf(16 * 3 * kPoison));
  // And what comes after the sync stays behind.
  ASSERT_TRUE(job.SyncIn().ok());
  job.Write(1, 1);
  SubmitAndWait(device_.get(), &job, &fence);
  ASSERT_TRUE(job.SyncOut().ok());
  EXPECT_EQ(job.C(), AllOf(16 * 3 * -7));
}

TEST_F(VnpuDeviceTest, AForgottenSyncOutLeavesTheHostAsItWas) {
  Job job(device_.get(), executable_.get());
  job.Write(3, -7);
  ASSERT_TRUE(job.SyncIn().ok());
  std::memset(job.out()->host(), 0x11, kOutBytes);
  Fence fence;
  SubmitAndWait(device_.get(), &job, &fence);
  EXPECT_EQ(job.C(), AllOf(0x11111111));
  ASSERT_TRUE(job.out()->Sync(SyncDirection::kFromDevice, 4, 8).ok());
  std::vector<int32_t> expected = AllOf(0x11111111);
  expected[1] = expected[2] = 16 * 3 * -7;
  EXPECT_EQ(job.C(), expected);
}

TEST_F(VnpuDeviceTest, SyncsStayInBounds) {
  const std::unique_ptr<Buffer> buffer = Allocated(device_.get(), 100);
  for (const SyncDirection direction : {SyncDirection::kToDevice, SyncDirection::kFromDevice}) {
    EXPECT_TRUE(buffer->Sync(direction, 0, 100).ok());
    EXPECT_TRUE(buffer->Sync(direction, 100, 0).ok());
    for (const auto& [offset, bytes] :
         {std::pair<size_t, size_t>{0, 101}, {90, 11}, {101, 0}, {SIZE_MAX, 2}, {1, SIZE_MAX}}) {
      const Status status = buffer->Sync(direction, offset, bytes);
      EXPECT_EQ(status.code(), StatusCode::kInternal) << offset << "+" << bytes;
      EXPECT_NE(status.message().find("out of bounds: sync of"), std::string::npos);
    }
  }
}

TEST_F(VnpuDeviceTest, SlicesAreWindowsInBounds) {
  const std::unique_ptr<Buffer> buffer = Allocated(device_.get(), 100);
  EXPECT_TRUE(buffer->Slice(100, 0).ok());
  EXPECT_FALSE(buffer->Slice(101, 0).ok());
  EXPECT_FALSE(buffer->Slice(99, 2).ok());
  EXPECT_FALSE(buffer->Slice(SIZE_MAX, 2).ok());
  Result<std::unique_ptr<Buffer>> slice = buffer->Slice(40, 20);
  ASSERT_TRUE(slice.ok());
  EXPECT_EQ((*slice)->bytes(), 20u);
  EXPECT_EQ((*slice)->host(), buffer->host() + 40);
  EXPECT_FALSE((*slice)->Sync(SyncDirection::kToDevice, 0, 21).ok());
  EXPECT_FALSE((*slice)->Slice(10, 11).ok());
  Result<std::unique_ptr<Buffer>> inner = (*slice)->Slice(10, 5);
  ASSERT_TRUE(inner.ok());
  EXPECT_EQ((*inner)->host(), buffer->host() + 50);
  // They share the device's bytes, too.
  std::memset(buffer->host(), 1, 100);
  ASSERT_TRUE((*inner)->Sync(SyncDirection::kToDevice, 0, 5).ok());
  ASSERT_TRUE(buffer->Sync(SyncDirection::kFromDevice, 0, 100).ok());
  for (size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(static_cast<int8_t>(buffer->host()[i]), i >= 50 && i < 55 ? 1 : kPoison) << i;
  }
}

TEST_F(VnpuDeviceTest, LaunchesTakeSlicesAndRanges) {
  const std::unique_ptr<Buffer> all = Allocated(device_.get(), 4096);
  std::memset(all->host(), 2, 4096);
  ASSERT_TRUE(all->Sync(SyncDirection::kToDevice, 0, 4096).ok());
  Result<std::unique_ptr<Buffer>> slice = all->Slice(1024, 2048);
  ASSERT_TRUE(slice.ok());
  Job job(device_.get(), executable_.get());
  job.arguments() = {BufferRange{all.get(), 64, kInBytes},
                     BufferRange{slice->get(), 512, kOutBytes}};
  Fence fence;
  SubmitAndWait(device_.get(), &job, &fence);
  ASSERT_TRUE(fence.status.ok()) << fence.status.ToString();
  ASSERT_TRUE(all->Sync(SyncDirection::kFromDevice, 0, 4096).ok());
  std::vector<int32_t> expected(1024, 0x02020202);
  std::fill(expected.begin() + 1536 / 4, expected.begin() + 2560 / 4, 16 * 4);
  EXPECT_EQ(std::memcmp(all->host(), expected.data(), 4096), 0);
}

TEST_F(VnpuDeviceTest, BytesOfALaunchInFlightAreNotSynced) {
  const std::unique_ptr<Buffer> all = Allocated(device_.get(), 4096);
  Job job(device_.get(), executable_.get());
  job.arguments() = {BufferRange{all.get(), 512, kInBytes},
                     BufferRange{all.get(), 2048, kOutBytes}};
  Fence fence;
  ASSERT_EQ(Submit(device_.get(), &job, &fence), SubmitCode::kAccepted);
  Result<std::unique_ptr<Buffer>> slice = all->Slice(3000, 100);
  ASSERT_TRUE(slice.ok());
  for (const SyncDirection direction : {SyncDirection::kToDevice, SyncDirection::kFromDevice}) {
    for (const size_t offset : {size_t{512}, size_t{1023}, size_t{2048}, size_t{3071}}) {
      const Status status = all->Sync(direction, offset, 1);
      EXPECT_EQ(status.code(), StatusCode::kInternal) << offset;
      EXPECT_EQ(status.message(), "sync of bytes that a launch in flight still uses");
    }
    EXPECT_FALSE(all->Sync(direction, 0, 4096).ok());
    EXPECT_FALSE((*slice)->Sync(direction, 0, 100).ok());
    EXPECT_TRUE(all->Sync(direction, 0, 512).ok());
    EXPECT_TRUE(all->Sync(direction, 1024, 1024).ok());
    EXPECT_TRUE(all->Sync(direction, 3072, 1024).ok());
  }
  ASSERT_EQ(device_->queue().Wait(&fence, kLong), WaitCode::kDone);
  EXPECT_TRUE(all->Sync(SyncDirection::kFromDevice, 0, 4096).ok());
}

// --- Queue ---

TEST_F(VnpuDeviceTest, HoldsFourSubmissions) {
  Job job(device_.get(), executable_.get());
  std::array<Fence, 5> fences;
  for (size_t i = 0; i < 4; ++i) {
    ASSERT_EQ(Submit(device_.get(), &job, &fences[i]), SubmitCode::kAccepted) << i;
  }
  const int64_t full_ns = NowNs();
  EXPECT_EQ(full_ns * kPsPerNs, 4 * PsOfUs(Costs().submit_us));
  EXPECT_EQ(Submit(device_.get(), &job, &fences[4]), SubmitCode::kQueueFull);
  EXPECT_EQ(NowNs(), full_ns);
  EXPECT_FALSE(fences[4].done);
  EXPECT_EQ(fences[4].ticket, 0u);

  EXPECT_EQ(device_->queue().WaitForRoom(nanoseconds(100)), WaitCode::kTimeout);
  EXPECT_EQ(NowNs(), full_ns + 100);
  EXPECT_EQ(Submit(device_.get(), &job, &fences[4]), SubmitCode::kQueueFull);
  EXPECT_EQ(device_->queue().WaitForRoom(kLong), WaitCode::kDone);
  const int64_t first_end_ps = PsOfUs(Costs().submit_us) + PsOfUs(Costs().latency_us) + ArrayPs();
  EXPECT_EQ(NowNs(), first_end_ps / kPsPerNs);
  EXPECT_EQ(device_->queue().WaitForRoom(kLong), WaitCode::kDone);
  EXPECT_EQ(NowNs(), first_end_ps / kPsPerNs) << "there was room already";
  EXPECT_EQ(Submit(device_.get(), &job, &fences[4]), SubmitCode::kAccepted);
  EXPECT_EQ(Submit(device_.get(), &job, &fences[0]), SubmitCode::kQueueFull);
}

TEST_F(VnpuDeviceTest, PollDoesNotMoveTheClock) {
  Job job(device_.get(), executable_.get());
  Fence fence;
  ASSERT_EQ(Submit(device_.get(), &job, &fence), SubmitCode::kAccepted);
  const int64_t now_ns = NowNs();
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(device_->queue().Poll(&fence));
  EXPECT_EQ(NowNs(), now_ns);
  EXPECT_FALSE(fence.done);
  // Host work passes the time until it has ended.
  while (NowNs() < now_ns + 1000000) device_->clock().ChargeHost(HostWork::kCall, 0, 1);
  const int64_t later_ns = NowNs();
  EXPECT_TRUE(device_->queue().Poll(&fence));
  EXPECT_TRUE(fence.done);
  EXPECT_EQ(NowNs(), later_ns);
  EXPECT_EQ(device_->queue().Wait(&fence, nanoseconds(0)), WaitCode::kDone);
  EXPECT_EQ(NowNs(), later_ns);
}

TEST_F(VnpuDeviceTest, WaitsNoLongerThanItsLimit) {
  Job job(device_.get(), executable_.get());
  Fence fence;
  ASSERT_EQ(Submit(device_.get(), &job, &fence), SubmitCode::kAccepted);
  const int64_t submitted_ns = NowNs();
  const int64_t end_ns =
      SeenNs(PsOfUs(Costs().submit_us) + PsOfUs(Costs().latency_us) + ArrayPs()) - submitted_ns;
  EXPECT_EQ(device_->queue().Wait(&fence, nanoseconds(1234)), WaitCode::kTimeout);
  EXPECT_EQ(NowNs(), submitted_ns + 1234);
  EXPECT_FALSE(fence.done);
  EXPECT_EQ(device_->queue().Wait(&fence, nanoseconds(0)), WaitCode::kTimeout);
  EXPECT_EQ(device_->queue().Wait(&fence, nanoseconds(end_ns - 1234 - 1)), WaitCode::kTimeout);
  EXPECT_EQ(NowNs(), submitted_ns + end_ns - 1);
  EXPECT_EQ(device_->queue().Wait(&fence, nanoseconds(1)), WaitCode::kDone);
  EXPECT_EQ(NowNs(), submitted_ns + end_ns);
  EXPECT_TRUE(fence.done);
  EXPECT_TRUE(fence.status.ok());
}

// --- Time of launches ---

TEST_F(VnpuDeviceTest, SingleLaunchesFollowEachOther) {
  Job job(device_.get(), executable_.get());
  std::array<Fence, 3> fences;
  for (Fence& fence : fences) {
    ASSERT_EQ(Submit(device_.get(), &job, &fence), SubmitCode::kAccepted);
  }
  EXPECT_EQ(NowNs() * kPsPerNs, 3 * PsOfUs(Costs().submit_us));
  int64_t end_ps = PsOfUs(Costs().submit_us) + PsOfUs(Costs().latency_us) + ArrayPs();
  for (Fence& fence : fences) {
    ASSERT_EQ(device_->queue().Wait(&fence, kLong), WaitCode::kDone);
    EXPECT_EQ(NowNs(), SeenNs(end_ps));
    end_ps += PsOfUs(Costs().serial_us) + ArrayPs();
  }
  // Idle again, for long: the next one starts a latency after it is submitted.
  device_->clock().ChargeHost(HostWork::kCall, 0, 1000);
  const int64_t now_ns = NowNs();
  SubmitAndWait(device_.get(), &job, fences.data());
  EXPECT_NEAR(
      static_cast<double>(NowNs() - now_ns) * 1e3,
      static_cast<double>(PsOfUs(Costs().submit_us) + PsOfUs(Costs().latency_us) + ArrayPs()),
      2000);
}

TEST_F(VnpuDeviceTest, RunsOfAChainFollowEachOtherFaster) {
  Job job(device_.get(), executable_.get());
  const std::vector<Launch> chain(5, job.launch());
  std::array<Fence, 2> fences;
  const int64_t host_ps =
      PsOfUs(Costs().submit_us + Costs().chain_build_us + (5 * Costs().chain_run_us));
  ASSERT_EQ(device_->queue().TrySubmit(chain, fences.data()), SubmitCode::kAccepted);
  EXPECT_EQ(NowNs(), host_ps / kPsPerNs);
  ASSERT_EQ(device_->queue().TrySubmit(chain, &fences[1]), SubmitCode::kAccepted);
  EXPECT_EQ(NowNs(), 2 * host_ps / kPsPerNs);

  const int64_t chain_ps = (5 * ArrayPs()) + (4 * PsOfUs(Costs().chain_run_serial_us));
  const int64_t first_end_ps = host_ps + PsOfUs(Costs().latency_us) + chain_ps;
  ASSERT_EQ(device_->queue().Wait(fences.data(), kLong), WaitCode::kDone);
  EXPECT_EQ(NowNs(), SeenNs(first_end_ps));
  ASSERT_EQ(device_->queue().Wait(&fences[1], kLong), WaitCode::kDone);
  EXPECT_EQ(NowNs(), SeenNs(first_end_ps + chain_ps +
                            PsOfUs(Costs().chain_serial_us + Costs().chain_run_serial_us)));
}

TEST_F(VnpuDeviceTest, ChainsOfAsManyJobsAsThereAre) {
  std::vector<std::unique_ptr<Job>> jobs;
  std::vector<Launch> chain;
  for (int8_t i = 0; i < static_cast<int8_t>(kMaxChainLaunches); ++i) {
    jobs.push_back(std::make_unique<Job>(device_.get(), executable_.get()));
    jobs.back()->Write(i, 2);
    ASSERT_TRUE(jobs.back()->SyncIn().ok());
    chain.push_back(jobs.back()->launch());
  }
  Fence fence;
  ASSERT_EQ(device_->queue().TrySubmit(chain, &fence), SubmitCode::kAccepted);
  ASSERT_EQ(device_->queue().Wait(&fence, kLong), WaitCode::kDone);
  EXPECT_TRUE(fence.status.ok()) << fence.status.ToString();
  for (size_t i = 0; i < jobs.size(); ++i) {
    ASSERT_TRUE(jobs[i]->SyncOut().ok());
    EXPECT_EQ(jobs[i]->C(), AllOf(static_cast<int32_t>(32 * i))) << i;
  }
}

TEST_F(VnpuDeviceTest, AnotherConfigurationTakesTime) {
  const std::unique_ptr<Executable> larger = Loaded(device_.get(), kLarger);
  Job job(device_.get(), executable_.get());
  Job larger_job(device_.get(), larger.get(), kLarger);
  larger_job.Write(1, 1);
  ASSERT_TRUE(larger_job.SyncIn().ok());
  Fence fence;
  const auto took_us = [&](Job* each) {
    const int64_t before_ns = NowNs();
    SubmitAndWait(device_.get(), each, &fence);
    EXPECT_TRUE(fence.status.ok()) << fence.status.ToString();
    return static_cast<double>(NowNs() - before_ns) / 1e3;
  };
  // Long enough that no launch counts as queued behind the one before.
  const auto rest = [&] { device_->clock().ChargeHost(HostWork::kCall, 0, 1000); };
  const double first = took_us(&job);
  rest();
  EXPECT_NEAR(took_us(&job), first, 0.01);
  rest();
  const double larger_first = took_us(&larger_job);
  rest();
  const double larger_second = took_us(&larger_job);
  EXPECT_NEAR(larger_first, larger_second + Costs().reconfigure_us, 0.01);
  rest();
  EXPECT_NEAR(took_us(&job), first + Costs().reconfigure_us, 0.01);
  ASSERT_TRUE(larger_job.SyncOut().ok());
  EXPECT_EQ(larger_job.C(), AllOf(32, 1024));
  // A chain has one.
  const std::vector<Launch> chain{job.launch(), larger_job.launch(), job.launch()};
  const int64_t before_ns = NowNs();
  EXPECT_EQ(device_->queue().TrySubmit(chain, &fence), SubmitCode::kRejected);
  EXPECT_EQ(fence.status.message(), "a chain of launches of different configurations");
  EXPECT_EQ(NowNs(), before_ns);
}

TEST_F(VnpuDeviceTest, FencesTellKernelTime) {
  const profile::KernelModel* model = Phoenix().FindModel(Phoenix().vector_model, "s32");
  ASSERT_NE(model, nullptr);
  const double matmul_ns = model->CyclesOf(16, 16, 16) / Phoenix().clock_ghz;
  const double zero_ns = kOutBytes / Phoenix().core.zero_bytes_per_cycle / Phoenix().clock_ghz;
  Job job(device_.get(), executable_.get());
  Fence fence;
  SubmitAndWait(device_.get(), &job, &fence);  // Clears C for the second launch already.
  SubmitAndWait(device_.get(), &job, &fence);
  EXPECT_NEAR(static_cast<double>(fence.kernel_ns), matmul_ns + zero_ns, 1);
  const std::vector<Launch> chain(7, job.launch());
  ASSERT_EQ(device_->queue().TrySubmit(chain, &fence), SubmitCode::kAccepted);
  ASSERT_EQ(device_->queue().Wait(&fence, kLong), WaitCode::kDone);
  EXPECT_NEAR(static_cast<double>(fence.kernel_ns), 7 * (matmul_ns + zero_ns), 1);
}

// --- Failures ---

TEST_F(VnpuDeviceTest, AChainStopsAtItsFirstFailure) {
  std::vector<std::unique_ptr<Job>> jobs;
  std::vector<Launch> chain;
  for (int8_t i = 1; i <= 3; ++i) {
    jobs.push_back(std::make_unique<Job>(device_.get(), executable_.get()));
    jobs.back()->Write(i, 1);
    ASSERT_TRUE(jobs.back()->SyncIn().ok());
  }
  jobs[1]->arguments()[0].bytes -= 4;
  for (const auto& job : jobs) chain.push_back(job->launch());
  Fence fence;
  ASSERT_EQ(device_->queue().TrySubmit(chain, &fence), SubmitCode::kAccepted);
  ASSERT_EQ(device_->queue().Wait(&fence, kLong), WaitCode::kDone);
  EXPECT_EQ(fence.status.code(), StatusCode::kInternal);
  EXPECT_NE(fence.status.message().find("out of bounds: shim (0,0) MM2S 0"), std::string::npos)
      << fence.status.message();
  const int64_t end_ns = NowNs();
  for (const auto& job : jobs) ASSERT_TRUE(job->SyncOut().ok());
  EXPECT_EQ(jobs[0]->C(), AllOf(16));
  EXPECT_EQ(jobs[1]->C(), AllOf(kPoisonWord));
  EXPECT_EQ(jobs[2]->C(), AllOf(kPoisonWord));
  // The second failed as soon as its input's task began; the third took no time.
  const int64_t host_ps =
      PsOfUs(Costs().submit_us + Costs().chain_build_us + (3 * Costs().chain_run_us));
  const int64_t start_of_second_ps =
      host_ps + PsOfUs(Costs().latency_us) + ArrayPs() + PsOfUs(Costs().chain_run_serial_us);
  EXPECT_GT(end_ns * kPsPerNs, start_of_second_ps);
  EXPECT_LT(end_ns * kPsPerNs, start_of_second_ps + ArrayPs());

  jobs[1]->arguments()[0].bytes += 4;
  chain[1] = jobs[1]->launch();
  ASSERT_EQ(device_->queue().TrySubmit(chain, &fence), SubmitCode::kAccepted);
  ASSERT_EQ(device_->queue().Wait(&fence, kLong), WaitCode::kDone);
  EXPECT_TRUE(fence.status.ok()) << fence.status.ToString();
  for (int32_t i = 0; i < 3; ++i) {
    Job& job = *jobs[static_cast<size_t>(i)];
    ASSERT_TRUE(job.SyncOut().ok());
    EXPECT_EQ(job.C(), AllOf(16 * (i + 1)));
  }
}

TEST_F(VnpuDeviceTest, DeadlocksAreReportedAfterTheRecovery) {
  Job job(device_.get(), executable_.get());
  job.SetStream(StuckStream());
  Fence fence;
  ASSERT_EQ(Submit(device_.get(), &job, &fence), SubmitCode::kAccepted);
  const int64_t submitted_ns = NowNs();
  const auto recovery_ns = static_cast<int64_t>(Costs().recovery_us * 1e3);
  EXPECT_EQ(device_->queue().Wait(&fence, nanoseconds(recovery_ns)), WaitCode::kTimeout);
  EXPECT_FALSE(device_->queue().Poll(&fence));
  EXPECT_FALSE(job.SyncOut().ok()) << "the device may still write";
  ASSERT_EQ(device_->queue().Wait(&fence, nanoseconds(recovery_ns)), WaitCode::kDone);
  // Two seconds without progress, after latency and what progress there was.
  const int64_t took_ps = (NowNs() - submitted_ns - recovery_ns) * kPsPerNs;
  EXPECT_GT(took_ps, PsOfUs(Costs().latency_us));
  EXPECT_LT(took_ps, PsOfUs(Costs().latency_us) + ArrayPs());
  EXPECT_EQ(fence.status.code(), StatusCode::kInternal);
  EXPECT_EQ(fence.status.message().rfind("deadlock at ", 0), 0u) << fence.status.message();

  Job good(device_.get(), executable_.get());
  good.Write(5, 5);
  ASSERT_TRUE(good.SyncIn().ok());
  SubmitAndWait(device_.get(), &good, &fence);
  EXPECT_TRUE(fence.status.ok()) << fence.status.ToString();
  ASSERT_TRUE(good.SyncOut().ok());
  EXPECT_EQ(good.C(), AllOf(16 * 25));
}

TEST_F(VnpuDeviceTest, WhatIsQueuedBehindADeadlockStillRuns) {
  Job stuck(device_.get(), executable_.get());
  stuck.SetStream(StuckStream());
  Job good(device_.get(), executable_.get());
  good.Write(2, 3);
  ASSERT_TRUE(good.SyncIn().ok());
  std::array<Fence, 2> fences;
  ASSERT_EQ(Submit(device_.get(), &stuck, fences.data()), SubmitCode::kAccepted);
  ASSERT_EQ(Submit(device_.get(), &good, &fences[1]), SubmitCode::kAccepted);
  ASSERT_EQ(device_->queue().Wait(&fences[1], kLong), WaitCode::kDone);
  EXPECT_TRUE(fences[1].status.ok()) << fences[1].status.ToString();
  EXPECT_GT(static_cast<double>(NowNs()) / 1e3, Costs().recovery_us);
  EXPECT_TRUE(device_->queue().Poll(fences.data()));
  EXPECT_FALSE(fences[0].status.ok());
  ASSERT_TRUE(good.SyncOut().ok());
  EXPECT_EQ(good.C(), AllOf(16 * 6));
}

class Stranger final : public Executable {
 public:
  std::string_view kernel_name() const override { return "stranger"; }
};

TEST_F(VnpuDeviceTest, ForeignersAreRejected) {
  const std::unique_ptr<Device> other = Opened();
  const std::unique_ptr<Executable> other_executable = Loaded(other.get());
  const std::unique_ptr<Buffer> other_buffer = Allocated(other.get(), kOutBytes);
  const Stranger stranger;
  Job job(device_.get(), executable_.get());
  const Launch good = job.launch();
  const auto refusal = [&] {
    Fence fence;
    const std::vector<Launch> chain{good, job.launch()};
    EXPECT_EQ(device_->queue().TrySubmit(chain, &fence), SubmitCode::kRejected);
    EXPECT_EQ(Submit(device_.get(), &job, &fence), SubmitCode::kRejected);
    EXPECT_TRUE(fence.done);
    EXPECT_EQ(fence.status.code(), StatusCode::kInternal);
    return fence.status.message();
  };
  for (const Executable* executable :
       std::initializer_list<const Executable*>{nullptr, other_executable.get(), &stranger}) {
    job.launch().executable = executable;
    EXPECT_EQ(refusal(), "a launch without a configuration of this device");
  }
  job.launch() = good;
  // In an array of its own, as the good launch of the chain points to the job's.
  std::array<BufferRange, 2> bad = job.arguments();
  job.launch().arguments = bad;
  for (Buffer* buffer : std::initializer_list<Buffer*>{nullptr, other_buffer.get()}) {
    bad[1].buffer = buffer;
    EXPECT_EQ(refusal(), "a launch with a buffer of no or another device");
  }
  for (const auto& [offset, bytes] : {std::pair<size_t, size_t>{0, kOutBytes + 1},
                                      {1, kOutBytes},
                                      {SIZE_MAX, 2},
                                      {1, SIZE_MAX}}) {
    bad[1] = {job.out(), offset, bytes};
    EXPECT_NE(refusal().find("of a buffer of 1024 bytes"), std::string::npos);
  }
  const std::vector<BufferRange> crowd(kMaxLaunchArguments + 1, job.arguments()[0]);
  job.launch().arguments = crowd;
  EXPECT_EQ(refusal(), "a launch with 7 buffers; at most 6");
  // Nothing has happened: no time, nothing in flight.
  EXPECT_EQ(NowNs(), 0);
  EXPECT_TRUE(job.SyncOut().ok());
  EXPECT_EQ(job.C(), AllOf(kPoisonWord));
}

// --- Same again ---

std::vector<int64_t> TimesOfAWorkload() {
  const std::unique_ptr<Device> device = Opened();
  const std::unique_ptr<Executable> executable = Loaded(device.get());
  const std::unique_ptr<Executable> larger = Loaded(device.get(), kLarger);
  Job job(device.get(), executable.get());
  Job larger_job(device.get(), larger.get(), kLarger);
  std::vector<int64_t> times;
  std::array<Fence, 4> fences;
  for (size_t round = 0; round < 20; ++round) {
    for (size_t i = 0; i < 4; ++i) {
      Job& each = (round + i) % 3 == 0 ? larger_job : job;
      const std::vector<Launch> launches(1 + ((round * i) % 4), each.launch());
      EXPECT_EQ(device->queue().TrySubmit(launches, &fences[i]), SubmitCode::kAccepted);
      times.push_back(device->clock().NowNs());
      device->clock().ChargeHost(HostWork::kPack, static_cast<int64_t>(777 * round), 3);
    }
    for (Fence& fence : fences) {
      EXPECT_EQ(device->queue().Wait(&fence, kLong), WaitCode::kDone);
      times.push_back(device->clock().NowNs());
      times.push_back(fence.kernel_ns);
    }
  }
  return times;
}

TEST(VnpuDevicesTest, EqualDevicesTellEqualTimes) {
  EXPECT_EQ(TimesOfAWorkload(), TimesOfAWorkload());
}

// --- Measured host time ---

constexpr int64_t kSpinNs = 30000000;
// Kernels that take this machine long to compute, and as long as ever on the device.
std::vector<KernelEntry> SlowKernels() {
  std::vector<KernelEntry> kernels(PlainKernels().begin(), PlainKernels().end());
  for (KernelEntry& entry : kernels) {
    if (entry.name != "matmul_vector_s8_s32") continue;
    entry.run = [](const program::Kernel& kernel, std::span<std::byte* const> arguments,
                   std::span<const uint32_t> scalars) {
      const int64_t until_ns = base::WallNowNs() + kSpinNs;
      while (base::WallNowNs() < until_ns) {
      }
      FindKernel(PlainKernels(), kernel.name)->run(kernel, arguments, scalars);
    };
  }
  return kernels;
}

TEST(VnpuDevicesTest, MeasuredTimeLeavesTheSimulationOut) {
  const std::vector<KernelEntry> kernels = SlowKernels();
  const std::unique_ptr<Device> device = OpenVnpu({Phoenix(), HostTime::kMeasured, kernels});
  const std::unique_ptr<Executable> executable = Loaded(device.get());
  Job job(device.get(), executable.get());
  job.Write(2, 2);
  ASSERT_TRUE(job.SyncIn().ok());
  // The least of several tries: a busy machine may pause the test between two readings.
  int64_t least_ns = kSpinNs;
  Fence fence;
  for (int i = 0; i < 5; ++i) {
    const int64_t wall_ns = base::WallNowNs();
    const int64_t before_ns = device->clock().NowNs();
    ASSERT_EQ(Submit(device.get(), &job, &fence), SubmitCode::kAccepted);
    least_ns = std::min(least_ns, device->clock().NowNs() - before_ns);
    EXPECT_GE(base::WallNowNs() - wall_ns, kSpinNs) << "the kernel of the table must run";
    ASSERT_EQ(device->queue().Wait(&fence, kLong), WaitCode::kDone);
    EXPECT_GE(device->clock().NowNs() - before_ns,
              (PsOfUs(Costs().latency_us) + ArrayPs()) / kPsPerNs)
        << "the wait is skipped, not left out";
  }
  EXPECT_LT(least_ns, kSpinNs / 10);
  ASSERT_TRUE(job.SyncOut().ok());
  EXPECT_EQ(job.C(), AllOf(16 * 4));
}

// --- Threads ---

TEST_F(VnpuDeviceTest, TwoThreadsSubmitAtOnce) {
  constexpr int kRounds = 200;
  std::atomic<int> wrong{0};
  const auto work = [&](int8_t a) {
    // Each with a configuration of its own, so that they also take turns on the array.
    const std::unique_ptr<Executable> executable = Loaded(device_.get());
    Job job(device_.get(), executable.get());
    for (int round = 0; round < kRounds; ++round) {
      const auto b = static_cast<int8_t>(round % 100);
      job.Write(a, b);
      Fence fence;
      bool ok = job.SyncIn().ok();
      SubmitCode code = Submit(device_.get(), &job, &fence);
      while (code == SubmitCode::kQueueFull) {
        ok = ok && device_->queue().WaitForRoom(kLong) == WaitCode::kDone;
        code = Submit(device_.get(), &job, &fence);
      }
      ok = ok && code == SubmitCode::kAccepted &&
           device_->queue().Wait(&fence, kLong) == WaitCode::kDone && fence.status.ok() &&
           job.SyncOut().ok() && job.C() == AllOf(16 * a * b);
      if (!ok) ++wrong;
    }
  };
  std::thread other(work, int8_t{-3});
  work(7);
  other.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(VnpuDeviceTest, ThreadsShareTheFourSlots) {
  constexpr int kRounds = 100;
  std::atomic<int> accepted{0};
  std::atomic<int> wrong{0};
  const auto work = [&] {
    Job job(device_.get(), executable_.get());
    std::array<Fence, 3> fences;
    for (int round = 0; round < kRounds; ++round) {
      int mine = 0;
      for (Fence& fence : fences) {
        const SubmitCode code = Submit(device_.get(), &job, &fence);
        if (code == SubmitCode::kRejected) ++wrong;
        if (code != SubmitCode::kAccepted) break;
        ++mine;
      }
      accepted += mine;
      for (int i = 0; i < mine; ++i) {
        Fence& fence = fences[static_cast<size_t>(i)];
        if (device_->queue().Wait(&fence, kLong) != WaitCode::kDone) ++wrong;
        if (!fence.done || !fence.status.ok()) ++wrong;
      }
    }
  };
  std::thread other(work);
  work();
  other.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(accepted, kRounds);
}

}  // namespace
}  // namespace tilewave::device::vnpu
