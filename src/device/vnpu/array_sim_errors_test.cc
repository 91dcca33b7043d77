// What ArraySim refuses: each error provoked by a stream, a configuration or a profile, its
// sentence read, and a good launch after it.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "device/vnpu/array_sim.h"
#include "program/stream.h"
#include "tests/support/program_samples.h"
#include "tests/support/stream_samples.h"
#include "tests/support/vnpu_samples.h"

namespace tilewave::device::vnpu {
namespace {

using program::ArrayProgram;
using program::AwaitToken;
using program::ChannelId;
using program::CoreOp;
using program::DesignFamily;
using program::DesignSpec;
using program::Direction;
using program::Encoded;
using program::kShim;
using program::Lowered;
using program::PushTask;
using program::Sequence;
using program::SequenceOf;
using program::SequenceOp;
using program::SetLock;
using program::Words;
using program::WriteDescriptor;
using program::WriteParameter;

constexpr ChannelId kSecondIn{kShim, Direction::kMm2s, 1};  ///< In no flow of packed_tile.
constexpr DesignSpec kStreamed{DesignFamily::kKStream, arch::NpuArch::kNpu1, 64, 64, 64};

// Positions in the sequences of a launch. kPacked: A|B, its task, C, its task, token.
enum : size_t { kWriteAb = 0, kPushAb, kWriteC, kPushC, kAwaitC };
// kStreamed: A, its task, B, its task, trip count, start lock, C, its task, token.
enum : size_t {
  kWriteA = 0,
  kPushA,
  kWriteB,
  kPushB,
  kWriteSteps,
  kSetStart,
  kWriteStreamedC,
  kPushStreamedC,
  kAwaitStreamedC
};
// Operations of the core of kPacked.
enum : size_t {
  kForever = 0,
  kAcquireCEmpty,
  kCallZero,
  kAcquireAbFull,
  kCallMatmul,
  kReleaseAbEmpty,
  kAdvanceAb,
  kReleaseCFull
};

Sequence SequenceOf(const DesignSpec& spec, int64_t k_steps = 1) {
  return SequenceOf(Lowered(spec), k_steps);
}

Result<std::unique_ptr<ArraySim>> Made(ArrayProgram program,
                                       const profile::Profile& profile = Phoenix()) {
  return ArraySim::Make(std::make_shared<const ArrayProgram>(std::move(program)), profile,
                        PlainKernels());
}

// The buffers of a launch of which every element of A is `a` and every one of B is `b`.
class UniformBuffers {
 public:
  UniformBuffers(const DesignSpec& spec, int64_t k_steps, int8_t a = 1, int8_t b = 1) {
    const auto tile = static_cast<size_t>(spec.tile_m * spec.tile_k);
    const size_t panel = tile * static_cast<size_t>(k_steps);
    memories_ = {std::vector<int8_t>(panel, a), std::vector<int8_t>(panel, b),
                 std::vector<int8_t>(tile * sizeof(int32_t), 0x5A)};
    if (spec.family == DesignFamily::kKStream) return;
    memories_[0].insert(memories_[0].end(), memories_[1].begin(), memories_[1].end());
    memories_.erase(memories_.begin() + 1);
  }

  std::vector<ArraySim::Argument> Arguments() {
    std::vector<ArraySim::Argument> arguments;
    for (std::vector<int8_t>& memory : memories_) {
      arguments.push_back(
          {reinterpret_cast<std::byte*>(memory.data()), static_cast<int64_t>(memory.size())});
    }
    return arguments;
  }

  std::vector<int32_t> C() const {
    const auto* data = reinterpret_cast<const int32_t*>(memories_.back().data());
    return {data, data + (memories_.back().size() / sizeof(int32_t))};
  }

 private:
  std::vector<std::vector<int8_t>> memories_;
};

ArraySim::Outcome RunStream(ArraySim* sim, const Words& words, UniformBuffers* buffers,
                            int64_t start_ps = kStartPs) {
  const std::vector<ArraySim::Argument> arguments = buffers->Arguments();
  return sim->Run(words, arguments, start_ps);
}

void ExpectText(const Status& status, const std::string& what, const std::string& text,
                StatusCode code = StatusCode::kInternal) {
  EXPECT_EQ(status.code(), code) << what << ": " << status.ToString();
  EXPECT_NE(status.message().find(text), std::string::npos)
      << what << ": '" << status.message() << "' lacks '" << text << "'";
}

// Two good launches with results of their own.
void ExpectGoodLaunches(ArraySim* sim, const std::string& after, int64_t start_ps) {
  const DesignSpec& spec = sim->program().spec;
  const int64_t most_steps = spec.family == DesignFamily::kKStream ? 2 : 1;
  for (int8_t i = 1; i <= 2; ++i) {
    const int64_t k_steps = std::min<int64_t>(i, most_steps);
    UniformBuffers buffers(spec, k_steps, static_cast<int8_t>(3 * i), -5);
    const ArraySim::Outcome outcome =
        RunStream(sim, Encoded(SequenceOf(spec, k_steps)), &buffers, start_ps);
    EXPECT_TRUE(outcome.status.ok()) << "after " << after << ": " << outcome.status.ToString();
    const auto sum = static_cast<int32_t>(-15 * i * spec.tile_k * k_steps);
    const std::vector<int32_t> c = buffers.C();
    EXPECT_EQ(c, std::vector<int32_t>(c.size(), sum)) << "after " << after;
    start_ps = outcome.end_ps + kMicrosecondPs;
  }
}

// A good program with a stream that must fail; then the same array with good ones.
void ExpectStreamFailure(const DesignSpec& spec, const std::string& what, const Words& words,
                         const std::string& text, StatusCode code = StatusCode::kInternal) {
  Result<std::unique_ptr<ArraySim>> sim = Made(Lowered(spec));
  ASSERT_TRUE(sim.ok()) << sim.status().ToString();
  UniformBuffers buffers(spec, 1);
  const ArraySim::Outcome outcome = RunStream(sim->get(), words, &buffers);
  ExpectText(outcome.status, what, text, code);
  EXPECT_GE(outcome.end_ps, kStartPs) << what;
  (*sim)->Reset();
  ExpectGoodLaunches(sim->get(), what, outcome.end_ps + kMicrosecondPs);
}

// What is done to the sequence of a good launch, and what comes of it.
struct SequenceCase {
  const char* what;
  std::function<void(Sequence*)> mutate;
  const char* text;
};

void ExpectSequenceFailures(const DesignSpec& spec, const std::vector<SequenceCase>& cases) {
  for (const SequenceCase& c : cases) {
    Sequence sequence = SequenceOf(spec);
    c.mutate(&sequence);
    ExpectStreamFailure(spec, c.what, Encoded(sequence), c.text);
  }
}

void Insert(Sequence* sequence, size_t before, const SequenceOp& op, int times = 1) {
  sequence->insert(sequence->begin() + static_cast<ptrdiff_t>(before), static_cast<size_t>(times),
                   op);
}
void Erase(Sequence* sequence, size_t first, size_t count = 1) {
  const auto begin = sequence->begin() + static_cast<ptrdiff_t>(first);
  sequence->erase(begin, begin + static_cast<ptrdiff_t>(count));
}

// --- Words of a stream ---

constexpr uint32_t kWriteOp = 0x00;
constexpr uint32_t kBlockOp = 0x01;
constexpr uint32_t kMaskOp = 0x03;
constexpr uint32_t kSyncOp = 0x80;
constexpr uint32_t kPatchOp = 0x81;
constexpr size_t kHeaderWords = 4;

size_t WordsOf(uint32_t opcode) {
  switch (opcode) {
    case kWriteOp:
      return 6;
    case kMaskOp:
      return 7;
    case kSyncOp:
      return 4;
    default:
      return 12;  // Patches, and block writes of a descriptor.
  }
}

// The word at which the nth operation of a kind starts.
size_t FindOp(const Words& words, uint32_t opcode, int nth = 0) {
  size_t at = kHeaderWords;
  while (words[at] != opcode || nth-- > 0) at += WordsOf(words[at]);
  return at;
}

void SetSize(Words* words, uint32_t ops) {
  (*words)[2] = ops;
  (*words)[3] = static_cast<uint32_t>(words->size() * sizeof(uint32_t));
}

// Takes an operation out, and out of the header's counts.
Words Without(Words words, uint32_t opcode, int nth = 0) {
  const auto begin = words.begin() + static_cast<ptrdiff_t>(FindOp(words, opcode, nth));
  words.erase(begin, begin + static_cast<ptrdiff_t>(WordsOf(opcode)));
  SetSize(&words, words[2] - 1);
  return words;
}

// Sets one word of an operation.
Words With(Words words, uint32_t opcode, int nth, size_t word, uint32_t value) {
  words[FindOp(words, opcode, nth) + word] = value;
  return words;
}

Words PackedWords() { return Encoded(SequenceOf(kPacked)); }

// --- Tasks and descriptors ---

TEST(ArraySimErrorsTest, Tasks) {
  ExpectSequenceFailures(
      kPacked,
      {{"a fifth waiting task on S2MM",
        [](Sequence* s) {
          Insert(s, kAwaitC, PushTask{kOut, 1, 1, true}, 5);
        },
        "task 5 waits on shim (0,0) S2MM 0; the queue holds 4, and the hardware drops the next"},
       {"a fifth waiting task on MM2S",
        [](Sequence* s) {
          Insert(s, kWriteC, PushTask{kIn, 0, 1, false}, 5);
        },
        "task 5 waits on shim (0,0) MM2S 0"},
       {"a task with a descriptor that was never written",
        [](Sequence* s) { std::get<PushTask>((*s)[kPushAb]).descriptor = 7; },
        "a task on shim (0,0) MM2S 0 with descriptor 7, which has no contents"},
       {"a task where no flow begins",
        [](Sequence* s) { std::get<PushTask>((*s)[kPushAb]).channel = kSecondIn; },
        "a task on shim (0,0) MM2S 1, which no flow uses"},
       {"a task in another column",
        [](Sequence* s) { std::get<PushTask>((*s)[kPushAb]).channel.tile.column = 1; },
        "a task on shim (1,0) MM2S 0, which no flow uses"},
       {"a descriptor of another column",
        [](Sequence* s) { std::get<WriteDescriptor>((*s)[kWriteAb]).tile.column = 1; },
        "a task on shim (0,0) MM2S 0 with descriptor 0, which has no contents"}});
}

// Reset() must also stop what is on its way.
TEST(ArraySimErrorsTest, AnErrorWhileDataMoves) {
  ExpectSequenceFailures(
      kStreamed, {{"A moves",
                   [](Sequence* s) {
                     Insert(s, kAwaitStreamedC, PushTask{kOut, 9, 1, true});
                   },
                   "a task on shim (0,0) S2MM 0 with descriptor 9, which has no contents"}});
}

TEST(ArraySimErrorsTest, DescriptorsWrittenInUse) {
  const SequenceOp write_ab = SequenceOf(kPacked)[kWriteAb];
  const SequenceOp write_c = SequenceOf(kPacked)[kWriteC];
  ExpectSequenceFailures(
      kPacked, {{"while its task runs", [&](Sequence* s) { Insert(s, kAwaitC, write_c); },
                 "descriptor 1 of shim (0,0) is written while a task uses it"},
                {"while its task starts", [&](Sequence* s) { Insert(s, kWriteC, write_ab); },
                 "descriptor 0 of shim (0,0) is written while a task uses it"},
                {"while its task waits",
                 [&](Sequence* s) {
                   WriteDescriptor other = std::get<WriteDescriptor>(write_c);
                   other.id = 2;
                   Insert(s, kAwaitC, other);
                   Insert(s, kAwaitC + 1, PushTask{kOut, 2, 1, true});
                   Insert(s, kAwaitC + 2, other);
                 },
                 "descriptor 2 of shim (0,0) is written while a task uses it"}});
}

TEST(ArraySimErrorsTest, DescriptorsMayBeWrittenAfterTheirTask) {
  Result<std::unique_ptr<ArraySim>> sim = Made(Lowered(kPacked));
  ASSERT_TRUE(sim.ok());
  Sequence twice = SequenceOf(kPacked);
  const Sequence once = twice;
  twice.insert(twice.end(), once.begin(), once.end());
  UniformBuffers buffers(kPacked, 1, 2, 3);
  const ArraySim::Outcome outcome = RunStream(sim->get(), Encoded(twice), &buffers);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.ToString();
  EXPECT_EQ(buffers.C(), std::vector<int32_t>(256, 16 * 6));
}

TEST(ArraySimErrorsTest, AddressesMustBePatchedInTheSameLaunch) {
  for (int nth = 0; nth < 2; ++nth) {
    ExpectStreamFailure(kPacked, "no patch", Without(PackedWords(), kPatchOp, nth),
                        fmt::format("with descriptor {}, which has no address", nth));
  }
  Result<std::unique_ptr<ArraySim>> sim = Made(Lowered(kPacked));
  ASSERT_TRUE(sim.ok());
  UniformBuffers buffers(kPacked, 1);
  const ArraySim::Outcome first = RunStream(sim->get(), PackedWords(), &buffers);
  ASSERT_TRUE(first.status.ok()) << first.status.ToString();
  // The registers still hold the descriptor, but its address is that of another buffer's time.
  Sequence sequence = SequenceOf(kPacked);
  Erase(&sequence, kWriteAb);
  const ArraySim::Outcome second =
      RunStream(sim->get(), Encoded(sequence), &buffers, first.end_ps + kMicrosecondPs);
  ExpectText(second.status, "address of the last launch",
             "a task on shim (0,0) MM2S 0 with descriptor 0, which has no address");
}

TEST(ArraySimErrorsTest, APatchAloneRenewsADescriptor) {
  Result<std::unique_ptr<ArraySim>> sim = Made(Lowered(kPacked));
  ASSERT_TRUE(sim.ok());
  UniformBuffers first_buffers(kPacked, 1, 1, 1);
  const ArraySim::Outcome first = RunStream(sim->get(), PackedWords(), &first_buffers);
  ASSERT_TRUE(first.status.ok()) << first.status.ToString();
  UniformBuffers buffers(kPacked, 1, 7, 2);
  const ArraySim::Outcome second =
      RunStream(sim->get(), Without(Without(PackedWords(), kBlockOp), kBlockOp), &buffers,
                first.end_ps + kMicrosecondPs);
  EXPECT_TRUE(second.status.ok()) << second.status.ToString();
  EXPECT_EQ(buffers.C(), std::vector<int32_t>(256, 16 * 14));
  EXPECT_EQ(first_buffers.C(), std::vector<int32_t>(256, 16));
  (*sim)->Reset();
  const ArraySim::Outcome third = RunStream(
      sim->get(), Without(Without(PackedWords(), kBlockOp), kBlockOp), &buffers, second.end_ps + 1);
  ExpectText(third.status, "after Reset",
             "an address patched into 0x1d004 of shim (0,0), which is no written shim descriptor");
}

TEST(ArraySimErrorsTest, ANewDescriptorNeedsANewAddress) {
  Sequence twice = SequenceOf(kPacked);
  const Sequence once = twice;
  twice.insert(twice.end(), once.begin(), once.end());
  ExpectStreamFailure(kPacked, "second patch missing", Without(Encoded(twice), kPatchOp, 2),
                      "a task on shim (0,0) MM2S 0 with descriptor 0, which has no address");
}

// --- Tokens and the end of a stream ---

TEST(ArraySimErrorsTest, Tokens) {
  ExpectStreamFailure(kPacked, "no controller id", Without(PackedWords(), kMaskOp),
                      "a token asked of shim (0,0) S2MM 0, whose control register names no "
                      "controller");
  ExpectStreamFailure(kPacked, "controller id 0", With(PackedWords(), kMaskOp, 0, 4, 0),
                      "a token asked of shim (0,0) S2MM 0, whose control register names no "
                      "controller");
  ExpectSequenceFailures(
      kPacked,
      {{"no await", [](Sequence* s) { Erase(s, kAwaitC); },
        "the stream ends while shim (0,0) MM2S 0 is still at work"},
       {"await of the input only",
        [](Sequence* s) {
          std::get<PushTask>((*s)[kPushAb]).token = true;
          std::get<AwaitToken>((*s)[kAwaitC]).channel = kIn;
        },
        "the stream ends while shim (0,0) S2MM 0 is still at work"},
       {"a task left waiting",
        [](Sequence* s) {
          Insert(s, kAwaitC, PushTask{kOut, 1, 1, false}, 2);
        },
        "the stream ends while shim (0,0) S2MM 0 is still at work"},
       {"input left running",
        [](Sequence* s) {
          Insert(s, kPushC, PushTask{kIn, 0, 1, false}, 4);
        },
        "the stream ends while shim (0,0) MM2S 0 is still at work"},
       {"a token left", [](Sequence* s) { std::get<PushTask>((*s)[kPushAb]).token = true; },
        "the stream ends without awaiting a token of shim (0,0) MM2S 0"},
       {"await where no flow begins",
        [](Sequence* s) { std::get<AwaitToken>((*s)[kAwaitC]).channel = kSecondIn; },
        "a token awaited of shim (0,0) MM2S 1, which no flow uses"}});
}

TEST(ArraySimErrorsTest, TheControllerIdStaysFromLaunchToLaunch) {
  Result<std::unique_ptr<ArraySim>> sim = Made(Lowered(kPacked));
  ASSERT_TRUE(sim.ok());
  UniformBuffers buffers(kPacked, 1);
  const ArraySim::Outcome first = RunStream(sim->get(), PackedWords(), &buffers);
  const Words without = Without(PackedWords(), kMaskOp);
  const ArraySim::Outcome second = RunStream(sim->get(), without, &buffers, first.end_ps + 1);
  EXPECT_TRUE(second.status.ok()) << second.status.ToString();
  (*sim)->Reset();
  ExpectText(RunStream(sim->get(), without, &buffers, second.end_ps + 1).status, "after Reset",
             "whose control register names no controller");
}

// --- Bounds ---

TEST(ArraySimErrorsTest, BoundsOfTheBuffersOfALaunch) {
  const auto write_ab = [](Sequence* s) -> WriteDescriptor& {
    return std::get<WriteDescriptor>((*s)[kWriteAb]);
  };
  ExpectSequenceFailures(
      kPacked,
      {{"one word too many", [&](Sequence* s) { write_ab(s).length_words = 129; },
        "out of bounds: shim (0,0) MM2S 0 descriptor 0 reaches byte 516 of buffer 0 of the launch, "
        "which has 512"},
       {"an offset of one word", [&](Sequence* s) { write_ab(s).offset_bytes = 4; },
        "reaches byte 516 of buffer 0 of the launch, which has 512"},
       {"an offset past the end", [&](Sequence* s) { write_ab(s).offset_bytes = 1 << 30; },
        "reaches byte 1073742336 of buffer 0"},
       {"the largest offset",
        [&](Sequence* s) { write_ab(s).offset_bytes = (int64_t{1} << 48) - 4; },
        "out of bounds: shim (0,0) MM2S 0 descriptor 0"},
       {"a step too wide",
        [&](Sequence* s) {
          write_ab(s).dims = {{16, 1}, {8, 17}};
        },
        "reaches byte 540 of buffer 0 of the launch, which has 512"},
       {"the second execution",
        [&](Sequence* s) {
          write_ab(s).length_words = 64;
          write_ab(s).iteration = {2, 65};
          std::get<PushTask>((*s)[kPushAb]).executions = 2;
        },
        "reaches byte 516 of buffer 0 of the launch, which has 512"},
       {"C one word further on",
        [](Sequence* s) { std::get<WriteDescriptor>((*s)[kWriteC]).offset_bytes = 4; },
        "out of bounds: shim (0,0) S2MM 0 descriptor 1 reaches byte 1028 of buffer 1 of the "
        "launch, which has 1024"},
       {"a buffer that the launch does not have", [&](Sequence* s) { write_ab(s).argument = 2; },
        "the stream names buffer 2 of a launch with 2"}});
}

// --- Registers ---

TEST(ArraySimErrorsTest, RegistersThatAreNone) {
  constexpr size_t kAddress = 2;
  const Words packed = PackedWords();
  const struct {
    const char* what;
    Words words;
    const char* text;
  } cases[] = {
      {"write between the queues", With(packed, kWriteOp, 0, kAddress, 0x1D218),
       "the stream writes 0x1d218 of shim (0,0), which is no register or memory in use"},
      {"write to a channel that a shim does not have", With(packed, kWriteOp, 0, kAddress, 0x1D224),
       "the stream writes 0x1d224 of shim (0,0)"},
      {"write to a tile without memory in use", With(packed, kWriteOp, 0, kAddress, 0x06400000),
       "the stream writes 0x0 of core (3,4)"},
      {"write to a row that is not there", With(packed, kWriteOp, 0, kAddress, 0x00700000),
       "the stream writes 0x0 of core (0,7)"},
      {"write past a core's memory", With(packed, kWriteOp, 0, kAddress, 0x00210000),
       "the stream writes 0x10000 of core (0,2)"},
      {"write of half a word", With(packed, kWriteOp, 0, kAddress, 0x00200802),
       "the stream writes 0x802 of core (0,2)"},
      {"write to a lock that is not in use", With(packed, kWriteOp, 0, kAddress, 0x0021F0F0),
       "the stream writes 0x1f0f0 of core (0,2)"},
      {"write to one register of a descriptor", With(packed, kWriteOp, 0, kAddress, 0x1D000),
       "the stream writes 0x1d000 of shim (0,0)"},
      {"block write to a core", With(packed, kBlockOp, 0, kAddress, 0x0021D000),
       "a block of 8 words written to 0x1d000 of core (0,2), which is no shim descriptor"},
      {"block write beside a descriptor", With(packed, kBlockOp, 0, kAddress, 0x1D004),
       "a block of 8 words written to 0x1d004 of shim (0,0), which is no shim descriptor"},
      {"block write to a 17th descriptor", With(packed, kBlockOp, 0, kAddress, 0x1D200),
       "a block of 8 words written to 0x1d200 of shim (0,0)"},
      {"block write in a fifth column", With(packed, kBlockOp, 0, kAddress, 0x0801D000),
       "a block of 8 words written to 0x1d000 of shim (4,0)"},
      {"patch of another register", With(packed, kPatchOp, 0, 6, 0x1D008),
       "an address patched into 0x1d008 of shim (0,0), which is no written shim descriptor"},
      {"patch of a descriptor that was not written", With(packed, kPatchOp, 0, 6, 0x1D064),
       "an address patched into 0x1d064 of shim (0,0), which is no written shim descriptor"},
      {"patch of a core", With(packed, kPatchOp, 0, 6, 0x0021D004),
       "an address patched into 0x1d004 of core (0,2)"},
      {"mask of other bits", With(packed, kMaskOp, 0, 5, 0xFFFF),
       "0x1d200 of shim (0,0) written under mask 0xffff, which is no control register in use"},
      {"mask write to a channel without a flow", With(packed, kMaskOp, 0, kAddress, 0x1D208),
       "0x1d208 of shim (0,0) written under mask 0x1f00"},
      {"mask write to a core", With(packed, kMaskOp, 0, kAddress, 0x0021DE00),
       "0x1de00 of core (0,2) written under mask 0x1f00"}};
  for (const auto& c : cases) ExpectStreamFailure(kPacked, c.what, c.words, c.text);
}

TEST(ArraySimErrorsTest, ABlockOfSevenWords) {
  Words words = PackedWords();
  const size_t at = FindOp(words, kBlockOp);
  words.erase(words.begin() + static_cast<ptrdiff_t>(at) + 11);
  words[at + 3] -= 4;
  SetSize(&words, words[2]);
  ExpectStreamFailure(kPacked, "seven words", words,
                      "a block of 7 words written to 0x1d000 of shim (0,0)");
}

TEST(ArraySimErrorsTest, LocksAbove63) {
  const Words words = Encoded(SequenceOf(kStreamed));
  // The third plain write: after two tasks and the trip count comes the start lock.
  constexpr int kStart = 3;
  constexpr size_t kValue = 4;
  ASSERT_EQ(words[FindOp(words, kWriteOp, kStart) + kValue], 1u);
  for (const uint32_t value : {64u, 0xFFFFFFFFu}) {
    ExpectStreamFailure(kStreamed, "lock", With(words, kWriteOp, kStart, kValue, value),
                        fmt::format("lock start of core (0,2) set to {}; at most 63", value));
  }
}

// --- Streams ---

TEST(ArraySimErrorsTest, StreamsThatCannotBeRead) {
  const Words good = PackedWords();
  Words cut(good.begin(), good.end() - 1);
  ExpectStreamFailure(kPacked, "cut, header and all", cut, "its header says",
                      StatusCode::kDataLoss);
  SetSize(&cut, good[2]);
  ExpectStreamFailure(kPacked, "cut", cut, "is truncated", StatusCode::kDataLoss);
  ExpectStreamFailure(kPacked, "no words", {}, "is truncated", StatusCode::kDataLoss);
  Words more = good;
  ++more[2];
  ExpectStreamFailure(kPacked, "one operation less than counted", more, "is truncated",
                      StatusCode::kDataLoss);
  ExpectStreamFailure(kPacked, "unknown operation", With(good, kSyncOp, 0, 0, 0x7F),
                      "is 0x7f, whose layout is not known", StatusCode::kUnimplemented);
  ExpectStreamFailure(kPacked, "descriptor that is not valid", With(good, kBlockOp, 0, 11, 0),
                      "a shim descriptor has", StatusCode::kInvalidArgument);
}

TEST(ArraySimErrorsTest, StreamsForAnotherArray) {
  Result<Words> npu2 =
      program::EncodeStream(SequenceOf(kPacked), arch::NpuOf(arch::NpuArch::kNpu2));
  ASSERT_TRUE(npu2.ok());
  ExpectStreamFailure(kPacked, "npu2", *npu2, "a stream for generation 4 with 8 columns on npu1",
                      StatusCode::kInvalidArgument);
  Words wide = PackedWords();
  ++wide[1];
  ExpectStreamFailure(kPacked, "five columns", wide,
                      "a stream for generation 3 with 5 columns on npu1",
                      StatusCode::kInvalidArgument);
}

TEST(ArraySimErrorsTest, AnEmptyStreamDoesNothing) {
  Result<std::unique_ptr<ArraySim>> sim = Made(Lowered(kPacked));
  ASSERT_TRUE(sim.ok());
  UniformBuffers buffers(kPacked, 1);
  const ArraySim::Outcome outcome = RunStream(sim->get(), Encoded({}), &buffers);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.ToString();
  EXPECT_EQ(outcome.end_ps, kStartPs);
  ExpectGoodLaunches(sim->get(), "an empty stream", kStartPs + 1);
}

// --- Parameters ---

TEST(ArraySimErrorsTest, ParametersMustBeWrittenFirst) {
  Sequence sequence = SequenceOf(kStreamed);
  Erase(&sequence, kWriteSteps);
  const char* text = "core (0,2) reads parameter k_steps, which no stream has written";
  ExpectStreamFailure(kStreamed, "no parameter", Encoded(sequence), text);
  // Not for good, either: memory is poison after Reset().
  Result<std::unique_ptr<ArraySim>> sim = Made(Lowered(kStreamed));
  ASSERT_TRUE(sim.ok());
  ExpectGoodLaunches(sim->get(), "loading", kStartPs);
  (*sim)->Reset();
  UniformBuffers buffers(kStreamed, 1);
  ExpectText(RunStream(sim->get(), Encoded(sequence), &buffers).status, "after Reset", text);
}

// --- Configurations that misuse the array ---

struct ProgramCase {
  const char* what;
  std::function<void(ArrayProgram*)> mutate;
  const char* text;
  std::function<void(Sequence*)> mutate_sequence = nullptr;
};

void ExpectProgramFailures(const std::vector<ProgramCase>& cases) {
  for (const ProgramCase& c : cases) {
    ArrayProgram program = Lowered(kPacked);
    c.mutate(&program);
    Sequence sequence = SequenceOf(kPacked);
    if (c.mutate_sequence != nullptr) c.mutate_sequence(&sequence);
    Result<std::unique_ptr<ArraySim>> sim = Made(std::move(program));
    ASSERT_TRUE(sim.ok()) << c.what << ": " << sim.status().ToString();
    UniformBuffers buffers(kPacked, 2);
    ExpectText(RunStream(sim->get(), Encoded(sequence), &buffers).status, c.what, c.text);
  }
}

program::Descriptor* DescriptorOf(ArrayProgram* program, size_t channel) {
  return &program->channels[channel].descriptors[0];
}
CoreOp* OpOf(ArrayProgram* program, size_t op) { return &program->cores[0].ops[op]; }
void EraseOp(ArrayProgram* program, size_t op) {
  program->cores[0].ops.erase(program->cores[0].ops.begin() + static_cast<ptrdiff_t>(op));
}

TEST(ArraySimErrorsTest, BoundsOfTileBuffersAndKernels) {
  ExpectProgramFailures(
      {{"descriptor too long", [](ArrayProgram* p) { ++DescriptorOf(p, 0)->length_words; },
        "out of bounds: core (0,2) S2MM 0 descriptor 0 reaches byte 516 of buffer ab_0, which has "
        "512"},
       {"descriptor with an offset", [](ArrayProgram* p) { DescriptorOf(p, 1)->offset_words = 1; },
        "out of bounds: core (0,2) MM2S 0 descriptor 2 reaches byte 1028 of buffer c_0, which has "
        "1024"},
       {"descriptor with a negative offset",
        [](ArrayProgram* p) { DescriptorOf(p, 0)->offset_words = -1; },
        "out of bounds: core (0,2) S2MM 0 descriptor 0"},
       {"descriptor with a wide step",
        [](ArrayProgram* p) {
          DescriptorOf(p, 0)->dims = {{16, 1}, {8, 17}};
        },
        "reaches byte 540 of buffer ab_0, which has 512"},
       {"argument of a kernel",
        [](ArrayProgram* p) { OpOf(p, kCallMatmul)->arguments[1].offset_bytes += 4; },
        "out of bounds: kernel matmul_vector_s8_s32 reaches byte 516 of buffer ab_0, which has "
        "512"},
       {"output of a kernel", [](ArrayProgram* p) { p->cores[0].kernels[0].m = 32; },
        "out of bounds: kernel zero_s32 reaches byte 2048 of buffer c_0, which has 1024"},
       {"number of arguments", [](ArrayProgram* p) { OpOf(p, kCallMatmul)->arguments.pop_back(); },
        "kernel matmul_vector_s8_s32 is called with 2 arguments; it takes 3"}});
}

TEST(ArraySimErrorsTest, LocksReleasedBeyond63) {
  ExpectProgramFailures(
      {{"by a core",
        [](ArrayProgram* p) {
          p->locks[0].initial = 3;
          OpOf(p, kReleaseAbEmpty)->use.value = 63;
        },
        "lock misuse: lock ab_empty of core (0,2) released to 64; it holds at most 63"},
       {"by a channel",
        [](ArrayProgram* p) {
          for (program::Descriptor& d : p->channels[0].descriptors) d.release.value = 63;
        },
        // 63, of which the core has taken one, and 63 more with the second tile.
        "lock misuse: lock ab_full of core (0,2) released to 125; it holds at most 63",
        [](Sequence* s) {
          std::get<WriteDescriptor>((*s)[kWriteAb]).iteration = {2, 1};
          std::get<PushTask>((*s)[kPushAb]).executions = 2;
        }}});
}

TEST(ArraySimErrorsTest, DataRacedFor) {
  ExpectProgramFailures(
      {{"a core that does not wait for its input",
        [](ArrayProgram* p) { EraseOp(p, kAcquireAbFull); },
        "lock misuse: kernel matmul_vector_s8_s32 uses buffer ab_0 while core (0,2) S2MM 0 moves "
        "it"},
       {"a channel that does not wait for an empty buffer",
        [](ArrayProgram* p) {
          DescriptorOf(p, 0)->acquire = {};
          DescriptorOf(p, 0)->next = 0;
        },
        "lock misuse: core (0,2) S2MM 0 moves buffer ab_0 while a kernel uses it"},
       {"a core that hands C out too early",
        [](ArrayProgram* p) {
          std::vector<CoreOp>& ops = p->cores[0].ops;
          std::rotate(ops.begin() + kCallMatmul, ops.begin() + kReleaseCFull,
                      ops.begin() + kReleaseCFull + 1);
        },
        "lock misuse: kernel matmul_vector_s8_s32 uses buffer c_0 while core (0,2) MM2S 0 moves "
        "it"},
       {"a core that does not wait for C to leave",
        [](ArrayProgram* p) { EraseOp(p, kAcquireCEmpty); },
        "lock misuse: kernel zero_s32 uses buffer c_0 while core (0,2) MM2S 0 moves it"},
       {"a channel that sends C while it is made",
        [](ArrayProgram* p) { DescriptorOf(p, 1)->acquire = {}; },
        "lock misuse: kernel zero_s32 uses buffer c_0 while core (0,2) MM2S 0 moves it"}});
}

// --- Deadlocks ---

void ExpectParts(const Status& status, const std::vector<std::string>& parts) {
  EXPECT_EQ(status.code(), StatusCode::kInternal);
  for (const std::string& part : parts) {
    EXPECT_NE(status.message().find(part), std::string::npos)
        << "'" << status.message() << "' lacks '" << part << "'";
  }
}

std::string Us(int64_t ps) { return fmt::format("{:.3f} us", static_cast<double>(ps) / 1e6); }

// What the controller needs up to its sync: the moment since which it waits.
int64_t ControllerPs(int descriptors, int writes) {
  const profile::ControllerCosts& costs = Phoenix().controller;
  const auto ps = [](double cycles) { return std::llround(cycles * 1e3 / Phoenix().clock_ghz); };
  return (descriptors *
          (ps(costs.block_cycles + 8 * costs.block_word_cycles) + ps(costs.patch_cycles))) +
         (writes * ps(costs.write_cycles)) + ps(costs.mask_write_cycles);
}

TEST(ArraySimErrorsTest, MoreStepsThanTilesIsADeadlock) {
  Result<std::unique_ptr<ArraySim>> sim = Made(Lowered(kStreamed));
  ASSERT_TRUE(sim.ok());
  Sequence sequence = SequenceOf(kStreamed, 2);
  std::get<WriteParameter>(sequence[kWriteSteps]).value = 3;
  UniformBuffers buffers(kStreamed, 2);
  const ArraySim::Outcome outcome = RunStream(sim->get(), Encoded(sequence), &buffers);
  const int64_t stuck_ps = outcome.end_ps - std::llround(Phoenix().launch.recovery_us * 1e6);
  EXPECT_GT(stuck_ps, kStartPs);
  EXPECT_LT(stuck_ps, kStartPs + (50 * kMicrosecondPs));
  ExpectParts(outcome.status,
              {"deadlock at " + Us(stuck_ps) + ":",
               "the controller awaits a token of shim (0,0) S2MM 0 since " +
                   Us(kStartPs + ControllerPs(3, 5)),
               "core (0,2) waits for lock a_full to be 1 (it is 0) since " + Us(stuck_ps),
               "core (0,2) S2MM 0 waits for its stream with 1024 words to go since",
               "core (0,2) S2MM 1 waits for its stream with 1024 words to go since",
               "core (0,2) MM2S 0 waits for lock c_full to be 1 (it is 0) since 0.000 us",
               "shim (0,0) S2MM 0 waits for its stream with 4096 words to go since"});
  EXPECT_NE(outcome.status.message().back(), ';');
  (*sim)->Reset();
  ExpectGoodLaunches(sim->get(), "a deadlock", outcome.end_ps + 1);
}

TEST(ArraySimErrorsTest, AMissingTaskForBIsADeadlock) {
  Result<std::unique_ptr<ArraySim>> sim = Made(Lowered(kStreamed));
  ASSERT_TRUE(sim.ok());
  Sequence sequence = SequenceOf(kStreamed);
  Erase(&sequence, kWriteB, 2);
  UniformBuffers buffers(kStreamed, 1);
  const ArraySim::Outcome outcome = RunStream(sim->get(), Encoded(sequence), &buffers);
  ExpectParts(outcome.status,
              {"the controller awaits a token of shim (0,0) S2MM 0 since " +
                   Us(kStartPs + ControllerPs(2, 4)),
               "core (0,2) waits for lock b_full to be 1 (it is 0) since",
               "core (0,2) S2MM 1 waits for its stream with 1024 words to go since 0.000 us"});
  (*sim)->Reset();
  ExpectGoodLaunches(sim->get(), "a missing task", outcome.end_ps + 1);
}

TEST(ArraySimErrorsTest, OtherDeadlocks) {
  ExpectSequenceFailures(
      kPacked,
      {{"no task for C", [](Sequence* s) { Erase(s, kPushC); },
        "core (0,2) MM2S 0 waits for its stream with 256 words to go since"},
       {"too little of A|B",
        [](Sequence* s) { std::get<WriteDescriptor>((*s)[kWriteAb]).length_words = 100; },
        "core (0,2) S2MM 0 waits for its stream with 28 words to go since"},
       {"a second token", [](Sequence* s) { Insert(s, kAwaitC, AwaitToken{kOut}); },
        "the controller awaits a token of shim (0,0) S2MM 0 since"},
       {"C of two tiles", [](Sequence* s) { std::get<PushTask>((*s)[kPushC]).executions = 2; },
        "shim (0,0) S2MM 0 waits for its stream with 256 words to go since"}});
  ExpectSequenceFailures(
      kStreamed,
      {{"start lock not set", [](Sequence* s) { Erase(s, kSetStart); },
        "core (0,2) waits for lock start to be 1 (it is 0) since 0.001 us"},
       {"start lock set to 0", [](Sequence* s) { std::get<SetLock>((*s)[kSetStart]).value = 0; },
        "core (0,2) waits for lock start to be 1 (it is 0) since 0.001 us"}});
}

// --- Loading ---

TEST(ArraySimErrorsTest, WhatCannotBeLoaded) {
  ArrayProgram unknown = Lowered(kPacked);
  unknown.cores[0].kernels[1].name = "matmul_tensor_s8_s32";
  ExpectText(Made(std::move(unknown)).status(), "unknown kernel",
             "the array has no kernel 'matmul_tensor_s8_s32'", StatusCode::kNotFound);
  ExpectText(ArraySim::Make(std::make_shared<const ArrayProgram>(Lowered(kPacked)), Phoenix(), {})
                 .status(),
             "no kernels", "the array has no kernel 'zero_s32'", StatusCode::kNotFound);

  profile::Profile no_model = Phoenix();
  no_model.vector_model = "ideal";
  ExpectText(Made(Lowered(kPacked), no_model).status(), "unknown model",
             "profile phoenix has no kernel model 'ideal' with s32 output", StatusCode::kNotFound);

  profile::Profile npu2 = Phoenix();
  npu2.arch = arch::NpuArch::kNpu2;
  ExpectText(Made(Lowered(kPacked), npu2).status(), "wrong array",
             "an array program for npu1 on profile phoenix, which is an npu2",
             StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tilewave::device::vnpu
