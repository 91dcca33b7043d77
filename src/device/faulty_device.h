#pragma once

#include <memory>

#include "device/device.h"
#include "device/fault_injector.h"

namespace tilewave::device {

/// Wraps any device and lets go wrong what the injector says. What it accepts keeps to device.h:
/// launches are borrowed until the fence is done, and nothing writes after that.
///
/// Submissions keep their order. One that is late holds up those behind it until somebody has
/// waited for it in vain; later ones then overtake it, as if they had a new hardware context.
std::unique_ptr<Device> MakeFaultyDevice(std::unique_ptr<Device> inner,
                                         std::shared_ptr<FaultInjector> injector);

}  // namespace tilewave::device
