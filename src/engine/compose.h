#pragma once

#include "device/registry.h"
#include "tilewave/engine.h"

namespace tilewave::engine {

/// Makes an Engine over the devices of a registry. Engine::Create is this with the standard
/// devices; tests put devices of their own under the whole engine.
struct Composer {
  [[nodiscard]] static Result<Engine> Compose(const EngineOptions& options,
                                              device::Registry registry);
};

}  // namespace tilewave::engine
