// Submitted calls and tensors: what runs while the caller goes on, and what stays on the device,
// ends in the same bits.

#include <cstdint>
#include <memory>
#include <vector>

#include "base/random.h"
#include "tests/conformance/conformance_case.h"
#include "tests/support/random_call.h"

namespace tilewave::conformance {
namespace {

using testing::RandomCall;

constexpr int64_t kRows = 70;
constexpr int64_t kSide = 96;

/// Three products that follow each other, and their result by the host.
struct Layers {
  Layers() {
    Engine host = *Engine::Create({.device = "host"});
    std::vector<int8_t> in = a;
    for (int i = 0; i < 3; ++i) {
      Matmul call = Call();
      call.a = RowMajor(static_cast<const int8_t*>(in.data()), kRows, kSide);
      call.c = RowMajor(expected.data(), kRows, kSide);
      EXPECT_TRUE(host.Run(call).ok());
      in = expected;
    }
  }
  /// Without A and C.
  Matmul Call() const {
    Matmul call{.b = RowMajor(b.data(), kSide, kSide)};
    call.epilogue.requantisation = RequantShift{.shift = 9};
    return call;
  }

  std::vector<int8_t> a = base::RandomBytes(kRows * kSide, 1);
  std::vector<int8_t> b = base::RandomBytes(kSide * kSide, 2);
  std::vector<int8_t> expected = std::vector<int8_t>(a.size());
};

CONFORMANCE_CASE(submission, CallsWaitedForInAnyOrderAreExact) {
  CONFORMANCE_OPEN(engine, MakeEngine(backend, {.validate_submissions = true}));
  base::Random random(90);
  for (const bool together : {false, true}) {
    std::vector<std::unique_ptr<RandomCall>> calls;
    std::vector<SubmittedCall> submitted;
    for (int i = 0; i < 12; ++i) {
      calls.push_back(std::make_unique<RandomCall>(
          &random, RandomCall::Limits{.m = 90, .k = 90, .n = 90, .batch = 2}));
      ASSERT_TRUE(calls.back()->RunReference().ok());
      submitted.push_back({calls.back()->call(), {}});
    }
    std::vector<Handle> handles;
    if (together) {
      CONFORMANCE_TAKE(all, engine.SubmitAll(submitted));
      handles = std::move(all);
    } else {
      for (const SubmittedCall& each : submitted) {
        CONFORMANCE_TAKE(handle, engine.Submit(each.call));
        handles.push_back(std::move(handle));
      }
    }
    for (size_t i = handles.size(); i-- > 0;) CONFORMANCE_OK(handles[i].Wait());
    for (const auto& each : calls) ASSERT_EQ(each->Difference(), "") << each->Describe();
  }
}

CONFORMANCE_CASE(submission, ResultsAreOperandsBeforeTheyAreThere) {
  CONFORMANCE_OPEN(engine, MakeEngine(backend, {.validate_submissions = true}));
  const Layers layers;
  std::vector<Handle> handles;
  CONFORMANCE_TAKE(x, engine.Upload(RowMajor(layers.a.data(), kRows, kSide)));
  for (int i = 0; i < 3; ++i) {
    Matmul call = layers.Call();
    DeviceTensor y;
    call.a = x;
    call.c = DeviceOutput{&y, ElementType::kS8};
    CONFORMANCE_TAKE(handle, engine.Submit(call));
    handles.push_back(std::move(handle));
    x = y;
  }
  std::vector<int8_t> c(layers.expected.size());
  CONFORMANCE_OK(engine.Download(x, RowMajor(c.data(), kRows, kSide)));
  EXPECT_EQ(c, layers.expected);
  for (Handle& each : handles) CONFORMANCE_OK(each.Wait());
}

CONFORMANCE_CASE(submission, WhatIsUploadedComesBack) {
  CONFORMANCE_OPEN(engine, MakeEngine(backend, {.validate_submissions = true}));
  const std::vector<int8_t> a = base::RandomBytes(3 * 37 * 51, 3);
  for (const bool transposed : {false, true}) {
    const ConstMatrix view =
        transposed ? ColumnMajor(a.data(), 37, 51, 3) : RowMajor(a.data(), 37, 51, 3);
    CONFORMANCE_TAKE(tensor, engine.Upload(view));
    std::vector<int8_t> back(a.size());
    CONFORMANCE_OK(engine.Download(tensor.Transposed(), transposed
                                                            ? RowMajor(back.data(), 51, 37, 3)
                                                            : ColumnMajor(back.data(), 51, 37, 3)));
    EXPECT_EQ(back, a);
  }
}

CONFORMANCE_CASE(submission, AHandleThatGoesHasWaited) {
  CONFORMANCE_OPEN(engine, MakeEngine(backend, {.validate_submissions = true}));
  base::Random random(91);
  RandomCall call(&random, {.m = 90, .k = 90, .n = 90});
  ASSERT_TRUE(call.RunReference().ok());
  { CONFORMANCE_TAKE(handle, engine.Submit(call.call())); }
  EXPECT_EQ(call.Difference(), "");
}

}  // namespace
}  // namespace tilewave::conformance
