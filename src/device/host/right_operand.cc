#include "device/host/right_operand.h"

#include <algorithm>

namespace tilewave::device::host {
namespace {

using kernels::cpu::Form;

constexpr uint8_t kSignBit = 0x80;
constexpr int32_t kHalfRange = 128;

/// a - b * c modulo 2^32.
int32_t MinusProduct(int32_t a, int32_t b, int32_t c) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) -
                              (static_cast<uint32_t>(b) * static_cast<uint32_t>(c)));
}

}  // namespace

uint8_t FlipOfA(Form form, ElementType type) {
  const ElementType wanted = form == Form::kU8xS8 ? ElementType::kU8 : ElementType::kS8;
  return form == Form::kS16xS16 || type == wanted ? 0 : kSignBit;
}

uint8_t FlipOfB(Form form, ElementType type) {
  return form == Form::kS16xS16 || type == ElementType::kS8 ? 0 : kSignBit;
}

pack::PanelLayout RightLayout(const kernels::cpu::Int8Kernel& kernel, int64_t k, int64_t n) {
  return {k, n, kernel.nr, kernels::cpu::GroupElements(kernel.form)};
}

void PackedRight::Reset(const kernels::cpu::Int8Kernel& kernel, const pack::PanelLayout& layout,
                        int64_t matrices) {
  kernel_ = &kernel;
  layout_ = layout;
  matrix_bytes_ = layout.bytes();
  column_bytes_ = layout.groups() * pack::kPanelGroupBytes;
  panels_.Reserve(static_cast<size_t>(layout.bytes() * matrices));
  columns_.Reserve(static_cast<size_t>(layout.columns_padded() * kArrays * matrices) *
                   sizeof(int32_t));
}

bool PackedRight::AnyZero(const RightSource& source, const kernels::cpu::Int8Kernel& kernel) {
  if (kernel.form == Form::kS16xS16) return false;
  const int32_t shift = ShiftOf(FlipOfB(kernel.form, source.type), source.type);
  if (!source.zero.present) return shift != 0;
  if (core::FormOf(source.zero) == core::ParameterForm::kVector) return true;
  return shift + source.zero.At(0, 0) != 0;
}

void PackedRight::PackPanel(const RightSource& source, int64_t matrix, int64_t p) {
  if (kernel_->form == Form::kS16xS16) {
    PackPairPanel(source, matrix, p);
  } else {
    PackQuadPanel(source, matrix, p);
  }
}

void PackedRight::PackQuadPanel(const RightSource& source, int64_t matrix, int64_t p) {
  const int64_t first = p * layout_.nr;
  const int64_t columns = layout_.columns_of(p);
  const uint8_t flip = FlipOfB(kernel_->form, source.type);
  const pack::PanelSource from{
      source.data + (matrix * source.batch_stride) + (first * source.column_stride),
      source.k_stride, source.column_stride};
  std::byte* panel = panels_.data() + (matrix * layout_.bytes()) + (p * layout_.panel_bytes());
  int32_t* sums = Column(matrix, 0) + first;
  if (kernel_->pack_quads != nullptr) {
    kernel_->pack_quads(from, layout_.k, columns, flip, panel, sums);
  } else {
    pack::PackQuads(from, layout_.k, columns, layout_.nr, flip, panel, sums);
  }
  int32_t* zeros = Column(matrix, 1) + first;
  int32_t* init_0 = Column(matrix, 2) + first;
  int32_t* init_128 = Column(matrix, 3) + first;
  const int32_t shift = ShiftOf(flip, source.type);
  const auto k = static_cast<int32_t>(layout_.k);
  for (int64_t j = 0; j < layout_.nr; ++j) {
    const bool real = j < columns && source.zero.present;
    zeros[j] = shift + (real ? source.zero.At(matrix, first + j) : 0);
    init_0[j] = 0;
    // K * 128 * zero - 128 * sum.
    init_128[j] = MinusProduct(0, kHalfRange, MinusProduct(sums[j], k, zeros[j]));
  }
}

void PackedRight::PackPairPanel(const RightSource& source, int64_t matrix, int64_t p) {
  const int64_t first = p * layout_.nr;
  const int64_t columns = layout_.columns_of(p);
  int32_t* zeros = Column(matrix, 1) + first;
  for (int64_t j = 0; j < layout_.nr; ++j) {
    const bool real = j < columns && source.zero.present;
    zeros[j] = real ? source.zero.At(matrix, first + j) : 0;
  }
  const pack::PanelSource from{
      source.data + (matrix * source.batch_stride) + (first * source.column_stride),
      source.k_stride, source.column_stride};
  std::byte* panel = panels_.data() + (matrix * layout_.bytes()) + (p * layout_.panel_bytes());
  pack::PackPairs(from, source.type, layout_.k, columns, layout_.nr, zeros, panel);
  // Zero points have gone into the pairs.
  for (int64_t array = 0; array < kArrays; ++array) {
    std::fill_n(Column(matrix, array) + first, layout_.nr, 0);
  }
}

}  // namespace tilewave::device::host
