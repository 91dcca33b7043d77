// What ArraySim says when nothing can happen any more.

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "device/vnpu/array_sim.h"
#include "device/vnpu/picoseconds.h"

namespace tilewave::device::vnpu {
namespace {

/// As many as a person reads; an array has hundreds.
constexpr size_t kMostWaiting = 16;

double Us(int64_t ps) { return static_cast<double>(ps) / kPsPerUs; }

}  // namespace

std::string ArraySim::LockText(const program::LockUse& use) const {
  return fmt::format("lock {} to be {} (it is {})",
                     program_->locks[static_cast<size_t>(use.lock)].name, use.value,
                     locks_[static_cast<size_t>(use.lock)].value);
}

/// The receivers without which a broadcast does not go on; empty if there is only one receiver or
/// the source is what everybody waits for.
std::string ArraySim::NotReadyText(const ChannelState& channel) const {
  if (channel.flow < 0) return "";
  const FlowState& flow = flows_[static_cast<size_t>(channel.flow)];
  const ChannelState& source = channels_[static_cast<size_t>(flow.source)];
  if (flow.destinations.size() < 2 || &source != &channel) return "";
  std::string names;
  for (const int to : flow.destinations) {
    const ChannelState& receiver = channels_[static_cast<size_t>(to)];
    if (receiver.phase == ChannelState::Phase::kStreaming) continue;
    names += (names.empty() ? "" : ", ") + Name(receiver.id);
  }
  return names.empty() ? "" : fmt::format(", which {} cannot take,", names);
}

std::string ArraySim::DeadlockText() const {
  std::vector<std::string> waiting;
  if (awaited_channel_ >= 0) {
    waiting.push_back(fmt::format("the controller awaits a token of {} since {:.3f} us",
                                  Name(channels_[static_cast<size_t>(awaited_channel_)].id),
                                  Us(awaiting_since_ps_)));
  }
  for (const CoreState& core : cores_) {
    if (core.waiting_lock < 0) continue;
    waiting.push_back(fmt::format("{} waits for {} since {:.3f} us", Name(core.program->tile),
                                  LockText(core.program->ops[core.next].use), Us(core.since_ps)));
  }
  for (const ChannelState& channel : channels_) {
    if (channel.phase == ChannelState::Phase::kWaitingForLock) {
      const StaticDescriptor& descriptor =
          channel.descriptors[static_cast<size_t>(channel.descriptor)];
      waiting.push_back(fmt::format("{} waits for {} since {:.3f} us", Name(channel.id),
                                    LockText(descriptor.program->acquire), Us(channel.since_ps)));
    } else if (channel.phase == ChannelState::Phase::kStreaming) {
      waiting.push_back(fmt::format("{} waits for its stream with {} words to go{} since {:.3f} us",
                                    Name(channel.id), channel.remaining_words,
                                    NotReadyText(channel), Us(channel.since_ps)));
    }
  }
  std::string text = fmt::format("deadlock at {:.3f} us:", Us(now_ps_));
  for (size_t i = 0; i < waiting.size() && i < kMostWaiting; ++i) {
    text += fmt::format("{} {}", i == 0 ? "" : ";", waiting[i]);
  }
  if (waiting.size() > kMostWaiting) {
    text += fmt::format("; and {} more", waiting.size() - kMostWaiting);
  }
  return text;
}

}  // namespace tilewave::device::vnpu
