#pragma once

#include <cstdint>

#include "program/design_spec.h"
#include "program/whole_array_launch.h"

namespace tilewave::program {

inline constexpr BLayout kLayouts[] = {BLayout::kRowMajor, BLayout::kColumnMajor, BLayout::kPacked};

inline ProductShape Shape(int64_t batch, int64_t m, int64_t k, int64_t n, bool a_shared = false,
                          bool b_shared = false) {
  return {batch, m, k, n, a_shared, b_shared, {}};
}

}  // namespace tilewave::program
