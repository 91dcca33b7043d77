#pragma once

// A stream by its intentions: the tasks of the shim channels and what else stands between them.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "program/sequence.h"
#include "program/stream_reader.h"
#include "program/stream_writer.h"
#include "tilewave/status.h"

namespace tilewave::program {

/// A task with what its descriptor's registers held when it was started, whichever operations had
/// put it there.
struct ShimTask {
  PushTask push;
  std::optional<WriteDescriptor> pattern;
  std::string no_pattern_because;  ///< If there is none: "descriptor 3 was not written".
};

/// Whatever SequenceOp and its neighbours cannot say to the bit is left as the operation it is.
using DecodedOp = std::variant<WriteDescriptor, ShimTask, AwaitToken, WriteParameter, SetLock,
                               SetController, StreamOp>;

struct DecodedStream {
  StreamHeader header;
  /// With which EncodeStream writes it again.
  StreamOptions options;
  /// In the order of the stream. Their spans are into its words.
  std::vector<DecodedOp> ops;
};

/// Decodes a stream of either version. A write to a descriptor and the patch after it are one
/// WriteDescriptor. Errors: those of StreamReader. The words must outlive the result.
[[nodiscard]] Result<DecodedStream> DecodeStream(std::span<const uint32_t> words);

/// Writes a decoded stream again. With its own options that gives the same operations, and the
/// same words except where those do not matter: padding, and bytes that the controller ignores.
/// Errors: those of StreamWriter.
[[nodiscard]] Status EncodeStream(const DecodedStream& stream, const StreamOptions& options,
                                  std::vector<uint32_t>* words);

/// The array of a generation that StreamReader accepts.
const arch::Npu& NpuOfGeneration(int generation);

}  // namespace tilewave::program
