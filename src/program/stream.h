#pragma once

// The NPU instruction stream (transaction buffer, version 0.1): words that one launch hands to the
// array's controller. Layout after mlir-aie's TxnEncoding.h and aie-rt's xaie_txn.h.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "arch/npu.h"
#include "program/sequence.h"
#include "tilewave/status.h"

namespace tilewave::program {

// One operation of a stream, as the controller sees it: registers, not intentions.

struct Write32 {
  uint32_t address = 0;
  uint32_t value = 0;
  bool operator==(const Write32&) const = default;
};
struct BlockWrite {
  uint32_t address = 0;
  std::span<const uint32_t> words;  ///< Into the stream.
};
struct MaskWrite {
  uint32_t address = 0;
  uint32_t value = 0;
  uint32_t mask = 0;
  bool operator==(const MaskWrite&) const = default;
};
/// Overwrites the 48-bit base address in a descriptor: buffer `argument` of the launch + offset.
struct PatchAddress {
  uint32_t address = 0;  ///< Of the descriptor's address register (its second word).
  uint32_t argument = 0;
  uint64_t offset_bytes = 0;
  bool operator==(const PatchAddress&) const = default;
};
struct Sync {
  ChannelId channel;
  bool operator==(const Sync&) const = default;
};
using StreamOp = std::variant<Write32, BlockWrite, MaskWrite, PatchAddress, Sync>;

/// Reads a stream one operation at a time, checking everything before it is believed.
/// Allocates nothing. The words must outlive it.
class StreamReader {
 public:
  /// Checks the header. Errors: kDataLoss (truncated, sizes that disagree), kUnimplemented
  /// (another version), kInvalidArgument (another generation, or rows that it does not have).
  [[nodiscard]] static Result<StreamReader> Open(std::span<const uint32_t> words);

  int generation() const { return generation_; }
  int columns() const { return columns_; }
  bool done() const { return next_ == words_.size(); }

  /// The next operation. kDataLoss: truncated, damaged, or not as many operations as the header
  /// counts; kUnimplemented: an operation, or a form of one, not known here; both name the word at
  /// which it stands. REQUIRES: !done(), and no error before.
  [[nodiscard]] Result<StreamOp> Next();

 private:
  std::span<const uint32_t> words_;
  size_t next_ = 0;
  uint32_t ops_left_ = 0;
  int generation_ = 0;
  int columns_ = 0;
};

/// Encodes a sequence for all columns of an array. kOutOfRange, naming the operation, the field,
/// the value and what fits; kInvalidArgument if the dims of a descriptor do not multiply to its
/// length. Which operations may follow each other is Validate's to judge.
[[nodiscard]] Result<std::vector<uint32_t>> EncodeStream(const Sequence& sequence,
                                                         const arch::Npu& npu);

/// The registers of a shim descriptor. The base address is not part of it: a stream patches it.
/// Dims that are one contiguous run take no wraps and so have no limits.
/// REQUIRES: fields that EncodeStream accepts.
std::array<uint32_t, 8> EncodeShimDescriptor(const WriteDescriptor& descriptor,
                                             const arch::Npu& npu);

/// A shim descriptor as its registers describe it; `argument` and `offset_bytes` are left alone,
/// `id` and `tile` are the caller's. kInvalidArgument: not valid, a length of 0 or that is no
/// multiple of the wraps, or anything in use that WriteDescriptor does not have (packets, locks,
/// chains).
///
/// The result is canonical, and decoding an encoded canonical descriptor gives it back: dims are
/// empty if they are one contiguous run, the last of them is not of size 1, and what has size 1
/// (iteration, too) has step 1.
[[nodiscard]] Result<WriteDescriptor> DecodeShimDescriptor(std::span<const uint32_t> words);

}  // namespace tilewave::program
