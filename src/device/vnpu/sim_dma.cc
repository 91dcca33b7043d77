// The DMA channels and streams of ArraySim.

#include <fmt/format.h>

#include <algorithm>

#include "device/vnpu/array_sim.h"
#include "program/validate.h"

namespace tilewave::device::vnpu {

const program::Descriptor& ArraySim::StaticDescriptor(const ChannelState& channel) const {
  return channel.program->descriptors[static_cast<size_t>(channel.descriptor)];
}

void ArraySim::StartTask(int channel, int64_t now_ps) {
  ChannelState& state = channels_[static_cast<size_t>(channel)];
  state.running = state.waiting.front();
  state.waiting.erase(state.waiting.begin());
  state.execution = 0;
  state.phase = ChannelState::Phase::kStarting;
  const profile::DmaCosts& dma = profile_.dma;
  const bool first = !state.used_in_launch;
  state.used_in_launch = true;
  const double cycles = state.id.direction == program::Direction::kMm2s
                            ? (first ? dma.mm2s_first_cycles : dma.mm2s_task_cycles)
                            : (first ? dma.s2mm_first_cycles : dma.s2mm_task_cycles);
  Post(now_ps + Ps(cycles), Event::Kind::kChannelReady, channel);
}

void ArraySim::BeginDescriptor(int channel, int64_t now_ps) {
  ChannelState& state = channels_[static_cast<size_t>(channel)];
  if (state.program != nullptr) {
    const program::LockUse& acquire = StaticDescriptor(state).acquire;
    if (!TryAcquire(acquire)) {
      if (state.phase != ChannelState::Phase::kWaitingForLock) state.since_ps = now_ps;
      state.phase = ChannelState::Phase::kWaitingForLock;
      locks_[static_cast<size_t>(acquire.lock)].waiting_channels.push_back(channel);
      return;
    }
  }
  if (state.program != nullptr ? !OpenPattern(&state) : !OpenShimPattern(&state)) return;
  state.phase = ChannelState::Phase::kStreaming;
  state.since_ps = now_ps;
  if (state.flow >= 0) TryFlow(state.flow, now_ps);
}

bool ArraySim::OpenPattern(ChannelState* channel) {
  const program::Descriptor& d = StaticDescriptor(*channel);
  const program::TileBuffer& buffer = program_->buffers[static_cast<size_t>(d.buffer)];
  const int64_t last_bytes =
      (d.offset_words + program::ExtentWords(d.length_words, d.dims, {})) * arch::kWordBytes;
  if (d.offset_words < 0 || last_bytes > buffer.bytes) {
    Fail(fmt::format("out of bounds: {} descriptor {} reaches byte {} of buffer {}, which has {}",
                     Name(channel->id), d.id, last_bytes, buffer.name, buffer.bytes));
    return false;
  }
  std::byte* base = TileMemory(buffer.tile) + buffer.address;
  const std::byte* begin = base + (d.offset_words * arch::kWordBytes);
  const std::byte* end = base + last_bytes;
  const bool writes = channel->id.direction == program::Direction::kS2mm;
  if (RaceWith(begin, end, writes)) {
    Fail(fmt::format("lock misuse: {} moves buffer {} while a kernel uses it", Name(channel->id),
                     buffer.name));
    return false;
  }
  for (const ChannelState& other : channels_) {
    if (other.begin == nullptr || end <= other.begin || other.end <= begin) continue;
    if (writes || other.id.direction == program::Direction::kS2mm) {
      Fail(fmt::format("lock misuse: {} moves buffer {} while {} does", Name(channel->id),
                       buffer.name, Name(other.id)));
      return false;
    }
  }
  channel->begin = begin;
  channel->end = end;

  channel->pattern =
      AccessPattern(base + (d.offset_words * arch::kWordBytes), d.length_words, d.dims);
  return true;
}

bool ArraySim::OpenShimPattern(ChannelState* channel) {
  ShimDescriptor& descriptor = shim_descriptors_[static_cast<size_t>(channel->id.tile.column)]
                                                [static_cast<size_t>(channel->running.descriptor)];
  const program::WriteDescriptor& d = descriptor.pattern;
  const Argument& argument = arguments_[static_cast<size_t>(d.argument)];
  const int64_t start_words =
      descriptor.iteration * (d.iteration.size > 1 ? d.iteration.step_words : 0);
  const int64_t start_bytes = d.offset_bytes + (start_words * arch::kWordBytes);
  const int64_t extent_bytes = program::ExtentWords(d.length_words, d.dims, {}) * arch::kWordBytes;
  if (start_bytes < 0 || start_bytes > argument.bytes ||
      extent_bytes > argument.bytes - start_bytes) {
    Fail(fmt::format(
        "out of bounds: {} descriptor {} reaches byte {} of buffer {} of the launch, which has {}",
        Name(channel->id), channel->running.descriptor, start_bytes + extent_bytes, d.argument,
        argument.bytes));
    return false;
  }
  channel->pattern = AccessPattern(argument.data + start_bytes, d.length_words, d.dims);
  descriptor.iteration = (descriptor.iteration + 1) % d.iteration.size;
  return true;
}

void ArraySim::TryFlow(int flow, int64_t now_ps) {
  FlowState& state = flows_[static_cast<size_t>(flow)];
  if (state.moving_words > 0) return;
  const auto streaming = [this](int channel) {
    return channels_[static_cast<size_t>(channel)].phase == ChannelState::Phase::kStreaming;
  };
  const auto left = [this](int channel) {
    return channels_[static_cast<size_t>(channel)].pattern.remaining_words();
  };
  if (!streaming(state.source)) return;
  int64_t words = left(state.source);
  for (const int to : state.destinations) {
    if (!streaming(to)) return;  // One receiver that is not ready stops all of them.
    words = std::min(words, left(to));
  }
  const bool flowing = state.idle_since_ps == now_ps;
  const int64_t latency_ps = flowing ? 0 : Ps(profile_.dma.stream_latency_cycles);
  state.moving_words = words;
  Post(now_ps + latency_ps + (words * state.word_ps), Event::Kind::kFlowDone, flow);
}

void ArraySim::EndTransfer(int flow, int64_t now_ps) {
  FlowState& state = flows_[static_cast<size_t>(flow)];
  const int64_t words = std::exchange(state.moving_words, 0);
  state.idle_since_ps = now_ps;
  AccessPattern& source = channels_[static_cast<size_t>(state.source)].pattern;
  for (const int to : state.destinations) {
    AccessPattern::Copy(source, &channels_[static_cast<size_t>(to)].pattern, words);
  }
  source.Skip(words);
  const auto end_if_done = [&](int channel) {
    const ChannelState& each = channels_[static_cast<size_t>(channel)];
    if (each.pattern.remaining_words() == 0) EndDescriptor(channel, now_ps);
  };
  end_if_done(state.source);
  for (const int to : state.destinations) end_if_done(to);
  TryFlow(flow, now_ps);
}

void ArraySim::EndDescriptor(int channel, int64_t now_ps) {
  ChannelState& state = channels_[static_cast<size_t>(channel)];
  state.phase = ChannelState::Phase::kStarting;
  state.begin = state.end = nullptr;
  if (state.program == nullptr) return EndExecution(channel, now_ps);
  const program::Descriptor& ended = StaticDescriptor(state);
  const std::vector<program::Descriptor>& all = state.program->descriptors;
  const auto next = std::find_if(all.begin(), all.end(),
                                 [&](const program::Descriptor& d) { return d.id == ended.next; });
  if (next == all.end()) {
    state.phase = ChannelState::Phase::kIdle;
  } else {
    state.descriptor = static_cast<int>(next - all.begin());
    Post(now_ps + Ps(profile_.dma.descriptor_cycles), Event::Kind::kChannelReady, channel);
  }
  ReleaseLock(ended.release, now_ps);
}

void ArraySim::EndExecution(int channel, int64_t now_ps) {
  ChannelState& state = channels_[static_cast<size_t>(channel)];
  if (++state.execution < state.running.executions) {
    Post(now_ps + Ps(profile_.dma.descriptor_cycles), Event::Kind::kChannelReady, channel);
    return;
  }
  state.phase = ChannelState::Phase::kIdle;
  if (state.running.token) {
    if (awaited_channel_ == channel) {
      awaited_channel_ = -1;
      Post(now_ps + Ps(profile_.controller.sync_cycles), Event::Kind::kController, 0);
    } else {
      ++state.tokens;
    }
  }
  if (!state.waiting.empty()) StartTask(channel, now_ps);
}

}  // namespace tilewave::device::vnpu
