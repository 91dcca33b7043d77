#pragma once

// Reading and writing of whole .npy files. npy.h says which; every error names the file.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/aligned_buffer.h"
#include "cli/npy.h"
#include "tilewave/status.h"
#include "tilewave/tensors.h"

namespace tilewave::cli {

/// A whole file in memory, in the order of the file.
struct NpyArray {
  NpyHeader header;
  base::AlignedBuffer data;  ///< header.data_bytes bytes.
};

/// Reads a regular file. `progress`, if not null, counts the bytes of the elements.
/// kResourceExhausted if memory for an array that is really there cannot be had.
Result<NpyArray> ReadNpy(const std::string& path, std::atomic<int64_t>* progress = nullptr);

/// Writes `data`, the elements in C order, to `path`. After an error an older file of that name is
/// untouched and no temporary file is left. `progress` as in ReadNpy.
Status WriteNpy(const std::string& path, ElementType type, std::span<const int64_t> shape,
                std::span<const std::byte> data, std::atomic<int64_t>* progress = nullptr);

}  // namespace tilewave::cli
