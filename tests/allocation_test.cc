// A warm call allocates nothing: every operator new of this program is counted.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "program/lower.h"
#include "program/stream.h"
#include "program/whole_array_launch.h"
#include "tests/support/counting_allocator.h"
#include "tests/support/stream_samples.h"
#include "tilewave/c.h"
#include "tilewave/engine.h"

namespace tilewave {
namespace {

/// Allocations of the third of three equal calls.
int64_t WarmAllocations(Engine* engine, const Matmul& call, const RunOptions& options = {}) {
  for (int i = 0; i < 2; ++i) {
    const Status status = engine->Run(call, options);
    EXPECT_TRUE(status.ok()) << status.message();
  }
  const int64_t before = testing::AllocationCount();
  const bool ok = engine->Run(call, options).ok();
  const int64_t after = testing::AllocationCount();
  EXPECT_TRUE(ok);
  return after - before;
}

struct EngineKind {
  const char* device;
  bool validate;
  const char* design = "";
};

/// Names a case after its device and design, not after the bytes of its pointers.
std::string NameOf(const ::testing::TestParamInfo<EngineKind>& info) {
  std::string name = info.param.device;
  std::replace(name.begin(), name.end(), ':', '_');
  if (*info.param.design != 0) name += std::string("_") + info.param.design;
  return name + (info.param.validate ? "_validated" : "");
}

class AllocationTest : public ::testing::TestWithParam<EngineKind> {
 protected:
  static EngineOptions Options() {
    EngineOptions options;
    options.device = GetParam().device;
    options.validate_submissions = GetParam().validate;
    options.array.design = GetParam().design;
    // Planning allocates for each tile of the array, and each of these allocations fails in turn.
    if (options.array.design == "whole_array") options.array.columns = 1;
    return options;
  }

  /// Profiles are JSON, and nlohmann-json allocates in a destructor: where that fails, opening the
  /// device ends the process. Calls are not concerned.
  static bool ReadsProfile() { return std::string_view(GetParam().device) != "host"; }

  AllocationTest() : engine_(*Engine::Create(Options())) {}

  /// A call has been made, and its like with A elsewhere allocates nothing.
  void ExpectNoneOnAnotherPlace(Matmul call, const ConstMatrix& a) {
    ASSERT_TRUE(engine_.Run(call).ok());
    call.a = a;
    const int64_t before = testing::AllocationCount();
    const bool ok = engine_.Run(call).ok();
    EXPECT_EQ(testing::AllocationCount() - before, 0);
    EXPECT_TRUE(ok);
  }

  Engine engine_;
  std::vector<int8_t> a_ = std::vector<int8_t>(65 * 77, 3);
  std::vector<float> a_f32_ = std::vector<float>(65 * 77, 0.5F);
  std::vector<int8_t> b_ = std::vector<int8_t>(77 * 51, -7);
  std::vector<int32_t> c_ = std::vector<int32_t>(65 * 51);
  std::vector<float> c_f32_ = std::vector<float>(65 * 51);
  std::vector<float> scales_ = std::vector<float>(77, 0.25F);
};

TEST_P(AllocationTest, TheCounterCounts) {
  const int64_t before = testing::AllocationCount();
  const auto number = std::make_unique<int>(1);
  EXPECT_EQ(testing::AllocationCount() - before, *number);
}

// Kernels may read A where it stands or not, depending on where that is, if columns are many.
TEST_P(AllocationTest, PlainCallOnAnotherPlaceInMemory) {
  alignas(64) static constexpr int8_t kA[(40 * 64) + 64] = {};
  const std::vector<int8_t> b(64 * 260, 2);
  std::vector<int32_t> c(40 * 260);
  const Matmul call{.a = RowMajor(kA, 40, 64),
                    .b = RowMajor(b.data(), 64, 260),
                    .c = RowMajor(c.data(), 40, 260)};
  ExpectNoneOnAnotherPlace(call, RowMajor(kA + 4, 40, 64));
}

// The same with columns of B in parts, for which rows are packed once if they are.
TEST_P(AllocationTest, WideCallOnAnotherPlaceInMemory) {
  constexpr int64_t kM = 200;
  constexpr int64_t kK = 576;
  constexpr int64_t kN = 6000;
  alignas(64) static constexpr int8_t kA[(kM * kK) + 64] = {};
  const std::vector<int8_t> b(kK * kN, 2);
  std::vector<int32_t> c(kM * kN);
  const Result<Weights> weights = engine_.Prepare(RowMajor(b.data(), kK, kN));
  ASSERT_TRUE(weights.ok());
  const Matmul call{.a = RowMajor(kA, kM, kK), .b = *weights, .c = RowMajor(c.data(), kM, kN)};
  ExpectNoneOnAnotherPlace(call, RowMajor(kA + 4, kM, kK));
}

TEST_P(AllocationTest, PlainCall) {
  const Matmul call{.a = RowMajor(static_cast<const int8_t*>(a_.data()), 65, 77),
                    .b = RowMajor(static_cast<const int8_t*>(b_.data()), 77, 51),
                    .c = RowMajor(c_.data(), 65, 51)};
  EXPECT_EQ(WarmAllocations(&engine_, call), 0);
  CallStats stats;
  std::atomic<int64_t> progress{0};
  EXPECT_EQ(WarmAllocations(&engine_, call, {.stats = &stats, .progress = &progress}), 0);
}

TEST_P(AllocationTest, PrepackedWithEpilogue) {
  const Result<Weights> weights =
      engine_.Prepare(RowMajor(static_cast<const int8_t*>(b_.data()), 77, 51));
  ASSERT_TRUE(weights.ok());
  Matmul call{.a = RowMajor(static_cast<const int8_t*>(a_.data()), 65, 77),
              .b = *weights,
              .c = RowMajor(c_f32_.data(), 65, 51),
              .zero_a = Parameter<int32_t>::Of(-3)};
  call.epilogue.scale_b = Parameter<float>::PerElement(scales_.data());
  call.epilogue.activation = Activation::kGelu;
  EXPECT_EQ(WarmAllocations(&engine_, call), 0);
}

TEST_P(AllocationTest, DynamicQuantisation) {
  const Matmul call{.a = RowMajor(static_cast<const float*>(a_f32_.data()), 65, 77),
                    .b = RowMajor(static_cast<const int8_t*>(b_.data()), 77, 51),
                    .c = RowMajor(c_f32_.data(), 65, 51)};
  EXPECT_EQ(WarmAllocations(&engine_, call), 0);
}

TEST_P(AllocationTest, AlternatingShapes) {
  const Matmul large{.a = RowMajor(static_cast<const int8_t*>(a_.data()), 65, 77),
                     .b = RowMajor(static_cast<const int8_t*>(b_.data()), 77, 51),
                     .c = RowMajor(c_.data(), 65, 51)};
  const Matmul small{.a = RowMajor(static_cast<const int8_t*>(a_.data()), 5, 7),
                     .b = RowMajor(static_cast<const int8_t*>(b_.data()), 7, 3),
                     .c = RowMajor(c_.data(), 5, 3)};
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(engine_.Run(large).ok());
    ASSERT_TRUE(engine_.Run(small).ok());
  }
  const int64_t before = testing::AllocationCount();
  const bool ok = engine_.Run(large).ok() && engine_.Run(small).ok();
  EXPECT_EQ(testing::AllocationCount() - before, 0);
  EXPECT_TRUE(ok);
}

/// Runs `step` with ever more allocations allowed until it succeeds. Each failure must be a Status
/// (an exception would end the test), and the last thing must be success.
template <typename Step>
void FailAtEveryAllocation(Step step) {
  for (int64_t successes = 0; successes < 10000; ++successes) {
    testing::FailAllocationsAfter(successes);
    const StatusCode code = step();
    testing::FailAllocationsAfter(-1);
    if (code == StatusCode::kOk) {
      EXPECT_GT(successes, 0) << "nothing was allocated, so nothing was tested";
      return;
    }
    ASSERT_EQ(code, StatusCode::kResourceExhausted);
  }
  FAIL() << "it never succeeded";
}

TEST_P(AllocationTest, RunningOutOfMemoryAnywhereIsAStatus) {
  if (!ReadsProfile()) {
    FailAtEveryAllocation([] { return Engine::Create(Options()).status().code(); });
  }
  const Matmul call{.a = RowMajor(static_cast<const float*>(a_f32_.data()), 65, 77),
                    .b = RowMajor(static_cast<const int8_t*>(b_.data()), 77, 51),
                    .c = RowMajor(c_f32_.data(), 65, 51)};
  CallStats stats;
  FailAtEveryAllocation([&] { return engine_.Run(call, {.stats = &stats}).code(); });
  Matmul other = call;
  std::get<Matrix>(other.c).rows = 64;
  std::get<ConstMatrix>(other.a).rows = 64;
  FailAtEveryAllocation([&] { return engine_.Submit(other, {.stats = &stats}).status().code(); });
  FailAtEveryAllocation(
      [&] { return engine_.Prepare(std::get<ConstMatrix>(call.b)).status().code(); });
  EXPECT_TRUE(engine_.Run(call).ok());
}

TEST_P(AllocationTest, RunningOutOfMemoryInSubmittedCallsIsAStatus) {
  EngineOptions options = Options();
  // Or what has failed is run again, and only the first failure is seen.
  options.retries = 0;
  options.host_fallback = false;
  options.pending_calls = 3;
  Engine engine = *Engine::Create(options);
  const ConstMatrix b = RowMajor(static_cast<const int8_t*>(b_.data()), 77, 51);
  std::vector<int32_t> c(65 * 51);
  // Room for the calls comes first: it is the test's own.
  std::vector<SubmittedCall> calls(5);
  FailAtEveryAllocation([&] {
    DeviceTensor sums;
    Matmul one{.a = RowMajor(static_cast<const int8_t*>(a_.data()), 65, 77),
               .b = b,
               .c = DeviceOutput{&sums, ElementType::kS32}};
    Matmul two = one;
    two.c = RowMajor(c.data(), 65, 51);
    const Result<DeviceTensor> a = engine.Upload(std::get<ConstMatrix>(one.a));
    if (!a.ok()) return a.status().code();
    one.a = *a;
    for (size_t i = 0; i < calls.size(); ++i) calls[i].call = i % 2 == 0 ? one : two;
    Result<std::vector<Handle>> handles = engine.SubmitAll(calls);
    for (SubmittedCall& each : calls) each = {};
    if (!handles.ok()) return handles.status().code();
    StatusCode code = StatusCode::kOk;
    for (Handle& each : *handles) {
      const Status s = each.Wait();
      if (!s.ok()) code = s.code();
    }
    return code;
  });
  EXPECT_EQ(c[0], 77 * 3 * -7);
}

TEST_P(AllocationTest, TheCInterfaceSurvivesItToo) {
  if (ReadsProfile()) GTEST_SKIP() << "see ReadsProfile";
  FailAtEveryAllocation([] {
    tw_engine_options options = {};
    options.struct_size = sizeof(options);
    options.device = GetParam().device;
    options.validate_submissions = GetParam().validate ? 1 : 0;
    tw_engine* engine = nullptr;
    const tw_status status = tw_engine_create(&options, &engine);
    testing::FailAllocationsAfter(-1);
    EXPECT_EQ(status == TW_OK, engine != nullptr);
    if (status != TW_OK) {
      EXPECT_STREQ(tw_last_error(), "out of memory");
    }
    tw_engine_destroy(engine);
    return status == TW_OK                   ? StatusCode::kOk
           : status == TW_RESOURCE_EXHAUSTED ? StatusCode::kResourceExhausted
                                             : StatusCode::kInternal;
  });
}

INSTANTIATE_TEST_SUITE_P(Devices, AllocationTest,
                         ::testing::Values(EngineKind{"host", false}, EngineKind{"host", true},
                                           EngineKind{"vnpu:phoenix", false, "k_stream"},
                                           EngineKind{"vnpu:phoenix", true, "k_stream"},
                                           EngineKind{"vnpu:phoenix", false, "whole_array"},
                                           EngineKind{"vnpu:phoenix", true, "whole_array"}),
                         NameOf);

// A stream is encoded for every shape, between a call and its launch.
TEST(StreamAllocationTest, StorageThatSufficesIsAllThatEncodingTakes) {
  const program::Sequence sequence = program::WorkedExample();
  const arch::Npu& npu = arch::NpuOf(arch::NpuArch::kNpu1);
  std::vector<uint32_t> words;
  ASSERT_TRUE(program::EncodeStream(sequence, npu, {}, &words).ok());
  const int64_t before = testing::AllocationCount();
  const bool ok = program::EncodeStream(sequence, npu, {}, &words).ok();
  const int64_t after = testing::AllocationCount();
  EXPECT_TRUE(ok);
  EXPECT_EQ(after - before, 0);
  // Without storage: one piece of memory that is large enough from the start.
  const Result<std::vector<uint32_t>> returned = program::EncodeStream(sequence, npu);
  EXPECT_TRUE(returned.ok());
  EXPECT_EQ(testing::AllocationCount() - after, 1);
}

TEST(StreamAllocationTest, ANewShapeOfTheWholeArrayTakesNoMemory) {
  program::DesignSpec spec;
  spec.family = program::DesignFamily::kWholeArray;
  spec.columns = 4;
  spec.stack_bytes = 1024;
  const Result<program::ArrayProgram> program = program::Lower(spec);
  ASSERT_TRUE(program.ok());
  std::vector<uint32_t> words;
  const auto encode = [&](int64_t size) {
    program::ProductShape shape;
    shape.m = shape.k = shape.n = size;
    const Result<program::ImageLayout> layout = program::ImageLayoutOf(spec, shape);
    return layout.ok() && program::EncodeWholeArray(*program, shape, *layout, &words).ok();
  };
  ASSERT_TRUE(encode(4096));
  const int64_t before = testing::AllocationCount();
  const bool ok = encode(4000) && encode(1500);
  EXPECT_EQ(testing::AllocationCount() - before, 0);
  EXPECT_TRUE(ok);
}

}  // namespace
}  // namespace tilewave
