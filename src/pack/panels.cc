#include "pack/panels.h"

#include <algorithm>
#include <cstring>

namespace tilewave::pack {
namespace {

constexpr int64_t kPair = 2;

uint8_t ElementAt(const PanelSource& source, int64_t k, int64_t j) {
  return source.data[(k * source.k_stride) + (j * source.column_stride)];
}

int32_t ZeroOf(const int32_t* zeros, int64_t j) { return zeros == nullptr ? 0 : zeros[j]; }

}  // namespace

void PackBytes(const PanelSource& source, int64_t k, int64_t columns, int64_t nr, int64_t group,
               uint8_t flip, std::byte* panel, int32_t* sums) {
  auto* out = reinterpret_cast<uint8_t*>(panel);
  const int64_t groups = base::CeilDiv(k, group);
  std::fill(sums, sums + nr, 0);
  std::memset(out, 0, static_cast<size_t>(groups * nr * group));
  for (int64_t i = 0; i < k; ++i) {
    uint8_t* to = out + (i / group * nr * group) + (i % group);
    for (int64_t j = 0; j < columns; ++j) {
      const auto value = static_cast<uint8_t>(ElementAt(source, i, j) ^ flip);
      to[j * group] = value;
      sums[j] += static_cast<int8_t>(value);
    }
  }
}

void PackPairs(const PanelSource& source, ElementType type, int64_t k, int64_t columns, int64_t nr,
               const int32_t* zeros, std::byte* panel) {
  auto* out = reinterpret_cast<int16_t*>(panel);
  const int64_t groups = base::CeilDiv(k, kPair);
  std::fill(out, out + (groups * nr * kPair), int16_t{0});
  for (int64_t i = 0; i < k; ++i) {
    int16_t* to = out + (i / kPair * nr * kPair) + (i % kPair);
    for (int64_t j = 0; j < columns; ++j) {
      const uint8_t byte = ElementAt(source, i, j);
      const int32_t value = type == ElementType::kU8 ? byte : static_cast<int8_t>(byte);
      to[j * kPair] = static_cast<int16_t>(value - ZeroOf(zeros, j));
    }
  }
}

void UnpackBytesForTest(const std::byte* panel, int64_t k, int64_t columns, int64_t nr,
                        int64_t group, uint8_t flip, const PanelSource& shape, uint8_t* out) {
  const auto* packed = reinterpret_cast<const uint8_t*>(panel);
  for (int64_t i = 0; i < k; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      out[(i * shape.k_stride) + (j * shape.column_stride)] =
          static_cast<uint8_t>(packed[(((i / group * nr) + j) * group) + (i % group)] ^ flip);
    }
  }
}

void UnpackPairsForTest(const std::byte* panel, int64_t k, int64_t columns, int64_t nr,
                        const int32_t* zeros, const PanelSource& shape, uint8_t* out) {
  const auto* packed = reinterpret_cast<const int16_t*>(panel);
  for (int64_t i = 0; i < k; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      const int32_t value = packed[(((i / kPair * nr) + j) * kPair) + (i % kPair)];
      out[(i * shape.k_stride) + (j * shape.column_stride)] =
          static_cast<uint8_t>(value + ZeroOf(zeros, j));
    }
  }
}

}  // namespace tilewave::pack
