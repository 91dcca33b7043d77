#pragma once

#include <cstdint>

#include "kernels/cpu/few_rows.h"

namespace tilewave::kernels::cpu {

/// A chunk of K of all rows of FewRowsArgs as s16: as long as memory goes round. Zeros behind K, as
/// A has them. For CPUs that multiply pairs of s16 without a loss, whatever the signs.
struct WideRows {
  static constexpr int64_t kElements = kFewRows * 512;

  explicit WideRows(int64_t rows) : chunk(kElements / rows / kFewRowsPad * kFewRowsPad) {}

  const int16_t* at(int64_t r) const { return elements + (r * chunk); }

  int64_t chunk;  ///< Elements of K.
  alignas(32) int16_t elements[kElements];
};

}  // namespace tilewave::kernels::cpu
