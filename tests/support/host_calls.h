#pragma once

#include <cstdint>
#include <string>

#include "device/host/host_device.h"
#include "tests/support/random_call.h"
#include "tests/support/tiny_caches.h"
#include "tilewave/engine.h"

namespace tilewave::testing {

/// An engine on a host device made to order.
Engine HostEngineWith(const device::host::HostOptions& host);

/// Runs random calls, packed in the call and before, and returns the first complaint, or "".
std::string RunRandomCalls(Engine* engine, uint64_t seed, int count,
                           const RandomCall::Limits& limits);

}  // namespace tilewave::testing
