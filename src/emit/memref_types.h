#pragma once

// Which memref each buffer is in MLIR text. Buffers are words (i32): then offsets, lengths and
// steps of descriptors are the program's own numbers, and no rule about elements narrower than a
// word applies. A buffer of which some call takes a part is bytes (i8), as memref.view wants;
// kernels get bare pointers either way.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "program/array_program.h"
#include "tilewave/status.h"

namespace tilewave::emit {

class MemrefTypes {
 public:
  /// REQUIRES: a legal program, which must outlive this.
  explicit MemrefTypes(const program::ArrayProgram& program);

  bool IsBytes(int buffer) const { return bytes_[static_cast<size_t>(buffer)]; }
  /// Elements of a word of this buffer.
  int64_t ElementsPerWord(int buffer) const { return IsBytes(buffer) ? arch::kWordBytes : 1; }
  /// "memref<1024xi32>".
  std::string Of(int buffer) const;
  /// Of what a call hands over: all of a ring's buffer, or its bytes from an offset on.
  std::string Of(const program::Core& core, const program::CoreOp::Argument& argument) const;

  /// The arguments of each kernel that is called, "memref<1024xi32>, i32", by its name.
  /// kUnimplemented: rings whose buffers differ in size, a kernel called with arguments of several
  /// types, parameters of another core.
  [[nodiscard]] Result<std::map<std::string, std::string>> Signatures() const;

 private:
  const program::ArrayProgram& program_;
  std::vector<bool> bytes_;
};

}  // namespace tilewave::emit
