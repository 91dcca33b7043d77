#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/checked_math.h"
#include "kernels/cpu/kernel.h"

namespace tilewave::device::host {

/// Writes a few rows of C past the caches, a chunk of columns at a time. Only whole lines may go
/// that way; what is left of a row's chunk waits in front of the next one, and what begins and ends
/// a row goes through the caches.
class RowWriter {
 public:
  static constexpr int64_t kLineBytes = 64;
  static constexpr int64_t kMostRows = 32;

  /// Bytes of memory for chunks of so many bytes.
  static int64_t BytesFor(int64_t rows, int64_t chunk_bytes) {
    return rows * StrideFor(chunk_bytes);
  }

  /// `memory` is BytesFor(...), aligned to lines; borrowed.
  RowWriter(const kernels::cpu::RowFunctions& functions, std::byte* memory, int64_t chunk_bytes)
      : functions_(functions), memory_(memory), stride_bytes_(StrideFor(chunk_bytes)) {}

  /// Begins rows that are to be written at `to`, `to_stride_bytes` apart.
  void Start(std::byte* to, int64_t to_stride_bytes, int64_t rows) {
    rows_ = rows;
    for (int64_t r = 0; r < rows; ++r) {
      row_[static_cast<size_t>(r)] = {to + (r * to_stride_bytes), 0};
    }
  }

  /// Where the first row of the next chunk has to be put, and bytes from there to the next row's.
  std::byte* at() const { return memory_ + kLineBytes; }
  int64_t stride_bytes() const { return stride_bytes_; }

  /// Takes the chunk, `bytes` of each row.
  void Write(int64_t bytes) {
    for (int64_t r = 0; r < rows_; ++r) {
      WriteRow(at() + (r * stride_bytes_), bytes, &row_[static_cast<size_t>(r)]);
    }
  }

  /// Writes what waits.
  void Finish() {
    for (int64_t r = 0; r < rows_; ++r) {
      const Row& row = row_[static_cast<size_t>(r)];
      std::memcpy(row.to, at() + (r * stride_bytes_) - row.waiting,
                  static_cast<size_t>(row.waiting));
    }
  }

 private:
  struct Row {
    std::byte* to = nullptr;  ///< Of the bytes that wait, or else of the next chunk.
    int64_t waiting = 0;      ///< Less than a line, in front of at().
  };

  /// A line in front for what waits, and one behind so that rows do not fall into the same sets.
  static int64_t StrideFor(int64_t chunk_bytes) {
    return base::RoundUp(chunk_bytes, kLineBytes) + (2 * kLineBytes);
  }

  void WriteRow(std::byte* chunk, int64_t bytes, Row* row) const {
    const std::byte* from = chunk - row->waiting;
    int64_t left = bytes + row->waiting;
    const auto past = static_cast<int64_t>(reinterpret_cast<uintptr_t>(row->to) % kLineBytes);
    if (past != 0) {
      const int64_t head = std::min(left, kLineBytes - past);
      std::memcpy(row->to, from, static_cast<size_t>(head));
      Advance(head, row, &from, &left);
    }
    const int64_t whole = left / kLineBytes * kLineBytes;
    functions_.stream(from, whole, row->to);
    Advance(whole, row, &from, &left);
    std::memmove(chunk - left, from, static_cast<size_t>(left));
    row->waiting = left;
  }

  static void Advance(int64_t bytes, Row* row, const std::byte** from, int64_t* left) {
    row->to += bytes;
    *from += bytes;
    *left -= bytes;
  }

  const kernels::cpu::RowFunctions& functions_;
  std::byte* memory_;
  int64_t stride_bytes_;
  int64_t rows_ = 0;
  std::array<Row, kMostRows> row_ = {};
};

}  // namespace tilewave::device::host
