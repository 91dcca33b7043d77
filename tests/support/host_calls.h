#pragma once

#include <cstdint>
#include <string>

#include "arch/cpu.h"
#include "device/host/host_device.h"
#include "tests/support/random_call.h"
#include "tilewave/engine.h"

namespace tilewave::testing {

/// This CPU with caches so small that small products have many blocks, and outputs too large for
/// the caches.
arch::Cpu TinyCaches();

/// An engine on a host device made to order.
Engine HostEngineWith(const device::host::HostOptions& host);

/// Runs random calls, packed in the call and before, and returns the first complaint, or "".
std::string RunRandomCalls(Engine* engine, uint64_t seed, int count,
                           const RandomCall::Limits& limits);

}  // namespace tilewave::testing
