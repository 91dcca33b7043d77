// What Validate finds in the sequence of a launch.

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "program/validate.h"
#include "tests/support/program_samples.h"
#include "tests/support/validate_cases.h"

namespace tilewave::program {
namespace {

using arch::Npu;
using arch::NpuArch;

constexpr ChannelId kInA{kShim, kMm2s, 0};
constexpr ChannelId kInB{kShim, kMm2s, 1};
constexpr ChannelId kOutC{kShim, kS2mm, 0};

constexpr int64_t kSteps = 4;
constexpr int64_t kPanelBytes = kSteps * 64 * 64;
constexpr int64_t kSumsBytes = 64 * 64 * 4;
// A fourth argument that only the tests' own transfers use.
constexpr int64_t kSpareBytes = int64_t{1} << 40;

const std::vector<int64_t>& ArgumentBytes() {
  static const std::vector<int64_t> bytes{kPanelBytes, kPanelBytes, kSumsBytes, kSpareBytes};
  return bytes;
}

// The launch of KStream() over four steps, by position.
constexpr size_t kWriteA = 0;
constexpr size_t kPushA = 1;
constexpr size_t kWriteB = 2;
constexpr size_t kWriteSteps = 4;
constexpr size_t kOpenStart = 5;
constexpr size_t kWriteC = 6;
constexpr size_t kPushC = 7;
constexpr size_t kAwaitC = 8;

Sequence Launch(const ArrayProgram& program) { return SequenceOf(program, kSteps); }

using S = Sequence*;

template <typename Op>
Op& At(S sequence, size_t position) {
  return std::get<Op>(sequence->at(position));
}

void Insert(S sequence, size_t position, const Sequence& ops) {
  sequence->insert(sequence->begin() + static_cast<ptrdiff_t>(position), ops.begin(), ops.end());
}
void Append(S sequence, const Sequence& ops) { Insert(sequence, sequence->size(), ops); }
void Erase(S sequence, size_t position) {
  sequence->erase(sequence->begin() + static_cast<ptrdiff_t>(position));
}

// A legal write that no task of the launch uses.
WriteDescriptor Spare() { return {kShim, 3, 3, 0, 1024, {}, {1, 1}}; }

Texts Found(const Sequence& sequence, NpuArch arch) {
  return TextsOf(Violations(KStream(arch), sequence, ArgumentBytes(), arch::NpuOf(arch)));
}

// What is done to a legal launch, and all that must be found; nothing: it stays legal.
struct SequenceCase {
  const char* what;
  std::function<void(S)> mutate;
  Texts expected;
};

void ExpectAll(const std::vector<SequenceCase>& cases) {
  for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
    const Npu& npu = arch::NpuOf(arch);
    const ArrayProgram program = KStream(arch);
    const Sequence legal = Launch(program);
    ASSERT_EQ(legal.size(), kAwaitC + 1);
    EXPECT_EQ(Found(legal, arch), Texts()) << npu.name;
    for (const SequenceCase& c : cases) {
      Sequence sequence = legal;
      c.mutate(&sequence);
      EXPECT_EQ(Found(sequence, arch), c.expected) << c.what << " on " << npu.name;
      EXPECT_EQ(Validate(program, sequence, ArgumentBytes(), npu).ok(), c.expected.empty())
          << c.what << " on " << npu.name;
    }
  }
}

// The same for one more descriptor in such a launch.
struct DescriptorCase {
  const char* what;
  std::function<void(WriteDescriptor*)> mutate;
  Texts expected;
};

void ExpectAll(const std::vector<DescriptorCase>& cases) {
  std::vector<SequenceCase> launches;
  for (const DescriptorCase& c : cases) {
    launches.push_back({c.what,
                        [&c](S s) {
                          WriteDescriptor spare = Spare();
                          c.mutate(&spare);
                          Append(s, {spare});
                        },
                        c.expected});
  }
  ExpectAll(launches);
}

using D = WriteDescriptor*;

void SetPattern(const DimList& dims, int64_t length, D d) {
  d->dims = dims;
  d->length_words = length;
}

// --- The answer itself ---

TEST(ValidateSequenceTest, StatusHasTheFirstViolationAndHowManyFollow) {
  for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
    const Npu& npu = arch::NpuOf(arch);
    const ArrayProgram program = KStream(arch);
    Sequence sequence = Launch(program);
    EXPECT_TRUE(Validate(program, sequence, ArgumentBytes(), npu).ok());
    EXPECT_TRUE(Validate(program, Sequence(), {}, npu).ok());
    At<SetLock>(&sequence, kOpenStart).value = 64;
    Status status = Validate(program, sequence, ArgumentBytes(), npu);
    EXPECT_EQ(status.code(), StatusCode::kOutOfRange);
    EXPECT_EQ(status.message(), "core (0,2) lock 6: lock value is 64, at most 63");
    Erase(&sequence, kAwaitC);
    At<WriteDescriptor>(&sequence, kWriteC).offset_bytes = -4;
    status = Validate(program, sequence, ArgumentBytes(), npu);
    EXPECT_EQ(status.message(), "core (0,2) lock 6: lock value is 64, at most 63 (and 2 more)");
  }
}

TEST(ValidateSequenceTest, ColumnsOfTheArray) {
  const std::string column = "shim (4,0) descriptor 3: column is 4, at most 3";
  for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
    Sequence sequence = Launch(KStream(arch));
    WriteDescriptor spare = Spare();
    spare.tile.column = 4;
    Append(&sequence, {spare});
    EXPECT_EQ(Found(sequence, arch), arch == NpuArch::kNpu1 ? Texts{column} : Texts());
  }
}

// --- Descriptors ---

TEST(ValidateSequenceTest, DescriptorsAndTheirTiles) {
  ExpectAll(
      {{"last id", [](D d) { d->id = 15; }, {}},
       {"id",
        [](D d) { d->id = 16; },
        {"shim (0,0) descriptor 16: descriptor id is 16, at most 15"}},
       {"negative id",
        [](D d) { d->id = -1; },
        {"shim (0,0) descriptor -1: descriptor id is -1, at least 0"}},
       {"last column of both arrays", [](D d) { d->tile.column = 3; }, {}},
       {"column",
        [](D d) { d->tile.column = -1; },
        {"shim (-1,0) descriptor 3: column is -1, at least 0"}},
       {"row", [](D d) { d->tile.row = -1; }, {"core (0,-1) descriptor 3: row is -1, at least 0"}},
       {"memory tile",
        [](D d) { d->tile.row = 1; },
        {"memory (0,1) descriptor 3: row is 1, at most 0"}},
       {"core", [](D d) { d->tile.row = 2; }, {"core (0,2) descriptor 3: row is 2, at most 0"}}});
}

// 32-bit lengths, 10-bit wraps but for the last of three dimensions, 20-bit steps.
TEST(ValidateSequenceTest, PatternsThatAShimHas) {
  ExpectAll({{"a word", [](D d) { SetPattern({}, 1, d); }, {}},
             {"longest", [](D d) { SetPattern({}, 4294967295, d); }, {}},
             {"largest wraps",
              [](D d) {
                SetPattern({{1023, 1}, {1023, 1024}}, 1046529, d);
              },
              {}},
             {"last has no wrap",
              [](D d) {
                SetPattern({{2, 1}, {2, 3}, {100000, 9}}, 400000, d);
              },
              {}},
             {"one run of 1024",
              [](D d) {
                SetPattern({{1024, 1}}, 1024, d);
              },
              {}},
             {"one run in three",
              [](D d) {
                SetPattern({{4096, 1}, {2, 4096}, {5000, 8192}}, 40960000, d);
              },
              {}},
             {"longest step",
              [](D d) {
                SetPattern({{2, 1048576}}, 2, d);
              },
              {}},
             {"most iterations",
              [](D d) {
                d->iteration = {64, 1048576};
              },
              {}},
             {"offset of a word", [](D d) { d->offset_bytes = 4; }, {}}});
}

TEST(ValidateSequenceTest, PatternsThatAShimHasNot) {
  const std::string where = "shim (0,0) descriptor 3: ";
  const std::string dimensions = where + "words of its dimensions, against its length is ";
  ExpectAll({{"no words",
              [](D d) { SetPattern({}, 0, d); },
              {where + "length in words is 0, at least 1"}},
             {"too long",
              [](D d) { SetPattern({}, 4294967296, d); },
              {where + "length in words is 4294967296, at most 4294967295"}},
             {"four dimensions",
              [](D d) {
                SetPattern({{2, 1}, {2, 4}, {2, 16}, {2, 64}}, 16, d);
              },
              {where + "dimensions is 4, at most 3"}},
             {"d0 wrap",
              [](D d) {
                SetPattern({{1024, 1}, {2, 1025}}, 2048, d);
              },
              {where + "d0 size is 1024, at most 1023"}},
             {"d1 wrap",
              [](D d) {
                SetPattern({{4, 1}, {1024, 5}}, 4096, d);
              },
              {where + "d1 size is 1024, at most 1023"}},
             {"step",
              [](D d) {
                SetPattern({{4, 1}, {2, 1048577}}, 8, d);
              },
              {where + "d1 step in words is 1048577, at most 1048576"}},
             {"step 0",
              [](D d) {
                SetPattern({{4, 1}, {2, 0}}, 8, d);
              },
              {where + "d1 step in words is 0, at least 1"}},
             {"size 0",
              [](D d) {
                SetPattern({{4, 1}, {0, 8}}, 4, d);
              },
              {where + "d1 size is 0, at least 1"}},
             {"more than its length",
              [](D d) {
                SetPattern({{4, 1}, {4, 8}}, 15, d);
              },
              {dimensions + "16, at most 15"}},
             {"less than its length",
              [](D d) {
                SetPattern({{4, 1}, {4, 8}}, 17, d);
              },
              {dimensions + "16, at least 17"}},
             {"iterations",
              [](D d) {
                d->iteration = {65, 1024};
              },
              {where + "iterations is 65, at most 64"}},
             {"no iterations",
              [](D d) {
                d->iteration = {0, 1024};
              },
              {where + "iterations is 0, at least 1"}},
             {"iteration step",
              [](D d) {
                d->iteration = {2, 1048577};
              },
              {where + "iteration step in words is 1048577, at most 1048576"}},
             {"iteration step 0",
              [](D d) {
                d->iteration = {2, 0};
              },
              {where + "iteration step in words is 0, at least 1"}}});
}

TEST(ValidateSequenceTest, PatternsStayInTheirArgument) {
  const std::string where = "shim (0,0) descriptor 3: ";
  const std::string end = where + "end in bytes of its argument is ";
  static constexpr int64_t kEnd = kSpareBytes;
  ExpectAll(
      {{"offset of no word",
        [](D d) { d->offset_bytes = 6; },
        {where + "offset is 6, no multiple of 4"}},
       {"offset before it",
        [](D d) { d->offset_bytes = -4; },
        {where + "offset is -4, at least 0"}},
       {"up to its end", [](D d) { d->offset_bytes = kEnd - 4096; }, {}},
       {"past its end",
        [](D d) { d->offset_bytes = kEnd - 4092; },
        {end + "1099511627780, at most 1099511627776"}},
       {"up to its end by steps",
        [](D d) {
          SetPattern({{4, 1}, {3, 1000}}, 12, d);
          d->offset_bytes = kEnd - 8016;
        },
        {}},
       {"past its end by steps",
        [](D d) {
          SetPattern({{4, 1}, {3, 1000}}, 12, d);
          d->offset_bytes = kEnd - 8012;
        },
        {end + "1099511627780, at most 1099511627776"}},
       {"up to its end by iteration",
        [](D d) {
          d->iteration = {3, 5000};
          d->offset_bytes = kEnd - 44096;
        },
        {}},
       {"past its end by iteration",
        [](D d) {
          d->iteration = {3, 5000};
          d->offset_bytes = kEnd - 44092;
        },
        {end + "1099511627780, at most 1099511627776"}},
       {"all of another argument",
        [](D d) {
          d->argument = 1;
          d->length_words = kPanelBytes / 4;
        },
        {}},
       {"past the end of another argument",
        [](D d) {
          d->argument = 1;
          d->length_words = kPanelBytes / 4 + 1;
        },
        {end + "16388, at most 16384"}},
       {"argument", [](D d) { d->argument = 4; }, {where + "argument is 4, at most 3"}},
       {"no argument", [](D d) { d->argument = -1; }, {where + "argument is -1, at least 0"}}});
}

// --- Tasks ---

Sequence Pushes(const ChannelId& channel, int count) {
  return Sequence(static_cast<size_t>(count), PushTask{channel, 0, 1, false});
}

TEST(ValidateSequenceTest, Tasks) {
  const std::string writes = ": writes before its task is 0, at least 1";
  ExpectAll({{"most executions", [](S s) { At<PushTask>(s, kPushA).executions = 256; }, {}},
             {"executions",
              [](S s) { At<PushTask>(s, kPushA).executions = 257; },
              {"shim (0,0) MM2S 0: executions of a task is 257, at most 256"}},
             {"no executions",
              [](S s) { At<PushTask>(s, kPushA).executions = 0; },
              {"shim (0,0) MM2S 0: executions of a task is 0, at least 1"}},
             {"descriptor nobody wrote",
              [](S s) { At<PushTask>(s, kPushA).descriptor = 5; },
              {"shim (0,0) descriptor 5" + writes}},
             {"descriptor written later",
              [](S s) { std::swap(s->at(kWriteA), s->at(kPushA)); },
              {"shim (0,0) descriptor 0" + writes,
               "shim (0,0) descriptor 0: writes while a task may still use it is 1, at most 0"}},
             {"descriptor of another shim",
              [](S s) { At<WriteDescriptor>(s, kWriteB).tile.column = 1; },
              {"shim (0,0) descriptor 1" + writes}},
             {"channel",
              [](S s) {
                Append(s, {PushTask{{kShim, kMm2s, 2}, 0, 1, false}});
              },
              {"shim (0,0) MM2S 2: channel is 2, at most 1",
               "shim (0,0) MM2S 2: flows of its channel is 0, at least 1"}},
             {"negative channel",
              [](S s) {
                Append(s, {PushTask{{kShim, kS2mm, -1}, 0, 1, false}});
              },
              {"shim (0,0) S2MM -1: channel is -1, at least 0",
               "shim (0,0) S2MM -1: flows of its channel is 0, at least 1"}},
             {"channel without a flow",
              [](S s) {
                Append(s, {PushTask{{kShim, kS2mm, 1}, 0, 1, false}});
              },
              {"shim (0,0) S2MM 1: flows of its channel is 0, at least 1"}},
             {"channel of a core",
              [](S s) {
                Append(s, {PushTask{{kCore, kS2mm, 0}, 0, 1, false}});
              },
              {"core (0,2) S2MM 0: row is 2, at most 0"}}});
}

TEST(ValidateSequenceTest, FourTasksMayWait) {
  const std::string waiting = "shim (0,0) MM2S 0: tasks not proven done is ";
  static const PushTask kLast{kInA, 0, 1, true};
  ExpectAll({{"four", [](S s) { Append(s, Pushes(kInA, 3)); }, {}},
             {"five", [](S s) { Append(s, Pushes(kInA, 4)); }, {waiting + "5, at most 4"}},
             {"six",
              [](S s) { Append(s, Pushes(kInA, 5)); },
              {waiting + "5, at most 4", waiting + "6, at most 4"}},
             {"four on each",
              [](S s) {
                Append(s, Pushes(kInA, 3));
                Append(s, Pushes(kInB, 3));
              },
              {}},
             {"a token proves those before it",
              [](S s) {
                Append(s, Pushes(kInA, 2));
                Append(s, {kLast, AwaitToken{kInA}});
                Append(s, Pushes(kInA, 4));
              },
              {}},
             {"a token proves four, not five",
              [](S s) {
                Append(s, Pushes(kInA, 2));
                Append(s, {kLast, AwaitToken{kInA}});
                Append(s, Pushes(kInA, 5));
              },
              {waiting + "5, at most 4"}},
             {"a token proves nothing behind it",
              [](S s) {
                Append(s, {kLast});
                Append(s, Pushes(kInA, 1));
                Append(s, {AwaitToken{kInA}});
                Append(s, Pushes(kInA, 4));
              },
              {waiting + "5, at most 4"}},
             {"a token of another channel proves nothing",
              [](S s) { Insert(s, kAwaitC, Pushes(kInA, 3)), Append(s, Pushes(kInA, 1)); },
              {waiting + "5, at most 4"}}});
}

// --- Tokens ---

TEST(ValidateSequenceTest, Tokens) {
  const std::string out = "shim (0,0) S2MM 0: ";
  const std::string missing = "tokens to await is 0, at least 1";
  const std::string left = "tokens nobody awaits is 1, at most 0";
  static const PushTask kToken{kOutC, 2, 1, true};
  static const AwaitToken kAwait{kOutC};
  ExpectAll(
      {{"nobody sends it", [](S s) { At<PushTask>(s, kPushC).token = false; }, {out + missing}},
       {"another channel sends it",
        [](S s) { At<AwaitToken>(s, kAwaitC).channel = kInB; },
        {"shim (0,0) MM2S 1: " + missing, out + left}},
       {"sent later",
        [](S s) { std::swap(s->at(kPushC), s->at(kAwaitC)); },
        {out + missing, out + left}},
       {"awaited twice", [](S s) { Append(s, {kAwait}); }, {out + missing}},
       {"nobody awaits it", [](S s) { Erase(s, kAwaitC); }, {out + left}},
       {"one of two is left",
        [](S s) {
          Append(s, {kToken, kToken, kAwait});
        },
        {out + left}},
       {"two are awaited",
        [](S s) {
          Append(s, {kToken, kToken, kAwait, kAwait});
        },
        {}},
       {"one of two is awaited twice",
        [](S s) {
          Append(s, {kToken, kToken, kAwait, kAwait, kAwait});
        },
        {out + missing}}});
}

TEST(ValidateSequenceTest, DescriptorsInUseAreNotRewritten) {
  static constexpr auto kAgain = [](int id, const Tile& tile = kShim) {
    WriteDescriptor d = Spare();
    d.tile = tile;
    d.id = id;
    return Sequence{d};
  };
  const std::string in_use = ": writes while a task may still use it is 1, at most 0";
  ExpectAll({{"before its task", [](S s) { Insert(s, kPushA, kAgain(0)); }, {}},
             {"after its task",
              [](S s) { Insert(s, kWriteB, kAgain(0)); },
              {"shim (0,0) descriptor 0" + in_use}},
             // The sums came back, but no token of this channel did.
             {"after the launch",
              [](S s) { Append(s, kAgain(0)); },
              {"shim (0,0) descriptor 0" + in_use}},
             {"before its token",
              [](S s) { Insert(s, kAwaitC, kAgain(2)); },
              {"shim (0,0) descriptor 2" + in_use}},
             {"after its token", [](S s) { Append(s, kAgain(2)); }, {}},
             {"with another task behind that token",
              [](S s) {
                Insert(s, kAwaitC, {PushTask{kOutC, 2, 1, false}});
                Append(s, kAgain(2));
              },
              {"shim (0,0) descriptor 2" + in_use}},
             {"of another shim",
              [](S s) {
                Append(s, kAgain(0, {1, 0}));
              },
              {}},
             {"used by nobody", [](S s) { Append(s, kAgain(3)), Append(s, kAgain(3)); }, {}}});
}

// --- Parameters and locks ---

TEST(ValidateSequenceTest, Parameters) {
  const std::string unknown = "parameters at the address written is 0, at least 1";
  ExpectAll({{"any value", [](S s) { At<WriteParameter>(s, kWriteSteps).value = ~0u; }, {}},
             {"unknown address",
              [](S s) { At<WriteParameter>(s, kWriteSteps).address += 4; },
              {"core (0,2): " + unknown}},
             {"of another core",
              [](S s) { At<WriteParameter>(s, kWriteSteps).tile.row = 3; },
              {"core (0,3): " + unknown}},
             {"off the array",
              [](S s) { At<WriteParameter>(s, kWriteSteps).tile.row = 6; },
              {"core (0,6): " + unknown}}});
}

TEST(ValidateSequenceTest, Locks) {
  const std::string unknown = "locks of that id is 0, at least 1";
  ExpectAll({{"largest value", [](S s) { At<SetLock>(s, kOpenStart).value = 63; }, {}},
             {"value",
              [](S s) { At<SetLock>(s, kOpenStart).value = 64; },
              {"core (0,2) lock 6: lock value is 64, at most 63"}},
             {"shut", [](S s) { At<SetLock>(s, kOpenStart).value = 0; }, {}},
             {"negative value",
              [](S s) { At<SetLock>(s, kOpenStart).value = -1; },
              {"core (0,2) lock 6: lock value is -1, at least 0"}},
             {"unknown id",
              [](S s) { At<SetLock>(s, kOpenStart).id = 7; },
              {"core (0,2) lock 7: " + unknown}},
             {"of another core",
              [](S s) { At<SetLock>(s, kOpenStart).tile.column = 1; },
              {"core (1,2) lock 6: " + unknown}}});
}

}  // namespace
}  // namespace tilewave::program
