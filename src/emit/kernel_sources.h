#pragma once

// The sources of the array's tile kernels, compiled in, so that a directory can be emitted without
// a checkout beside the program.

#include <span>
#include <string_view>

namespace tilewave::emit {

struct KernelSource {
  std::string_view name;  ///< "tile_kernels.cc"; includes name it as "kernels/aie/<name>".
  std::string_view text;
};

/// The files of src/kernels/aie that the array's compiler reads, by name.
std::span<const KernelSource> KernelSources();

}  // namespace tilewave::emit
