#include "core/overlap.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

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
  const Extent x_extent = ExtentOf(x);
  const Extent y_extent = ExtentOf(y);
  if (!Meet(x_extent, y_extent)) return false;
  const std::optional<int64_t> pitch = PitchOf(x);
  if (!pitch || pitch != PitchOf(y)) return true;
  // Both occupy a band of bytes in every pitch; the bands, taken modulo the pitch, must not meet.
  const auto p = static_cast<uintptr_t>(*pitch);
  const uintptr_t gap =
      (y_extent.begin + p - (x_extent.begin % p)) % p;  // y's band begins here, x's at 0.
  const auto x_width = static_cast<uintptr_t>(x.cols * x.element_bytes);
  const auto y_width = static_cast<uintptr_t>(y.cols * y.element_bytes);
  return gap < x_width || gap + y_width > p;
}

}  // namespace tilewave::core
