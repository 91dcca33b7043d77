#include "device/vnpu/array_sim.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "device/vnpu/picoseconds.h"

namespace tilewave::device::vnpu {
namespace {

/// What nobody has written yet: no plausible operand, and as a trip count far too large.
constexpr int kPoison = 0xCB;

/// No launch of a legal program comes near this; one that does turns in circles.
constexpr int64_t kMaxEventsPerLaunch = int64_t{1} << 28;

}  // namespace

ArraySim::ArraySim(std::shared_ptr<const program::ArrayProgram> program,
                   const profile::Profile& profile)
    : program_(std::move(program)),
      profile_(profile),
      npu_(arch::NpuOf(program_->spec.arch)),
      ps_per_cycle_(1e3 / profile.clock_ghz) {}

Result<std::unique_ptr<ArraySim>> ArraySim::Make(
    std::shared_ptr<const program::ArrayProgram> program, const profile::Profile& profile,
    KernelTable kernels) {
  if (program->spec.arch != profile.arch) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("an array program for {} on profile {}, which is an {}",
                              arch::NpuOf(program->spec.arch).name, profile.name,
                              arch::NpuOf(profile.arch).name));
  }
  auto sim = std::make_unique<ArraySim>(std::move(program), profile);
  if (Status s = sim->Lay(kernels); !s.ok()) return s;
  sim->Reset();
  return sim;
}

int64_t ArraySim::Ps(double cycles) const { return std::llround(cycles * ps_per_cycle_); }

Status ArraySim::Lay(KernelTable kernels) {
  for (const program::Channel& channel : program_->channels) {
    ChannelState state;
    state.id = channel.id;
    state.program = &channel;
    channels_.push_back(std::move(state));
  }
  for (const program::Flow& flow : program_->flows) {
    FlowState state;
    const auto index = static_cast<int>(flows_.size());
    const auto end_of = [&](const program::ChannelId& id) {
      int channel = FindChannel(id);
      if (channel < 0) {
        channel = static_cast<int>(channels_.size());
        channels_.emplace_back().id = id;
      }
      channels_[static_cast<size_t>(channel)].flow = index;
      return channel;
    };
    double word_cycles = profile_.dma.stream_word_cycles;
    state.source = end_of(flow.source);
    if (flow.source.tile.row == 0) word_cycles = profile_.dma.mm2s_word_cycles;
    for (const program::ChannelId& to : flow.destinations) {
      state.destinations.push_back(end_of(to));
      if (to.tile.row == 0) word_cycles = std::max(word_cycles, profile_.dma.s2mm_word_cycles);
    }
    state.word_ps = Ps(word_cycles);
    flows_.push_back(std::move(state));
  }
  locks_.resize(program_->locks.size());
  shim_descriptors_.assign(static_cast<size_t>(npu_.columns),
                           std::vector<ShimDescriptor>(static_cast<size_t>(npu_.shim.descriptors)));
  for (const program::Core& core : program_->cores) {
    if (Status s = LoadCore(core, kernels); !s.ok()) return s;
  }
  for (const program::TileBuffer& buffer : program_->buffers) AddMemory(buffer.tile);
  for (const program::Parameter& parameter : program_->parameters) AddMemory(parameter.tile);

  for (ChannelState& channel : channels_) {
    channel.waiting.reserve(static_cast<size_t>(npu_.shim.task_queue_depth));
  }
  return {};
}

Status ArraySim::LoadCore(const program::Core& core, KernelTable kernels) {
  CoreState state;
  state.program = &core;
  for (const program::Kernel& kernel : core.kernels) {
    const KernelEntry* entry = FindKernel(kernels, kernel.name);
    if (entry == nullptr) {
      return {StatusCode::kNotFound, fmt::format("the array has no kernel '{}'", kernel.name)};
    }
    double cycles = 0;
    if (entry->work == KernelWork::kZero) {
      cycles =
          static_cast<double>(entry->ArgumentBytes(kernel, 0)) / profile_.core.zero_bytes_per_cycle;
    } else {
      const std::string& name = entry->unit == program::TileKernel::kScalar ? profile_.scalar_model
                                                                            : profile_.vector_model;
      const profile::KernelModel* model = profile_.FindModel(name, entry->output);
      if (model == nullptr) {
        return {StatusCode::kNotFound,
                fmt::format("profile {} has no kernel model '{}' with {} output", profile_.name,
                            name, entry->output)};
      }
      cycles = model->CyclesOf(kernel.m, kernel.k, kernel.n);
    }
    state.kernels.push_back({entry, Ps(cycles)});
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
  cores_.push_back(std::move(state));
  return {};
}

void ArraySim::AddMemory(const program::Tile& tile) {
  if (TileMemory(tile) != nullptr) return;
  memory_tiles_.push_back(tile);
  memories_.emplace_back(static_cast<size_t>(npu_.LimitsOf(tile.row).memory_bytes));
}

std::byte* ArraySim::TileMemory(const program::Tile& tile) {
  const auto found = std::find(memory_tiles_.begin(), memory_tiles_.end(), tile);
  if (found == memory_tiles_.end()) return nullptr;
  return memories_[static_cast<size_t>(found - memory_tiles_.begin())].data();
}

void ArraySim::Reset() {
  events_.clear();
  next_order_ = 0;
  for (base::AlignedBuffer& memory : memories_) {
    std::memset(memory.data(), kPoison, memory.bytes());
  }
  for (size_t i = 0; i < locks_.size(); ++i) locks_[i] = {program_->locks[i].initial, {}, {}};
  for (FlowState& flow : flows_) {
    flow.moving_words = 0;
    flow.idle_since_ps = -1;
  }
  for (auto& column : shim_descriptors_) std::fill(column.begin(), column.end(), ShimDescriptor());
  parameter_written_.assign(program_->parameters.size(), false);
  now_ps_ = 0;
  for (size_t i = 0; i < channels_.size(); ++i) {
    ChannelState& channel = channels_[i];
    channel.phase = ChannelState::Phase::kIdle;
    channel.descriptor = 0;
    channel.begin = channel.end = nullptr;
    channel.waiting.clear();
    channel.execution = 0;
    channel.controller_set = false;
    channel.tokens = 0;
    if (channel.program != nullptr) {
      channel.phase = ChannelState::Phase::kStarting;
      Post(0, Event::Kind::kChannelReady, static_cast<int>(i));
    }
  }
  for (size_t i = 0; i < cores_.size(); ++i) {
    CoreState& core = cores_[i];
    core.ring_position.assign(core.program->rings.size(), 0);
    core.loops.clear();
    core.next = 0;
    core.waiting_lock = -1;
    core.calling = false;
    core.in_use.clear();
    Post(0, Event::Kind::kCoreStep, static_cast<int>(i));
  }
}

void ArraySim::Post(int64_t time_ps, Event::Kind kind, int index) {
  events_.push_back({time_ps, next_order_++, kind, index});
  std::push_heap(events_.begin(), events_.end());
}

void ArraySim::Fail(std::string what) {
  if (status_.ok()) status_ = {StatusCode::kInternal, std::move(what)};
}

ArraySim::Outcome ArraySim::Run(std::span<const uint32_t> stream,
                                std::span<const Argument> arguments, int64_t start_ps) {
  status_ = {};
  ended_ = false;
  kernel_ps_ = 0;
  awaited_channel_ = -1;
  arguments_ = arguments;
  for (ChannelState& channel : channels_) channel.used_in_launch = false;
  // Addresses of the last launch's buffers mean nothing in this one.
  for (auto& column : shim_descriptors_) {
    for (ShimDescriptor& descriptor : column) descriptor.patched = false;
  }
  Result<program::StreamReader> reader = program::StreamReader::Open(stream);
  if (!reader.ok()) return {reader.status(), start_ps, 0};
  if (reader->generation() != npu_.stream_generation || reader->columns() > npu_.columns) {
    return {Status(StatusCode::kInvalidArgument,
                   fmt::format("a stream for generation {} with {} columns on {}",
                               reader->generation(), reader->columns(), npu_.name)),
            start_ps, 0};
  }
  reader_ = *std::move(reader);
  Post(start_ps, Event::Kind::kController, 0);
  Drain();
  return {status_, end_ps_, kernel_ps_};
}

void ArraySim::Drain() {
  for (int64_t handled = 0; !ended_ && status_.ok(); ++handled) {
    if (events_.empty()) {
      Fail(DeadlockText());
      end_ps_ = now_ps_ + PsOfUs(profile_.launch.recovery_us);
      return;
    }
    if (handled == kMaxEventsPerLaunch) {
      Fail(fmt::format("the launch has not ended after {} events", handled));
      break;
    }
    std::pop_heap(events_.begin(), events_.end());
    const Event event = events_.back();
    events_.pop_back();
    now_ps_ = event.time_ps;
    Handle(event);
  }
  end_ps_ = now_ps_;
}

void ArraySim::Handle(const Event& event) {
  switch (event.kind) {
    case Event::Kind::kChannelReady:
      return BeginDescriptor(event.index, event.time_ps);
    case Event::Kind::kFlowDone:
      return EndTransfer(event.index, event.time_ps);
    case Event::Kind::kCoreStep:
      return StepCore(event.index, event.time_ps);
    case Event::Kind::kController:
      return StepController(event.time_ps);
  }
}

std::string ArraySim::DeadlockText() const {
  const auto us = [](int64_t ps) { return static_cast<double>(ps) / kPsPerUs; };
  std::string text = fmt::format("deadlock at {:.3f} us:", us(now_ps_));
  if (awaited_channel_ >= 0) {
    text += fmt::format(" the controller awaits a token of {} since {:.3f} us;",
                        Name(channels_[static_cast<size_t>(awaited_channel_)].id),
                        us(awaiting_since_ps_));
  }
  const auto lock_text = [&](const program::LockUse& use) {
    const program::Lock& lock = program_->locks[static_cast<size_t>(use.lock)];
    return fmt::format("lock {} to be {} (it is {})", lock.name, use.value,
                       locks_[static_cast<size_t>(use.lock)].value);
  };
  for (const CoreState& core : cores_) {
    if (core.waiting_lock < 0) continue;
    text += fmt::format(" {} waits for {} since {:.3f} us;", Name(core.program->tile),
                        lock_text(core.program->ops[core.next].use), us(core.since_ps));
  }
  for (const ChannelState& channel : channels_) {
    if (channel.phase == ChannelState::Phase::kWaitingForLock) {
      text += fmt::format(" {} waits for {} since {:.3f} us;", Name(channel.id),
                          lock_text(StaticDescriptor(channel).acquire), us(channel.since_ps));
    } else if (channel.phase == ChannelState::Phase::kStreaming) {
      text +=
          fmt::format(" {} waits for its stream with {} words to go since {:.3f} us;",
                      Name(channel.id), channel.pattern.remaining_words(), us(channel.since_ps));
    }
  }
  text.pop_back();
  return text;
}

int ArraySim::FindChannel(const program::ChannelId& id) const {
  for (size_t i = 0; i < channels_.size(); ++i) {
    if (channels_[i].id == id) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace tilewave::device::vnpu
