#pragma once

#include <memory>
#include <string>

#include "device/fault_injector.h"
#include "device/xrt/array_binary.h"
#include "device/xrt/xrt_fake/fake_xrt.h"
#include "program/design_spec.h"
#include "tilewave/engine.h"
#include "tilewave/status.h"

namespace tilewave::testing {

/// Makes the virtual NPU's array of a binary that is an array program as MLIR text.
/// REQUIRES: a built-in profile.
device::xrt::FakeLoader SimulatedArrayLoader(const std::string& profile);

/// A fake of XRT whose array is the virtual NPU's. Its binaries are array programs as MLIR text.
/// REQUIRES: a built-in profile.
std::shared_ptr<device::xrt::FakeXrt> MakeFakeNpu(const std::string& profile);

/// The binary of a configuration for that fake.
Result<std::unique_ptr<device::xrt::ArrayBinary>> MakeFakeBinary(const program::DesignSpec& spec);

/// An engine over the fake, planned with the profile that the fake was made with. `faults`: what
/// goes wrong at the device seam, or null.
Result<Engine> MakeFakeNpuEngine(const device::xrt::FakeXrt& fake, const std::string& profile,
                                 const EngineOptions& options,
                                 std::shared_ptr<device::FaultInjector> faults = nullptr);

}  // namespace tilewave::testing
