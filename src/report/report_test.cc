#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "report/stats.h"
#include "report/table.h"
#include "report/units.h"

namespace tilewave::report {
namespace {

TEST(UnitsTest, PicksTheUnitThatFits) {
  EXPECT_EQ(FormatUs(0.5), "0.50 us");
  EXPECT_EQ(FormatUs(12.34), "12.3 us");
  EXPECT_EQ(FormatUs(999.4), "999 us");
  EXPECT_EQ(FormatUs(4567), "4.57 ms");
  EXPECT_EQ(FormatUs(1.5e6), "1.50 s");
  EXPECT_EQ(FormatBytes(512), "512 B");
  EXPECT_EQ(FormatBytes(1536), "1.50 KiB");
  EXPECT_EQ(FormatBytes(int64_t{5} << 30), "5.00 GiB");
  EXPECT_EQ(FormatRate(1000000, 1000), "2.00 GOP/s");
  EXPECT_EQ(FormatRate(1, 0), "-");
}

TEST(UnitsTest, TheUnitIsChosenAfterRounding) {
  EXPECT_EQ(FormatUs(9.996), "10.0 us");
  EXPECT_EQ(FormatUs(99.96), "100 us");
  EXPECT_EQ(FormatUs(999.6), "1.00 ms");
  EXPECT_EQ(FormatUs(9996), "10.0 ms");
  EXPECT_EQ(FormatUs(999600), "1.00 s");
  EXPECT_EQ(FormatUs(999.4), "999 us");
}

TEST(UnitsTest, CountsAreGroupedByThousands) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1000), "1,000");
  EXPECT_EQ(FormatCount(1234567), "1,234,567");
  EXPECT_EQ(FormatCount(-123456), "-123,456");
}

TEST(TableTest, ColumnsAreAsWideAsTheirWidestCell) {
  Table table;
  table.AddColumn("name");
  table.AddColumn("n", Table::Align::kRight);
  table.AddColumn("note");
  table.AddRow({"a", "1", ""});
  table.AddRow({"longer", "1,000", "x"});
  EXPECT_EQ(table.ToString(),
            "name        n  note\n"
            "------  -----  ----\n"
            "a           1\n"
            "longer  1,000  x\n");
}

TEST(StatsTest, TextAndJsonSayTheSame) {
  CallStats stats;
  stats.part_count = 1;
  stats.parts[0] = {"host", "kernel_x", "because", 3, 1500, TimeKind::kSimulated};
  stats.phases.launch_us = 1200;
  stats.counts.syncs_in = 7;
  stats.kernel_us = 900;
  stats.total_us = 2000;
  stats.macs = 12345;
  const std::string text = StatsText(stats);
  for (const char* part :
       {"host", "kernel_x", "because", "1.50 ms", "simulated", "2.00 ms", "12,345 MACs",
        "launch     1.20 ms", "900 us inside kernels", "7 syncs_in", "made for this call"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
  EXPECT_EQ(text.find("accumulate"), std::string::npos);
  EXPECT_EQ(text.find("failed"), std::string::npos);
  EXPECT_TRUE(StatsJson(stats)["failure"].is_null());
  stats.failed_attempts = 3;
  stats.failure = Status(StatusCode::kUnavailable, "on purpose");
  EXPECT_NE(StatsText(stats).find("the NPU failed 3 times, at first: unavailable: on purpose\n"),
            std::string::npos);
  const nlohmann::json json = StatsJson(stats);
  EXPECT_EQ(json["failed_attempts"], 3);
  EXPECT_EQ(json["failure"], "unavailable: on purpose");
  EXPECT_EQ(json["parts"].size(), 1U);
  EXPECT_EQ(json["parts"][0]["launches"], 3);
  EXPECT_EQ(json["parts"][0]["time_kind"], "simulated");
  EXPECT_EQ(json["phases_us"]["launch"], 1200.0);
  EXPECT_EQ(json["phases_us"].size(), 11U);
  EXPECT_EQ(json["counts"]["syncs_in"], 7);
  EXPECT_EQ(json["kernel_us"], 900.0);
  EXPECT_EQ(json["total_us"], 2000.0);
}

}  // namespace
}  // namespace tilewave::report
