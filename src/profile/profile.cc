#include "profile/profile.h"

namespace tilewave::profile {

double KernelModel::CyclesOf(int64_t m, int64_t k, int64_t n) const {
  const double elements = static_cast<double>(m) * static_cast<double>(n);
  return elements * static_cast<double>(k) / peak_macs_per_cycle + output_cycles * elements +
         fixed_cycles;
}

const KernelModel* Profile::FindModel(std::string_view model, std::string_view output) const {
  for (const KernelModel& candidate : kernel_models) {
    if (candidate.name == model && candidate.output == output) return &candidate;
  }
  return nullptr;
}

}  // namespace tilewave::profile
