#include "program/lower.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "program/sequence.h"
#include "program/validate.h"
#include "tests/support/program_samples.h"

namespace tilewave::program {
namespace {

using arch::NpuArch;

constexpr TileKernel kScalar = TileKernel::kScalar;
constexpr TileKernel kVector = TileKernel::kVector;
constexpr TileOutput kS32 = TileOutput::kS32;
constexpr TileOutput kLossy = TileOutput::kS8Lossy;

// --- A program as text, every field of it ---

std::string Print(const LockUse& use) { return fmt::format("{}:{}", use.lock, use.value); }

std::string Print(const Channel& channel) {
  std::string text = fmt::format("channel {}\n", Name(channel.id));
  for (const Descriptor& d : channel.descriptors) {
    text += fmt::format("  descriptor {} buffer {} from {} words {}", d.id, d.buffer,
                        d.offset_words, d.length_words);
    for (const Dim& dim : d.dims) text += fmt::format(" [{} by {}]", dim.size, dim.step_words);
    text +=
        fmt::format(" acquire {} release {} next {}\n", Print(d.acquire), Print(d.release), d.next);
  }
  return text;
}

std::string Print(const CoreOp& op) {
  static constexpr const char* kNames[] = {"forever", "repeat", "end",    "acquire",
                                           "release", "call",   "advance"};
  std::string text =
      fmt::format("  {} {} {}", kNames[static_cast<size_t>(op.kind)], op.index, Print(op.use));
  for (const CoreOp::Argument& a : op.arguments) {
    text += fmt::format(" ring {} from {}", a.ring, a.offset_bytes);
  }
  return text + "\n";
}

std::string Print(const Core& core) {
  std::string text = fmt::format("{} stack {} program {}\n", Name(core.tile), core.stack_bytes,
                                 core.program_bytes);
  for (const Kernel& k : core.kernels) {
    text += fmt::format("  kernel {} {}x{}x{} in {}x{}x{}\n", k.name, k.m, k.k, k.n, k.block.rows,
                        k.block.depth, k.block.columns);
  }
  for (const Ring& ring : core.rings) {
    text += fmt::format("  ring {} {}\n", ring.name, fmt::join(ring.buffers, " "));
  }
  for (const CoreOp& op : core.ops) text += Print(op);
  return text;
}

// All but the spec.
std::string Print(const ArrayProgram& program) {
  std::string text;
  for (const TileBuffer& b : program.buffers) {
    text += fmt::format("buffer {} {} at {} bytes {}\n", b.name, Name(b.tile), b.address, b.bytes);
  }
  for (const Lock& lock : program.locks) {
    text += fmt::format("lock {} {} id {} initial {}\n", lock.name, Name(lock.tile), lock.id,
                        lock.initial);
  }
  for (const Channel& channel : program.channels) text += Print(channel);
  for (const Flow& flow : program.flows) {
    text += fmt::format("flow {}", Name(flow.source));
    for (const ChannelId& to : flow.destinations) text += " -> " + Name(to);
    text += "\n";
  }
  for (const Parameter& p : program.parameters) {
    text += fmt::format("parameter {} {} at {}\n", p.name, Name(p.tile), p.address);
  }
  for (const Core& core : program.cores) text += Print(core);
  return text;
}

// --- What is built ---

TEST(LowerTest, PackedTileIsOneQueueInAndOneOut) {
  EXPECT_EQ(Print(Lowered(SingleCoreSpec(kPacked, 16, kScalar))),
            R"(buffer ab_0 core (0,2) at 3328 bytes 512
buffer ab_1 core (0,2) at 3840 bytes 512
buffer c_0 core (0,2) at 4352 bytes 1024
lock ab_empty core (0,2) id 0 initial 2
lock ab_full core (0,2) id 1 initial 0
lock c_empty core (0,2) id 2 initial 1
lock c_full core (0,2) id 3 initial 0
channel core (0,2) S2MM 0
  descriptor 0 buffer 0 from 0 words 128 acquire 0:1 release 1:1 next 1
  descriptor 1 buffer 1 from 0 words 128 acquire 0:1 release 1:1 next 0
channel core (0,2) MM2S 0
  descriptor 2 buffer 2 from 0 words 256 acquire 3:1 release 2:1 next 2
flow shim (0,0) MM2S 0 -> core (0,2) S2MM 0
flow core (0,2) MM2S 0 -> shim (0,0) S2MM 0
core (0,2) stack 3328 program 9216
  kernel zero_s32 16x16x16 in 1x1x1
  kernel matmul_scalar_s8_s32 16x16x16 in 1x1x1
  ring ab 0 1
  ring c 2
  forever -1 -1:0
  acquire -1 2:1
  call 0 -1:0 ring 1 from 0
  acquire -1 1:1
  call 1 -1:0 ring 0 from 0 ring 0 from 256 ring 1 from 0
  release -1 0:1
  advance 0 -1:0
  release -1 3:1
  advance 1 -1:0
  end -1 -1:0
)");
}

TEST(LowerTest, KStreamRepeatsAsOftenAsItsParameterSays) {
  EXPECT_EQ(Print(Lowered(SingleCoreSpec(kStream, 64, kVector))),
            R"(buffer a_0 core (0,2) at 3328 bytes 4096
buffer a_1 core (0,2) at 7424 bytes 4096
buffer b_0 core (0,2) at 11520 bytes 4096
buffer b_1 core (0,2) at 15616 bytes 4096
buffer c_0 core (0,2) at 19712 bytes 16384
lock a_empty core (0,2) id 0 initial 2
lock a_full core (0,2) id 1 initial 0
lock b_empty core (0,2) id 2 initial 2
lock b_full core (0,2) id 3 initial 0
lock c_empty core (0,2) id 4 initial 1
lock c_full core (0,2) id 5 initial 0
lock start core (0,2) id 6 initial 0
channel core (0,2) S2MM 0
  descriptor 0 buffer 0 from 0 words 1024 acquire 0:1 release 1:1 next 1
  descriptor 1 buffer 1 from 0 words 1024 acquire 0:1 release 1:1 next 0
channel core (0,2) S2MM 1
  descriptor 2 buffer 2 from 0 words 1024 acquire 2:1 release 3:1 next 3
  descriptor 3 buffer 3 from 0 words 1024 acquire 2:1 release 3:1 next 2
channel core (0,2) MM2S 0
  descriptor 4 buffer 4 from 0 words 4096 acquire 5:1 release 4:1 next 4
flow shim (0,0) MM2S 0 -> core (0,2) S2MM 0
flow shim (0,0) MM2S 1 -> core (0,2) S2MM 1
flow core (0,2) MM2S 0 -> shim (0,0) S2MM 0
parameter k_steps core (0,2) at 36096
core (0,2) stack 3328 program 9216
  kernel zero_s32 64x64x64 in 4x8x8
  kernel matmul_vector_s8_s32 64x64x64 in 4x8x8
  ring a 0 1
  ring b 2 3
  ring c 4
  forever -1 -1:0
  acquire -1 6:1
  acquire -1 4:1
  call 0 -1:0 ring 2 from 0
  repeat 0 -1:0
  acquire -1 1:1
  acquire -1 3:1
  call 1 -1:0 ring 0 from 0 ring 1 from 0 ring 2 from 0
  release -1 0:1
  release -1 2:1
  advance 0 -1:0
  advance 1 -1:0
  end -1 -1:0
  release -1 5:1
  advance 2 -1:0
  end -1 -1:0
)");
}

TEST(LowerTest, LossyTileIsNotClearedAndIsOneByteAnElement) {
  const ArrayProgram program = Lowered(SingleCoreSpec(kPacked, 32, kScalar, kLossy));
  ASSERT_EQ(program.cores.size(), 1u);
  const Core& core = program.cores[0];
  ASSERT_EQ(core.kernels.size(), 1u);
  EXPECT_EQ(core.kernels[0].name, "matmul_scalar_s8_s8_lossy");
  EXPECT_EQ(core.program_bytes, 5120);
  ASSERT_EQ(program.buffers.size(), 3u);
  EXPECT_EQ(program.buffers[0].bytes, 2 * 32 * 32);
  EXPECT_EQ(program.buffers[2].bytes, 32 * 32);
  EXPECT_EQ(Print(core.ops[1]), "  acquire -1 2:1\n");
  EXPECT_EQ(Print(core.ops[2]), "  acquire -1 1:1\n");
  EXPECT_EQ(Print(core.ops[3]), "  call 0 -1:0 ring 0 from 0 ring 0 from 1024 ring 1 from 0\n");
}

TEST(LowerTest, TileSetsTheSizesOfBuffersAndTransfers) {
  for (const int64_t tile : {16, 32, 64}) {
    const ArrayProgram program = Lowered(SingleCoreSpec(kPacked, tile, kVector));
    const int64_t elements = tile * tile;
    ASSERT_EQ(program.buffers.size(), 3u);
    EXPECT_EQ(program.buffers[0].bytes, 2 * elements);
    EXPECT_EQ(program.buffers[1].bytes, 2 * elements);
    EXPECT_EQ(program.buffers[2].bytes, 4 * elements);
    for (const Kernel& kernel : program.cores[0].kernels) {
      EXPECT_EQ(kernel.m, tile);
      EXPECT_EQ(kernel.k, tile);
      EXPECT_EQ(kernel.n, tile);
    }
    // B stands behind A, in one buffer.
    EXPECT_EQ(program.cores[0].ops[4].arguments[1].offset_bytes, elements);
  }
}

TEST(LowerTest, EveryDescriptorMovesItsWholeBufferAndTheChainIsClosed) {
  for (const DesignSpec& spec : AllSingleCoreSpecs()) {
    SCOPED_TRACE(Name(spec));
    const ArrayProgram program = Lowered(spec);
    std::set<int> ids;
    for (const Channel& channel : program.channels) {
      const std::vector<Descriptor>& chain = channel.descriptors;
      for (size_t i = 0; i < chain.size(); ++i) {
        const TileBuffer& buffer = program.buffers[static_cast<size_t>(chain[i].buffer)];
        EXPECT_EQ(chain[i].length_words * arch::kWordBytes, buffer.bytes);
        EXPECT_EQ(chain[i].next, chain[(i + 1) % chain.size()].id);
        EXPECT_TRUE(ids.insert(chain[i].id).second) << chain[i].id;
      }
    }
    EXPECT_EQ(ids.size(), program.buffers.size());
  }
}

// What a queue's core side takes, its DMA side gives, and the other way round.
TEST(LowerTest, LocksOfAQueueAreUsedFromBothSides) {
  for (const DesignSpec& spec : AllSingleCoreSpecs()) {
    SCOPED_TRACE(Name(spec));
    const ArrayProgram program = Lowered(spec);
    std::multiset<int> dma_acquires;
    std::multiset<int> dma_releases;
    for (const Channel& channel : program.channels) {
      dma_acquires.insert(channel.descriptors[0].acquire.lock);
      dma_releases.insert(channel.descriptors[0].release.lock);
    }
    std::multiset<int> core_acquires;
    std::multiset<int> core_releases;
    for (const CoreOp& op : program.cores[0].ops) {
      if (op.kind == CoreOp::Kind::kAcquire) core_acquires.insert(op.use.lock);
      if (op.kind == CoreOp::Kind::kRelease) core_releases.insert(op.use.lock);
    }
    EXPECT_EQ(dma_acquires, core_releases);
    // Only the stream opens the start of k_stream.
    for (const Lock& lock : program.locks) {
      if (lock.name == "start") core_acquires.erase(lock.id);
    }
    EXPECT_EQ(dma_releases, core_acquires);
  }
}

TEST(LowerTest, BuffersStandBehindTheStackAtMultiplesOf64) {
  for (DesignSpec spec : AllSingleCoreSpecs()) {
    for (const int64_t stack : {1024, 1025, 3328, 4000}) {
      spec.stack_bytes = stack;
      SCOPED_TRACE(fmt::format("{} stack {}", Name(spec), stack));
      const ArrayProgram program = Lowered(spec);
      EXPECT_EQ(program.cores[0].stack_bytes, stack);
      EXPECT_EQ(program.buffers[0].address, (stack + 63) / 64 * 64);
      for (const TileBuffer& buffer : program.buffers) EXPECT_EQ(buffer.address % 64, 0);
      for (const Parameter& parameter : program.parameters) EXPECT_EQ(parameter.address % 64, 0);
    }
  }
}

TEST(LowerTest, KernelAndBlockFollowTheSpec) {
  for (const DesignSpec& spec : AllSingleCoreSpecs()) {
    SCOPED_TRACE(Name(spec));
    const ArrayProgram program = Lowered(spec);
    const char* expected = spec.output == kLossy    ? "matmul_scalar_s8_s8_lossy"
                           : spec.kernel == kScalar ? "matmul_scalar_s8_s32"
                                                    : "matmul_vector_s8_s32";
    EXPECT_EQ(program.cores[0].kernels.back().name, expected);
    for (const Kernel& kernel : program.cores[0].kernels) {
      EXPECT_EQ(kernel.block, BlockShapeOf(spec));
    }
    EXPECT_EQ(program.spec, spec);
  }
}

// --- Legality ---

TEST(LowerTest, WhatIsBuiltFitsItsArray) {
  for (DesignSpec spec : AllSingleCoreSpecs()) {
    for (const int64_t stack : {1024, 3328, 16384, 32704}) {
      spec.stack_bytes = stack;
      const Status status = Validate(Lowered(spec), arch::NpuOf(spec.arch));
      EXPECT_TRUE(status.ok()) << Name(spec) << " stack " << stack << ": " << status.ToString();
    }
  }
}

// 64 KiB of memory less four buffers of 4 KiB (packed_tile: two of 8 KiB), 16 KiB of sums and,
// for k_stream, the parameter's line.
TEST(LowerTest, LargestStackThatFits) {
  for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
    for (const DesignFamily family : {kPacked, kStream}) {
      DesignSpec spec = SingleCoreSpec(family, 64, kVector, kS32, arch);
      SCOPED_TRACE(Name(spec));
      spec.stack_bytes = family == kPacked ? 32768 : 32704;
      EXPECT_TRUE(Validate(Lowered(spec), arch::NpuOf(arch)).ok());
      ++spec.stack_bytes;
      const Status status = Validate(Lowered(spec), arch::NpuOf(arch));
      EXPECT_EQ(status.code(), StatusCode::kOutOfRange);
      EXPECT_EQ(status.message(),
                family == kPacked
                    ? "core (0,2): data memory bytes is 65537, at most 65536"
                    : "core (0,2) parameter k_steps: end in data memory is 65540, at most 65536");
    }
  }
}

// --- Refusals ---

TEST(LowerTest, OtherTileShapesAreRefused) {
  constexpr struct {
    DesignFamily family;
    int64_t m, k, n;
    const char* message;
  } kCases[] = {
      {kPacked, 8, 8, 8, "packed_tile has no tile 8x8x8; expected 16x16x16, 32x32x32 or 64x64x64"},
      {kPacked, 48, 48, 48, "packed_tile has no tile 48x48x48; expected 16x16x16"},
      {kPacked, 128, 128, 128, "packed_tile has no tile 128x128x128; expected"},
      {kPacked, 16, 16, 32, "packed_tile has no tile 16x16x32; expected"},
      {kPacked, 16, 32, 16, "packed_tile has no tile 16x32x16; expected"},
      {kPacked, 32, 16, 16, "packed_tile has no tile 32x16x16; expected"},
      {kPacked, 0, 0, 0, "packed_tile has no tile 0x0x0; expected"},
      {kPacked, -16, -16, -16, "packed_tile has no tile -16x-16x-16; expected"},
      {kStream, 16, 16, 16, "k_stream has no tile 16x16x16; expected 64x64x64"},
      {kStream, 32, 32, 32, "k_stream has no tile 32x32x32; expected 64x64x64"},
      {kStream, 64, 64, 128, "k_stream has no tile 64x64x128; expected 64x64x64"},
      {kStream, 64, 128, 64, "k_stream has no tile 64x128x64; expected 64x64x64"},
      {kStream, 128, 64, 64, "k_stream has no tile 128x64x64; expected 64x64x64"},
  };
  for (const auto& c : kCases) {
    for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
      DesignSpec spec = SingleCoreSpec(c.family, 0, kScalar, kS32, arch);
      spec.tile_m = c.m;
      spec.tile_k = c.k;
      spec.tile_n = c.n;
      const Result<ArrayProgram> program = Lower(spec);
      ASSERT_FALSE(program.ok()) << c.message;
      EXPECT_EQ(program.status().code(), StatusCode::kInvalidArgument);
      EXPECT_EQ(program.status().message().find(c.message), 0u) << program.status().message();
    }
  }
}

TEST(LowerTest, LossyOutputIsForTheScalarPackedTileAlone) {
  for (const DesignSpec& spec :
       {SingleCoreSpec(kPacked, 16, kVector, kLossy), SingleCoreSpec(kStream, 64, kScalar, kLossy),
        SingleCoreSpec(kStream, 64, kVector, kLossy, NpuArch::kNpu2)}) {
    const Result<ArrayProgram> program = Lower(spec);
    ASSERT_FALSE(program.ok()) << Name(spec);
    EXPECT_EQ(program.status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(program.status().message(),
              "only packed_tile with the scalar kernel has the lossy s8 output");
  }
}

TEST(LowerTest, NegativeStackIsRefusedAndASmallOneIsLeftToValidate) {
  for (DesignSpec spec : AllSingleCoreSpecs()) {
    SCOPED_TRACE(Name(spec));
    spec.stack_bytes = -1;
    const Result<ArrayProgram> negative = Lower(spec);
    ASSERT_FALSE(negative.ok());
    EXPECT_EQ(negative.status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(negative.status().message(), "a stack of -1 bytes; expected 0 to 1073741824");
    for (const int64_t small : {0, 1023}) {
      spec.stack_bytes = small;
      const Status status = Validate(Lowered(spec), arch::NpuOf(spec.arch));
      EXPECT_EQ(status.message(),
                fmt::format("core (0,2): stack bytes is {}, at least 1024", small));
    }
  }
}

// --- Purity ---

TEST(LowerTest, EqualSpecsGiveEqualPrograms) {
  std::map<std::string, std::string> programs;
  for (const DesignSpec& spec : AllSingleCoreSpecs()) programs[Name(spec)] = Print(Lowered(spec));
  EXPECT_EQ(programs.size(), AllSingleCoreSpecs().size());
  // Again in the other order, so that whatever was lowered before is something else.
  std::vector<DesignSpec> specs = AllSingleCoreSpecs();
  for (auto spec = specs.rbegin(); spec != specs.rend(); ++spec) {
    EXPECT_EQ(Print(Lowered(*spec)), programs[Name(*spec)]) << Name(*spec);
    EXPECT_EQ(Lowered(*spec).spec, *spec);
  }
}

TEST(LowerTest, ProgramsDifferWhereTheirSpecsDo) {
  std::map<std::string, std::vector<std::string>> names;
  for (const DesignSpec& spec : AllSingleCoreSpecs()) {
    names[Print(Lowered(spec))].push_back(Name(spec));
  }
  for (const auto& [program, same] : names) {
    // A scalar kernel has no blocks: its program is the same on both arrays.
    const bool scalar = same[0].find("-scalar-") != std::string::npos;
    EXPECT_EQ(same.size(), scalar ? 2u : 1u) << same[0];
    if (same.size() == 2) {
      EXPECT_EQ(same[0].substr(0, same[0].size() - 1), same[1].substr(0, same[1].size() - 1));
    }
  }
}

// The length of K reaches the array through the sequence alone: one program serves every K.
TEST(LowerTest, OneProgramServesEveryLengthOfK) {
  for (const DesignSpec& spec : AllSingleCoreSpecs()) {
    if (spec.family != kStream) continue;
    SCOPED_TRACE(Name(spec));
    const ArrayProgram program = Lowered(spec);
    for (const int64_t k_steps : {1, 2, 7, 1000, 65536}) {
      const Result<Sequence> sequence = LaunchSequence(program, k_steps);
      ASSERT_TRUE(sequence.ok()) << sequence.status().ToString();
      const std::vector<int64_t> bytes{4096 * k_steps, 4096 * k_steps, 16384};
      const Status status = Validate(program, *sequence, bytes, arch::NpuOf(spec.arch));
      EXPECT_TRUE(status.ok()) << status.ToString();
      EXPECT_EQ(Print(Lowered(spec)), Print(program));
    }
    // Its own transfers are tiles, not panels.
    for (const TileBuffer& buffer : program.buffers) EXPECT_LE(buffer.bytes, 64 * 64 * 4);
  }
}

}  // namespace
}  // namespace tilewave::program
