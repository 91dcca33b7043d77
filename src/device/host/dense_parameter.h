#pragma once

#include <cstddef>
#include <cstdint>

#include "base/aligned_buffer.h"
#include "tilewave/tensors.h"

namespace tilewave::device::host {

/// One number per row or column for every matrix of the batch, densely. Borrowed.
template <typename T>
struct DenseParameter {
  const T* data = nullptr;  ///< Null if there are none.
  int64_t batch_stride = 0;

  const T* From(int64_t batch, int64_t i) const {
    return data == nullptr ? nullptr : data + (batch * batch_stride) + i;
  }
};

/// A parameter as dense vectors of `count`: the caller's own memory if it is that already, else a
/// copy in `memory`.
template <typename T>
DenseParameter<T> Dense(const Parameter<T>& p, int64_t batch, int64_t count,
                        base::AlignedBuffer* memory) {
  if (!p.present) return {};
  if (p.data != nullptr && (p.stride == 1 || count == 1)) return {p.data, p.batch_stride};
  const int64_t vectors = p.data == nullptr || p.batch_stride == 0 ? 1 : batch;
  memory->Reserve(static_cast<size_t>(vectors * count) * sizeof(T));
  T* to = memory->data<T>();
  for (int64_t b = 0; b < vectors; ++b) {
    for (int64_t i = 0; i < count; ++i) to[(b * count) + i] = p.At(b, i);
  }
  return {to, vectors == 1 ? 0 : count};
}

}  // namespace tilewave::device::host
