#pragma once

// From .npy files and numbers on the command line to the views of a call.

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/aligned_buffer.h"
#include "cli/npy_file.h"
#include "tilewave/quantisation.h"
#include "tilewave/status.h"
#include "tilewave/tensors.h"

namespace tilewave::cli {

/// A matrix or batch read from a file, owning its memory.
struct LoadedMatrix {
  NpyArray array;
  ConstMatrix view;      ///< Into array.
  bool batched = false;  ///< The file is 3-D.
};

/// Reads a 2-D or 3-D array of s8, u8 or f32 elements, all extents at least 1.
/// `progress`, if not null, counts the bytes of the elements.
[[nodiscard]] Result<LoadedMatrix> LoadMatrix(const std::string& path,
                                              std::atomic<int64_t>* progress = nullptr);

/// A parameter given on the command line as a number or as a .npy file.
template <typename T>
struct LoadedParameter {
  std::vector<T> values;
  Parameter<T> parameter;  ///< Into values; absent if nothing was given.
};

/// `text` is a number, or else the path of an array with one number, `count` numbers, or
/// `batch` x `count` (extents of 1 do not matter). `what` and `counted` are for messages:
/// "--scale-a", "rows of A". Without a text the parameter is absent; an empty text is an error.
[[nodiscard]] Result<LoadedParameter<float>> LoadFloats(const std::string& what,
                                                        const std::optional<std::string>& text,
                                                        int64_t count, int64_t batch,
                                                        std::string_view counted);
/// The same for integers; files hold int8, uint8 or int32.
[[nodiscard]] Result<LoadedParameter<int32_t>> LoadIntegers(const std::string& what,
                                                            const std::optional<std::string>& text,
                                                            int64_t count, int64_t batch,
                                                            std::string_view counted);

/// Whether the path may be written: see CheckOutputPath. What begins with '-' was meant as an
/// option.
[[nodiscard]] Status CheckOutput(const std::string& path);

/// Refuses an empty name, which would quietly be the best kernel.
[[nodiscard]] Status CheckKernelName(const std::optional<std::string>& name);

/// "1500x512" or "8x1500x64": two or three extents of at least 1.
[[nodiscard]] Result<std::vector<int64_t>> ParseShape(std::string_view text);

/// "8x1500x64" from extents.
std::string ShapeText(const std::vector<int64_t>& shape);

}  // namespace tilewave::cli
