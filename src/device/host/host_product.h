#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/problem.h"
#include "device/host/dense_parameter.h"
#include "device/host/left_operand.h"
#include "device/host/right_operand.h"
#include "device/host/workspace.h"
#include "kernels/cpu/kernel.h"

namespace tilewave::device::host {

/// A product with all operands ready to be multiplied: plain data, shared by the threads at work.
struct HostProduct {
  const core::Problem* problem = nullptr;
  const kernels::cpu::Int8Kernel* kernel = nullptr;
  LeftSource a;
  bool rows_once = false;  ///< Rows of A are packed for all tasks, unless they are read in place:
  LeftRows all_rows;       ///< those of all matrices, one below the other.
  const PackedRight* b = nullptr;  ///< Null: threads pack what they multiply, from b_source:
  bool walk_packs = false;         ///< blocks of a task's columns, else all of a matrix.
  int64_t b_matrices = 1;
  const RightSource* b_source = nullptr;
  int64_t columns_packed = 0;  ///< Together; a multiple of a strip's.
  int64_t groups = 1;          ///< Along K.
  void* c = nullptr;
  std::atomic<int64_t>* progress = nullptr;

  /// What sums begin with, one per padded column of every matrix: zero points of A, as far as all
  /// rows share them, self products of B, and the integer bias. Unused if threads pack: there is no
  /// such bias then, and shared_zero_a is 0 or 128.
  DenseParameter<int32_t> init;
  /// The same for columns that a thread has packed.
  const int32_t* InitOf(const PackedRight& packed) const {
    return HasSharedZeroA() ? packed.init_128(0) : packed.init_0(0);
  }
  bool HasSharedZeroA() const { return zero_a.data == nullptr && shared_zero_a != 0; }

  // The rest of the zero points, see kernels::cpu::EpilogueTile.
  DenseParameter<int32_t> zero_a;  ///< Per row, of the bytes as multiplied; null if rows share one.
  int32_t shared_zero_a = 0;
  bool any_zero_b = false;

  kernels::cpu::EpilogueMode mode;
  DenseParameter<float> scale_a;
  DenseParameter<float> scale_b;
  DenseParameter<float> bias_f32;
  DenseParameter<float> requant_scale;

  bool measures_packing = false;  ///< By the walk, and of f32 rows.
  int64_t floats_together = 0;    ///< Rows quantised before they are multiplied; 0: a task's.
  bool rows_in_place = false;     ///< A is read where it stands.
  bool sums_are_c = false;        ///< Sums go to C as they are, from the kernel's registers.
  bool by_rows = false;       ///< C is written a few rows at a time, unless the walk packs columns.
  bool past_caches = false;   ///< C is too large for the caches, and written past them; by_rows.
  bool fetches_c = false;     ///< By rows, lines of C are fetched before sums are written there.
  bool near_columns = false;  ///< All of B stays in the L1 cache beside rows of A and C.
  int64_t lone_tile_ahead = 0;   ///< Bytes of B that a task's only tile fetches ahead; 0: none.
  bool rows_from_afar = false;   ///< A is too large to be found in a near cache.
  int64_t block_groups = 1;      ///< Along K, that are multiplied before the next rows are.
  int64_t row_block_groups = 1;  ///< By rows, before the next columns are.
  bool flips_free = false;       ///< kernels::cpu::TileArgs::flips_free.
  bool short_panels = false;     ///< Best multiplied one by one, where epilogues allow it.
  int64_t few_sums_bytes = 0;    ///< kernels::cpu::FewRowsArgs::near_bytes.

  int64_t element_bytes() const { return static_cast<int64_t>(ElementBytes(mode.c_type)); }
};

/// Whether rows have terms of zero points that are not in `init`.
bool HasRowTerms(const HostProduct& product);

/// A rectangle of one C.
struct Rectangle {
  int64_t batch = 0;
  int64_t first_row = 0;
  int64_t rows = 0;
  int64_t first_column = 0;  ///< A multiple of the kernel's nr.
  int64_t columns = 0;
};

/// Rows [first, first + count) of a matrix of `source` in the memory of this thread, which keeps
/// the time if that is measured.
LeftRows PackRowsOf(const HostProduct& product, const LeftSource& source, int64_t batch,
                    int64_t first, int64_t count, TaskMemory* memory);

/// Makes room in `memory` for any rectangle of at most `rows` rows.
void ReserveFor(const HostProduct& product, int64_t rows, TaskMemory* memory);

/// Computes a rectangle in the calling thread, with memory of its own. Neither allocates nor
/// fails. REQUIRES: ReserveFor.
void ComputeRectangle(const HostProduct& product, const Rectangle& at, TaskMemory* memory);

}  // namespace tilewave::device::host
