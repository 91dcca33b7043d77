#pragma once

// What the things of an ArrayProgram are called in MLIR text. Symbols of a device share one space
// of names, so that those of buffers and locks begin with their tile's.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "program/array_program.h"
#include "tilewave/status.h"

namespace tilewave::emit {

/// Words that a core's run-time parameters have in its memory, used or not.
inline constexpr int64_t kParameterWords = 8;

/// Buffers of one ring.
inline constexpr size_t kMostRingBuffers = 64;

/// The name of the buffer of a core's run-time parameters, on its tile.
inline constexpr std::string_view kParameters = "parameters";

/// The upper bound of a loop without an end.
inline constexpr int64_t kForever = INT64_MAX;

/// "npu1_2col"; "npu1" for all columns.
std::string DeviceName(const program::DesignSpec& spec);

/// "shim_0_0", "mem_0_1", "core_0_2".
std::string TileName(const program::Tile& tile);

/// "core_0_2_a_0".
std::string SymbolName(const program::Tile& tile, std::string_view name);

/// Run-time parameters of one core, one word after the other.
struct ParameterGroup {
  program::Tile tile;
  size_t first = 0;  ///< Index into ArrayProgram::parameters.
  size_t count = 0;
};

/// In program order; parameters that follow each other and are of one tile make a group.
std::vector<ParameterGroup> ParameterGroups(const program::ArrayProgram& program);

/// kInvalidArgument for the first name that is none in MLIR text: letters, digits and '_', at most
/// 64, no digit first; a ring's does not begin as a core's symbols do.
[[nodiscard]] Status CheckNames(const program::ArrayProgram& program);

/// kUnimplemented for what MLIR text cannot tell apart and no design does: two things of one name,
/// a buffer in two rings; or for more buffers or parameters than are printed.
/// REQUIRES: a legal program.
[[nodiscard]] Status CheckDistinct(const program::ArrayProgram& program);

}  // namespace tilewave::emit
