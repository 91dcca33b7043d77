#pragma once

// The contracts of what happens to rows before and after the products: quantising and copying rows
// of A, and the way from sums to elements of C. Plain data, one set of functions per ISA; all sets
// give the same bits.

#include <cstddef>
#include <cstdint>

#include "tilewave/quantisation.h"
#include "tilewave/tensors.h"

namespace tilewave::kernels::cpu {

/// What the values of a row lie between; 0 always lies between, too.
struct FloatRange {
  float low = 0;
  float high = 0;
  bool finite = true;  ///< No NaN and no infinity; else low and high mean nothing.
};

/// How sums become elements of C; the same for a whole call. Follows core::StoreElement.
struct EpilogueMode {
  ElementType c_type = ElementType::kS32;
  Activation activation = Activation::kNone;
  enum class Requant : uint8_t { kNone, kShift, kScale } requant = Requant::kNone;
  RequantShift shift = {};   ///< Read if requant is kShift.
  int32_t requant_zero = 0;  ///< Read if requant is kScale.
};

/// Sums of one tile on their way to C. All pointers are borrowed, those for rows begin at the
/// tile's first row and those for columns at its first column, with one number each; a null
/// pointer leaves the step out. Steps in this order, integer steps modulo 2^32:
///   acc  = sums(i, j) + row_term[i] * column_sums[j] + row_zero_term[i] * zero_b[j] + bias_s32[j]
///   f32, bf16:  float(acc), times (scale_a[i] * scale_b[j]) or the one that is there,
///               + bias_f32[j], activation, narrowing
///   s32:        ReLU
///   s8, u8:     ReLU, then requantisation by shift or by requant_scale[j]
struct EpilogueTile {
  const int32_t* sums = nullptr;
  int64_t sums_stride = 0;  ///< In numbers.
  int64_t rows = 0;
  int64_t columns = 0;
  void* c = nullptr;                  ///< Element (i, j) at c[i * c_stride + j].
  int64_t c_stride = 0;               ///< In elements.
  const int32_t* row_term = nullptr;  ///< Both of this pair or neither.
  const int32_t* column_sums = nullptr;
  const int32_t* row_zero_term = nullptr;  ///< Both of this pair or neither.
  const int32_t* zero_b = nullptr;
  const int32_t* bias_s32 = nullptr;
  const float* scale_a = nullptr;
  const float* scale_b = nullptr;
  const float* bias_f32 = nullptr;
  const float* requant_scale = nullptr;  ///< Not null if requant is kScale.
};

/// A chunk of some rows on its way past the caches. Only whole lines may go that way: what is left
/// of a row's chunk waits until the next one, and what begins and ends a row goes through the
/// caches.
struct StreamedRows {
  static constexpr int64_t kLineBytes = 64;
  /// Row r begins at from + r * from_stride, aligned to lines; the line before a row is where its
  /// bytes wait.
  std::byte* from = nullptr;
  int64_t from_stride = 0;  ///< In bytes, a multiple of kLineBytes.
  std::byte* to = nullptr;  ///< Of the first row's chunk, at any place.
  int64_t to_stride = 0;    ///< In bytes.
  int64_t rows = 0;
  int64_t bytes = 0;   ///< Of each row; unless `last`, some whole lines.
  bool first = false;  ///< Nothing waits.
  bool last = false;   ///< Nothing is to wait.
};

/// One set for each ISA. `count` is a number of elements, at least 0; no alignment is assumed.
struct RowFunctions {
  const char* name;

  /// Range of a row; as core::ScanDynamicScales.
  FloatRange (*range)(const float* x, int64_t count);
  /// to[i] = byte of core::QuantiseSymmetric(x[i], {.inverse}) XOR flip. `inverse` finite, >= 0;
  /// x finite. `ahead`: floats from an element to one that may be fetched meanwhile; a hint.
  void (*quantise_symmetric)(const float* x, int64_t count, float inverse, uint8_t flip,
                             uint8_t* to, int64_t ahead);
  /// to[i] = byte of core::QuantiseAsymmetric(x[i], {.scale, .zero}) XOR flip. x finite.
  void (*quantise_asymmetric)(const float* x, int64_t count, float scale, int32_t zero,
                              uint8_t flip, uint8_t* to);
  /// Widens low[i] and high[i] so that x[i] lies between; whether all x[i] are finite (else low and
  /// high mean nothing).
  bool (*widen_ranges)(const float* x, int64_t count, float* low, float* high);
  /// As quantise_symmetric with inverse[i] for x[i].
  void (*quantise_columns)(const float* x, int64_t count, const float* inverse, uint8_t flip,
                           uint8_t* to);
  /// to[i] = from[i] XOR flip. No overlap.
  void (*copy_flipped)(const uint8_t* from, int64_t count, uint8_t flip, uint8_t* to);
  /// to[i] = from[i] (as s8 if is_signed, else u8) - zero. No overlap.
  void (*widen)(const uint8_t* from, int64_t count, bool is_signed, int32_t zero, int16_t* to);
  /// Sum of the bytes as u8, modulo 2^32.
  int32_t (*sum_u8)(const uint8_t* x, int64_t count);
  /// Sum of the bytes as s8, modulo 2^32.
  int32_t (*sum_s8)(const uint8_t* x, int64_t count);
  /// Stores a tile. C may begin where the sums do, rows as many bytes apart: elements are no larger
  /// than sums, and none is written before the sums up to it have been read.
  void (*store)(const EpilogueMode& mode, const EpilogueTile& tile);
  /// Copies rows to memory that is not read soon, past the caches where the ISA can.
  void (*stream)(const StreamedRows& chunk);
  /// What was streamed before is written before what comes after.
  void (*end_stream)();
};

}  // namespace tilewave::kernels::cpu
