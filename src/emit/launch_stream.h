#pragma once

// The stream of one launch of a product, and what must stand in the launch's buffers.

#include <cstdint>
#include <string>
#include <vector>

#include "program/array_program.h"
#include "program/whole_array_launch.h"
#include "tilewave/status.h"

namespace tilewave::emit {

struct LaunchStream {
  std::vector<uint32_t> words;
  std::vector<int64_t> argument_bytes;  ///< Of the launch's buffers.
  /// Launches that the product takes; all have this stream (whole_array: one).
  int64_t launches = 1;
};

/// For the columns of the design's device, which the header of a stream names. kOutOfRange: images
/// or counts that overflow, more operations than a stream may have, and what Validate refuses.
/// REQUIRES: a legal program that Lower made, extents and batch >= 1.
[[nodiscard]] Result<LaunchStream> MakeLaunchStream(const program::ArrayProgram& program,
                                                    const program::ProductShape& shape);

}  // namespace tilewave::emit
