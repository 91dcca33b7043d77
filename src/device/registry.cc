#include "device/registry.h"

#include <fmt/format.h>

#include <utility>

namespace tilewave::device {

void Registry::Register(std::string scheme, std::string form, Opener open, Lister list) {
  entries_.push_back({std::move(scheme), std::move(form), std::move(open), std::move(list)});
}

Result<std::unique_ptr<Device>> Registry::Open(std::string_view name) const {
  const size_t colon = name.find(':');
  const std::string_view scheme = name.substr(0, colon);
  const std::string argument(colon == std::string_view::npos ? "" : name.substr(colon + 1));
  for (const Entry& entry : entries_) {
    if (entry.scheme != scheme) continue;
    if (colon != std::string_view::npos && argument.empty()) {
      return Status(StatusCode::kInvalidArgument,
                    fmt::format("nothing stands behind the colon of device '{}'; expected {}", name,
                                entry.form));
    }
    return entry.open(argument);
  }
  return Status(StatusCode::kNotFound,
                fmt::format("no device '{}'; expected auto, {}", name, Forms()));
}

std::vector<DeviceInfo> Registry::List() const {
  std::vector<DeviceInfo> devices;
  for (const Entry& entry : entries_) {
    for (DeviceInfo& info : entry.list()) devices.push_back(std::move(info));
  }
  return devices;
}

std::string Registry::Forms() const {
  std::string forms;
  for (const Entry& entry : entries_) {
    if (!forms.empty()) forms += ", ";
    forms += entry.form;
  }
  return forms;
}

}  // namespace tilewave::device
