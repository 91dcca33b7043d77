#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "core/problem.h"
#include "device/device.h"
#include "plan/plan.h"
#include "tilewave/status.h"

namespace tilewave::runtime {

/// A plan with its executable, ready to launch. Immutable.
struct PreparedPlan {
  plan::Plan plan;
  std::unique_ptr<device::Executable> executable;
};

/// Plans by problem. Readers take no lock: the table is open-addressed with atomic slots, and a
/// larger one is published when it fills; plans live until the cache dies.
/// Holds at most kMaxPlans; further new problems are planned anew on each call, so a workload
/// with endless shapes does not grow without end. Thread-safe.
class PlanCache {
 public:
  static constexpr size_t kMaxPlans = size_t{1} << 16;

  explicit PlanCache(device::Device* device);
  ~PlanCache();
  PlanCache(const PlanCache&) = delete;
  PlanCache& operator=(const PlanCache&) = delete;

  /// A plan that lives in the cache, or is held here when the cache is full.
  struct Found {
    const PreparedPlan* plan = nullptr;
    bool cached = false;  ///< It was there before this call.
    std::unique_ptr<PreparedPlan> uncached;
  };

  /// The plan for the problem, made and loaded now if it is new. Errors: those of MakePlan.
  [[nodiscard]] Result<Found> PlanFor(const core::Problem& problem);

 private:
  struct Table;

  [[nodiscard]] Result<std::unique_ptr<PreparedPlan>> Make(const core::Problem& problem);
  const PreparedPlan* Insert(std::unique_ptr<PreparedPlan> plan);

  device::Device* device_;
  std::atomic<Table*> table_;
  std::mutex inserting_;
  std::vector<std::unique_ptr<Table>> tables_;        ///< All ever published; guarded.
  std::vector<std::unique_ptr<PreparedPlan>> plans_;  ///< Guarded by inserting_.
};

}  // namespace tilewave::runtime
