#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "device/xrt/driver_seam.h"
#include "device/xrt/loaded_context.h"
#include "tilewave/status.h"

namespace tilewave::device::xrt {

/// A registered array binary, and the context that has it loaded, if one has.
struct Configuration {
  BinaryId binary{};
  arch::NpuArch arch = arch::NpuArch::kNpu1;
  std::shared_ptr<LoadedContext> context;  ///< Null: none now. The pool's.
  uint64_t last_use = 0;                   ///< The pool's.
};

/// Gives configurations contexts, of which a device has few: the one least recently used goes when
/// another is needed. A context with something in flight stays. Not thread-safe.
class ContextPool {
 public:
  /// `limit`: contexts at a time.
  ContextPool(DriverDevice* device, size_t limit) : device_(device), limit_(limit) {}

  /// The configuration's context, made now if it has none. Null: all contexts are busy, so wait
  /// until something has ended. Errors: the driver's.
  [[nodiscard]] Result<std::shared_ptr<LoadedContext>> Acquire(
      const std::shared_ptr<Configuration>& configuration);

  /// Takes a context from its configuration, so that the next use builds a new one; the old one
  /// goes, at the latest, with what is in flight on it.
  static void Retire(Configuration* configuration, const std::shared_ptr<LoadedContext>& context);

  /// Frees the context least recently used of those that are idle; whether there was one. `keep`
  /// stays.
  bool EvictIdle(const Configuration* keep);

  /// Contexts that exist, retired ones with something in flight included.
  size_t living();

 private:
  DriverDevice* device_;
  size_t limit_;
  uint64_t uses_ = 0;
  std::vector<std::weak_ptr<Configuration>> known_;  ///< That have had a context.
  std::vector<std::weak_ptr<LoadedContext>> made_;
};

}  // namespace tilewave::device::xrt
