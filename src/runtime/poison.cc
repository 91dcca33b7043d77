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

using Line = std::array<uint64_t, kLine / sizeof(uint64_t)>;

Line FirstLine() {
  base::Random random(kSeed);
  Line line;
  for (uint64_t& word : line) word = random.Next();
  return line;
}

/// One number for each line turns the first one into another, which is faster than drawing all.
Line PoisonAt(size_t offset) {
  static const Line kFirst = FirstLine();
  const uint64_t turn = base::Random(kSeed ^ offset).Next();
  Line line;
  for (size_t i = 0; i < line.size(); ++i) line[i] = kFirst[i] ^ turn;
  return line;
}

}  // namespace

void FillPoison(std::byte* memory, size_t bytes) {
  for (size_t offset = 0; offset < bytes; offset += kLine) {
    std::memcpy(memory + offset, PoisonAt(offset).data(), std::min(kLine, bytes - offset));
  }
}

Status PoisonRange(const device::BufferRange& range) {
  FillPoison(range.buffer->host() + range.offset, range.bytes);
  return range.buffer->Sync(device::SyncDirection::kToDevice, range.offset, range.bytes);
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
