#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/problem.h"
#include "device/device.h"
#include "plan/plan.h"
#include "program/array_program.h"
#include "tilewave/status.h"

namespace tilewave::runtime {

/// Makes what a device loads for a design: the array as data for a virtual NPU, a binary from a
/// directory for a real one.
using ImageProvider =
    std::function<Result<std::unique_ptr<device::ArrayImage>>(const program::DesignSpec& spec)>;

/// What plans are made for, and how their designs reach the device.
struct PlanTarget {
  device::Device* device = nullptr;  ///< Borrowed.
  plan::Target target;
  ImageProvider images;  ///< For arrays.
};

/// A plan with its executable, ready to launch. Immutable.
struct PreparedPlan {
  core::ProblemKey key;  ///< Of plan.problem.
  plan::Plan plan;
  std::shared_ptr<device::Executable> executable;  ///< Plans of one design share it.
  std::vector<uint32_t> stream;                    ///< For arrays: what each launch executes.
  std::string weights_layout;  ///< Of B's image on the device, if the plan keeps it there.
};

/// Plans by problem. Readers take no lock: the table is open-addressed with atomic slots, and a
/// larger one is published when it fills; plans live until the cache dies.
/// Holds at most kMaxPlans; further new problems are planned anew on each call, so a workload
/// with endless shapes does not grow without end. Thread-safe.
class PlanCache {
 public:
  static constexpr size_t kMaxPlans = size_t{1} << 16;

  explicit PlanCache(PlanTarget target);
  ~PlanCache();
  PlanCache(const PlanCache&) = delete;
  PlanCache& operator=(const PlanCache&) = delete;

  /// A plan that lives in the cache, or is held here when the cache is full.
  struct Found {
    const PreparedPlan* plan = nullptr;
    bool cached = false;  ///< It was there before this call.
    std::shared_ptr<const PreparedPlan> uncached;
  };

  /// The plan for the problem, made and loaded now if it is new. Errors: those of MakePlan, of
  /// Validate and of loading.
  [[nodiscard]] Result<Found> PlanFor(const core::Problem& problem);

 private:
  struct Table;

  [[nodiscard]] Result<std::unique_ptr<PreparedPlan>> Make(const core::Problem& problem);
  const PreparedPlan* Insert(std::unique_ptr<PreparedPlan> plan);
  [[nodiscard]] Status PrepareArray(PreparedPlan* prepared);
  [[nodiscard]] Result<std::shared_ptr<device::Executable>> ExecutableFor(
      const program::ArrayProgram& program);

  PlanTarget target_;
  std::atomic<Table*> table_;
  std::mutex inserting_;
  std::vector<std::unique_ptr<Table>> tables_;        ///< All ever published; guarded.
  std::vector<std::unique_ptr<PreparedPlan>> plans_;  ///< Guarded by inserting_.

  std::mutex loading_;
  std::vector<std::pair<program::DesignSpec, std::shared_ptr<device::Executable>>>
      executables_;  ///< Guarded by loading_.
};

}  // namespace tilewave::runtime
