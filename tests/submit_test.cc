// Submitted calls on every kind of device: several at once, results that stay on the device and
// are operands of later calls, bounded depth.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "tests/support/fake_npu.h"
#include "tests/support/random_call.h"
#include "tilewave/engine.h"

namespace tilewave {
namespace {

using device::xrt::FakeCall;
using device::xrt::FakeXrt;

ArrayOptions WholeArray() {
  ArrayOptions array;
  array.design = "whole_array";
  return array;
}

/// An engine on a device of a test's parameter, and the fake driver if it is one.
struct Opened {
  std::shared_ptr<FakeXrt> fake;
  std::optional<Engine> engine;
};

Opened Open(const std::string& device, EngineOptions options) {
  // Or the host would hide what goes wrong on the device.
  options.retries = 0;
  options.host_fallback = false;
  Opened opened;
  if (device == "xrt_fake") {
    opened.fake = testing::MakeFakeNpu("phoenix");
    opened.engine.emplace(*testing::MakeFakeNpuEngine(*opened.fake, "phoenix", options));
  } else {
    options.device = device;
    opened.engine.emplace(*Engine::Create(options));
  }
  return opened;
}

/// Layers that follow each other: A x B0, requantised, x B1, ..., the last one as s32.
struct Layers {
  Layers(int64_t rows, std::vector<int64_t> all_widths)
      : m(rows), widths(std::move(all_widths)), a(base::RandomBytes(m * widths[0], 1)) {
    for (size_t i = 0; i + 1 < widths.size(); ++i) {
      b.push_back(base::RandomBytes(widths[i] * widths[i + 1], 2 + i));
    }
    c.resize(static_cast<size_t>(m * widths.back()), -1);
    expected = c;
    Engine host = *Engine::Create({.device = "host"});
    std::vector<int8_t> in = a;
    for (size_t i = 0; i < b.size(); ++i) {
      std::vector<int8_t> out(static_cast<size_t>(m * widths[i + 1]));
      Matmul call = Call(i);
      call.a = RowMajor(static_cast<const int8_t*>(in.data()), m, widths[i]);
      if (i + 1 < b.size()) {
        call.c = RowMajor(out.data(), m, widths[i + 1]);
      } else {
        call.c = RowMajor(expected.data(), m, widths[i + 1]);
      }
      EXPECT_TRUE(host.Run(call).ok());
      in = out;
    }
  }

  /// Without A and C.
  Matmul Call(size_t i) const {
    Matmul call;
    call.b = RowMajor(b[i].data(), widths[i], widths[i + 1]);
    if (i + 1 < b.size()) call.epilogue.requantisation = RequantShift{.shift = 9};
    return call;
  }

  int64_t m;
  std::vector<int64_t> widths;
  std::vector<int8_t> a;
  std::vector<std::vector<int8_t>> b;
  std::vector<int32_t> c;
  std::vector<int32_t> expected;
};

class SubmitTest : public ::testing::TestWithParam<const char*> {
 protected:
  static bool IsArray() { return std::string(GetParam()) != "host"; }
};

TEST_P(SubmitTest, ManyCallsOfAllShapesAtOnceEqualTheReference) {
  Opened opened = Open(GetParam(), {.validate_submissions = true});
  base::Random random(7);
  for (int round = 0; round < 3; ++round) {
    std::vector<std::unique_ptr<testing::RandomCall>> calls;
    std::vector<SubmittedCall> submitted;
    std::vector<CallStats> stats(20);
    for (size_t i = 0; i < stats.size(); ++i) {
      calls.push_back(std::make_unique<testing::RandomCall>(
          &random, testing::RandomCall::Limits{.m = 90, .k = 90, .n = 90, .batch = 2}));
      ASSERT_TRUE(calls.back()->RunReference().ok());
      submitted.push_back({calls.back()->call(), {.stats = &stats[i]}});
    }
    Result<std::vector<Handle>> handles = opened.engine->SubmitAll(submitted);
    ASSERT_TRUE(handles.ok()) << handles.status().message();
    // In any order.
    std::reverse(handles->begin(), handles->end());
    for (Handle& each : *handles) ASSERT_TRUE(each.Wait().ok());
    for (size_t i = 0; i < calls.size(); ++i) {
      EXPECT_EQ(calls[i]->Difference(), "") << calls[i]->Describe();
      EXPECT_EQ(stats[i].part_count, 1);
      EXPECT_GT(stats[i].macs, 0);
      EXPECT_EQ(stats[i].failed_attempts, 0);
    }
  }
}

TEST_P(SubmitTest, LayersStayOnTheDevice) {
  for (const std::vector<int64_t>& widths :
       {std::vector<int64_t>{96, 130, 40}, {64, 64, 64, 64, 64}, {77, 51, 300, 9}}) {
    Opened opened = Open(GetParam(), {.validate_submissions = true});
    Layers layers(70, widths);
    std::vector<DeviceTensor> between(layers.b.size());
    std::vector<Handle> handles;
    for (size_t i = 0; i < layers.b.size(); ++i) {
      Matmul call = layers.Call(i);
      if (i == 0) {
        call.a = RowMajor(static_cast<const int8_t*>(layers.a.data()), layers.m, widths[0]);
      } else {
        call.a = between[i - 1];
      }
      if (i + 1 < layers.b.size()) {
        call.c = DeviceOutput{&between[i], ElementType::kS8};
      } else {
        call.c = RowMajor(layers.c.data(), layers.m, widths.back());
      }
      Result<Handle> handle = opened.engine->Submit(call);
      ASSERT_TRUE(handle.ok()) << handle.status().message();
      handles.push_back(*std::move(handle));
    }
    EXPECT_EQ(between[0].rows(), layers.m);
    EXPECT_EQ(between[0].cols(), widths[1]);
    // While later ones still read it.
    std::vector<int8_t> first(static_cast<size_t>(layers.m * widths[1]));
    const Status downloaded =
        opened.engine->Download(between[0], RowMajor(first.data(), layers.m, widths[1]));
    ASSERT_TRUE(downloaded.ok()) << downloaded.message();
    ASSERT_TRUE(handles.back().Wait().ok());
    EXPECT_EQ(layers.c, layers.expected);
    std::vector<int8_t> wanted(first.size());
    Matmul call = layers.Call(0);
    call.a = RowMajor(static_cast<const int8_t*>(layers.a.data()), layers.m, widths[0]);
    call.c = RowMajor(wanted.data(), layers.m, widths[1]);
    ASSERT_TRUE(opened.engine->Run(call).ok());
    EXPECT_EQ(first, wanted);
  }
}

TEST_P(SubmitTest, ACallOfSubmitAllMayTakeTheResultOfAnEarlierOne) {
  Opened opened = Open(GetParam(), {.validate_submissions = true});
  Layers layers(33, {64, 64, 64});
  DeviceTensor first;
  DeviceTensor second;
  // The tensor is set by the first call, so that the second one must be made after it.
  Matmul one = layers.Call(0);
  one.a = RowMajor(static_cast<const int8_t*>(layers.a.data()), layers.m, 64);
  one.c = DeviceOutput{&first, ElementType::kS8};
  ASSERT_TRUE(opened.engine->Run(one).ok());
  Matmul two = layers.Call(1);
  two.a = first;
  two.c = DeviceOutput{&second, ElementType::kS32};
  Result<std::vector<Handle>> handles = opened.engine->SubmitAll({{two, {}}, {two, {}}});
  ASSERT_TRUE(handles.ok()) << handles.status().message();
  ASSERT_TRUE(opened.engine->Download(second, RowMajor(layers.c.data(), layers.m, 64)).ok());
  EXPECT_EQ(layers.c, layers.expected);
}

TEST_P(SubmitTest, CallsOfSubmitAllFollowEachOther) {
  EngineOptions options{.validate_submissions = true};
  if (IsArray()) {
    options.array = WholeArray();
    options.array.tile = 64;
  }
  Opened opened = Open(GetParam(), options);
  Layers layers(100, {64, 64, 64, 64, 64});
  std::vector<SubmittedCall> calls(4);
  for (size_t i = 0; i < 4; ++i) {
    calls[i].call = layers.Call(i);
    if (i == 0) {
      calls[i].call.a = RowMajor(static_cast<const int8_t*>(layers.a.data()), layers.m, 64);
    } else {
      // The operand that the call before sets.
      DeviceTensor& operand = calls[i].call.a.emplace<DeviceTensor>();
      calls[i - 1].call.c = DeviceOutput{&operand, ElementType::kS8};
    }
  }
  calls[3].call.c = RowMajor(layers.c.data(), layers.m, 64);
  const int64_t before = opened.fake == nullptr ? 0 : opened.fake->calls(FakeCall::kStart);
  Result<std::vector<Handle>> handles = opened.engine->SubmitAll(calls);
  ASSERT_TRUE(handles.ok()) << handles.status().message();
  for (Handle& each : *handles) ASSERT_TRUE(each.Wait().ok());
  EXPECT_EQ(layers.c, layers.expected);
  // Three of one configuration, and one whose sums are s32.
  if (opened.fake == nullptr) return;
  EXPECT_EQ(opened.fake->calls(FakeCall::kStart) - before, 2);
}

TEST_P(SubmitTest, ABadCallLeavesTensorsAsTheyWere) {
  Opened opened = Open(GetParam(), {});
  const std::vector<int8_t> a = base::RandomBytes(64 * 64, 8);
  DeviceTensor x = *opened.engine->Upload(RowMajor(a.data(), 64, 64));
  Matmul bad{.a = x, .b = RowMajor(a.data(), 63, 64)};
  bad.c = DeviceOutput{&x, ElementType::kS32};
  EXPECT_FALSE(opened.engine->Submit(bad).ok());
  EXPECT_FALSE(opened.engine->Run(bad).ok());
  std::vector<int32_t> c(64 * 64, -1);
  Matmul good{.a = x, .b = RowMajor(a.data(), 64, 64), .c = RowMajor(c.data(), 64, 64)};
  Matmul of_many = good;
  of_many.c = DeviceOutput{&x, ElementType::kS32};
  EXPECT_FALSE(opened.engine->SubmitAll({{of_many, {}}, {good, {}}, {bad, {}}}).ok());
  // Those before it have ended.
  EXPECT_NE(c, std::vector<int32_t>(64 * 64, -1));
  std::vector<int8_t> back(64 * 64);
  ASSERT_TRUE(opened.engine->Download(x, RowMajor(back.data(), 64, 64)).ok());
  EXPECT_EQ(back, a);
  Matmul absurd = good;
  ConstMatrix view = RowMajor(a.data(), 64, 64, 2);
  view.rows = -(int64_t{1} << 62);
  absurd.a = view;
  absurd.c = DeviceOutput{&x, ElementType::kS32};
  EXPECT_EQ(opened.engine->Run(absurd).code(), StatusCode::kInvalidArgument);
}

TEST_P(SubmitTest, TensorsOfEveryTypeAreOperands) {
  Opened opened = Open(GetParam(), {.validate_submissions = true});
  Engine& engine = *opened.engine;
  constexpr int64_t kM = 37;
  constexpr int64_t kK = 70;
  constexpr int64_t kN = 45;
  const std::vector<int8_t> a = base::RandomBytes(2 * kM * kK, 3);
  const std::vector<int8_t> b = base::RandomBytes(2 * kK * kN, 4);
  std::vector<float> a_f32(a.begin(), a.end());
  const ConstMatrix views[] = {
      RowMajor(a.data(), kM, kK, 2),
      RowMajor(reinterpret_cast<const uint8_t*>(a.data()), kM, kK, 2),
      RowMajor(static_cast<const float*>(a_f32.data()), kM, kK, 2),
      ColumnMajor(a.data(), kM, kK, 2),
  };
  for (const ConstMatrix& view : views) {
    const bool is_f32 = view.type == ElementType::kF32;
    std::vector<float> c(2 * kM * kN, -1);
    std::vector<float> expected(c.size(), -2);
    const auto result = [&](std::vector<float>* to) -> Matrix {
      if (is_f32) return RowMajor(to->data(), kM, kN, 2);
      return RowMajor(reinterpret_cast<int32_t*>(to->data()), kM, kN, 2);
    };
    const ConstMatrix b_view = RowMajor(b.data(), kK, kN, 2);
    Matmul call{.a = view, .b = b_view, .c = result(&expected)};
    ASSERT_TRUE(engine.Run(call).ok());
    const Result<DeviceTensor> a_tensor = engine.Upload(view);
    ASSERT_TRUE(a_tensor.ok()) << a_tensor.status().message();
    const Result<DeviceTensor> b_tensor = engine.Upload(b_view);
    ASSERT_TRUE(b_tensor.ok()) << b_tensor.status().message();
    DeviceTensor c_tensor;
    call = {.a = *a_tensor, .b = *b_tensor};
    call.c = DeviceOutput{&c_tensor, is_f32 ? ElementType::kF32 : ElementType::kS32};
    ASSERT_TRUE(engine.Run(call).ok());
    EXPECT_EQ(c_tensor.batch(), 2);
    ASSERT_TRUE(engine.Download(c_tensor, result(&c)).ok());
    EXPECT_EQ(std::memcmp(c.data(), expected.data(), c.size() * sizeof(float)), 0);
    // B^T A^T = (A B)^T, both as tensors seen from the other side.
    if (is_f32) continue;
    DeviceTensor transposed;
    call = {.a = b_tensor->Transposed(), .b = a_tensor->Transposed()};
    call.c = DeviceOutput{&transposed, ElementType::kS32};
    ASSERT_TRUE(engine.Run(call).ok());
    std::fill(c.begin(), c.end(), -1);
    ASSERT_TRUE(engine.Download(transposed.Transposed(), result(&c)).ok());
    EXPECT_EQ(std::memcmp(c.data(), expected.data(), c.size() * sizeof(float)), 0);
  }
}

TEST_P(SubmitTest, ATensorOfOneMatrixServesABatch) {
  Opened opened = Open(GetParam(), {.validate_submissions = true});
  const std::vector<int8_t> a = base::RandomBytes(20 * 64, 3);
  const std::vector<int8_t> b = base::RandomBytes(3 * 64 * 30, 4);
  std::vector<int32_t> c(3 * 20 * 30, -1);
  std::vector<int32_t> expected(c.size(), -2);
  Matmul call{.a = RowMajor(a.data(), 20, 64),
              .b = RowMajor(b.data(), 64, 30, 3),
              .c = RowMajor(expected.data(), 20, 30, 3)};
  ASSERT_TRUE(opened.engine->Run(call).ok());
  call.a = *opened.engine->Upload(RowMajor(a.data(), 20, 64));
  call.c = RowMajor(c.data(), 20, 30, 3);
  ASSERT_TRUE(opened.engine->Run(call).ok());
  EXPECT_EQ(c, expected);
}

TEST_P(SubmitTest, NoMoreArePendingThanWasSaid) {
  Opened opened = Open(GetParam(), {.array = WholeArray(), .pending_calls = 2});
  const std::vector<int8_t> a = base::RandomBytes(64 * 64, 3);
  std::vector<std::vector<int32_t>> c(5, std::vector<int32_t>(64 * 64, -1));
  std::vector<Handle> handles;
  for (size_t i = 0; i < c.size(); ++i) {
    Result<Handle> handle = opened.engine->Submit({.a = RowMajor(a.data(), 64, 64),
                                                   .b = RowMajor(a.data(), 64, 64),
                                                   .c = RowMajor(c[i].data(), 64, 64)});
    ASSERT_TRUE(handle.ok());
    handles.push_back(*std::move(handle));
  }
  // The oldest have been waited for, and so have their results.
  for (size_t i = 0; i < 3; ++i) EXPECT_NE(c[i][0], -1) << i;
  if (IsArray()) {
    EXPECT_EQ(c[3], std::vector<int32_t>(64 * 64, -1));
    EXPECT_EQ(c[4], std::vector<int32_t>(64 * 64, -1));
  }
  handles.clear();
  for (size_t i = 1; i < c.size(); ++i) EXPECT_EQ(c[i], c[0]);
}

TEST_P(SubmitTest, ABadCallOfManyIsNamedAndNoneIsPending) {
  Opened opened = Open(GetParam(), {});
  const std::vector<int8_t> a = base::RandomBytes(64 * 64, 3);
  std::vector<int32_t> c(64 * 64, -1);
  const Matmul good{.a = RowMajor(a.data(), 64, 64),
                    .b = RowMajor(a.data(), 64, 64),
                    .c = RowMajor(c.data(), 64, 64)};
  Matmul bad = good;
  bad.a = RowMajor(static_cast<const int8_t*>(nullptr), 64, 64);
  const Status s = opened.engine->SubmitAll({{good, {}}, {bad, {}}, {good, {}}}).status();
  EXPECT_EQ(s.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(s.message().rfind("call 2 of 3: ", 0), 0U) << s.message();
  EXPECT_NE(c[0], -1);
  EXPECT_TRUE(opened.engine->SubmitAll({})->empty());
}

TEST_P(SubmitTest, BadTensorsAreNamed) {
  Opened opened = Open(GetParam(), {});
  Engine& engine = *opened.engine;
  const std::vector<int8_t> a(64 * 64, 1);
  std::vector<int8_t> out(64 * 64);
  const auto code = [](const Status& s) { return s.code(); };
  EXPECT_EQ(code(engine.Upload(RowMajor(a.data(), 0, 64)).status()), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(engine.Upload(RowMajor(static_cast<const int8_t*>(nullptr), 4, 4)).status()),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(code(engine.Upload(RowMajor(a.data(), int64_t{1} << 40, int64_t{1} << 40)).status()),
            StatusCode::kOutOfRange);
  const std::vector<int32_t> sums(16);
  EXPECT_EQ(code(engine.Upload(RowMajor(sums.data(), 4, 4)).status()),
            StatusCode::kInvalidArgument);
  const Result<DeviceTensor> tensor = engine.Upload(RowMajor(a.data(), 64, 64));
  ASSERT_TRUE(tensor.ok());
  EXPECT_EQ(code(engine.Download(*tensor, RowMajor(out.data(), 64, 63))),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(
      code(engine.Download(*tensor, RowMajor(reinterpret_cast<uint8_t*>(out.data()), 64, 64))),
      StatusCode::kInvalidArgument);
  Matrix overlapping = RowMajor(out.data(), 64, 64);
  overlapping.row_stride = 1;
  EXPECT_EQ(code(engine.Download(*tensor, overlapping)), StatusCode::kInvalidArgument);
  std::vector<int32_t> c(64 * 64);
  const Matmul wrong{
      .a = *tensor, .b = RowMajor(a.data(), 63, 64), .c = RowMajor(c.data(), 64, 64)};
  EXPECT_EQ(code(engine.Run(wrong)), StatusCode::kInvalidArgument);
  if (!IsArray()) return;
  Opened other = Open(GetParam(), {});
  EXPECT_EQ(code(other.engine->Download(*tensor, RowMajor(out.data(), 64, 64))),
            StatusCode::kFailedPrecondition);
  const Matmul foreign{
      .a = *tensor, .b = RowMajor(a.data(), 64, 64), .c = RowMajor(c.data(), 64, 64)};
  EXPECT_EQ(code(other.engine->Run(foreign)), StatusCode::kFailedPrecondition);
}

INSTANTIATE_TEST_SUITE_P(Devices, SubmitTest,
                         ::testing::Values("host", "vnpu:phoenix", "vnpu:krackan", "xrt_fake"),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           std::replace(name.begin(), name.end(), ':', '_');
                           return name;
                         });

TEST(SubmitXrtTest, ARunListOfProductsTakesFewCallsOfTheDriver) {
  Opened opened = Open("xrt_fake", {.array = WholeArray()});
  constexpr int64_t kSide = 512;
  constexpr size_t kProducts = 24;
  const std::vector<int8_t> a = base::RandomBytes(kSide * kSide, 5);
  const std::vector<int8_t> b = base::RandomBytes(kSide * kSide, 6);
  const Weights weights = *opened.engine->Prepare(RowMajor(b.data(), kSide, kSide));
  std::vector<std::vector<int32_t>> c(kProducts, std::vector<int32_t>(kSide * kSide));
  std::vector<SubmittedCall> calls(kProducts);
  for (size_t i = 0; i < kProducts; ++i) {
    calls[i].call = {.a = RowMajor(a.data(), kSide, kSide),
                     .b = weights,
                     .c = RowMajor(c[i].data(), kSide, kSide)};
  }
  const auto run = [&] {
    Result<std::vector<Handle>> handles = opened.engine->SubmitAll(calls);
    ASSERT_TRUE(handles.ok()) << handles.status().message();
    for (Handle& each : *handles) ASSERT_TRUE(each.Wait().ok());
  };
  for (int i = 0; i < 3; ++i) run();
  for (auto& each : c) std::fill(each.begin(), each.end(), -1);
  const int64_t calls_before = opened.fake->calls();
  const int64_t starts_before = opened.fake->calls(FakeCall::kStart);
  run();
  EXPECT_EQ(opened.fake->calls(FakeCall::kStart) - starts_before, 1);
  EXPECT_LE(opened.fake->calls() - calls_before, static_cast<int64_t>(4 * kProducts));
  std::vector<int32_t> expected(c[0].size());
  Engine host = *Engine::Create({.device = "host"});
  ASSERT_TRUE(host.Run({.a = RowMajor(a.data(), kSide, kSide),
                        .b = RowMajor(b.data(), kSide, kSide),
                        .c = RowMajor(expected.data(), kSide, kSide)})
                  .ok());
  for (const auto& each : c) EXPECT_EQ(each, expected);
  // One after another, they do not take the buffers of all of these in turn.
  ASSERT_TRUE(opened.engine->Run(calls[0].call).ok());
  const int64_t alone_before = opened.fake->calls();
  ASSERT_TRUE(opened.engine->Run(calls[0].call).ok());
  EXPECT_LE(opened.fake->calls() - alone_before, 6);
}

TEST(SubmitXrtTest, WhatStaysOnTheDeviceIsNotSynced) {
  EngineOptions options{.array = WholeArray()};
  options.array.tile = 64;
  Opened opened = Open("xrt_fake", options);
  Layers layers(128, {256, 256, 256, 256});
  std::vector<Weights> weights;
  for (const auto& each : layers.b) {
    weights.push_back(*opened.engine->Prepare(RowMajor(each.data(), 256, 256)));
  }
  std::vector<int8_t> out(128 * 256);
  int64_t syncs = 0;
  for (int round = 0; round < 2; ++round) {
    DeviceTensor x =
        *opened.engine->Upload(RowMajor(static_cast<const int8_t*>(layers.a.data()), 128, 256));
    const int64_t before = opened.fake->calls(FakeCall::kSync);
    std::vector<Handle> handles;
    for (size_t i = 0; i + 1 < weights.size(); ++i) {
      Matmul call = layers.Call(i);
      DeviceTensor y;
      call.a = x;
      call.b = weights[i];
      call.c = DeviceOutput{&y, ElementType::kS8};
      Result<Handle> handle = opened.engine->Submit(call);
      ASSERT_TRUE(handle.ok()) << handle.status().message();
      handles.push_back(*std::move(handle));
      x = y;
    }
    for (Handle& each : handles) ASSERT_TRUE(each.Wait().ok());
    syncs = opened.fake->calls(FakeCall::kSync) - before;
    Matmul last = layers.Call(2);
    last.a = x;
    last.c = RowMajor(layers.c.data(), 128, 256);
    ASSERT_TRUE(opened.engine->Run(last).ok());
    EXPECT_EQ(layers.c, layers.expected);
  }
  EXPECT_EQ(syncs, 0);
}

}  // namespace
}  // namespace tilewave
