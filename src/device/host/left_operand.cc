#include "device/host/left_operand.h"

#include <algorithm>
#include <cstring>

#include "base/checked_math.h"

namespace tilewave::device::host {
namespace {

using kernels::cpu::Form;
using kernels::cpu::Int8Kernel;
using kernels::cpu::WidensA;

constexpr int64_t kLineBytes = 64;
// Where rows are quantised some at a time, between products, memory has to be kept busy further on
// (measured on Zen 4: half as far takes 3 to 9 % longer).
constexpr int64_t kFloatsAhead = 4096;
// Rows that many bytes apart, or a multiple, fall into the same sets of an L1 cache and evict each
// other (4096 in all; half of it still uses only two sets).
constexpr int64_t kAliasBytes = 2048;
// For kernels that want lines: how many columns pay for a copy of rows that do not begin with
// lines, or that are a multiple of so many bytes, or of kAliasBytes, apart (measured; the fewer
// columns, the larger a part of the time is the copy).
constexpr int64_t kColumnsForLines = 192;
constexpr int64_t kColumnsForSpread = 1024;
constexpr int64_t kCrowdedBytes = 512;
constexpr int64_t kColumnsForAlias = 320;
// Where kernels flip at the cost of multiplying: how many columns pay for a flipped copy.
constexpr int64_t kColumnsForFlip = 128;

const uint8_t* RowAt(const LeftSource& s, int64_t batch, int64_t row) {
  return s.bytes.data + (batch * s.bytes.batch_stride) + (row * s.bytes.vector_stride);
}

int64_t RowBytes(const LeftSource& s, Form form) {
  return base::RoundUp(s.k, kernels::cpu::GroupElements(form)) * (WidensA(form) ? 2 : 1);
}

/// Where what a row's sums begin with stands: behind its last group. 0: nowhere.
int64_t RowStart(const LeftSource& s, const Int8Kernel& kernel) {
  return kernel.self == nullptr ? 0 : RowBytes(s, kernel.form);
}

bool Dense(const LeftSource& s) {
  return s.bytes.k_stride == 1 && s.bytes.vector_stride == s.k &&
         s.k % kernels::cpu::kGroupBytes == 0 && s.k % kAliasBytes != 0;
}

/// Row-major bytes of `count` rows at `to`, from strides that do not run along K.
void CopyStrided(const LeftSource& s, const uint8_t* from, int64_t count, int64_t stride,
                 uint8_t* to) {
  // Along the rows first: A in column-major order is then read line by line.
  for (int64_t k = 0; k < s.k; ++k) {
    const uint8_t* line = from + (k * s.bytes.k_stride);
    for (int64_t r = 0; r < count; ++r) {
      to[(r * stride) + k] = static_cast<uint8_t>(line[r * s.bytes.vector_stride] ^ s.flip);
    }
  }
}

void PackByteRows(const LeftSource& s, const Int8Kernel& kernel, const uint8_t* from, int64_t count,
                  int64_t stride, uint8_t* to) {
  if (Dense(s) && stride == s.k) {
    kernel.rows->copy_flipped(from, count * s.k, s.flip, to);
    return;
  }
  if (s.bytes.k_stride == 1) {
    for (int64_t r = 0; r < count; ++r) {
      kernel.rows->copy_flipped(from + (r * s.bytes.vector_stride), s.k, s.flip, to + (r * stride));
    }
  } else {
    CopyStrided(s, from, count, stride, to);
  }
  const int64_t padding = RowBytes(s, kernel.form) - s.k;
  for (int64_t r = 0; r < count && padding > 0; ++r) {
    std::memset(to + (r * stride) + s.k, 0, static_cast<size_t>(padding));
  }
}

void PackFloatRows(const LeftSource& s, const Int8Kernel& kernel, int64_t batch, int64_t first,
                   int64_t count, int64_t stride, uint8_t* to) {
  const auto padding = static_cast<size_t>(RowBytes(s, kernel.form) - s.k);
  for (int64_t r = 0; r < count; ++r) {
    uint8_t* const row = to + (r * stride);
    if (!QuantiseVector(s.floats->x, batch, first + r, s.flip, *kernel.rows, s.floats->scales, row,
                        kFloatsAhead)) {
      s.floats->finite.store(false, std::memory_order_relaxed);
    }
    std::memset(row + s.k, 0, padding);
  }
}

void PackWideRows(const LeftSource& s, const Int8Kernel& kernel, const uint8_t* from, int64_t first,
                  int64_t count, int64_t stride, std::byte* to) {
  const bool is_signed = s.type == ElementType::kS8;
  for (int64_t r = 0; r < count; ++r) {
    auto* wide = reinterpret_cast<int16_t*>(to + (r * stride));
    const uint8_t* row = from + (r * s.bytes.vector_stride);
    const int32_t zero = s.zero == nullptr ? 0 : s.zero[first + r];
    if (s.bytes.k_stride == 1) {
      kernel.rows->widen(row, s.k, is_signed, zero, wide);
    } else {
      for (int64_t k = 0; k < s.k; ++k) {
        const uint8_t byte = row[k * s.bytes.k_stride];
        const int32_t value = is_signed ? static_cast<int8_t>(byte) : byte;
        wide[k] = static_cast<int16_t>(value - zero);
      }
    }
    if (s.k % 2 != 0) wide[s.k] = 0;
  }
  if (kernel.self != nullptr) {
    const int64_t groups = RowBytes(s, kernel.form) / kernels::cpu::kGroupBytes;
    kernel.self->start_rows(to, stride, count, groups);
  }
}

}  // namespace

bool ReadableInPlace(const LeftSource& s, const Int8Kernel& kernel) {
  return s.floats == nullptr && !WidensA(kernel.form) && (s.flip == 0 || kernel.flips) &&
         s.bytes.k_stride == 1 && s.k % kernels::cpu::kGroupBytes == 0;
}

bool BestInPlace(const LeftSource& s, const Int8Kernel& kernel, const arch::Cpu& cpu,
                 int64_t columns) {
  if (!ReadableInPlace(s, kernel)) return false;
  if (s.flip != 0 && cpu.few_vector_ports && kernel.flip_competes && columns >= kColumnsForFlip)
    return false;
  if (!kernel.wants_lines) return true;
  if (s.bytes.vector_stride % kAliasBytes == 0) return columns < kColumnsForAlias;
  if (columns < kColumnsForLines) return true;
  const auto place = static_cast<int64_t>(reinterpret_cast<uintptr_t>(s.bytes.data));
  const int64_t odd = (place | s.bytes.vector_stride | s.bytes.batch_stride) % kLineBytes;
  if (odd != 0) return false;
  return s.bytes.vector_stride % kCrowdedBytes != 0 || columns < kColumnsForSpread;
}

int64_t SpreadRowStride(const Int8Kernel& kernel, int64_t bytes) {
  const int64_t lines = base::CeilDiv(bytes, kLineBytes);
  if (kernel.wants_lines) return (lines | 1) * kLineBytes;
  return (lines * kLineBytes) + (lines * kLineBytes % kAliasBytes == 0 ? kLineBytes : 0);
}

int64_t PackedRowStride(const LeftSource& s, const Int8Kernel& kernel) {
  const bool as_they_are = s.floats == nullptr && !WidensA(kernel.form) && Dense(s);
  if (as_they_are && !kernel.wants_lines) return s.k;
  const int64_t start_bytes = kernel.self == nullptr ? 0 : int64_t{sizeof(int32_t)};
  return SpreadRowStride(kernel, RowBytes(s, kernel.form) + start_bytes);
}

LeftRows PackRows(const LeftSource& s, const Int8Kernel& kernel, int64_t batch, int64_t first,
                  int64_t count, std::byte* to) {
  const int64_t stride = PackedRowStride(s, kernel);
  if (s.floats != nullptr) {
    PackFloatRows(s, kernel, batch, first, count, stride, reinterpret_cast<uint8_t*>(to));
    return {to, stride, 0};
  }
  const uint8_t* from = RowAt(s, batch, first);
  if (WidensA(kernel.form)) {
    PackWideRows(s, kernel, from, first, count, stride, to);
  } else {
    PackByteRows(s, kernel, from, count, stride, reinterpret_cast<uint8_t*>(to));
  }
  return {to, stride, 0, RowStart(s, kernel)};
}

void SetRowsInPlace(const LeftSource& s, int64_t batch, int64_t first, LeftRows* rows) {
  rows->data = reinterpret_cast<const std::byte*>(RowAt(s, batch, first));
  rows->stride = s.bytes.vector_stride;
  rows->flip = s.flip;
  rows->start = 0;
}

}  // namespace tilewave::device::host
