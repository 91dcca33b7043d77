#pragma once

#include <cstdint>
#include <memory>

#include "core/problem.h"
#include "device/device.h"
#include "runtime/array_call.h"
#include "runtime/device_tensor.h"
#include "tilewave/status.h"

namespace tilewave::runtime {

/// kFailedPrecondition if an operand is a tensor of another device.
[[nodiscard]] Status CheckDomain(const CallTensors& tensors, uint64_t payload_domain);

/// Puts a tensor in the place of A: strides, the host's view of its memory, and whether that is
/// device memory.
void BindA(const DeviceTensor& tensor, TensorHome* home, core::Problem* problem,
           core::Operands* operands);

/// Puts the host's view of a tensor in the place of B.
void BindB(const DeviceTensor& tensor, TensorHome* home, core::Problem* problem,
           core::Operands* operands);

/// The strides of a tensor as it is seen: exchanged if it is transposed.
core::Strides StridesOf(const DeviceTensor& tensor, const TensorHome& home);

/// All of the above for a device whose tensors are host memory and whose calls end when they are
/// submitted: operands in their places, and memory for a C that is a tensor, `c`, else left empty.
/// Errors: those of CheckDomain, and of ValidateProblem if there is a C to make.
[[nodiscard]] Status BindOnHost(const CallTensors& tensors, uint64_t payload_domain,
                                core::Problem* problem, core::Operands* operands, DeviceTensor* c);

/// Device memory for a tensor of `bytes`, and a tail beyond, since launches read whole tiles.
/// Errors: the device's.
[[nodiscard]] Result<std::shared_ptr<TensorHome>> MakeDeviceHome(device::Device* device,
                                                                 int64_t bytes,
                                                                 const core::Strides& strides,
                                                                 int64_t element_bytes);

}  // namespace tilewave::runtime
