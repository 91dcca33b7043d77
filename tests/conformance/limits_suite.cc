// What a device has little of, and what it refuses.

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "arch/npu.h"
#include "tests/conformance/conformance_case.h"
#include "tests/conformance/rig.h"

namespace tilewave::conformance {
namespace {

using device::Fence;
using device::Launch;
using device::SubmitCode;
using device::WaitCode;

/// Tries so often to fill a queue.
constexpr int kTries = 64;
/// Long enough on hardware that launches pile up.
constexpr int64_t kLongSteps = 32;

CONFORMANCE_CASE(limits, AFullQueueSaysSo) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(product, Product::Make(rig.get(), kLongSteps));
  product->Fill(1);
  CONFORMANCE_OK(product->SyncIn());
  const Launch launch = product->launch();
  std::deque<Fence> accepted;
  bool full = false;
  for (int i = 0; i < kTries && !full; ++i) {
    Fence fence;
    const SubmitCode code = rig->queue().TrySubmit({&launch, 1}, &fence);
    ASSERT_NE(code, SubmitCode::kRejected) << fence.status.ToString();
    full = code == SubmitCode::kQueueFull;
    if (full) {
      EXPECT_FALSE(fence.done) << "nothing was submitted";
      EXPECT_TRUE(fence.status.ok());
    } else {
      accepted.push_back(std::move(fence));
    }
  }
  EXPECT_TRUE(full) << kTries << " submissions and always room: it must have blocked";
  for (Fence& fence : accepted) {
    ASSERT_EQ(rig->queue().Wait(&fence, kLong), WaitCode::kDone);
    CONFORMANCE_OK(fence.status);
  }
  CONFORMANCE_OK(product->SyncOut());
  EXPECT_EQ(product->Difference(), "");
}

CONFORMANCE_CASE(limits, NoMoreThanSoManyAreInFlight) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(product, Product::Make(rig.get()));
  product->Fill(2);
  CONFORMANCE_OK(product->SyncIn());
  const Launch launch = product->launch();
  std::deque<Fence> fences;
  for (int i = 0; i < kTries; ++i) {
    fences.emplace_back();
    ASSERT_EQ(rig->Submit({&launch, 1}, &fences.back()), SubmitCode::kAccepted);
    const auto in_flight = std::count_if(fences.begin(), fences.end(),
                                         [&](Fence& fence) { return !rig->queue().Poll(&fence); });
    EXPECT_LE(in_flight, arch::kMaxInFlight);
  }
  for (Fence& fence : fences) {
    ASSERT_EQ(rig->queue().Wait(&fence, kLong), WaitCode::kDone);
    CONFORMANCE_OK(fence.status);
  }
  CONFORMANCE_OK(product->SyncOut());
  EXPECT_EQ(product->Difference(), "");
}

CONFORMANCE_CASE(limits, WaitingForRoomMakesRoom) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  EXPECT_EQ(rig->queue().WaitForRoom(std::chrono::nanoseconds(0)), WaitCode::kDone)
      << "an idle queue has room";
  CONFORMANCE_TAKE(product, Product::Make(rig.get()));
  product->Fill(3);
  CONFORMANCE_OK(product->SyncIn());
  const Launch launch = product->launch();
  std::deque<Fence> fences;
  for (int i = 0; i < kTries; ++i) {
    fences.emplace_back();
    SubmitCode code = rig->queue().TrySubmit({&launch, 1}, &fences.back());
    if (code == SubmitCode::kQueueFull) {
      ASSERT_EQ(rig->queue().WaitForRoom(kLong), WaitCode::kDone);
      code = rig->queue().TrySubmit({&launch, 1}, &fences.back());
    }
    ASSERT_EQ(code, SubmitCode::kAccepted) << "there is nobody else to take the room";
  }
  for (Fence& fence : fences) ASSERT_EQ(rig->queue().Wait(&fence, kLong), WaitCode::kDone);
  CONFORMANCE_OK(product->SyncOut());
  EXPECT_EQ(product->Difference(), "");
}

CONFORMANCE_CASE(limits, MoreConfigurationsThanContextsAllWork) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  const int contexts = rig->is_array() ? arch::NpuOf(rig->arch()).max_contexts : 0;
  std::vector<std::unique_ptr<Product>> products;
  for (int i = 0; i < contexts + 3; ++i) {
    CONFORMANCE_TAKE(product, Product::Make(rig.get()));
    products.push_back(std::move(product));
  }
  for (uint64_t round = 0; round < 2; ++round) {
    for (size_t i = 0; i < products.size(); ++i) {
      EXPECT_EQ(products[i]->RunAndCheck((100 * round) + i), "") << i;
    }
  }
  // All at once, as far as the queue goes.
  std::deque<Fence> fences;
  for (const auto& each : products) {
    each->Fill(7);
    CONFORMANCE_OK(each->SyncIn());
    fences.emplace_back();
    ASSERT_EQ(rig->Submit({&each->launch(), 1}, &fences.back()), SubmitCode::kAccepted);
  }
  for (size_t i = 0; i < products.size(); ++i) {
    ASSERT_EQ(rig->queue().Wait(&fences[i], kLong), WaitCode::kDone);
    CONFORMANCE_OK(products[i]->SyncOut());
    EXPECT_EQ(products[i]->Difference(), "") << i;
  }
}

CONFORMANCE_CASE(limits, AnImageForAnotherGenerationIsRefusedByName) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  const Result<std::unique_ptr<device::Executable>> other = rig->LoadForTheOtherGeneration();
  if (IsAbsentBinary(backend, other.status())) GTEST_SKIP() << other.status().message();
  EXPECT_EQ(other.status().code(), StatusCode::kInvalidArgument);
  for (const char* name : {"npu1", "npu2"}) {
    EXPECT_NE(other.status().message().find(name), std::string::npos) << other.status().message();
  }
}

CONFORMANCE_CASE(limits, AStreamForAnotherGenerationIsRefusedByName) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(product, Product::Make(rig.get()));
  product->Fill(4);
  CONFORMANCE_OK(product->SyncIn());
  product->stream() = rig->StreamForTheOtherGeneration();
  Fence fence;
  ASSERT_EQ(rig->queue().TrySubmit({&product->launch(), 1}, &fence), SubmitCode::kRejected)
      << "before anything is submitted";
  EXPECT_TRUE(fence.done);
  EXPECT_EQ(fence.status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(fence.status.message().find("generation"), std::string::npos) << fence.status.message();
  product->stream() = rig->Stream(1);
  EXPECT_EQ(product->RunAndCheck(5), "");
}

CONFORMANCE_CASE(limits, AStreamForAnotherConfigurationIsRefusedByName) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(product, Product::Make(rig.get()));
  product->Fill(4);
  CONFORMANCE_OK(product->SyncIn());
  device::Launch launch = product->launch();
  const uint64_t loaded = launch.executable->configuration_hash();
  EXPECT_NE(loaded, 0U);
  launch.stream_configuration = loaded + 1;
  Fence fence;
  ASSERT_EQ(rig->queue().TrySubmit({&launch, 1}, &fence), SubmitCode::kRejected);
  EXPECT_EQ(fence.status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(fence.status.message().find("a stream for configuration"), std::string::npos)
      << fence.status.message();
  launch.stream_configuration = loaded;
  fence = {};
  ASSERT_EQ(rig->queue().TrySubmit({&launch, 1}, &fence), SubmitCode::kAccepted);
  ASSERT_EQ(rig->queue().Wait(&fence, kLong), WaitCode::kDone);
  CONFORMANCE_OK(fence.status);
  EXPECT_EQ(product->RunAndCheck(5), "");
}

CONFORMANCE_CASE(limits, WhatADeviceDoesNotLoadIsRefused) {
  class OtherImage final : public device::ArrayImage {};
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  const StatusCode image = rig->device().LoadImage(OtherImage()).status().code();
  if (!rig->is_array()) {
    EXPECT_EQ(image, StatusCode::kUnimplemented);
    return;
  }
  EXPECT_EQ(image, StatusCode::kInvalidArgument);
  core::Problem problem;
  problem.m = problem.k = problem.n = 1;
  EXPECT_EQ(rig->device().Load(problem).status().code(), StatusCode::kUnimplemented);
}

CONFORMANCE_CASE(limits, AQueueThatIsDoneAtOnceIsDoneAtOnce) {
  CONFORMANCE_OPEN(rig, Rig::Open(backend));
  CONFORMANCE_TAKE(product, Product::Make(rig.get()));
  product->Fill(6);
  CONFORMANCE_OK(product->SyncIn());
  Fence fence;
  ASSERT_EQ(rig->Submit({&product->launch(), 1}, &fence), SubmitCode::kAccepted);
  EXPECT_TRUE(fence.done || !rig->queue().done_when_submitted());
  ASSERT_EQ(rig->queue().Wait(&fence, kLong), WaitCode::kDone);
  CONFORMANCE_OK(product->SyncOut());
  EXPECT_EQ(product->Difference(), "");
}

}  // namespace
}  // namespace tilewave::conformance
