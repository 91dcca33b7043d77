#include "cli/operands.h"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "cli/atomic_file.h"
#include "cli/text.h"

namespace tilewave::cli {
namespace {

/// Whether the text was meant as a number, so that a mistyped one is not taken for a file.
bool LooksNumeric(std::string_view text) {
  return text.find_first_not_of("0123456789+-.eExXnNaAiIfF") == std::string_view::npos &&
         text.find_first_of("0123456789") != std::string_view::npos;
}

template <typename T>
T ElementAt(const NpyArray& array, size_t i) {
  switch (array.header.type) {
    case ElementType::kS8:
      return static_cast<T>(array.data.data<int8_t>()[i]);
    case ElementType::kU8:
      return static_cast<T>(array.data.data<uint8_t>()[i]);
    case ElementType::kS32:
      return static_cast<T>(array.data.data<int32_t>()[i]);
    default:
      return static_cast<T>(array.data.data<float>()[i]);
  }
}

/// An extent of 1 says nothing: 4x1 and 1x4 are 4 numbers, like 4.
std::vector<int64_t> WithoutOnes(std::vector<int64_t> shape) {
  std::erase(shape, 1);
  return shape;
}

/// Reads a parameter file; integers may not come from floats, nor floats from integers.
template <typename T>
Result<LoadedParameter<T>> LoadFile(const std::string& what, const std::string& path, int64_t count,
                                    int64_t batch, std::string_view counted) {
  Result<NpyArray> array = ReadNpy(path);
  if (!array.ok()) return array.status();
  const bool is_float = array->header.type == ElementType::kF32;
  if (is_float != std::is_same_v<T, float>) {
    return Invalid(fmt::format("{} ({}) holds {}; expected {}", what, path,
                               Name(array->header.type),
                               is_float ? "int8, uint8 or int32" : "float32"));
  }
  const std::vector<int64_t> extents = WithoutOnes(array->header.shape);
  const bool one = extents.empty();
  const bool vector = !one && extents == WithoutOnes({count});
  const bool per_matrix = !one && !vector && batch > 1 && extents == WithoutOnes({batch, count});
  if (!one && !vector && !per_matrix) {
    return Invalid(fmt::format("{} ({}) has shape {}; expected one number, or {} (the {}){}", what,
                               path, ShapeText(array->header.shape), count, counted,
                               batch > 1 ? fmt::format(", or {}x{}", batch, count) : ""));
  }
  LoadedParameter<T> loaded;
  const auto elements = static_cast<size_t>(one ? 1 : (vector ? count : batch * count));
  for (size_t i = 0; i < elements; ++i) loaded.values.push_back(ElementAt<T>(*array, i));
  // A Fortran-ordered batch x count array has the vectors' elements `batch` apart.
  const bool swapped = per_matrix && array->header.fortran_order;
  if (one) {
    loaded.parameter = Parameter<T>::Of(loaded.values[0]);
  } else {
    loaded.parameter = {true, T{}, loaded.values.data(), swapped ? batch : 1,
                        per_matrix ? (swapped ? 1 : count) : 0};
  }
  return loaded;
}

template <typename T>
Result<LoadedParameter<T>> LoadParameter(const std::string& what,
                                         const std::optional<std::string>& given, int64_t count,
                                         int64_t batch, std::string_view counted) {
  LoadedParameter<T> loaded;
  if (!given) return loaded;
  const std::string& text = *given;
  if (text.empty()) return Invalid(what + " is empty; expected a number or a .npy file");
  T value{};
  if (ParseNumber(text, &value)) {
    loaded.parameter = Parameter<T>::Of(value);
    return loaded;
  }
  if (LooksNumeric(text)) {
    return Invalid(fmt::format("{} is '{}', which is no {} (a file of that name: ./{})", what, text,
                               std::is_same_v<T, float> ? "float32" : "32-bit integer", text));
  }
  return LoadFile<T>(what, text, count, batch, counted);
}

}  // namespace

Result<LoadedMatrix> LoadMatrix(const std::string& path, std::atomic<int64_t>* progress) {
  Result<NpyArray> array = ReadNpy(path, progress);
  if (!array.ok()) return array.status();
  const std::vector<int64_t>& shape = array->header.shape;
  if (shape.size() != 2 && shape.size() != 3) {
    return Invalid(fmt::format("{} has {} dimensions; expected 2 (a matrix) or 3 (a batch)", path,
                               shape.size()));
  }
  for (int64_t extent : shape) {
    if (extent < 1) {
      return Invalid(
          fmt::format("{} has shape {}; every extent must be at least 1", path, ShapeText(shape)));
    }
  }
  if (array->header.type == ElementType::kS32) {
    return Invalid(
        fmt::format("{} holds int32; a matrix to multiply is int8, uint8 or float32", path));
  }
  const bool batched = shape.size() == 3;
  const int64_t batch = batched ? shape[0] : 1;
  const int64_t rows = shape[batched ? 1 : 0];
  const int64_t cols = shape[batched ? 2 : 1];
  ConstMatrix view{nullptr, array->header.type, rows, cols, batch, cols, 1, rows * cols};
  if (array->header.fortran_order) {
    // The first index runs fastest: batch, then rows, then columns.
    view.batch_stride = 1;
    view.row_stride = batch;
    view.col_stride = batch * rows;
  }
  LoadedMatrix loaded{*std::move(array), view, batched};
  loaded.view.data = loaded.array.data.data();
  return loaded;
}

Result<LoadedParameter<float>> LoadFloats(const std::string& what,
                                          const std::optional<std::string>& text, int64_t count,
                                          int64_t batch, std::string_view counted) {
  return LoadParameter<float>(what, text, count, batch, counted);
}

Result<LoadedParameter<int32_t>> LoadIntegers(const std::string& what,
                                              const std::optional<std::string>& text, int64_t count,
                                              int64_t batch, std::string_view counted) {
  return LoadParameter<int32_t>(what, text, count, batch, counted);
}

Status CheckOutput(const std::string& path) {
  if (path.empty()) return Invalid("--output is empty; expected the name of a .npy file");
  if (path.front() == '-') {
    return Invalid(
        fmt::format("--output is '{0}', which begins with '-' (a file of that name: ./{0})", path));
  }
  return CheckOutputPath(path);
}

Status CheckKernelName(const std::optional<std::string>& name) {
  if (!name || !name->empty()) return {};
  return Invalid("--kernel is empty; expected the name of a CPU kernel");
}

Result<std::vector<int64_t>> ParseShape(std::string_view text) {
  std::vector<int64_t> shape;
  const Status bad = Invalid(fmt::format(
      "'{}' is no shape; expected ROWSxCOLS or BATCHxROWSxCOLS, each at least 1", text));
  for (size_t start = 0; start <= text.size();) {
    const size_t end = std::min(text.find('x', start), text.size());
    const std::string_view digits = text.substr(start, end - start);
    int64_t extent = 0;
    if (digits.starts_with('+') || !ParseNumber(digits, &extent) || extent < 1) return bad;
    shape.push_back(extent);
    start = end + 1;
  }
  if (shape.size() != 2 && shape.size() != 3) return bad;
  return shape;
}

std::string ShapeText(const std::vector<int64_t>& shape) {
  return shape.empty() ? "()" : fmt::format("{}", fmt::join(shape, "x"));
}

}  // namespace tilewave::cli
