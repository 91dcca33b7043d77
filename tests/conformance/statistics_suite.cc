// What a call says of itself: CallStats and progress, as device_info.h and engine.h have it.

#include <atomic>
#include <memory>

#include "tests/conformance/conformance_case.h"
#include "tests/conformance/plain_product.h"

namespace tilewave::conformance {
namespace {

/// A call that every array cuts into 64 launches of one tile each.
constexpr int64_t kLaunches = 64;
const ArrayOptions kSmallTiles{.design = "packed_tile", .tile = 16, .mode = "runlist"};

double SumOf(const PhaseTimes& p) {
  return p.call_us + p.allocate_us + p.pack_us + p.write_us + p.sync_in_us + p.launch_us +
         p.wait_us + p.sync_out_us + p.read_us + p.accumulate_us + p.finish_us;
}

CONFORMANCE_CASE(statistics, APartNamesDeviceKernelAndReason) {
  CONFORMANCE_OPEN(device, backend.open());
  CONFORMANCE_OPEN(engine, MakeEngine(backend, {.array = kSmallTiles}));
  PlainProduct product(64, 64, 64);
  CallStats stats;
  CONFORMANCE_OK(engine.Run(product.Call(), {.stats = &stats}));
  EXPECT_TRUE(product.IsExact());
  ASSERT_EQ(stats.part_count, 1);
  const CallStats::Part& part = stats.parts[0];
  EXPECT_EQ(part.device, device->info().name);
  EXPECT_EQ(part.device, engine.device().name);
  EXPECT_EQ(part.reason, "requested");
  EXPECT_EQ(part.time_kind, device->clock().kind());
  EXPECT_GT(part.us, 0);
  if (backend.images == nullptr) {
    EXPECT_FALSE(part.kernel.empty());
  } else {
    EXPECT_TRUE(part.kernel.starts_with("packed_tile-16x16x16-vector-s32-npu")) << part.kernel;
  }
}

CONFORMANCE_CASE(statistics, LaunchesAndBytesAreCounted) {
  CONFORMANCE_OPEN(engine, MakeEngine(backend, {.array = kSmallTiles}));
  PlainProduct product(64, 64, 64);
  CallStats stats;
  CONFORMANCE_OK(engine.Run(product.Call(), {.stats = &stats}));
  EXPECT_EQ(stats.macs, 64 * 64 * 64);
  const PhaseCounts& counts = stats.counts;
  if (backend.images == nullptr) {
    EXPECT_EQ(stats.parts[0].launches, 1);
    EXPECT_EQ(counts.submissions, 1);
    EXPECT_EQ(counts.buffers + counts.writes + counts.reads, 0);
    EXPECT_EQ(counts.syncs_in + counts.syncs_out + counts.bytes_in + counts.bytes_out, 0);
    return;
  }
  EXPECT_EQ(stats.parts[0].launches, kLaunches);
  EXPECT_EQ(counts.writes, kLaunches);
  EXPECT_EQ(counts.reads, kLaunches);
  EXPECT_EQ(counts.bytes_in, kLaunches * 2 * 16 * 16);
  EXPECT_EQ(counts.bytes_out, kLaunches * 16 * 16 * 4);
  EXPECT_GT(counts.buffers, 0);
  EXPECT_GT(counts.syncs_in, 0);
  EXPECT_GT(counts.syncs_out, 0);
  EXPECT_GE(counts.submissions, kLaunches / static_cast<int64_t>(device::kMaxChainLaunches));
  EXPECT_LE(counts.submissions, kLaunches);
}

CONFORMANCE_CASE(statistics, TimesAddUp) {
  CONFORMANCE_OPEN(engine, MakeEngine(backend, {}));
  PlainProduct product(150, 130, 110);
  for (int run = 0; run < 2; ++run) {
    CallStats stats;
    CONFORMANCE_OK(engine.Run(product.Call(), {.stats = &stats}));
    EXPECT_GT(stats.total_us, 0);
    const CallStats::Part& part = stats.parts[0];
    // Each phase is cut off at whole nanoseconds.
    constexpr double kRounding = 0.05;
    EXPECT_LE(SumOf(stats.phases), part.us + kRounding);
    if (part.time_kind == TimeKind::kMeasured) {
      EXPECT_GE(stats.total_us + kRounding, part.us) << "the total is of the whole call";
    }
    EXPECT_EQ(stats.plan_cached, run > 0);
  }
}

CONFORMANCE_CASE(statistics, WhatWasThereBeforeIsCleared) {
  CONFORMANCE_OPEN(engine, MakeEngine(backend, {.array = kSmallTiles}));
  PlainProduct product(32, 32, 32);
  CallStats fresh;
  CONFORMANCE_OK(engine.Run(product.Call(), {.stats = &fresh}));
  CallStats junk = fresh;
  junk.part_count = CallStats::kMaxParts;
  junk.parts.fill(fresh.parts[0]);
  junk.counts.writes = junk.counts.bytes_in = junk.counts.submissions = 1 << 20;
  junk.macs = -1;
  junk.phases.launch_us = junk.phases.read_us = 1e12;
  CallStats stats = junk;
  CONFORMANCE_OK(engine.Run(product.Call(), {.stats = &stats}));
  EXPECT_EQ(stats.part_count, 1);
  EXPECT_EQ(stats.parts[1].launches, 0);
  EXPECT_EQ(stats.macs, fresh.macs);
  EXPECT_EQ(stats.counts.writes, fresh.counts.writes);
  EXPECT_EQ(stats.counts.bytes_in, fresh.counts.bytes_in);
  EXPECT_EQ(stats.counts.submissions, fresh.counts.submissions);
  EXPECT_LT(stats.phases.launch_us, 1e12);
  EXPECT_LT(stats.phases.read_us, 1e12);
  // A call that fails leaves them cleared.
  stats = junk;
  Matmul refused = product.Call();
  std::get<ConstMatrix>(refused.b).rows += 1;
  EXPECT_FALSE(engine.Run(refused, {.stats = &stats}).ok());
  EXPECT_EQ(stats.part_count, 0);
  EXPECT_EQ(stats.macs, 0);
  EXPECT_EQ(stats.counts.writes, 0);
}

CONFORMANCE_CASE(statistics, ProgressCountsEveryElementOfC) {
  for (const char* design : {"packed_tile", "k_stream", "whole_array"}) {
    CONFORMANCE_OPEN(engine, MakeEngine(backend, {.array = {.design = design}}));
    PlainProduct product(100, 90, 70, 3);
    std::atomic<int64_t> progress{12345};
    for (int run = 0; run < 2; ++run) {
      CONFORMANCE_OK(engine.Run(product.Call(), {.progress = &progress}));
      EXPECT_EQ(progress.load(), 3 * 100 * 70) << design;
    }
    EXPECT_TRUE(product.IsExact());
  }
}

}  // namespace
}  // namespace tilewave::conformance
