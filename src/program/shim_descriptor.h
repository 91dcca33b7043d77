#pragma once

// The registers of a shim descriptor, word by word after AM025 noc_module/dma/bd; npu2 has the
// same.

#include <cstddef>
#include <cstdint>
#include <span>

#include "arch/npu.h"
#include "program/sequence.h"
#include "tilewave/status.h"

namespace tilewave::program {

inline constexpr size_t kShimDescriptorWords = 8;

/// Whether the words are visited in the order of their addresses, without gaps: such dims need no
/// wraps. REQUIRES: sizes whose product fits.
inline bool IsOneRun(std::span<const Dim> dims) {
  int64_t next = 1;
  for (const Dim& dim : dims) {
    if (dim.size != 1 && dim.step_words != next) return false;
    next *= dim.size;
  }
  return true;
}

/// The registers of a shim descriptor. The base address is not part of it: a stream patches it.
/// Dims that are one contiguous run take no wraps and so have no limits.
/// REQUIRES: fields that EncodeStream accepts.
void EncodeShimDescriptor(const WriteDescriptor& descriptor, const arch::Npu& npu,
                          std::span<uint32_t, kShimDescriptorWords> registers);

/// A shim descriptor as its registers describe it; `argument` and `offset_bytes` are left alone,
/// `id` and `tile` are the caller's. kInvalidArgument: not valid, a length of 0 or that is no
/// multiple of the wraps, or anything in use that WriteDescriptor does not have (packets, locks,
/// chains).
///
/// The result is canonical, and decoding an encoded canonical descriptor gives it back: dims are
/// empty if they are one contiguous run, the last of them is not of size 1, and what has size 1
/// (iteration, too) has step 1. Hints on bursts and caching are not kept.
[[nodiscard]] Result<WriteDescriptor> DecodeShimDescriptor(std::span<const uint32_t> words);

}  // namespace tilewave::program
