#include "core/overlap.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/checked_math.h"

namespace tilewave::core {
namespace {

std::array<std::pair<int64_t, int64_t>, 3> StrideAndExtent(const Footprint& f) {
  return {{{f.strides.batch, f.batch}, {f.strides.row, f.rows}, {f.strides.col, f.cols}}};
}

/// A view whose rows are contiguous and stand `pitch` bytes apart, batch included.
std::optional<int64_t> PitchOf(const Footprint& f) {
  const int64_t pitch = f.strides.row * f.element_bytes;
  const bool contiguous_rows = f.cols == 1 || f.strides.col == 1;
  const bool batch_on_pitch =
      f.batch == 1 || (pitch > 0 && (f.strides.batch * f.element_bytes) % pitch == 0);
  if (!contiguous_rows || !batch_on_pitch || pitch < f.cols * f.element_bytes) return std::nullopt;
  return pitch;
}

}  // namespace

bool SpanBytes(const Footprint& f, int64_t* bytes) {
  std::optional<int64_t> last = 0;
  for (const auto& [stride, extent] : StrideAndExtent(f)) {
    const std::optional<int64_t> reach = base::CheckedMul(stride, extent - 1);
    if (!reach) return false;
    last = base::CheckedAdd(*last, *reach);
    if (!last) return false;
  }
  const std::optional<int64_t> elements = base::CheckedAdd(*last, 1);
  const std::optional<int64_t> span =
      elements ? base::CheckedMul(*elements, f.element_bytes) : std::nullopt;
  if (!span) return false;
  *bytes = *span;
  return true;
}

bool IsInjective(const Footprint& f) {
  auto dims = StrideAndExtent(f);
  std::sort(dims.begin(), dims.end());
  int64_t inner_span = 1;
  for (const auto& [stride, extent] : dims) {
    if (extent == 1) continue;
    if (stride < inner_span) return false;
    inner_span += stride * (extent - 1);
  }
  return true;
}

bool MayOverlap(const Footprint& x, const Footprint& y) {
  if (!Meet(ExtentOf(x), ExtentOf(y))) return false;
  const std::optional<int64_t> pitch = PitchOf(x);
  if (!pitch || pitch != PitchOf(y)) return true;
  // Both occupy a band of bytes in every pitch; the bands, taken modulo the pitch, must not meet.
  const auto p = static_cast<uintptr_t>(*pitch);
  const auto x_start = reinterpret_cast<uintptr_t>(x.start);
  const auto y_start = reinterpret_cast<uintptr_t>(y.start);
  const uintptr_t gap = (y_start + p - (x_start % p)) % p;  // y's band begins here, x's at 0.
  const auto x_width = static_cast<uintptr_t>(x.cols * x.element_bytes);
  const auto y_width = static_cast<uintptr_t>(y.cols * y.element_bytes);
  return gap < x_width || gap + y_width > p;
}

}  // namespace tilewave::core
