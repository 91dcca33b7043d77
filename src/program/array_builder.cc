#include "program/array_builder.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/checked_math.h"

namespace tilewave::program {
namespace {

/// Of AIE2P's vectors.
constexpr int64_t kBufferAlignment = 64;

/// Code of one kernel with its loops, as mlir-aie's matmul objects come out of the compiler, and
/// of the core's own loop around it; rounded up.
constexpr int64_t kKernelCodeBytes = 4096;
constexpr int64_t kLoopCodeBytes = 1024;

/// Far beyond any tile's memory, which Validate refuses by name, and small enough to add to.
constexpr int64_t kMostStackBytes = int64_t{1} << 30;

}  // namespace

int64_t AlignedBytes(int64_t bytes) { return base::RoundUp(bytes, kBufferAlignment); }

Status CheckStack(const DesignSpec& spec) {
  if (spec.stack_bytes >= 0 && spec.stack_bytes <= kMostStackBytes) return {};
  return {StatusCode::kInvalidArgument,
          fmt::format("a stack of {} bytes; expected 0 to {}", spec.stack_bytes, kMostStackBytes)};
}

ArrayBuilder::Used& ArrayBuilder::On(const Tile& tile) {
  const auto found =
      std::find_if(used_.begin(), used_.end(), [&](const Used& used) { return used.tile == tile; });
  if (found != used_.end()) return *found;
  used_.push_back({tile, 0, 0, {0, 0}});
  return used_.back();
}

void ArrayBuilder::Reserve(const Tile& tile, int64_t bytes) {
  On(tile).bytes += AlignedBytes(bytes);
}

int ArrayBuilder::AddBuffer(std::string name, const Tile& tile, int64_t bytes) {
  Used& used = On(tile);
  program_.buffers.push_back({std::move(name), tile, used.bytes, bytes});
  used.bytes += base::RoundUp(bytes, kBufferAlignment);
  return static_cast<int>(program_.buffers.size()) - 1;
}

int ArrayBuilder::AddLock(std::string name, const Tile& tile, int initial) {
  program_.locks.push_back({std::move(name), tile, On(tile).locks++, initial});
  return static_cast<int>(program_.locks.size()) - 1;
}

std::vector<int> ArrayBuilder::AddParameters(const Tile& tile,
                                             const std::vector<std::string>& names) {
  const int64_t address = On(tile).bytes;
  std::vector<int> indices;
  for (const std::string& name : names) {
    const auto place = static_cast<int64_t>(indices.size()) * arch::kWordBytes;
    indices.push_back(static_cast<int>(program_.parameters.size()));
    program_.parameters.push_back({name, tile, address + place});
  }
  Reserve(tile, static_cast<int64_t>(names.size()) * arch::kWordBytes);
  return indices;
}

LockPair ArrayBuilder::AddLockPair(const std::string& name, const Tile& tile, int depth) {
  const int empty = AddLock(name + "_empty", tile, depth);
  return {empty, AddLock(name + "_full", tile, 0)};
}

Descriptor ArrayBuilder::Whole(int buffer, LockUse acquire, LockUse release) const {
  Descriptor descriptor;
  descriptor.buffer = buffer;
  descriptor.length_words = program_.buffers[static_cast<size_t>(buffer)].bytes / arch::kWordBytes;
  descriptor.acquire = acquire;
  descriptor.release = release;
  return descriptor;
}

void ArrayBuilder::AddChannel(const ChannelId& id, std::vector<Descriptor> circle) {
  const arch::Npu& npu = arch::NpuOf(program_.spec.arch);
  const bool halves = npu.KindOf(id.tile.row) == arch::TileKind::kMemory;
  const int half = halves ? id.channel % 2 : 0;
  int& next = On(id.tile).descriptors[half];
  const int first = next + (half * npu.memory.descriptors / 2);
  next += static_cast<int>(circle.size());
  for (size_t i = 0; i < circle.size(); ++i) {
    circle[i].id = first + static_cast<int>(i);
    circle[i].next = i + 1 < circle.size() ? circle[i].id + 1 : first;
  }
  program_.channels.push_back({id, std::move(circle)});
}

void ArrayBuilder::AddFlow(const ChannelId& source, std::vector<ChannelId> destinations) {
  program_.flows.push_back({source, std::move(destinations)});
}

void ArrayBuilder::AddCore(Core core) { program_.cores.push_back(std::move(core)); }

CoreBuilder::CoreBuilder(const DesignSpec& spec, const Tile& tile) : spec_(spec) {
  core_.tile = tile;
  core_.stack_bytes = spec.stack_bytes;
  core_.program_bytes = kLoopCodeBytes;
}

int CoreBuilder::AddRing(std::string name, std::vector<int> buffers) {
  core_.rings.push_back({std::move(name), std::move(buffers)});
  return static_cast<int>(core_.rings.size()) - 1;
}

int CoreBuilder::AddKernel(std::string name, bool b_transposed) {
  core_.kernels.push_back({std::move(name), spec_.tile_m, spec_.tile_k, spec_.tile_n,
                           BlockShapeOf(spec_), b_transposed});
  core_.program_bytes += kKernelCodeBytes;
  return static_cast<int>(core_.kernels.size()) - 1;
}

}  // namespace tilewave::program
