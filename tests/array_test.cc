// Products on the virtual NPU through the whole engine: every design, mode and pool against the
// reference, what the statistics say of them, and that the simulated time never changes.

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/support/random_call.h"
#include "tests/support/s8_product.h"
#include "tilewave/engine.h"

namespace tilewave {
namespace {

using testing::S8Product;

Engine VnpuEngine(const ArrayOptions& array, const std::string& profile = "phoenix") {
  Result<Engine> engine =
      Engine::Create({.device = "vnpu:" + profile, .validate_submissions = true, .array = array});
  EXPECT_TRUE(engine.ok()) << engine.status().message();
  return *std::move(engine);
}

struct Design {
  const char* design;
  int64_t tile;
  const char* kernel;
};
const Design kDesigns[] = {
    {"packed_tile", 16, "scalar"}, {"packed_tile", 32, "scalar"}, {"packed_tile", 64, "scalar"},
    {"packed_tile", 16, "vector"}, {"packed_tile", 32, "vector"}, {"packed_tile", 64, "vector"},
    {"k_stream", 64, "scalar"},    {"k_stream", 64, "vector"},
};

class EveryDesign : public ::testing::TestWithParam<Design> {};

TEST_P(EveryDesign, RaggedRandomCallsEqualTheReferenceInEveryMode) {
  base::Random random(21);
  for (const char* mode : {"sequential", "wave", "runlist"}) {
    for (const char* buffers : {"one", "per_tile", "pool"}) {
      if (std::string(buffers) == "one" && std::string(mode) != "sequential") continue;
      ArrayOptions array{GetParam().design, GetParam().tile, GetParam().kernel, mode, buffers};
      array.batched_syncs = random.Between(0, 1) == 1;
      array.interleave = random.Between(0, 1) == 1;
      if (std::string(buffers) == "pool") array.pool = random.Between(1, 40);
      Engine engine = VnpuEngine(array, random.Between(0, 1) == 1 ? "phoenix" : "phoenix:host");
      for (int i = 0; i < 12; ++i) {
        testing::RandomCall call(&random, {.m = 150, .k = 200, .n = 150, .batch = 3});
        ASSERT_TRUE(call.RunReference().ok());
        const Status status = engine.Run(call.call());
        ASSERT_TRUE(status.ok()) << status.message() << "\n" << call.Describe();
        ASSERT_EQ(call.Difference(), "") << mode << " " << buffers << " " << call.Describe();
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Vnpu, EveryDesign, ::testing::ValuesIn(kDesigns),
                         [](const auto& instance) {
                           return std::string(instance.param.design) +
                                  std::to_string(instance.param.tile) + instance.param.kernel;
                         });

TEST(ArrayTest, PreparedWeightsGiveTheSameBytes) {
  Engine engine = VnpuEngine({});
  base::Random random(22);
  for (int i = 0; i < 60; ++i) {
    testing::RandomCall call(&random, {.m = 90, .k = 130, .n = 90, .batch = 2});
    ASSERT_TRUE(call.RunReference().ok());
    const Result<Matmul> prepared = call.Prepacked(&engine);
    ASSERT_TRUE(prepared.ok()) << prepared.status().message();
    ASSERT_TRUE(engine.Run(*prepared).ok());
    ASSERT_EQ(call.Difference(), "") << call.Describe();
  }
}

TEST(ArrayTest, PoolsOfOneOfAPrimeAndLargerThanTheWorkGiveTheSameProduct) {
  S8Product expected(1, 130, 70, 100);
  Result<Engine> host = Engine::Create({.device = "host"});
  ASSERT_TRUE(host->Run(expected.Call()).ok());
  for (const char* mode : {"sequential", "wave", "runlist"}) {
    for (const bool interleave : {false, true}) {
      for (const int64_t pool : {1, 2, 7, 23, 97, 1000, 100000}) {
        ArrayOptions array{"packed_tile", 16, "scalar", mode, "pool", pool};
        array.interleave = interleave;
        Engine engine = VnpuEngine(array);
        S8Product product(1, 130, 70, 100);
        CallStats stats;
        const Status status = engine.Run(product.Call(), {.stats = &stats});
        ASSERT_TRUE(status.ok()) << status.message();
        ASSERT_EQ(product.c, expected.c) << mode << " pool " << pool;
        const int64_t launches = 9 * 7 * 5;
        EXPECT_EQ(stats.parts[0].launches, launches);
        EXPECT_EQ(stats.counts.writes, launches);
        EXPECT_EQ(stats.counts.reads, launches);
        // Run lists leave out sets beyond a whole number of chains.
        EXPECT_LE(stats.counts.buffers, (2 * std::min(pool, launches)) + 1);
        EXPECT_GT(stats.counts.buffers, std::min(pool, launches));
      }
    }
  }
}

TEST(ArrayTest, WavesSyncOnceOrOncePerBuffer) {
  ArrayOptions array{"packed_tile", 16, "scalar", "wave", "pool", 10};
  array.interleave = false;
  for (const bool batched : {true, false}) {
    array.batched_syncs = batched;
    Engine engine = VnpuEngine(array);
    S8Product product(1, 64, 64, 64);
    CallStats stats;
    ASSERT_TRUE(engine.Run(product.Call(), {.stats = &stats}).ok());
    EXPECT_EQ(stats.counts.submissions, 64);
    EXPECT_EQ(stats.counts.syncs_in, batched ? 7 : 64);
    EXPECT_EQ(stats.counts.syncs_out, batched ? 7 : 64);
    EXPECT_EQ(stats.counts.bytes_in, 64 * 512);
    EXPECT_EQ(stats.counts.bytes_out, 64 * 1024);
  }
}

TEST(ArrayTest, EveryInputIsABufferToSync) {
  ArrayOptions array{"k_stream", 64, "vector", "wave", "pool", 4};
  array.interleave = false;
  array.batched_syncs = false;
  Engine engine = VnpuEngine(array);
  S8Product product(1, 128, 70, 128);
  CallStats stats;
  ASSERT_TRUE(engine.Run(product.Call(), {.stats = &stats}).ok());
  EXPECT_EQ(stats.counts.syncs_in, 8);
  EXPECT_EQ(stats.counts.syncs_out, 4);
}

TEST(ArrayTest, RunListsHoldUpTo24Launches) {
  ArrayOptions array{"packed_tile", 16, "scalar", "runlist", "pool", 100};
  array.interleave = false;
  Engine engine = VnpuEngine(array);
  S8Product product(1, 64, 64, 64);
  CallStats stats;
  ASSERT_TRUE(engine.Run(product.Call(), {.stats = &stats}).ok());
  EXPECT_EQ(stats.counts.submissions, 3);
}

TEST(ArrayTest, SimulatedTimeIsTheSameToTheNanosecond) {
  for (const Design& design : kDesigns) {
    for (const char* mode : {"sequential", "wave", "runlist"}) {
      const ArrayOptions array{design.design, design.tile, design.kernel, mode};
      CallStats first;
      for (int run = 0; run < 3; ++run) {
        Engine engine = VnpuEngine(array, "phoenix-pyxrt");
        S8Product product(1, 150, 140, 75);
        CallStats stats;
        ASSERT_TRUE(engine.Run(product.Call(), {.stats = &stats}).ok());
        if (run == 0) first = stats;
        EXPECT_EQ(stats.parts[0].us, first.parts[0].us);
        EXPECT_EQ(stats.phases.launch_us, first.phases.launch_us);
        EXPECT_EQ(stats.phases.wait_us, first.phases.wait_us);
        EXPECT_EQ(stats.kernel_us, first.kernel_us);
      }
      EXPECT_GT(first.kernel_us, 0);
      EXPECT_EQ(first.parts[0].time_kind, TimeKind::kSimulated);
    }
  }
}

TEST(ArrayTest, PhasesAddUpToTheTimeOfThePart) {
  Engine engine = VnpuEngine({});
  S8Product product(1, 300, 200, 170);
  CallStats stats;
  ASSERT_TRUE(engine.Run(product.Call(), {.stats = &stats}).ok());
  const PhaseTimes& p = stats.phases;
  const double sum = p.call_us + p.allocate_us + p.pack_us + p.write_us + p.sync_in_us +
                     p.launch_us + p.wait_us + p.sync_out_us + p.read_us + p.accumulate_us +
                     p.finish_us;
  EXPECT_NEAR(sum, stats.parts[0].us, 0.02);
}

TEST(ArrayTest, ProgressCountsEveryElementOnce) {
  Engine engine = VnpuEngine({"packed_tile", 32});
  S8Product product(1, 100, 100, 50);
  std::atomic<int64_t> progress{0};
  ASSERT_TRUE(engine.Run(product.Call(), {.progress = &progress}).ok());
  EXPECT_EQ(progress.load(), 100 * 50);
}

TEST(ArrayTest, TheSecondCallAllocatesNoBuffersUnlessThereIsASetPerTile) {
  for (const char* buffers : {"pool", "per_tile"}) {
    Engine engine = VnpuEngine({"packed_tile", 64, "vector", "wave", buffers});
    S8Product product(1, 130, 130, 130);
    CallStats stats;
    ASSERT_TRUE(engine.Run(product.Call(), {.stats = &stats}).ok());
    EXPECT_GT(stats.phases.allocate_us, 0);
    ASSERT_TRUE(engine.Run(product.Call(), {.stats = &stats}).ok());
    EXPECT_EQ(stats.phases.allocate_us > 0, std::string(buffers) == "per_tile");
  }
}

TEST(ArrayTest, ACallOutOfTimeLeavesCAsItWasAndTheEngineGoesOn) {
  Engine engine = VnpuEngine({"packed_tile", 16, "scalar", "wave", "pool", 8});
  S8Product product(1, 64, 64, 64);
  const std::vector<int32_t> untouched = product.c;
  const Status late = engine.Run(product.Call(), {.time_limit = std::chrono::milliseconds(2)});
  EXPECT_EQ(late.code(), StatusCode::kDeadlineExceeded) << late.message();
  EXPECT_NE(late.message().find("within 2 ms"), std::string::npos) << late.message();
  EXPECT_EQ(product.c, untouched);
  ASSERT_TRUE(engine.Run(product.Call()).ok());
  S8Product expected(1, 64, 64, 64);
  Result<Engine> host = Engine::Create({.device = "host"});
  ASSERT_TRUE(host->Run(expected.Call()).ok());
  EXPECT_EQ(product.c, expected.c);
}

TEST(ArrayTest, LongSimulationsAreNotOutOfTime) {
  // 4,096 launches of a scalar 64x64x64 kernel are over a minute of device time.
  Engine engine = VnpuEngine({"packed_tile", 64, "scalar", "wave", "pool", 8});
  S8Product product(1, 1024, 512, 1024);
  CallStats stats;
  ASSERT_TRUE(engine.Run(product.Call(), {.stats = &stats}).ok());
  EXPECT_GT(stats.parts[0].us, 30e6);
}

TEST(ArrayTest, MemoryOfALateCallComesBack) {
  Engine engine = VnpuEngine({"packed_tile", 16, "scalar", "wave", "pool", 8});
  S8Product product(1, 64, 64, 64);
  EXPECT_EQ(engine.Run(product.Call(), {.time_limit = std::chrono::milliseconds(1)}).code(),
            StatusCode::kDeadlineExceeded);
  // Another shape moves the clock on, past the end of the late launches.
  S8Product other(1, 33, 200, 33);
  ASSERT_TRUE(engine.Run(other.Call()).ok());
  CallStats stats;
  ASSERT_TRUE(engine.Run(product.Call(), {.stats = &stats}).ok());
  EXPECT_EQ(stats.counts.buffers, 0);
}

TEST(ArrayTest, AChainOfLongLaunchesIsNotOutOfTime) {
  // Sixteen launches of 2.4 s each are one submission.
  Engine engine = VnpuEngine({"k_stream", 64, "scalar", "runlist", "pool", 32});
  S8Product product(1, 256, 8192, 512);
  CallStats stats;
  const Status status = engine.Run(product.Call(), {.stats = &stats});
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(stats.counts.submissions, 2);
  EXPECT_GT(stats.parts[0].us, 2 * 30e6);
}

TEST(ArrayTest, ChoicesAreRefusedByName) {
  struct RefusedChoice {
    ArrayOptions array;
    StatusCode code;
    const char* part;
  };
  const RefusedChoice cases[] = {
      {{.design = "whole"},
       StatusCode::kInvalidArgument,
       "unknown design 'whole'; expected one of: packed_tile, k_stream, whole_array"},
      {{.mode = "waves"},
       StatusCode::kInvalidArgument,
       "unknown mode 'waves'; expected one of: sequential, wave, runlist"},
      {{.kernel = "mmul"}, StatusCode::kInvalidArgument, "expected one of: scalar, vector"},
      {{.buffers = "two"}, StatusCode::kInvalidArgument, "expected one of: one, per_tile, pool"},
      {{.design = "k_stream", .tile = 48},
       StatusCode::kInvalidArgument,
       "k_stream has no tile 48x48x48"},
      {{.tile = 44},
       StatusCode::kInvalidArgument,
       "whole_array has no tile with k = 44; expected a multiple of 8 from 8 to 65536, the nearest "
       "is 48"},
      {{.tile_m = 64, .tile_k = 128, .tile_n = 128}, StatusCode::kOutOfRange, "data memory"},
      {{.k_mt = 100}, StatusCode::kInvalidArgument, "the nearest is 128"},
      {{.columns = 5}, StatusCode::kInvalidArgument, "on 5 columns; npu1 has 1 to 4"},
      {{.columns = -1}, StatusCode::kInvalidArgument, "columns = -1"},
      {{.b_layout = "rows"}, StatusCode::kInvalidArgument, "expected one of: row, col, packed"},
      {{.c_buffers = 3}, StatusCode::kInvalidArgument, "3 buffers of C; expected 1 or 2"},
      {{.design = "whole_array", .mode = "wave"},
       StatusCode::kInvalidArgument,
       "expected no mode, buffers or pool"},
      {{.design = "k_stream", .k_mt = 128},
       StatusCode::kInvalidArgument,
       "a tile shape, k_mt, columns, a layout of B, buffers of C and a stack are for whole_array"},
      {{.design = "packed_tile", .tile = 128},
       StatusCode::kInvalidArgument,
       "expected 16x16x16, 32x32x32 or 64x64x64"},
      {{.tile = -1}, StatusCode::kInvalidArgument, "tile = -1"},
      {{.mode = "wave", .buffers = "one"},
       StatusCode::kInvalidArgument,
       "one buffer set cannot serve mode wave"},
      {{.buffers = "per_tile", .pool = 4}, StatusCode::kInvalidArgument, "a pool of 4 buffer sets"},
      {{.pool = -4}, StatusCode::kInvalidArgument, "a pool of -4 buffer sets"},
  };
  for (const RefusedChoice& c : cases) {
    S8Product product(1, 20, 20, 20);
    const std::vector<int32_t> untouched = product.c;
    Result<Engine> engine = Engine::Create({.device = "vnpu:phoenix", .array = c.array});
    const Status status = engine.ok() ? engine->Run(product.Call()) : engine.status();
    EXPECT_EQ(status.code(), c.code) << c.part;
    EXPECT_NE(status.message().find(c.part), std::string::npos) << status.message();
    EXPECT_EQ(product.c, untouched);
  }
}

TEST(ArrayTest, ABufferSetPerTileOfAHugeProductIsRefused) {
  Engine engine = VnpuEngine({"packed_tile", 16, "scalar", "wave", "per_tile"});
  S8Product product(1, 4096, 1, 4096);
  product.k = 4096;  // Refused before a byte is read.
  const int8_t byte = 0;
  Matmul call = product.Call();
  call.a = ConstMatrix{&byte, ElementType::kS8, 4096, 4096, 1, 0, 0, 0};
  call.b = ConstMatrix{&byte, ElementType::kS8, 4096, 4096, 1, 0, 0, 0};
  const Status status = engine.Run(call);
  EXPECT_EQ(status.code(), StatusCode::kOutOfRange) << status.message();
  EXPECT_NE(status.message().find("buffer sets"), std::string::npos) << status.message();
}

}  // namespace
}  // namespace tilewave
