// The locks and cores of ArraySim.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "device/vnpu/array_sim.h"

namespace tilewave::device::vnpu {
namespace {

/// Arguments of a call, and scalars of one: no kernel takes more of either.
constexpr size_t kMostKernelInputs = 3;

}  // namespace

bool ArraySim::TryAcquire(const program::LockUse& use) {
  if (use.lock < 0) return true;
  int& value = locks_[static_cast<size_t>(use.lock)].value;
  if (value < use.value) return false;
  value -= use.value;
  return true;
}

void ArraySim::ReleaseLock(const program::LockUse& use, int64_t now_ps) {
  if (use.lock < 0) return;
  int& value = locks_[static_cast<size_t>(use.lock)].value;
  value += use.value;
  if (value > npu_.max_lock_value) {
    const program::Lock& lock = program_->locks[static_cast<size_t>(use.lock)];
    return Fail(fmt::format("lock misuse: lock {} of {} released to {}; it holds at most {}",
                            lock.name, Name(lock.tile), value, npu_.max_lock_value));
  }
  WakeLock(use.lock, now_ps);
}

/// Lets everyone who waits try again, in order; who fails waits on.
void ArraySim::WakeLock(int lock, int64_t now_ps) {
  LockState& state = locks_[static_cast<size_t>(lock)];
  // Each is taken from its list before it is woken, as waking may put it, or another, back.
  const size_t channels = state.waiting_channels.size();
  for (size_t i = 0; i < channels; ++i) {
    const int channel = state.waiting_channels.front();
    state.waiting_channels.erase(state.waiting_channels.begin());
    BeginDescriptor(channel, now_ps);
  }
  const size_t cores = state.waiting_cores.size();
  for (size_t i = 0; i < cores; ++i) {
    const int core = state.waiting_cores.front();
    state.waiting_cores.erase(state.waiting_cores.begin());
    StepCore(core, now_ps);
  }
}

/// Executes one operation; whatever takes time posts the next step.
void ArraySim::StepCore(int core, int64_t now_ps) {
  using Kind = program::CoreOp::Kind;
  CoreState& state = cores_[static_cast<size_t>(core)];
  if (state.calling) {
    state.calling = false;
    state.in_use.clear();
    ++state.next;
  }
  if (state.next >= state.program->ops.size()) return;
  const program::CoreOp& op = state.program->ops[state.next];
  // A cycle for every operation, so that no loop turns without time passing.
  int64_t cost_ps = Ps(profile_.core.lock_cycles);
  switch (op.kind) {
    case Kind::kForever:
    case Kind::kRepeat:
      if (!EnterLoop(&state, op)) return;
      break;
    case Kind::kEnd: {
      CoreState::Loop& loop = state.loops.back();
      if (loop.forever || --loop.left > 0) {
        state.next = loop.begin;
      } else {
        state.loops.pop_back();
        ++state.next;
      }
      break;
    }
    case Kind::kAcquire:
      if (!TryAcquire(op.use)) {
        if (state.waiting_lock < 0) state.since_ps = now_ps;
        state.waiting_lock = op.use.lock;
        locks_[static_cast<size_t>(op.use.lock)].waiting_cores.push_back(core);
        return;
      }
      state.waiting_lock = -1;
      ++state.next;
      break;
    case Kind::kRelease:
      ++state.next;
      ReleaseLock(op.use, now_ps);
      break;
    case Kind::kCall:
      CallKernel(&state, op);
      cost_ps = state.kernels[static_cast<size_t>(op.index)].duration_ps;
      break;
    case Kind::kAdvance: {
      size_t& position = state.ring_position[static_cast<size_t>(op.index)];
      position =
          (position + 1) % state.program->rings[static_cast<size_t>(op.index)].buffers.size();
      ++state.next;
      break;
    }
  }
  Post(now_ps + cost_ps, Event::Kind::kCoreStep, core);
}

bool ArraySim::EnterLoop(CoreState* core, const program::CoreOp& op) {
  if (op.kind == program::CoreOp::Kind::kForever) {
    core->loops.push_back({core->next + 1, 0, true});
    ++core->next;
    return true;
  }
  uint32_t trips = 0;
  if (!ReadParameter(op.index, &trips)) return false;
  if (trips == 0) {
    core->next = core->matching_end[core->next] + 1;
    return true;
  }
  core->loops.push_back({core->next + 1, trips, false});
  ++core->next;
  return true;
}

bool ArraySim::ReadParameter(int index, uint32_t* value) {
  const std::optional<uint32_t>& written = parameters_[static_cast<size_t>(index)];
  if (!written) {
    const program::Parameter& parameter = program_->parameters[static_cast<size_t>(index)];
    Fail(fmt::format("{} reads parameter {}, which no stream has written", Name(parameter.tile),
                     parameter.name));
    return false;
  }
  *value = *written;
  return true;
}

void ArraySim::CallKernel(CoreState* core, const program::CoreOp& op) {
  const LoadedKernel& loaded = core->kernels[static_cast<size_t>(op.index)];
  const program::Kernel& kernel = core->program->kernels[static_cast<size_t>(op.index)];
  if (static_cast<int>(op.arguments.size()) != loaded.entry->argument_count()) {
    return Fail(fmt::format("kernel {} is called with {} arguments; it takes {}", kernel.name,
                            op.arguments.size(), loaded.entry->argument_count()));
  }
  if (static_cast<int>(op.scalars.size()) != loaded.entry->scalar_count()) {
    return Fail(fmt::format("kernel {} is called with {} scalars; it takes {}", kernel.name,
                            op.scalars.size(), loaded.entry->scalar_count()));
  }
  std::array<uint32_t, kMostKernelInputs> values{};
  for (size_t i = 0; i < op.scalars.size(); ++i) {
    if (!ReadParameter(op.scalars[i], &values[i])) return;
  }
  const std::span<const uint32_t> scalars(values.data(), op.scalars.size());
  if (Status s = loaded.entry->CheckScalars(scalars); !s.ok()) {
    status_ = std::move(s);
    return;
  }
  TileState& tile = tiles_[static_cast<size_t>(core->tile)];
  std::array<std::byte*, kMostKernelInputs> pointers{};
  for (size_t i = 0; i < op.arguments.size(); ++i) {
    const auto ring = static_cast<size_t>(op.arguments[i].ring);
    const int index = core->program->rings[ring].buffers[core->ring_position[ring]];
    const program::TileBuffer& buffer = program_->buffers[static_cast<size_t>(index)];
    const int64_t bytes = loaded.entry->ArgumentBytes(kernel, static_cast<int>(i));
    if (op.arguments[i].offset_bytes + bytes > buffer.bytes) {
      return Fail(fmt::format("out of bounds: kernel {} reaches byte {} of buffer {}, which has {}",
                              kernel.name, op.arguments[i].offset_bytes + bytes, buffer.name,
                              buffer.bytes));
    }
    const int64_t begin = buffer.address + op.arguments[i].offset_bytes;
    const int64_t end = begin + bytes;
    const bool writes = loaded.entry->Writes(static_cast<int>(i));
    for (const int channel : tile.channels) {
      const ChannelState& other = channels_[static_cast<size_t>(channel)];
      const bool overlaps = other.begin < end && begin < other.end;
      if (overlaps && (writes || other.id.direction == program::Direction::kS2mm)) {
        return Fail(fmt::format("lock misuse: kernel {} uses buffer {} while {} moves it",
                                kernel.name, buffer.name, Name(other.id)));
      }
    }
    core->in_use.push_back({begin, end, writes});
    if (data_ == DataMode::kMoved) pointers[i] = tile.memory.data() + begin;
  }
  if (data_ == DataMode::kMoved) {
    loaded.entry->run(kernel, {pointers.data(), op.arguments.size()}, scalars);
  }
  kernel_ps_ += loaded.duration_ps;
  core->calling = true;
}

bool ArraySim::RaceWithKernel(const TileState& tile, int64_t begin, int64_t end,
                              bool writes) const {
  if (tile.core < 0) return false;
  const CoreState& core = cores_[static_cast<size_t>(tile.core)];
  return std::any_of(core.in_use.begin(), core.in_use.end(), [&](const CoreState::Range& range) {
    return range.begin < end && begin < range.end && (writes || range.writes);
  });
}

}  // namespace tilewave::device::vnpu
