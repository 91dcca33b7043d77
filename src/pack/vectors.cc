#include "pack/vectors.h"

#include <algorithm>

#include "base/check.h"
#include "base/checked_math.h"

namespace tilewave::pack {
namespace {

// Vectors taken together when K is the strided direction, so that each cache line of the source
// is used whole: 64 bytes of 8-bit elements.
constexpr int64_t kVectorsTogether = 64;

template <typename T>
void PackAlongK(const T* source, const VectorSource& s, int64_t k, std::span<const int32_t> zeros,
                const VectorLayout& layout, int16_t* out) {
  for (size_t v = 0; v < zeros.size(); ++v) {
    const T* from = source + (static_cast<int64_t>(v) * s.vector_stride);
    int16_t* to = out + (static_cast<int64_t>(v) * layout.k_padded);
    const auto zero = static_cast<int16_t>(zeros[v]);
    for (int64_t i = 0; i < k; ++i) to[i] = static_cast<int16_t>(from[i] - zero);
  }
}

template <typename T>
void PackAcrossK(const T* source, const VectorSource& s, int64_t k, std::span<const int32_t> zeros,
                 const VectorLayout& layout, int16_t* out) {
  const auto count = static_cast<int64_t>(zeros.size());
  for (int64_t first = 0; first < count; first += kVectorsTogether) {
    const int64_t last = std::min(first + kVectorsTogether, count);
    for (int64_t i = 0; i < k; ++i) {
      const T* from = source + (i * s.k_stride);
      for (int64_t v = first; v < last; ++v) {
        const int32_t zero = zeros[static_cast<size_t>(v)];
        out[(v * layout.k_padded) + i] = static_cast<int16_t>(from[v * s.vector_stride] - zero);
      }
    }
  }
}

template <typename T>
void PackTyped(const VectorSource& s, int64_t k, std::span<const int32_t> zeros,
               const VectorLayout& layout, int16_t* out) {
  const T* source = static_cast<const T*>(s.data);
  if (s.k_stride == 1) {
    PackAlongK(source, s, k, zeros, layout, out);
  } else {
    PackAcrossK(source, s, k, zeros, layout, out);
  }
}

template <typename T>
void UnpackTyped(const int16_t* packed, const VectorLayout& layout, int64_t k,
                 std::span<const int32_t> zeros, const VectorSource& shape, T* out) {
  for (size_t v = 0; v < zeros.size(); ++v) {
    const int16_t* from = packed + (static_cast<int64_t>(v) * layout.k_padded);
    T* to = out + (static_cast<int64_t>(v) * shape.vector_stride);
    for (int64_t i = 0; i < k; ++i) to[i * shape.k_stride] = static_cast<T>(from[i] + zeros[v]);
  }
}

void ClearPadding(int64_t vectors, int64_t k, const VectorLayout& layout, int16_t* out) {
  if (k < layout.k_padded) {
    for (int64_t v = 0; v < vectors; ++v) {
      std::fill(out + (v * layout.k_padded) + k, out + ((v + 1) * layout.k_padded), int16_t{0});
    }
  }
  std::fill(out + (vectors * layout.k_padded), out + (layout.vectors_padded * layout.k_padded),
            int16_t{0});
}

}  // namespace

VectorLayout LayoutFor(int64_t vectors, int64_t k, int64_t vector_granule, int64_t k_granule) {
  return {base::RoundUp(vectors, vector_granule), base::RoundUp(k, k_granule)};
}

void PackVectors(const VectorSource& source, int64_t k, std::span<const int32_t> zeros,
                 const VectorLayout& layout, int16_t* out) {
  const auto vectors = static_cast<int64_t>(zeros.size());
  TW_CHECK_LE(vectors, layout.vectors_padded);
  TW_CHECK_LE(k, layout.k_padded);
  if (source.type == ElementType::kU8) {
    PackTyped<uint8_t>(source, k, zeros, layout, out);
  } else {
    PackTyped<int8_t>(source, k, zeros, layout, out);
  }
  ClearPadding(vectors, k, layout, out);
}

void UnpackVectors(const int16_t* packed, const VectorLayout& layout, int64_t k,
                   std::span<const int32_t> zeros, const VectorSource& shape, void* out) {
  if (shape.type == ElementType::kU8) {
    UnpackTyped(packed, layout, k, zeros, shape, static_cast<uint8_t*>(out));
  } else {
    UnpackTyped(packed, layout, k, zeros, shape, static_cast<int8_t*>(out));
  }
}

}  // namespace tilewave::pack
