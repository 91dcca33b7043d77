#include "runtime/call_memory.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"

namespace tilewave::runtime {
namespace {

/// Memory of so many calls waits for the next ones: as many as the run lists that are in flight at
/// once have launches.
constexpr size_t kMaxIdle = arch::kMaxInFlight * device::kMaxChainLaunches;

/// Nor is more than this kept in idle buffers.
constexpr int64_t kMaxIdleBytes = int64_t{1} << 30;

/// For all that is in quarantine when the engine goes. A real driver has given up on a launch long
/// before.
constexpr std::chrono::nanoseconds kLastWhile = std::chrono::seconds(30);

}  // namespace

bool CallMemory::Idle(device::Queue* queue) {
  if (runner != nullptr && !runner->Idle()) return false;
  return chain == nullptr || chain->Done(queue);
}

bool CallMemory::WaitIdle(device::Queue* queue, std::chrono::nanoseconds limit) {
  if (runner != nullptr && !runner->WaitIdle(limit)) return false;
  return chain == nullptr || chain->Wait(queue, limit) == device::WaitCode::kDone;
}

CallMemoryPool::CallMemoryPool(device::Device* device) : device_(device) {
  idle_.reserve(kMaxIdle);
}

CallMemoryPool::~CallMemoryPool() {
  const int64_t end_ns = base::WallNowNs() + kLastWhile.count();
  while (quarantine_ != nullptr) {
    std::unique_ptr<CallMemory> memory = std::move(quarantine_);
    quarantine_ = std::move(memory->next);
    const std::chrono::nanoseconds left(std::max<int64_t>(end_ns - base::WallNowNs(), 0));
    if (!memory->WaitIdle(&device_->queue(), left)) static_cast<void>(memory.release());
  }
}

CallMemoryPool::Lease CallMemoryPool::Take(const plan::ArrayPlan& plan, Choice choice) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Sweep();
  const size_t count = idle_.size();
  for (size_t turn = 0; turn < count; ++turn) {
    const size_t i = choice == Choice::kLatest ? count - 1 - turn : turn;
    if (!idle_[i]->buffers()->shape().Serves(plan)) continue;
    std::unique_ptr<CallMemory> memory = std::move(idle_[i]);
    idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(i));
    return {this, std::move(memory)};
  }
  return {this, std::make_unique<CallMemory>()};
}

void CallMemoryPool::GiveBack(std::unique_ptr<CallMemory> memory) noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!memory->Idle(&device_->queue())) {
    memory->next = std::move(quarantine_);
    quarantine_ = std::move(memory);
    return;
  }
  Keep(std::move(memory));
}

void CallMemoryPool::Keep(std::unique_ptr<CallMemory> memory) noexcept {
  memory->chain = nullptr;
  memory->plan = nullptr;
  memory->weights = Weights();
  memory->a = nullptr;
  memory->c = nullptr;
  if (memory->buffers() == nullptr) return;
  const BufferSets::Shape& shape = memory->buffers()->shape();
  // A set per tile is made for one call: keeping it would hold a product's worth of memory.
  if (shape.policy == plan::BufferPolicy::kPerTile) return;
  int64_t bytes = shape.bytes();
  for (const std::unique_ptr<CallMemory>& each : idle_) bytes += each->buffers()->shape().bytes();
  while (!idle_.empty() && (idle_.size() == kMaxIdle || bytes > kMaxIdleBytes)) {
    bytes -= idle_.front()->buffers()->shape().bytes();
    idle_.erase(idle_.begin());
  }
  idle_.push_back(std::move(memory));
}

void CallMemoryPool::Sweep() noexcept {
  std::unique_ptr<CallMemory>* link = &quarantine_;
  while (*link != nullptr) {
    if (!(*link)->Idle(&device_->queue())) {
      link = &(*link)->next;
      continue;
    }
    std::unique_ptr<CallMemory> memory = std::move(*link);
    *link = std::move(memory->next);
    Keep(std::move(memory));
  }
}

}  // namespace tilewave::runtime
