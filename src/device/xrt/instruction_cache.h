#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>

#include "device/xrt/driver_seam.h"
#include "tilewave/status.h"

namespace tilewave::device::xrt {

/// A stream in the memory that the array's controller reads.
struct Instructions {
  std::unique_ptr<DriverBuffer> buffer;
  uint32_t words = 0;
  uint64_t id = 0;  ///< Of this cache; never used again.
};

/// The streams of one kernel, each written and made visible once. Whoever holds one keeps it from
/// being dropped. Not thread-safe.
class InstructionCache {
 public:
  /// The stream's buffer, made now if it is new. Streams are told apart by all their words.
  /// Errors: kInvalidArgument: a stream for another array; kResourceExhausted: the heap is full,
  /// see DropIdle; the driver's.
  [[nodiscard]] Result<std::shared_ptr<Instructions>> Find(DriverKernel* kernel,
                                                           std::span<const uint32_t> stream,
                                                           arch::NpuArch arch);

  /// Frees what nobody holds; whether there was any.
  bool DropIdle();

  size_t size() const { return by_hash_.size(); }

 private:
  std::unordered_multimap<uint64_t, std::shared_ptr<Instructions>> by_hash_;
  uint64_t last_id_ = 0;
};

}  // namespace tilewave::device::xrt
