// Misuse that leaves plausible bytes behind: each must end the launch with its name.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "device/vnpu/array_sim.h"
#include "program/lower.h"
#include "program/stream.h"
#include "tests/support/vnpu_samples.h"

namespace tilewave::device::vnpu {
namespace {

using program::ArrayProgram;

/// Runs one launch of packed_tile 16 on A = 2, B = 3 and says how it went.
Status RunLaunch(ArrayProgram program, const std::vector<uint32_t>& words) {
  Result<std::unique_ptr<ArraySim>> sim = ArraySim::Make(
      std::make_shared<const ArrayProgram>(std::move(program)), Phoenix(), PlainKernels());
  if (!sim.ok()) return sim.status();
  std::vector<int8_t> ab(512, 2);
  std::fill(ab.begin() + 256, ab.end(), int8_t{3});
  std::vector<int32_t> c(256, -1);
  const ArraySim::Argument arguments[] = {{reinterpret_cast<std::byte*>(ab.data()), 512},
                                          {reinterpret_cast<std::byte*>(c.data()), 1024}};
  const ArraySim::Outcome outcome = (*sim)->Run(words, arguments, 1000);
  if (outcome.status.ok()) {
    EXPECT_EQ(c, std::vector<int32_t>(256, 96));
  }
  return outcome.status;
}

TEST(ArraySimMisuseTest, TheUntouchedLaunchIsRight) {
  EXPECT_TRUE(RunLaunch(*program::Lower(kPacked), GoodStream()).ok());
}

TEST(ArraySimMisuseTest, AnAddressPatchedWhileItsTaskRuns) {
  std::vector<uint32_t> words = GoodStream();
  // A second patch of descriptor 0, to argument 1, before the sync that ends the stream.
  constexpr size_t kSyncWords = 4;
  const std::vector<uint32_t> patch = {0x81, 48, 0, 0, 0, 0, 0x1D004, 0, 1, 0, 0, 0};
  words.insert(words.end() - kSyncWords, patch.begin(), patch.end());
  words[2] += 1;
  words[3] += 48;
  const Status status = RunLaunch(*program::Lower(kPacked), words);
  EXPECT_EQ(status.code(), StatusCode::kInternal);
  EXPECT_NE(status.message().find("is patched while a task uses it"), std::string::npos)
      << status.message();
}

TEST(ArraySimMisuseTest, TwoChannelsOnOneBuffer) {
  ArrayProgram program = *program::Lower(kPacked);
  // The output channel sends the input buffer, and waits for nothing.
  program::Descriptor& out = program.channels[1].descriptors[0];
  out.buffer = 0;
  out.length_words = 128;
  out.acquire = out.release = {};
  const Status status = RunLaunch(program, GoodStream());
  EXPECT_EQ(status.code(), StatusCode::kInternal);
  EXPECT_NE(status.message().find("lock misuse: core (0,2)"), std::string::npos)
      << status.message();
}

// Operations that can be read, but of which nothing here says what the hardware would do.
TEST(ArraySimMisuseTest, OperationsThatAreNotExecuted) {
  const program::ChannelId out{{0, 0}, program::Direction::kS2mm, 0};
  const struct {
    program::StreamOp op;
    const char* expected;
  } cases[] = {
      {program::MaskPoll{0x1D220, 0, 1, false}, "the mask poll at word 10 "},
      {program::MaskPoll{0x1D220, 0, 1, true}, "the busy mask poll at word 10 "},
      {program::Sync{out, 2, 1}, "(0x80 of 2 x 1 tiles)"},
      {program::Sync{out, 1, 2}, "(0x80 of 1 x 2 tiles)"},
      {program::Noop(), "the no-op at word 10 "},
      {program::Preempt{1}, "the preemption point at word 10 "},
      {program::LoadPdi(), "the configuration load at word 10 "},
      {program::CustomOp{0x90, {}}, "the custom operation at word 10 "},
  };
  for (const auto& c : cases) {
    std::vector<uint32_t> words;
    program::StreamWriter writer(arch::NpuOf(arch::NpuArch::kNpu1), {}, &words);
    ASSERT_TRUE(writer.Add(program::WriteParameter{{0, 2}, 0, 0}));
    ASSERT_TRUE(writer.Add(c.op));
    ASSERT_TRUE(writer.Finish().ok());
    const Status status = RunLaunch(*program::Lower(kPacked), words);
    EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
    EXPECT_NE(status.message().find(c.expected), std::string::npos) << status.message();
  }
}

TEST(ArraySimMisuseTest, TheOtherVersionOfAStreamDoesTheSame) {
  program::StreamOptions options;
  options.version = program::StreamVersion::kV10;
  options.controller_ids = program::StreamOptions::ControllerIds::kEveryToken;
  options.columns = 1;
  const ArrayProgram program = *program::Lower(kPacked);
  const std::vector<uint32_t> words = *program::EncodeStream(
      *program::LaunchSequence(program, 1), arch::NpuOf(arch::NpuArch::kNpu1), options);
  EXPECT_LT(words.size(), GoodStream().size());
  const Status status = RunLaunch(program, words);
  EXPECT_TRUE(status.ok()) << status.message();
}

}  // namespace
}  // namespace tilewave::device::vnpu
