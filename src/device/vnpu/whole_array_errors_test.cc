// What goes wrong on many tiles at once, and what is said about it.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "device/vnpu/array_sim.h"
#include "program/lower.h"
#include "program/stream.h"
#include "program/whole_array_launch.h"
#include "tests/support/vnpu_samples.h"

namespace tilewave::device::vnpu {
namespace {

using program::ArrayProgram;
using program::AwaitToken;
using program::ChannelId;
using program::DesignFamily;
using program::DesignSpec;
using program::Direction;
using program::ImageLayout;
using program::ProductShape;
using program::PushTask;
using program::Sequence;
using program::TileOutput;
using program::WriteParameter;

constexpr ProductShape kShape{1, 256, 256, 256, false, false, {}};

DesignSpec Spec(TileOutput output = TileOutput::kS32) {
  DesignSpec spec;
  spec.family = DesignFamily::kWholeArray;
  spec.columns = 4;
  spec.tile_m = spec.tile_k = spec.tile_n = 16;
  spec.output = output;
  return spec;
}

/// Runs one product after `break_it` has changed its sequence; what the launch says.
Status Launched(const DesignSpec& spec,
                const std::function<void(const ArrayProgram&, Sequence*)>& break_it,
                const ProductShape& shape = kShape, DataMode data = DataMode::kMoved) {
  const auto program = std::make_shared<const ArrayProgram>(*program::Lower(spec));
  const ImageLayout layout = *program::ImageLayoutOf(spec, shape);
  Sequence sequence = *program::WholeArraySequence(*program, shape, layout);
  break_it(*program, &sequence);
  const std::vector<uint32_t> words = *program::EncodeStream(sequence, arch::NpuOf(spec.arch));
  std::vector<std::vector<std::byte>> images;
  std::vector<ArraySim::Argument> arguments;
  for (const int64_t bytes : {layout.a_bytes, layout.b_bytes, layout.c_bytes}) {
    images.emplace_back(static_cast<size_t>(bytes));
    arguments.push_back({images.back().data(), bytes});
  }
  Result<std::unique_ptr<ArraySim>> sim = ArraySim::Make(program, Phoenix(), PlainKernels(), data);
  EXPECT_TRUE(sim.ok()) << sim.status().ToString();
  return (*sim)->Run(words, arguments, 1000).status;
}

void Drop(Sequence* sequence, const std::function<bool(const program::SequenceOp&)>& which) {
  sequence->erase(std::remove_if(sequence->begin(), sequence->end(), which), sequence->end());
}

/// All that a channel is told.
bool IsOf(const program::SequenceOp& op, const ChannelId& channel) {
  if (const auto* push = std::get_if<PushTask>(&op)) return push->channel == channel;
  if (const auto* await = std::get_if<AwaitToken>(&op)) return await->channel == channel;
  return false;
}

void ExpectSays(const Status& status, const std::vector<std::string>& parts) {
  EXPECT_EQ(status.code(), StatusCode::kInternal);
  for (const std::string& part : parts) {
    EXPECT_NE(status.message().find(part), std::string::npos)
        << part << "\n in " << status.message();
  }
}

TEST(WholeArrayErrorsTest, NothingIsWrongToBeginWith) {
  EXPECT_TRUE(Launched(Spec(), [](const ArrayProgram&, Sequence*) {}).ok());
}

TEST(WholeArrayErrorsTest, AColumnWithoutItsB) {
  for (const DataMode data : {DataMode::kMoved, DataMode::kTimingOnly}) {
    const Status status = Launched(
        Spec(),
        [](const ArrayProgram&, Sequence* sequence) {
          Drop(sequence, [](const program::SequenceOp& op) {
            return IsOf(op, {{1, 0}, Direction::kMm2s, 1});
          });
        },
        kShape, data);
    // The cores of column 1 stop, then every row's A, then everybody.
    ExpectSays(status,
               {"deadlock at ", "the controller awaits a token of shim (0,0) S2MM 0 since ",
                "core (1,2) waits for lock b_full to be 1 (it is 0) since ",
                "core (0,2) waits for lock a_full to be 1 (it is 0) since ", "; and ", " more"});
    EXPECT_EQ(std::count(status.message().begin(), status.message().end(), ';'), 16)
        << status.message();
  }
}

TEST(WholeArrayErrorsTest, ScalarsThatNoStreamHasWritten) {
  for (const DataMode data : {DataMode::kMoved, DataMode::kTimingOnly}) {
    for (const char* name : {"shift", "rounding", "saturation", "k_steps"}) {
      const Status status = Launched(
          Spec(TileOutput::kS8),
          [name](const ArrayProgram& program, Sequence* sequence) {
            Drop(sequence, [&](const program::SequenceOp& op) {
              const auto* write = std::get_if<WriteParameter>(&op);
              return write != nullptr &&
                     std::any_of(program.parameters.begin(), program.parameters.end(),
                                 [&](const program::Parameter& each) {
                                   return each.name == name && each.tile == write->tile &&
                                          each.address == write->address;
                                 });
            });
          },
          kShape, data);
      ExpectSays(status,
                 {std::string("reads parameter ") + name + ", which no stream has written"});
    }
  }
}

TEST(WholeArrayErrorsTest, ModesThatTheUnitDoesNotHave) {
  ProductShape shape = kShape;
  shape.requant.rounding = static_cast<Rounding>(5);
  const auto as_it_is = [](const ArrayProgram&, Sequence*) {};
  EXPECT_EQ(Launched(Spec(TileOutput::kS8), as_it_is, shape).message(),
            "kernel requantise_s32_s8 is called with rounding = 5; expected 0 to 3 or 8 to 13");
}

TEST(WholeArrayErrorsTest, AFifthWaitingTask) {
  ExpectSays(Launched(Spec(),
                      [](const ArrayProgram&, Sequence* sequence) {
                        const auto push = std::find_if(
                            sequence->begin(), sequence->end(), [](const program::SequenceOp& op) {
                              return IsOf(op, {{3, 0}, Direction::kMm2s, 1});
                            });
                        // One runs, four wait; this is six.
                        sequence->insert(push, 5, program::SequenceOp(*push));
                      }),
             {"task 5 waits on shim (3,0) MM2S 1; the queue holds 4"});
}

TEST(WholeArrayErrorsTest, ATokenThatNobodyAwaits) {
  ExpectSays(
      Launched(Spec(), [](const ArrayProgram&, Sequence* sequence) { sequence->pop_back(); }),
      {"the stream ends without awaiting a token of shim (3,0)"});
}

}  // namespace
}  // namespace tilewave::device::vnpu
