#pragma once

#include <cstddef>
#include <cstdint>

#include "base/aligned_buffer.h"
#include "base/parallel_for.h"
#include "core/problem.h"
#include "kernels/cpu/kernel.h"
#include "pack/panels.h"

namespace tilewave::device::host {

/// What is XORed to the bytes of an operand so that a kernel of this form can multiply them: 0x80
/// moves s8 to u8, 128 higher, or u8 to s8, 128 lower. 0 for what is widened to s16, and for an A
/// of kAnyxS8.
uint8_t FlipOfA(kernels::cpu::Form form, ElementType type);
uint8_t FlipOfB(kernels::cpu::Form form, ElementType type);

/// What flipping adds to the numbers that bytes of this type stand for, and so to zero points.
inline int32_t ShiftOf(uint8_t flip, ElementType type) {
  if (flip == 0) return 0;
  return type == ElementType::kS8 ? 128 : -128;
}

/// B in the caller's memory: bytes with strides, and the zero points of its columns. Borrowed.
struct RightSource {
  const uint8_t* data = nullptr;
  ElementType type = ElementType::kS8;
  int64_t k_stride = 0;
  int64_t column_stride = 0;
  int64_t batch_stride = 0;
  Parameter<int32_t> zero = {};
};

/// B as a call has it; an f32 one has to be quantised and its bytes put in its place.
RightSource RightSourceOf(const core::Problem& problem, const core::Operands& operands);

/// One or more matrices B packed for a kernel, with what zero points need of them. All zero points
/// here are those of the packed bytes. Immutable once all of it is packed.
class PackedRight {
 public:
  /// Takes the shape and makes room; keeps memory that is large enough. With room for some groups
  /// of K only (`held_groups`), a block of K takes the place of the one before.
  void Reset(const kernels::cpu::Int8Kernel& kernel, const pack::PanelLayout& layout,
             int64_t matrices, int64_t held_groups);
  void Reset(const kernels::cpu::Int8Kernel& kernel, const pack::PanelLayout& layout,
             int64_t matrices) {
    Reset(kernel, layout, matrices, layout.groups());
  }

  /// Packs `count` panels of a matrix from `first` on. Different panels may be packed from several
  /// threads at once.
  void PackPanels(const RightSource& source, int64_t matrix, int64_t first, int64_t count);

  /// Packs elements [k, k + k_count) of `count` panels, k a multiple of kSelfGroups groups, and of
  /// those held if they are not all, of which there are no more. All of K is packed in order, from
  /// 0 on. The arrays below are there once the last element is.
  void PackBlock(const RightSource& source, int64_t matrix, int64_t first, int64_t count, int64_t k,
                 int64_t k_count);

  /// Packs everything, a few panels side by side at a time.
  void PackAll(const RightSource& source, const base::Crew& crew);

  const pack::PanelLayout& layout() const { return layout_; }
  size_t bytes() const { return panels_.bytes() + columns_.bytes(); }

  /// The panel that begins with column j, a multiple of nr, and there group g of K, which is held.
  const std::byte* panel_at(int64_t matrix, int64_t j, int64_t g = 0) const {
    return panels_.data() + OffsetOf(matrix, j, g);
  }
  int64_t panel_bytes() const { return column_bytes_ * layout_.nr; }

  /// Whether any column of this source has a zero point other than 0 once packed.
  static bool AnyZero(const RightSource& source, const kernels::cpu::Int8Kernel& kernel);

  // For each padded column of a matrix: the sum of its bytes, its zero point, and what sums begin
  // with if all zero points of A (as multiplied) are 0, or 128 as those of s8 made u8 are. With 0
  // that is 0, at once, unless the kernel has SelfProducts.
  const int32_t* sums(int64_t matrix) const { return Column(matrix, 0); }
  const int32_t* zeros(int64_t matrix) const { return Column(matrix, 1); }
  const int32_t* init_0(int64_t matrix) const { return Column(matrix, 2); }
  const int32_t* init_128(int64_t matrix) const { return Column(matrix, 3); }

 private:
  static constexpr int64_t kArrays = 4;

  const int32_t* Column(int64_t matrix, int64_t array) const {
    return columns_.data<int32_t>() + (((matrix * kArrays) + array) * columns_padded_);
  }
  int32_t* Column(int64_t matrix, int64_t array) {
    return columns_.data<int32_t>() + (((matrix * kArrays) + array) * columns_padded_);
  }
  int64_t OffsetOf(int64_t matrix, int64_t j, int64_t g) const {
    // A division takes as long as two groups of a tile.
    const int64_t held = g < held_groups_ ? g : g % held_groups_;
    return (matrix * matrix_bytes_) + (j * column_bytes_) +
           (held * layout_.nr * layout_.group_bytes);
  }
  void PackRows(const RightSource& source, int64_t matrix, int64_t p, int64_t k, int64_t count);
  void FillZeros(const RightSource& source, int64_t matrix, int64_t p);
  void FillTerms(int64_t matrix, int64_t p);

  const kernels::cpu::Int8Kernel* kernel_ = nullptr;
  pack::PanelLayout layout_;
  int64_t columns_padded_ = 0;  ///< layout_.columns_padded(), which divides.
  int64_t matrices_ = 0;
  int64_t held_groups_ = 1;
  int64_t matrix_bytes_ = 0;
  int64_t column_bytes_ = 0;  ///< Of one column in its panel.
  base::AlignedBuffer panels_;
  base::AlignedBuffer columns_;
};

/// Layout of B (k x n) for a kernel.
pack::PanelLayout RightLayout(const kernels::cpu::Int8Kernel& kernel, int64_t k, int64_t n);

}  // namespace tilewave::device::host
