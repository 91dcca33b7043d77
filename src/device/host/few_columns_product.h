#pragma once

#include "base/parallel_for.h"
#include "core/problem.h"
#include "device/host/host_product.h"
#include "device/host/right_operand.h"
#include "device/host/workspace.h"

namespace tilewave::device::host {

/// Whether C has so few columns that tiles would mostly compute padding: then C transposed is
/// computed, columns of B times an A that is read once, where it stands. B may be prepacked: what
/// is read is the matrix that it was made from.
bool TakesFewColumns(const core::Problem& problem, const kernels::cpu::Int8Kernel& kernel);

/// Computes such a C. `product` has A and the parameters of the epilogue; its bytes of A are not
/// flipped. Zero points and the integer bias are those of `operands`. REQUIRES: TakesFewColumns.
void ComputeFewColumns(const HostProduct& product, const core::Operands& operands,
                       const RightSource& right, const base::Crew& crew, Workspace* workspace);

}  // namespace tilewave::device::host
