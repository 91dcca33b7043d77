#pragma once

// The only judge of legality: whether a configuration and its sequences fit an array.

#include <span>
#include <string>
#include <vector>

#include "arch/npu.h"
#include "program/array_program.h"
#include "program/sequence.h"
#include "tilewave/status.h"

namespace tilewave::program {

/// One limit that is passed. For a rule without a number (two users of one channel) `maximum` is
/// what is expected.
struct Violation {
  std::string where;  ///< "core (0,2) buffer c_0".
  std::string limit;  ///< "data memory bytes".
  int64_t value = 0;
  int64_t maximum = 0;  ///< Largest (or for "least ...", smallest) legal value.

  std::string ToString() const;  ///< "core (0,2): data memory bytes is 70000, at most 65536".
};

/// Everything in the configuration that the array cannot do, in program order; empty if legal.
/// Checks the hardware's own field widths, not the looser ones of some compilers.
std::vector<Violation> Violations(const ArrayProgram& program, const arch::Npu& npu);

/// The same for one launch whose buffers have these sizes.
/// REQUIRES: a legal program.
std::vector<Violation> Violations(const ArrayProgram& program, const Sequence& sequence,
                                  std::span<const int64_t> argument_bytes, const arch::Npu& npu);

/// Ok, or kOutOfRange with the first violation (and how many more there are). For a whole_array
/// design that is too large for the array's memories also the nearest one that fits.
[[nodiscard]] Status Validate(const ArrayProgram& program, const arch::Npu& npu);
[[nodiscard]] Status Validate(const ArrayProgram& program, const Sequence& sequence,
                              std::span<const int64_t> argument_bytes, const arch::Npu& npu);

/// Words from the first to one past the last that a pattern touches, executions included.
int64_t ExtentWords(int64_t length_words, std::span<const Dim> dims, const Dim& iteration);

}  // namespace tilewave::program
