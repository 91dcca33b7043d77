#pragma once

#include <cstdint>

#include "tilewave/device_info.h"

namespace tilewave::device {

/// Host work that a simulated device may charge for instead of measuring.
enum class HostWork : uint8_t { kAllocate, kPack, kWrite, kSync, kSubmit, kRead, kAccumulate };

/// The time that a device lives in. Statistics are differences of NowNs().
class Clock {
 public:
  virtual ~Clock() = default;

  /// Nanoseconds since some fixed moment.
  virtual int64_t NowNs() = 0;

  /// Tells the clock of host work just done. A measuring clock ignores it; a simulated one
  /// advances by what its profile says such work costs.
  virtual void ChargeHost(HostWork kind, int64_t bytes, int64_t count) = 0;

  virtual TimeKind kind() const = 0;
};

}  // namespace tilewave::device
