#pragma once

#include <cstdint>
#include <string_view>

#include "device/device.h"
#include "runtime/plan_cache.h"
#include "tilewave/device_info.h"

namespace tilewave::runtime {

/// Says in the stats of a call that a device has computed all of it, by this plan and in this time.
/// `reason`: why there; it outlives the stats.
void FillPart(device::Device* device, const PlanCache::Found& plan, std::string_view reason,
              int64_t ns, CallStats* stats);

}  // namespace tilewave::runtime
