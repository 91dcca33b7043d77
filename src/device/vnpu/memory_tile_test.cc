// What only channels of memory tiles do: iterations and padding of descriptors that run by
// themselves, one source for several receivers. A program without cores, shim to shim.

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "device/vnpu/array_sim.h"
#include "program/lower.h"
#include "program/stream.h"
#include "tests/support/program_samples.h"
#include "tests/support/vnpu_samples.h"

namespace tilewave::device::vnpu {
namespace {

using program::ArrayProgram;
using program::AwaitToken;
using program::ChannelId;
using program::Descriptor;
using program::Direction;
using program::kMemory;
using program::kShim;
using program::PushTask;
using program::Sequence;
using program::WriteDescriptor;

constexpr int64_t kWords = 64;
constexpr int kPieces = 4;  ///< Of the buffer, sent one by one.

// A buffer that is filled at once and leaves in pieces, by one descriptor that iterates.
ArrayProgram InPieces() {
  ArrayProgram program;
  program.buffers = {{"words", kMemory, 256, kWords * arch::kWordBytes}};
  program.locks = {{"empty", kMemory, 0, kPieces}, {"full", kMemory, 1, 0}};
  Descriptor in;
  in.buffer = 0;
  in.length_words = kWords;
  in.acquire = {0, kPieces};
  in.release = {1, kPieces};
  in.next = in.id = 0;
  Descriptor out = in;
  out.length_words = kWords / kPieces;
  out.acquire = {1, 1};
  out.release = {0, 1};
  out.next = out.id = 1;
  out.iteration = {kPieces, kWords / kPieces};
  const ChannelId receives{kMemory, Direction::kS2mm, 0};
  const ChannelId sends{kMemory, Direction::kMm2s, 0};
  program.channels = {{receives, {in}}, {sends, {out}}};
  program.flows = {{kIn, {receives}}, {sends, {kOut}}};
  return program;
}

class MemoryTile {
 public:
  explicit MemoryTile(ArrayProgram program) {
    Result<std::unique_ptr<ArraySim>> sim = ArraySim::Make(
        std::make_shared<const ArrayProgram>(std::move(program)), Phoenix(), PlainKernels());
    EXPECT_TRUE(sim.ok()) << sim.status().ToString();
    sim_ = *std::move(sim);
  }

  /// One launch that sends `in` (if there is any) and receives so many words.
  Status Launch(std::vector<uint32_t> in, std::vector<uint32_t>* out) {
    Sequence sequence;
    if (!in.empty()) {
      sequence.emplace_back(
          WriteDescriptor{kShim, 0, 0, 0, static_cast<int64_t>(in.size()), {}, {}});
      sequence.emplace_back(PushTask{kIn, 0, 1, false});
    }
    sequence.emplace_back(
        WriteDescriptor{kShim, 1, 1, 0, static_cast<int64_t>(out->size()), {}, {}});
    sequence.emplace_back(PushTask{kOut, 1, 1, true});
    sequence.emplace_back(AwaitToken{kOut});
    const std::vector<uint32_t> words =
        *program::EncodeStream(sequence, arch::NpuOf(arch::NpuArch::kNpu1));
    std::vector<ArraySim::Argument> arguments;
    for (std::vector<uint32_t>* each : {&in, out}) {
      arguments.push_back({reinterpret_cast<std::byte*>(each->data()),
                           static_cast<int64_t>(each->size()) * arch::kWordBytes});
    }
    const ArraySim::Outcome outcome = sim_->Run(words, arguments, next_start_ps_);
    next_start_ps_ = outcome.end_ps;
    return outcome.status;
  }

 private:
  std::unique_ptr<ArraySim> sim_;
  int64_t next_start_ps_ = 1000;
};

std::vector<uint32_t> Numbers(uint32_t first, size_t count) {
  std::vector<uint32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

// Where the last launch stopped, the next one goes on; after the last piece comes the first.
TEST(MemoryTileTest, IterationsGoOnFromLaunchToLaunch) {
  MemoryTile tile(InPieces());
  std::vector<uint32_t> out(16);
  ASSERT_TRUE(tile.Launch(Numbers(100, kWords), &out).ok());
  EXPECT_EQ(out, Numbers(100, 16));
  out.assign(32, 0);
  ASSERT_TRUE(tile.Launch({}, &out).ok());
  EXPECT_EQ(out, Numbers(116, 32));
  out.assign(16, 0);
  ASSERT_TRUE(tile.Launch({}, &out).ok());
  EXPECT_EQ(out, Numbers(148, 16));
  out.assign(kWords, 0);
  ASSERT_TRUE(tile.Launch(Numbers(500, kWords), &out).ok());
  EXPECT_EQ(out, Numbers(500, kWords));
}

TEST(MemoryTileTest, IterationsStayInTheirBuffer) {
  ArrayProgram program = InPieces();
  program.channels[1].descriptors[0].iteration.size = kPieces + 1;
  MemoryTile tile(program);
  std::vector<uint32_t> out(kWords);
  ASSERT_TRUE(tile.Launch(Numbers(0, kWords), &out).ok());
  const Status s = tile.Launch(Numbers(0, kWords), &out);
  EXPECT_EQ(s.message(),
            "out of bounds: memory (0,1) MM2S 0 descriptor 1 reaches byte 320 of buffer words, "
            "which has 256");
}

TEST(MemoryTileTest, PaddingIsZerosInTheStream) {
  ArrayProgram program = InPieces();
  Descriptor& out = program.channels[1].descriptors[0];
  out.dims = {{8, 1}, {2, 8}};
  out.padding = {{{1, 2}, {0, 1}, {}}};
  MemoryTile tile(program);
  std::vector<uint32_t> got(2 * 3 * 11, 7);
  ASSERT_TRUE(tile.Launch(Numbers(1, kWords), &got).ok());
  std::vector<uint32_t> expected;
  for (uint32_t row = 0; row < 4; ++row) {
    expected.push_back(0);
    for (uint32_t i = 1; i <= 8; ++i) expected.push_back((row * 8) + i);
    expected.insert(expected.end(), 2, 0);
    if (row % 2 == 1) expected.insert(expected.end(), 11, 0);
  }
  EXPECT_EQ(got, expected);
}

TEST(MemoryTileTest, OnlyChannelsThatSendPad) {
  ArrayProgram program = InPieces();
  program.channels[0].descriptors[0].padding[0] = {1, 0};
  const Status s =
      ArraySim::Make(std::make_shared<const ArrayProgram>(program), Phoenix(), PlainKernels())
          .status();
  EXPECT_EQ(s.message(),
            "memory (0,1) S2MM 0 descriptor 0 pads its stream; only MM2S channels of memory tiles "
            "do");
}

// A stream for two receivers of which one has no room.
TEST(MemoryTileTest, AStoppedBroadcastNamesWhoIsNotReady) {
  ArrayProgram program = InPieces();
  const ChannelId blocked{{1, 1}, Direction::kS2mm, 0};
  program.buffers.push_back({"other", blocked.tile, 0, kWords * arch::kWordBytes});
  program.locks.push_back({"never", blocked.tile, 0, 1});
  Descriptor in;
  in.buffer = 1;
  in.length_words = kWords;
  in.acquire = {2, 2};
  program.channels.push_back({blocked, {in}});
  program.flows[0].destinations.push_back(blocked);
  MemoryTile tile(program);
  std::vector<uint32_t> out(16);
  const std::string text = tile.Launch(Numbers(0, kWords), &out).message();
  EXPECT_TRUE(text.starts_with("deadlock at ")) << text;
  EXPECT_NE(text.find("shim (0,0) MM2S 0 waits for its stream with 64 words to go, which memory "
                      "(1,1) S2MM 0 cannot take, since "),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("memory (1,1) S2MM 0 waits for lock never to be 2 (it is 1) since "),
            std::string::npos)
      << text;
  // Those that only wait behind it name nobody.
  EXPECT_NE(text.find("memory (0,1) S2MM 0 waits for its stream with 64 words to go since "),
            std::string::npos)
      << text;
}

TEST(MemoryTileTest, BroadcastsReachEveryReceiver) {
  // Both halves of the buffer's way out are fed by one stream, through two memory tiles.
  ArrayProgram program = InPieces();
  const ChannelId second_in{{1, 1}, Direction::kS2mm, 0};
  const ChannelId second_out{{1, 1}, Direction::kMm2s, 0};
  program.buffers.push_back({"other", second_in.tile, 0, kWords * arch::kWordBytes});
  program.locks.push_back({"other_empty", second_in.tile, 0, 1});
  program.locks.push_back({"other_full", second_in.tile, 1, 0});
  Descriptor in;
  in.buffer = 1;
  in.length_words = kWords;
  in.acquire = {2, 1};
  in.release = {3, 1};
  in.next = in.id = 0;
  Descriptor out = in;
  out.acquire = {3, 1};
  out.release = {2, 1};
  out.next = out.id = 1;
  program.channels.push_back({second_in, {in}});
  program.channels.push_back({second_out, {out}});
  program.flows[0].destinations.push_back(second_in);
  program.flows.push_back({second_out, {{{1, 0}, Direction::kS2mm, 0}}});
  Result<std::unique_ptr<ArraySim>> sim =
      ArraySim::Make(std::make_shared<const ArrayProgram>(program), Phoenix(), PlainKernels());
  ASSERT_TRUE(sim.ok()) << sim.status().ToString();
  const ChannelId other_out{{1, 0}, Direction::kS2mm, 0};
  const Sequence sequence{WriteDescriptor{kShim, 0, 0, 0, kWords, {}, {}},
                          PushTask{kIn, 0, 1, false},
                          WriteDescriptor{kShim, 1, 1, 0, kWords, {}, {}},
                          PushTask{kOut, 1, 1, true},
                          WriteDescriptor{{1, 0}, 1, 2, 0, kWords, {}, {}},
                          PushTask{other_out, 1, 1, true},
                          AwaitToken{kOut},
                          AwaitToken{other_out}};
  std::vector<uint32_t> in_words = Numbers(3, kWords);
  std::vector<uint32_t> first(kWords);
  std::vector<uint32_t> second(kWords);
  std::vector<ArraySim::Argument> arguments;
  for (std::vector<uint32_t>* each : {&in_words, &first, &second}) {
    arguments.push_back({reinterpret_cast<std::byte*>(each->data()), kWords * arch::kWordBytes});
  }
  const ArraySim::Outcome outcome = (*sim)->Run(
      *program::EncodeStream(sequence, arch::NpuOf(arch::NpuArch::kNpu1)), arguments, 1000);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.ToString();
  EXPECT_EQ(first, in_words);
  EXPECT_EQ(second, in_words);
}

}  // namespace
}  // namespace tilewave::device::vnpu
