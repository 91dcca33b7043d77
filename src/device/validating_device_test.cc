#include "device/validating_device.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/fake_device.h"

namespace tilewave::device {
namespace {

class ValidatingDeviceTest : public ::testing::Test {
 protected:
  std::unique_ptr<Device> Make() { return MakeValidatingDevice(testing::MakeFakeDevice(fake_)); }

  /// The refusal of a submission, or "" if it went through.
  static std::string Refusal(Device* device, std::span<const Launch> launches, Fence* fence) {
    const SubmitCode code = device->queue().TrySubmit(launches, fence);
    if (code != SubmitCode::kRejected) return "";
    EXPECT_EQ(fence->status.code(), StatusCode::kInternal);
    return fence->status.message();
  }

  std::shared_ptr<testing::FakeBehaviour> fake_ = std::make_shared<testing::FakeBehaviour>();
  core::Problem problem_;
  core::Operands operands_;
};

TEST_F(ValidatingDeviceTest, FreshBuffersArePoisonedAndGuarded) {
  const std::unique_ptr<Device> device = Make();
  Result<std::unique_ptr<Buffer>> made = device->Allocate(100);
  ASSERT_TRUE(made.ok());
  Buffer& buffer = **made;
  ASSERT_EQ(buffer.bytes(), 100U);
  EXPECT_TRUE(std::all_of(buffer.host(), buffer.host() + 100,
                          [](std::byte b) { return b == std::byte{kPoisonByte}; }));
  EXPECT_TRUE(buffer.Sync(SyncDirection::kToDevice, 0, 100).ok());
  buffer.host()[100] = std::byte{0};
  const Status status = buffer.Sync(SyncDirection::kFromDevice, 0, 1);
  EXPECT_EQ(status.code(), StatusCode::kInternal);
  EXPECT_EQ(status.message(), "a write ran past the end of a device buffer");
}

TEST_F(ValidatingDeviceTest, RangesMustLieInside) {
  const std::unique_ptr<Device> device = Make();
  Result<std::unique_ptr<Buffer>> made = device->Allocate(100);
  ASSERT_TRUE(made.ok());
  Buffer& buffer = **made;
  EXPECT_FALSE(buffer.Sync(SyncDirection::kToDevice, 90, 11).ok());
  EXPECT_FALSE(buffer.Sync(SyncDirection::kToDevice, SIZE_MAX, 2).ok());
  EXPECT_FALSE(buffer.Slice(101, 0).ok());
  EXPECT_EQ(buffer.Slice(40, 20).status().message(),
            "a slice at byte 40 of a buffer; expected a multiple of 64");
  Result<std::unique_ptr<Buffer>> slice = buffer.Slice(64, 20);
  ASSERT_TRUE(slice.ok());
  EXPECT_EQ((*slice)->bytes(), 20U);
  EXPECT_EQ((*slice)->host(), buffer.host() + 64);
  EXPECT_TRUE((*slice)->Sync(SyncDirection::kToDevice, 0, 20).ok());
  EXPECT_FALSE((*slice)->Sync(SyncDirection::kToDevice, 0, 21).ok());
}

TEST_F(ValidatingDeviceTest, LaunchesMustBeWholeAndOfThisDevice) {
  const std::unique_ptr<Device> device = Make();
  const std::unique_ptr<Device> other = Make();
  Result<std::unique_ptr<Executable>> own = device->Load(problem_);
  Result<std::unique_ptr<Executable>> foreign = other->Load(problem_);
  ASSERT_TRUE(own.ok() && foreign.ok());
  Launch launch{own->get(), &operands_, nullptr, nullptr, {}};
  Fence fence;
  EXPECT_EQ(Refusal(device.get(), {&launch, 1}, &fence), "");
  EXPECT_EQ(Refusal(device.get(), {&launch, 1}, &fence),
            "a fence was used again while its submission was pending");
  fence = {};
  EXPECT_EQ(Refusal(device.get(), {}, &fence), "a submission without launches");
  launch.operands = nullptr;
  EXPECT_EQ(Refusal(device.get(), {&launch, 1}, &fence), "a launch without operands");
  launch = {foreign->get(), &operands_, nullptr, nullptr, {}};
  EXPECT_EQ(Refusal(device.get(), {&launch, 1}, &fence),
            "a launch without an executable of this device");
  launch.executable = nullptr;
  EXPECT_EQ(Refusal(device.get(), {&launch, 1}, &fence),
            "a launch without an executable of this device");
  const std::vector<Launch> chain(25, Launch{own->get(), &operands_, nullptr, nullptr, {}});
  EXPECT_EQ(Refusal(device.get(), chain, &fence), "a chain of 25 launches; at most 24");
  EXPECT_EQ(fake_->submissions, 1);
}

TEST_F(ValidatingDeviceTest, ArgumentsMustLieInsideBuffersOfADevice) {
  const std::unique_ptr<Device> device = Make();
  Result<std::unique_ptr<Executable>> executable = device->Load(problem_);
  Result<std::unique_ptr<Buffer>> buffer = device->Allocate(100);
  ASSERT_TRUE(executable.ok() && buffer.ok());
  std::vector<BufferRange> arguments = {{buffer->get(), 0, 100}, {buffer->get(), 99, 1}};
  const Launch launch{executable->get(), &operands_, nullptr, nullptr, {}, arguments};
  Fence fence;
  EXPECT_EQ(Refusal(device.get(), {&launch, 1}, &fence), "");
  fence = {};
  arguments[1].bytes = 2;
  EXPECT_EQ(Refusal(device.get(), {&launch, 1}, &fence),
            "a launch with argument [99, +2) of a buffer of 100 bytes");
  arguments[1].buffer = nullptr;
  EXPECT_EQ(Refusal(device.get(), {&launch, 1}, &fence),
            "a launch with an argument that is no buffer of a device");
  arguments.resize(7);
  const Launch crowded{executable->get(), &operands_, nullptr, nullptr, {}, arguments};
  EXPECT_EQ(Refusal(device.get(), {&crowded, 1}, &fence), "a launch with 7 arguments; at most 6");
}

TEST_F(ValidatingDeviceTest, WeightsMustMatchTheExecutable) {
  const std::unique_ptr<Device> device = Make();
  const std::unique_ptr<Device> other = Make();
  Result<std::unique_ptr<Executable>> plain = device->Load(problem_);
  problem_.b_prepacked = true;
  Result<std::unique_ptr<Executable>> prepacked = device->Load(problem_);
  Result<std::unique_ptr<WeightsPayload>> own = device->PackWeights(problem_, operands_);
  Result<std::unique_ptr<WeightsPayload>> foreign = other->PackWeights(problem_, operands_);
  ASSERT_TRUE(plain.ok() && prepacked.ok() && own.ok() && foreign.ok());
  EXPECT_EQ((*own)->bytes(), 100U);
  Fence fence;
  Launch launch{prepacked->get(), &operands_, nullptr, nullptr, {}};
  EXPECT_EQ(Refusal(device.get(), {&launch, 1}, &fence),
            "a launch whose weights do not match its executable");
  launch = {plain->get(), &operands_, own->get(), nullptr, {}};
  EXPECT_EQ(Refusal(device.get(), {&launch, 1}, &fence),
            "a launch whose weights do not match its executable");
  launch = {prepacked->get(), &operands_, foreign->get(), nullptr, {}};
  EXPECT_EQ(Refusal(device.get(), {&launch, 1}, &fence),
            "a launch with weights packed for another device");
  launch.weights = own->get();
  EXPECT_EQ(Refusal(device.get(), {&launch, 1}, &fence), "");
}

}  // namespace
}  // namespace tilewave::device
