#pragma once

// What stands beside design.mlir in an emitted directory: its README and build script, and what is
// said about each stream.

#include <span>
#include <string>
#include <vector>

#include "emit/kernel_sources.h"
#include "emit/launch_stream.h"
#include "program/array_program.h"
#include "program/whole_array_launch.h"

namespace tilewave::emit {

/// A kernel that the cores of a program call.
struct KernelUse {
  program::Kernel kernel;
  std::string arguments;  ///< "memref<1024xi32>, i32".
  bool has_source = false;
};

/// By name. A kernel has a source if one of these defines a function of its name and B is not
/// transposed inside its blocks, which none of them expects.
/// REQUIRES: a program that MlirText prints.
std::vector<KernelUse> KernelUses(const program::ArrayProgram& program,
                                  std::span<const KernelSource> sources);

/// "512x1024x256", "batch4-512x1024x256".
std::string ProductName(const program::ProductShape& shape);

std::string ReadmeText(const program::ArrayProgram& program, std::span<const KernelUse> kernels);

/// A script for sh that calls Peano and aiecc.
std::string BuildScript(const program::DesignSpec& spec, std::span<const KernelUse> kernels);

/// What one launch multiplies, and what its buffers hold.
std::string LaunchText(const program::DesignSpec& spec, const program::ProductShape& shape,
                       const LaunchStream& launch);

}  // namespace tilewave::emit
