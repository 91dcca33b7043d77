#pragma once

// The headers of NumPy .npy files (format versions 1.0, 2.0 and 3.0).
//
// Read:    int8 '|i1', uint8 '|u1', int32 '<i4', float32 '<f4', in C or Fortran order. Where the
//          byte order does not matter or is little-endian any spelling will do ('<i1', '=i4',
//          'f4'). Every other dtype is refused by name.
// Written: these four and bfloat16, always as version 1.0 in C order. NumPy has no bfloat16 of its
//          own; the file says '<V2', as a file saved from an ml_dtypes.bfloat16 array does, and
//          np.load(path).view(ml_dtypes.bfloat16) gives the numbers back.
//
// The input is not trusted: what a header claims is compared with the size of the file before
// memory is taken for it. Every error is one sentence that names the file.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tilewave/status.h"
#include "tilewave/tensors.h"

namespace tilewave::cli {

/// Longest header text that is read, and most extents a shape may have.
inline constexpr size_t kMaxNpyHeaderBytes = size_t{64} * 1024;
inline constexpr size_t kMaxNpyDims = 8;

/// This much of the start of a file always holds the whole header, if it can be read at all.
inline constexpr size_t kMaxNpyPrefixBytes = 6 + 2 + 4 + kMaxNpyHeaderBytes;

/// What stands before the elements.
struct NpyHeader {
  int version = 1;  ///< Major version: 1, 2 or 3.
  ElementType type = ElementType::kS8;
  bool fortran_order = false;
  std::vector<int64_t> shape;  ///< At most kMaxNpyDims extents >= 0; empty for a scalar.
  size_t data_offset = 0;      ///< Where the elements start in the file.
  size_t data_bytes = 0;       ///< What they take: elements * ElementBytes(type).

  bool operator==(const NpyHeader&) const = default;
};

/// Parses the start of a file. `prefix` has to hold the whole header and may hold more; only the
/// header is looked at. `name` stands for the file in messages. Extents of 0 are no error here.
Result<NpyHeader> ParseNpyHeader(std::span<const std::byte> prefix, const std::string& name);

/// Whether a file of `file_bytes` bytes is exactly as long as its header says.
Status CheckNpyFileBytes(const NpyHeader& header, uint64_t file_bytes, const std::string& name);

/// All bytes before the elements, in version 1.0: magic, length, dict and padding to 64 bytes.
/// REQUIRES: the type is one of those written (see above), at most kMaxNpyDims extents, all >= 0.
std::string NpyHeaderText(ElementType type, bool fortran_order, std::span<const int64_t> shape);

/// Whether WriteNpy can write `data_bytes` bytes as an array of this type and shape.
Status CheckNpyArguments(const std::string& path, ElementType type, std::span<const int64_t> shape,
                         size_t data_bytes);

}  // namespace tilewave::cli
