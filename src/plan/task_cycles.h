#pragma once

#include "profile/profile.h"
#include "program/shim_descriptor.h"

namespace tilewave::plan {

/// Cycles of the controller for one transfer: its descriptor written, patched with an address, and
/// its task pushed.
inline double TaskCycles(const profile::ControllerCosts& controller) {
  return controller.block_cycles +
         (controller.block_word_cycles * static_cast<double>(program::kShimDescriptorWords)) +
         controller.patch_cycles + controller.write_cycles;
}

}  // namespace tilewave::plan
