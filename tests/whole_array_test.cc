// Products in one launch of the whole array, through the whole engine: exact whatever the shape,
// the columns, the tile, the layout of B and the output; and what their statistics say.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "tests/support/random_call.h"
#include "tests/support/s8_product.h"
#include "tilewave/engine.h"

namespace tilewave {
namespace {

using testing::S8Product;

Engine WholeArray(const std::string& profile, ArrayOptions array = {}) {
  array.design = "whole_array";
  Result<Engine> engine =
      Engine::Create({.device = "vnpu:" + profile, .validate_submissions = true, .array = array});
  EXPECT_TRUE(engine.ok()) << engine.status().message();
  return *std::move(engine);
}

struct ArrayCase {
  const char* name;
  const char* profile;
  ArrayOptions array;
};

ArrayOptions Shape(int64_t m, int64_t k, int64_t n, int64_t k_mt, int columns, const char* layout,
                   int c_buffers) {
  ArrayOptions array;
  array.tile_m = m;
  array.tile_k = k;
  array.tile_n = n;
  array.k_mt = k_mt;
  array.columns = columns;
  array.b_layout = layout;
  array.c_buffers = c_buffers;
  return array;
}

const ArrayCase kCases[] = {
    {"Phoenix", "phoenix", {}},
    {"PhoenixMeasuredHost", "phoenix:host", {}},
    {"OneColumn", "phoenix", Shape(16, 16, 16, 32, 1, "packed", 1)},
    {"TwoColumnsRowMajorB", "phoenix", Shape(16, 32, 32, 32, 2, "row", 2)},
    {"ThreeColumnsColumnMajorB", "phoenix", Shape(32, 16, 16, 48, 3, "col", 1)},
    {"FourColumnsWideTiles", "phoenix", Shape(8, 24, 80, 72, 4, "packed", 2)},
    {"Krackan", "krackan", {}},
    {"KrackanFiveColumns", "krackan", Shape(16, 24, 16, 24, 5, "row", 1)},
    {"KrackanEightColumns", "krackan", Shape(32, 64, 16, 128, 8, "col", 2)},
};

class WholeArrayCase : public ::testing::TestWithParam<ArrayCase> {};

TEST_P(WholeArrayCase, RaggedRandomCallsOfEveryTypeEqualTheReference) {
  Engine engine = WholeArray(GetParam().profile, GetParam().array);
  base::Random random(31);
  for (int i = 0; i < 60; ++i) {
    testing::RandomCall call(&random, {.m = 150, .k = 200, .n = 150, .batch = 3});
    ASSERT_TRUE(call.RunReference().ok());
    CallStats stats;
    const Status status = engine.Run(call.call(), {.stats = &stats});
    ASSERT_TRUE(status.ok()) << status.message() << "\n" << call.Describe();
    ASSERT_EQ(call.Difference(), "") << call.Describe();
    ASSERT_EQ(stats.parts[0].launches, 1);
  }
}

TEST_P(WholeArrayCase, PreparedWeightsGiveTheSameBytes) {
  Engine engine = WholeArray(GetParam().profile, GetParam().array);
  base::Random random(32);
  for (int i = 0; i < 30; ++i) {
    testing::RandomCall call(&random, {.m = 90, .k = 130, .n = 90, .batch = 2});
    ASSERT_TRUE(call.RunReference().ok());
    const Result<Matmul> prepared = call.Prepacked(&engine);
    ASSERT_TRUE(prepared.ok()) << prepared.status().message();
    for (int twice = 0; twice < 2; ++twice) {
      call.Poison();
      ASSERT_TRUE(call.RunReference().ok());
      ASSERT_TRUE(engine.Run(*prepared).ok());
      ASSERT_EQ(call.Difference(), "") << call.Describe();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Vnpu, WholeArrayCase, ::testing::ValuesIn(kCases),
                         [](const auto& instance) { return std::string(instance.param.name); });

class EveryArray : public ::testing::TestWithParam<const char*> {};

TEST_P(EveryArray, TwoHundredRaggedShapesAreExact) {
  Engine engine = WholeArray(GetParam());
  base::Random random(33);
  for (int i = 0; i < 200; ++i) {
    S8Product product(random.Between(1, 3), random.Between(1, 400), random.Between(1, 600),
                      random.Between(1, 400), static_cast<uint64_t>(i));
    CallStats stats;
    const Status status = engine.Run(product.Call(), {.stats = &stats});
    ASSERT_TRUE(status.ok()) << status.message();
    ASSERT_EQ(product.c, product.Expected())
        << product.batch << " x " << product.m << "x" << product.k << "x" << product.n;
    ASSERT_EQ(stats.parts[0].launches, 1);
  }
}

TEST_P(EveryArray, EveryMatmulOfTheWhisperBaseEncoderIsExact) {
  struct Extents {
    int64_t batch;
    int64_t m;
    int64_t k;
    int64_t n;
  };
  Engine engine = WholeArray(GetParam());
  for (const Extents& e :
       {Extents{1, 3000, 240, 512}, Extents{1, 1500, 1536, 512}, Extents{1, 1500, 512, 512},
        Extents{8, 1500, 64, 1500}, Extents{8, 1500, 1500, 64}, Extents{1, 1500, 512, 2048},
        Extents{1, 1500, 2048, 512}}) {
    S8Product product(e.batch, e.m, e.k, e.n);
    CallStats stats;
    const Status status = engine.Run(product.Call(), {.stats = &stats});
    ASSERT_TRUE(status.ok()) << status.message();
    ASSERT_EQ(product.c, product.Expected()) << e.batch << " x " << e.m << "x" << e.k << "x" << e.n;
    ASSERT_EQ(stats.parts[0].launches, 1);
  }
}

TEST_P(EveryArray, RequantisesOnceOnTheCores) {
  for (const int c_buffers : {1, 2}) {
    ArrayOptions array;
    array.c_buffers = c_buffers;
    Engine engine = WholeArray(GetParam(), array);
    Result<Engine> host = Engine::Create({.device = "host"});
    for (const Rounding rounding :
         {Rounding::kFloor, Rounding::kConvEven, Rounding::kSymmetricInf}) {
      for (const Saturation saturation : {Saturation::kSaturate, Saturation::kSymmetric}) {
        S8Product product(2, 77, 300, 90);
        std::vector<int8_t> c(product.c.size(), 1);
        std::vector<int8_t> expected(product.c.size(), 2);
        Matmul call = product.Call();
        call.epilogue.requantisation = RequantShift{9, rounding, saturation};
        call.c = RowMajor(c.data(), 77, 90, 2);
        CallStats stats;
        const Status status = engine.Run(call, {.stats = &stats});
        ASSERT_TRUE(status.ok()) << status.message();
        // The array's C is the caller's: a byte per element comes back, and no epilogue runs here.
        EXPECT_EQ(stats.phases.finish_us, 0);
        EXPECT_NE(stats.parts[0].kernel.find("-s8-"), std::string_view::npos);
        call.c = RowMajor(expected.data(), 77, 90, 2);
        ASSERT_TRUE(host->Run(call).ok());
        ASSERT_EQ(c, expected);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Vnpu, EveryArray, ::testing::Values("phoenix", "krackan"));

TEST(WholeArrayTest, IsTheDefaultDesignOfAnArray) {
  Result<Engine> engine = Engine::Create({.device = "vnpu:phoenix"});
  S8Product product(1, 100, 100, 100);
  CallStats stats;
  ASSERT_TRUE(engine->Run(product.Call(), {.stats = &stats}).ok());
  EXPECT_TRUE(stats.parts[0].kernel.starts_with("whole_array-"));
  EXPECT_EQ(product.c, product.Expected());
}

TEST(WholeArrayTest, PreparedWeightsStayOnTheDevice) {
  Engine engine = WholeArray("phoenix");
  S8Product first(1, 64, 500, 300, 1);
  S8Product second(1, 64, 500, 300, 2);
  second.a = first.a;
  const Result<Weights> weights[] = {engine.Prepare(first.B()), engine.Prepare(second.B())};
  ASSERT_TRUE(weights[0].ok() && weights[1].ok());
  // Two layers in turn, as a model has them.
  for (int i = 0; i < 6; ++i) {
    S8Product& product = i % 2 == 0 ? first : second;
    product.c.assign(product.c.size(), -1);
    Matmul call = product.Call();
    call.b = *weights[i % 2];
    CallStats stats;
    ASSERT_TRUE(engine.Run(call, {.stats = &stats}).ok());
    ASSERT_EQ(product.c, product.Expected());
    // A's image only, in tiles of 16 rows on four rows of cores; B's has 512 x 512 bytes.
    EXPECT_EQ(stats.counts.bytes_in, 64 * 512) << i;
  }
  EXPECT_GT(weights[0]->bytes(), static_cast<size_t>(2 * 500 * 300));
}

TEST(WholeArrayTest, WeightsMayOutliveTheirEngine) {
  const S8Product product(1, 20, 30, 40);
  Weights weights;
  {
    Engine engine = WholeArray("phoenix");
    weights = *engine.Prepare(product.B());
    S8Product copy = product;
    Matmul call = copy.Call();
    call.b = weights;
    ASSERT_TRUE(engine.Run(call).ok());
  }
  Engine other = WholeArray("krackan");
  S8Product copy = product;
  Matmul call = copy.Call();
  call.b = weights;
  ASSERT_TRUE(other.Run(call).ok());
  EXPECT_EQ(copy.c, product.Expected());
}

TEST(WholeArrayTest, SimulatedTimeNeverChanges) {
  const auto simulated_us = [] {
    Engine engine = WholeArray("phoenix");
    S8Product product(3, 100, 200, 300);
    CallStats stats;
    EXPECT_TRUE(engine.Run(product.Call(), {.stats = &stats}).ok());
    return stats.parts[0].us;
  };
  EXPECT_EQ(simulated_us(), simulated_us());
}

TEST(WholeArrayTest, TheReportsProductTakesAThirdOfAMillisecond) {
  // 512^3, prepacked, warm, with 110 us from the submitting call to the first instruction.
  Engine engine = WholeArray("phoenix:launch.latency_us=100");
  S8Product product(1, 512, 512, 512);
  Matmul call = product.Call();
  call.b = *engine.Prepare(product.B());
  CallStats stats;
  ASSERT_TRUE(engine.Run(call).ok());
  ASSERT_TRUE(engine.Run(call, {.stats = &stats}).ok());
  EXPECT_EQ(stats.parts[0].launches, 1);
  EXPECT_EQ(product.c, product.Expected());
  EXPECT_GE(stats.parts[0].us, 250);
  EXPECT_LE(stats.parts[0].us, 450);
}

TEST(WholeArrayTest, ImagesTooLargeForTheDeviceAreRefusedOrCutIntoLaunches) {
  // Refused before a byte is read.
  const int8_t byte = 0;
  int32_t out = 0;
  Matmul call;
  call.a = ConstMatrix{&byte, ElementType::kS8, 40000, 8, 1, 0, 0, 0};
  call.b = ConstMatrix{&byte, ElementType::kS8, 8, 40000, 1, 0, 0, 0};
  call.c = Matrix{&out, ElementType::kS32, 40000, 40000, 1, 40000, 1, 0};
  Engine engine = WholeArray("phoenix");
  const Status status = engine.Run(call);
  EXPECT_EQ(status.code(), StatusCode::kOutOfRange);
  EXPECT_NE(status.message().find("at most 4294967296 on the device"), std::string::npos)
      << status.message();
}

}  // namespace
}  // namespace tilewave
