// The public interface: what users meet first when something is wrong, and the engine over a
// device that misbehaves.

#include "tilewave/engine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "engine/compose.h"
#include "tests/support/fake_device.h"

namespace tilewave {
namespace {

/// gmock is not needed for one matcher.
::testing::AssertionResult Says(const Status& status, StatusCode code, const std::string& part) {
  if (status.code() == code && status.message().find(part) != std::string::npos) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << "got " << status.ToString() << ", expected " << Name(code)
                                       << " with \"" << part << "\"";
}

Engine HostEngine() {
  Result<Engine> engine = Engine::Create({.device = "host", .validate_submissions = true});
  EXPECT_TRUE(engine.ok()) << engine.status().message();
  return *std::move(engine);
}

/// A 2x3 by 3x2 product that works; tests spoil one thing.
struct SmallCall {
  std::vector<int8_t> a = {1, 2, 3, 4, 5, 6};
  std::vector<int8_t> b = {1, -1, 2, -2, 3, -3};
  std::vector<int32_t> c = std::vector<int32_t>(4, 77);
  Matmul call{
      .a = RowMajor(a.data(), 2, 3), .b = RowMajor(b.data(), 3, 2), .c = RowMajor(c.data(), 2, 2)};

  Matrix& out() { return std::get<Matrix>(call.c); }
  ConstMatrix& left() { return std::get<ConstMatrix>(call.a); }
  ConstMatrix& right() { return std::get<ConstMatrix>(call.b); }
  bool untouched() const { return c == std::vector<int32_t>(4, 77); }
};

TEST(EngineTest, MultipliesTwoSmallMatrices) {
  Engine engine = HostEngine();
  SmallCall t;
  CallStats stats;
  std::atomic<int64_t> progress{0};
  ASSERT_TRUE(engine.Run(t.call, {.stats = &stats, .progress = &progress}).ok());
  EXPECT_EQ(t.c, (std::vector<int32_t>{14, -14, 32, -32}));
  EXPECT_EQ(progress.load(), 4);
  EXPECT_EQ(stats.macs, 12);
  EXPECT_EQ(stats.part_count, 1);
  EXPECT_EQ(stats.parts[0].device, "host");
  EXPECT_EQ(stats.parts[0].reason, "requested");
  EXPECT_EQ(stats.parts[0].time_kind, TimeKind::kMeasured);
  EXPECT_FALSE(stats.plan_cached);
  EXPECT_GT(stats.total_us, 0);
  EXPECT_GE(stats.total_us, stats.phases.launch_us);
  ASSERT_TRUE(engine.Run(t.call, {.stats = &stats}).ok());
  EXPECT_TRUE(stats.plan_cached);
}

TEST(EngineTest, ViewsWithoutStridesAreDense) {
  const std::vector<int8_t> a = {1, 2, 3, 4, 5, 6, 1, 0, 0, 0, 0, 1};
  const std::vector<int8_t> b = {7, 8, 9, 10, 11, 12};
  const std::vector<int32_t> expected = {58, 64, 139, 154, 7, 8, 11, 12};
  for (const char* device : {"host", "vnpu:phoenix"}) {
    Result<Engine> engine = Engine::Create({.device = device});
    ASSERT_TRUE(engine.ok());
    const ConstMatrix a_view{.data = a.data(), .rows = 2, .cols = 3, .batch = 2};
    const ConstMatrix b_view{.data = b.data(), .rows = 3, .cols = 2};
    std::vector<int32_t> c(8);
    Matmul call{
        .a = a_view,
        .b = b_view,
        .c = Matrix{.data = c.data(), .type = ElementType::kS32, .rows = 2, .cols = 2, .batch = 2}};
    ASSERT_TRUE(engine->Run(call).ok());
    EXPECT_EQ(c, expected) << device;
    const Result<DeviceTensor> tensor = engine->Upload(a_view);
    ASSERT_TRUE(tensor.ok());
    std::vector<int8_t> back(a.size());
    ASSERT_TRUE(
        engine->Download(*tensor, {.data = back.data(), .rows = 2, .cols = 3, .batch = 2}).ok());
    EXPECT_EQ(back, a);
    const Result<Weights> weights = engine->Prepare(b_view);
    ASSERT_TRUE(weights.ok());
    call.b = *weights;
    c.assign(8, 0);
    ASSERT_TRUE(engine->Run(call).ok());
    EXPECT_EQ(c, expected) << device;
  }
}

TEST(EngineTest, UnknownDevicesAndOptionsAreRefusedByName) {
  const auto refuse = [](EngineOptions options) { return Engine::Create(options).status(); };
  EXPECT_TRUE(Says(refuse({.device = "gpu"}), StatusCode::kNotFound,
                   "no device 'gpu'; expected auto, host, vnpu:PROFILE, xrt[:N]"));
  EXPECT_TRUE(Says(refuse({.device = ""}), StatusCode::kNotFound, "no device ''"));
  EXPECT_TRUE(Says(refuse({.device = "host:3"}), StatusCode::kInvalidArgument, "host:3"));
  EXPECT_TRUE(Says(refuse({.device = "vnpu:birman"}), StatusCode::kNotFound, "phoenix-pyxrt"));
  EXPECT_TRUE(Says(refuse({.device = "vnpu"}), StatusCode::kInvalidArgument, "needs a profile"));
  EXPECT_TRUE(Says(refuse({.device = "xrt:0"}), StatusCode::kUnimplemented, "XRT"));
  for (const char* bad : {"xrt:one", "xrt:-1", "xrt:0x", "xrt:0:"}) {
    EXPECT_TRUE(Says(refuse({.device = bad}), StatusCode::kInvalidArgument, "xrt:N:DIRECTORY"));
  }
  EXPECT_EQ(refuse({.device = "vnpu:phoenix", .cpu_kernel = "fast"}).code(), StatusCode::kNotFound);
  EXPECT_EQ(refuse({.device = "vnpu:phoenix", .cpu_kernel = "fast", .host_fallback = false}).code(),
            StatusCode::kNotFound);
  EXPECT_TRUE(Says(refuse({.cpu_kernel = "fast"}), StatusCode::kNotFound,
                   "no CPU kernel 'fast'; expected one of Int8Gemm_"));
  EXPECT_TRUE(Says(refuse({.threads = 1025}), StatusCode::kInvalidArgument,
                   "threads is 1025; expected 0 to 1024"));
  EXPECT_TRUE(Says(refuse({.threads = -1}), StatusCode::kInvalidArgument, "threads is -1"));
}

TEST(EngineTest, MismatchedShapesAreRefusedAndNothingIsWritten) {
  Engine engine = HostEngine();
  SmallCall t;
  const auto refused = [&](StatusCode code, const std::string& part) {
    const auto says = Says(engine.Run(t.call), code, part);
    const bool clean = t.untouched();
    t = SmallCall();
    return says && clean ? ::testing::AssertionSuccess()
                         : (says ? ::testing::AssertionFailure() << "C was written" : says);
  };
  t.left().cols = 2;
  EXPECT_TRUE(
      refused(StatusCode::kInvalidArgument, "the columns of A (2) must equal the rows of B (3)"));
  t.out().rows = 3;
  EXPECT_TRUE(refused(StatusCode::kInvalidArgument, "C is 3x2; the product of 2x3 and 3x2 is 2x2"));
  t.left().batch = 2;
  EXPECT_TRUE(refused(StatusCode::kInvalidArgument, "C is a batch of 1; A and B make one of 2"));
  t.left().batch = 2;
  t.right().batch = 3;
  EXPECT_TRUE(refused(StatusCode::kInvalidArgument, "A is a batch of 2 and B of 3"));
  t.left().rows = 0;
  t.out().rows = 0;
  EXPECT_TRUE(refused(StatusCode::kInvalidArgument, "M is 0; every extent must be at least 1"));
  t.left().rows = -5;
  t.out().rows = -5;
  EXPECT_TRUE(refused(StatusCode::kInvalidArgument, "M is -5"));
  t.left().data = nullptr;
  EXPECT_TRUE(refused(StatusCode::kInvalidArgument, "A has no data: the pointer is null"));
  t.out().data = t.a.data();
  t.out().type = ElementType::kS8;
  t.call.epilogue.requantisation = RequantShift{3};
  EXPECT_TRUE(refused(StatusCode::kInvalidArgument, "C overlaps A"));
  t.left().type = ElementType::kS16;
  EXPECT_TRUE(refused(StatusCode::kUnimplemented, "s16"));
  t.call.epilogue.accumulate = true;
  EXPECT_TRUE(refused(StatusCode::kUnimplemented, "accumulating into C"));
}

TEST(EngineTest, OverflowingExtentsAreRefused) {
  Engine engine = HostEngine();
  SmallCall t;
  const int64_t huge = int64_t{1} << 40;
  t.left().rows = huge;
  t.left().row_stride = 0;
  t.right().cols = huge;
  t.right().col_stride = 0;
  t.out().rows = huge;
  t.out().cols = huge;
  t.out().row_stride = huge;
  EXPECT_TRUE(Says(engine.Run(t.call), StatusCode::kOutOfRange, "overflows"));
}

TEST(EngineTest, EmptyTensorsAreNamed) {
  Engine engine = HostEngine();
  SmallCall t;
  t.call.a = DeviceTensor();
  EXPECT_TRUE(Says(engine.Run(t.call), StatusCode::kInvalidArgument, "A is an empty DeviceTensor"));
  t = SmallCall();
  t.call.b = DeviceTensor();
  EXPECT_TRUE(Says(engine.Run(t.call), StatusCode::kInvalidArgument, "B is an empty DeviceTensor"));
  t = SmallCall();
  t.call.c = DeviceOutput{nullptr, ElementType::kS32};
  EXPECT_TRUE(Says(engine.Run(t.call), StatusCode::kInvalidArgument, "without a tensor to set"));
  EXPECT_TRUE(Says(engine.Download(DeviceTensor(), Matrix()), StatusCode::kInvalidArgument,
                   "an empty DeviceTensor"));
}

TEST(EngineTest, NotANumberInADynamicRowIsNamed) {
  Engine engine = HostEngine();
  std::vector<float> a(2 * 3, 1.0F);
  a[4] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<int8_t> b(3 * 2, 1);
  std::vector<float> c(4, 77);
  const Matmul call{.a = RowMajor(static_cast<const float*>(a.data()), 2, 3),
                    .b = RowMajor(b.data(), 3, 2),
                    .c = RowMajor(c.data(), 2, 2)};
  EXPECT_TRUE(
      Says(engine.Run(call), StatusCode::kInvalidArgument, "row 1 of A holds NaN (at k = 1)"));
  EXPECT_EQ(c, std::vector<float>(4, 77));
  EXPECT_TRUE(Says(engine.Prepare(RowMajor(static_cast<const float*>(a.data()), 3, 2)).status(),
                   StatusCode::kInvalidArgument, "column 0 of B holds NaN"));
}

TEST(EngineTest, WeightsOfAnotherShapeOrWithSecondParametersAreRefused) {
  Engine engine = HostEngine();
  const std::vector<int8_t> b(4 * 2, 1);
  const Result<Weights> weights = engine.Prepare(RowMajor(b.data(), 4, 2));
  ASSERT_TRUE(weights.ok());
  SmallCall t;
  t.call.b = *weights;
  EXPECT_TRUE(Says(engine.Run(t.call), StatusCode::kFailedPrecondition, "the Weights are 4x2"));
  const Result<Weights> fitting = engine.Prepare(RowMajor(b.data(), 3, 2));
  ASSERT_TRUE(fitting.ok());
  t.call.b = *fitting;
  t.call.zero_b = Parameter<int32_t>::Of(1);
  EXPECT_TRUE(Says(engine.Run(t.call), StatusCode::kFailedPrecondition, "zero points of B"));
  t.call.zero_b = {};
  t.call.b = Weights();
  EXPECT_TRUE(Says(engine.Run(t.call), StatusCode::kInvalidArgument, "empty Weights"));
  EXPECT_TRUE(t.untouched());
}

TEST(EngineTest, WeightsSurviveTheirSourceAndCountTheirBytes) {
  Engine engine = HostEngine();
  auto source = std::make_unique<std::vector<int8_t>>(std::vector<int8_t>{1, -1, 2, -2, 3, -3});
  Result<Weights> weights = engine.Prepare(RowMajor(source->data(), 3, 2));
  source.reset();
  ASSERT_TRUE(weights.ok());
  EXPECT_EQ(weights->rows(), 3);
  EXPECT_EQ(weights->cols(), 2);
  EXPECT_EQ(weights->batch(), 1);
  const size_t prepacked_bytes = weights->bytes();
  EXPECT_GT(prepacked_bytes, 6U);
  SmallCall t;
  t.call.b = *weights;
  ASSERT_TRUE(engine.Run(t.call).ok());
  EXPECT_EQ(t.c, (std::vector<int32_t>{14, -14, 32, -32}));
  EXPECT_EQ(weights->bytes(), prepacked_bytes);
}

TEST(EngineTest, WeightsWorkOnEveryEngineAndOutliveTheirs) {
  Weights weights;
  {
    Engine first = HostEngine();
    SmallCall t;
    weights = *first.Prepare(t.right());
  }
  for (const bool validate : {true, false, true}) {
    for (const char* kernel : {"Int8Gemm_portable_4x8", "Int8Gemm_portable_3x5"}) {
      EngineOptions options;
      options.cpu_kernel = kernel;
      options.validate_submissions = validate;
      Result<Engine> engine = Engine::Create(options);
      ASSERT_TRUE(engine.ok());
      SmallCall t;
      t.call.b = weights;
      const Status status = engine->Run(t.call);
      ASSERT_TRUE(status.ok()) << status.message();
      EXPECT_EQ(t.c, (std::vector<int32_t>{14, -14, 32, -32}));
    }
  }
}

TEST(EngineTest, ValuesOutsideTheEnumerationsAreRefused) {
  Engine engine = HostEngine();
  const auto refused = [&](auto spoil) {
    SmallCall t;
    spoil(&t);
    const auto says = Says(engine.Run(t.call), StatusCode::kInvalidArgument, "named values");
    return says && !t.untouched() ? ::testing::AssertionFailure() << "C was written" : says;
  };
  EXPECT_TRUE(refused([](SmallCall* t) { t->out().type = static_cast<ElementType>(77); }));
  EXPECT_TRUE(refused([](SmallCall* t) { t->left().type = static_cast<ElementType>(77); }));
  EXPECT_TRUE(refused([](SmallCall* t) { t->right().type = static_cast<ElementType>(77); }));
  EXPECT_TRUE(
      refused([](SmallCall* t) { t->call.epilogue.activation = static_cast<Activation>(9); }));
  EXPECT_TRUE(
      refused([](SmallCall* t) { t->call.quantise_a = static_cast<DynamicQuantisation>(9); }));
  EXPECT_TRUE(refused([](SmallCall* t) {
    t->out().type = ElementType::kS8;
    t->call.epilogue.requantisation = RequantShift{1, static_cast<Rounding>(5)};
  }));
}

TEST(EngineTest, ParametersThatForgotToBePresentAreRefused) {
  Engine engine = HostEngine();
  SmallCall t;
  const int32_t zeros[2] = {1, 2};
  t.call.zero_a.data = zeros;
  EXPECT_TRUE(Says(engine.Run(t.call), StatusCode::kInvalidArgument,
                   "the zero points of A hold values but are not marked present"));
  t = SmallCall();
  t.call.epilogue.bias_s32.value = 3;
  EXPECT_TRUE(Says(engine.Run(t.call), StatusCode::kInvalidArgument, "the s32 bias hold values"));
  EXPECT_TRUE(t.untouched());
}

TEST(EngineTest, SubmitGivesAHandleThatCanBeAskedTwice) {
  Engine engine = HostEngine();
  SmallCall t;
  Result<Handle> handle = engine.Submit(t.call);
  ASSERT_TRUE(handle.ok());
  EXPECT_TRUE(handle->done());
  EXPECT_TRUE(handle->Wait().ok());
  EXPECT_TRUE(handle->Wait().ok());
  EXPECT_EQ(t.c[0], 14);
  t.left().cols = 9;
  EXPECT_TRUE(Says(engine.Submit(t.call).status(), StatusCode::kInvalidArgument, "columns of A"));
}

TEST(EngineTest, ListsEveryDeviceWithAReason) {
  const Engine engine = HostEngine();
  const std::vector<DeviceInfo> devices = engine.Devices();
  ASSERT_EQ(devices.size(), 8U);
  EXPECT_EQ(devices[0].name, "host");
  EXPECT_TRUE(devices[0].usable);
  EXPECT_EQ(devices[1].name, "vnpu:hawk-point");
  EXPECT_EQ(devices[3].name, "vnpu:phoenix");
  EXPECT_EQ(devices[6].name, "vnpu:strix-halo");
  EXPECT_FALSE(devices[7].usable);
  for (const DeviceInfo& info : devices) EXPECT_FALSE(info.description.empty());
  EXPECT_EQ(engine.device().name, "host");
}

TEST(EngineTest, VirtualDevicesTakeOverridesBehindTheirProfile) {
  const Result<Engine> chess =
      Engine::Create({.device = "vnpu:phoenix:kernel=chess:launch.latency_us=100"});
  ASSERT_TRUE(chess.ok()) << chess.status().message();
  EXPECT_EQ(chess->device().name, "vnpu:phoenix:kernel=chess:launch.latency_us=100");
  const struct {
    const char* device;
    StatusCode code;
    const char* part;
  } cases[] = {
      {"vnpu:phoenix:fast", StatusCode::kInvalidArgument, "an unknown 'fast'"},
      {"vnpu:phoenix:kernel=", StatusCode::kNotFound, "no kernel model ''"},
      {"vnpu:phoenix:clock_ghz=9x", StatusCode::kInvalidArgument, "to no number"},
      {"vnpu:phoenix:clock_ghz=0", StatusCode::kInvalidArgument, "expected 0.1 to 5"},
      {"vnpu:phoenix:=1", StatusCode::kNotFound, "no constant ''"},
      {"vnpu::host", StatusCode::kInvalidArgument, "needs a profile"},
  };
  for (const auto& c : cases) {
    const Status status = Engine::Create({.device = c.device}).status();
    EXPECT_TRUE(Says(status, c.code, c.part)) << c.device << ": " << status.message();
  }
}

class FakeEngine : public ::testing::Test {
 protected:
  Engine Make() {
    Result<Engine> engine =
        engine::Composer::Compose({.device = "host"}, testing::FakeRegistry(behaviour_));
    EXPECT_TRUE(engine.ok());
    return *std::move(engine);
  }
  std::shared_ptr<testing::FakeBehaviour> behaviour_ = std::make_shared<testing::FakeBehaviour>();
  SmallCall t_;
};

TEST_F(FakeEngine, AFullQueueIsTriedAgain) {
  Engine engine = Make();
  behaviour_->full_before_accept = 3;
  CallStats stats;
  EXPECT_TRUE(engine.Run(t_.call, {.stats = &stats}).ok());
  EXPECT_EQ(behaviour_->submissions, 1);
  EXPECT_EQ(stats.parts[0].time_kind, TimeKind::kSimulated);
}

TEST_F(FakeEngine, AQueueThatStaysFullEndsInADeadline) {
  Engine engine = Make();
  behaviour_->always_full = true;
  EXPECT_TRUE(Says(engine.Run(t_.call, {.time_limit = std::chrono::milliseconds(5)}),
                   StatusCode::kDeadlineExceeded, "has not accepted the call within 5 ms"));
}

TEST_F(FakeEngine, AWaitThatRunsOutCanBeContinued) {
  Engine engine = Make();
  behaviour_->waits_before_done = 1;
  Result<Handle> handle = engine.Submit(t_.call);
  ASSERT_TRUE(handle.ok());
  EXPECT_FALSE(handle->done());
  EXPECT_TRUE(Says(handle->Wait(), StatusCode::kDeadlineExceeded, "has not finished"));
  EXPECT_TRUE(handle->Wait().ok());
  EXPECT_TRUE(handle->done());
}

TEST_F(FakeEngine, ACallThatRanOutOfTimeStaysInMemoryUntilTheDeviceIsDone) {
  Engine engine = Make();
  behaviour_->hold = true;
  EXPECT_TRUE(Says(engine.Run(t_.call), StatusCode::kDeadlineExceeded, "has not finished"));
  Result<Handle> assigned_over = engine.Submit(t_.call);
  ASSERT_TRUE(assigned_over.ok());
  *assigned_over = Handle();
  EXPECT_EQ(behaviour_->touched, 0);
  behaviour_->hold = false;
  // The next call finds both done; the device has read both launches, which were still there.
  EXPECT_TRUE(engine.Run(t_.call).ok());
  EXPECT_EQ(behaviour_->submissions, 3);
  EXPECT_EQ(behaviour_->touched, 3 * 12);
}

TEST_F(FakeEngine, AHandleIsDoneWhenTheDeviceIs) {
  Engine engine = Make();
  behaviour_->hold = true;
  Result<Handle> handle = engine.Submit(t_.call);
  ASSERT_TRUE(handle.ok());
  EXPECT_FALSE(handle->done());
  behaviour_->hold = false;
  EXPECT_TRUE(handle->done());
  EXPECT_TRUE(handle->Wait().ok());
}

TEST_F(FakeEngine, StatsAndProgressStartAnew) {
  Engine engine = Make();
  CallStats stats;
  stats.part_count = 3;
  stats.macs = 99;
  std::atomic<int64_t> progress{55};
  t_.left().cols = 7;
  EXPECT_FALSE(engine.Run(t_.call, {.stats = &stats, .progress = &progress}).ok());
  EXPECT_EQ(stats.part_count, 0);
  EXPECT_EQ(stats.macs, 0);
  EXPECT_EQ(progress, 0);
}

TEST_F(FakeEngine, TheLongestTimeLimitDoesNotOverflow) {
  Engine engine = Make();
  behaviour_->full_before_accept = 2;
  EXPECT_TRUE(engine.Run(t_.call, {.time_limit = std::chrono::nanoseconds::max()}).ok());
}

TEST_F(FakeEngine, DestroyingAHandleWaits) {
  Engine engine = Make();
  behaviour_->outcome = Status(StatusCode::kUnavailable, "the device is gone");
  {
    const Result<Handle> handle = engine.Submit(t_.call);
    ASSERT_TRUE(handle.ok());
  }
  EXPECT_TRUE(Says(engine.Run(t_.call), StatusCode::kUnavailable, "the device is gone"));
}

TEST_F(FakeEngine, AProblemIsLoadedOnceAndWeightsArePackedOnce) {
  Engine engine = Make();
  const Result<Weights> weights = engine.Prepare(t_.right());
  ASSERT_TRUE(weights.ok());
  t_.call.b = *weights;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(engine.Run(t_.call).ok());
  EXPECT_EQ(behaviour_->loads, 1);
  EXPECT_EQ(behaviour_->packs, 1);
}

TEST_F(FakeEngine, AFailedLoadIsReportedAndTriedAgain) {
  Engine engine = Make();
  behaviour_->load = Status(StatusCode::kResourceExhausted, "no contexts left");
  EXPECT_TRUE(Says(engine.Run(t_.call), StatusCode::kResourceExhausted, "no contexts left"));
  behaviour_->load = {};
  EXPECT_TRUE(engine.Run(t_.call).ok());
  EXPECT_EQ(behaviour_->loads, 2);
}

TEST_F(FakeEngine, ANegativeTimeLimitIsRefused) {
  Engine engine = Make();
  EXPECT_TRUE(Says(engine.Run(t_.call, {.time_limit = std::chrono::nanoseconds(-1)}),
                   StatusCode::kInvalidArgument, "time limit is negative"));
}

}  // namespace
}  // namespace tilewave
