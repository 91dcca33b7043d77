#pragma once

#include "base/parallel_for.h"
#include "core/problem.h"
#include "device/host/host_product.h"
#include "device/host/right_operand.h"
#include "device/host/workspace.h"

namespace tilewave::device::host {

/// Whether a problem is computed from B as it stands: B is read once, in rows.
bool TakesFewRows(const core::Problem& problem, const kernels::cpu::Int8Kernel& kernel);

/// Computes C from a B that is not packed. `product` has A and the parameters of the epilogue; its
/// bytes of A are not flipped. Zero points and the integer bias are those of `operands`.
/// REQUIRES: TakesFewRows.
void ComputeFewRows(const HostProduct& product, const core::Operands& operands,
                    const RightSource& right, const base::Crew& crew, Workspace* workspace);

}  // namespace tilewave::device::host
