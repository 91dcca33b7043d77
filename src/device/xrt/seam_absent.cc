// In the place of seam_xrt.cc, where there is no XRT to build it with.

#include <string>

#include "device/xrt/seam_xrt.h"

namespace tilewave::device::xrt {

Result<std::unique_ptr<Driver>> OpenXrtDriver() {
  return Status(StatusCode::kUnimplemented,
                std::string("the NPU through XRT is not implemented yet in this build: ") +
                    TILEWAVE_XRT_REASON);
}

}  // namespace tilewave::device::xrt
