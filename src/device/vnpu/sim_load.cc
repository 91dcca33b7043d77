// Loading a program into ArraySim: everything that a name, an id or a tile stands for is looked up
// here once.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "device/vnpu/array_sim.h"
#include "program/validate.h"

namespace tilewave::device::vnpu {
namespace {

bool IsPadded(const program::Descriptor& descriptor) {
  return std::any_of(descriptor.padding.begin(), descriptor.padding.end(),
                     [](const program::Padding& each) { return each != program::Padding(); });
}

}  // namespace

int ArraySim::TileIndex(const program::Tile& tile) const {
  const bool on_array =
      tile.column >= 0 && tile.column < npu_.columns && tile.row >= 0 && tile.row < npu_.rows;
  return on_array ? (tile.column * npu_.rows) + tile.row : -1;
}

Status ArraySim::Lay(KernelTable kernels) {
  LayTiles();
  for (const program::Channel& channel : program_->channels) {
    if (Status s = LayChannel(channel); !s.ok()) return s;
  }
  for (const program::Flow& flow : program_->flows) LayFlow(flow);
  for (const program::Core& core : program_->cores) {
    if (Status s = LayCore(core, kernels); !s.ok()) return s;
  }
  for (ChannelState& channel : channels_) {
    channel.waiting.reserve(static_cast<size_t>(npu_.shim.task_queue_depth));
  }
  return {};
}

void ArraySim::LayTiles() {
  tiles_.resize(static_cast<size_t>(npu_.columns) * static_cast<size_t>(npu_.rows));
  const auto on = [this](const program::Tile& tile) -> TileState& {
    return tiles_[static_cast<size_t>(TileIndex(tile))];
  };
  for (const program::TileBuffer& buffer : program_->buffers) on(buffer.tile).has_memory = true;
  for (size_t i = 0; i < program_->parameters.size(); ++i) {
    TileState& tile = on(program_->parameters[i].tile);
    tile.has_memory = true;
    tile.parameters.push_back(static_cast<int>(i));
  }
  for (size_t i = 0; i < program_->locks.size(); ++i) {
    const program::Lock& lock = program_->locks[i];
    TileState& tile = on(lock.tile);
    tile.locks.resize(static_cast<size_t>(npu_.LimitsOf(lock.tile.row).locks), -1);
    tile.locks[static_cast<size_t>(lock.id)] = static_cast<int>(i);
  }
  locks_.resize(program_->locks.size());
  const auto columns = static_cast<size_t>(npu_.columns);
  shim_descriptors_.assign(columns,
                           std::vector<ShimDescriptor>(static_cast<size_t>(npu_.shim.descriptors)));
  shim_channels_.assign(
      columns * static_cast<size_t>(npu_.shim.s2mm_channels + npu_.shim.mm2s_channels), -1);
  if (data_ == DataMode::kTimingOnly) return;
  stream_ = base::AlignedBuffer(kStreamBytes);
  for (size_t i = 0; i < tiles_.size(); ++i) {
    if (!tiles_[i].has_memory) continue;
    const auto row = static_cast<int>(i % static_cast<size_t>(npu_.rows));
    tiles_[i].memory = base::AlignedBuffer(static_cast<size_t>(npu_.LimitsOf(row).memory_bytes));
  }
}

Status ArraySim::LayChannel(const program::Channel& channel) {
  const bool pads = channel.id.direction == program::Direction::kMm2s &&
                    npu_.KindOf(channel.id.tile.row) == arch::TileKind::kMemory;
  ChannelState state;
  state.id = channel.id;
  state.program = &channel;
  state.tile = TileIndex(channel.id.tile);
  const std::vector<program::Descriptor>& all = channel.descriptors;
  for (const program::Descriptor& d : all) {
    if (IsPadded(d) && !pads) {
      return {StatusCode::kInvalidArgument,
              fmt::format("{} descriptor {} pads its stream; only MM2S channels of memory tiles do",
                          Name(channel.id), d.id)};
    }
    const program::TileBuffer& buffer = program_->buffers[static_cast<size_t>(d.buffer)];
    const auto next = std::find_if(
        all.begin(), all.end(), [&](const program::Descriptor& each) { return each.id == d.next; });
    StaticDescriptor loaded;
    loaded.program = &d;
    loaded.next = next == all.end() ? -1 : static_cast<int>(next - all.begin());
    loaded.stream_words = AccessPattern::StreamWords(d.length_words, d.dims, d.padding);
    loaded.first_byte = buffer.address + (d.offset_words * arch::kWordBytes);
    loaded.extent_bytes = program::ExtentWords(d.length_words, d.dims, {}) * arch::kWordBytes;
    state.descriptors.push_back(loaded);
  }
  tiles_[static_cast<size_t>(state.tile)].channels.push_back(static_cast<int>(channels_.size()));
  channels_.push_back(std::move(state));
  return {};
}

void ArraySim::LayFlow(const program::Flow& flow) {
  FlowState state;
  const auto index = static_cast<int>(flows_.size());
  const auto end_of = [&](const program::ChannelId& id) {
    const std::vector<int>& on_tile = tiles_[static_cast<size_t>(TileIndex(id.tile))].channels;
    const auto known = std::find_if(on_tile.begin(), on_tile.end(), [&](int channel) {
      return channels_[static_cast<size_t>(channel)].id == id;
    });
    int channel = known == on_tile.end() ? FindShimChannel(id) : *known;
    if (channel < 0) {
      channel = static_cast<int>(channels_.size());
      ChannelState& added = channels_.emplace_back();
      added.id = id;
      added.tile = TileIndex(id.tile);
      shim_channels_[ShimSlot(id)] = channel;
    }
    channels_[static_cast<size_t>(channel)].flow = index;
    return channel;
  };
  double word_cycles = profile_.dma.stream_word_cycles;
  state.source = end_of(flow.source);
  for (const program::ChannelId& to : flow.destinations) {
    state.destinations.push_back(end_of(to));
    if (to.tile.row != 0) continue;
    word_cycles = std::max(word_cycles, profile_.dma.s2mm_word_cycles);
    state.ddr = kDdrWrites;
    state.ddr_channel = state.destinations.back();
  }
  if (flow.source.tile.row == 0) {
    word_cycles = std::max(word_cycles, profile_.dma.mm2s_word_cycles);
    // From shim to shim, the read is the one that counts.
    state.ddr = kDdrReads;
    state.ddr_channel = state.source;
  }
  state.word_ps = Ps(word_cycles);
  flows_.push_back(std::move(state));
}

size_t ArraySim::ShimSlot(const program::ChannelId& id) const {
  const int per_column = npu_.shim.s2mm_channels + npu_.shim.mm2s_channels;
  const int first = id.direction == program::Direction::kS2mm ? 0 : npu_.shim.s2mm_channels;
  const int slot = (id.tile.column * per_column) + first + id.channel;
  return static_cast<size_t>(slot);
}

int ArraySim::FindShimChannel(const program::ChannelId& id) const {
  const int channels =
      id.direction == program::Direction::kS2mm ? npu_.shim.s2mm_channels : npu_.shim.mm2s_channels;
  if (TileIndex(id.tile) < 0 || id.tile.row != 0 || id.channel < 0 || id.channel >= channels) {
    return -1;
  }
  return shim_channels_[ShimSlot(id)];
}

bool ArraySim::IsFedByMemoryTiles(const program::Tile& core) const {
  return std::any_of(program_->flows.begin(), program_->flows.end(), [&](const auto& flow) {
    return npu_.KindOf(flow.source.tile.row) == arch::TileKind::kMemory &&
           std::any_of(flow.destinations.begin(), flow.destinations.end(),
                       [&](const program::ChannelId& to) { return to.tile == core; });
  });
}

Result<ArraySim::LoadedKernel> ArraySim::LoadKernel(const program::Kernel& kernel,
                                                    const program::Tile& core,
                                                    KernelTable kernels) const {
  const KernelEntry* entry = FindKernel(kernels, kernel.name);
  if (entry == nullptr) {
    return Status(StatusCode::kNotFound, fmt::format("the array has no kernel '{}'", kernel.name));
  }
  if (entry->run == nullptr && data_ == DataMode::kMoved) {
    return Status(StatusCode::kUnimplemented,
                  fmt::format("kernel '{}' can be timed but computes nothing; expected a device "
                              "that only times",
                              kernel.name));
  }
  if (entry->work == KernelWork::kZero) {
    return LoadedKernel{entry, Ps(static_cast<double>(entry->ArgumentBytes(kernel, 0)) /
                                  profile_.core.zero_bytes_per_cycle)};
  }
  if (entry->work == KernelWork::kRequantise) {
    return LoadedKernel{
        entry, Ps(static_cast<double>(kernel.m * kernel.n) * profile_.core.requantise_cycles)};
  }
  const std::string& name =
      entry->unit == program::TileKernel::kScalar ? profile_.scalar_model : profile_.vector_model;
  const profile::KernelModel* model = profile_.FindModel(name, entry->output);
  if (model == nullptr) {
    return Status(StatusCode::kNotFound, fmt::format("profile {} has no kernel model '{}' with {} "
                                                     "output",
                                                     profile_.name, name, entry->output));
  }
  const double around_cycles = IsFedByMemoryTiles(core) ? model->loop_cycles : 0;
  return LoadedKernel{entry, Ps(model->CyclesOf(kernel.m, kernel.k, kernel.n) + around_cycles)};
}

Status ArraySim::LayCore(const program::Core& core, KernelTable kernels) {
  CoreState state;
  state.program = &core;
  state.tile = TileIndex(core.tile);
  for (const program::Kernel& kernel : core.kernels) {
    Result<LoadedKernel> loaded = LoadKernel(kernel, core.tile, kernels);
    if (!loaded.ok()) return loaded.status();
    state.kernels.push_back(*loaded);
  }
  std::vector<size_t> open;
  state.matching_end.resize(core.ops.size());
  for (size_t i = 0; i < core.ops.size(); ++i) {
    const program::CoreOp::Kind kind = core.ops[i].kind;
    if (kind == program::CoreOp::Kind::kForever || kind == program::CoreOp::Kind::kRepeat) {
      open.push_back(i);
    } else if (kind == program::CoreOp::Kind::kEnd) {
      state.matching_end[open.back()] = i;
      open.pop_back();
    }
  }
  tiles_[static_cast<size_t>(state.tile)].core = static_cast<int>(cores_.size());
  cores_.push_back(std::move(state));
  return {};
}

}  // namespace tilewave::device::vnpu
