// Streams find their way through the switches, or it is said where lanes run out. What the router
// returns is checked here port by port, by rules that are written down again.

#include "program/router.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/random.h"
#include "program/lower.h"
#include "tests/support/program_samples.h"

namespace tilewave::program {
namespace {

using arch::Npu;
using arch::NpuArch;

ChannelId Out(int column, int row, int channel) {
  return {{column, row}, Direction::kMm2s, channel};
}
ChannelId In(int column, int row, int channel) {
  return {{column, row}, Direction::kS2mm, channel};
}

// --- An independent judge of a routing ---

// Six rows; lanes north 6, south 4, east and west 4 but for memory tiles, none off the array.
int LanesOut(const Tile& tile, Side side, int columns) {
  switch (side) {
    case Side::kDma:
      return tile.row == 1 ? 6 : 2;
    case Side::kNorth:
      return tile.row == 5 ? 0 : 6;
    case Side::kSouth:
      return tile.row == 0 ? 0 : 4;
    case Side::kEast:
      return tile.row == 1 || tile.column == columns - 1 ? 0 : 4;
    case Side::kWest:
      return tile.row == 1 || tile.column == 0 ? 0 : 4;
  }
  return 0;
}

// Where a lane that leaves a tile comes in.
std::pair<Tile, Port> Beyond(const Tile& tile, const Port& out) {
  switch (out.side) {
    case Side::kDma:
      break;
    case Side::kNorth:
      return {{tile.column, tile.row + 1}, {Side::kSouth, out.index}};
    case Side::kSouth:
      return {{tile.column, tile.row - 1}, {Side::kNorth, out.index}};
    case Side::kEast:
      return {{tile.column + 1, tile.row}, {Side::kWest, out.index}};
    case Side::kWest:
      return {{tile.column - 1, tile.row}, {Side::kEast, out.index}};
  }
  return {tile, out};
}

bool IsJoined(const Tile& tile, const Port& in, const Port& out) {
  const bool same_index = in.index == out.index;
  if (in.side == Side::kDma && out.side == Side::kDma) return same_index || tile.row == 0;
  if (in.side == out.side) return same_index;
  if (tile.row == 1 && in.side != Side::kDma && out.side != Side::kDma) return same_index;
  return true;
}

using PortKey = std::tuple<int, int, int, int>;
PortKey Key(const Tile& tile, const Port& port) {
  return {tile.column, tile.row, static_cast<int>(port.side), port.index};
}

std::string Text(const Port& port) { return fmt::format("{} {}", Name(port.side), port.index); }

// Each port exists and has one stream; each hop stands where one before it leads; each flow ends at
// all of its destinations and nowhere else.
void ExpectSound(const std::vector<Flow>& flows, const Routing& routing, int columns) {
  ASSERT_EQ(routing.flows.size(), flows.size());
  std::set<PortKey> ins;
  std::set<PortKey> outs;
  for (size_t f = 0; f < flows.size(); ++f) {
    SCOPED_TRACE("flow from " + Name(flows[f].source));
    std::set<PortKey> led_to = {Key(flows[f].source.tile, {Side::kDma, flows[f].source.channel})};
    std::set<PortKey> ends;
    for (const ChannelId& to : flows[f].destinations) {
      ends.insert(Key(to.tile, {Side::kDma, to.channel}));
    }
    for (const Hop& hop : routing.flows[f]) {
      SCOPED_TRACE(Name(hop.tile) + " in " + Text(hop.in));
      ASSERT_TRUE(hop.tile.column >= 0 && hop.tile.column < columns);
      ASSERT_TRUE(hop.tile.row >= 0 && hop.tile.row < 6);
      EXPECT_EQ(led_to.erase(Key(hop.tile, hop.in)), 1u) << "nothing leads here";
      EXPECT_TRUE(ins.insert(Key(hop.tile, hop.in)).second) << "another stream comes in here";
      EXPECT_FALSE(hop.out.empty());
      for (const Port& out : hop.out) {
        EXPECT_TRUE(out.index >= 0 && out.index < LanesOut(hop.tile, out.side, columns))
            << "no port " << Text(out);
        EXPECT_TRUE(IsJoined(hop.tile, hop.in, out)) << Text(out);
        EXPECT_TRUE(outs.insert(Key(hop.tile, out)).second) << "two streams at " << Text(out);
        if (out.side == Side::kDma) {
          EXPECT_EQ(ends.erase(Key(hop.tile, out)), 1u) << "no destination at " << Text(out);
        } else {
          const auto [tile, in] = Beyond(hop.tile, out);
          led_to.insert(Key(tile, in));
        }
      }
    }
    EXPECT_TRUE(led_to.empty()) << "a lane leads nowhere";
    EXPECT_TRUE(ends.empty()) << "a destination is not reached";
  }
}

std::string Print(const std::vector<Hop>& hops) {
  std::string text;
  for (const Hop& hop : hops) {
    text += fmt::format("{} {} ->", Name(hop.tile), Text(hop.in));
    for (const Port& out : hop.out) text += " " + Text(out);
    text += "\n";
  }
  return text;
}

Routing Routed(const std::vector<Flow>& flows, int columns) {
  std::variant<Routing, Violation> routed = Route(flows, columns, Npu1());
  if (const auto* violation = std::get_if<Violation>(&routed)) {
    ADD_FAILURE() << violation->ToString();
    return {};
  }
  ExpectSound(flows, std::get<Routing>(routed), columns);
  return std::get<Routing>(routed);
}

std::string Refused(const std::vector<Flow>& flows, int columns) {
  const std::variant<Routing, Violation> routed = Route(flows, columns, Npu1());
  const auto* violation = std::get_if<Violation>(&routed);
  return violation == nullptr ? "routed" : violation->ToString();
}

// --- The switches ---

// What leaves a tile comes into its neighbour: both tables have as many lanes.
TEST(RouterTest, PortsOfNeighboursMatch) {
  for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
    const Npu& npu = arch::NpuOf(arch);
    for (int column = 0; column < npu.columns; ++column) {
      for (int row = 0; row < npu.rows; ++row) {
        const Tile tile{column, row};
        for (const Side side : {Side::kNorth, Side::kSouth, Side::kEast, Side::kWest}) {
          const int out = PortsOut(tile, side, npu.columns, npu);
          EXPECT_EQ(out, LanesOut(tile, side, npu.columns)) << Name(tile) << Name(side);
          if (out == 0) continue;
          const auto [beyond, in] = Beyond(tile, {side, 0});
          EXPECT_EQ(PortsIn(beyond, in.side, npu.columns, npu), out) << Name(tile) << Name(side);
        }
        EXPECT_EQ(PortsOut(tile, Side::kDma, npu.columns, npu), row == 1 ? 6 : 2);
        EXPECT_EQ(PortsIn(tile, Side::kDma, npu.columns, npu), row == 1 ? 6 : 2);
      }
    }
  }
}

TEST(RouterTest, WhatSwitchesJoin) {
  for (const Tile& tile : {Tile{0, 0}, Tile{0, 1}, Tile{0, 2}}) {
    for (const Side from : {Side::kDma, Side::kNorth, Side::kSouth, Side::kEast, Side::kWest}) {
      for (const Side to : {Side::kDma, Side::kNorth, Side::kSouth, Side::kEast, Side::kWest}) {
        for (const int index : {0, 1}) {
          const Port in{from, 0};
          const Port out{to, index};
          EXPECT_EQ(Joins(Npu1().KindOf(tile.row), in, out), IsJoined(tile, in, out))
              << Name(tile) << " " << Text(in) << " " << Text(out);
        }
      }
    }
  }
}

// --- Ways ---

TEST(RouterTest, UpTheColumnThenAlongTheRow) {
  const std::vector<Flow> flows{{Out(0, 0, 1), {In(2, 3, 0)}}};
  EXPECT_EQ(Print(Routed(flows, 4).flows[0]), R"(shim (0,0) DMA 1 -> north 0
memory (0,1) south 0 -> north 0
core (0,2) south 0 -> north 0
core (0,3) south 0 -> east 0
core (1,3) west 0 -> east 0
core (2,3) west 0 -> DMA 0
)");
}

TEST(RouterTest, BroadcastIsATree) {
  const std::vector<Flow> flows{
      {Out(1, 1, 0), {In(0, 3, 0), In(1, 3, 0), In(2, 3, 0), In(3, 3, 0)}}};
  EXPECT_EQ(Print(Routed(flows, 4).flows[0]), R"(memory (1,1) DMA 0 -> north 0
core (1,2) south 0 -> north 0
core (1,3) south 0 -> west 0 DMA 0 east 0
core (0,3) east 0 -> DMA 0
core (2,3) west 0 -> DMA 0 east 0
core (3,3) west 0 -> DMA 0
)");
}

TEST(RouterTest, WithinOneTile) {
  EXPECT_EQ(Print(Routed({{Out(0, 2, 1), {In(0, 2, 1)}}}, 1).flows[0]),
            "core (0,2) DMA 1 -> DMA 1\n");
  EXPECT_EQ(Print(Routed({{Out(0, 0, 0), {In(0, 0, 1)}}}, 1).flows[0]),
            "shim (0,0) DMA 0 -> DMA 1\n");
  // Another channel of the same core is joined by way of a neighbour.
  EXPECT_EQ(Print(Routed({{Out(0, 2, 1), {In(0, 2, 0)}}}, 1).flows[0]),
            "core (0,2) DMA 1 -> north 0\ncore (0,3) south 0 -> south 0\n"
            "core (0,2) north 0 -> DMA 0\n");
}

// A lane that passes a memory tile keeps its index, so the lowest one below is no use if it is
// taken above.
TEST(RouterTest, LanesThroughAMemoryTileKeepTheirIndex) {
  const std::vector<Flow> flows{{Out(0, 1, 0), {In(0, 2, 0)}}, {Out(0, 0, 0), {In(0, 2, 1)}}};
  EXPECT_EQ(Print(Routed(flows, 1).flows[1]),
            "shim (0,0) DMA 0 -> north 1\nmemory (0,1) south 1 -> north 1\n"
            "core (0,2) south 1 -> DMA 1\n");
}

// Six streams up the column from the memory tile: all lanes north of core (0,2).
std::vector<Flow> FullColumn() {
  std::vector<Flow> flows;
  for (int i = 0; i < 6; ++i) flows.push_back({Out(0, 1, i), {In(0, 3 + (i / 2), i % 2)}});
  return flows;
}

TEST(RouterTest, AlongTheRowFirstIfTheColumnIsFull) {
  std::vector<Flow> flows = FullColumn();
  flows.push_back({Out(0, 2, 0), {In(1, 5, 0)}});
  EXPECT_EQ(Print(Routed(flows, 2).flows.back()),
            "core (0,2) DMA 0 -> east 0\ncore (1,2) west 0 -> north 0\n"
            "core (1,3) south 0 -> north 0\ncore (1,4) south 0 -> north 0\n"
            "core (1,5) south 0 -> DMA 0\n");
}

// Five streams down to one memory tile, which four lanes of its column reach: the fifth goes around
// by the shims.
std::vector<Flow> FiveDown() {
  std::vector<Flow> flows;
  for (int i = 0; i < 4; ++i) flows.push_back({Out(0, 2 + i, 0), {In(0, 1, i)}});
  flows.push_back({Out(0, 5, 1), {In(0, 1, 4)}});
  return flows;
}

TEST(RouterTest, AroundWhatIsFull) {
  const std::vector<Hop> way = Routed(FiveDown(), 2).flows.back();
  std::string tiles;
  for (const Hop& hop : way) tiles += Name(hop.tile) + " ";
  EXPECT_EQ(tiles,
            "core (0,5) core (0,4) core (0,3) core (0,2) core (1,2) memory (1,1) shim (1,0) "
            "shim (0,0) memory (0,1) ");
}

// The first two go up and come back by lanes that the last one needs. In a second attempt that one
// chooses first, and they go around by the shim.
TEST(RouterTest, AFlowThatFindsNoLaneIsRoutedBeforeTheOthers) {
  const std::vector<Flow> flows{{Out(0, 1, 4), {In(0, 1, 3)}},
                                {Out(0, 1, 0), {In(0, 1, 1)}},
                                {Out(0, 4, 1), {In(0, 1, 2)}},
                                {Out(0, 5, 1), {In(0, 1, 5)}},
                                {Out(0, 2, 0), {In(0, 1, 0)}}};
  const Routing routing = Routed(flows, 1);
  const auto goes_by_the_shim = [](const std::vector<Hop>& hops) {
    return std::any_of(hops.begin(), hops.end(), [](const Hop& hop) { return hop.tile.row == 0; });
  };
  EXPECT_FALSE(goes_by_the_shim(routing.flows[4]));
  EXPECT_NE(goes_by_the_shim(routing.flows[0]), goes_by_the_shim(routing.flows[1]));
}

// --- Designs ---

std::vector<DesignSpec> AllDesigns() {
  std::vector<DesignSpec> specs;
  for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
    DesignSpec spec;
    spec.arch = arch;
    for (const DesignFamily family : {DesignFamily::kPackedTile, DesignFamily::kKStream}) {
      spec.family = family;
      specs.push_back(spec);
    }
    spec.family = DesignFamily::kWholeArray;
    for (int columns = 1; columns <= arch::NpuOf(arch).columns; ++columns) {
      spec.columns = columns;
      specs.push_back(spec);
    }
  }
  return specs;
}

// In a partition of their own columns alone.
TEST(RouterTest, AllDesignsAreRouted) {
  for (const DesignSpec& spec : AllDesigns()) {
    SCOPED_TRACE(Name(spec));
    const Result<ArrayProgram> program = Lower(spec);
    ASSERT_TRUE(program.ok()) << program.status().ToString();
    const Npu& npu = arch::NpuOf(spec.arch);
    const std::variant<Routing, Violation> routed = Route(program->flows, spec.columns, npu);
    const auto* routing = std::get_if<Routing>(&routed);
    ASSERT_NE(routing, nullptr) << std::get<Violation>(routed).ToString();
    ExpectSound(program->flows, *routing, spec.columns);
    const std::variant<Routing, Violation> again = Route(program->flows, spec.columns, npu);
    for (size_t f = 0; f < program->flows.size(); ++f) {
      EXPECT_EQ(Print(routing->flows[f]), Print(std::get<Routing>(again).flows[f]));
    }
  }
}

// Whatever the router makes of flows that nobody would write, it is sound.
TEST(RouterTest, RandomFlowsAreRoutedSoundlyOrRefused) {
  base::Random random(7);
  const auto below = [&random](size_t count) { return static_cast<size_t>(random.Next() % count); };
  int routed = 0;
  constexpr int kTrials = 300;
  for (int trial = 0; trial < kTrials; ++trial) {
    const int columns = 1 + static_cast<int>(below(4));
    std::vector<ChannelId> sources;
    std::vector<ChannelId> destinations;
    for (int column = 0; column < columns; ++column) {
      for (int row = 0; row < 6; ++row) {
        for (int i = 0; i < (row == 1 ? 6 : 2); ++i) {
          sources.push_back(Out(column, row, i));
          destinations.push_back(In(column, row, i));
        }
      }
    }
    std::vector<Flow> flows;
    const auto take = [&below](std::vector<ChannelId>* from) {
      std::swap(from->at(below(from->size())), from->back());
      const ChannelId taken = from->back();
      from->pop_back();
      return taken;
    };
    for (size_t count = 1 + below(sources.size()); count > 0 && !destinations.empty(); --count) {
      flows.push_back({take(&sources), {}});
      for (size_t ends = 1 + below(3); ends > 0 && !destinations.empty(); --ends) {
        flows.back().destinations.push_back(take(&destinations));
      }
    }
    const std::variant<Routing, Violation> result = Route(flows, columns, Npu1());
    if (const auto* routing = std::get_if<Routing>(&result)) {
      ++routed;
      ExpectSound(flows, *routing, columns);
    } else {
      EXPECT_GT(std::get<Violation>(result).value, std::get<Violation>(result).maximum);
    }
  }
  EXPECT_GT(routed, kTrials / 2);
  EXPECT_LT(routed, kTrials);
}

// --- Refusals ---

TEST(RouterTest, LanesDownAColumnRunOut) {
  EXPECT_EQ(Refused(FiveDown(), 1),
            "flow from core (0,5) MM2S 1 to memory (0,1) S2MM 4, out of core (0,2): lanes south is "
            "5, at most 4");
}

TEST(RouterTest, LanesUpAColumnRunOut) {
  std::vector<Flow> flows = FullColumn();
  flows.push_back({Out(0, 0, 0), {In(0, 2, 0)}});
  EXPECT_EQ(Refused(flows, 1),
            "flow from shim (0,0) MM2S 0 to core (0,2) S2MM 0, out of memory (0,1): lanes north is "
            "7, at most 6");
  // A second column has another way up.
  EXPECT_EQ(Refused(flows, 2), "routed");
}

// Five rows join two columns by four lanes each way; memory tiles join none.
TEST(RouterTest, LanesAlongTheRowsRunOut) {
  std::vector<ChannelId> sources;
  std::vector<ChannelId> destinations;
  for (int column = 0; column < 2; ++column) {
    for (int row = 0; row < 6; ++row) {
      for (int i = 0; i < (row == 1 ? 6 : 2); ++i) {
        sources.push_back(Out(column, row, i));
        destinations.push_back(In(column + 2, row, i));
      }
    }
  }
  std::vector<Flow> flows;
  for (size_t i = 0; i < 21; ++i) flows.push_back({sources[i], {destinations[i]}});
  const std::string refused = Refused(flows, 4);
  EXPECT_NE(refused.find("lanes east is 5, at most 4"), std::string::npos) << refused;
}

// The lanes that reach the memory tile and those that leave it below are not the same ones.
TEST(RouterTest, NoLaneOfOneIndexOnBothSidesOfAMemoryTile) {
  const std::vector<Flow> flows{
      {Out(0, 0, 0), {In(0, 1, 5)}}, {Out(0, 5, 1), {In(0, 1, 3)}},
      {Out(0, 1, 5), {In(0, 3, 0)}}, {Out(0, 5, 0), {In(0, 1, 0), In(0, 2, 0)}},
      {Out(0, 3, 0), {In(0, 0, 0)}}, {Out(0, 1, 2), {In(0, 4, 0)}},
      {Out(0, 0, 1), {In(0, 1, 4)}}, {Out(0, 1, 0), {In(0, 2, 1)}},
      {Out(0, 1, 4), {In(0, 5, 1)}}, {Out(0, 1, 3), {In(0, 1, 1)}},
      {Out(0, 2, 0), {In(0, 0, 1)}}, {Out(0, 3, 1), {In(0, 1, 2)}}};
  EXPECT_EQ(Refused(flows, 1),
            "flow from core (0,2) MM2S 0 to shim (0,0) S2MM 1, out of memory (0,1): lanes south "
            "joined to those it comes in by is 1, at most 0");
}

}  // namespace
}  // namespace tilewave::program
