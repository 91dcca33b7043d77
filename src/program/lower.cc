#include "program/lower.h"

#include <fmt/format.h>

#include <utility>

#include "program/array_builder.h"
#include "program/lower_whole_array.h"

namespace tilewave::program {
namespace {

constexpr Tile kCore{0, 2};

Status CheckSingleCore(const DesignSpec& spec) {
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
  if (spec.output != TileOutput::kS32 && spec.output != TileOutput::kS8Lossy) {
    return {StatusCode::kInvalidArgument,
            fmt::format("{} has no {} output; expected s32", Name(spec.family), Name(spec.output))};
  }
  return CheckStack(spec);
}

/// One core with its queues to and from the shim.
class SingleCore {
 public:
  explicit SingleCore(const DesignSpec& spec) : builder_(spec), core_(spec, kCore) {
    builder_.Reserve(kCore, spec.stack_bytes);
  }

  /// A queue of buffers with its lock pair and the channel that feeds or drains it.
  struct Queue {
    int ring = 0;
    LockPair locks;
  };

  /// From shim MM2S `channel` to core S2MM `channel`, `depth` buffers.
  Queue AddInput(const std::string& name, int channel, int depth, int64_t bytes) {
    const auto [queue, buffers] = AddQueue(name, depth, bytes);
    AddChannel({kCore, Direction::kS2mm, channel}, buffers, queue.locks.empty, queue.locks.full);
    builder_.AddFlow({kShimOfSingleCore, Direction::kMm2s, channel},
                     {{kCore, Direction::kS2mm, channel}});
    return queue;
  }

  /// From core MM2S 0 to shim S2MM 0.
  Queue AddOutput(const std::string& name, int depth, int64_t bytes) {
    const auto [queue, buffers] = AddQueue(name, depth, bytes);
    AddChannel({kCore, Direction::kMm2s, 0}, buffers, queue.locks.full, queue.locks.empty);
    builder_.AddFlow({kCore, Direction::kMm2s, 0}, {{kShimOfSingleCore, Direction::kS2mm, 0}});
    return queue;
  }

  int AddLock(const std::string& name, int initial) {
    return builder_.AddLock(name, kCore, initial);
  }
  int AddParameter(const std::string& name) { return builder_.AddParameters(kCore, {name})[0]; }
  CoreBuilder& core() { return core_; }

  ArrayProgram Take() {
    builder_.AddCore(core_.Take());
    return builder_.Take();
  }

 private:
  std::pair<Queue, std::vector<int>> AddQueue(const std::string& name, int depth, int64_t bytes) {
    std::vector<int> buffers;
    buffers.reserve(static_cast<size_t>(depth));
    for (int i = 0; i < depth; ++i) {
      buffers.push_back(builder_.AddBuffer(fmt::format("{}_{}", name, i), kCore, bytes));
    }
    const LockPair locks = builder_.AddLockPair(name, kCore, depth);
    return {{core_.AddRing(name, buffers), locks}, buffers};
  }

  void AddChannel(const ChannelId& id, const std::vector<int>& buffers, int acquire, int release) {
    std::vector<Descriptor> circle;
    circle.reserve(buffers.size());
    for (const int buffer : buffers) {
      circle.push_back(builder_.Whole(buffer, {acquire, 1}, {release, 1}));
    }
    builder_.AddChannel(id, std::move(circle));
  }

  ArrayBuilder builder_;
  CoreBuilder core_;
};

const char* MatmulKernel(const DesignSpec& spec) {
  if (spec.output == TileOutput::kS8Lossy) return "matmul_scalar_s8_s8_lossy";
  return spec.kernel == TileKernel::kScalar ? "matmul_scalar_s8_s32" : "matmul_vector_s8_s32";
}

int64_t OutputTileBytes(const DesignSpec& spec) {
  return spec.tile_m * spec.tile_n * OutputBytes(spec.output);
}

ArrayProgram LowerPackedTile(const DesignSpec& spec) {
  const int64_t a_bytes = spec.tile_m * spec.tile_k;
  SingleCore single(spec);
  const SingleCore::Queue in = single.AddInput("ab", 0, 2, a_bytes + (spec.tile_k * spec.tile_n));
  const SingleCore::Queue out = single.AddOutput("c", 1, OutputTileBytes(spec));
  const bool accumulates = spec.output == TileOutput::kS32;
  CoreBuilder& core = single.core();
  const int zero = accumulates ? core.AddKernel("zero_s32") : -1;
  const int matmul = core.AddKernel(MatmulKernel(spec));
  core.Forever();
  core.Acquire(out.locks.empty);
  if (accumulates) core.Call(zero, {{out.ring, 0}});
  core.Acquire(in.locks.full);
  core.Call(matmul, {{in.ring, 0}, {in.ring, a_bytes}, {out.ring, 0}});
  core.Release(in.locks.empty);
  core.Advance(in.ring);
  core.Release(out.locks.full);
  core.Advance(out.ring);
  core.End();
  return single.Take();
}

ArrayProgram LowerKStream(const DesignSpec& spec) {
  SingleCore single(spec);
  const SingleCore::Queue a = single.AddInput("a", 0, 2, spec.tile_m * spec.tile_k);
  const SingleCore::Queue b = single.AddInput("b", 1, 2, spec.tile_k * spec.tile_n);
  const SingleCore::Queue c = single.AddOutput("c", 1, OutputTileBytes(spec));
  // The stream writes the trip count and then opens this lock, so that a core which runs ahead
  // into the next launch does not read the last one's count.
  const int start = single.AddLock("start", 0);
  const int k_steps = single.AddParameter("k_steps");
  CoreBuilder& core = single.core();
  const int zero = core.AddKernel("zero_s32");
  const int matmul = core.AddKernel(MatmulKernel(spec));
  core.Forever();
  core.Acquire(start);
  core.Acquire(c.locks.empty);
  core.Call(zero, {{c.ring, 0}});
  core.Repeat(k_steps);
  core.Acquire(a.locks.full);
  core.Acquire(b.locks.full);
  core.Call(matmul, {{a.ring, 0}, {b.ring, 0}, {c.ring, 0}});
  core.Release(a.locks.empty);
  core.Release(b.locks.empty);
  core.Advance(a.ring);
  core.Advance(b.ring);
  core.End();
  core.Release(c.locks.full);
  core.Advance(c.ring);
  core.End();
  return single.Take();
}

}  // namespace

Result<ArrayProgram> Lower(const DesignSpec& spec) {
  if (spec.family == DesignFamily::kWholeArray) return LowerWholeArray(spec);
  if (Status s = CheckSingleCore(spec); !s.ok()) return s;
  return spec.family == DesignFamily::kPackedTile ? LowerPackedTile(spec) : LowerKStream(spec);
}

}  // namespace tilewave::program
