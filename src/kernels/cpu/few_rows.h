#pragma once

#include <cstdint>

namespace tilewave::kernels::cpu {

/// A few rows of A times a B that stays as it stands, row-major or column-major: for products that
/// read B once, so that packing it would take longer than multiplying.
struct FewRowsArgs {
  const uint8_t* a;  ///< Row r at a + r * a_stride; zeros from K up to a multiple of kFewRowsPad.
  int64_t a_stride;
  int64_t rows;  ///< 1 .. kFewRows.
  bool a_signed;
  const uint8_t* b;
  bool b_along_k;  ///< Element (k, j) stands at b[j * b_stride + k]; else at b[k * b_stride + j].
  int64_t b_stride;
  bool b_signed;
  int64_t k;
  int64_t columns;
  int32_t* sums;  ///< Results, exact modulo 2^32; (r, j) at sums[r * sums_stride + j]; 64-byte
                  ///< aligned.
  int64_t sums_stride;  ///< A multiple of 16, with room for columns up to whole kFewRowsColumns.
  /// Of sums, about, that are added to at a time, in a near cache: the more, the longer pieces of
  /// the rows of a row-major B are read.
  int64_t near_bytes;
};
using FewRowsFunction = void (*)(const FewRowsArgs&);

inline constexpr int64_t kFewRows = 17;  ///< Sixteen, and one of ones for the sums of columns.
inline constexpr int64_t kFewRowsPad = 64;
inline constexpr int64_t kFewRowsColumns = 64;

}  // namespace tilewave::kernels::cpu
