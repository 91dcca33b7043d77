#pragma once

// From the sequence of a launch to the words that it carries.

#include <cstdint>
#include <vector>

#include "arch/npu.h"
#include "program/sequence.h"
#include "program/stream_reader.h"
#include "program/stream_writer.h"
#include "tilewave/status.h"

namespace tilewave::program {

/// Encodes a sequence. Errors: those of StreamWriter.
[[nodiscard]] Result<std::vector<uint32_t>> EncodeStream(const Sequence& sequence,
                                                         const arch::Npu& npu,
                                                         const StreamOptions& options = {});

/// The same into storage that is used again: what was in it is replaced, and nothing is allocated
/// if its capacity suffices. After an error its contents mean nothing.
[[nodiscard]] Status EncodeStream(const Sequence& sequence, const arch::Npu& npu,
                                  const StreamOptions& options, std::vector<uint32_t>* words);

}  // namespace tilewave::program
