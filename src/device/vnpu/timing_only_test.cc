// A virtual NPU that only times: no bytes, the same clock.

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "device/validating_device.h"
#include "device/vnpu/vnpu_device.h"
#include "program/lower.h"
#include "program/stream.h"
#include "program/whole_array_launch.h"
#include "tests/support/vnpu_samples.h"

namespace tilewave::device::vnpu {
namespace {

using program::ArrayProgram;
using program::DesignFamily;
using program::DesignSpec;
using program::ImageLayout;
using program::ProductShape;
using program::TileOutput;

DesignSpec WholeArray(TileOutput output = TileOutput::kS32) {
  DesignSpec spec;
  spec.family = DesignFamily::kWholeArray;
  spec.columns = 4;
  spec.output = output;
  return spec;
}

std::unique_ptr<Device> Opened(bool timing_only, const profile::Profile& profile = Phoenix()) {
  VnpuOptions options;
  options.profile = profile;
  options.timing_only = timing_only;
  return OpenVnpu(std::move(options));
}

// One product from submission to end on a device; what the clock says then.
Result<int64_t> EndNs(Device* device, const DesignSpec& spec, const ProductShape& shape) {
  const auto program = std::make_shared<const ArrayProgram>(*program::Lower(spec));
  Result<std::unique_ptr<Executable>> executable = device->LoadImage(ProgramImage(program));
  if (!executable.ok()) return executable.status();
  const ImageLayout layout = *program::ImageLayoutOf(spec, shape);
  const std::vector<uint32_t> stream = *program::EncodeStream(
      *program::WholeArraySequence(*program, shape, layout), arch::NpuOf(spec.arch));
  std::vector<std::unique_ptr<Buffer>> buffers;
  std::array<BufferRange, 3> arguments;
  for (const int64_t bytes : {layout.a_bytes, layout.b_bytes, layout.c_bytes}) {
    Result<std::unique_ptr<Buffer>> buffer = device->Allocate(static_cast<size_t>(bytes));
    if (!buffer.ok()) return buffer.status();
    arguments[buffers.size()] = {buffer->get(), 0, static_cast<size_t>(bytes)};
    buffers.push_back(*std::move(buffer));
  }
  for (size_t i = 0; i < 2; ++i) {
    const Status s = buffers[i]->Sync(SyncDirection::kToDevice, 0, buffers[i]->bytes());
    if (!s.ok()) return s;
  }
  Launch launch{executable->get(), nullptr, nullptr, nullptr, stream, arguments};
  Fence fence;
  if (device->queue().TrySubmit({&launch, 1}, &fence) != SubmitCode::kAccepted) {
    return fence.status;
  }
  const Status in_flight = buffers[2]->Sync(SyncDirection::kFromDevice, 0, 1);
  EXPECT_NE(in_flight.message().find("in flight"), std::string::npos) << in_flight.ToString();
  device->queue().Wait(&fence, std::chrono::hours(1));
  if (!fence.status.ok()) return fence.status;
  const Status s = buffers[2]->Sync(SyncDirection::kFromDevice, 0, buffers[2]->bytes());
  if (!s.ok()) return s;
  EXPECT_GT(fence.kernel_ns, 0);
  return device->clock().NowNs();
}

TEST(TimingOnlyTest, SaysSo) {
  EXPECT_EQ(VnpuDeviceInfo(Phoenix(), HostTime::kCharged, true).name, "vnpu:phoenix:timing");
  EXPECT_EQ(VnpuDeviceInfo(Phoenix(), HostTime::kMeasured, true).name, "vnpu:phoenix:timing:host");
  const DeviceInfo info = Opened(true)->info();
  EXPECT_EQ(info.name, "vnpu:phoenix:timing");
  EXPECT_NE(info.description.find("no results"), std::string::npos) << info.description;
  EXPECT_EQ(Opened(false)->info().name, "vnpu:phoenix");
}

TEST(TimingOnlyTest, TellsTheTimesOfADeviceWithBytes) {
  const ProductShape shape{1, 300, 200, 500, false, false, {}};
  const Result<int64_t> with_bytes = EndNs(Opened(false).get(), WholeArray(), shape);
  const Result<int64_t> timed = EndNs(Opened(true).get(), WholeArray(), shape);
  ASSERT_TRUE(with_bytes.ok()) << with_bytes.status().ToString();
  ASSERT_TRUE(timed.ok()) << timed.status().ToString();
  EXPECT_EQ(*with_bytes, *timed);
}

TEST(TimingOnlyTest, BuffersHaveASizeAndNoBytes) {
  const std::unique_ptr<Device> device = Opened(true);
  // More than any machine has.
  Result<std::unique_ptr<Buffer>> buffer = device->Allocate(size_t{1} << 50);
  ASSERT_TRUE(buffer.ok());
  EXPECT_EQ((*buffer)->host(), nullptr);
  EXPECT_EQ((*buffer)->bytes(), size_t{1} << 50);
  Result<std::unique_ptr<Buffer>> slice = (*buffer)->Slice(64, 100);
  ASSERT_TRUE(slice.ok());
  EXPECT_EQ((*slice)->host(), nullptr);
  EXPECT_TRUE((*slice)->Sync(SyncDirection::kToDevice, 0, 100).ok());
  EXPECT_FALSE((*slice)->Sync(SyncDirection::kToDevice, 1, 100).ok());
}

TEST(TimingOnlyTest, WorksBehindTheValidatingDevice) {
  const std::unique_ptr<Device> device = MakeValidatingDevice(Opened(true));
  const Result<int64_t> end_ns =
      EndNs(device.get(), WholeArray(), {1, 64, 64, 64, false, false, {}});
  EXPECT_TRUE(end_ns.ok()) << end_ns.status().ToString();
}

TEST(TimingOnlyTest, StillRefusesWhatNeedsNoBytes) {
  // Images of a larger product than the buffers hold.
  const std::unique_ptr<Device> device = Opened(true);
  const DesignSpec spec = WholeArray(TileOutput::kS8);
  ProductShape shape{1, 64, 64, 64, false, false, {}};
  shape.requant.shift = 99;
  const Result<int64_t> end_ns = EndNs(device.get(), spec, shape);
  EXPECT_EQ(end_ns.status().message(),
            "kernel requantise_s32_s8 is called with shift = 99; expected 0 to 31");
}

TEST(TimingOnlyTest, TimesWhatNobodyComputes) {
  profile::Profile profile = Phoenix();
  for (const char* output : {"s8", "s16"}) {
    profile.kernel_models.push_back({profile.vector_model, output, 200, 0, 0});
  }
  const ProductShape shape{1, 256, 256, 256, false, false, {}};
  for (const TileOutput output : {TileOutput::kS16, TileOutput::kS8Lossy, TileOutput::kS16Lossy}) {
    const Result<int64_t> refused = EndNs(Opened(false, profile).get(), WholeArray(output), shape);
    EXPECT_EQ(refused.status().code(), StatusCode::kUnimplemented);
    EXPECT_NE(refused.status().message().find("can be timed but computes nothing"),
              std::string::npos)
        << refused.status().ToString();
    const Result<int64_t> timed = EndNs(Opened(true, profile).get(), WholeArray(output), shape);
    EXPECT_TRUE(timed.ok()) << timed.status().ToString();
  }
}

}  // namespace
}  // namespace tilewave::device::vnpu
