#pragma once

// Sequences and descriptors that the tests of instruction streams share.

#include <functional>

#include "program/sequence.h"
#include "tilewave/status.h"

namespace tilewave::program {

inline constexpr Tile kShim{0, 0};
inline constexpr Tile kCore{1, 3};

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

}  // namespace tilewave::program
