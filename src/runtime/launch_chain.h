#pragma once

#include <chrono>
#include <mutex>
#include <vector>

#include "device/device.h"
#include "tilewave/status.h"

namespace tilewave::runtime {

/// Launches of one or more calls as one submission. Shared by the calls and by the memory that the
/// device may still use; whoever holds one keeps what the device borrows of it. Thread-safe once
/// submitted.
class LaunchChain {
 public:
  LaunchChain() { launches_.reserve(device::kMaxChainLaunches); }
  LaunchChain(const LaunchChain&) = delete;
  LaunchChain& operator=(const LaunchChain&) = delete;

  /// Forgets an earlier submission. REQUIRES: Done, or never submitted; nobody else holds it.
  void Clear();

  /// Appends a launch; its place in the chain. REQUIRES: not submitted, less than
  /// device::kMaxChainLaunches launches.
  size_t Add(const device::Launch& launch);
  size_t size() const { return launches_.size(); }

  /// Queue::TrySubmit for all launches. If it says kRejected, they have all ended.
  device::SubmitCode TrySubmit(device::Queue* queue);

  /// Whether the device is done with all of it; never blocks on the device.
  bool Done(device::Queue* queue);

  /// Blocks until Done, at most `limit` of device time. Once that was in vain, others do not wait
  /// for this chain: they get kTimeout at once.
  device::WaitCode Wait(device::Queue* queue, std::chrono::nanoseconds limit);

  /// The same, and whatever others have waited before: whether it is done.
  bool WaitDone(device::Queue* queue, std::chrono::nanoseconds limit);

  /// How a launch ended: well if the chain did, or if it came before the first bad one.
  /// REQUIRES: Done.
  Status StatusOf(size_t launch) const;
  /// Time of cores inside kernels, of all launches. REQUIRES: Done.
  int64_t kernel_ns() const { return fence_.kernel_ns; }

 private:
  std::mutex mutex_;  // Guards the rest while it is in flight.
  std::vector<device::Launch> launches_;
  device::Fence fence_;
  bool pending_ = false;  ///< Submitted, and not known to have ended.
  bool given_up_ = false;
};

}  // namespace tilewave::runtime
