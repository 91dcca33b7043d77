// Whole products through the engine: bit for bit what core::ReferenceGemm says, whatever the
// design, the types, the shapes and the strides.

#include <string>
#include <vector>

#include "base/random.h"
#include "tests/conformance/conformance_case.h"
#include "tests/support/random_call.h"

namespace tilewave::conformance {
namespace {

using testing::RandomCall;

/// Random calls on one engine. `design` must be the beginning of the kernel's name on an array.
void RunCalls(const Backend& backend, const ArrayOptions& array, uint64_t seed, int count,
              const RandomCall::Limits& limits) {
  CONFORMANCE_OPEN(engine, MakeEngine(backend, {.validate_submissions = true, .array = array}));
  base::Random random(seed);
  for (int i = 0; i < count; ++i) {
    RandomCall call(&random, limits);
    ASSERT_TRUE(call.RunReference().ok());
    CallStats stats;
    CONFORMANCE_OK(engine.Run(call.call(), {.stats = &stats}));
    ASSERT_EQ(call.Difference(), "") << call.Describe();
    if (backend.images != nullptr) {
      ASSERT_TRUE(stats.parts[0].kernel.starts_with(array.design)) << stats.parts[0].kernel;
    }
  }
}

CONFORMANCE_CASE(exactness, CallsAsTheyArePlanned) {
  RunCalls(backend, {}, 1, 40, {.m = 150, .k = 200, .n = 150, .batch = 2});
}

CONFORMANCE_CASE(exactness, WholeArrayWithEveryLayout) {
  uint64_t seed = 10;
  for (const char* layout : {"row", "col", "packed"}) {
    for (const int c_buffers : {1, 2}) {
      ArrayOptions array;
      array.design = "whole_array";
      array.b_layout = layout;
      array.c_buffers = c_buffers;
      RunCalls(backend, array, ++seed, 6, {.m = 100, .k = 150, .n = 100, .batch = 2});
    }
  }
}

CONFORMANCE_CASE(exactness, KStream) {
  RunCalls(backend, {.design = "k_stream"}, 20, 30, {.m = 150, .k = 200, .n = 150, .batch = 2});
}

CONFORMANCE_CASE(exactness, PackedTiles) {
  for (const int64_t tile : {16, 32, 64}) {
    RunCalls(backend, {.design = "packed_tile", .tile = tile}, 30 + static_cast<uint64_t>(tile), 10,
             {.m = 70, .k = 100, .n = 70, .batch = 2});
  }
}

CONFORMANCE_CASE(exactness, ScalarKernels) {
  RunCalls(backend, {.design = "k_stream", .kernel = "scalar"}, 40, 6, {.m = 80, .k = 90, .n = 80});
  RunCalls(backend, {.design = "packed_tile", .tile = 32, .kernel = "scalar"}, 41, 6,
           {.m = 80, .k = 90, .n = 80});
}

CONFORMANCE_CASE(exactness, EveryModeOfSubmission) {
  uint64_t seed = 50;
  for (const char* mode : {"sequential", "wave", "runlist"}) {
    for (const char* buffers : {"per_tile", "pool"}) {
      RunCalls(backend, {.design = "packed_tile", .tile = 32, .mode = mode, .buffers = buffers},
               ++seed, 4, {.m = 90, .k = 90, .n = 90, .batch = 2});
    }
  }
}

CONFORMANCE_CASE(exactness, Batches) {
  RunCalls(backend, {}, 60, 20, {.m = 40, .k = 60, .n = 40, .batch = 7});
}

CONFORMANCE_CASE(exactness, SmallAndNarrowProducts) {
  RunCalls(backend, {}, 70, 6, {.m = 1, .k = 200, .n = 200});
  RunCalls(backend, {}, 71, 6, {.m = 200, .k = 200, .n = 1});
  RunCalls(backend, {}, 72, 6, {.m = 5, .k = 5, .n = 5});
}

CONFORMANCE_CASE(exactness, PreparedWeights) {
  CONFORMANCE_OPEN(engine, MakeEngine(backend, {.validate_submissions = true}));
  base::Random random(80);
  for (int i = 0; i < 20; ++i) {
    RandomCall call(&random, {.m = 90, .k = 130, .n = 90, .batch = 2});
    const Result<Matmul> prepared = call.Prepacked(&engine);
    ASSERT_TRUE(prepared.ok()) << prepared.status().message();
    // Twice: the payload is made by the first call, or before.
    for (int run = 0; run < 2; ++run) {
      call.Poison();
      ASSERT_TRUE(call.RunReference().ok());
      CONFORMANCE_OK(engine.Run(*prepared));
      ASSERT_EQ(call.Difference(), "") << call.Describe();
    }
  }
}

CONFORMANCE_CASE(exactness, ARefusedCallWritesNothing) {
  CONFORMANCE_OPEN(engine, MakeEngine(backend, {.validate_submissions = true}));
  const std::vector<int8_t> a(64, 1);
  std::vector<int32_t> c(64, -1);
  const std::vector<int32_t> untouched = c;
  // B has another K.
  const Status status = engine.Run({.a = RowMajor(a.data(), 8, 8),
                                    .b = RowMajor(a.data(), 4, 8),
                                    .c = RowMajor(c.data(), 8, 8)});
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(c, untouched);
}

}  // namespace
}  // namespace tilewave::conformance
