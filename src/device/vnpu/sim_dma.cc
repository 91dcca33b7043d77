// The DMA channels and streams of ArraySim.

#include <fmt/format.h>

#include <algorithm>

#include "device/vnpu/array_sim.h"
#include "program/validate.h"

namespace tilewave::device::vnpu {

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
    const program::LockUse& acquire = Running(&state).program->acquire;
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
  StaticDescriptor& descriptor = Running(channel);
  const program::Descriptor& d = *descriptor.program;
  const program::TileBuffer& buffer = program_->buffers[static_cast<size_t>(d.buffer)];
  const int64_t begin =
      descriptor.first_byte + (descriptor.iteration * d.iteration.step_words * arch::kWordBytes);
  const int64_t end = begin + descriptor.extent_bytes;
  if (begin < buffer.address || end > buffer.address + buffer.bytes) {
    Fail(fmt::format("out of bounds: {} descriptor {} reaches byte {} of buffer {}, which has {}",
                     Name(channel->id), d.id, end - buffer.address, buffer.name, buffer.bytes));
    return false;
  }
  const TileState& tile = tiles_[static_cast<size_t>(channel->tile)];
  const bool writes = channel->id.direction == program::Direction::kS2mm;
  if (RaceWithKernel(tile, begin, end, writes)) {
    Fail(fmt::format("lock misuse: {} moves buffer {} while a kernel uses it", Name(channel->id),
                     buffer.name));
    return false;
  }
  for (const int index : tile.channels) {
    const ChannelState& other = channels_[static_cast<size_t>(index)];
    if (end <= other.begin || other.end <= begin) continue;
    if (writes || other.id.direction == program::Direction::kS2mm) {
      Fail(fmt::format("lock misuse: {} moves buffer {} while {} does", Name(channel->id),
                       buffer.name, Name(other.id)));
      return false;
    }
  }
  channel->begin = begin;
  channel->end = end;
  channel->remaining_words = descriptor.stream_words;
  if (data_ == DataMode::kMoved) {
    std::byte* memory = tiles_[static_cast<size_t>(channel->tile)].memory.data();
    channel->pattern = AccessPattern(memory + begin, d.length_words, d.dims, d.padding);
  }
  if (++descriptor.iteration >= d.iteration.size) descriptor.iteration = 0;
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
  channel->remaining_words = d.length_words;
  channel->ddr_bytes_per_word =
      static_cast<double>(arch::kWordBytes) *
      ServedPerByte(RunsOf(d.length_words, d.dims), profile_.ddr.run_overhead_bytes);
  if (data_ == DataMode::kMoved) {
    channel->pattern = AccessPattern(argument.data + start_bytes, d.length_words, d.dims);
  }
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
    return channels_[static_cast<size_t>(channel)].remaining_words;
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
  if (state.ddr < 0) {
    Post(now_ps + latency_ps + (words * state.word_ps), Event::Kind::kFlowDone, flow);
    return;
  }
  state.latency_ps = latency_ps;
  const double bytes = static_cast<double>(words) *
                       channels_[static_cast<size_t>(state.ddr_channel)].ddr_bytes_per_word;
  ddr_[static_cast<size_t>(state.ddr)].model.Start(flow, bytes, words * state.word_ps, now_ps);
  PostDdr(state.ddr);
}

/// Whoever posts last is heard: what was posted for another moment is stale.
void ArraySim::PostDdr(int direction) {
  Ddr& ddr = ddr_[static_cast<size_t>(direction)];
  if (ddr.model.NextEndPs() == ddr.posted_ps) return;
  ddr.posted_ps = ddr.model.NextEndPs();
  ddr.posted_order = next_order_;
  if (ddr.posted_ps != DdrModel::kNever) Post(ddr.posted_ps, Event::Kind::kDdr, direction);
}

void ArraySim::EndDdr(int direction, int64_t now_ps) {
  Ddr& ddr = ddr_[static_cast<size_t>(direction)];
  ddr.posted_ps = DdrModel::kNever;
  // All that end now make room before any of them goes on.
  for (int flow = ddr.model.TakeEnded(now_ps); flow >= 0; flow = ddr.model.TakeEnded(now_ps)) {
    Post(now_ps + flows_[static_cast<size_t>(flow)].latency_ps, Event::Kind::kFlowDone, flow);
  }
  PostDdr(direction);
}

void ArraySim::EndTransfer(int flow, int64_t now_ps) {
  FlowState& state = flows_[static_cast<size_t>(flow)];
  const int64_t words = std::exchange(state.moving_words, 0);
  state.idle_since_ps = now_ps;
  if (data_ == DataMode::kMoved) MoveData(state, words);
  channels_[static_cast<size_t>(state.source)].remaining_words -= words;
  for (const int to : state.destinations) {
    channels_[static_cast<size_t>(to)].remaining_words -= words;
  }
  const auto end_if_done = [&](int channel) {
    if (channels_[static_cast<size_t>(channel)].remaining_words == 0) {
      EndDescriptor(channel, now_ps);
    }
  };
  end_if_done(state.source);
  for (const int to : state.destinations) end_if_done(to);
  TryFlow(flow, now_ps);
}

void ArraySim::MoveData(const FlowState& flow, int64_t words) {
  constexpr auto kMost = static_cast<int64_t>(kStreamBytes) / arch::kWordBytes;
  AccessPattern& source = channels_[static_cast<size_t>(flow.source)].pattern;
  while (words > 0) {
    const int64_t piece = std::min(words, kMost);
    const std::byte* from = source.Take(piece, stream_.data());
    for (const int to : flow.destinations) {
      channels_[static_cast<size_t>(to)].pattern.Put(from, piece);
    }
    words -= piece;
  }
}

void ArraySim::EndDescriptor(int channel, int64_t now_ps) {
  ChannelState& state = channels_[static_cast<size_t>(channel)];
  state.phase = ChannelState::Phase::kStarting;
  state.begin = state.end = 0;
  if (state.program == nullptr) return EndExecution(channel, now_ps);
  const StaticDescriptor& ended = Running(&state);
  if (ended.next < 0) {
    state.phase = ChannelState::Phase::kIdle;
  } else {
    state.descriptor = ended.next;
    Post(now_ps + Ps(profile_.dma.descriptor_cycles), Event::Kind::kChannelReady, channel);
  }
  ReleaseLock(ended.program->release, now_ps);
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
