// What Validate says of whole_array designs: every configuration and launch of every partition is
// legal, whatever the shape, and each rule that a launch could break is named.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "program/lower.h"
#include "program/validate.h"
#include "program/whole_array_launch.h"
#include "tests/support/whole_array_samples.h"

namespace tilewave::program {
namespace {

using arch::Npu;
using arch::NpuArch;

DesignSpec SpecOfArray(NpuArch arch, int columns, BLayout layout) {
  DesignSpec spec;
  spec.family = DesignFamily::kWholeArray;
  spec.arch = arch;
  spec.columns = columns;
  spec.b_layout = layout;
  spec.k_mt = 128;
  return spec;
}

struct WholeArrayLaunch {
  ArrayProgram program;
  Sequence sequence;
  std::vector<int64_t> argument_bytes;
};

WholeArrayLaunch LaunchOf(const DesignSpec& spec, const ProductShape& shape) {
  const Result<ArrayProgram> program = Lower(spec);
  EXPECT_TRUE(program.ok()) << program.status().ToString();
  if (!program.ok()) return {};
  const Result<ImageLayout> layout = ImageLayoutOf(spec, shape);
  EXPECT_TRUE(layout.ok()) << layout.status().ToString();
  if (!layout.ok()) return {};
  const Result<Sequence> sequence = WholeArraySequence(*program, shape, *layout);
  EXPECT_TRUE(sequence.ok()) << sequence.status().ToString();
  if (!sequence.ok()) return {};
  return {*program,
          *sequence,
          {layout->a_bytes * layout->a_matrices, layout->b_bytes * layout->b_matrices,
           layout->c_bytes * layout->c_matrices}};
}

// On every array, partition and order of B.
void ForEachDesign(const std::function<void(const DesignSpec&)>& run) {
  for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
    for (int columns = 1; columns <= arch::NpuOf(arch).columns; ++columns) {
      for (const BLayout layout : kLayouts) {
        const DesignSpec spec = SpecOfArray(arch, columns, layout);
        SCOPED_TRACE(Name(spec));
        run(spec);
      }
    }
  }
}

// --- Legal ---

TEST(ValidateWholeArrayTest, EveryConfigurationIsLegal) {
  ForEachDesign([](DesignSpec spec) {
    for (const TileOutput output : {TileOutput::kS32, TileOutput::kS8, TileOutput::kS16,
                                    TileOutput::kS8Lossy, TileOutput::kS16Lossy}) {
      for (const int c_buffers : {1, 2}) {
        spec.output = output;
        spec.c_buffers = c_buffers;
        const Result<ArrayProgram> program = Lower(spec);
        ASSERT_TRUE(program.ok()) << program.status().ToString();
        const Status status = Validate(*program, arch::NpuOf(spec.arch));
        EXPECT_TRUE(status.ok()) << Name(spec) << ": " << status.ToString();
      }
    }
  });
}

TEST(ValidateWholeArrayTest, EveryLaunchIsLegal) {
  const ProductShape shapes[] = {
      Shape(1, 1, 1, 1),
      Shape(1, 64, 64, 64),
      Shape(1, 257, 129, 513),
      Shape(1, 512, 512, 512),
      Shape(12, 100, 64, 77),
      Shape(5, 33, 200, 300, true),
      Shape(5, 300, 200, 33, false, true),
      Shape(3, 70, 70, 70, true, true),
      Shape(1, 1, 768, 51865),
      Shape(1, 4, 10240, 51865),
      Shape(1, 1500, 10240, 1280),
      Shape(1, 100, 100000, 100),
      Shape(1, 100, 100, 900000),
      Shape(1, 4096, 4096, 4096),
      Shape(1, 1000000, 64, 64),
  };
  ForEachDesign([&shapes](const DesignSpec& spec) {
    for (const ProductShape& shape : shapes) {
      const WholeArrayLaunch launch = LaunchOf(spec, shape);
      const Status status =
          Validate(launch.program, launch.sequence, launch.argument_bytes, arch::NpuOf(spec.arch));
      EXPECT_TRUE(status.ok()) << fmt::format("{} x {}x{}x{}: ", shape.batch, shape.m, shape.k,
                                              shape.n)
                               << status.ToString();
      // Not a byte less.
      for (size_t argument = 0; argument < launch.argument_bytes.size(); ++argument) {
        std::vector<int64_t> fewer = launch.argument_bytes;
        fewer[argument] -= 4;
        EXPECT_FALSE(Validate(launch.program, launch.sequence, fewer, arch::NpuOf(spec.arch)).ok())
            << "argument " << argument;
      }
    }
  });
}

TEST(ValidateWholeArrayTest, LaunchesOfOtherOutputsAndTilesAreLegal) {
  for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
    for (const TileOutput output : {TileOutput::kS8, TileOutput::kS16, TileOutput::kS8Lossy}) {
      for (const int64_t tile_k : {32, 96, 128}) {
        DesignSpec spec = SpecOfArray(arch, 4, BLayout::kRowMajor);
        spec.output = output;
        spec.tile_m = 48;
        spec.tile_k = tile_k;
        spec.tile_n = 40;
        spec.k_mt = 2 * tile_k;
        spec.c_buffers = 2;
        SCOPED_TRACE(Name(spec));
        const WholeArrayLaunch launch = LaunchOf(spec, Shape(2, 333, 777, 555));
        const Npu& npu = arch::NpuOf(arch);
        Status status = Validate(launch.program, npu);
        EXPECT_TRUE(status.ok()) << status.ToString();
        status = Validate(launch.program, launch.sequence, launch.argument_bytes, npu);
        EXPECT_TRUE(status.ok()) << status.ToString();
      }
    }
  }
}

// --- Refused, by name ---

// What is done to a legal launch of many rounds on four columns, and what is found first.
struct RefusedLaunch {
  const char* what;
  std::function<void(Sequence*)> mutate;
  std::string first;
};

template <typename Op>
size_t Find(const Sequence& sequence, const std::function<bool(const Op&)>& is, size_t from = 0) {
  for (size_t i = from; i < sequence.size(); ++i) {
    const Op* op = std::get_if<Op>(&sequence[i]);
    if (op != nullptr && is(*op)) return i;
  }
  ADD_FAILURE() << "no such operation";
  return 0;
}

// Of column 2 there are writes of A (argument 0), B and C.
size_t WriteOf(const Sequence& sequence, int argument) {
  return Find<WriteDescriptor>(sequence, [argument](const WriteDescriptor& d) {
    return d.tile == Tile{2, 0} && d.argument == argument;
  });
}
WriteDescriptor& Write(Sequence* sequence, int argument) {
  return std::get<WriteDescriptor>((*sequence)[WriteOf(*sequence, argument)]);
}
PushTask& Push(Sequence* sequence, int argument) {
  return std::get<PushTask>((*sequence)[WriteOf(*sequence, argument) + 1]);
}

constexpr ChannelId kChannelOfA{{2, 0}, Direction::kMm2s, 0};
constexpr ChannelId kChannelOfC{{2, 0}, Direction::kS2mm, 0};

size_t AwaitOf(const Sequence& sequence, const ChannelId& channel) {
  return Find<AwaitToken>(sequence,
                          [&channel](const AwaitToken& each) { return each.channel == channel; });
}

std::vector<RefusedLaunch> DescriptorCases() {
  const std::string shim = "shim (2,0) ";
  return {{"a column that the array has not", [](Sequence* s) { Write(s, 1).tile.column = 4; },
           "shim (4,0) descriptor 1: column is 4, at most 3"},
          {"iterations", [](Sequence* s) { Write(s, 1).iteration.size = 65; },
           shim + "descriptor 1: iterations is 65, at most 64"},
          {"more rows of A than a wrap",
           [](Sequence* s) {
             Write(s, 0).dims[1].size = 1024;
             Write(s, 0).length_words *= 16;
           },
           shim + "descriptor 0: d1 size is 1024, at most 1023"},
          {"step of A", [](Sequence* s) { Write(s, 0).dims[1].step_words = (1 << 20) + 1; },
           shim + "descriptor 0: d1 step in words is 1048577, at most 1048576"},
          {"sub-word offset of B", [](Sequence* s) { Write(s, 1).offset_bytes += 2; },
           shim + "descriptor 1: offset is 32770, no multiple of 4"},
          {"past the end of C",
           [](Sequence* s) { Write(s, 2).offset_bytes = int64_t{2} * 1280 * 1024 * 4 - 4; },
           shim + "descriptor 2: end in bytes of its argument is "}};
}

std::vector<RefusedLaunch> TaskCases() {
  const std::string shim = "shim (2,0) ";
  return {
      {"executions", [](Sequence* s) { Push(s, 0).executions = 257; },
       shim + "MM2S 0: executions of a task is 257, at most 256"},
      {"a channel without a flow", [](Sequence* s) { Push(s, 2).channel.channel = 1; },
       shim + "S2MM 1: flows of its channel is 0, at least 1"},
      {"a task before its descriptor",
       [](Sequence* s) {
         const size_t write = WriteOf(*s, 1);
         std::swap((*s)[write], (*s)[write + 1]);
       },
       shim + "descriptor 1: writes before its task is 0, at least 1"},
      {"a fifth task waits",
       [](Sequence* s) { s->erase(s->begin() + static_cast<ptrdiff_t>(AwaitOf(*s, kChannelOfA))); },
       shim + "MM2S 0: tasks not proven done is 5, at most 4"},
      {"a token that nobody sends",
       [](Sequence* s) {
         const auto is_c = [](const PushTask& task) { return task.channel == kChannelOfC; };
         for (SequenceOp& op : *s) {
           if (auto* push = std::get_if<PushTask>(&op); push != nullptr && is_c(*push)) {
             push->token = false;
           }
         }
       },
       shim + "S2MM 0: tokens to await is 0, at least 1"},
      {"a token that nobody awaits",
       [](Sequence* s) {
         const auto last = std::find_if(s->rbegin(), s->rend(), [](const SequenceOp& op) {
           const auto* await = std::get_if<AwaitToken>(&op);
           return await != nullptr && await->channel == kChannelOfC;
         });
         s->erase(std::next(last).base());
       },
       shim + "S2MM 0: tokens nobody awaits is 1, at most 0"},
      {"a descriptor that a task still uses",
       [](Sequence* s) {
         for (SequenceOp& op : *s) {
           auto* write = std::get_if<WriteDescriptor>(&op);
           if (write != nullptr && write->tile.column == 2 && write->id == 3) write->id = 0;
         }
       },
       shim + "descriptor 0: writes while a task may still use it is 1, at most 0"},
      {"a parameter of no core",
       [](Sequence* s) {
         const size_t at = Find<WriteParameter>(*s, [](const WriteParameter&) { return true; });
         std::get<WriteParameter>((*s)[at]).address += 64;
       },
       "core (0,2): parameters at the address written is 0, at least 1"},
      {"a lock of no core",
       [](Sequence* s) {
         const size_t at = Find<SetLock>(*s, [](const SetLock&) { return true; });
         std::get<SetLock>((*s)[at]).id = 15;
       },
       "core (0,2) lock 15: locks of that id is 0, at least 1"},
  };
}

TEST(ValidateWholeArrayTest, EachRuleOfALaunchIsNamed) {
  const DesignSpec spec = SpecOfArray(NpuArch::kNpu1, 4, BLayout::kPacked);
  // Ten rounds: five blocks of rows of two matrices.
  const WholeArrayLaunch legal = LaunchOf(spec, Shape(2, 1280, 256, 1024));
  const Npu& npu = arch::NpuOf(spec.arch);
  ASSERT_TRUE(Validate(legal.program, legal.sequence, legal.argument_bytes, npu).ok());
  std::vector<RefusedLaunch> cases = DescriptorCases();
  for (RefusedLaunch& c : TaskCases()) cases.push_back(std::move(c));
  for (const RefusedLaunch& c : cases) {
    Sequence sequence = legal.sequence;
    c.mutate(&sequence);
    const Status status = Validate(legal.program, sequence, legal.argument_bytes, npu);
    EXPECT_EQ(status.message().find(c.first), 0u) << c.what << ": " << status.ToString();
  }
}

}  // namespace
}  // namespace tilewave::program
