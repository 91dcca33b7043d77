#include "program/validate.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/program_samples.h"
#include "tests/support/validate_cases.h"

namespace tilewave::program {
namespace {

using arch::Npu;
using arch::NpuArch;

// The operations of the core of KStream().
constexpr size_t kAcquireStart = 1;
constexpr size_t kCallZero = 3;
constexpr size_t kRepeatSteps = 4;
constexpr size_t kCallMatmul = 7;
constexpr size_t kReleaseA = 8;
constexpr size_t kAdvanceA = 10;
constexpr size_t kEndSteps = 12;

// Every tile of a program moves by this much.
void Shift(int columns, int rows, ArrayProgram* p) {
  const auto shift = [columns, rows](Tile* tile) {
    tile->column += columns;
    if (tile->row >= 2) tile->row += rows;
  };
  for (TileBuffer& buffer : p->buffers) shift(&buffer.tile);
  for (Lock& lock : p->locks) shift(&lock.tile);
  for (Channel& channel : p->channels) shift(&channel.id.tile);
  for (Parameter& parameter : p->parameters) shift(&parameter.tile);
  for (Core& core : p->cores) shift(&core.tile);
  for (Flow& flow : p->flows) {
    shift(&flow.source.tile);
    for (ChannelId& end : flow.destinations) shift(&end.tile);
  }
}

using P = ArrayProgram*;

// --- The answer itself ---

TEST(ValidateProgramTest, ViolationSaysWhereWhichLimitAndBothValues) {
  EXPECT_EQ((Violation{"core (0,2)", "data memory bytes", 70000, 65536}).ToString(),
            "core (0,2): data memory bytes is 70000, at most 65536");
  EXPECT_EQ((Violation{"core (0,2)", "least stack bytes", 8, 1024}).ToString(),
            "core (0,2): stack bytes is 8, at least 1024");
  EXPECT_EQ((Violation{"core (0,2)", "address, remainder", 6, 4}).ToString(),
            "core (0,2): address is 6, no multiple of 4");
}

TEST(ValidateProgramTest, StatusHasTheFirstViolationAndHowManyFollow) {
  for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
    const Npu& npu = arch::NpuOf(arch);
    ArrayProgram program = KStream(arch);
    EXPECT_TRUE(Validate(program, npu).ok());
    program.cores[0].program_bytes = 20000;
    Status status = Validate(program, npu);
    EXPECT_EQ(status.code(), StatusCode::kOutOfRange);
    EXPECT_EQ(status.message(), "core (0,2): program memory bytes is 20000, at most 16384");
    program.locks[6].initial = 64;
    program.locks[5].initial = -1;
    status = Validate(program, npu);
    EXPECT_EQ(status.code(), StatusCode::kOutOfRange);
    EXPECT_EQ(status.message(),
              "core (0,2) lock c_full: initial lock value is -1, at least 0 (and 2 more)");
  }
}

TEST(ValidateProgramTest, FieldsOfAViolation) {
  ArrayProgram program = KStream(NpuArch::kNpu1);
  program.locks[6].id = 16;
  const std::vector<Violation> found = Violations(program, arch::NpuOf(NpuArch::kNpu1));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].where, "core (0,2) lock start");
  EXPECT_EQ(found[0].limit, "lock id");
  EXPECT_EQ(found[0].value, 16);
  EXPECT_EQ(found[0].maximum, 15);
}

TEST(ValidateProgramTest, ExtentOfAPattern) {
  const std::vector<Dim> rows{{16, 1}, {4, 100}};
  EXPECT_EQ(ExtentWords(64, {}, {1, 1}), 64);
  EXPECT_EQ(ExtentWords(64, {}, {3, 100}), 264);
  EXPECT_EQ(ExtentWords(64, rows, {1, 1}), 316);
  EXPECT_EQ(ExtentWords(64, rows, {2, 1000}), 1316);
  // A step that counts once too often would be seen in both of these.
  EXPECT_EQ(ExtentWords(1, std::vector<Dim>{{1, 50}}, {1, 700}), 1);
  EXPECT_EQ(ExtentWords(2, std::vector<Dim>{{2, 50}}, {2, 700}), 751);
}

// --- Tiles ---

// Four columns on npu1, eight on npu2; six rows on both.
TEST(ValidateProgramTest, ColumnsOfTheArray) {
  for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
    const Npu& npu = arch::NpuOf(arch);
    const int columns = arch == NpuArch::kNpu1 ? 4 : 8;
    for (int column = 0; column <= 8; ++column) {
      ArrayProgram program = KStream(arch);
      Shift(column, 0, &program);
      const Status status = Validate(program, npu);
      if (column < columns) {
        EXPECT_TRUE(status.ok()) << npu.name << " " << status.ToString();
        continue;
      }
      const std::string expected = fmt::format("core ({},2) buffer a_0: column is {}, at most {}",
                                               column, column, columns - 1);
      EXPECT_EQ(status.message().find(expected), 0u) << npu.name << " " << status.message();
    }
  }
}

TEST(ValidateProgramTest, RowsOfTheArray) {
  for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
    const Npu& npu = arch::NpuOf(arch);
    for (const int rows : {1, 2, 3}) {
      ArrayProgram program = KStream(arch);
      Shift(0, rows, &program);
      EXPECT_EQ(TextsOf(Violations(program, npu)), Texts()) << npu.name;
    }
    ArrayProgram program = KStream(arch);
    Shift(0, 4, &program);
    const Status status = Validate(program, npu);
    EXPECT_EQ(status.message().find("core (0,6) buffer a_0: row is 6, at most 5"), 0u)
        << status.message();
  }
}

// Each place where a program names a tile. What hangs on that tile is found, too.
TEST(ValidateProgramTest, TilesOffTheArray) {
  struct {
    std::function<void(P)> mutate;
    const char* first;
  } const cases[] = {
      {[](P p) { p->buffers[4].tile.row = 6; }, "core (0,6) buffer c_0: row is 6, at most 5"},
      {[](P p) { p->buffers[4].tile.column = -1; },
       "core (-1,2) buffer c_0: column is -1, at least 0"},
      {[](P p) { p->parameters[0].tile.row = 6; },
       "core (0,6) parameter k_steps: row is 6, at most 5"},
      {[](P p) { p->locks[6].tile.row = 6; }, "core (0,6) lock start: row is 6, at most 5"},
      {[](P p) { p->locks[6].tile.row = -1; }, "core (0,-1) lock start: row is -1, at least 0"},
      {[](P p) { p->channels[2].id.tile.row = 6; }, "core (0,6) MM2S 0: row is 6, at most 5"},
      {[](P p) { p->flows[0].source.tile.row = 6; },
       "flow at core (0,6) MM2S 0: row is 6, at most 5"},
      {[](P p) { p->flows[0].destinations[0].tile.row = 6; },
       "flow at core (0,6) S2MM 0: row is 6, at most 5"},
      {[](P p) { p->cores[0].tile.row = 6; }, "core (0,6): row is 6, at most 5"},
  };
  for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
    for (const auto& c : cases) {
      ArrayProgram program = KStream(arch);
      c.mutate(&program);
      const Status status = Validate(program, arch::NpuOf(arch));
      EXPECT_EQ(status.message().find(c.first), 0u) << c.first << ": " << status.ToString();
    }
  }
}

// --- Memory ---

TEST(ValidateProgramTest, Buffers) {
  const std::string buffer = "core (0,2) buffer ";
  ExpectAll(
      KStream,
      {{"address of no word",
        [](P p) {
          p->buffers[0].address = 3330;
          p->buffers[1].address = 40000;
        },
        {buffer + "a_0: address is 3330, no multiple of 4"}},
       {"bytes of no word",
        [](P p) { p->buffers[4].bytes = 16382; },
        {buffer + "c_0: bytes is 16382, no multiple of 4",
         "core (0,2) MM2S 0 descriptor 4: last word, in buffer c_0 is 4096, at most 4095"}},
       {"no bytes",
        [](P p) { p->buffers[4].bytes = 0; },
        {buffer + "c_0: bytes is 0, at least 1",
         "core (0,2) MM2S 0 descriptor 4: last word, in buffer c_0 is 4096, at most 0"}},
       {"at the end of the memory", [](P p) { p->buffers[4].address = 49152; }, {}},
       {"behind the end of the memory",
        [](P p) { p->buffers[4].address = 49156; },
        {buffer + "c_0: end in data memory is 65540, at most 65536"}},
       {"before the memory",
        [](P p) { p->buffers[0].address = -4; },
        {"core (0,2) stack: address, after the end of buffer a_0 is 0, at least 4092",
         buffer + "a_0: address is -4, at least 0"}},
       {"in the stack",
        [](P p) { p->buffers[0].address = 3324; },
        {buffer + "a_0: address, after the end of stack is 3324, at least 3328"}},
       {"in another buffer",
        [](P p) { p->buffers[1].address = 7420; },
        {buffer + "a_1: address, after the end of buffer a_0 is 7420, at least 7424"}},
       {"in all of another buffer",
        [](P p) { p->buffers[1].address = 3332; },
        {buffer + "a_1: address, after the end of buffer a_0 is 3332, at least 7424"}},
       {"up to the parameter", [](P p) { p->buffers[4].address = 19712; }, {}},
       {"into the parameter",
        [](P p) { p->buffers[4].address = 19716; },
        {"core (0,2) parameter k_steps: address, after the end of buffer c_0 is 36096, at least "
         "36100"}},
       {"on another core",
        [](P p) { p->buffers[4].tile.row = 3; },
        {"core (0,2) MM2S 0 descriptor 4: buffers on another tile is 1, at most 0",
         "core (0,2) ring c: buffers on another tile is 1, at most 0"}},
       {"on a shim, which has no memory",
        [](P p) {
          p->buffers.push_back({"shim", kShim, 0, 4});
        },
        {"shim (0,0): data memory bytes is 4, at most 0"}}});
}

TEST(ValidateProgramTest, Parameters) {
  const std::string parameter = "core (0,2) parameter k_steps: ";
  ExpectAll(KStream,
            {{"in a buffer",
              [](P p) { p->parameters[0].address = 3332; },
              {parameter + "address, after the end of buffer a_0 is 3332, at least 7424"}},
             {"in the stack",
              [](P p) { p->parameters[0].address = 4; },
              {parameter + "address, after the end of stack is 4, at least 3328"}},
             {"of no word",
              [](P p) { p->parameters[0].address = 36098; },
              {parameter + "address is 36098, no multiple of 4"}},
             {"before the memory",
              [](P p) { p->parameters[0].address = -4; },
              {parameter + "address is -4, at least 0"}},
             {"at the end of the memory", [](P p) { p->parameters[0].address = 65532; }, {}},
             {"behind the end of the memory",
              [](P p) { p->parameters[0].address = 65536; },
              {parameter + "end in data memory is 65540, at most 65536"}}});
}

TEST(ValidateProgramTest, StackAndTotals) {
  ExpectAll(KStream,
            {{"least stack", [](P p) { p->cores[0].stack_bytes = 1024; }, {}},
             {"small stack",
              [](P p) { p->cores[0].stack_bytes = 1023; },
              {"core (0,2): stack bytes is 1023, at least 1024"}},
             {"stack into a buffer",
              [](P p) { p->cores[0].stack_bytes = 3329; },
              {"core (0,2) buffer a_0: address, after the end of stack is 3328, at least 3329"}},
             {"more than the memory",
              [](P p) { p->cores[0].stack_bytes = 60000; },
              {"core (0,2): data memory bytes is 92772, at most 65536",
               "core (0,2) buffer a_0: address, after the end of stack is 3328, at least 60000"}},
             // 3328 + 4 x 4096 + 16384 + 4 bytes are in use: 29436 are free.
             {"all of the memory",
              [](P p) {
                p->buffers.push_back({"rest", kCore, 36100, 29436});
              },
              {}},
             {"a word too many",
              [](P p) {
                p->buffers.push_back({"rest", kCore, 36100, 29440});
              },
              {"core (0,2): data memory bytes is 65540, at most 65536"}},
             {"largest program", [](P p) { p->cores[0].program_bytes = 16384; }, {}},
             {"program memory",
              [](P p) { p->cores[0].program_bytes = 16385; },
              {"core (0,2): program memory bytes is 16385, at most 16384"}}});
  // The same stack in the spec: everything stands behind it. That there is too much is said once,
  // not of every buffer that is outside.
  DesignSpec spec;
  spec.stack_bytes = 60000;
  EXPECT_EQ(TextsOf(Violations(Lowered(spec), arch::NpuOf(spec.arch))),
            Texts{"core (0,2): data memory bytes is 92772, at most 65536"});
}

// --- Locks ---

TEST(ValidateProgramTest, Locks) {
  const std::string start = "core (0,2) lock start: ";
  ExpectAll(
      KStream,
      {{"last id", [](P p) { p->locks[6].id = 15; }, {}},
       {"id", [](P p) { p->locks[6].id = 16; }, {start + "lock id is 16, at most 15"}},
       {"negative id", [](P p) { p->locks[6].id = -1; }, {start + "lock id is -1, at least 0"}},
       {"largest initial value", [](P p) { p->locks[6].initial = 63; }, {}},
       {"initial value",
        [](P p) { p->locks[6].initial = 64; },
        {start + "initial lock value is 64, at most 63"}},
       {"negative initial value",
        [](P p) { p->locks[6].initial = -1; },
        {start + "initial lock value is -1, at least 0"}},
       {"two with one id",
        [](P p) { p->locks[6].id = 0; },
        {start + "users of one lock id is 2, at most 1"}},
       {"the same id on another tile",
        [](P p) {
          p->locks.push_back({"other", {1, 2}, 0, 0});
        },
        {}},
       {"last of a shim",
        [](P p) {
          p->locks.push_back({"shim", kShim, 15, 0});
        },
        {}},
       {"id of a shim",
        [](P p) {
          p->locks.push_back({"shim", kShim, 16, 0});
        },
        {"shim (0,0) lock shim: lock id is 16, at most 15"}},
       {"of another tile",
        [](P p) { p->locks[5].tile.row = 3; },
        {"core (0,2) MM2S 0 descriptor 4: locks on another tile is 1, at most 0",
         "core (0,2) program: locks on another tile is 1, at most 0"}}});
}

TEST(ValidateProgramTest, LockUsesOfDescriptors) {
  static constexpr auto kOutput = [](P p) -> Descriptor& { return p->channels[2].descriptors[0]; };
  const std::string descriptor = "core (0,2) MM2S 0 descriptor 4: ";
  ExpectAll(KStream, {{"largest value", [](P p) { kOutput(p).acquire.value = 63; }, {}},
                      {"acquires too much",
                       [](P p) { kOutput(p).acquire.value = 64; },
                       {descriptor + "value of a lock step is 64, at most 63"}},
                      {"acquires nothing",
                       [](P p) { kOutput(p).acquire.value = 0; },
                       {descriptor + "value of a lock step is 0, at least 1"}},
                      {"releases too much",
                       [](P p) { kOutput(p).release.value = 64; },
                       {descriptor + "value of a lock step is 64, at most 63"}},
                      {"releases nothing",
                       [](P p) { kOutput(p).release.value = 0; },
                       {descriptor + "value of a lock step is 0, at least 1"}},
                      {"unknown lock",
                       [](P p) { kOutput(p).acquire.lock = 7; },
                       {descriptor + "index of a lock is 7, at most 6"}},
                      {"no locks", [](P p) { kOutput(p).acquire = kOutput(p).release = {}; }, {}}});
}

// --- Channels and flows ---

TEST(ValidateProgramTest, Channels) {
  const std::string channel = "core (0,2) MM2S ";
  ExpectAll(KStream, {{"last", [](P p) { MoveChannel(2, 1, p); }, {}},
                      {"out of two",
                       [](P p) { MoveChannel(2, 2, p); },
                       {channel + "2: channel is 2, at most 1",
                        "flow at core (0,2) MM2S 2: channel is 2, at most 1"}},
                      {"in of two",
                       [](P p) { MoveChannel(1, 2, p); },
                       {"core (0,2) S2MM 2: channel is 2, at most 1",
                        "flow at core (0,2) S2MM 2: channel is 2, at most 1"}},
                      {"negative",
                       [](P p) { MoveChannel(2, -1, p); },
                       {channel + "-1: channel is -1, at least 0",
                        "flow at core (0,2) MM2S -1: channel is -1, at least 0"}},
                      {"twice",
                       [](P p) {
                         p->channels.push_back(p->channels[2]);
                         SetId(3, 5, p);
                       },
                       {channel + "0: users of one channel is 2, at most 1"}}});
}

TEST(ValidateProgramTest, Flows) {
  const std::string shim = "flow at shim (0,0) ";
  ExpectAll(KStream,
            {{"from a channel that receives",
              [](P p) { p->flows[1].source.direction = kS2mm; },
              {shim + "S2MM 1: ends of the wrong direction is 1, at most 0"}},
             {"to a channel that sends",
              [](P p) {
                p->flows[2].destinations[0] = {kShim, kMm2s, 1};
                p->flows.erase(p->flows.begin() + 1);
                p->channels.erase(p->channels.begin() + 1);
              },
              {shim + "MM2S 1: ends of the wrong direction is 1, at most 0"}},
             {"two from one channel",
              [](P p) { p->flows[1].source.channel = 0; },
              {shim + "MM2S 0: flows of one channel is 2, at most 1"}},
             {"two to one channel",
              [](P p) { p->flows[1].destinations.push_back(p->flows[2].destinations[0]); },
              {shim + "S2MM 0: flows of one channel is 2, at most 1"}},
             {"from one channel to two",
              [](P p) {
                p->flows[2].destinations.push_back({{1, 0}, kS2mm, 1});
              },
              {}},
             {"third channel of a shim",
              [](P p) { p->flows[2].destinations[0].channel = 2; },
              {shim + "S2MM 2: channel is 2, at most 1"}},
             {"to nowhere",
              [](P p) { p->flows[2].destinations.clear(); },
              {"flow from core (0,2) MM2S 0: destinations is 0, at least 1"}},
             {"channel without flow",
              [](P p) { p->flows.pop_back(); },
              {"core (0,2) MM2S 0: flows of its channel is 0, at least 1"}},
             {"end without descriptors",
              [](P p) { p->channels.pop_back(); },
              {"flow at core (0,2) MM2S 0: descriptors of its channel is 0, at least 1"}}});
}

// Four cores send two streams each to one memory tile, which four lanes of the column reach.
TEST(ValidateProgramTest, FlowsFindLanes) {
  static constexpr auto kAddFlow = [](int i, P p) {
    const Tile core{0, 2 + (i / 2)};
    const ChannelId from{core, kMm2s, i % 2};
    const ChannelId to{kMemory, kS2mm, i};
    const auto buffer = static_cast<int>(p->buffers.size());
    p->buffers.push_back({"out", core, 4 * i, 4});
    p->buffers.push_back({"in", kMemory, 4 * i, 4});
    p->channels.push_back({from, {{i, buffer, 0, 1, {}, {}, {}, -1}}});
    p->channels.push_back({to, {{i % 2 == 0 ? i : 24 + i, buffer + 1, 0, 1, {}, {}, {}, -1}}});
    p->flows.push_back({from, {to}});
  };
  static constexpr auto kFlows = [](int count, int columns, P p) {
    const DesignSpec spec = p->spec;
    *p = ArrayProgram();
    p->spec = spec;
    p->spec.columns = columns;
    for (int i = 0; i < count; ++i) kAddFlow(i, p);
  };
  ExpectAll(KStream,
            {{"four", [](P p) { kFlows(4, 1, p); }, {}},
             {"five in a partition of one column",
              [](P p) { kFlows(5, 1, p); },
              {"flow from core (0,4) MM2S 0 to memory (0,1) S2MM 4, out of core (0,2): "
               "lanes south is 5, at most 4"}},
             {"five, with a second column to go around by", [](P p) { kFlows(5, 2, p); }, {}},
             // What is wrong with the flows themselves is said instead.
             {"five, one from nowhere",
              [](P p) {
                kFlows(5, 1, p);
                p->channels.pop_back();
              },
              {"flow at memory (0,1) S2MM 4: descriptors of its channel is 0, at least "
               "1"}}});
}

TEST(ValidateProgramTest, ColumnsOfTheDesign) {
  for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
    const Npu& npu = arch::NpuOf(arch);
    ArrayProgram program = KStream(arch);
    for (const int columns : {0, npu.columns + 1}) {
      program.spec.columns = columns;
      EXPECT_EQ(
          TextsOf(Violations(program, npu)),
          Texts{fmt::format("design: columns is {}, {}", columns,
                            columns == 0 ? "at least 1" : fmt::format("at most {}", npu.columns))});
    }
    program.spec.columns = npu.columns;
    EXPECT_EQ(TextsOf(Violations(program, npu)), Texts());
  }
}

// --- Cores ---

TEST(ValidateProgramTest, Cores) {
  ExpectAll(KStream, {{"on a memory tile",
                       [](P p) { p->cores[0].tile = kMemory; },
                       {"memory (0,1): cores is 1, at most 0"}},
                      {"on a shim",
                       [](P p) {
                         p->cores[0].tile = kShim;
                         p->cores[0].stack_bytes = 0;
                       },
                       {"shim (0,0): cores is 1, at most 0"}},
                      {"two programs",
                       [](P p) { p->cores.push_back(p->cores[0]); },
                       {"core (0,2) stack: address, after the end of stack is 0, at least 3328",
                        "core (0,2): programs of one core is 2, at most 1"}},
                      {"another core's program",
                       [](P p) {
                         p->cores.push_back({{1, 2}, 1024, 1024, {}, {}, {}});
                       },
                       {}}});
}

TEST(ValidateProgramTest, LoopsOfACore) {
  using Kind = CoreOp::Kind;
  static constexpr auto kOps = [](P p) -> std::vector<CoreOp>& { return p->cores[0].ops; };
  ExpectAll(KStream, {{"no end",
                       [](P p) { kOps(p).pop_back(); },
                       {"core (0,2): loops without an end is 1, at most 0"}},
                      {"no ends",
                       [](P p) { kOps(p).pop_back(), kOps(p).erase(kOps(p).begin() + kEndSteps); },
                       {"core (0,2): loops without an end is 2, at most 0"}},
                      {"an end too many",
                       [](P p) {
                         kOps(p).push_back({Kind::kEnd, -1, {}, {}, {}});
                       },
                       {"core (0,2): loops open at an end is -1, at least 0"}},
                      {"an end before its loop",
                       [](P p) { std::swap(kOps(p).front(), kOps(p).back()); },
                       {"core (0,2): loops around the whole program is 0, at least 1",
                        "core (0,2): loops open at an end is -1, at least 0"}},
                      {"loops to any depth",
                       [](P p) {
                         for (int i = 0; i < 100; ++i) {
                           kOps(p).insert(kOps(p).begin() + kRepeatSteps, kOps(p)[kRepeatSteps]);
                           kOps(p).insert(kOps(p).end() - 1, {Kind::kEnd, -1, {}, {}, {}});
                         }
                       },
                       {}},
                      {"a loop behind the endless one",
                       [](P p) {
                         kOps(p).push_back(kOps(p)[kRepeatSteps]);
                         kOps(p).push_back({Kind::kEnd, -1, {}, {}, {}});
                       },
                       {"core (0,2): operations behind the endless loop is 1, at most 0"}},
                      {"operations behind the endless loop",
                       [](P p) {
                         kOps(p).push_back(kOps(p)[kReleaseA]);
                         kOps(p).push_back(kOps(p)[kReleaseA]);
                       },
                       {"core (0,2): operations behind the endless loop is 2, at most 0"}},
                      {"no operations", [](P p) { kOps(p).clear(); }, {}}});
}

// Run-time parameters that a kernel is called with, as those that count loops.
TEST(ValidateProgramTest, ScalarsOfACall) {
  static constexpr auto kCall = [](P p) -> CoreOp& { return p->cores[0].ops[kCallMatmul]; };
  const std::string index = "core (0,2) program: index of a parameter is ";
  ExpectAll(KStream, {{"one of the core",
                       [](P p) {
                         kCall(p).scalars = {0, 0};
                       },
                       {}},
                      {"unknown",
                       [](P p) {
                         kCall(p).scalars = {0, 1};
                       },
                       {index + "1, at most 0"}},
                      {"none", [](P p) { kCall(p).scalars = {-1}; }, {index + "-1, at least 0"}},
                      {"of another core",
                       [](P p) {
                         p->parameters.push_back({"other", {0, 3}, 0});
                         kCall(p).scalars = {1};
                       },
                       {"core (0,2) program: parameters on another tile is 1, at most 0"}}});
}

TEST(ValidateProgramTest, IndicesOfACore) {
  static constexpr auto kOp = [](P p, size_t op) -> CoreOp& { return p->cores[0].ops[op]; };
  const std::string index = "core (0,2) program: index of a ";
  const std::string value = "core (0,2) program: value of a lock step is ";
  ExpectAll(
      KStream,
      {{"lock", [](P p) { kOp(p, kAcquireStart).use.lock = 7; }, {index + "lock is 7, at most 6"}},
       {"no lock",
        [](P p) { kOp(p, kReleaseA).use.lock = -1; },
        {index + "lock is -1, at least 0"}},
       {"largest lock value", [](P p) { kOp(p, kReleaseA).use.value = 63; }, {}},
       {"lock value", [](P p) { kOp(p, kReleaseA).use.value = 64; }, {value + "64, at most 63"}},
       {"lock value 0",
        [](P p) { kOp(p, kAcquireStart).use.value = 0; },
        {value + "0, at least 1"}},
       {"kernel", [](P p) { kOp(p, kCallZero).index = 2; }, {index + "kernel is 2, at most 1"}},
       {"no kernel",
        [](P p) { kOp(p, kCallZero).index = -1; },
        {index + "kernel is -1, at least 0"}},
       {"ring of an argument",
        [](P p) { kOp(p, kCallMatmul).arguments[2].ring = 3; },
        {index + "ring is 3, at most 2"}},
       {"no ring of an argument",
        [](P p) { kOp(p, kCallMatmul).arguments[0].ring = -1; },
        {index + "ring is -1, at least 0"}},
       {"offset of an argument",
        [](P p) { kOp(p, kCallMatmul).arguments[1].offset_bytes = -1; },
        {"core (0,2) program: offset of an argument is -1, at least 0"}},
       {"ring", [](P p) { kOp(p, kAdvanceA).index = 3; }, {index + "ring is 3, at most 2"}},
       {"no ring", [](P p) { kOp(p, kAdvanceA).index = -1; }, {index + "ring is -1, at least 0"}},
       {"parameter",
        [](P p) { kOp(p, kRepeatSteps).index = 1; },
        {index + "parameter is 1, at most 0"}},
       {"no parameter",
        [](P p) { kOp(p, kRepeatSteps).index = -1; },
        {index + "parameter is -1, at least 0"}},
       {"buffer of a ring",
        [](P p) { p->cores[0].rings[2].buffers[0] = 5; },
        {"core (0,2) ring c: index of a buffer is 5, at most 4"}},
       {"no buffer of a ring",
        [](P p) { p->cores[0].rings[2].buffers[0] = -1; },
        {"core (0,2) ring c: index of a buffer is -1, at least 0"}},
       {"empty ring",
        [](P p) { p->cores[0].rings[2].buffers.clear(); },
        {"core (0,2) ring c: buffers is 0, at least 1"}}});
}

// 4x8x8 on npu1, 8x8x8 on npu2.
TEST(ValidateProgramTest, BlocksDivideTheirTile) {
  for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
    const Npu& npu = arch::NpuOf(arch);
    const int rows = arch == NpuArch::kNpu1 ? 4 : 8;
    ArrayProgram program = KStream(arch);
    Kernel& matmul = program.cores[0].kernels[1];
    matmul.m = 62;
    matmul.k = 68;
    matmul.n = 60;
    const std::string where = "core (0,2) kernel matmul_vector_s8_s32: ";
    EXPECT_EQ(TextsOf(Violations(program, npu)),
              (Texts{fmt::format("{}rows is 62, no multiple of {}", where, rows),
                     where + "depth is 68, no multiple of 8",
                     where + "columns is 60, no multiple of 8"}));
    matmul.m = rows;
    matmul.k = 8;
    matmul.n = 72;
    EXPECT_EQ(TextsOf(Violations(program, npu)), Texts());
    matmul.m = 12;
    EXPECT_EQ(Validate(program, npu).ok(), arch == NpuArch::kNpu1);
  }
}

}  // namespace
}  // namespace tilewave::program
