#pragma once

// The layout of both operands for the CPU kernels: vectors along K (rows of A, columns of B),
// zero point subtracted, as s16. s16 holds every difference of two 8-bit values, so signs and
// zero points need no correction terms afterwards.

#include <cstddef>
#include <cstdint>
#include <span>

#include "tilewave/tensors.h"

namespace tilewave::pack {

/// An 8-bit operand seen as vectors along K. Borrowed.
struct VectorSource {
  const void* data = nullptr;
  ElementType type = ElementType::kS8;  ///< s8 or u8.
  int64_t vector_stride = 0;            ///< Elements from one vector to the next.
  int64_t k_stride = 0;                 ///< Elements along K.
};

/// Where packed vectors stand: vector v, element k at [v * k_padded + k]. Elements with k beyond
/// K, and vectors beyond the count, are 0 and add nothing to any product.
struct VectorLayout {
  int64_t vectors_padded = 0;
  int64_t k_padded = 0;

  size_t bytes() const { return static_cast<size_t>(vectors_padded * k_padded) * sizeof(int16_t); }
};

/// Smallest layout for `vectors` x `k` with both rounded up to the kernel's granules.
VectorLayout LayoutFor(int64_t vectors, int64_t k, int64_t vector_granule, int64_t k_granule);

/// Packs vectors [0, zeros.size()) of the source; zeros[v] is subtracted from vector v.
/// Writes all of the layout. REQUIRES: zeros.size() <= vectors_padded, k <= k_padded.
void PackVectors(const VectorSource& source, int64_t k, std::span<const int32_t> zeros,
                 const VectorLayout& layout, int16_t* out);

/// The inverse, slow twin of PackVectors by which it is tested: writes the 8-bit elements back
/// through the same strides. REQUIRES: as PackVectors; `out` covers what `shape` describes (its
/// data pointer is not read).
void UnpackVectors(const int16_t* packed, const VectorLayout& layout, int64_t k,
                   std::span<const int32_t> zeros, const VectorSource& shape, void* out);

}  // namespace tilewave::pack
