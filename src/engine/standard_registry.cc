#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>
#include <utility>
#include <vector>

#include "device/host/host_device.h"
#include "engine/compose.h"
#include "profile/profile.h"

namespace tilewave::engine {
namespace {

constexpr std::string_view kMeasuredHost = ":host";

void RegisterHost(const device::host::HostOptions& options, device::Registry* registry) {
  registry->Register(
      "host", "host",
      [options](const std::string& argument) -> Result<std::unique_ptr<device::Device>> {
        if (!argument.empty()) {
          return Status(StatusCode::kInvalidArgument,
                        fmt::format("device 'host:{}' has an argument; expected host", argument));
        }
        return device::host::OpenHostDevice(options);
      },
      [] { return std::vector<DeviceInfo>{device::host::HostDeviceInfo()}; });
}

void RegisterVnpu(device::Registry* registry) {
  registry->Register(
      "vnpu", "vnpu:PROFILE",
      [](const std::string& argument) -> Result<std::unique_ptr<device::Device>> {
        Result<device::vnpu::VnpuOptions> options = ParseVnpuArgument(argument);
        if (!options.ok()) return options.status();
        return device::vnpu::OpenVnpu(*std::move(options));
      },
      [] {
        std::vector<DeviceInfo> devices;
        for (const std::string_view name : profile::ProfileNames()) {
          const Result<profile::Profile> profile = profile::FindProfile(std::string(name));
          if (!profile.ok()) continue;
          devices.push_back(
              device::vnpu::VnpuDeviceInfo(*profile, device::vnpu::HostTime::kCharged));
        }
        return devices;
      });
}

/// The NPU is documented but not built yet, and answers by name.
void RegisterXrt(device::Registry* registry) {
  static constexpr std::string_view kSentence =
      "the NPU through XRT is not implemented yet in this version";
  registry->Register(
      "xrt", "xrt[:N]",
      [](const std::string& /*argument*/) -> Result<std::unique_ptr<device::Device>> {
        return Status(StatusCode::kUnimplemented, std::string(kSentence));
      },
      [] {
        return std::vector<DeviceInfo>{
            {"xrt[:N]", DeviceKind::kXrt, false, std::string(kSentence)}};
      });
}

}  // namespace

device::Registry StandardRegistry(const device::host::HostOptions& host) {
  device::Registry registry;
  RegisterHost(host, &registry);
  RegisterVnpu(&registry);
  RegisterXrt(&registry);
  return registry;
}

Result<device::vnpu::VnpuOptions> ParseVnpuArgument(const std::string& argument) {
  std::string name = argument;
  device::vnpu::VnpuOptions options;
  if (name.ends_with(kMeasuredHost)) {
    name.resize(name.size() - kMeasuredHost.size());
    options.host_time = device::vnpu::HostTime::kMeasured;
  }
  if (name.empty()) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("device 'vnpu' needs a profile; expected vnpu:PROFILE with one of: "
                              "{}, or a .json file",
                              fmt::join(profile::ProfileNames(), ", ")));
  }
  Result<profile::Profile> profile = profile::FindProfile(name);
  if (!profile.ok()) return profile.status();
  options.profile = *std::move(profile);
  return options;
}

}  // namespace tilewave::engine
