#pragma once

#include <cstddef>
#include <cstdint>

#include "base/checked_math.h"
#include "kernels/cpu/row_functions.h"

namespace tilewave::device::host {

/// Writes a few rows of C past the caches, a chunk of columns at a time, from memory that has the
/// place for each chunk: kernels::cpu::StreamedRows.
class RowWriter {
 public:
  static constexpr int64_t kLineBytes = kernels::cpu::StreamedRows::kLineBytes;

  /// Bytes of memory for chunks of at most so many bytes.
  static int64_t BytesFor(int64_t rows, int64_t chunk_bytes) {
    return rows * StrideFor(chunk_bytes);
  }

  /// `memory` is BytesFor(...), aligned to lines; borrowed.
  RowWriter(const kernels::cpu::RowFunctions& functions, std::byte* memory, int64_t chunk_bytes)
      : functions_(functions) {
    chunk_.from = memory + kLineBytes;
    chunk_.from_stride = StrideFor(chunk_bytes);
  }

  /// Begins rows that are to be written at `to`, `to_stride_bytes` apart.
  void Start(std::byte* to, int64_t to_stride_bytes, int64_t rows) {
    chunk_.to = to;
    chunk_.to_stride = to_stride_bytes;
    chunk_.rows = rows;
    chunk_.first = true;
  }

  /// Where the first row of the next chunk has to be put, and bytes from there to the next row's.
  std::byte* at() const { return chunk_.from; }
  int64_t stride_bytes() const { return chunk_.from_stride; }

  /// Takes the chunk, `bytes` of each row: whole lines, unless it is the last.
  void Write(int64_t bytes, bool last) {
    chunk_.bytes = bytes;
    chunk_.last = last;
    functions_.stream(chunk_);
    chunk_.to += bytes;
    chunk_.first = false;
  }

 private:
  /// A line in front for what waits, and one behind so that rows do not fall into the same sets.
  static int64_t StrideFor(int64_t chunk_bytes) {
    return base::RoundUp(chunk_bytes, kLineBytes) + (2 * kLineBytes);
  }

  const kernels::cpu::RowFunctions& functions_;
  kernels::cpu::StreamedRows chunk_;
};

}  // namespace tilewave::device::host
