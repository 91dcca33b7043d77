#pragma once

// A DesignSpec on one line, for comments and file names that must say it exactly.

#include <string>
#include <string_view>

#include "program/design_spec.h"
#include "tilewave/status.h"

namespace tilewave::emit {

/// "family=whole_array arch=npu1 tile=64x64x64 kernel=vector output=s32 stack_bytes=3328 columns=2
/// k_mt=0 b_layout=packed c_buffers=1".
std::string SpecText(const program::DesignSpec& spec);

/// Reads exactly what SpecText writes: all fields, in that order, one space between them.
/// kInvalidArgument, naming the field that was expected.
[[nodiscard]] Result<program::DesignSpec> ParseSpecText(std::string_view text);

}  // namespace tilewave::emit
