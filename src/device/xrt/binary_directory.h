#pragma once

#include <memory>
#include <string>

#include "device/xrt/array_binary.h"
#include "program/design_spec.h"
#include "tilewave/status.h"

namespace tilewave::device::xrt {

/// "0123456789abcdef.xclbin": the name of a configuration's binary, as `tilewave emit`'s build
/// script writes it.
std::string BinaryName(const program::DesignSpec& spec);

/// The command that writes the sources of a configuration's binary; empty if there is none.
std::string EmitCommand(const program::DesignSpec& spec);

/// Reads the binary of a configuration from a directory. kNotFound: it is not there, and the
/// command that makes it; kDataLoss: it cannot be read, is empty, or no array binary by its first
/// bytes.
[[nodiscard]] Result<std::unique_ptr<ArrayImage>> ReadBinary(const std::string& directory,
                                                             const program::DesignSpec& spec);

}  // namespace tilewave::device::xrt
