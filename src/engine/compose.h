#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "device/host/host_device.h"
#include "device/registry.h"
#include "device/vnpu/vnpu_device.h"
#include "plan/array_plan.h"
#include "runtime/plan_cache.h"
#include "tilewave/engine.h"

namespace tilewave::engine {

/// Makes an Engine over the devices of a registry. Engine::Create is this with the standard
/// devices; tests put devices of their own under the whole engine.
struct Composer {
  [[nodiscard]] static Result<Engine> Compose(const EngineOptions& options,
                                              device::Registry registry);

  /// With choices that the public options cannot express (the lossy baseline); they take the place
  /// of options.array.
  [[nodiscard]] static Result<Engine> Compose(const EngineOptions& options,
                                              device::Registry registry,
                                              const plan::ArrayChoices& choices);

  /// Over a device that is open already, and what plans are made for on it; its device pointer is
  /// set here. The registry is for Engine::Devices. `reason`: a literal.
  [[nodiscard]] static Result<Engine> Compose(const EngineOptions& options,
                                              device::Registry registry,
                                              std::unique_ptr<device::Device> device,
                                              runtime::PlanTarget target, std::string_view reason);
};

/// The devices of this build.
device::Registry StandardRegistry(const device::host::HostOptions& host);

/// Of EngineOptions::retries.
inline constexpr int kMostRetries = 100;

/// What a virtual NPU's name begins with.
inline constexpr std::string_view kVnpuScheme = "vnpu:";

/// What stands behind kVnpuScheme in a device's name: PROFILE, then any of ":host" (host time is
/// measured, not charged), ":kernel=MODEL" (the kernel model that vector kernels follow) and
/// ":KEY=VALUE" (a constant of the profile for another value). A device of timing only has no
/// memory for the engine to write, so no name opens one: a caller sets VnpuOptions::timing_only
/// itself.
[[nodiscard]] Result<device::vnpu::VnpuOptions> ParseVnpuArgument(const std::string& argument);

/// What stands behind "xrt:" in a device's name: N, then perhaps ":DIRECTORY" of array binaries.
struct XrtArgument {
  int index = 0;
  std::string directory = ".";
};
[[nodiscard]] Result<XrtArgument> ParseXrtArgument(const std::string& argument);

}  // namespace tilewave::engine
