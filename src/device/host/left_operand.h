#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "arch/cpu.h"
#include "device/host/float_operand.h"
#include "kernels/cpu/kernel.h"
#include "tilewave/tensors.h"

namespace tilewave::device::host {

/// Rows of A that are quantised when they are packed, symmetrically, each with a scale of its own.
/// Borrowed.
struct FloatRows {
  FloatRows(const core::FloatOperand& operand, const core::DynamicScales& arrays)
      : x(operand), scales(arrays) {}

  core::FloatOperand x;
  core::DynamicScales scales;
  std::atomic<bool> finite{true};  ///< False once a row was not: then its bytes mean nothing.
};

/// A as bytes and what has to happen to them before a kernel can read them. Borrowed.
struct LeftSource {
  ByteOperand bytes;
  ElementType type = ElementType::kS8;
  uint8_t flip = 0;  ///< Still to be XORed.
  int64_t k = 0;
  const int32_t* zero = nullptr;  ///< If A is widened: to be subtracted, one per row; null: none.
  FloatRows* floats = nullptr;    ///< Not null: rows are these instead of bytes.
};

/// Rows of A in groups. Borrowed.
struct LeftRows {
  const std::byte* data = nullptr;
  int64_t stride = 0;  ///< Bytes from row to row.
  uint8_t flip = 0;    ///< Left to the kernel.
  int64_t start = 0;   ///< Of kernels with SelfProducts: TileArgs::row_start. 0: none.
};

/// Whether a kernel can read rows where they stand.
bool ReadableInPlace(const LeftSource& source, const kernels::cpu::Int8Kernel& kernel);

/// Whether that is also the fastest way for a task with so many columns on this CPU.
bool BestInPlace(const LeftSource& source, const kernels::cpu::Int8Kernel& kernel,
                 const arch::Cpu& cpu, int64_t columns);

/// The best distance for rows of at least so many bytes.
int64_t SpreadRowStride(const kernels::cpu::Int8Kernel& kernel, int64_t bytes);

/// Bytes from row to row of packed rows.
int64_t PackedRowStride(const LeftSource& source, const kernels::cpu::Int8Kernel& kernel);

/// Copies rows [first, first + count) of matrix `batch` to `to` as the kernel wants them, K padded
/// with 0 to whole groups; f32 rows leave their scales in the source, so that no other thread may
/// have the same. REQUIRES: `to` has room for count * PackedRowStride.
LeftRows PackRows(const LeftSource& source, const kernels::cpu::Int8Kernel& kernel, int64_t batch,
                  int64_t first, int64_t count, std::byte* to);

/// Rows where they stand. REQUIRES: ReadableInPlace.
void SetRowsInPlace(const LeftSource& source, int64_t batch, int64_t first, LeftRows* rows);

}  // namespace tilewave::device::host
