#pragma once

#include <memory>
#include <string>
#include <vector>

#include "device/device.h"
#include "device/registry.h"

namespace tilewave::testing {

/// What a FakeDevice does; shared between the test and the device that the engine owns.
struct FakeBehaviour {
  int full_before_accept = 0;  ///< Submissions answered with kQueueFull first.
  bool always_full = false;
  int waits_before_done = 0;        ///< Waits that time out first.
  Status load;                      ///< Result of Load, if not ok.
  Status outcome;                   ///< Status of every launch.
  std::atomic<bool> hold{false};    ///< Nothing completes while set.
  std::atomic<int64_t> touched{0};  ///< Counts what was read from launches as they complete.
  std::atomic<int> submissions{0};
  std::atomic<int> loads{0};
  std::atomic<int> packs{0};
};

/// An asynchronous device that computes nothing and never touches C, but reads the launch when it
/// completes, as a real one would: what was freed too early shows under a sanitizer. It shows what
/// the layers above do with queues, time limits and errors. Its buffers are plain memory.
std::unique_ptr<device::Device> MakeFakeDevice(std::shared_ptr<FakeBehaviour> behaviour);

/// A registry whose "host" is the fake device.
device::Registry FakeRegistry(std::shared_ptr<FakeBehaviour> behaviour);

}  // namespace tilewave::testing
