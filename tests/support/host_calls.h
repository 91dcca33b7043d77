#pragma once

#include <cstdint>
#include <string>

#include "arch/cpu.h"
#include "device/host/host_device.h"
#include "tests/support/random_call.h"
#include "tilewave/engine.h"

namespace tilewave::testing {

/// This CPU with caches so small that small products have many blocks. An L3 cache is as large as
/// said: outputs beyond it are written past the caches.
arch::Cpu TinyCaches(int64_t l3_bytes);
inline constexpr int64_t kTinyL3Bytes = 4096;
inline constexpr int64_t kAmpleL3Bytes = int64_t{1} << 30;

/// An engine on a host device made to order.
Engine HostEngineWith(const device::host::HostOptions& host);

/// Runs random calls, packed in the call and before, and returns the first complaint, or "".
std::string RunRandomCalls(Engine* engine, uint64_t seed, int count,
                           const RandomCall::Limits& limits);

}  // namespace tilewave::testing
