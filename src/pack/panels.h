#pragma once

// The layout of B for the CPU kernels: panels of nr columns, and in a panel groups of some bytes
// along K. Group g of column j stands at byte (g * nr + j) * group_bytes of its panel, so that a
// kernel reads panels front to back. A group is four or two 8-bit elements, or two 16-bit ones.

#include <cstddef>
#include <cstdint>

#include "base/checked_math.h"
#include "tilewave/tensors.h"

namespace tilewave::pack {

/// Extents of a packed matrix. Columns and elements of K beyond the matrix are 0 and add nothing.
struct PanelLayout {
  int64_t k = 0;
  int64_t columns = 0;
  int64_t nr = 1;  ///< Columns of a panel.
  int64_t group_elements = 4;
  int64_t group_bytes = 4;

  int64_t groups() const { return base::CeilDiv(k, group_elements); }
  int64_t panels() const { return base::CeilDiv(columns, nr); }
  int64_t columns_padded() const { return panels() * nr; }
  int64_t panel_bytes() const { return groups() * nr * group_bytes; }
  int64_t bytes() const { return panels() * panel_bytes(); }
  /// Columns of panel p that are not padding.
  int64_t columns_of(int64_t p) const { return p + 1 < panels() ? nr : columns - (p * nr); }
};

/// Columns of 8-bit elements: element (k, j) at data[k * k_stride + j * column_stride]. Borrowed.
struct PanelSource {
  const uint8_t* data = nullptr;
  int64_t k_stride = 0;
  int64_t column_stride = 0;
};

/// Packs one panel of `columns` <= nr columns in groups of `group` bytes, 2 or 4, the source's XOR
/// flip, and writes the sums of each column's k packed bytes, taken as s8, to sums[0 .. nr).
void PackBytes(const PanelSource& source, int64_t k, int64_t columns, int64_t nr, int64_t group,
               uint8_t flip, std::byte* panel, int32_t* sums);

/// Packs one panel as pairs of s16: the element (s8 or u8) minus zeros[j], or minus nothing if
/// `zeros` is null.
void PackPairs(const PanelSource& source, ElementType type, int64_t k, int64_t columns, int64_t nr,
               const int32_t* zeros, std::byte* panel);

/// The inverse of PackBytes: writes elements (k, j) back through the same strides.
void UnpackBytesForTest(const std::byte* panel, int64_t k, int64_t columns, int64_t nr,
                        int64_t group, uint8_t flip, const PanelSource& shape, uint8_t* out);

/// The inverse of PackPairs.
void UnpackPairsForTest(const std::byte* panel, int64_t k, int64_t columns, int64_t nr,
                        const int32_t* zeros, const PanelSource& shape, uint8_t* out);

}  // namespace tilewave::pack
