#pragma once

// A directory of output files that never replaces anything.

#include <span>
#include <string>
#include <vector>

#include "emit/emit_directory.h"
#include "tilewave/status.h"

namespace tilewave::cli {

/// Puts files into a directory, which is made if it is not there (its parent must be). A file that
/// is there already with the same bytes is left alone; if any is there with others, or is no
/// file, nothing is written. Each file appears whole or not at all. Returns which were written.
/// kFailedPrecondition: one that differs, by name; kInvalidArgument: no directory.
[[nodiscard]] Result<std::vector<bool>> WriteDirectory(const std::string& path,
                                                       std::span<const emit::EmittedFile> files);

}  // namespace tilewave::cli
