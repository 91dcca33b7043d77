#pragma once

#include <cstdint>

#include "tilewave/device_info.h"

namespace tilewave::device {

/// Host work that a simulated device may charge for instead of measuring. Submissions are charged
/// by the device itself.
enum class HostWork : uint8_t {
  kCall,        ///< Once per matmul.
  kAllocate,    ///< Device buffers.
  kSlice,       ///< Windows into device buffers.
  kPack,        ///< Converting or quantising operands.
  kWrite,       ///< Copies into device-visible buffers.
  kSyncIn,      ///< Making host writes visible to the device.
  kSyncOut,     ///< Making device writes visible to the host.
  kRead,        ///< Copies out of device-visible buffers.
  kAccumulate,  ///< Adding a launch's tile to the sums over K.
  kFinish,      ///< Epilogue.
};

/// The time that a device lives in. Statistics are differences of NowNs().
class Clock {
 public:
  virtual ~Clock() = default;

  /// Nanoseconds since some fixed moment.
  virtual int64_t NowNs() = 0;

  /// Tells the clock of host work just done. A measuring clock ignores it; a simulated one
  /// advances by what its profile says such work costs: `count` items, `bytes` in all.
  virtual void ChargeHost(HostWork kind, int64_t bytes, int64_t count) = 0;

  virtual TimeKind kind() const = 0;
};

}  // namespace tilewave::device
