#include "program/lower_whole_array.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/checked_math.h"
#include "program/array_builder.h"

namespace tilewave::program {
namespace {

// Channels of a memory tile, in both directions. Rows of A leave on 0, 1, ...
constexpr int kChannelA = 0;
constexpr int kChannelB = 1;
constexpr int kFirstChannelC = 2;
constexpr int kChannelBOut = 4;
constexpr int kChannelCOut = 5;

/// No tile's memory holds a side of this length; products of three stay far from overflow.
constexpr int64_t kLongestSide = int64_t{1} << 16;

constexpr Tile Shim(int column) { return {column, 0}; }
constexpr Tile Memory(int column) { return {column, 1}; }
constexpr Tile CoreTile(int column, int core_row) { return {column, 2 + core_row}; }

Status CheckSide(const char* name, int64_t value, int64_t block) {
  if (value >= 1 && value <= kLongestSide && value % block == 0) return {};
  const int64_t near =
      std::clamp((value + (block / 2)) / block * block, block, kLongestSide / block * block);
  return {StatusCode::kInvalidArgument,
          fmt::format("whole_array has no tile with {} = {}; expected a multiple of {} from {} to "
                      "{}, the nearest is {}",
                      name, value, block, block, kLongestSide, near)};
}

Status CheckWholeArray(const DesignSpec& spec) {
  const BlockShape block = BlockShapeOf(spec);
  if (spec.kernel != TileKernel::kVector) {
    return {StatusCode::kInvalidArgument, "whole_array has vector kernels only"};
  }
  if (Status s = CheckSide("m", spec.tile_m, block.rows); !s.ok()) return s;
  if (Status s = CheckSide("k", spec.tile_k, block.depth); !s.ok()) return s;
  if (Status s = CheckSide("n", spec.tile_n, block.columns); !s.ok()) return s;
  const int64_t k_mt = MemoryTileK(spec);
  if (k_mt < spec.tile_k || k_mt > kLongestSide || k_mt % spec.tile_k != 0) {
    const int64_t near = std::clamp((k_mt + (spec.tile_k / 2)) / spec.tile_k, int64_t{1},
                                    kLongestSide / spec.tile_k) *
                         spec.tile_k;
    return {StatusCode::kInvalidArgument,
            fmt::format("whole_array has no k_mt {} with tiles of k = {}; expected a multiple of "
                        "it, the nearest is {}",
                        k_mt, spec.tile_k, near)};
  }
  const int most_columns = arch::NpuOf(spec.arch).columns;
  if (spec.columns < 1 || spec.columns > most_columns) {
    return {StatusCode::kInvalidArgument,
            fmt::format("whole_array on {} columns; {} has 1 to {}", spec.columns,
                        arch::NpuOf(spec.arch).name, most_columns)};
  }
  if (spec.c_buffers < 1 || spec.c_buffers > 2) {
    return {StatusCode::kInvalidArgument,
            fmt::format("whole_array with {} buffers of C; expected 1 or 2", spec.c_buffers)};
  }
  return CheckStack(spec);
}

const char* ZeroKernel(TileOutput output) {
  switch (output) {
    case TileOutput::kS8Lossy:
      return "zero_s8";
    case TileOutput::kS16Lossy:
      return "zero_s16";
    case TileOutput::kS32:
    case TileOutput::kS8:
    case TileOutput::kS16:
      break;
  }
  return "zero_s32";
}

/// Kernels of their own for blocks of B that are column-major inside, but for timing.
const char* MatmulKernel(TileOutput output, bool b_transposed) {
  switch (output) {
    case TileOutput::kS8Lossy:
      return "matmul_vector_s8_s8_lossy";
    case TileOutput::kS16Lossy:
      return "matmul_vector_s8_s16_lossy";
    case TileOutput::kS32:
    case TileOutput::kS8:
    case TileOutput::kS16:
      break;
  }
  return b_transposed ? "matmul_vector_s8_s32_bt" : "matmul_vector_s8_s32";
}

class WholeArray {
 public:
  explicit WholeArray(const DesignSpec& spec)
      : spec_(spec),
        builder_(spec),
        block_(BlockShapeOf(spec)),
        k_mt_(MemoryTileK(spec)),
        out_tile_bytes_(spec.tile_m * spec.tile_n * OutputBytes(spec.output)) {}

  ArrayProgram Build() {
    for (int column = 0; column < spec_.columns; ++column) {
      AddMemoryA(column);
      AddMemoryB(column);
      AddMemoryC(column);
    }
    for (int column = 0; column < spec_.columns; ++column) {
      for (int row = 0; row < CoreRows(spec_); ++row) AddCore(column, row);
    }
    return builder_.Take();
  }

 private:
  static int64_t Words(int64_t bytes) { return bytes / arch::kWordBytes; }

  std::vector<int> AddBuffers(const std::string& name, const Tile& tile, int depth, int64_t bytes) {
    std::vector<int> buffers;
    buffers.reserve(static_cast<size_t>(depth));
    for (int i = 0; i < depth; ++i) {
      buffers.push_back(builder_.AddBuffer(fmt::format("{}_{}", name, i), tile, bytes));
    }
    return buffers;
  }

  /// A circle over whole buffers: what a channel that knows no tiles does.
  void AddWholeChannel(const ChannelId& id, const std::vector<int>& buffers, int acquire,
                       int release) {
    std::vector<Descriptor> circle;
    circle.reserve(buffers.size());
    for (const int buffer : buffers) {
      circle.push_back(builder_.Whole(buffer, {acquire, 1}, {release, 1}));
    }
    builder_.AddChannel(id, std::move(circle));
  }

  /// A buffer holds tile_m rows of k_mt; tiles of tile_k leave it one after the other, in blocks.
  void AddMemoryA(int column) {
    const FedRows fed = FedRowsOf(spec_, column);
    if (fed.count == 0) return;
    const Tile tile = Memory(column);
    std::vector<std::vector<int>> buffers;
    std::vector<LockPair> locks;
    for (int j = 0; j < fed.count; ++j) {
      const std::string name = fmt::format("a{}", fed.first + j);
      buffers.push_back(AddBuffers(name, tile, kInputDepth, spec_.tile_m * k_mt_));
      locks.push_back(builder_.AddLockPair(name, tile, kInputDepth));
    }
    std::vector<Descriptor> in;
    for (size_t i = 0; i < kInputDepth; ++i) {
      for (size_t j = 0; j < buffers.size(); ++j) {
        in.push_back(builder_.Whole(buffers[j][i], {locks[j].empty, 1}, {locks[j].full, 1}));
      }
    }
    builder_.AddChannel({tile, Direction::kS2mm, kChannelA}, std::move(in));
    builder_.AddFlow({Shim(column), Direction::kMm2s, 0}, {{tile, Direction::kS2mm, kChannelA}});
    for (int j = 0; j < fed.count; ++j) {
      AddRowOfA(column, fed.first + j, j, buffers[static_cast<size_t>(j)],
                locks[static_cast<size_t>(j)]);
    }
  }

  void AddRowOfA(int column, int core_row, int channel, const std::vector<int>& buffers,
                 const LockPair& locks) {
    const Tile tile = Memory(column);
    const int64_t tiles = k_mt_ / spec_.tile_k;
    std::vector<Descriptor> out;
    for (const int buffer : buffers) {
      for (int64_t i = 0; i < tiles; ++i) {
        Descriptor d;
        d.buffer = buffer;
        d.offset_words = Words(i * spec_.tile_k);
        d.length_words = Words(spec_.tile_m * spec_.tile_k);
        d.dims = {{Words(block_.depth), 1},
                  {block_.rows, Words(k_mt_)},
                  {spec_.tile_k / block_.depth, Words(block_.depth)},
                  {spec_.tile_m / block_.rows, block_.rows * Words(k_mt_)}};
        if (i == 0) d.acquire = {locks.full, 1};
        if (i + 1 == tiles) d.release = {locks.empty, 1};
        out.push_back(d);
      }
    }
    const ChannelId source{tile, Direction::kMm2s, channel};
    builder_.AddChannel(source, std::move(out));
    std::vector<ChannelId> cores;
    cores.reserve(static_cast<size_t>(spec_.columns));
    for (int c = 0; c < spec_.columns; ++c) {
      cores.push_back({CoreTile(c, core_row), Direction::kS2mm, 0});
    }
    builder_.AddFlow(source, std::move(cores));
  }

  void AddMemoryB(int column) {
    const Tile tile = Memory(column);
    const std::vector<int> buffers = AddBuffers("b", tile, kInputDepth, k_mt_ * spec_.tile_n);
    const LockPair locks = builder_.AddLockPair("b", tile, kInputDepth);
    AddWholeChannel({tile, Direction::kS2mm, kChannelB}, buffers, locks.empty, locks.full);
    builder_.AddFlow({Shim(column), Direction::kMm2s, 1}, {{tile, Direction::kS2mm, kChannelB}});
    std::vector<Descriptor> out;
    for (const int buffer : buffers) {
      Descriptor d = builder_.Whole(buffer, {locks.full, 1}, {locks.empty, 1});
      d.dims = BlocksOfB();
      out.push_back(d);
    }
    const ChannelId source{tile, Direction::kMm2s, kChannelBOut};
    builder_.AddChannel(source, std::move(out));
    std::vector<ChannelId> cores;
    cores.reserve(static_cast<size_t>(CoreRows(spec_)));
    for (int row = 0; row < CoreRows(spec_); ++row) {
      cores.push_back({CoreTile(column, row), Direction::kS2mm, 1});
    }
    builder_.AddFlow(source, std::move(cores));
  }

  /// From a buffer of k_mt x tile_n to blocks, k outermost, so that tile follows tile.
  DimList BlocksOfB() const {
    const int64_t n_blocks = spec_.tile_n / block_.columns;
    const int64_t k_blocks = k_mt_ / block_.depth;
    switch (spec_.b_layout) {
      case BLayout::kRowMajor:
        return {{Words(block_.columns), 1},
                {block_.depth, Words(spec_.tile_n)},
                {n_blocks, Words(block_.columns)},
                {k_blocks, block_.depth * Words(spec_.tile_n)}};
      case BLayout::kColumnMajor:
        return {{Words(block_.depth), 1},
                {block_.columns, Words(k_mt_)},
                {n_blocks, block_.columns * Words(k_mt_)},
                {k_blocks, Words(block_.depth)}};
      case BLayout::kPacked:
        break;
    }
    return {};
  }

  void AddMemoryC(int column) {
    const Tile tile = Memory(column);
    const int64_t element = OutputBytes(spec_.output);
    std::vector<Descriptor> out;
    std::vector<std::vector<int>> buffers;
    std::vector<LockPair> locks;
    for (int row = 0; row < CoreRows(spec_); ++row) {
      const std::string name = fmt::format("c{}", row);
      buffers.push_back(AddBuffers(name, tile, spec_.c_buffers, out_tile_bytes_));
      locks.push_back(builder_.AddLockPair(name, tile, spec_.c_buffers));
      const ChannelId in{tile, Direction::kS2mm, kFirstChannelC + row};
      AddWholeChannel(in, buffers.back(), locks.back().empty, locks.back().full);
      builder_.AddFlow({CoreTile(column, row), Direction::kMm2s, 0}, {in});
    }
    for (size_t i = 0; i < static_cast<size_t>(spec_.c_buffers); ++i) {
      for (size_t row = 0; row < buffers.size(); ++row) {
        Descriptor d = builder_.Whole(buffers[row][i], {locks[row].full, 1}, {locks[row].empty, 1});
        const int64_t block_row = Words(block_.columns * element);
        d.dims = {{block_row, 1},
                  {spec_.tile_n / block_.columns, block_.rows * block_row},
                  {block_.rows, block_row},
                  {spec_.tile_m / block_.rows, block_.rows * Words(spec_.tile_n * element)}};
        out.push_back(d);
      }
    }
    const ChannelId source{tile, Direction::kMm2s, kChannelCOut};
    builder_.AddChannel(source, std::move(out));
    builder_.AddFlow(source, {{Shim(column), Direction::kS2mm, 0}});
  }

  struct Queue {
    int ring = 0;
    LockPair locks;
  };

  Queue AddInput(const std::string& name, const Tile& tile, int channel, int64_t bytes,
                 CoreBuilder* core) {
    const std::vector<int> buffers = AddBuffers(name, tile, kInputDepth, bytes);
    const LockPair locks = builder_.AddLockPair(name, tile, kInputDepth);
    AddWholeChannel({tile, Direction::kS2mm, channel}, buffers, locks.empty, locks.full);
    return {core->AddRing(name, buffers), locks};
  }

  /// What is drained: sums in C's own type, or requantised ones, in place if C has one buffer.
  Queue AddOutput(const Tile& tile, CoreBuilder* core) {
    const bool beside = IsRequantised(spec_.output) && spec_.c_buffers == 2;
    const int depth = IsRequantised(spec_.output) ? 1 : spec_.c_buffers;
    const int64_t bytes = IsRequantised(spec_.output) && !beside
                              ? spec_.tile_m * spec_.tile_n * OutputBytes(TileOutput::kS32)
                              : out_tile_bytes_;
    const std::vector<int> buffers = AddBuffers("c", tile, depth, bytes);
    const LockPair locks = builder_.AddLockPair("c", tile, depth);
    std::vector<Descriptor> circle;
    circle.reserve(buffers.size());
    for (const int buffer : buffers) {
      Descriptor d = builder_.Whole(buffer, {locks.full, 1}, {locks.empty, 1});
      d.length_words = Words(out_tile_bytes_);
      circle.push_back(d);
    }
    builder_.AddChannel({tile, Direction::kMm2s, 0}, std::move(circle));
    return {core->AddRing("c", buffers), locks};
  }

  void AddCore(int column, int row) {
    const Tile tile = CoreTile(column, row);
    const bool requantises = IsRequantised(spec_.output);
    CoreBuilder core(spec_, tile);
    builder_.Reserve(tile, spec_.stack_bytes);
    std::vector<std::string> names = {"tiles", "k_steps"};
    if (requantises) names.insert(names.end(), {"shift", "rounding", "saturation"});
    const std::vector<int> parameters = builder_.AddParameters(tile, names);
    const Queue a = AddInput("a", tile, 0, spec_.tile_m * spec_.tile_k, &core);
    const Queue b = AddInput("b", tile, 1, spec_.tile_k * spec_.tile_n, &core);
    const Queue c = AddOutput(tile, &core);
    int sums = c.ring;
    if (requantises && spec_.c_buffers == 2) {
      const int64_t bytes = spec_.tile_m * spec_.tile_n * OutputBytes(TileOutput::kS32);
      sums = core.AddRing("sums", {builder_.AddBuffer("sums", tile, bytes)});
    }
    // The stream writes the parameters and then opens this lock, so that a core which runs ahead
    // into the next launch does not read the last one's.
    const int start = builder_.AddLock("start", tile, 0);
    const bool b_transposed = spec_.b_layout == BLayout::kColumnMajor;
    const int zero = core.AddKernel(ZeroKernel(spec_.output));
    const int matmul = core.AddKernel(MatmulKernel(spec_.output, b_transposed), b_transposed);

    core.Forever();
    core.Acquire(start);
    core.Repeat(parameters[0]);
    const bool own_sums = sums != c.ring;
    if (!own_sums) core.Acquire(c.locks.empty);
    core.Call(zero, {{sums, 0}});
    core.Repeat(parameters[1]);
    core.Acquire(a.locks.full);
    core.Acquire(b.locks.full);
    core.Call(matmul, {{a.ring, 0}, {b.ring, 0}, {sums, 0}});
    core.Release(a.locks.empty);
    core.Release(b.locks.empty);
    core.Advance(a.ring);
    core.Advance(b.ring);
    core.End();
    if (requantises) {
      const int requantise = core.AddKernel(spec_.output == TileOutput::kS8 ? "requantise_s32_s8"
                                                                            : "requantise_s32_s16");
      if (own_sums) core.Acquire(c.locks.empty);
      core.Call(requantise, {{sums, 0}, {c.ring, 0}},
                {parameters[2], parameters[3], parameters[4]});
    }
    core.Release(c.locks.full);
    core.Advance(c.ring);
    core.End();
    core.End();
    builder_.AddCore(core.Take());
  }

  const DesignSpec& spec_;
  ArrayBuilder builder_;
  const BlockShape block_;
  const int64_t k_mt_;
  const int64_t out_tile_bytes_;
};

}  // namespace

int CoreRows(const DesignSpec& spec) { return arch::NpuOf(spec.arch).rows - 2; }

int FeedingColumn(const DesignSpec& spec, int core_row) {
  return core_row * spec.columns / CoreRows(spec);
}

FedRows FedRowsOf(const DesignSpec& spec, int column) {
  FedRows fed;
  for (int row = CoreRows(spec) - 1; row >= 0; --row) {
    if (FeedingColumn(spec, row) != column) continue;
    fed.first = row;
    ++fed.count;
  }
  return fed;
}

Result<ArrayProgram> LowerWholeArray(const DesignSpec& spec) {
  if (Status s = CheckWholeArray(spec); !s.ok()) return s;
  return WholeArray(spec).Build();
}

}  // namespace tilewave::program
