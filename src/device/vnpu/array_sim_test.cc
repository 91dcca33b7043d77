#include "device/vnpu/array_sim.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "program/validate.h"
#include "tests/support/program_samples.h"
#include "tests/support/stream_samples.h"
#include "tests/support/vnpu_samples.h"

namespace tilewave::device::vnpu {
namespace {

using arch::NpuArch;
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
using program::Tile;
using program::TileKernel;
using program::TileOutput;
using program::Words;
using program::WriteDescriptor;

DesignSpec PackedTile(int64_t edge, TileKernel kernel, TileOutput output = TileOutput::kS32,
                      NpuArch arch = NpuArch::kNpu1) {
  return {DesignFamily::kPackedTile, arch, edge, edge, edge, kernel, output, 3328};
}
DesignSpec KStream(TileKernel kernel, NpuArch arch = NpuArch::kNpu1) {
  return {DesignFamily::kKStream, arch, 64, 64, 64, kernel, TileOutput::kS32, 3328};
}

// Where (row, col) stands in a tile of row-major blocks, each row-major inside.
size_t Place(int64_t row, int64_t col, int64_t cols, int64_t block_rows, int64_t block_cols) {
  const int64_t block = ((row / block_rows) * (cols / block_cols)) + (col / block_cols);
  return static_cast<size_t>((block * block_rows * block_cols) + (row % block_rows * block_cols) +
                             (col % block_cols));
}

// Packed tiles of A and B, and the packed tile of C that their product is.
struct TileProduct {
  std::vector<int8_t> a;
  std::vector<int8_t> b;
  std::vector<int32_t> c;
};

void Fill(const DesignSpec& spec, int64_t k_steps, TileProduct* product) {
  const auto [r, s, t] = program::BlockShapeOf(spec);
  const int64_t edge = spec.tile_m;
  const auto tile = static_cast<size_t>(edge * edge);
  product->c.assign(tile, 0);
  for (size_t step = 0; step < static_cast<size_t>(k_steps); ++step) {
    for (int64_t i = 0; i < edge; ++i) {
      for (int64_t j = 0; j < edge; ++j) {
        for (int64_t x = 0; x < edge; ++x) {
          product->c[Place(i, j, edge, r, t)] +=
              product->a[(step * tile) + Place(i, x, edge, r, s)] *
              product->b[(step * tile) + Place(x, j, edge, s, t)];
        }
      }
    }
  }
  if (spec.output == TileOutput::kS32) return;
  for (int32_t& each : product->c) each = std::clamp(each >> program::kLossyShift, -128, 127);
}

TileProduct RandomTileProduct(const DesignSpec& spec, int64_t k_steps, uint64_t seed) {
  base::Random random(seed);
  TileProduct product;
  for (int64_t i = 0; i < spec.tile_m * spec.tile_k * k_steps; ++i) {
    product.a.push_back(static_cast<int8_t>(random.Next() >> 56));
    product.b.push_back(static_cast<int8_t>(random.Next() >> 56));
  }
  Fill(spec, k_steps, &product);
  return product;
}

// The buffers of a launch in device memory, guards behind each.
class GuardedBuffers {
 public:
  template <typename T>
  void Add(const std::vector<T>& values) {
    const auto* data = reinterpret_cast<const std::byte*>(values.data());
    const size_t bytes = values.size() * sizeof(T);
    memories_.emplace_back(bytes + kGuards, kGuard);
    std::copy(data, data + bytes, memories_.back().begin());
  }
  void AddOutput(int64_t bytes) { Add(std::vector<int8_t>(static_cast<size_t>(bytes), 0x5A)); }

  std::vector<ArraySim::Argument> Arguments() {
    std::vector<ArraySim::Argument> arguments;
    for (std::vector<std::byte>& memory : memories_) {
      arguments.push_back({memory.data(), static_cast<int64_t>(memory.size() - kGuards)});
    }
    return arguments;
  }

  /// A buffer as numbers, its guard checked.
  template <typename T>
  std::vector<int32_t> Numbers(size_t index) const {
    const std::vector<std::byte>& memory = memories_[index];
    EXPECT_EQ(std::count(memory.end() - kGuards, memory.end(), kGuard), kGuards)
        << "written past buffer " << index;
    const auto* data = reinterpret_cast<const T*>(memory.data());
    return {data, data + ((memory.size() - kGuards) / sizeof(T))};
  }

 private:
  std::vector<std::vector<std::byte>> memories_;
};

GuardedBuffers BuffersFor(const DesignSpec& spec, const TileProduct& product) {
  GuardedBuffers buffers;
  if (spec.family == DesignFamily::kPackedTile) {
    std::vector<int8_t> both = product.a;
    both.insert(both.end(), product.b.begin(), product.b.end());
    buffers.Add(both);
  } else {
    buffers.Add(product.a);
    buffers.Add(product.b);
  }
  buffers.AddOutput(spec.tile_m * spec.tile_n * (spec.output == TileOutput::kS32 ? 4 : 1));
  return buffers;
}

// An array with the profile that it lives on.
class SingleCoreArray {
 public:
  explicit SingleCoreArray(ArrayProgram program, profile::Profile profile = Phoenix())
      : profile_(std::move(profile)) {
    Result<std::unique_ptr<ArraySim>> sim = ArraySim::Make(
        std::make_shared<const ArrayProgram>(std::move(program)), profile_, PlainKernels());
    EXPECT_TRUE(sim.ok()) << sim.status().ToString();
    sim_ = *std::move(sim);
  }

  const DesignSpec& spec() const { return sim_->program().spec; }
  ArraySim& sim() { return *sim_; }

  Words Stream(const Sequence& sequence) const {
    return Encoded(sequence, {}, arch::NpuOf(spec().arch));
  }

  ArraySim::Outcome Run(const Words& words, GuardedBuffers* buffers, int64_t start_ps = kStartPs) {
    const std::vector<ArraySim::Argument> arguments = buffers->Arguments();
    return sim_->Run(words, arguments, start_ps);
  }

  /// One launch as the runtime makes it, its result checked.
  ArraySim::Outcome RunProduct(int64_t k_steps, uint64_t seed, int64_t start_ps = kStartPs) {
    const TileProduct product = RandomTileProduct(spec(), k_steps, seed);
    GuardedBuffers buffers = BuffersFor(spec(), product);
    const ArraySim::Outcome outcome =
        Run(Stream(SequenceOf(sim_->program(), k_steps)), &buffers, start_ps);
    EXPECT_TRUE(outcome.status.ok()) << outcome.status.ToString();
    const size_t out = spec().family == DesignFamily::kPackedTile ? 1 : 2;
    EXPECT_EQ(spec().output == TileOutput::kS32 ? buffers.Numbers<int32_t>(out)
                                                : buffers.Numbers<int8_t>(out),
              product.c)
        << program::Name(spec()) << ", " << k_steps << " steps";
    return outcome;
  }

 private:
  profile::Profile profile_;
  std::unique_ptr<ArraySim> sim_;
};

int64_t PsOfCycles(double cycles) { return std::llround(cycles * 1e3 / Phoenix().clock_ghz); }

int64_t MatmulPs(const DesignSpec& spec) {
  const profile::Profile phoenix = Phoenix();
  const profile::KernelModel* model = phoenix.FindModel(
      spec.kernel == TileKernel::kScalar ? phoenix.scalar_model : phoenix.vector_model,
      spec.output == TileOutput::kS32 ? "s32" : "s8");
  return PsOfCycles(model->CyclesOf(spec.tile_m, spec.tile_k, spec.tile_n));
}

int64_t ZeroPs(const DesignSpec& spec) {
  return PsOfCycles(static_cast<double>(spec.tile_m * spec.tile_n * 4) /
                    Phoenix().core.zero_bytes_per_cycle);
}

// --- Launches that are right ---

TEST(ArraySimTest, PackedTilesAreTheNaiveProduct) {
  for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
    for (const int64_t edge : {16, 32, 64}) {
      for (const TileKernel kernel : {TileKernel::kScalar, TileKernel::kVector}) {
        SingleCoreArray array(Lowered(PackedTile(edge, kernel, TileOutput::kS32, arch)),
                              PhoenixAs(arch));
        int64_t start_ps = kStartPs;
        for (uint64_t seed = 0; seed < 4; ++seed) {
          start_ps = array.RunProduct(1, seed, start_ps).end_ps + kMicrosecondPs;
        }
      }
    }
  }
}

TEST(ArraySimTest, LossyPackedTilesAreShiftedAndClamped) {
  SingleCoreArray array(Lowered(PackedTile(16, TileKernel::kScalar, TileOutput::kS8Lossy)));
  const ArraySim::Outcome outcome = array.RunProduct(1, 1);
  EXPECT_EQ(outcome.kernel_ps, MatmulPs(array.spec()));
  array.RunProduct(1, 2, outcome.end_ps + 1);
}

TEST(ArraySimTest, StreamedPanelsAreTheNaiveProduct) {
  for (const NpuArch arch : {NpuArch::kNpu1, NpuArch::kNpu2}) {
    for (const TileKernel kernel : {TileKernel::kScalar, TileKernel::kVector}) {
      for (int64_t k_steps = 1; k_steps <= 5; ++k_steps) {
        SingleCoreArray array(Lowered(KStream(kernel, arch)), PhoenixAs(arch));
        array.RunProduct(k_steps, static_cast<uint64_t>(k_steps));
      }
    }
  }
}

// A core that ran ahead with the last launch's trip count would stop too early or too late.
TEST(ArraySimTest, EachLaunchHasItsOwnNumberOfSteps) {
  SingleCoreArray array(Lowered(KStream(TileKernel::kVector)));
  int64_t start_ps = kStartPs;
  uint64_t seed = 0;
  for (const int64_t k_steps : {5, 1, 3, 3, 2, 4, 1, 1, 5}) {
    const ArraySim::Outcome outcome = array.RunProduct(k_steps, ++seed, start_ps);
    EXPECT_EQ(outcome.kernel_ps, (k_steps * MatmulPs(array.spec())) + ZeroPs(array.spec()));
    start_ps = outcome.end_ps + 1;
  }
}

// One core asks less of the memory than it has, and long runs cost next to nothing more: its
// times are those of the channels.
TEST(ArraySimTest, OneCoreIsNotBoundByTheMemory) {
  profile::Profile endless = Phoenix();
  endless.ddr = {1000, 1000, 0};
  for (const DesignSpec& spec :
       {PackedTile(16, TileKernel::kVector), PackedTile(64, TileKernel::kScalar),
        KStream(TileKernel::kVector)}) {
    const int64_t k_steps = spec.family == DesignFamily::kKStream ? 5 : 1;
    EXPECT_EQ(SingleCoreArray(Lowered(spec)).RunProduct(k_steps, 1).end_ps,
              SingleCoreArray(Lowered(spec), endless).RunProduct(k_steps, 1).end_ps)
        << program::Name(spec);
  }
}

// A and C row-major in memory: the shim's descriptors block and unblock them, one block row of the
// tile per execution.
TEST(ArraySimTest, DescriptorsWithDimensionsAndIterations) {
  SingleCoreArray array(Lowered(KStream(TileKernel::kVector)));
  const TileProduct product = RandomTileProduct(array.spec(), 1, 3);
  TileProduct row_major = product;
  for (int64_t i = 0; i < 64; ++i) {
    for (int64_t j = 0; j < 64; ++j) {
      const auto at = static_cast<size_t>((i * 64) + j);
      row_major.a[at] = product.a[Place(i, j, 64, 4, 8)];
      row_major.c[at] = product.c[Place(i, j, 64, 4, 8)];
    }
  }
  Sequence sequence = SequenceOf(array.sim().program(), 1);
  sequence[0] = WriteDescriptor{kShim, 0, 0, 0, 64, {{2, 1}, {4, 16}, {8, 2}}, {16, 64}};
  std::get<PushTask>(sequence[1]).executions = 16;
  sequence[6] = WriteDescriptor{kShim, 2, 2, 0, 256, {{8, 1}, {4, 64}, {8, 8}}, {16, 256}};
  std::get<PushTask>(sequence[7]).executions = 16;
  GuardedBuffers buffers = BuffersFor(array.spec(), row_major);
  const ArraySim::Outcome outcome = array.Run(array.Stream(sequence), &buffers);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.ToString();
  EXPECT_EQ(buffers.Numbers<int32_t>(2), row_major.c);
}

// The iteration of a descriptor goes on from task to task and from its end to its start again; a
// new descriptor in its place starts anew.
TEST(ArraySimTest, IterationsGoOnUntilTheDescriptorIsWrittenAgain) {
  SingleCoreArray array(Lowered(PackedTile(16, TileKernel::kVector)));
  const WriteDescriptor write_in{kShim, 0, 0, 0, 128, {}, {3, 128}};
  Sequence sequence{write_in, WriteDescriptor{kShim, 1, 1, 0, 256, {}, {6, 256}}};
  const auto run = [&](int executions) {
    sequence.emplace_back(PushTask{kIn, 0, executions, true});
    sequence.emplace_back(PushTask{kOut, 1, executions, true});
    sequence.emplace_back(AwaitToken{kIn});
    sequence.emplace_back(AwaitToken{kOut});
  };
  run(2);
  run(2);
  sequence.emplace_back(write_in);
  run(2);
  GuardedBuffers buffers;
  std::vector<int8_t> in;
  std::vector<std::vector<int32_t>> products;
  for (uint64_t seed = 0; seed < 3; ++seed) {
    const TileProduct product = RandomTileProduct(array.spec(), 1, seed);
    in.insert(in.end(), product.a.begin(), product.a.end());
    in.insert(in.end(), product.b.begin(), product.b.end());
    products.push_back(product.c);
  }
  buffers.Add(in);
  buffers.AddOutput(6 * 1024);
  const ArraySim::Outcome outcome = array.Run(array.Stream(sequence), &buffers);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.ToString();
  std::vector<int32_t> expected;
  for (const int tile : {0, 1, 2, 0, 0, 1}) {
    const std::vector<int32_t>& product = products[static_cast<size_t>(tile)];
    expected.insert(expected.end(), product.begin(), product.end());
  }
  EXPECT_EQ(buffers.Numbers<int32_t>(1), expected);
}

// One task runs and four wait: five tiles in one launch without waiting in between.
TEST(ArraySimTest, AChannelQueuesFourTasks) {
  SingleCoreArray array(Lowered(PackedTile(16, TileKernel::kVector)));
  Sequence sequence;
  GuardedBuffers buffers;
  std::vector<TileProduct> products;
  for (int i = 0; i < 5; ++i) {
    products.push_back(RandomTileProduct(array.spec(), 1, static_cast<uint64_t>(i)));
    std::vector<int8_t> both = products.back().a;
    both.insert(both.end(), products.back().b.begin(), products.back().b.end());
    buffers.Add(both);
    sequence.emplace_back(WriteDescriptor{kShim, i, i, 0, 128, {}, {}});
  }
  buffers.AddOutput(5 * 1024);
  for (int i = 0; i < 5; ++i) {
    sequence.emplace_back(WriteDescriptor{kShim, 5 + i, 5, i * 1024, 256, {}, {}});
  }
  for (int i = 0; i < 5; ++i) sequence.emplace_back(PushTask{kOut, 5 + i, 1, true});
  for (int i = 0; i < 5; ++i) sequence.emplace_back(PushTask{kIn, i, 1, false});
  for (int i = 0; i < 5; ++i) sequence.emplace_back(AwaitToken{kOut});
  const ArraySim::Outcome outcome = array.Run(array.Stream(sequence), &buffers);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.ToString();
  std::vector<int32_t> expected;
  for (const TileProduct& each : products) {
    expected.insert(expected.end(), each.c.begin(), each.c.end());
  }
  EXPECT_EQ(buffers.Numbers<int32_t>(5), expected);
}

// --- Two cores on one stream ---

// Adds a twin of the one core, one row up. It gets the same A|B, computes B A and hands it to
// shim S2MM 1.
ArrayProgram WithTwin(ArrayProgram program) {
  constexpr Tile kTwin{0, 3};
  const auto buffer_count = static_cast<int>(program.buffers.size());
  const auto lock_count = static_cast<int>(program.locks.size());
  for (int i = 0; i < buffer_count; ++i) {
    program.buffers.push_back(program.buffers[static_cast<size_t>(i)]);
    program.buffers.back().tile = kTwin;
  }
  for (int i = 0; i < lock_count; ++i) {
    program.locks.push_back(program.locks[static_cast<size_t>(i)]);
    program.locks.back().tile = kTwin;
  }
  for (size_t i = 0, count = program.channels.size(); i < count; ++i) {
    program::Channel channel = program.channels[i];
    channel.id.tile = kTwin;
    for (program::Descriptor& d : channel.descriptors) {
      d.buffer += buffer_count;
      d.acquire.lock += lock_count;
      d.release.lock += lock_count;
    }
    program.channels.push_back(std::move(channel));
  }
  program.flows[0].destinations.push_back({kTwin, Direction::kS2mm, 0});
  program.flows.push_back({{kTwin, Direction::kMm2s, 0}, {{kShim, Direction::kS2mm, 1}}});
  program::Core core = program.cores[0];
  core.tile = kTwin;
  for (program::Ring& ring : core.rings) {
    for (int& buffer : ring.buffers) buffer += buffer_count;
  }
  for (CoreOp& op : core.ops) {
    if (op.use.lock >= 0) op.use.lock += lock_count;
    if (op.arguments.size() == 3) std::swap(op.arguments[0], op.arguments[1]);
  }
  program.cores.push_back(std::move(core));
  return program;
}

// `tiles` products in one launch, the twin's C only if asked for.
Sequence TwinSequence(int tiles, bool twin_output) {
  constexpr ChannelId kTwinOut{kShim, Direction::kS2mm, 1};
  Sequence sequence{
      WriteDescriptor{kShim, 0, 0, 0, 128, {}, {tiles, 128}}, PushTask{kIn, 0, tiles, false},
      WriteDescriptor{kShim, 1, 1, 0, 256, {}, {tiles, 256}}, PushTask{kOut, 1, tiles, true}};
  if (twin_output) {
    sequence.emplace_back(WriteDescriptor{kShim, 2, 2, 0, 256, {}, {tiles, 256}});
    sequence.emplace_back(PushTask{kTwinOut, 2, tiles, true});
    sequence.emplace_back(AwaitToken{kTwinOut});
  }
  sequence.emplace_back(AwaitToken{kOut});
  return sequence;
}

TEST(ArraySimTest, BroadcastReachesTwoCores) {
  constexpr int kTiles = 6;
  const ArrayProgram program = WithTwin(Lowered(PackedTile(16, TileKernel::kScalar)));
  const Status legal = program::Validate(program, arch::NpuOf(NpuArch::kNpu1));
  ASSERT_TRUE(legal.ok()) << legal.ToString();
  SingleCoreArray array(program);
  std::vector<int8_t> in;
  std::vector<int32_t> expected;
  std::vector<int32_t> expected_of_twin;
  for (uint64_t seed = 0; seed < kTiles; ++seed) {
    TileProduct product = RandomTileProduct(array.spec(), 1, seed);
    in.insert(in.end(), product.a.begin(), product.a.end());
    in.insert(in.end(), product.b.begin(), product.b.end());
    expected.insert(expected.end(), product.c.begin(), product.c.end());
    std::swap(product.a, product.b);
    Fill(array.spec(), 1, &product);
    expected_of_twin.insert(expected_of_twin.end(), product.c.begin(), product.c.end());
  }
  GuardedBuffers buffers;
  buffers.Add(in);
  buffers.AddOutput(kTiles * 1024);
  buffers.AddOutput(kTiles * 1024);
  const ArraySim::Outcome outcome = array.Run(array.Stream(TwinSequence(kTiles, true)), &buffers);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.ToString();
  EXPECT_EQ(buffers.Numbers<int32_t>(1), expected);
  EXPECT_EQ(buffers.Numbers<int32_t>(2), expected_of_twin);
}

// The twin has two buffers for A|B and one for C. With C stuck it takes three tiles; the fourth
// does not even reach the core that has room.
TEST(ArraySimTest, OneReceiverThatIsNotReadyStopsTheBroadcast) {
  SingleCoreArray array(WithTwin(Lowered(PackedTile(16, TileKernel::kScalar))));
  GuardedBuffers buffers;
  buffers.Add(std::vector<int8_t>(5 * 512, 1));
  buffers.AddOutput(5 * 1024);
  const ArraySim::Outcome outcome = array.Run(array.Stream(TwinSequence(5, false)), &buffers);
  const std::string& text = outcome.status.message();
  for (const char* part : {"core (0,3) waits for lock c_empty to be 1 (it is 0)",
                           "core (0,3) S2MM 0 waits for lock ab_empty to be 1 (it is 0)",
                           "core (0,2) waits for lock ab_full to be 1 (it is 0)",
                           "core (0,2) S2MM 0 waits for its stream with 128 words to go",
                           "shim (0,0) MM2S 0 waits for its stream with 128 words to go"}) {
    EXPECT_NE(text.find(part), std::string::npos) << text << "\nlacks\n" << part;
  }
  const std::vector<int32_t> c = buffers.Numbers<int32_t>(1);
  EXPECT_EQ(std::count(c.begin(), c.end(), 16), 3 * 256);
}

// --- Time ---

TEST(ArraySimTest, EqualLaunchesEndAtEqualTimes) {
  for (const DesignSpec& spec :
       {PackedTile(16, TileKernel::kScalar), PackedTile(32, TileKernel::kVector),
        KStream(TileKernel::kScalar), KStream(TileKernel::kVector)}) {
    const int64_t most_steps = spec.family == DesignFamily::kKStream ? 4 : 1;
    SingleCoreArray one(Lowered(spec));
    SingleCoreArray other(Lowered(spec));
    std::vector<std::pair<int64_t, int64_t>> of_one;
    std::vector<std::pair<int64_t, int64_t>> of_other;
    std::vector<std::pair<int64_t, int64_t>> again;
    const auto run = [&](SingleCoreArray* array, std::vector<std::pair<int64_t, int64_t>>* times) {
      int64_t start_ps = kStartPs;
      for (uint64_t i = 0; i < 6; ++i) {
        const int64_t k_steps = 1 + (static_cast<int64_t>(i) % most_steps);
        const ArraySim::Outcome outcome = array->RunProduct(k_steps, i, start_ps);
        times->emplace_back(outcome.end_ps, outcome.kernel_ps);
        start_ps = outcome.end_ps + 777;
      }
    };
    run(&one, &of_one);
    run(&other, &of_other);
    one.sim().Reset();
    run(&one, &again);
    EXPECT_EQ(of_one, of_other) << program::Name(spec);
    EXPECT_EQ(of_one, again) << program::Name(spec);
  }
}

// The core clears C for the next tile as soon as the last one has left, while the controller still
// handles the token: the first launch has two zeros, each further one that of its successor.
TEST(ArraySimTest, KernelTimeIsThatOfTheModels) {
  for (const TileKernel kernel : {TileKernel::kScalar, TileKernel::kVector}) {
    SingleCoreArray array(Lowered(PackedTile(16, kernel)));
    const int64_t matmul_ps = MatmulPs(array.spec());
    const int64_t zero_ps = ZeroPs(array.spec());
    ArraySim::Outcome outcome = array.RunProduct(1, 1);
    EXPECT_EQ(outcome.kernel_ps, matmul_ps + (2 * zero_ps));
    outcome = array.RunProduct(1, 2, outcome.end_ps + kMicrosecondPs);
    EXPECT_EQ(outcome.kernel_ps, matmul_ps + zero_ps);
  }
  for (const TileKernel kernel : {TileKernel::kScalar, TileKernel::kVector}) {
    for (const int64_t k_steps : {1, 2, 5}) {
      SingleCoreArray array(Lowered(KStream(kernel)));
      EXPECT_EQ(array.RunProduct(k_steps, 1).kernel_ps,
                (k_steps * MatmulPs(array.spec())) + ZeroPs(array.spec()));
    }
  }
}

// Controller, first task, input, kernel, output, token: one after another, since there is but one
// tile. With the vector kernel the transfers weigh as much as the rest.
TEST(ArraySimTest, PackedTileTakesTheSumOfItsStages) {
  const profile::Profile p = Phoenix();
  const double descriptor =
      p.controller.block_cycles + (8 * p.controller.block_word_cycles) + p.controller.patch_cycles;
  for (const TileKernel kernel : {TileKernel::kScalar, TileKernel::kVector}) {
    SingleCoreArray array(Lowered(PackedTile(16, kernel)));
    const double kernel_cycles = static_cast<double>(MatmulPs(array.spec())) * 1e-3 * p.clock_ghz;
    const double in_cycles = p.dma.stream_latency_cycles + (512 / 4 * p.dma.mm2s_word_cycles);
    const double out_cycles = p.dma.stream_latency_cycles + (1024 / 4 * p.dma.s2mm_word_cycles);
    const double cycles = descriptor + p.dma.mm2s_first_cycles + in_cycles +
                          (3 * p.core.lock_cycles) + kernel_cycles + out_cycles +
                          p.controller.sync_cycles;
    // What the controller does meanwhile, and the output's first task, are hidden behind the rest.
    ASSERT_LT(descriptor + p.controller.mask_write_cycles + (2 * p.controller.write_cycles) +
                  p.dma.s2mm_first_cycles,
              p.dma.mm2s_first_cycles + in_cycles + kernel_cycles);
    const int64_t took_ps = array.RunProduct(1, 1).end_ps - kStartPs;
    EXPECT_NEAR(static_cast<double>(took_ps), static_cast<double>(PsOfCycles(cycles)),
                static_cast<double>(PsOfCycles(cycles)) / 100)
        << program::Name(kernel);
  }
}

TEST(ArraySimTest, TimeScalesWithTheClock) {
  profile::Profile fast = Phoenix();
  fast.clock_ghz *= 2;
  SingleCoreArray array(Lowered(KStream(TileKernel::kVector)));
  SingleCoreArray twice_as_fast(Lowered(KStream(TileKernel::kVector)), fast);
  const int64_t ps = array.RunProduct(3, 1).end_ps - kStartPs;
  const int64_t fast_ps = twice_as_fast.RunProduct(3, 1).end_ps - kStartPs;
  EXPECT_NEAR(static_cast<double>(ps), 2 * static_cast<double>(fast_ps), 1000);
}

}  // namespace
}  // namespace tilewave::device::vnpu
