#include "program/lower.h"

#include <fmt/format.h>

#include <utility>

#include "base/checked_math.h"

namespace tilewave::program {
namespace {

constexpr Tile kShim{0, 0};
constexpr Tile kCore{0, 2};

/// Buffers stand at multiples of the widest vector that a kernel loads (AIE2P: 64 bytes).
constexpr int64_t kBufferAlignment = 64;

/// Far beyond any tile's memory, which Validate refuses by name, and small enough to add to.
constexpr int64_t kMostStackBytes = int64_t{1} << 30;

/// Code of one kernel with its loops, as mlir-aie's matmul objects come out of the compiler, and
/// of the core's own loop around it; rounded up.
constexpr int64_t kKernelCodeBytes = 4096;
constexpr int64_t kLoopCodeBytes = 1024;

Status CheckSpec(const DesignSpec& spec) {
  const bool square = spec.tile_m == spec.tile_k && spec.tile_k == spec.tile_n;
  const bool known = spec.family == DesignFamily::kPackedTile
                         ? square && (spec.tile_m == 16 || spec.tile_m == 32 || spec.tile_m == 64)
                         : square && spec.tile_m == 64;
  if (!known) {
    return {StatusCode::kInvalidArgument,
            fmt::format("{} has no tile {}x{}x{}; expected {}", Name(spec.family), spec.tile_m,
                        spec.tile_k, spec.tile_n,
                        spec.family == DesignFamily::kPackedTile ? "16x16x16, 32x32x32 or 64x64x64"
                                                                 : "64x64x64")};
  }
  if (spec.output == TileOutput::kS8Lossy &&
      (spec.family != DesignFamily::kPackedTile || spec.kernel != TileKernel::kScalar)) {
    return {StatusCode::kInvalidArgument,
            "only packed_tile with the scalar kernel has the lossy s8 output"};
  }
  if (spec.stack_bytes < 0 || spec.stack_bytes > kMostStackBytes) {
    return {StatusCode::kInvalidArgument, fmt::format("a stack of {} bytes; expected 0 to {}",
                                                      spec.stack_bytes, kMostStackBytes)};
  }
  return {};
}

/// Assembles one core with its queues to and from the shim.
class SingleCore {
 public:
  explicit SingleCore(const DesignSpec& spec) {
    program_.spec = spec;
    next_address_ = base::RoundUp(spec.stack_bytes, kBufferAlignment);
    core_.tile = kCore;
    core_.stack_bytes = spec.stack_bytes;
    core_.program_bytes = kLoopCodeBytes;
  }

  /// A queue of buffers with its lock pair and the channel that feeds or drains it.
  struct Queue {
    int ring = 0;
    int empty = 0;  ///< Lock: buffers free to be filled.
    int full = 0;   ///< Lock: buffers ready to be emptied.
  };

  /// From shim MM2S `channel` to core S2MM `channel`, `depth` buffers.
  Queue AddInput(const std::string& name, int channel, int depth, int64_t bytes) {
    const Queue queue = AddQueue(name, depth, bytes);
    AddChannel({kCore, Direction::kS2mm, channel}, queue, {queue.empty, 1}, {queue.full, 1});
    program_.flows.push_back(
        {{kShim, Direction::kMm2s, channel}, {{kCore, Direction::kS2mm, channel}}});
    return queue;
  }

  /// From core MM2S 0 to shim S2MM 0.
  Queue AddOutput(const std::string& name, int depth, int64_t bytes) {
    const Queue queue = AddQueue(name, depth, bytes);
    AddChannel({kCore, Direction::kMm2s, 0}, queue, {queue.full, 1}, {queue.empty, 1});
    program_.flows.push_back({{kCore, Direction::kMm2s, 0}, {{kShim, Direction::kS2mm, 0}}});
    return queue;
  }

  int AddLock(const std::string& name, int initial) {
    const int id = static_cast<int>(program_.locks.size());
    program_.locks.push_back({name, kCore, id, initial});
    return id;
  }

  int AddParameter(const std::string& name) {
    program_.parameters.push_back({name, kCore, next_address_});
    next_address_ += kBufferAlignment;
    return static_cast<int>(program_.parameters.size()) - 1;
  }

  int AddKernel(std::string name) {
    const DesignSpec& s = program_.spec;
    core_.kernels.push_back({std::move(name), s.tile_m, s.tile_k, s.tile_n, BlockShapeOf(s)});
    core_.program_bytes += kKernelCodeBytes;
    return static_cast<int>(core_.kernels.size()) - 1;
  }

  void Forever() { Add(CoreOp::Kind::kForever, -1); }
  void Repeat(int parameter) { Add(CoreOp::Kind::kRepeat, parameter); }
  void End() { Add(CoreOp::Kind::kEnd, -1); }
  void Acquire(int lock) { Add(CoreOp::Kind::kAcquire, -1, {lock, 1}); }
  void Release(int lock) { Add(CoreOp::Kind::kRelease, -1, {lock, 1}); }
  void Advance(const Queue& queue) { Add(CoreOp::Kind::kAdvance, queue.ring); }
  void Call(int kernel, std::vector<CoreOp::Argument> arguments) {
    Add(CoreOp::Kind::kCall, kernel, {}, std::move(arguments));
  }

  ArrayProgram Take() {
    program_.cores.push_back(std::move(core_));
    return std::move(program_);
  }

 private:
  void Add(CoreOp::Kind kind, int index, LockUse use = {},
           std::vector<CoreOp::Argument> arguments = {}) {
    core_.ops.push_back({kind, index, use, std::move(arguments)});
  }

  Queue AddQueue(const std::string& name, int depth, int64_t bytes) {
    Ring ring{name, {}};
    for (int i = 0; i < depth; ++i) {
      ring.buffers.push_back(static_cast<int>(program_.buffers.size()));
      program_.buffers.push_back({fmt::format("{}_{}", name, i), kCore, next_address_, bytes});
      next_address_ += base::RoundUp(bytes, kBufferAlignment);
    }
    core_.rings.push_back(std::move(ring));
    return {static_cast<int>(core_.rings.size()) - 1, AddLock(name + "_empty", depth),
            AddLock(name + "_full", 0)};
  }

  void AddChannel(const ChannelId& id, const Queue& queue, LockUse acquire, LockUse release) {
    Channel channel{id, {}};
    const std::vector<int>& buffers = core_.rings[static_cast<size_t>(queue.ring)].buffers;
    const int first = next_descriptor_;
    next_descriptor_ += static_cast<int>(buffers.size());
    for (const int buffer : buffers) {
      const int descriptor = first + static_cast<int>(channel.descriptors.size());
      const int64_t bytes = program_.buffers[static_cast<size_t>(buffer)].bytes;
      channel.descriptors.push_back(
          {descriptor, buffer, 0, bytes / arch::kWordBytes, {}, acquire, release, descriptor + 1});
    }
    channel.descriptors.back().next = first;
    program_.channels.push_back(std::move(channel));
  }

  ArrayProgram program_;
  Core core_;
  int64_t next_address_ = 0;
  int next_descriptor_ = 0;
};

const char* MatmulKernel(const DesignSpec& spec) {
  if (spec.output == TileOutput::kS8Lossy) return "matmul_scalar_s8_s8_lossy";
  return spec.kernel == TileKernel::kScalar ? "matmul_scalar_s8_s32" : "matmul_vector_s8_s32";
}

int64_t OutputBytes(const DesignSpec& spec) {
  return spec.tile_m * spec.tile_n * (spec.output == TileOutput::kS32 ? 4 : 1);
}

ArrayProgram LowerPackedTile(const DesignSpec& spec) {
  const int64_t a_bytes = spec.tile_m * spec.tile_k;
  SingleCore core(spec);
  const SingleCore::Queue in = core.AddInput("ab", 0, 2, a_bytes + (spec.tile_k * spec.tile_n));
  const SingleCore::Queue out = core.AddOutput("c", 1, OutputBytes(spec));
  const bool accumulates = spec.output == TileOutput::kS32;
  const int zero = accumulates ? core.AddKernel("zero_s32") : -1;
  const int matmul = core.AddKernel(MatmulKernel(spec));
  core.Forever();
  core.Acquire(out.empty);
  if (accumulates) core.Call(zero, {{out.ring, 0}});
  core.Acquire(in.full);
  core.Call(matmul, {{in.ring, 0}, {in.ring, a_bytes}, {out.ring, 0}});
  core.Release(in.empty);
  core.Advance(in);
  core.Release(out.full);
  core.Advance(out);
  core.End();
  return core.Take();
}

ArrayProgram LowerKStream(const DesignSpec& spec) {
  SingleCore core(spec);
  const SingleCore::Queue a = core.AddInput("a", 0, 2, spec.tile_m * spec.tile_k);
  const SingleCore::Queue b = core.AddInput("b", 1, 2, spec.tile_k * spec.tile_n);
  const SingleCore::Queue c = core.AddOutput("c", 1, OutputBytes(spec));
  // The stream writes the trip count and then opens this lock, so that a core which runs ahead
  // into the next launch does not read the last one's count.
  const int start = core.AddLock("start", 0);
  const int k_steps = core.AddParameter("k_steps");
  const int zero = core.AddKernel("zero_s32");
  const int matmul = core.AddKernel(MatmulKernel(spec));
  core.Forever();
  core.Acquire(start);
  core.Acquire(c.empty);
  core.Call(zero, {{c.ring, 0}});
  core.Repeat(k_steps);
  core.Acquire(a.full);
  core.Acquire(b.full);
  core.Call(matmul, {{a.ring, 0}, {b.ring, 0}, {c.ring, 0}});
  core.Release(a.empty);
  core.Release(b.empty);
  core.Advance(a);
  core.Advance(b);
  core.End();
  core.Release(c.full);
  core.Advance(c);
  core.End();
  return core.Take();
}

}  // namespace

Result<ArrayProgram> Lower(const DesignSpec& spec) {
  if (Status s = CheckSpec(spec); !s.ok()) return s;
  return spec.family == DesignFamily::kPackedTile ? LowerPackedTile(spec) : LowerKStream(spec);
}

}  // namespace tilewave::program
