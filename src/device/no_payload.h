#pragma once

// For array devices: weights reach them as images that the runtime makes, so there is nothing to
// prepack.

#include <memory>

#include "device/device.h"

namespace tilewave::device {

class NoPayload final : public WeightsPayload {
 public:
  static Result<std::unique_ptr<WeightsPayload>> Make() {
    return std::unique_ptr<WeightsPayload>(std::make_unique<NoPayload>());
  }
  size_t bytes() const override { return 0; }
};

}  // namespace tilewave::device
