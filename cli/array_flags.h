#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "cli/commands.h"
#include "cli/whole_array_flags.h"
#include "tilewave/device_info.h"
#include "tilewave/engine.h"
#include "tilewave/status.h"

namespace tilewave::cli {

/// The options of ArrayOptions as they were typed.
struct ArrayFlags {
  std::optional<std::string> design;
  std::optional<std::string> tile;
  std::optional<std::string> tile_kernel;
  std::optional<std::string> mode;
  std::optional<std::string> buffers;
  std::optional<std::string> pool;
  WholeArrayFlags whole_array;
  bool sync_each = false;
  bool no_interleave = false;
};

void AddArrayFlags(CLI::App* command, ArrayFlags* flags);

/// kInvalidArgument: empty texts, and numbers that are none.
[[nodiscard]] Result<ArrayOptions> ArrayOptionsOf(const ArrayFlags& flags);

/// Refuses flags for a device that cuts nothing into launches.
[[nodiscard]] Status CheckArrayFlags(const ArrayFlags& flags, const DeviceInfo& device);

}  // namespace tilewave::cli
