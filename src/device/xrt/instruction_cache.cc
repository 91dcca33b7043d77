#include "device/xrt/instruction_cache.h"

#include <cstring>
#include <utility>

#include "program/stream_reader.h"

namespace tilewave::device::xrt {
namespace {

/// FNV-1a, word by word: equality is what decides, so it only has to spread.
uint64_t HashOf(std::span<const uint32_t> words) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const uint32_t word : words) hash = (hash ^ word) * 0x100000001b3;
  return hash;
}

}  // namespace

Result<std::shared_ptr<Instructions>> InstructionCache::Find(DriverKernel* kernel,
                                                             std::span<const uint32_t> stream,
                                                             arch::NpuArch arch) {
  const uint64_t hash = HashOf(stream);
  const auto [begin, end] = by_hash_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    // The host's mapping of the buffer still has what was written.
    if (it->second->words == stream.size() &&
        std::memcmp(it->second->buffer->host(), stream.data(), stream.size_bytes()) == 0) {
      return it->second;
    }
  }
  const auto reader = program::StreamReader::OpenFor(arch::NpuOf(arch), stream);
  if (!reader.ok()) return reader.status();
  Result<std::unique_ptr<DriverBuffer>> buffer = kernel->NewInstructions(stream.size_bytes());
  if (!buffer.ok()) return buffer.status();
  std::memcpy((*buffer)->host(), stream.data(), stream.size_bytes());
  if (Status s = (*buffer)->Sync(SyncDirection::kToDevice, 0, stream.size_bytes()); !s.ok()) {
    return s;
  }
  auto made = std::make_shared<Instructions>();
  made->buffer = *std::move(buffer);
  made->words = static_cast<uint32_t>(stream.size());
  made->id = ++last_id_;
  by_hash_.emplace(hash, made);
  return made;
}

bool InstructionCache::DropIdle() {
  return std::erase_if(by_hash_, [](const auto& each) { return each.second.use_count() == 1; }) > 0;
}

}  // namespace tilewave::device::xrt
