#include "runtime/poison.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "arch/npu.h"
#include "base/random.h"

namespace tilewave::runtime {
namespace {

constexpr size_t kLine = arch::kCacheLineBytes;
constexpr size_t kLeastPart = 16;
constexpr uint64_t kSeed = 0x7069'6c65'7761'7665;

using Line = std::array<std::byte, kLine>;

Line PoisonAt(size_t offset) {
  base::Random random(kSeed ^ offset);
  Line line;
  for (size_t i = 0; i < kLine; i += sizeof(uint64_t)) {
    const uint64_t word = random.Next();
    std::memcpy(line.data() + i, &word, sizeof(word));
  }
  return line;
}

}  // namespace

void FillPoison(std::byte* memory, size_t bytes) {
  for (size_t offset = 0; offset < bytes; offset += kLine) {
    std::memcpy(memory + offset, PoisonAt(offset).data(), std::min(kLine, bytes - offset));
  }
}

Status CheckWritten(const std::byte* memory, size_t bytes) {
  for (size_t offset = 0; offset < bytes; offset += kLine) {
    const size_t part = std::min(kLine, bytes - offset);
    if (part < kLeastPart) break;
    if (std::memcmp(memory + offset, PoisonAt(offset).data(), part) != 0) continue;
    return {StatusCode::kDataLoss,
            fmt::format("a launch ended well, but has not written bytes [{}, +{}) of its result",
                        offset, part)};
  }
  return {};
}

}  // namespace tilewave::runtime
