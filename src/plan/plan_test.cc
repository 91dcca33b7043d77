#include "plan/plan.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "profile/profile.h"

namespace tilewave::plan {
namespace {

using program::DesignFamily;
using program::TileKernel;

core::Problem Dense(int64_t m, int64_t k, int64_t n, int64_t batch = 1) {
  core::Problem p;
  p.batch = batch;
  p.m = m;
  p.k = k;
  p.n = n;
  p.a = {k, 1, m * k};
  p.b = {n, 1, k * n};
  p.c = {n, 1, m * n};
  return p;
}

ArrayChoices Packed(int64_t tile) {
  ArrayChoices choices;
  choices.family = DesignFamily::kPackedTile;
  choices.tile = tile;
  return choices;
}

/// Decisions to be kept, as a table: shape and choices -> how it is cut.
TEST(ArrayPlanTest, ShapesAreCutAsTheTableSays) {
  struct Case {
    core::Problem problem;
    ArrayChoices choices;
    int64_t launches;
    int64_t tiles_k;
    int64_t k_steps;
    int64_t sets;
    int64_t chain;
  };
  ArrayChoices waves;
  waves.mode = SubmissionMode::kWave;
  ArrayChoices one;
  one.buffers = BufferPolicy::kOne;
  ArrayChoices each = Packed(16);
  each.buffers = BufferPolicy::kPerTile;
  const Case cases[] = {
      {Dense(512, 512, 512), {}, 64, 1, 8, 32, 16},
      {Dense(512, 512, 512), waves, 64, 1, 8, 32, 1},
      {Dense(512, 512, 512), one, 64, 1, 8, 1, 1},
      {Dense(512, 512, 512), Packed(16), 32768, 32, 1, 504, 24},
      {Dense(512, 512, 512), Packed(64), 512, 8, 1, 512, 24},
      {Dense(512, 512, 512), each, 32768, 32, 1, 32768, 24},
      {Dense(1, 1, 1), {}, 1, 1, 1, 1, 1},
      {Dense(65, 65, 65), {}, 4, 1, 2, 4, 2},
      {Dense(17, 33, 15, 3), Packed(16), 3 * 2 * 1 * 3, 3, 1, 18, 9},
      // Panels of 8 MiB: eight sets although the pool is then larger than it should be.
      {Dense(1024, 131071, 1024), {}, 256, 1, 2048, 8, 4},
  };
  for (const Case& c : cases) {
    const Result<ArrayPlan> plan = MakeArrayPlan(c.problem, arch::NpuArch::kNpu1, c.choices);
    ASSERT_TRUE(plan.ok()) << plan.status().message();
    const std::string where = program::Name(plan->spec) + " " + std::to_string(c.problem.m);
    EXPECT_EQ(plan->launches, c.launches) << where;
    EXPECT_EQ(plan->tiles_k, c.tiles_k) << where;
    EXPECT_EQ(plan->k_steps, c.k_steps) << where;
    EXPECT_EQ(plan->sets, c.sets) << where;
    EXPECT_EQ(plan->chain, c.chain) << where;
  }
}

TEST(ArrayPlanTest, NothingLossyIsEverPlannedByItself) {
  for (const int64_t extent : {1, 16, 100, 512}) {
    for (const int64_t tile : {0, 64}) {
      ArrayChoices choices;
      choices.tile = tile;
      const Result<ArrayPlan> plan =
          MakeArrayPlan(Dense(extent, extent, extent), arch::NpuArch::kNpu1, choices);
      ASSERT_TRUE(plan.ok());
      EXPECT_EQ(plan->spec.output, program::TileOutput::kS32);
    }
  }
}

TEST(ArrayPlanTest, BuffersOfAPlanHaveALimit) {
  ArrayChoices each = Packed(64);
  each.buffers = BufferPolicy::kPerTile;
  const Status refused =
      MakeArrayPlan(Dense(4096, 4096, 4096), arch::NpuArch::kNpu1, each).status();
  EXPECT_EQ(refused.code(), StatusCode::kOutOfRange);
  EXPECT_NE(refused.message().find("262144 buffer sets"), std::string::npos) << refused.message();
  EXPECT_TRUE(MakeArrayPlan(Dense(2048, 2048, 2048), arch::NpuArch::kNpu1, each).ok());
}

TEST(CostTest, U8AndZeroPointsCostAPassOverTheOtherOperand) {
  const Result<profile::Profile> profile = profile::FindProfile("phoenix");
  ASSERT_TRUE(profile.ok());
  core::Problem problem = Dense(1000, 2000, 3000);
  const auto pack_us = [&] {
    return MakePlan(problem, {DeviceKind::kVnpu, *profile, {}})->cost.of(Term::kPack).us;
  };
  EXPECT_EQ(pack_us(), 0);
  problem.a_type = ElementType::kU8;
  EXPECT_NEAR(pack_us(), 2000 * 3000 * profile->host.pack.byte_ns / 1e3, 1e-6);
  problem.zero_b = core::ParameterForm::kOne;
  EXPECT_NEAR(pack_us(), (1000 + 3000) * 2000 * profile->host.pack.byte_ns / 1e3, 1e-6);
}

TEST(CostTest, TermsAddUpAndNoneIsNegative) {
  for (const char* name : {"phoenix", "phoenix-pyxrt"}) {
    const Result<profile::Profile> profile = profile::FindProfile(name);
    ASSERT_TRUE(profile.ok());
    for (const SubmissionMode mode :
         {SubmissionMode::kSequential, SubmissionMode::kWave, SubmissionMode::kRunlist}) {
      for (const int64_t extent : {1, 64, 500, 4000}) {
        ArrayChoices choices;
        choices.mode = mode;
        const Result<Plan> plan =
            MakePlan(Dense(extent, extent, extent), {DeviceKind::kVnpu, *profile, choices});
        ASSERT_TRUE(plan.ok()) << plan.status().message();
        double sum = 0;
        for (const CostTerm& term : plan->cost.terms) {
          EXPECT_GE(term.us, 0) << Name(term.term);
          EXPECT_GE(term.hidden_us, -1e-6) << Name(term.term);
          sum += term.us;
        }
        EXPECT_EQ(static_cast<int>(plan->cost.terms.size()), kTermCount);
        EXPECT_NEAR(sum, plan->cost.total_us, 1e-9 * sum);
        EXPECT_GE(plan->cost.wall().us, plan->cost.total_us / kTermCount);
      }
    }
  }
}

TEST(CostTest, KernelTimeIsTheModelsAndWavesHideLatency) {
  const Result<profile::Profile> profile = profile::FindProfile("phoenix");
  ASSERT_TRUE(profile.ok());
  ArrayChoices choices = Packed(16);
  choices.kernel = TileKernel::kScalar;
  choices.mode = SubmissionMode::kSequential;
  const core::Problem problem = Dense(256, 256, 256);
  const Result<Plan> one = MakePlan(problem, {DeviceKind::kVnpu, *profile, choices});
  choices.mode = SubmissionMode::kWave;
  const Result<Plan> waves = MakePlan(problem, {DeviceKind::kVnpu, *profile, choices});
  ASSERT_TRUE(one.ok() && waves.ok());
  // 4,096 launches of 71 cycles per MAC, and 1,024 bytes zeroed at 32 per cycle, at 1 GHz.
  const double kernel_us = 4096 * ((4096 * 71.0) + 32) / 1e3;
  EXPECT_NEAR(one->cost.of(Term::kKernel).us, kernel_us, kernel_us * 1e-4);
  EXPECT_NEAR(waves->cost.of(Term::kKernel).us, kernel_us, kernel_us * 1e-4);
  EXPECT_DOUBLE_EQ(one->cost.of(Term::kLatency).us, 4096 * profile->launch.latency_us);
  EXPECT_DOUBLE_EQ(waves->cost.of(Term::kLatency).us, profile->launch.latency_us);
  EXPECT_NEAR(waves->cost.of(Term::kSerial).us, 4095 * profile->launch.serial_us, 1e-3);
  EXPECT_EQ(one->cost.wall().term, Term::kKernel);
}

TEST(PlanTest, HostTakesWholeProductsAndUnknownArraysHaveNoDesign) {
  const Result<Plan> host = MakePlan(Dense(3, 4, 5), {});
  ASSERT_TRUE(host.ok());
  EXPECT_EQ(host->strategy, Strategy::kWholeProduct);
  EXPECT_EQ(MakePlan(Dense(3, 4, 5), {DeviceKind::kXrt, {}, {}}).status().code(),
            StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace tilewave::plan
