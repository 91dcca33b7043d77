#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "device/device.h"
#include "tilewave/device_info.h"
#include "tilewave/status.h"

namespace tilewave::device {

/// Opens devices by name. Filled by the engine or by a test; nothing registers itself and there
/// is no global one. Immutable once filled, then thread-safe.
class Registry {
 public:
  /// Opens the device for what stands behind the colon of its name ("" if nothing does).
  using Opener = std::function<Result<std::unique_ptr<Device>>(const std::string& argument)>;
  /// Lists the devices of a scheme, usable or not.
  using Lister = std::function<std::vector<DeviceInfo>()>;

  /// `form` is shown to users, for example "vnpu:PROFILE".
  void Register(std::string scheme, std::string form, Opener open, Lister list);

  /// Opens "scheme" or "scheme:argument". An unknown scheme is kNotFound and the message lists
  /// the known forms.
  [[nodiscard]] Result<std::unique_ptr<Device>> Open(std::string_view name) const;

  /// All devices of all schemes in order of registration.
  std::vector<DeviceInfo> List() const;

  /// "host, vnpu:PROFILE, xrt[:N]".
  std::string Forms() const;

 private:
  struct Entry {
    std::string scheme;
    std::string form;
    Opener open;
    Lister list;
  };
  std::vector<Entry> entries_;
};

}  // namespace tilewave::device
