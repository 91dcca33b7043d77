#pragma once

// Reading of instruction streams of version 0.1 and 1.0, one operation at a time.

#include <cstddef>
#include <cstdint>
#include <span>

#include "arch/npu.h"
#include "program/stream_form.h"
#include "program/stream_op.h"
#include "tilewave/status.h"

namespace tilewave::program {

/// What stands before the operations.
struct StreamHeader {
  StreamVersion version = StreamVersion::kV01;
  int generation = 0;  ///< Of the array: arch::Npu::stream_generation.
  int rows = 0;
  int columns = 0;  ///< Of the device that the stream was made for, not those that it uses.
  uint32_t ops = 0;
  uint32_t bytes = 0;

  bool operator==(const StreamHeader&) const = default;
};

/// Reads a stream one operation at a time, checking everything before it is believed.
/// Allocates nothing. The words must outlive it.
class StreamReader {
 public:
  /// Checks the header. Errors: kDataLoss (truncated, sizes that disagree), kUnimplemented
  /// (another version), kInvalidArgument (another generation, or rows or columns that it does not
  /// have).
  [[nodiscard]] static Result<StreamReader> Open(std::span<const uint32_t> words);
  /// The same; kInvalidArgument, too, for a stream of another generation than that array's.
  [[nodiscard]] static Result<StreamReader> OpenFor(const arch::Npu& npu,
                                                    std::span<const uint32_t> words);

  const StreamHeader& header() const { return header_; }
  int generation() const { return header_.generation; }
  int columns() const { return header_.columns; }
  bool done() const { return next_ == words_.size(); }
  /// At which word the next operation stands.
  size_t position() const { return next_; }

  /// The next operation. kDataLoss: truncated, damaged, or not as many operations as the header
  /// counts; kUnimplemented: an operation, or a form of one, not known here; both name the word at
  /// which it stands. REQUIRES: !done(), and no error before.
  [[nodiscard]] Result<StreamOp> Next();

 private:
  std::span<const uint32_t> words_;
  size_t next_ = 0;
  uint32_t ops_left_ = 0;
  StreamHeader header_;
};

}  // namespace tilewave::program
