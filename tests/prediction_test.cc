// The planner's formula and the virtual NPU know nothing of each other; here they are compared. And
// the report's suite against the figures that the report printed.

#include <gtest/gtest.h>

#include <cmath>

#include "cli/report_suite.h"
#include "engine/array_choices.h"
#include "engine/compose.h"
#include "plan/plan.h"
#include "tilewave/engine.h"

namespace tilewave {
namespace {

core::Problem Dense(int64_t m, int64_t k, int64_t n) {
  core::Problem p;
  p.m = m;
  p.k = k;
  p.n = n;
  p.a = {k, 1, 0};
  p.b = {n, 1, 0};
  p.c = {n, 1, m * n};
  return p;
}

double SimulatedUs(const std::string& profile, const ArrayOptions& array, int64_t m, int64_t k,
                   int64_t n) {
  Result<Engine> engine = Engine::Create({.device = "vnpu:" + profile, .array = array});
  if (!engine.ok()) return -1;
  const std::vector<int8_t> a(static_cast<size_t>(m * k), 1);
  const std::vector<int8_t> b(static_cast<size_t>(k * n), 1);
  std::vector<int32_t> c(static_cast<size_t>(m * n));
  CallStats stats;
  const Status s = engine->Run(
      {.a = RowMajor(a.data(), m, k), .b = RowMajor(b.data(), k, n), .c = RowMajor(c.data(), m, n)},
      {.stats = &stats});
  return s.ok() ? stats.parts[0].us : -1;
}

double PredictedUs(const std::string& profile, const ArrayOptions& array, int64_t m, int64_t k,
                   int64_t n) {
  const Result<device::vnpu::VnpuOptions> found = engine::ParseVnpuArgument(profile);
  const Result<plan::ArrayChoices> choices = engine::ArrayChoicesOf(array);
  if (!found.ok() || !choices.ok()) return -1;
  const Result<plan::Plan> plan =
      plan::MakePlan(Dense(m, k, n), {DeviceKind::kVnpu, found->profile, *choices});
  return plan.ok() ? plan->cost.total_us : -1;
}

TEST(PredictionTest, PlannerAndVirtualNpuAgree) {
  struct Shape {
    int64_t m;
    int64_t k;
    int64_t n;
  };
  for (const char* profile : {"phoenix", "phoenix-pyxrt"}) {
    for (const Shape& s : {Shape{256, 256, 256}, Shape{512, 512, 512}, Shape{300, 1000, 200}}) {
      for (const char* mode : {"sequential", "wave", "runlist"}) {
        for (const bool interleave : {false, true}) {
          for (const char* design : {"packed_tile", "k_stream"}) {
            for (const char* kernel : {"scalar", "vector"}) {
              ArrayOptions array{design, 64, kernel, mode};
              array.interleave = interleave;
              const double simulated = SimulatedUs(profile, array, s.m, s.k, s.n);
              const double predicted = PredictedUs(profile, array, s.m, s.k, s.n);
              EXPECT_NEAR(predicted / simulated, 1, 0.03)
                  << profile << " " << design << " " << kernel << " " << mode << " interleave "
                  << interleave << " " << s.m << "x" << s.k << "x" << s.n << ": predicted "
                  << predicted << ", simulated " << simulated;
            }
          }
        }
      }
    }
  }
}

TEST(PredictionTest, OddPoolsSmallTilesAndSingleSetsAgreeToo) {
  for (const char* mode : {"sequential", "wave", "runlist"}) {
    for (const bool interleave : {false, true}) {
      for (const bool batched : {false, true}) {
        for (const int64_t pool : {5, 47, 0}) {
          for (const int64_t tile : {16, 32}) {
            ArrayOptions array{"packed_tile", tile, "vector", mode, "pool", pool};
            array.interleave = interleave;
            array.batched_syncs = batched;
            const double simulated = SimulatedUs("phoenix", array, 200, 210, 220);
            const double predicted = PredictedUs("phoenix", array, 200, 210, 220);
            EXPECT_NEAR(predicted / simulated, 1, 0.04)
                << mode << " interleave " << interleave << " batched " << batched << " pool "
                << pool << " tile " << tile << ": predicted " << predicted << ", simulated "
                << simulated;
          }
        }
      }
    }
  }
}

TEST(PredictionTest, WholeArraysAgreeToo) {
  struct Shape {
    int64_t m;
    int64_t k;
    int64_t n;
  };
  for (const char* profile : {"phoenix", "hawk-point", "krackan", "phoenix:kernel=chess"}) {
    for (const Shape& s : {Shape{256, 256, 256}, Shape{512, 512, 512}, Shape{300, 1000, 200},
                           Shape{1500, 512, 512}, Shape{40, 2000, 700}}) {
      const ArrayOptions array{"whole_array"};
      const double simulated = SimulatedUs(profile, array, s.m, s.k, s.n);
      const double predicted = PredictedUs(profile, array, s.m, s.k, s.n);
      EXPECT_NEAR(predicted / simulated, 1, 0.06)
          << profile << " " << s.m << "x" << s.k << "x" << s.n << ": predicted " << predicted
          << ", simulated " << simulated;
    }
  }
}

class ReportSuiteTest : public ::testing::Test {
 protected:
  static const cli::ReportSuite& Suite() {
    static const Result<cli::ReportSuite> suite = cli::RunReportSuite({}, nullptr);
    EXPECT_TRUE(suite.ok());
    return *suite;
  }
};

TEST_F(ReportSuiteTest, TotalsAreTheReports) {
  int published = 0;
  for (const cli::ReportRow& row : Suite().rows) {
    if (!row.report_us) continue;
    ++published;
    const bool per_tile = row.choices.buffers == plan::BufferPolicy::kPerTile;
    EXPECT_LE(std::abs(*row.deviation()), per_tile ? 0.10 : 0.08)
        << row.size << " " << plan::Name(*row.choices.buffers) << " " << row.total_us;
  }
  EXPECT_EQ(published, 7);
}

TEST_F(ReportSuiteTest, LaunchAndWaitOfAWaveFollowFromTheQueue) {
  for (const cli::ReportRow& row : Suite().rows) {
    if (row.size != 512 || row.choices.buffers != plan::BufferPolicy::kPool || !row.lossy()) {
      continue;
    }
    const double waves = 64;
    EXPECT_NEAR(row.outcome.stats.phases.launch_us / waves, 165e3, 0.08 * 165e3);
    EXPECT_LE(row.outcome.stats.phases.wait_us / waves, 1500);
    return;
  }
  FAIL() << "no such row";
}

TEST_F(ReportSuiteTest, OnlyTheReportsArithmeticIsWrong) {
  int waves_seen = 0;
  for (const cli::ReportRow& row : Suite().rows) {
    EXPECT_EQ(row.outcome.wrong > 0, row.lossy()) << row.size;
    EXPECT_EQ(row.outcome.elements, row.size * row.size);
    if (row.size != 512 || row.choices.family != program::DesignFamily::kKStream) continue;
    if (row.choices.mode == plan::SubmissionMode::kWave) {
      EXPECT_LE(row.total_us, 6000);
      ++waves_seen;
    }
    if (row.choices.mode == plan::SubmissionMode::kRunlist) {
      EXPECT_LE(row.total_us, 4500);
    }
  }
  EXPECT_EQ(waves_seen, 1);
  EXPECT_EQ(static_cast<int64_t>(Suite().rows.size()), cli::ReportRowCount());
}

}  // namespace
}  // namespace tilewave
