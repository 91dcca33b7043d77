#pragma once

// What the suites run on.

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "device/device.h"
#include "profile/profile.h"
#include "runtime/plan_cache.h"
#include "tilewave/engine.h"
#include "tilewave/status.h"

namespace tilewave::conformance {

/// A kind of device: how to open one and what it loads. A value; each case opens devices of its
/// own from it.
struct Backend {
  std::string name;  ///< Part of the names of its tests: letters, digits, underscores.
  std::function<Result<std::unique_ptr<device::Device>>()> open;
  runtime::ImageProvider images;  ///< Empty if the device takes whole products.
  std::string profile;            ///< What to plan an array with; empty: its generation's.
  bool may_be_absent = false;     ///< Real hardware: without it, cases are skipped.
};

/// host, vnpu_phoenix, vnpu_krackan, xrt_fake_npu1, xrt_fake_npu2, xrt.
std::span<const Backend> Backends();

/// Whether an error of opening a device says that there is none on this machine.
bool IsAbsentDevice(const Backend& backend, const Status& status);

/// Whether an error says that an array binary is not on this machine.
bool IsAbsentBinary(const Backend& backend, const Status& status);

/// The constants that an array's products are planned with. REQUIRES: a device of this backend,
/// which is an array.
profile::Profile ProfileOf(const Backend& backend, const device::Device& device);

/// An engine over a new device of the backend. `options.device` is not read.
[[nodiscard]] Result<Engine> MakeEngine(const Backend& backend, const EngineOptions& options);

}  // namespace tilewave::conformance
