#include "program/sequence.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "program/stream.h"
#include "program/validate.h"
#include "tests/support/program_samples.h"

namespace tilewave::program {
namespace {

constexpr ChannelId kIn0{kShim, Direction::kMm2s, 0};
constexpr ChannelId kIn1{kShim, Direction::kMm2s, 1};
constexpr ChannelId kOut{kShim, Direction::kS2mm, 0};
constexpr int64_t kMostSteps = 65536;

// What a caller has to hand over.
std::vector<int64_t> ArgumentBytes(const DesignSpec& spec, int64_t k_steps) {
  const int64_t elements = spec.tile_m * spec.tile_n;
  const int64_t sums = spec.output == TileOutput::kS32 ? 4 * elements : elements;
  if (spec.family == kPacked) return {2 * elements, sums};
  return {elements * k_steps, elements * k_steps, sums};
}

std::vector<int64_t> StepCounts(const DesignSpec& spec) {
  if (spec.family == kPacked) return {1};
  return {1, 2, 3, 16, 63, 64, 1000, kMostSteps};
}

WriteDescriptor Whole(int id, int argument, int64_t words) {
  return {kShim, id, argument, 0, words, {}, {1, 1}};
}

// --- What a launch is ---

TEST(LaunchSequenceTest, PackedTileSendsOneTileAndAwaitsItsSums) {
  const Sequence expected{Whole(0, 0, 128), PushTask{kIn0, 0, 1, false}, Whole(1, 1, 256),
                          PushTask{kOut, 1, 1, true}, AwaitToken{kOut}};
  EXPECT_EQ(SequenceOf(Lowered(SingleCoreSpec(kPacked, 16, TileKernel::kScalar)), 1), expected);
}

TEST(LaunchSequenceTest, LossyTileComesBackInBytes) {
  const Sequence expected{Whole(0, 0, 512), PushTask{kIn0, 0, 1, false}, Whole(1, 1, 256),
                          PushTask{kOut, 1, 1, true}, AwaitToken{kOut}};
  const DesignSpec spec = SingleCoreSpec(kPacked, 32, TileKernel::kScalar, TileOutput::kS8Lossy);
  EXPECT_EQ(SequenceOf(Lowered(spec), 1), expected);
}

// The trip count is there before the lock that lets the core read it opens.
TEST(LaunchSequenceTest, KStreamSendsPanelsAndTheirTripCount) {
  const ArrayProgram program = Lowered(SingleCoreSpec(kStream, 64, TileKernel::kVector));
  const Sequence expected{
      Whole(0, 0, 3 * 1024),       PushTask{kIn0, 0, 1, false},     Whole(1, 1, 3 * 1024),
      PushTask{kIn1, 1, 1, false}, WriteParameter{kCore, 36096, 3}, SetLock{kCore, 6, 1},
      Whole(2, 2, 4096),           PushTask{kOut, 2, 1, true},      AwaitToken{kOut}};
  EXPECT_EQ(SequenceOf(program, 3), expected);
}

TEST(LaunchSequenceTest, ParameterAndLockAreFoundInTheProgram) {
  DesignSpec spec = SingleCoreSpec(kStream, 64, TileKernel::kVector);
  spec.stack_bytes = 1024;
  ArrayProgram program = Lowered(spec);
  for (Lock& lock : program.locks) lock.id += 5;
  const Sequence sequence = SequenceOf(program, 2);
  ASSERT_EQ(sequence.size(), 9u);
  EXPECT_EQ(std::get<WriteParameter>(sequence[4]), (WriteParameter{kCore, 33792, 2}));
  EXPECT_EQ(std::get<SetLock>(sequence[5]), (SetLock{kCore, 11, 1}));
}

// --- Legality ---

TEST(LaunchSequenceTest, FitsBuffersOfItsSizes) {
  for (const DesignSpec& spec : AllSingleCoreSpecs()) {
    const ArrayProgram program = Lowered(spec);
    for (const int64_t k_steps : StepCounts(spec)) {
      const Status status = Validate(program, SequenceOf(program, k_steps),
                                     ArgumentBytes(spec, k_steps), arch::NpuOf(spec.arch));
      EXPECT_TRUE(status.ok()) << Name(spec) << " x " << k_steps << ": " << status.ToString();
    }
  }
}

TEST(LaunchSequenceTest, UsesAllOfEveryBuffer) {
  for (const DesignSpec& spec : AllSingleCoreSpecs()) {
    const ArrayProgram program = Lowered(spec);
    for (const int64_t k_steps : StepCounts(spec)) {
      SCOPED_TRACE(Name(spec) + " x " + std::to_string(k_steps));
      const Sequence sequence = SequenceOf(program, k_steps);
      const std::vector<int64_t> bytes = ArgumentBytes(spec, k_steps);
      for (size_t argument = 0; argument < bytes.size(); ++argument) {
        std::vector<int64_t> shorter = bytes;
        shorter[argument] -= 4;
        const Status status = Validate(program, sequence, shorter, arch::NpuOf(spec.arch));
        EXPECT_EQ(status.code(), StatusCode::kOutOfRange);
        const std::string size = std::to_string(bytes[argument]);
        EXPECT_EQ(status.message(), "shim (0,0) descriptor " + std::to_string(argument) +
                                        ": end in bytes of its argument is " + size + ", at most " +
                                        std::to_string(shorter[argument]));
      }
      const std::vector<int64_t> fewer(bytes.begin(), bytes.end() - 1);
      EXPECT_FALSE(Validate(program, sequence, fewer, arch::NpuOf(spec.arch)).ok());
    }
  }
}

// The transfer that a core makes for each task at the other end of a shim channel's flow.
const Descriptor* AtCore(const ArrayProgram& program, const ChannelId& shim) {
  for (const Flow& flow : program.flows) {
    const bool in = flow.source == shim;
    if (!in && !(flow.destinations[0] == shim)) continue;
    const ChannelId& core = in ? flow.destinations[0] : flow.source;
    for (const Channel& channel : program.channels) {
      if (channel.id == core) return &channel.descriptors[0];
    }
  }
  return nullptr;
}

// Else words of one launch would wait for the next one.
TEST(LaunchSequenceTest, MovesWhatTheCoreMoves) {
  for (const DesignSpec& spec : AllSingleCoreSpecs()) {
    const ArrayProgram program = Lowered(spec);
    for (const int64_t k_steps : StepCounts(spec)) {
      SCOPED_TRACE(Name(spec) + " x " + std::to_string(k_steps));
      int64_t words[16] = {};
      size_t tasks = 0;
      for (const SequenceOp& op : SequenceOf(program, k_steps)) {
        if (const auto* d = std::get_if<WriteDescriptor>(&op)) words[d->id] = d->length_words;
        const auto* task = std::get_if<PushTask>(&op);
        if (task == nullptr) continue;
        ++tasks;
        const Descriptor* core = AtCore(program, task->channel);
        ASSERT_NE(core, nullptr) << Name(task->channel);
        const bool in = task->channel.direction == Direction::kMm2s;
        EXPECT_EQ(words[task->descriptor], core->length_words * (in ? k_steps : 1));
      }
      EXPECT_EQ(tasks, program.flows.size());
    }
  }
}

TEST(LaunchSequenceTest, CanBeEncoded) {
  for (const DesignSpec& spec : AllSingleCoreSpecs()) {
    const ArrayProgram program = Lowered(spec);
    for (const int64_t k_steps : StepCounts(spec)) {
      const Result<std::vector<uint32_t>> words =
          EncodeStream(SequenceOf(program, k_steps), arch::NpuOf(spec.arch));
      EXPECT_TRUE(words.ok()) << Name(spec) << ": " << words.status().ToString();
    }
  }
}

// --- Purity and refusals ---

TEST(LaunchSequenceTest, EqualCallsGiveEqualSequences) {
  const ArrayProgram program = Lowered(SingleCoreSpec(kStream, 64, TileKernel::kVector));
  const Sequence first = SequenceOf(program, 5);
  EXPECT_NE(SequenceOf(program, 6), first);
  EXPECT_EQ(SequenceOf(program, 5), first);
}

TEST(LaunchSequenceTest, StepsOutOfRangeAreRefused) {
  constexpr int64_t kMost64 = std::numeric_limits<int64_t>::max();
  struct {
    DesignFamily family;
    int64_t k_steps;
    const char* message;
  } const cases[] = {
      {kStream, 0, "0 steps over K for one launch of k_stream; "},
      {kStream, -1, "-1 steps over K for one launch of k_stream; "},
      {kStream, kMostSteps + 1,
       "65537 steps over K for one launch of k_stream; expected 1 to 65536"},
      {kStream, int64_t{1} << 32,
       "4294967296 steps over K for one launch of k_stream; expected 1 to"},
      {kStream, kMost64,
       "9223372036854775807 steps over K for one launch of k_stream; expected 1 to"},
      {kPacked, 0, "0 steps over K for one launch of packed_tile; "},
      {kPacked, 2, "2 steps over K for one launch of packed_tile; expected 1 to 1"},
      {kPacked, kMost64,
       "9223372036854775807 steps over K for one launch of packed_tile; expected 1 to"},
  };
  for (const auto& c : cases) {
    for (DesignSpec spec : AllSingleCoreSpecs()) {
      if (spec.family != c.family) continue;
      const Result<Sequence> sequence = LaunchSequence(Lowered(spec), c.k_steps);
      ASSERT_FALSE(sequence.ok()) << Name(spec) << " " << c.message;
      EXPECT_EQ(sequence.status().code(), StatusCode::kOutOfRange);
      EXPECT_EQ(sequence.status().message().find(c.message), 0u) << sequence.status().message();
    }
  }
}

}  // namespace
}  // namespace tilewave::program
