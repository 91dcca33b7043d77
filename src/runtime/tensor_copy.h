#pragma once

#include "device/device.h"
#include "runtime/device_tensor.h"
#include "tilewave/status.h"
#include "tilewave/tensors.h"

namespace tilewave::runtime {

/// A tensor with the elements of a host matrix: s8 in device memory if the device is an array,
/// others, and all on the host, in host memory. Errors: kInvalidArgument, kOutOfRange (the view);
/// the device's.
[[nodiscard]] Result<DeviceTensor> UploadTensor(device::Device* device, bool is_array,
                                                const ConstMatrix& matrix);

/// Copies a tensor into a host matrix. Errors: kInvalidArgument (the view, other extents or type);
/// the device's. REQUIRES: the call that makes it has ended well.
[[nodiscard]] Status DownloadTensor(device::Device* device, const DeviceTensor& tensor,
                                    const Matrix& matrix);

}  // namespace tilewave::runtime
