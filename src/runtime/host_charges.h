#pragma once

#include "core/problem.h"
#include "device/clock.h"
#include "runtime/operand_image.h"

namespace tilewave::runtime {

/// What making these images took: operands that were converted, and sums for zero points.
void ChargePack(const core::Problem& problem, const Images& images, device::Clock* clock);

/// What the host's epilogue took.
void ChargeFinish(const core::Problem& problem, device::Clock* clock);

}  // namespace tilewave::runtime
