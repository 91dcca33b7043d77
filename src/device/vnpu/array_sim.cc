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

constexpr double kBytesPerPsOfGbps = 1e-3;

/// No launch of a legal program comes near this; one that does turns in circles.
constexpr int64_t kMaxEventsPerLaunch = int64_t{1} << 28;

}  // namespace

ArraySim::ArraySim(std::shared_ptr<const program::ArrayProgram> program,
                   const profile::Profile& profile, DataMode data)
    : program_(std::move(program)),
      profile_(profile),
      npu_(arch::NpuOf(program_->spec.arch)),
      data_(data),
      ps_per_cycle_(1e3 / profile.clock_ghz),
      ddr_{Ddr{DdrModel(profile.ddr.read_gbps * kBytesPerPsOfGbps)},
           Ddr{DdrModel(profile.ddr.write_gbps * kBytesPerPsOfGbps)}} {}

Result<std::unique_ptr<ArraySim>> ArraySim::Make(
    std::shared_ptr<const program::ArrayProgram> program, const profile::Profile& profile,
    KernelTable kernels, DataMode data) {
  if (program->spec.arch != profile.arch) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("an array program for {} on profile {}, which is an {}",
                              arch::NpuOf(program->spec.arch).name, profile.name,
                              arch::NpuOf(profile.arch).name));
  }
  auto sim = std::make_unique<ArraySim>(std::move(program), profile, data);
  if (Status s = sim->Lay(kernels); !s.ok()) return s;
  sim->Reset();
  return sim;
}

int64_t ArraySim::Ps(double cycles) const { return std::llround(cycles * ps_per_cycle_); }

void ArraySim::Reset() {
  events_.clear();
  next_order_ = 0;
  for (TileState& tile : tiles_) {
    if (tile.memory.bytes() > 0) std::memset(tile.memory.data(), kPoisonByte, tile.memory.bytes());
  }
  for (size_t i = 0; i < locks_.size(); ++i) locks_[i] = {program_->locks[i].initial, {}, {}};
  for (Ddr& ddr : ddr_) {
    ddr.model.Clear();
    ddr.posted_ps = DdrModel::kNever;
  }
  for (FlowState& flow : flows_) {
    flow.moving_words = 0;
    flow.idle_since_ps = -1;
  }
  for (auto& column : shim_descriptors_) std::fill(column.begin(), column.end(), ShimDescriptor());
  parameters_.assign(program_->parameters.size(), std::nullopt);
  now_ps_ = 0;
  for (size_t i = 0; i < channels_.size(); ++i) {
    ChannelState& channel = channels_[i];
    channel.phase = ChannelState::Phase::kIdle;
    channel.descriptor = 0;
    channel.begin = channel.end = 0;
    for (StaticDescriptor& each : channel.descriptors) each.iteration = 0;
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
    // The memory has got another event since: nothing happens at this moment.
    const bool stale = event.kind == Event::Kind::kDdr &&
                       event.order != ddr_[static_cast<size_t>(event.index)].posted_order;
    if (stale) continue;
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
    case Event::Kind::kDdr:
      return EndDdr(event.index, event.time_ps);
    case Event::Kind::kCoreStep:
      return StepCore(event.index, event.time_ps);
    case Event::Kind::kController:
      return StepController(event.time_ps);
  }
}

}  // namespace tilewave::device::vnpu
