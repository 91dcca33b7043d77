#pragma once

// Matrices as the caller hands them over: element types, strided views of host memory, prepacked
// weights and tensors that stay on a device.

#if __cplusplus < 202002L
#error "tilewave needs C++20: compile with -std=c++20"
#endif

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <type_traits>
#include <variant>

namespace tilewave {

/// Types of one matrix element. s16 exists for timing designs only; a product with s16 operands
/// is refused with kUnimplemented.
enum class ElementType : uint8_t { kS8, kU8, kS16, kS32, kF32, kBF16 };

/// Bytes of one element: 1, 1, 2, 4, 4, 2.
constexpr size_t ElementBytes(ElementType type) {
  switch (type) {
    case ElementType::kS8:
    case ElementType::kU8:
      return 1;
    case ElementType::kS16:
    case ElementType::kBF16:
      return 2;
    case ElementType::kS32:
    case ElementType::kF32:
      return 4;
  }
  return 0;
}

/// "s8", "u8", "s16", "s32", "f32", "bf16".
std::string_view Name(ElementType type);

/// Storage of one bfloat16: the upper half of an IEEE binary32.
struct BFloat16 {
  uint16_t bits = 0;
};

/// The ElementType that stores a C++ type.
template <typename T>
constexpr ElementType ElementTypeOf() {
  using U = std::remove_const_t<T>;
  if constexpr (std::is_same_v<U, int8_t>) {
    return ElementType::kS8;
  } else if constexpr (std::is_same_v<U, uint8_t>) {
    return ElementType::kU8;
  } else if constexpr (std::is_same_v<U, int16_t>) {
    return ElementType::kS16;
  } else if constexpr (std::is_same_v<U, int32_t>) {
    return ElementType::kS32;
  } else if constexpr (std::is_same_v<U, float>) {
    return ElementType::kF32;
  } else {
    static_assert(std::is_same_v<U, BFloat16>,
                  "elements are int8_t, uint8_t, int16_t, int32_t, float or tilewave::BFloat16");
    return ElementType::kBF16;
  }
}

/// Instead of a stride: rows stand one after another, and so do matrices.
inline constexpr int64_t kDenseStride = std::numeric_limits<int64_t>::min();

/// A view of a matrix, or of a strided batch of matrices of one shape, in host memory.
/// Element (b, i, j) stands at data + (b*batch_stride + i*row_stride + j*col_stride) elements.
/// Strides count elements, not bytes, and are never negative; 0 repeats one element, row or
/// matrix (a broadcast; inputs only). The view owns nothing: the memory must outlive the call
/// (for Submit: the handle's Wait). With strides left alone it is dense, row after row.
template <typename Pointer>
struct BasicMatrix {
  Pointer data = nullptr;
  ElementType type = ElementType::kS8;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t batch = 1;
  int64_t row_stride = kDenseStride;
  int64_t col_stride = 1;
  int64_t batch_stride = kDenseStride;

  /// The same memory with rows and columns exchanged; nothing moves.
  BasicMatrix Transposed() const {
    BasicMatrix t = *this;
    t.rows = cols;
    t.cols = rows;
    t.row_stride = col_stride;
    t.col_stride = row_stride;
    return t;
  }

  /// An output can be read as an input.
  template <typename P>
  requires(std::is_same_v<P, const void*> && !std::is_same_v<Pointer, P>) operator BasicMatrix<P>()
      const {  // NOLINT(google-explicit-constructor)
    return {data, type, rows, cols, batch, row_stride, col_stride, batch_stride};
  }
};

using ConstMatrix = BasicMatrix<const void*>;  ///< An input.
using Matrix = BasicMatrix<void*>;             ///< An output.

/// A dense row-major view: (rows x cols), `batch` of them one after another. Pointers to const
/// elements give a ConstMatrix, others a Matrix.
template <typename T>
auto RowMajor(T* data, int64_t rows, int64_t cols, int64_t batch = 1) {
  using View = std::conditional_t<std::is_const_v<T>, ConstMatrix, Matrix>;
  return View{data, ElementTypeOf<T>(), rows, cols, batch, cols, 1, batch == 1 ? 0 : rows * cols};
}

/// A dense column-major view of the same shape.
template <typename T>
auto ColumnMajor(T* data, int64_t rows, int64_t cols, int64_t batch = 1) {
  return RowMajor(data, cols, rows, batch).Transposed();
}

/// A matrix or batch that stays on the device of the Engine that made it: the result of a call, or
/// an upload, to be an operand of later ones. A cheap shared handle; the memory lives until the
/// last copy is gone, and must be gone before the Engine is. The result of a submitted call may be
/// an operand before that call has ended: the later one comes after it.
///
/// An NPU reads an s8 tensor where it lies if it is A, not transposed, and B is s8 without zero
/// points; it leaves C there if that is s32 sums as they are, or s8 by one RequantShift, of s8
/// operands without zero points, bias and activation. Anything else goes through host memory, with
/// the same result.
class DeviceTensor {
 public:
  class Impl;

  DeviceTensor() = default;
  /// For the library: `impl` says what it is.
  explicit DeviceTensor(std::shared_ptr<Impl> impl);

  bool empty() const { return impl_ == nullptr; }

  /// Extents and type; 0 when empty.
  int64_t rows() const { return rows_; }
  int64_t cols() const { return cols_; }
  int64_t batch() const { return batch_; }
  ElementType type() const { return type_; }

  /// The same tensor with rows and columns exchanged, as an operand; nothing moves.
  DeviceTensor Transposed() const {
    DeviceTensor t = *this;
    t.rows_ = cols_;
    t.cols_ = rows_;
    t.transposed_ = !transposed_;
    return t;
  }

  bool transposed() const { return transposed_; }
  const std::shared_ptr<Impl>& impl() const { return impl_; }

 private:
  std::shared_ptr<Impl> impl_;
  int64_t rows_ = 0;
  int64_t cols_ = 0;
  int64_t batch_ = 0;
  ElementType type_ = ElementType::kS8;
  bool transposed_ = false;
};

/// C left on the device: the call makes the tensor, of this element type.
struct DeviceOutput {
  /// Set when Run or Submit returns without an error; holds the elements once the call has ended
  /// well. Not owned, and read by nobody after that.
  DeviceTensor* tensor = nullptr;
  ElementType type = ElementType::kS32;
};

/// A right operand prepared once by Engine::Prepare and used in many calls, from many threads.
/// Opaque and immutable: holds the raw matrix (so that any backend can take over) and payloads in
/// the layouts that backends have asked for. A cheap shared handle. It carries its zero points
/// and, if it was made from f32, its scales; calls must not give these again.
class Weights {
 public:
  class Impl;

  Weights() = default;
  explicit Weights(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

  bool empty() const { return impl_ == nullptr; }

  /// Extents and type of the integer matrix held; 0 when empty.
  int64_t rows() const;
  int64_t cols() const;
  int64_t batch() const;
  ElementType type() const;

  /// Bytes held in all: the raw matrix plus every payload made so far.
  size_t bytes() const;

  const Impl* impl() const { return impl_.get(); }

 private:
  std::shared_ptr<const Impl> impl_;
};

using LeftOperand = std::variant<ConstMatrix, DeviceTensor>;
using RightOperand = std::variant<ConstMatrix, DeviceTensor, Weights>;
using Output = std::variant<Matrix, DeviceOutput>;

}  // namespace tilewave
