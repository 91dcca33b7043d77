#pragma once

#include <cstddef>
#include <string>

#include "base/aligned_buffer.h"
#include "tilewave/status.h"

namespace tilewave::cli {

/// A buffer for `what`, or kResourceExhausted: "<what> needs 1.00 TiB of memory, which cannot be
/// had".
[[nodiscard]] Result<base::AlignedBuffer> Allocate(const std::string& what, size_t bytes);

}  // namespace tilewave::cli
