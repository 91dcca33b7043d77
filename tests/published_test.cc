// The virtual NPU beside figures that others have measured on silicon, and what a large product is
// simulated to reach.

#include <gtest/gtest.h>

#include <cmath>

#include "cli/published_bench.h"
#include "cli/whole_array_row.h"

namespace tilewave::cli {
namespace {

TEST(PublishedTest, EveryRowIsWithinItsBand) {
  const Result<std::vector<PublishedOutcome>> outcomes = RunPublishedRows();
  ASSERT_TRUE(outcomes.ok()) << outcomes.status().message();
  ASSERT_EQ(outcomes->size(), PublishedRows().size());
  ASSERT_GE(outcomes->size(), 20U);
  for (const PublishedOutcome& outcome : *outcomes) {
    EXPECT_LE(std::abs(outcome.error()), 0.15)
        << outcome.row->source << " " << outcome.row->published << ": " << outcome.simulated;
  }
  EXPECT_LE(Summarise(*outcomes).median, 0.06);
}

WholeArrayRequest Request(const char* device, int64_t m, int64_t k, int64_t n) {
  WholeArrayRequest request;
  request.device = device;
  request.m = m;
  request.k = k;
  request.n = n;
  request.timing_only = true;
  return request;
}

TEST(PublishedTest, ExactS8ProductsOfFourThousandReachTheirRates) {
  WholeArrayRequest phoenix = Request("vnpu:phoenix:kernel=chess", 4096, 4096, 4160);
  phoenix.choices.tile_m = 64;
  phoenix.choices.tile_k = 128;
  phoenix.choices.tile_n = 80;
  phoenix.choices.c_buffers = 2;
  phoenix.choices.output = program::TileOutput::kS8;
  const Result<WholeArrayRow> on_phoenix = MeasureWholeArray(phoenix);
  ASSERT_TRUE(on_phoenix.ok()) << on_phoenix.status().message();
  EXPECT_GE(on_phoenix->tops(), 4.8);

  WholeArrayRequest krackan = Request("vnpu:krackan:kernel=chess", 4160, 3960, 3840);
  krackan.choices.tile_m = 80;
  krackan.choices.tile_k = 88;
  krackan.choices.tile_n = 96;
  krackan.choices.output = program::TileOutput::kS8;
  const Result<WholeArrayRow> on_krackan = MeasureWholeArray(krackan);
  ASSERT_TRUE(on_krackan.ok()) << on_krackan.status().message();
  EXPECT_GE(on_krackan->tops(), 24);
}

TEST(PublishedTest, DesignsThatRoundBetweenStepsAreForTimingOnly) {
  WholeArrayRequest request = Request("vnpu:phoenix:kernel=chess", 256, 256, 256);
  request.choices.output = program::TileOutput::kS8Lossy;
  EXPECT_TRUE(MeasureWholeArray(request).ok());
  request.timing_only = false;
  EXPECT_EQ(MeasureWholeArray(request).status().code(), StatusCode::kUnimplemented);
}

TEST(PublishedTest, RowsWithDataAreCompared) {
  WholeArrayRequest request = Request("vnpu:phoenix", 100, 130, 70);
  request.timing_only = false;
  request.batch = 2;
  for (const program::TileOutput output : {program::TileOutput::kS32, program::TileOutput::kS8}) {
    request.choices.output = output;
    const Result<WholeArrayRow> row = MeasureWholeArray(request);
    ASSERT_TRUE(row.ok()) << row.status().message();
    EXPECT_EQ(row->exact, true);
    double sum_us = 0;
    for (const auto& [name, us] : row->terms_us) sum_us += us;
    EXPECT_NEAR(sum_us, row->simulated_us, 0.01 * row->simulated_us);
  }
}

}  // namespace
}  // namespace tilewave::cli
