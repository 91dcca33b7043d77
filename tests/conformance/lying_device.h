#pragma once

#include <cstdint>
#include <memory>

#include "device/device.h"

namespace tilewave::conformance {

/// One way in which a device is not what device.h says.
enum class Lie : uint8_t {
  kSharedMemory,    ///< All buffers are one.
  kMovingHost,      ///< The host's view moves with each sync.
  kNoSync,          ///< Syncs move nothing.
  kWideSync,        ///< Syncs move all of the buffer.
  kLostLaunch,      ///< Of two submissions, the second is lost.
  kSwapped,         ///< Of two submissions, the second runs first.
  kTurnedChain,     ///< Chains run from back to front.
  kBlockingSubmit,  ///< A full queue blocks.
  kWrongBits,       ///< A bit of what comes back is wrong.
  kNoName,          ///< Executables have no name.
  kOldDomain,       ///< Payloads are taken for those of an earlier device.
};

/// A device that is `inner` but for one lie: what the suites must notice.
std::unique_ptr<device::Device> MakeLyingDevice(std::unique_ptr<device::Device> inner, Lie lie);

}  // namespace tilewave::conformance
