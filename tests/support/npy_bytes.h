#pragma once

// .npy files byte by byte, and what a refusal looks like, for the tests of the reader and writer.

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tilewave/status.h"
#include "tilewave/tensors.h"

namespace tilewave::cli::testing {

inline constexpr std::string_view kMagic = "\x93NUMPY";
inline constexpr std::string_view kSmallDict =
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }\n";

inline std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// A file of the given version around a header text, byte by byte.
inline std::string File(int version, std::string_view dict, std::string_view data = "") {
  std::string file(kMagic);
  file += static_cast<char>(version);
  file += '\0';
  const int length_bytes = version == 1 ? 2 : 4;
  for (int i = 0; i < length_bytes; ++i) {
    file += static_cast<char>(dict.size() >> (8 * i) & 0xff);
  }
  return file.append(dict).append(data);
}

inline std::string DictWithShape(std::string_view shape) {
  return "{'descr': '<f4', 'fortran_order': False, 'shape': " + std::string(shape) + ", }";
}

inline void ExpectRefused(const Status& status, StatusCode code, std::string_view part) {
  ASSERT_FALSE(status.ok()) << "expected: " << part;
  EXPECT_EQ(status.code(), code) << status.ToString();
  EXPECT_NE(status.message().find(part), std::string::npos)
      << "message: " << status.message() << "\nexpected: " << part;
  EXPECT_EQ(status.message().find('\n'), std::string::npos) << status.message();
}

using Shape = std::vector<int64_t>;

inline const std::vector<Shape>& Shapes() {
  static const std::vector<Shape> shapes = {
      {}, {1}, {7}, {3, 4}, {1, 129}, {2, 3, 5}, {0}, {3, 0, 2}, {1, 2, 1, 3, 1, 2, 1, 2}};
  return shapes;
}

inline constexpr std::array kReadable = {ElementType::kS8, ElementType::kU8, ElementType::kS32,
                                         ElementType::kF32};

inline size_t DataBytes(ElementType type, const Shape& shape) {
  return ElementBytes(type) * static_cast<size_t>(std::accumulate(shape.begin(), shape.end(),
                                                                  int64_t{1}, std::multiplies<>()));
}

}  // namespace tilewave::cli::testing
