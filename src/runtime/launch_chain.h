#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include "device/device.h"
#include "tilewave/status.h"

namespace tilewave::runtime {

/// Launches of one or more calls as one submission, again and again. Shared by the calls and by the
/// memory that the device may still use; whoever holds one keeps what the device borrows of it.
/// Thread-safe: Open, Add, TrySubmit and Close are called by one thread, the rest by any.
class LaunchChain {
 public:
  LaunchChain() { launches_.reserve(device::kMaxChainLaunches); }
  LaunchChain(const LaunchChain&) = delete;
  LaunchChain& operator=(const LaunchChain&) = delete;

  /// Begins another submission and forgets the last one; its number. REQUIRES: nothing in flight;
  /// no other call holds it.
  uint64_t Open();

  /// Appends a launch; its place in the chain. REQUIRES: open, less than
  /// device::kMaxChainLaunches launches.
  size_t Add(const device::Launch& launch);

  /// Queue::TrySubmit for all launches. If it says kRejected, they have all ended.
  device::SubmitCode TrySubmit(device::Queue* queue);

  /// Says that the submission that was begun will not be.
  void Close();

  /// Whether the device is done with all of it; never blocks. False, too, while another thread
  /// waits for that.
  bool Done(device::Queue* queue);

  /// Blocks until Done, at most `limit` of device time; one that is about to be submitted is not
  /// done. If somebody has waited so long in vain already, kTimeout at once.
  device::WaitCode Wait(device::Queue* queue, std::chrono::nanoseconds limit);
  /// The same for a submission by its number: those before the latest one are done.
  device::WaitCode WaitFor(uint64_t submission, device::Queue* queue,
                           std::chrono::nanoseconds limit);
  bool IsPast(uint64_t submission) const;

  size_t size() const;
  /// How a launch ended: well if the chain did, or if it came before the first bad one.
  /// REQUIRES: Done.
  Status StatusOf(size_t launch) const;
  /// Time of cores inside kernels, of all launches. REQUIRES: Done.
  int64_t kernel_ns() const;
  /// Fence::order. REQUIRES: Done.
  uint64_t order() const;

 private:
  using Lock = std::unique_lock<std::mutex>;

  enum class State : uint8_t { kEnded, kOpen, kInFlight };

  /// Waits for the device without the lock. REQUIRES: in flight, nobody else waits for the device.
  device::WaitCode WaitForDevice(device::Queue* queue, std::chrono::nanoseconds limit, Lock* lock);

  mutable std::mutex mutex_;  // Guards the rest; the fence is its waiter's while there is one.
  std::condition_variable changed_;
  std::vector<device::Launch> launches_;
  device::Fence fence_;
  State state_ = State::kEnded;
  bool waiting_ = false;  ///< A thread waits for the device.
  uint64_t submission_ = 0;
  std::chrono::nanoseconds waited_{-1};  ///< The longest wait in vain.
};

}  // namespace tilewave::runtime
