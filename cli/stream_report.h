#pragma once

// What an instruction stream says, for people and for programs.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "program/decoded_stream.h"

namespace tilewave::cli {

/// "64 rows x 256 B, step 512 B", from the innermost dimension outwards and with what the
/// executions of a task add: ", repeated 8 times".
std::string PatternText(const program::WriteDescriptor& pattern, int executions);

/// Header, a line per operation, a line per task and per whatever else is meant.
/// REQUIRES: `stream` was decoded from `words`.
std::string StreamText(std::span<const uint32_t> words, const program::DecodedStream& stream);

/// {"header": {...}, "ops": [...], "tasks": [...]}.
nlohmann::json StreamJson(std::span<const uint32_t> words, const program::DecodedStream& stream);

}  // namespace tilewave::cli
