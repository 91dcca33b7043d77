#pragma once

// Everything that the toolchain of the array needs for one design, and the stream of one product.

#include <span>
#include <string>
#include <vector>

#include "emit/kernel_sources.h"
#include "program/design_spec.h"
#include "program/whole_array_launch.h"
#include "tilewave/status.h"

namespace tilewave::emit {

struct EmittedFile {
  std::string name;  ///< Below the directory: "design.mlir", "kernels/aie/tile_kernels.cc".
  std::string bytes;
  bool executable = false;
};

/// design.mlir, build.sh, README.md and the kernels' sources, which follow from the design, and
/// for the product <MxKxN>.stream.bin with <MxKxN>.txt, which says what its buffers hold. Pure.
/// Errors: what Lower, Validate, MlirText and MakeLaunchStream refuse.
/// REQUIRES: extents and batch >= 1.
[[nodiscard]] Result<std::vector<EmittedFile>> EmitDirectory(const program::DesignSpec& spec,
                                                             const program::ProductShape& shape,
                                                             std::span<const KernelSource> kernels);

}  // namespace tilewave::emit
