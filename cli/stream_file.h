#pragma once

// Files with an instruction stream, as toolchains write them.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tilewave/status.h"

namespace tilewave::cli {

/// The words in a file's bytes: little-endian, or the older text with eight hexadecimal digits per
/// line. What stands in the words is not looked at, but for the first byte: that of a binary
/// stream is a version and no character. `name` stands for the file in messages.
/// kDataLoss: no whole number of words; kInvalidArgument: a line that is no word.
Result<std::vector<uint32_t>> ParseStreamFile(std::span<const std::byte> bytes,
                                              const std::string& name);

/// Reads a regular file.
Result<std::vector<uint32_t>> ReadStreamFile(const std::string& path);

}  // namespace tilewave::cli
