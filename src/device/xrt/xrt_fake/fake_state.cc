#include "device/xrt/xrt_fake/fake_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/checked_math.h"

namespace tilewave::device::xrt {
namespace {

constexpr int kPoison = 0xCB;
constexpr size_t kLine = arch::kCacheLineBytes;
constexpr size_t kPage = arch::kPageBytes;

std::byte* NextPage(std::byte* data) {
  const auto address = reinterpret_cast<uintptr_t>(data);
  return data + ((kPage - (address % kPage)) % kPage);
}

size_t WholePages(size_t bytes) {
  return static_cast<size_t>(
      base::RoundUp(static_cast<int64_t>(std::max<size_t>(bytes, 1)), arch::kPageBytes));
}

RunState StateOf(FakeFault fault) {
  switch (fault) {
    case FakeFault::kError:
      return RunState::kError;
    case FakeFault::kAbort:
      return RunState::kAbort;
    case FakeFault::kTimeout:
      return RunState::kTimeout;
    case FakeFault::kNoResponse:
      return RunState::kNoResponse;
    case FakeFault::kNone:
    case FakeFault::kHang:
    case FakeFault::kLie:
    case FakeFault::kStale:
    case FakeFault::kLost:
    case FakeFault::kCount:
      break;
  }
  return RunState::kCompleted;
}

}  // namespace

FakeMemory::FakeMemory(size_t bytes, std::atomic<int64_t>* alive, int64_t weight)
    : bytes_(WholePages(bytes)),
      alive_(alive),
      weight_(weight),
      storage_((2 * bytes_) + kPage),
      host_(NextPage(storage_.data())),
      device_(host_ + bytes_) {
  std::memset(host_, kPoison, 2 * bytes_);
  *alive_ += weight_;
}

void FakeMemory::Copy(SyncDirection direction, size_t offset, size_t bytes) {
  const size_t begin = offset / kLine * kLine;
  const size_t end = (offset + bytes + kLine - 1) / kLine * kLine;
  if (direction == SyncDirection::kToDevice) {
    std::memcpy(device_ + begin, host_ + begin, end - begin);
  } else {
    std::memcpy(host_ + begin, device_ + begin, end - begin);
  }
}

Status FakeState::Enter(FakeCall call) {
  ++calls[static_cast<size_t>(call)];
  const std::lock_guard<std::mutex> lock(mutex);
  EndHangs();
  if (refused_looks > 0 && (call == FakeCall::kPoll || call == FakeCall::kWait)) {
    --refused_looks;
    return {StatusCode::kUnavailable, "no answer"};
  }
  bool lost = false;
  Status s = faults.Draw(call, &lost);
  if (lost) AbortAll();
  return s;
}

int64_t FakeState::AllCalls() const {
  return std::accumulate(calls.begin(), calls.end(), int64_t{0});
}

Status FakeState::Submit(const std::shared_ptr<FakeCommand>& command) {
  if (refused_submissions > 0) {
    --refused_submissions;
    return {StatusCode::kUnavailable, "submission refused"};
  }
  std::deque<std::shared_ptr<FakeCommand>>& queue = command->context->in_flight;
  const auto in_flight = [&queue] {
    int submissions = 0;
    for (const auto& each : queue) submissions += each->submissions;
    return submissions;
  };
  while (!queue.empty() && in_flight() + command->submissions > arch::kMaxInFlight) {
    ++blocked_starts;
    const std::shared_ptr<FakeCommand> oldest = queue.front();
    Advance(oldest);
    if (!oldest->outcome.ended) {
      return {StatusCode::kDeadlineExceeded, "a submission beyond the limit would wait for ever"};
    }
  }
  if (Status s = SetFate(command.get()); !s.ok()) return s;
  command->outcome = {false, RunState::kQueued, 0, {}};
  for (const auto& run : command->runs) {
    run->state = RunState::kQueued;
    run->command = command;
  }
  queue.push_back(command);
  most_in_flight = std::max(most_in_flight, in_flight());
  return {};
}

Status FakeState::SetFate(FakeCommand* command) {
  if (planned.empty()) {
    command->fate = faults.DrawFate(command->runs.size());
  } else {
    command->fate = planned.front();
    planned.pop_front();
  }
  FakeContextState& context = *command->context;
  switch (command->fate.fault) {
    case FakeFault::kLost:
      AbortAll();
      return faults.Lose();
    case FakeFault::kStale:
      context.stale = true;
      for (const auto& each : context.in_flight) each->fate = {FakeFault::kAbort};
      break;
    case FakeFault::kHang:
      if (command->fate.hang_calls > 0) {
        command->hangs_until = AllCalls() + command->fate.hang_calls;
      }
      break;
    default:
      break;
  }
  if (context.stale) command->fate = {FakeFault::kError};
  return {};
}

void FakeState::EndHangs() {
  if (held) return;
  for (const auto& context : living) {
    if (context->in_flight.empty()) continue;
    const std::shared_ptr<FakeCommand> oldest = context->in_flight.front();
    const bool ends = oldest->fate.fault == FakeFault::kHang && oldest->hangs_until > 0 &&
                      AllCalls() >= oldest->hangs_until;
    if (ends && oldest->fate.writes_late) {
      oldest->fate = {};
    } else if (ends) {
      TimeOut(oldest);
    }
  }
}

void FakeState::TimeOut(const std::shared_ptr<FakeCommand>& hanging) {
  hanging->fate.fault = FakeFault::kTimeout;
  Execute(hanging);
}

void FakeState::AbortAll() {
  for (const auto& context : living) {
    EndAll(context.get(), RunState::kAbort, "the device was lost");
  }
}

void FakeState::Advance(const std::shared_ptr<FakeCommand>& command) {
  std::deque<std::shared_ptr<FakeCommand>>& queue = command->context->in_flight;
  while (!held && !command->outcome.ended && !queue.empty()) {
    const std::shared_ptr<FakeCommand> oldest = queue.front();
    if (oldest->fate.fault == FakeFault::kHang) {
      oldest->outcome.state = RunState::kRunning;
      return;
    }
    Execute(oldest);
  }
}

Outcome FakeState::Poll(const std::shared_ptr<FakeCommand>& command) {
  if (command->outcome.state == RunState::kQueued) {
    command->outcome.state = RunState::kRunning;  // And so it is at the next look, at the earliest.
  } else {
    Advance(command);
  }
  return command->outcome;
}

Outcome FakeState::Wait(const std::shared_ptr<FakeCommand>& command) {
  Advance(command);
  return command->outcome;
}

bool FakeState::InUse(const FakeMemory* memory, size_t offset, size_t bytes) const {
  const auto overlaps = [&](const FakeAddress& address) {
    return address.memory.lock().get() == memory && address.offset < offset + bytes &&
           offset < address.offset + address.bytes;
  };
  for (const auto& context : living) {
    for (const auto& command : context->in_flight) {
      for (const auto& run : command->runs) {
        if (overlaps(run->instructions)) return true;
        if (std::any_of(run->buffers.begin(), run->buffers.begin() + run->buffer_count, overlaps)) {
          return true;
        }
      }
    }
  }
  return false;
}

void FakeState::Execute(const std::shared_ptr<FakeCommand>& command) {
  FakeContextState& context = *command->context;
  FakeArray& array = *context.array;
  if (loaded != &context) array.Reset();  // Another context had the columns.
  loaded = &context;
  for (size_t i = 0; i < command->runs.size(); ++i) {
    FakeRunState& run = *command->runs[i];
    if (command->fate.fault != FakeFault::kNone && command->fate.run == i) {
      const RunState state = StateOf(command->fate.fault);
      if (state == RunState::kTimeout || state == RunState::kNoResponse) {
        Recover(command, i, state);
        return;
      }
      if (state != RunState::kCompleted) {
        array.Reset();
        Fail(command, i, state, "on purpose");
        break;
      }
    }
    const bool lies = command->fate.fault == FakeFault::kLie && i >= command->fate.run;
    const Status s = lies ? Status() : ExecuteRun(run, &array);
    if (!s.ok()) {
      array.Reset();
      Fail(command, i, RunState::kError, s.message());
      break;
    }
    run.state = RunState::kCompleted;
  }
  if (!command->outcome.ended) command->outcome = {true, RunState::kCompleted, 0, {}};
  context.in_flight.pop_front();
}

Status FakeState::ExecuteRun(const FakeRunState& run, FakeArray* array) {
  const std::shared_ptr<FakeMemory> instructions = run.instructions.memory.lock();
  if (instructions == nullptr) return {StatusCode::kInternal, "the instructions are gone"};
  std::array<std::shared_ptr<FakeMemory>, kMaxLaunchArguments> memory;
  std::array<std::span<std::byte>, kMaxLaunchArguments> buffers;
  for (size_t i = 0; i < run.buffer_count; ++i) {
    memory[i] = run.buffers[i].memory.lock();
    if (memory[i] == nullptr) {
      return {StatusCode::kInternal, fmt::format("buffer {} is gone", i)};
    }
    buffers[i] = {memory[i]->device() + run.buffers[i].offset, run.buffers[i].bytes};
  }
  const auto* words =
      reinterpret_cast<const uint32_t*>(instructions->device() + run.instructions.offset);
  return array->Run({words, run.words}, {buffers.data(), run.buffer_count});
}

void FakeState::Fail(const std::shared_ptr<FakeCommand>& command, size_t run, RunState state,
                     std::string detail) {
  command->outcome = {true, state, run, std::move(detail)};
  command->runs[run]->state = state;
  for (size_t i = run + 1; i < command->runs.size(); ++i) {
    command->runs[i]->state = RunState::kAbort;
  }
}

void FakeState::Recover(const std::shared_ptr<FakeCommand>& command, size_t run, RunState state) {
  FakeContextState* context = command->context.get();
  Fail(command, run, state, "no progress, the context was restarted");
  // Of a chain, the driver writes over its first command.
  command->runs.front()->overwritten = true;
  context->array->Reset();
  EndAll(context, RunState::kAbort, "the context was restarted");
}

void FakeState::EndAll(FakeContextState* context, RunState state, const char* detail) {
  while (!context->in_flight.empty()) {
    const std::shared_ptr<FakeCommand> command = context->in_flight.front();
    context->in_flight.pop_front();
    if (command->outcome.ended) continue;
    Fail(command, 0, state, detail);
    command->runs.front()->overwritten = true;
  }
}

}  // namespace tilewave::device::xrt
