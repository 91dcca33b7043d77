#pragma once

// Sequences and descriptors that the tests of instruction streams share.

#include <cstdint>
#include <functional>
#include <vector>

#include "arch/npu.h"
#include "program/array_program.h"
#include "program/sequence.h"
#include "program/stream.h"
#include "tests/support/program_samples.h"

namespace tilewave::program {

using Words = std::vector<uint32_t>;

/// The core that samples write to.
inline constexpr Tile kSampleCore{1, 3};

/// Transfers of a 256 x 256 x 256 product of 16-bit numbers on one core with 32 x 32 x 32 tiles, as
/// mlir-aie compiles it for npu1: A and B with two numbers per word, C with one.
WriteDescriptor RowBlockOfA();
WriteDescriptor ColumnBlocksOfB();
WriteDescriptor RowBlocksOfC();

/// RowBlockOfA with something else in it.
WriteDescriptor Changed(const std::function<void(WriteDescriptor*)>& change);

/// A pattern with gaps, so that it needs its wraps, and the length that goes with it.
WriteDescriptor Patterned(const DimList& dims);

/// All kinds of operations: 9 of a sequence, 12 of a stream.
Sequence EveryKind();

/// All of that product for one core, in the order in which mlir-aie's design issues it: two chunks
/// of two row blocks each in flight, in descriptors 0 to 4 and 5 to 9.
Sequence WorkedExample();

/// The words of a stream; the test fails where they are refused.
Words Encoded(const Sequence& sequence, const StreamOptions& options = {},
              const arch::Npu& npu = Npu1());
/// Those behind its header.
Words Body(const Words& stream);
/// The registers of a shim descriptor.
Words Registers(const WriteDescriptor& descriptor, const arch::Npu& npu = Npu1());

}  // namespace tilewave::program
