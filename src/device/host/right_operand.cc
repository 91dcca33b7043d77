#include "device/host/right_operand.h"

#include <algorithm>

#include "base/check.h"

namespace tilewave::device::host {
namespace {

using kernels::cpu::Form;

constexpr uint8_t kSignBit = 0x80;
constexpr int32_t kHalfRange = 128;

// Rows of B that are packed for one panel before the next: they stay in the caches, and they are
// whole groups in every form, also those of self products.
constexpr int64_t kRowsTogether = 128;
static_assert(kRowsTogether % (4 * kernels::cpu::kSelfGroups) == 0);
// So many panels make long pieces of these rows, up to a page, so that pages are not looked up
// again and again and CPUs notice what is read.
constexpr int64_t kPanelsTogether = 128;

/// a - b * c modulo 2^32.
int32_t MinusProduct(int32_t a, int32_t b, int32_t c) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) -
                              (static_cast<uint32_t>(b) * static_cast<uint32_t>(c)));
}

}  // namespace

uint8_t FlipOfA(Form form, ElementType type) {
  if (kernels::cpu::WidensA(form) || form == Form::kAnyxS8) return 0;
  const ElementType wanted = form == Form::kU8xS8 ? ElementType::kU8 : ElementType::kS8;
  return type == wanted ? 0 : kSignBit;
}

uint8_t FlipOfB(Form form, ElementType type) {
  return form == Form::kS16xS16 || type == ElementType::kS8 ? 0 : kSignBit;
}

RightSource RightSourceOf(const core::Problem& p, const core::Operands& o) {
  return {static_cast<const uint8_t*>(o.b), p.b_type, p.b.row, p.b.col, p.b.batch, o.zero_b};
}

pack::PanelLayout RightLayout(const kernels::cpu::Int8Kernel& kernel, int64_t k, int64_t n) {
  return {k, n, kernel.nr, kernels::cpu::GroupElements(kernel.form),
          kernels::cpu::GroupBytesOfB(kernel.form)};
}

void PackedRight::Reset(const kernels::cpu::Int8Kernel& kernel, const pack::PanelLayout& layout,
                        int64_t matrices, int64_t held_groups) {
  kernel_ = &kernel;
  layout_ = layout;
  columns_padded_ = layout.columns_padded();
  matrices_ = matrices;
  held_groups_ = std::min(held_groups, layout.groups());
  column_bytes_ = held_groups_ * layout.group_bytes;
  matrix_bytes_ = columns_padded_ * column_bytes_;
  panels_.Reserve(static_cast<size_t>(matrix_bytes_ * matrices));
  columns_.Reserve(static_cast<size_t>(columns_padded_ * kArrays * matrices) * sizeof(int32_t));
}

bool PackedRight::AnyZero(const RightSource& source, const kernels::cpu::Int8Kernel& kernel) {
  if (kernel.form == Form::kS16xS16) return false;
  const int32_t shift = ShiftOf(FlipOfB(kernel.form, source.type), source.type);
  if (!source.zero.present) return shift != 0;
  if (core::FormOf(source.zero) == core::ParameterForm::kVector) return true;
  return shift + source.zero.At(0, 0) != 0;
}

void PackedRight::PackAll(const RightSource& source, const base::Crew& crew) {
  const int64_t panels = layout_.panels();
  const int64_t threads = crew.threads();
  const int64_t together = std::clamp<int64_t>(panels / threads, 1, kPanelsTogether);
  const int64_t parts = base::CeilDiv(panels, together);
  base::ParallelFor(crew, matrices_ * parts, [&](int64_t i) {
    const int64_t first = i % parts * together;
    PackPanels(source, i / parts, first, std::min(together, panels - first));
  });
}

void PackedRight::PackPanels(const RightSource& source, int64_t matrix, int64_t first,
                             int64_t count) {
  PackBlock(source, matrix, first, count, 0, layout_.k);
}

void PackedRight::PackBlock(const RightSource& source, int64_t matrix, int64_t first, int64_t count,
                            int64_t k, int64_t k_count) {
  TW_CHECK_EQ(k % (layout_.group_elements * kernels::cpu::kSelfGroups), 0);
  if (k == 0) {
    std::fill_n(Column(matrix, 0) + (first * layout_.nr), count * layout_.nr, 0);
    std::fill_n(Column(matrix, 2) + (first * layout_.nr), count * layout_.nr, 0);
    for (int64_t p = first; p < first + count; ++p) FillZeros(source, matrix, p);
  }
  // Side by side panels share lines and pages of a row-major B: they are packed together, some rows
  // at a time.
  const bool across = source.column_stride == 1 && count > 1;
  const int64_t chunk = across ? kRowsTogether : k_count;
  const int64_t end = k + k_count;
  for (; k < end; k += chunk) {
    for (int64_t p = first; p < first + count; ++p) {
      PackRows(source, matrix, p, k, std::min(chunk, end - k));
    }
  }
  if (end != layout_.k) return;
  for (int64_t p = first; p < first + count; ++p) FillTerms(matrix, p);
}

/// Elements [k, k + count) of panel `p`; k a multiple of whole groups.
void PackedRight::PackRows(const RightSource& source, int64_t matrix, int64_t p, int64_t k,
                           int64_t count) {
  const int64_t first = p * layout_.nr;
  const int64_t columns = layout_.columns_of(p);
  const pack::PanelSource from{source.data + (matrix * source.batch_stride) +
                                   (first * source.column_stride) + (k * source.k_stride),
                               source.k_stride, source.column_stride};
  std::byte* to = panels_.data() + OffsetOf(matrix, first, k / layout_.group_elements);
  if (kernel_->form == Form::kS16xS16) {
    pack::PackPairs(from, source.type, count, columns, layout_.nr, Column(matrix, 1) + first, to);
    return;
  }
  const uint8_t flip = FlipOfB(kernel_->form, source.type);
  int32_t sums[kernels::cpu::kMaxColumns];
  if (kernel_->pack_bytes != nullptr) {
    kernel_->pack_bytes(from, count, columns, flip, to, sums);
  } else {
    pack::PackBytes(from, count, columns, layout_.nr, layout_.group_bytes, flip, to, sums);
  }
  int32_t* all = Column(matrix, 0) + first;
  for (int64_t j = 0; j < layout_.nr; ++j) all[j] += sums[j];
  if (kernel_->self != nullptr) {
    kernel_->self->subtract_columns(to, base::CeilDiv(count, layout_.group_elements),
                                    Column(matrix, 2) + first);
  }
}

/// The zero points of a panel's columns. Padding has that of the bytes that it consists of.
void PackedRight::FillZeros(const RightSource& source, int64_t matrix, int64_t p) {
  const int64_t first = p * layout_.nr;
  const int64_t columns = layout_.columns_of(p);
  int32_t* zeros = Column(matrix, 1) + first;
  const int32_t shift = ShiftOf(FlipOfB(kernel_->form, source.type), source.type);
  if (core::FormOf(source.zero) == core::ParameterForm::kVector) {
    for (int64_t j = 0; j < columns; ++j) zeros[j] = shift + source.zero.At(matrix, first + j);
  } else {
    std::fill_n(zeros, columns, shift + (source.zero.present ? source.zero.At(0, 0) : 0));
  }
  std::fill_n(zeros + columns, layout_.nr - columns, shift);
}

/// What zero points need of a panel's columns, from their sums. Those of pairs have gone into the
/// pairs.
void PackedRight::FillTerms(int64_t matrix, int64_t p) {
  const int64_t first = p * layout_.nr;
  const int32_t* sums = Column(matrix, 0) + first;
  int32_t* zeros = Column(matrix, 1) + first;
  const int32_t* init_0 = Column(matrix, 2) + first;
  int32_t* init_128 = Column(matrix, 3) + first;
  if (kernel_->form == Form::kS16xS16) {
    std::fill_n(zeros, layout_.nr, 0);
    std::fill_n(init_128, layout_.nr, 0);
    return;
  }
  const auto k = static_cast<int32_t>(layout_.k);
  for (int64_t j = 0; j < layout_.nr; ++j) {
    // K * 128 * zero - 128 * sum.
    init_128[j] = MinusProduct(init_0[j], kHalfRange, MinusProduct(sums[j], k, zeros[j]));
  }
}

}  // namespace tilewave::device::host
