#include "runtime/call_stats.h"

#include "base/clock.h"

namespace tilewave::runtime {

void FillPart(device::Device* device, const PlanCache::Found& plan, std::string_view reason,
              int64_t ns, CallStats* stats) {
  const PreparedPlan& prepared = *plan.plan;
  stats->part_count = 1;
  stats->parts[0] = {device->info().name,
                     prepared.executable->kernel_name(),
                     reason,
                     prepared.plan.launches,
                     base::NsToUs(ns),
                     device->clock().kind()};
  stats->macs = core::MacsOf(prepared.plan.problem);
  stats->plan_cached = plan.cached;
}

}  // namespace tilewave::runtime
