#pragma once

#include <cstdint>

#include "core/problem.h"

namespace tilewave::core {

/// The elements of a strided batch, as bytes from `start`.
struct Footprint {
  const void* start = nullptr;
  int64_t batch = 1;
  int64_t rows = 1;
  int64_t cols = 1;
  int64_t element_bytes = 1;
  Strides strides;
};

/// True if no two index triples name the same element. Sufficient, not necessary: dimensions
/// must nest (each stride at least the span of the dimensions inside it), so an odd interleaving
/// that happens to be injective counts as overlapping.
bool IsInjective(const Footprint& f);

/// True if the two may share a byte. Exact for ranges that do not meet, and for row-wise slices
/// of one pitched buffer (say, the columns of Q, K and V side by side); otherwise cautious.
bool MayOverlap(const Footprint& x, const Footprint& y);

/// Bytes from the first to one past the last element; nothing if that overflows int64_t.
/// REQUIRES: extents >= 1, strides >= 0.
bool SpanBytes(const Footprint& f, int64_t* bytes);

}  // namespace tilewave::core
