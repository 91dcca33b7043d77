#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "device/host/host_device.h"
#include "device/xrt/seam_xrt.h"
#include "device/xrt/xrt_device.h"
#include "engine/compose.h"
#include "profile/profile.h"

namespace tilewave::engine {
namespace {

constexpr std::string_view kMeasuredHost = "host";

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

void RegisterXrt(device::Registry* registry) {
  registry->Register(
      "xrt", "xrt[:N]",
      [](const std::string& argument) -> Result<std::unique_ptr<device::Device>> {
        const Result<XrtArgument> parsed = ParseXrtArgument(argument);
        if (!parsed.ok()) return parsed.status();
        Result<std::unique_ptr<device::xrt::Driver>> driver = device::xrt::OpenXrtDriver();
        if (!driver.ok()) return driver.status();
        return device::xrt::OpenXrt(*std::move(driver), parsed->index);
      },
      [] {
        const Result<std::unique_ptr<device::xrt::Driver>> driver = device::xrt::OpenXrtDriver();
        return std::vector<DeviceInfo>{{"xrt[:N]", DeviceKind::kXrt, driver.ok(),
                                        driver.ok()
                                            ? fmt::format("NPU through {}", (*driver)->version())
                                            : driver.status().message()}};
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

Result<XrtArgument> ParseXrtArgument(const std::string& argument) {
  XrtArgument parsed;
  if (argument.empty()) return parsed;
  const size_t colon = argument.find(':');
  const std::string number = argument.substr(0, colon);
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), parsed.index);
  const bool whole = error == std::errc() && end == number.data() + number.size();
  if (!whole || parsed.index < 0 || colon == argument.size() - 1) {
    return Status(
        StatusCode::kInvalidArgument,
        fmt::format("device 'xrt:{}'; expected xrt, xrt:N or xrt:N:DIRECTORY, N from 0 on",
                    argument));
  }
  if (colon != std::string::npos) parsed.directory = argument.substr(colon + 1);
  return parsed;
}

namespace {

/// ":kernel=MODEL" or ":KEY=VALUE".
Status Override(std::string_view key, std::string_view value, profile::Profile* profile) {
  if (key == "kernel") {
    std::string known;
    for (const profile::KernelModel& model : profile->kernel_models) {
      if (model.name == value) {
        profile->vector_model = value;
        return {};
      }
      if (known.find(model.name) == std::string::npos) {
        known += fmt::format("{}{}", known.empty() ? "" : ", ", model.name);
      }
    }
    return {StatusCode::kNotFound,
            fmt::format("profile {} has no kernel model '{}'; expected one of: {}", profile->name,
                        value, known)};
  }
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) {
    return {StatusCode::kInvalidArgument,
            fmt::format("'{}={}' sets a constant to no number", key, value)};
  }
  return profile::SetConstant(profile, key, number);
}

}  // namespace

Result<device::vnpu::VnpuOptions> ParseVnpuArgument(const std::string& argument) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin <= argument.size();) {
    const size_t end = std::min(argument.find(':', begin), argument.size());
    parts.push_back(std::string_view(argument).substr(begin, end - begin));
    begin = end + 1;
  }
  if (parts[0].empty()) {
    return Status(StatusCode::kInvalidArgument,
                  fmt::format("device 'vnpu' needs a profile; expected vnpu:PROFILE with one of: "
                              "{}, or a .json file",
                              fmt::join(profile::ProfileNames(), ", ")));
  }
  device::vnpu::VnpuOptions options;
  Result<profile::Profile> profile = profile::FindProfile(std::string(parts[0]));
  if (!profile.ok()) return profile.status();
  options.profile = *std::move(profile);
  for (const std::string_view part : std::span(parts).subspan(1)) {
    const size_t equals = part.find('=');
    if (part == kMeasuredHost) {
      options.host_time = device::vnpu::HostTime::kMeasured;
    } else if (equals != std::string_view::npos) {
      if (Status s = Override(part.substr(0, equals), part.substr(equals + 1), &options.profile);
          !s.ok()) {
        return s;
      }
      options.profile.name += fmt::format(":{}", part);
    } else {
      return Status(StatusCode::kInvalidArgument,
                    fmt::format("device 'vnpu:{}' has an unknown '{}'; expected host, "
                                "kernel=MODEL or a constant of the profile as KEY=VALUE",
                                argument, part));
    }
  }
  return options;
}

}  // namespace tilewave::engine
