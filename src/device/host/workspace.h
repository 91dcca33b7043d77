#pragma once

#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "device/host/right_operand.h"

namespace tilewave::device::host {

/// Scratch memory of one thread at work on a product. Grows to the largest need and stays; the
/// calling thread lets it grow before the others come, since nothing may fail in those.
struct TaskMemory {
  base::AlignedBuffer rows;      ///< Packed rows of A.
  PackedRight columns;           ///< Of B, that this thread packs before it multiplies them.
  int64_t packed_matrix = -1;    ///< Of B, all of whose columns they are in this call; -1: none.
  int64_t packing_ns = 0;        ///< That packing took in this call, if it is measured.
  base::AlignedBuffer row_sums;  ///< Of those rows.
  base::AlignedBuffer sums;      ///< Of a strip of C, while K is not done.
  base::AlignedBuffer lines;     ///< Sums of a few rows of C on their way there.
};

/// Scratch memory of one product in flight, whatever the number of threads. Likewise.
struct Workspace {
  /// Memory for so many threads; that of more is left alone, so that small products do not pay for
  /// large ones before them.
  std::span<TaskMemory> MembersFor(int threads) {
    const auto count = static_cast<size_t>(threads);
    if (members.size() < count) members.resize(count);
    return std::span(members).first(count);
  }

  std::vector<TaskMemory> members;  ///< One for each thread that took part in any product so far.
  PackedRight right;                ///< B, if it is packed in the call.
  base::AlignedBuffer rows;         ///< A, if it is packed once for all tasks.
  base::AlignedBuffer init;
  base::AlignedBuffer row_terms;
  base::AlignedBuffer parameters[4];  ///< Row and column parameters as dense arrays.
  base::AlignedBuffer scales_a;       ///< Of dynamic quantisation.
  base::AlignedBuffer scales_b;
  base::AlignedBuffer bytes_a;  ///< f32 operands as bytes.
  base::AlignedBuffer bytes_b;
  base::AlignedBuffer unchecked_c;  ///< While rows of A are quantised that may not be finite.
  base::AlignedBuffer few_vectors;  ///< Of A or B, padded.
};

}  // namespace tilewave::device::host
