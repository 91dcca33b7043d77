#include "device/xrt/context_pool.h"

#include <algorithm>

namespace tilewave::device::xrt {

Result<std::shared_ptr<LoadedContext>> ContextPool::Acquire(
    const std::shared_ptr<Configuration>& configuration) {
  configuration->last_use = ++uses_;
  if (configuration->context != nullptr) return configuration->context;
  while (living() >= limit_) {
    if (!EvictIdle(configuration.get())) return std::shared_ptr<LoadedContext>();
  }
  for (;;) {
    Result<std::shared_ptr<LoadedContext>> made =
        LoadedContext::Make(device_, configuration->binary);
    if (made.ok()) {
      configuration->context = *made;
      made_.emplace_back(*made);
      const bool known = std::any_of(known_.begin(), known_.end(), [&](const auto& each) {
        return each.lock() == configuration;
      });
      if (!known) known_.emplace_back(configuration);
      return made;
    }
    // Other processes have contexts, too.
    if (made.status().code() != StatusCode::kResourceExhausted) return made.status();
    if (EvictIdle(configuration.get())) continue;
    if (living() > 0) return std::shared_ptr<LoadedContext>();
    return made.status();
  }
}

void ContextPool::Retire(Configuration* configuration,
                         const std::shared_ptr<LoadedContext>& context) {
  if (configuration->context == context) configuration->context = nullptr;
}

bool ContextPool::EvictIdle(const Configuration* keep) {
  std::erase_if(known_, [](const auto& each) { return each.expired(); });
  std::shared_ptr<Configuration> oldest;
  for (const std::weak_ptr<Configuration>& each : known_) {
    const std::shared_ptr<Configuration> candidate = each.lock();
    if (candidate.get() == keep || candidate->context == nullptr) continue;
    if (candidate->context.use_count() > 1) continue;  // Something is in flight.
    if (oldest == nullptr || candidate->last_use < oldest->last_use) oldest = candidate;
  }
  if (oldest == nullptr) return false;
  oldest->context = nullptr;
  return true;
}

size_t ContextPool::living() {
  std::erase_if(made_, [](const auto& each) { return each.expired(); });
  return made_.size();
}

}  // namespace tilewave::device::xrt
