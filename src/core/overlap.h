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

/// Bytes from the first to one past the last element; nothing if that overflows int64_t.
/// REQUIRES: extents >= 1, strides >= 0.
bool SpanBytes(const Footprint& f, int64_t* bytes);

/// Where a footprint begins and ends. REQUIRES: SpanBytes does not fail, which is checked once for
/// a problem; this is part of every call.
struct Extent {
  uintptr_t begin;
  uintptr_t end;
};
inline Extent ExtentOf(const Footprint& f) {
  const auto reach = [](int64_t stride, int64_t extent) {
    return static_cast<uintptr_t>(stride) * static_cast<uintptr_t>(extent - 1);
  };
  const uintptr_t last =
      reach(f.strides.batch, f.batch) + reach(f.strides.row, f.rows) + reach(f.strides.col, f.cols);
  const auto begin = reinterpret_cast<uintptr_t>(f.start);
  return {begin, begin + ((last + 1) * static_cast<uintptr_t>(f.element_bytes))};
}

/// Whether the two have a byte in common. False for most, whose footprints cannot overlap then.
inline bool Meet(const Extent& x, const Extent& y) { return x.begin < y.end && y.begin < x.end; }

/// True if the two may share a byte. Exact for ranges that do not meet, and for row-wise slices
/// of one pitched buffer (say, the columns of Q, K and V side by side); otherwise cautious.
bool MayOverlap(const Footprint& x, const Footprint& y);

}  // namespace tilewave::core
